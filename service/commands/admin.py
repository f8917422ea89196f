"""`coursewright admin`: what an operator does by hand: invite people, look at work that stopped, and let it go on."""

from __future__ import annotations

import uuid
from argparse import Namespace
from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.commands.arguments import parser
from service.db import jobs, money, trials
from service.db.engine import session_scope
from service.db.invitations import hash_secret, invite, new_secret
from service.db.tables import Job, JobState, Role, Run, RunState
from service.errors import NotFound
from service.settings import Settings, load_settings

Act = Callable[[Session, Settings, Namespace], list[str]]


def main(argv: list[str]) -> int:
    """Do one thing to the database of DATABASE_URL, in one transaction, and say what was done."""
    given = _options(argv)
    from service.adapters.database import beside_the_site, open_engine
    from service.db.migrate import upgrade

    settings = load_settings()
    with open_engine(beside_the_site(settings)) as engine:
        if not settings.production:
            upgrade(engine)
        with session_scope(engine) as session:
            said = ACTS[given.what](session, settings, given)
    print("\n".join(said))
    return 0


def _options(argv: list[str]) -> Namespace:
    options = parser("admin", "Invite people, and look after work that stopped.")
    acts = options.add_subparsers(dest="what", required=True)
    one = acts.add_parser("invite", help="make a link with which one person signs up, once, within seven days")
    one.add_argument("email")
    one.add_argument("--role", choices=[role.value for role in Role], default=Role.INSTRUCTOR.value)
    one.add_argument("--secret-hash", default="", help="of a secret that was drawn elsewhere; then no link is printed")
    one.add_argument(
        "--trial", action="store_true", help="for a release's smoke; what earlier ones left is removed first"
    )
    acts.add_parser("jobs", help="jobs that are dead, runs that are paused, and why")
    one = acts.add_parser("redrive", help="give a dead job all its attempts again")
    one.add_argument("job", type=uuid.UUID)
    one = acts.add_parser("resume", help="let a paused run go on")
    one.add_argument("run", type=uuid.UUID)
    one = acts.add_parser("stop-spending", help="stop all work until allow-spending; the site stays readable")
    one.add_argument("reason", nargs="?", default="an administrator stopped it", help="what people are told")
    acts.add_parser("allow-spending", help="end the stop that the budget or an operator caused")
    return options.parse_args(argv)


def _invite(session: Session, settings: Settings, given: Namespace) -> list[str]:
    cleared = []
    if given.trial:
        trials.refuse_other_address(given.email)
        cleared = trials.clear_left_over(session)
    secret = new_secret()
    row = invite(session, given.email, Role(given.role), given.secret_hash or hash_secret(secret))
    until = f"{row.email} may sign up as {row.role} until {row.expires_at:%Y-%m-%d %H:%M} UTC, once."
    if given.secret_hash:
        return [*cleared, until]
    site = settings.public_url or f"http://{settings.bind}:{settings.port}"
    link = f"{site}/sign-up?invitation={secret}"
    return [*cleared, until, link, "The link is shown only now; nobody can look it up again."]


def _jobs(session: Session, _settings: Settings, _given: Namespace) -> list[str]:
    said = [f"spending: {why}" for why in [money.spending_stopped(session)] if why]
    paused = select(Run).where(Run.paused_because != "", Run.state.in_((RunState.ACCEPTED, RunState.RUNNING)))
    for run in session.scalars(paused.order_by(Run.created_at)):
        said.append(f"paused  run {run.id}  {run.kind}: {run.paused_because}")
    for job in session.scalars(select(Job).where(Job.state == JobState.DEAD).order_by(Job.finished_at)):
        said.append(f"dead    job {job.id}  {job.lane}/{job.kind}, {job.attempt} attempts: {job.error}")
    return said or ["Nothing is dead, paused or stopped."]


def _redrive(session: Session, settings: Settings, given: Namespace) -> list[str]:
    job = jobs.redrive(session, given.job, settings.caps)
    return [f"Job {job.id} ({job.lane}/{job.kind}) is tried again."]


def _resume(session: Session, _settings: Settings, given: Namespace) -> list[str]:
    if session.get(Run, given.run) is None:
        raise NotFound(f"There is no run {given.run}. `coursewright admin jobs` lists those that are paused.")
    if not jobs.resume(session, given.run):
        return [f"Run {given.run} was not paused; nothing was changed."]
    return [f"Run {given.run} goes on."]


def _stop_spending(session: Session, _settings: Settings, given: Namespace) -> list[str]:
    money.stop_spending(session, given.reason)
    return ["No job is begun any more, and workers give theirs back. `coursewright admin allow-spending` ends this."]


def _allow_spending(session: Session, _settings: Settings, _given: Namespace) -> list[str]:
    if not money.allow_spending(session):
        return ["Spending was not stopped; nothing was changed."]
    return ["Spending is allowed again."]


ACTS: dict[str, Act] = {
    "invite": _invite,
    "jobs": _jobs,
    "redrive": _redrive,
    "resume": _resume,
    "stop-spending": _stop_spending,
    "allow-spending": _allow_spending,
}
