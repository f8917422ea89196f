"""Files that the site serves itself: styles, scripts and fonts by hash, and media when the storage is a folder."""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Protocol, runtime_checkable

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, RedirectResponse

from service.errors import Forbidden, NotFound
from service.web.deps import ServicesDep
from service.web.site import STATIC, static_version

router = APIRouter()
FOR_EVER = "public, max-age=31536000, immutable"
TYPES = {".js": "text/javascript", ".css": "text/css", ".woff2": "font/woff2", ".svg": "image/svg+xml"}


@runtime_checkable
class LocalFiles(Protocol):
    """What a storage in a folder adds to the port: it can check its own addresses and name the file."""

    def verify(self, key: str, params: Mapping[str, str]) -> bool: ...

    def path(self, key: str) -> Path: ...


@router.api_route("/static/{path:path}", methods=["GET", "HEAD"])
def static_file(path: str) -> FileResponse:
    """A static file; the first part of its address is the hash of them all, so it may be kept for ever."""
    wanted = PurePosixPath(*PurePosixPath(path).parts[1:])
    found = (STATIC / wanted).resolve()
    if not found.is_relative_to(STATIC) or not found.is_file():
        raise NotFound("There is no such file.")
    kept = FOR_EVER if path.startswith(static_version()) else "no-cache"
    return FileResponse(found, media_type=TYPES.get(found.suffix), headers={"Cache-Control": kept})


@router.get("/favicon.ico")
def favicon() -> RedirectResponse:
    """Browsers ask for it unasked."""
    return RedirectResponse(f"/static/{static_version()}/img/icon.svg", 301)


@router.api_route("/media/{key:path}", methods=["GET", "HEAD"])
def media(request: Request, key: str, services: ServicesDep) -> FileResponse:
    """A stored file by signed address, with Range, when the storage is a folder of this machine."""
    storage = services.storage
    if not isinstance(storage, LocalFiles):
        raise NotFound("There is no such file.")
    params = dict(request.query_params)
    if not storage.verify(key, params):
        raise Forbidden("This address has expired. Reload the page to get a new one.")
    kind = params.get("type") or mimetypes.guess_type(key)[0] or "application/octet-stream"
    return FileResponse(
        storage.path(key),
        media_type=kind,
        filename=params.get("name") or None,
        headers={"Cache-Control": "private, max-age=3600"},
    )
