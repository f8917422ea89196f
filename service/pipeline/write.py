"""Writing a lesson: text, then the check of every cite, then storyboard and quiz; the film waits for exactly this."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from service.db import events, jobs
from service.db.engine import session_scope
from service.db.lane import Task
from service.db.plans import read_plan
from service.db.tables import Course, LessonState, Run
from service.db.tables import Lesson as LessonRow
from service.db.tables import QuizItem as QuizItemRow
from service.domain.course import Brief, CoursePlan
from service.domain.lesson import Lesson
from service.domain.quiz import Quiz
from service.domain.revision import LessonDocuments
from service.domain.storyboard import Storyboard
from service.domain.support import judged_lesson
from service.pipeline.authoring import author_for
from service.pipeline.evidence import begun, evidence_of, key_after
from service.pipeline.findings import remembered
from service.pipeline.revisions import record_generated, standing
from service.pipeline.till import authored
from service.pipeline.verify import check_cites
from service.ports import Author, Evidence, Services, Till

if TYPE_CHECKING:
    from hashlib import _Hash


@dataclass(frozen=True)
class Assignment:
    """Everything that one lesson is made from."""

    author: Author
    brief: Brief
    plan: CoursePlan
    lesson_id: str
    number: int
    accent: str
    evidence: Evidence

    @property
    def title(self) -> str:
        return self.plan.lesson(self.lesson_id).title

    @property
    def place(self) -> str:
        """Where the lesson stands, in the instructor's words."""
        return f"lesson {self.number} of {len(self.plan.lessons)}: {self.title}"

    def key(self, *parts: object) -> str:
        """The input key of a step of this lesson."""
        return self.key_in(self.lesson_id, *parts)

    def key_in(self, lesson_id: str, *parts: object) -> str:
        """The input key of a step of another lesson of the course."""
        sources = [source.sha256 for source in self.evidence.sources]
        return key_after(self._begun, lesson_id, sources, *parts)

    @cached_property
    def _begun(self) -> _Hash:
        """What the keys of all lessons begin with."""
        return begun(self.brief, self.plan)


def write_lesson(services: Services, task: Task) -> None:
    """Make text, storyboard and quiz of the lesson that the job names, then let its film begin."""
    lesson_id = task.claim.subject_id
    job = assignment_of(services, task)
    task.commit(lambda session: _mark(session, task, lesson_id, LessonState.WRITING, f"Writing {job.place}"))
    lesson = judged_lesson(_lesson(services, task, job), services.contradiction)
    storyboard = _storyboard(task, job, lesson)
    quiz = _quiz(task, job, lesson)
    task.step(
        "verify",
        job.key(lesson, storyboard, quiz),
        lambda: {"cites": check_cites(lesson, storyboard, quiz, job.evidence.sources)},
        what=f"Checking the cites of {job.place}",
        lesson_id=lesson_id,
    )
    task.commit(lambda session: _keep(session, task, job, lesson, storyboard, quiz))


def assignment_of(services: Services, task: Task) -> Assignment:
    """What the lesson that the job names is made from."""
    with session_scope(services.engine) as session:
        course = session.get_one(Course, task.claim.course_id)
        row = session.get_one(LessonRow, task.claim.subject_id)
        author = author_for(services, course)
        brief, accent, plan, number = course.brief, course.accent, read_plan(session, course.id), row.position
    evidence = evidence_of(services, task.claim.course_id, task)
    return Assignment(author, brief, plan, str(task.claim.subject_id), number, accent, evidence)


def _lesson(services: Services, task: Task, job: Assignment) -> Lesson:
    author, in_key = job.author, job.key(job.author.name)

    def write(till: Till) -> Lesson:
        evidence = remembered(services, job.evidence, in_key, till)
        return author.write(job.brief, job.plan, job.lesson_id, evidence, task.say, till)

    made = authored(
        task,
        "write",
        in_key,
        write,
        what=f"Writing {job.place}",
        lesson_id=task.claim.subject_id,
    )
    return Lesson.model_validate(made)


def _storyboard(task: Task, job: Assignment, lesson: Lesson) -> Storyboard:
    author = job.author

    def draw(till: Till) -> Storyboard:
        made = author.storyboard(job.brief, job.plan, lesson, job.evidence, task.say, till)
        return made.model_copy(update={"course": job.plan.title, "accent": job.accent, "language": job.plan.language})

    made = authored(
        task,
        "storyboard",
        job.key(author.name, lesson, job.accent),
        draw,
        what=f"Storyboarding {job.place}",
        lesson_id=task.claim.subject_id,
    )
    return Storyboard.model_validate(made)


def _quiz(task: Task, job: Assignment, lesson: Lesson) -> Quiz:
    author = job.author
    made = authored(
        task,
        "quiz",
        job.key(author.name, lesson),
        lambda till: author.quiz(job.brief, job.plan, lesson, job.evidence, task.say, till),
        what=f"Setting questions for {job.place}",
        lesson_id=task.claim.subject_id,
    )
    return Quiz.model_validate(made)


def _mark(session: Session, task: Task, lesson_id: uuid.UUID, state: LessonState, what: str) -> None:
    session.execute(update(LessonRow).where(LessonRow.id == lesson_id).values(state=state))
    data = {"what": what, "lesson_id": str(lesson_id), "lesson_state": state.value}
    events.say(session, task.claim.run_id, "lesson", data)


def _keep(session: Session, task: Task, job: Assignment, lesson: Lesson, storyboard: Storyboard, quiz: Quiz) -> None:
    row = session.get_one(LessonRow, task.claim.subject_id, with_for_update=True)
    _remember(session, task, row, LessonDocuments(text=lesson, storyboard=storyboard, quiz=quiz))
    row.text, row.storyboard, row.version = lesson, storyboard, row.version + 1
    session.execute(delete(QuizItemRow).where(QuizItemRow.lesson_id == row.id))
    session.add_all(
        QuizItemRow(id=uuid.uuid5(row.id, f"{row.version}:{item.id}"), lesson_id=row.id, position=n, document=item)
        for n, item in enumerate(quiz.items)
    )
    session.flush()
    _mark(session, task, row.id, LessonState.WRITTEN, f"Written: {job.place}")
    jobs.unblock(session, task.claim.run_id, "film", row.id)


def _remember(session: Session, task: Task, row: LessonRow, made: LessonDocuments) -> None:
    """A lesson that is made anew stays in its history as it was."""
    if row.text is None:
        return
    before = standing(session, row)
    if before != made:
        record_generated(session, row, before, made, session.get_one(Run, task.claim.run_id))
