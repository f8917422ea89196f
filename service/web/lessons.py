"""A lesson as learners meet it: video, transcript, text and evidence on one page, and the second they were at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.db.listing import listed_lessons
from service.db.queries import may_change, newest_media
from service.db.tables import Course, Lesson, Media, QuizItem, Revision, RevisionState, User
from service.domain.storyboard import Film
from service.errors import NotFound
from service.pipeline.outdated import Resting
from service.pipeline.quality import signers_of
from service.ports import Services
from service.web.courses import units_of
from service.web.deps import Caller, CourseInPath, Database, LessonInPath, Person, ServicesDep
from service.web.evidence import Numbers
from service.web.learning import enrol, finish_lesson, has_finished, keep_place, place_of
from service.web.overview import overviews
from service.web.shelf import unsettled
from service.web.site import render, wants_html

router = APIRouter()
SHORTEST_LIFE = timedelta(hours=1)


@router.get("/courses/{course_id:uuid}/lessons/{lesson_id:uuid}")
def lesson_page(
    request: Request,
    course: CourseInPath,
    lesson: LessonInPath,
    database: Database,
    services: ServicesDep,
    caller: Caller,
) -> Response:
    """The lesson. What is not there yet is said, not hidden: the text can be read before the video is filmed."""
    lessons = listed_lessons(database, course.id)
    media = newest_media(database, [lesson.id]).get(lesson.id)
    place = place_of(database, course, lessons, caller.person)
    view = overviews(database, [course], caller.person)[course.id]
    known = place.progress.get(lesson.id)
    following = [one for one in lessons if one.position > lesson.position and one.watchable]
    unsourced = lesson.text is not None and lesson.text.unsourced
    questions = database.scalar(select(func.count()).where(QuizItem.lesson_id == lesson.id)) or 0
    return render(
        request,
        "lesson.html",
        course=course,
        lesson=lesson,
        units=units_of(view, lessons),
        view=view,
        place=place,
        numbers=Numbers(course.id),
        film=media.film if media else None,
        urls=_urls(services, media) if media else None,
        chapters=_chapters(media.film) if media else [],
        resume=known.seconds if known and not _at_the_end(known.seconds, media) else 0.0,
        finished=place.finished(lesson.id),
        following=following[0] if following else None,
        questions=questions,
        unsourced=unsourced,
        signers=signers_of(database, lesson) if unsourced else [],
        keeps_place=caller.person is not None,
        changes=_changes(database, course, lesson, caller.person),
    )


@router.get("/courses/{course_id:uuid}/lessons/{lesson_id:uuid}/media")
def media_addresses(lesson: LessonInPath, database: Database, services: ServicesDep) -> Response:
    """Fresh addresses, for a player whose own have expired."""
    return JSONResponse(_urls(services, _media(database, lesson)))


@router.get("/courses/{course_id:uuid}/lessons/{lesson_id:uuid}/captions.vtt")
def captions(lesson: LessonInPath, database: Database, services: ServicesDep) -> Response:
    """The captions, from this origin, because a browser takes tracks from nowhere else without being asked twice."""
    body = services.storage.get(_media(database, lesson).captions_key)
    return Response(body, media_type="text/vtt", headers={"Cache-Control": "private, max-age=600"})


@router.post("/courses/{course_id:uuid}/lessons/{lesson_id:uuid}/progress")
def save_place(
    course: CourseInPath,
    lesson: LessonInPath,
    database: Database,
    person: Person,
    at: Annotated[float, Form(ge=0, le=360_000)],
) -> Response:
    """Keep the second. Watching is enrolling: whoever has a place has a course."""
    media = newest_media(database, [lesson.id]).get(lesson.id)
    enrolment = enrol(database, course, person)
    keep_place(database, enrolment, lesson, at, media.film.seconds if media else 0.0)
    return JSONResponse({"finished": has_finished(database, enrolment, lesson)})


@router.post("/courses/{course_id:uuid}/lessons/{lesson_id:uuid}/finish")
def finish(
    request: Request, course: CourseInPath, lesson: LessonInPath, database: Database, person: Person
) -> Response:
    """The learner is done with the lesson, by video or by reading."""
    finish_lesson(database, enrol(database, course, person), lesson)
    if not wants_html(request):
        return JSONResponse({"finished": True})
    return RedirectResponse(f"/courses/{course.id}/lessons/{lesson.id}", 303)


@dataclass(frozen=True)
class Changes:
    """For who may change the lesson: where, how many proposals wait, and what rests on an old version of a source."""

    address: str
    waiting: int
    resting: Sequence[Resting] = ()


def _changes(database: Session, course: Course, lesson: Lesson, person: User | None) -> Changes | None:
    if lesson.text is None or not may_change(database, person, course):
        return None
    proposed = select(func.count()).where(Revision.lesson_id == lesson.id, Revision.state == RevisionState.PROPOSED)
    address = f"/courses/{course.id}/lessons/{lesson.id}"
    return Changes(address, database.scalar(proposed) or 0, unsettled(database, course, lesson))


def _media(database: Session, lesson: Lesson) -> Media:
    media = newest_media(database, [lesson.id]).get(lesson.id)
    if media is None:
        raise NotFound("This lesson has no video yet.")
    return media


def _urls(services: Services, media: Media) -> dict[str, str]:
    """Where the player finds the film: in public, or by addresses that live at least twice its length."""
    if media.public_url and services.settings.media_url:
        base = media.public_url.removesuffix(media.video_key)
        return {"video": media.public_url, "poster": base + media.poster_key}
    storage = services.storage
    lives = max(SHORTEST_LIFE, timedelta(seconds=2 * media.film.seconds + 600))
    return {
        "video": storage.signed_url(media.video_key, lives, "video/mp4"),
        "poster": storage.signed_url(media.poster_key, lives, "image/jpeg"),
    }


def _chapters(film: Film) -> list[tuple[float, float, str]]:
    """Start, end and title of each chapter, in seconds."""
    bounds = pairwise([*(start for start, _ in film.chapters), film.seconds])  # none without a chapter
    return [(start, end, title) for (start, end), (_, title) in zip(bounds, film.chapters, strict=True)]


def _at_the_end(seconds: float, media: Media | None) -> bool:
    return media is not None and seconds > media.film.seconds - 3
