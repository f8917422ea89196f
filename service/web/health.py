"""Is the process alive, and can it work: two answers for whoever keeps it running."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse
from sqlalchemy import text

from service.web.deps import Database

router = APIRouter()


@router.api_route("/healthz", methods=["GET", "HEAD"])
def alive() -> PlainTextResponse:
    """The process answers; nothing else is asked."""
    return PlainTextResponse("ok\n")


@router.get("/livez")
def lives() -> PlainTextResponse:
    """The same for Cloud Run, which keeps /healthz for itself."""
    return PlainTextResponse("ok\n")


@router.get("/readyz")
def ready(database: Database) -> PlainTextResponse:
    """The database answers too."""
    database.execute(text("SELECT 1"))
    return PlainTextResponse("ready\n")
