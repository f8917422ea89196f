"""Uploads: files into a course, one row for each, with what was found in it or why it was refused."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Annotated

from fastapi import APIRouter, Header, Request, UploadFile
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from service.db.listing import listed_sources
from service.db.tables import Course, Source
from service.errors import BadInput, NotFound
from service.pipeline import runs
from service.pipeline.authoring import knows_topics
from service.pipeline.versions import add_version
from service.ports import StorageService
from service.web.brief import brief_view, teaching_minutes, why_not_yet
from service.web.deps import CourseInPath, Database, ServicesDep
from service.web.shelf import shelf_of
from service.web.site import render, site_of, wants_html

router = APIRouter()
KINDS = (".pdf", ".docx", ".pptx", ".md", ".markdown", ".txt", ".html", ".htm")
MOST = 200


@router.get("/courses/{course_id:uuid}/sources")
def source_rows(
    request: Request,
    course: CourseInPath,
    database: Database,
    if_none_match: Annotated[str, Header()] = "",
) -> Response:
    """The rows as they stand, for the page that waits while files are read."""
    shelf = shelf_of(database, course)
    page = render(request, "parts/files.html", shelf=shelf, course=course)
    tag = f'"{hashlib.sha256(bytes(page.body)).hexdigest()[:16]}"'
    if tag == if_none_match:
        return Response(status_code=304, headers={"ETag": tag})
    body = {
        "html": bytes(page.body).decode(),
        "reading": shelf.reading,
        "holds": teaching_minutes(shelf.sources),
        "why_not": why_not_yet(shelf.sources, topics=knows_topics(site_of(request).settings, course)),
    }
    return JSONResponse(body, headers={"ETag": tag})


@router.post("/courses/{course_id:uuid}/sources")
def add_files(
    request: Request, course: CourseInPath, database: Database, services: ServicesDep, file: list[UploadFile]
) -> Response:
    """Take files in. One that is refused does not keep the others out."""
    problems = []
    room = MOST - len(listed_sources(database, course.id))
    for number, upload in enumerate(file):
        name = display_name(upload.filename or "")
        try:
            if number >= room:
                raise BadInput(f"{name}: a course takes {MOST} files. Join some of them into one document.")
            _take(database, services.storage, course, upload, name, site_of(request).settings.upload_limit_bytes)
        except BadInput as error:
            problems.append(str(error))
    if not wants_html(request):
        status = 201 if len(problems) < len(file) else 422
        return JSONResponse({"error": " ".join(problems)} if problems else {}, status)
    if problems:
        return brief_view(request, database, course, problem=" ".join(problems), status=422)
    return RedirectResponse(f"/courses/{course.id}/brief", 303)


@router.post("/courses/{course_id:uuid}/sources/{source_id:uuid}/replace")
def replace_source(
    request: Request,
    source_id: uuid.UUID,
    course: CourseInPath,
    database: Database,
    services: ServicesDep,
    file: UploadFile,
) -> Response:
    """Take in a newer version of a source; the one that is there stays in force until the new one is compared."""
    name = display_name(file.filename or "")
    try:
        with _received(file, name, site_of(request).settings.upload_limit_bytes) as path:
            add_version(database, services.storage, course, source_id, name, path)
    except NotFound:
        raise
    except BadInput as error:
        return brief_view(request, database, course, problem=str(error), status=error.status)
    return RedirectResponse(f"/courses/{course.id}/brief", 303)


@router.post("/courses/{course_id:uuid}/sources/{source_id:uuid}/remove")
def remove_source(request: Request, source_id: uuid.UUID, course: CourseInPath, database: Database) -> Response:
    """Take a file out of the course; only while nothing was made from it, as of a version that is not in force yet."""
    mine = (Source.id == source_id, Source.course_id == course.id)
    source = database.scalar(select(Source).where(*mine))
    if source is not None and source.replaces is None and shelf_of(database, course).stays(source):
        raise BadInput("Lessons were made from this file. Their cites would point nowhere, so it stays.")
    earlier = (Source.superseded_by == source_id, Source.course_id == course.id)
    database.execute(delete(Source).where(*earlier))  # they would come into force again
    database.execute(delete(Source).where(*mine))
    if wants_html(request):
        return RedirectResponse(f"/courses/{course.id}/brief", 303)
    return HTMLResponse("", 204)


def display_name(given: str) -> str:
    """The file's own name, without folders and unprintable characters."""
    name = PurePosixPath(given.replace("\\", "/")).name
    name = "".join(letter for letter in name if letter.isprintable()).strip()
    if len(name) > 200:
        name = name[:150] + "…" + name[-40:]
    return name or "document"


def _take(
    database: Session, storage: StorageService, course: Course, upload: UploadFile, name: str, limit: int
) -> None:
    with _received(upload, name, limit) as path:
        runs.add_source(database, storage, course, name, path)


@contextmanager
def _received(upload: UploadFile, name: str, limit: int) -> Iterator[Path]:
    """The upload as a file, for as long as it is looked at. Raises BadInput when it is no file that can be read."""
    if Path(name).suffix.lower() not in KINDS:
        raise BadInput(f"{name}: this kind of file cannot be read. Add PDF, Word, PowerPoint, Markdown, HTML or text.")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"upload{Path(name).suffix.lower()}"
        with path.open("wb") as copy:
            shutil.copyfileobj(upload.file, copy)
        length = path.stat().st_size
        if length == 0:
            raise BadInput(f"{name} is empty. Check the file and add it again.")
        if length > limit:
            raise BadInput(
                f"{name} has {length / 1e6:.0f} MB; {limit // 1_000_000} MB fit. Split it and add the parts."
            )
        yield path
