"""Progress of a run: a page that tells the truth after every reload, its stream of events, and the way to stop."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
import uuid
from collections.abc import AsyncIterator
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Form, Header, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session
from sse_starlette import EventSourceResponse, ServerSentEvent

from service.db.engine import session_scope
from service.db.events import events_after
from service.db.listing import listed_lessons
from service.db.tables import Course, CourseState, Event, Run, RunKind, RunState
from service.errors import BadInput
from service.pipeline import runs
from service.ports import Services
from service.web.deps import CourseInPath, Database, RunInPath, ServicesDep
from service.web.money import cap_of, meter_of
from service.web.overview import overviews
from service.web.site import render, site_of

router = APIRouter()
LOOK_EVERY, HEARTBEAT, LONGEST, BATCH = 0.7, 15.0, 280.0, 200
HIGHEST = 2**62
LAST = ("done", "failed", "canceled")
ENDED = (RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELED)


@router.get("/courses/{course_id:uuid}/generating")
def generating_page(request: Request, course: CourseInPath, database: Database) -> Response:
    """Where the newest draft or generation stands; a course that never had one goes back to its brief."""
    return _page(request, course, database)


def _page(request: Request, course: Course, database: Session, *, problem: str = "", status: int = 200) -> Response:
    run = _newest_run(database, course.id)
    if run is None:
        return RedirectResponse(f"/courses/{course.id}/brief", 303)
    said = _last_said(database, run)
    return render(
        request,
        "generating.html",
        status,
        problem=problem,
        meter=meter_of(run),
        course=course,
        run=run,
        said=said,
        live=run.state not in ENDED,
        stopping=run.cancel_requested,
        lessons=listed_lessons(database, course.id) if run.kind == RunKind.GENERATE else [],
        view=overviews(database, [course], None)[course.id],
        onward=onward(course, run),
    )


@router.get("/courses/{course_id:uuid}/runs/{run_id:uuid}/events", response_model=None)
def run_events(
    request: Request,
    run: RunInPath,
    database: Database,
    services: ServicesDep,
    after: int = 0,
    poll: bool = False,
    last_event_id: Annotated[str, Header()] = "",
    if_none_match: Annotated[str, Header()] = "",
) -> Response:
    """The run's events after a number: as a stream that resumes, or as one answer for those who poll.

    The call holds one connection and asks for no second one: a few such calls at once would wait for each other.
    """
    # A number that no run reaches is as good as any larger one: it fits the column, and Python reads no endless digits.
    given = int(last_event_id[:20]) if last_event_id.isascii() and last_event_id.isdigit() else max(after, 0)
    seen = min(given, HIGHEST)
    if poll:
        found = events_after(database, run.id, seen, BATCH)
        body = [_data(event) | {"id": event.seq} for event in found]
        tag = f'"{hashlib.sha256(f"{run.id}:{seen}:{len(body)}".encode()).hexdigest()[:16]}"'
        if tag == if_none_match:
            return Response(status_code=304, headers={"ETag": tag})
        return JSONResponse(body, headers={"ETag": tag})
    return EventSourceResponse(
        _stream(request, services, run.id, seen),
        ping=int(HEARTBEAT),
        headers={"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"},
    )


@router.post("/courses/{course_id:uuid}/stop")
def stop(course: CourseInPath, database: Database) -> Response:
    """Ask the running work to stop; finished lessons stay."""
    run = _newest_run(database, course.id)
    if run is not None and run.state not in ENDED:
        runs.cancel(database, run)
    return RedirectResponse(f"/courses/{course.id}/generating", 303)


@router.post("/courses/{course_id:uuid}/resume")
def resume(
    request: Request, course: CourseInPath, database: Database, cap: Annotated[str, Form(max_length=40)] = ""
) -> Response:
    """Let a paused run go on, up to a higher cap when one is given. Where there is still no money for it, its next step
    pauses it again."""
    run, here = _newest_run(database, course.id), f"/courses/{course.id}/generating"
    if run is None:
        return RedirectResponse(here, 303)
    try:
        runs.go_on(database, run, site_of(request).settings, cap_of(cap))
    except BadInput as error:
        database.refresh(run)  # it was read as going on, which was taken back
        return _page(request, course, database, problem=str(error), status=error.status)
    return RedirectResponse(here, 303)


async def _stream(request: Request, services: Services, run_id: uuid.UUID, seen: int) -> AsyncIterator[ServerSentEvent]:
    """Events as they come. Each look borrows a connection for milliseconds; the stream itself holds none."""
    yield ServerSentEvent(comment="open", retry=2000)
    ends = time.monotonic() + LONGEST
    while time.monotonic() < ends and not await request.is_disconnected():
        for event in await to_thread.run_sync(_read, services.engine, run_id, seen):
            seen = event.seq
            yield ServerSentEvent(json.dumps(_data(event)), id=str(event.seq))
            if event.kind in LAST:
                return
        await asyncio.sleep(LOOK_EVERY)


def _read(engine: Engine, run_id: uuid.UUID, seen: int) -> list[Event]:
    with session_scope(engine) as database:
        found = events_after(database, run_id, seen, BATCH)
        database.expunge_all()
        return list(found)


def _data(event: Event) -> dict[str, Any]:
    return {**event.data, "kind": event.kind}


def _newest_run(database: Session, course_id: uuid.UUID) -> Run | None:
    query = select(Run).where(Run.course_id == course_id, Run.kind.in_((RunKind.PLAN, RunKind.GENERATE)))
    return database.scalar(query.order_by(Run.created_at.desc(), Run.id).limit(1))


def _last_said(database: Session, run: Run) -> str:
    query = select(Event.data["what"].astext).where(Event.run_id == run.id).order_by(Event.seq.desc()).limit(1)
    return database.scalar(query) or ""


def onward(course: Course, run: Run) -> str:
    """Where the page goes when the run is done."""
    if run.kind == RunKind.PLAN and course.state in (CourseState.PLANNING, CourseState.PLANNED):
        return f"/courses/{course.id}/outline"
    return f"/courses/{course.id}"
