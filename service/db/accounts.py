"""Taking an account away: what must be settled first, and that everything that names the person goes with it.

Courses go with their owner, and with them what others learnt there; so nothing goes while somebody could still miss it
by surprise: no published course, and no run whose worker would come back to nothing. The ledger stays, by id alone,
and a sentence of somebody else's course that the person signed off stays signed, with the name as it was: those who
learn from it were told who answers for it.
"""

from __future__ import annotations

import uuid

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from service.db.tables import Course, CourseState, Invitation, Run, RunState, User
from service.errors import Conflict

UNFINISHED = or_(Run.state.in_((RunState.ACCEPTED, RunState.RUNNING)), Run.reserved_micro_dollars > 0)


def owned_courses(session: Session, user_id: uuid.UUID) -> int:
    """How many courses go with this account."""
    return session.scalar(select(func.count()).select_from(Course).where(Course.owner_id == user_id)) or 0


def keeps_account(session: Session, user_id: uuid.UUID) -> str:
    """What the person has to settle before the account can go; empty when nothing is in the way."""
    own = select(Course.title).where(Course.owner_id == user_id)
    published = session.scalar(own.where(Course.state == CourseState.PUBLISHED).order_by(Course.title).limit(1))
    if published is not None:
        return f"“{published}” is published, and its learners would lose it. Take it out of the catalogue first."
    begun = select(Course.title).join(Run, Run.course_id == Course.id).where(UNFINISHED)
    working = session.scalar(begun.where(or_(Course.owner_id == user_id, Run.owner_id == user_id)).limit(1))
    if working is not None:
        return f"“{working}” is being worked on. Stop that first, or wait for its end."
    return ""


def remove_account(session: Session, user_id: uuid.UUID) -> None:
    """Take the person away, with sessions, courses, enrolments, progress, answers and the invitation.

    The row is locked first: whoever begins a run of this person in the meantime waits, and finds nobody.

    Raises:
        Conflict: something has to be settled before; the message says what.
    """
    person = session.get_one(User, user_id, with_for_update=True)
    if reason := keeps_account(session, user_id):
        raise Conflict(reason)
    session.execute(delete(Invitation).where(Invitation.email == person.email))
    session.execute(delete(User).where(User.id == user_id))
