"""Trials of releases: a smoke is invited, signs up and leaves; what one that was cut short left is cleared away.

A build that is canceled in the middle of its smoke leaves an account, a course and perhaps a run at work. Nobody can
sign in to it any more, because its password was drawn and never kept, so the next release takes it away.
"""

from __future__ import annotations

import re
import uuid
from datetime import timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from service.db import jobs
from service.db.accounts import UNFINISHED, remove_account
from service.db.tables import Invitation, Run, User
from service.errors import BadInput, Conflict

ADDRESS = re.compile(r"^smoke-[a-z0-9-]+@example\.invalid$")  # nobody's: no mail is ever delivered to `.invalid`
OVER_AFTER = timedelta(hours=1)  # the longest that a build may take: `timeout` in cloudbuild.yaml


def refuse_other_address(email: str) -> None:
    """Raises BadInput for an address that `clear_left_over` would not know again."""
    if not ADDRESS.fullmatch(email.strip().lower()):
        raise BadInput(f"{email!r} is no address of a trial. It must be like smoke-NAME@example.invalid.")


def clear_left_over(session: Session) -> list[str]:
    """Remove the accounts of trials that began more than an hour ago, with their courses; a line for each.

    Whatever still works on such a course is asked to stop. An account that cannot go yet is left to the next call.
    """
    long_ago = func.now() - OVER_AFTER
    unused = (Invitation.accepted_at.is_(None), Invitation.created_at < long_ago)
    session.execute(delete(Invitation).where(Invitation.email.regexp_match(ADDRESS.pattern), *unused))
    left = (
        select(User.id, User.email)
        .join(Invitation, Invitation.email == User.email)
        .where(User.email.regexp_match(ADDRESS.pattern), Invitation.accepted_at < long_ago)
        .order_by(User.email)
        .with_for_update(of=User, skip_locked=True)
    )
    return [_clear(session, user_id, email) for user_id, email in session.execute(left).all()]


def _clear(session: Session, user_id: uuid.UUID, email: str) -> str:
    for run_id in session.scalars(select(Run.id).where(Run.owner_id == user_id, UNFINISHED)).all():
        jobs.request_cancel(session, run_id)
    try:
        remove_account(session, user_id)
    except Conflict as error:
        return f"{email}, left by a trial, stays for now: {error}"
    return f"{email}, left by a trial, was removed."
