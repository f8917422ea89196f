"""What routes may ask for by type: the database for the length of the call, the caller, and what the path names."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException

from service.db import outbox
from service.db.engine import session_scope
from service.db.queries import course_for
from service.db.tables import Course, Lesson, Run, User
from service.errors import NotFound
from service.ports import Services
from service.web.auth import Visitor
from service.web.policy import Who
from service.web.site import rule_of, site_of, visitor_of


def _database(request: Request) -> Iterator[Session]:
    services = site_of(request).services
    with session_scope(services.engine) as session:
        yield session
    if outbox.rang(session):  # now and not after the answer: then Cloud Run takes the processor away
        outbox.try_to_send(services.engine, services.doorbell)


def _services(request: Request) -> Services:
    return site_of(request).services


def _person(request: Request) -> User:
    person = visitor_of(request).person
    if person is None:
        raise HTTPException(401)
    return person


# The transaction ends before the answer is sent: who reads the answer can rely on what it says.
Database = Annotated[Session, Depends(_database, scope="function")]
ServicesDep = Annotated[Services, Depends(_services)]
Caller = Annotated[Visitor, Depends(visitor_of)]
Person = Annotated[User, Depends(_person)]


def course_in_reach(request: Request, course_id: uuid.UUID, database: Database) -> Course:
    """The course in the path, for a route that opens its own sessions.

    Raises:
        NotFound: this person may not see it, or not change it where the row says OWNER.
        HTTPException: 401, it may be theirs once they sign in.
    """
    write = rule_of(request).who is Who.OWNER
    person = visitor_of(request).person
    try:
        return course_for(database, person, course_id, write=write)
    except NotFound:
        if person is None:
            raise HTTPException(401) from None
        raise


CourseInPath = Annotated[Course, Depends(course_in_reach)]


def _lesson(lesson_id: uuid.UUID, course: CourseInPath, database: Database) -> Lesson:
    lesson = database.scalar(select(Lesson).where(Lesson.id == lesson_id, Lesson.course_id == course.id))
    if lesson is None:
        raise NotFound("There is no such lesson in this course.")
    return lesson


LessonInPath = Annotated[Lesson, Depends(_lesson)]


def _run(run_id: uuid.UUID, course: CourseInPath, database: Database) -> Run:
    run = database.scalar(select(Run).where(Run.id == run_id, Run.course_id == course.id))
    if run is None:
        raise NotFound("There is no such run in this course.")
    return run


RunInPath = Annotated[Run, Depends(_run)]
