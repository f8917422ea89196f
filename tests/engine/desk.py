"""The engine as its tests use it: a course to work on, and every call in a committed transaction of its own."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from service.db import jobs
from service.db.backoff import Backoff
from service.db.engine import transaction
from service.db.events import events_after
from service.db.jobs import Claim
from service.db.tables import Course, CourseState, Event, Job, Lesson, LessonState, Module, Role, Run, RunKind, User
from service.domain.course import Brief, LessonPlan

T = TypeVar("T")
AT_ONCE = Backoff(base=0.0, cap=0.0)


class Desk:
    """The engine as a test uses it: every call is one committed transaction."""

    lease_seconds = 60.0

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.owner_id, self.course_id, self.module_id = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
        with Session(engine) as session, session.begin():
            session.add(User(id=self.owner_id, email="ada@example.org", name="Ada", password_hash="!", role=Role.ADMIN))
            session.flush()
            session.add(Course(id=self.course_id, owner_id=self.owner_id, title="Knots", brief=Brief(title="Knots")))
            session.flush()
            session.add(Module(id=self.module_id, course_id=self.course_id, position=1, title="First"))

    def do(self, work: Callable[[Session], T]) -> T:
        return transaction(self.engine, work)

    def run(self, kind: RunKind = RunKind.GENERATE) -> uuid.UUID:
        def add(session: Session) -> uuid.UUID:
            run = Run(
                id=uuid.uuid4(), course_id=self.course_id, owner_id=self.owner_id, kind=kind, idem_key=uuid.uuid4().hex
            )
            session.add(run)
            session.get_one(Course, self.course_id).state = CourseState.GENERATING
            return run.id

        return self.do(add)

    def lesson(self, position: int = 1) -> uuid.UUID:
        def add(session: Session) -> uuid.UUID:
            lesson = Lesson(
                id=uuid.uuid4(),
                course_id=self.course_id,
                module_id=self.module_id,
                position=position,
                title=f"Lesson {position}",
                plan=LessonPlan(id=str(position), title=f"Lesson {position}"),
                state=LessonState.QUEUED,
            )
            session.add(lesson)
            return lesson.id

        return self.do(add)

    def enqueue(self, run_id: uuid.UUID, **columns: Any) -> uuid.UUID:
        columns = {"kind": "write", "lane": "author", "subject_id": uuid.uuid4(), **columns}
        return self.do(lambda session: jobs.enqueue(session, run_id, **columns).id)

    def claim(self, worker: str = "w", lane: str = "author") -> Claim | None:
        return self.do(lambda session: jobs.claim(session, lane, worker, self.lease_seconds))  # type: ignore[arg-type]

    def claimed(self, worker: str = "w", lane: str = "author") -> Claim:
        found = self.claim(worker, lane)
        assert found is not None, "there was nothing to claim"
        return found

    def lease_runs_out(self) -> None:
        self.do(lambda s: s.execute(text("UPDATE jobs SET lease_until = now() - interval '1 s' WHERE state='running'")))

    def job(self, job_id: uuid.UUID) -> Job:
        return self.do(lambda session: session.get_one(Job, job_id))

    def run_row(self, run_id: uuid.UUID) -> Run:
        return self.do(lambda session: session.get_one(Run, run_id))

    def events(self, run_id: uuid.UUID) -> list[Event]:
        return self.do(lambda session: list(events_after(session, run_id, 0, 1000)))

    def scalar(self, query: str, **given: Any) -> Any:
        return self.do(lambda session: session.scalar(text(query), given))
