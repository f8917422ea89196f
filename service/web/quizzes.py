"""The quiz of a lesson: one question at a time, with a reason for every option once it is checked."""

from __future__ import annotations

import random
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.datastructures import FormData

from service.db.queries import newest_media
from service.db.tables import Course, Lesson, QuizAttempt, QuizItem, User
from service.domain.quiz import QuizItem as Item
from service.domain.quiz import grade
from service.errors import BadInput, NotFound
from service.web.deps import Caller, CourseInPath, Database, LessonInPath, Person
from service.web.evidence import Numbers
from service.web.site import render, wants_fragment

router = APIRouter()
QUIZ = "/courses/{course_id:uuid}/lessons/{lesson_id:uuid}/quiz"


@dataclass(frozen=True)
class Question:
    """One question among those of its lesson."""

    course: Course
    lesson: Lesson
    rows: Sequence[QuizItem]
    row: QuizItem

    @property
    def item(self) -> Item:
        return self.row.document

    @property
    def number(self) -> int:
        return self.rows.index(self.row) + 1


@router.get(QUIZ)
def quiz_page(
    request: Request,
    course: CourseInPath,
    lesson: LessonInPath,
    database: Database,
    caller: Caller,
    q: int = 1,
    checked: uuid.UUID | None = None,
) -> Response:
    """One question; with `checked`, the attempt that was just made and what was right."""
    rows = _items(database, lesson.id)
    if not rows:
        return RedirectResponse(f"/courses/{course.id}/lessons/{lesson.id}", 303)
    if q > len(rows):
        latest = _latest(database, rows, caller.person)
        return render(request, "quiz-end.html", course=course, lesson=lesson, rows=rows, latest=latest)
    row = rows[max(q, 1) - 1]
    attempt = None
    if checked is not None and caller.person is not None:
        attempt = database.scalar(
            select(QuizAttempt).where(
                QuizAttempt.id == checked,
                QuizAttempt.user_id == caller.person.id,
                QuizAttempt.quiz_item_id == row.id,
            )
        )
    question = Question(course, lesson, rows, row)
    return _question(request, database, question, caller.person, attempt=attempt)


async def _form(request: Request) -> FormData:
    return await request.form()


@router.post(QUIZ + "/{item_id:uuid}")
def check_answer(
    request: Request,
    item_id: uuid.UUID,
    course: CourseInPath,
    lesson: LessonInPath,
    database: Database,
    person: Person,
    form: Annotated[FormData, Depends(_form)],
) -> Response:
    """Grade an answer and keep the attempt. A short answer is compared first, then graded by its learner."""
    rows = _items(database, lesson.id)
    row = next((one for one in rows if one.id == item_id), None)
    if row is None:
        raise NotFound("There is no such question in this lesson.")
    question = Question(course, lesson, rows, row)
    words = str(form.get("words", ""))[:2000]
    try:
        given = given_answer(row.document, form)
    except BadInput as error:
        return _question(request, database, question, person, problem=str(error), words=words, status=422)
    if given is None:
        return _question(request, database, question, person, words=words, comparing=True)
    attempt = QuizAttempt(
        id=uuid.uuid4(), quiz_item_id=row.id, user_id=person.id, given=list(given), correct=grade(row.document, given)
    )
    database.add(attempt)
    database.flush()
    address = f"/courses/{course.id}/lessons/{lesson.id}/quiz?q={question.number}&checked={attempt.id}"
    return RedirectResponse(address, 303)


def given_answer(item: Item, form: Mapping[str, object]) -> tuple[int, ...] | None:
    """The answer in a form as option indices; None for a short answer that is not graded yet.

    Raises:
        BadInput: nothing was chosen, or an order or a match that names something twice.
    """
    if item.kind == "short":
        return (int(form["answer"] == "1"),) if "answer" in form else None
    if item.kind in ("ordering", "matching"):
        return _arranged(item, form)
    chosen = form.getlist("answer") if isinstance(form, FormData) else [form.get("answer", "")]
    indices = tuple(sorted({_index(item, value) for value in chosen}))
    if not indices:
        raise BadInput("Choose an answer first.")
    return indices


def _arranged(item: Item, form: Mapping[str, object]) -> tuple[int, ...]:
    places = [_index(item, form.get(f"place-{number}", "")) for number in range(len(item.options))]
    if len(set(places)) != len(places):
        raise BadInput("Two of your choices are the same. Use each one once.")
    if item.kind == "matching":
        return tuple(places)
    return tuple(places.index(place) for place in range(len(places)))


def _index(item: Item, value: object) -> int:
    if not isinstance(value, str) or not re.fullmatch(r"\d{1,2}", value) or int(value) >= len(item.options):
        raise BadInput(
            "Choose one for each line first." if item.kind in ("ordering", "matching") else "Choose an answer first."
        )
    return int(value)


def shuffled(item: Item) -> list[int]:
    """The options' indices in an order that gives nothing away and is the same on every view."""
    order = list(range(len(item.options)))
    random.Random(item.id + item.stem).shuffle(order)  # noqa: S311 - an order to show, no secret
    if tuple(order) == item.key and len(order) > 1:
        order = [*order[1:], order[0]]
    return order


def _items(database: Session, lesson_id: uuid.UUID) -> Sequence[QuizItem]:
    return database.scalars(select(QuizItem).where(QuizItem.lesson_id == lesson_id).order_by(QuizItem.position)).all()


def _latest(database: Session, rows: Sequence[QuizItem], person: User | None) -> dict[uuid.UUID, bool]:
    """For each question that the person has answered: whether the newest answer was right."""
    if person is None:
        return {}
    query = (
        select(QuizAttempt.quiz_item_id, QuizAttempt.correct)
        .where(QuizAttempt.user_id == person.id, QuizAttempt.quiz_item_id.in_([row.id for row in rows]))
        .order_by(QuizAttempt.quiz_item_id, QuizAttempt.created_at.desc())
        .distinct(QuizAttempt.quiz_item_id)
    )
    return {item_id: correct for item_id, correct in database.execute(query)}


def _question(
    request: Request,
    database: Session,
    question: Question,
    person: User | None,
    *,
    attempt: QuizAttempt | None = None,
    status: int = 200,
    **state: object,
) -> Response:
    shown: dict[str, object] = {"problem": "", "words": "", "comparing": False, **state}
    missed = attempt is not None and not attempt.correct
    taught_in = _taught_in(database, question)
    return render(
        request,
        "parts/question.html" if wants_fragment(request) else "quiz.html",
        status=status,
        question=question,
        order=shuffled(question.item),
        attempt=attempt,
        given=tuple(attempt.given) if attempt else (),
        latest=_latest(database, question.rows, person),
        numbers=Numbers(question.course.id),
        taught_in=taught_in,
        heard_at=_heard_at(database, question, taught_in) if missed else None,
        shown=shown,
    )


def _taught_in(database: Session, question: Question) -> Lesson:
    """The lesson that taught what the question asks: an earlier one of this course for a review, else its own."""
    try:
        lesson = database.get(Lesson, uuid.UUID(question.item.reviews)) if question.item.reviews else None
    except ValueError:
        lesson = None
    return lesson if lesson is not None and lesson.course_id == question.course.id else question.lesson


def _heard_at(database: Session, question: Question, taught_in: Lesson) -> float | None:
    """The second of the video that says what the question asks, by their common source."""
    media = newest_media(database, [taught_in.id]).get(taught_in.id)
    if media is None:
        return None
    for cue in media.film.cues:
        for said in cue.cites:
            if any(
                said.source == cite.source and said.start < cite.end and said.end > cite.start
                for cite in question.item.cites
            ):
                return cue.start
    return None
