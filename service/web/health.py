"""Is the process alive, and can it work: two answers for whoever keeps it running."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse

from service.db.migrate import is_behind
from service.errors import Unavailable
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
    """The database answers too, and has the tables that this version needs.

    Raises:
        Unavailable: it was not migrated; a revision that says so never takes traffic.
    """
    if is_behind(database.connection()):
        raise Unavailable("The database lacks the newest schema. Run `coursewright migrate` with this version.")
    return PlainTextResponse("ready\n")
