"""Ask this course: a question in, sentences of the course's own sources out, each with where it is taught."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from service.db.engine import session_scope
from service.db.queries import lessons_of, newest_media
from service.db.tables import Lesson, LessonState
from service.domain.answer import Answer
from service.domain.lesson import Claim
from service.domain.source import Cite, Span
from service.domain.storyboard import Film
from service.errors import BadInput, RateLimited
from service.pipeline.asking import check_question
from service.ports import Services
from service.web.deps import Caller, CourseInPath, ServicesDep, course_in_reach
from service.web.evidence import Numbers
from service.web.site import render, site_of, wants_fragment
from service.web.throttle import address_of, count_try

router = APIRouter()
PERSON_QUESTIONS, ADDRESS_QUESTIONS = 60, 40  # in a quarter of an hour
ASKING = "You can ask again in {minutes} min."


@dataclass(frozen=True)
class Taught:
    """Where a passage is taught: a lesson, and the second of its video where the narration cites it."""

    lesson: Lesson
    second: float | None = None


@dataclass(frozen=True)
class Part:
    """Sentences of the answer that follow each other in one lesson."""

    claims: tuple[Claim, ...]
    taught: Taught | None


@dataclass(frozen=True)
class Reply:
    """What the page shows below the form: an answer, a refusal with the nearest lessons, or what was wrong."""

    question: str
    parts: tuple[Part, ...] = ()
    procedure: bool = False
    nearest: tuple[Lesson, ...] = ()
    by_words: str = ""
    error: str = ""
    status: int = 200
    after_seconds: int = field(default=0, compare=False)


@router.get("/courses/{course_id:uuid}/ask")
def ask_page(request: Request, course: CourseInPath) -> Response:
    """The form on a page of its own: where a browser without JavaScript comes back to, and who signed in on the way."""
    return render(request, "ask.html", course=course, reply=None)


@router.post("/courses/{course_id:uuid}/ask")
def ask(
    request: Request,
    course_id: uuid.UUID,
    services: ServicesDep,
    caller: Caller,
    question: Annotated[str, Form()] = "",
) -> Response:
    """Answer in place for our script, on a page without it. No connection is held while the answer is looked for."""
    with session_scope(services.engine) as database:
        course = course_in_reach(request, course_id, database)
    try:
        check_question(question)
        person = caller.person
        subject, limit = (
            (f"ask:{person.id}", PERSON_QUESTIONS) if person else (f"ask-from:{address_of(request)}", ADDRESS_QUESTIONS)
        )
        count_try(services.engine, subject, limit, ASKING)
        answer = site_of(request).desk.ask(course.id, course.brief, question)
        reply = _reply(services, course.id, answer)
    except RateLimited as error:
        reply = Reply(question, error=str(error), status=error.status, after_seconds=error.after_seconds)
    except BadInput as error:
        reply = Reply(question[:1000], error=str(error), status=error.status)
    template = "parts/answer.html" if wants_fragment(request) else "ask.html"
    page = render(request, template, reply.status, course=course, reply=reply, numbers=Numbers(course.id))
    if reply.after_seconds:
        page.headers["Retry-After"] = str(reply.after_seconds)
    return page


def _reply(services: Services, course_id: uuid.UUID, answer: Answer) -> Reply:
    with session_scope(services.engine) as database:
        lessons = [lesson for lesson in lessons_of(database, course_id) if _watchable(lesson)]
        films = {key: media.film for key, media in newest_media(database, [one.id for one in lessons]).items()}
    if not answer.covered:
        near = [_planned(lessons, span) for span in answer.nearest]
        found = tuple({lesson.id: lesson for lesson in near if lesson is not None}.values())
        return Reply(answer.question, nearest=found, by_words=answer.by_words)
    parts: list[Part] = []
    for claim in answer.sentences:
        taught = where_taught(lessons, films, claim.cites[0])
        last = parts[-1] if parts else None
        if last and (answer.procedure or (last.taught and taught and last.taught.lesson is taught.lesson)):
            parts[-1] = Part((*last.claims, claim), last.taught or taught)
        else:
            parts.append(Part((claim,), taught))
    return Reply(answer.question, parts=tuple(parts), procedure=answer.procedure, by_words=answer.by_words)


def _watchable(lesson: Lesson) -> bool:
    return lesson.text is not None or lesson.state == LessonState.COMPLETED


def where_taught(lessons: Sequence[Lesson], films: dict[uuid.UUID, Film], cite: Cite) -> Taught | None:
    """Where the cited span is taught: said in a video, else written in a lesson, else planned for one."""
    said = [
        (_shared(other, cite), lesson, cue.start)
        for lesson in lessons
        if lesson.id in films
        for cue in films[lesson.id].cues
        for other in cue.cites
    ]
    best = max(said, key=lambda one: one[0], default=None)  # the first of equals: where it is taught, not recapped
    if best and best[0] > 0:
        return Taught(best[1], best[2])
    for lesson in lessons:
        if lesson.text is not None and any(_shared(other, cite) for other in lesson.text.cites()):
            return Taught(lesson)
    planned = _planned(lessons, cite)
    return Taught(planned) if planned else None


def _planned(lessons: Sequence[Lesson], span: Span | Cite) -> Lesson | None:
    """The lesson whose passages hold most of the span."""
    held = [(sum(_shared(own, span) for own in lesson.plan.passages), lesson) for lesson in lessons]
    best = max(held, key=lambda one: one[0], default=None)
    return best[1] if best and best[0] else None


def _shared(one: Span | Cite, other: Span | Cite) -> int:
    """How many characters two spans share."""
    return max(0, min(one.end, other.end) - max(one.start, other.start)) if one.source == other.source else 0
