"""The sample logins and the sample course that `scripts/run` shows: made once, continued after a kill."""

from __future__ import annotations

import json
import secrets
import threading
import uuid
from pathlib import Path

from rich.console import Console
from sqlalchemy import select

from service.commands.progress import follow, shown
from service.db.engine import session_scope
from service.db.tables import Course, CourseState, Role, User
from service.domain.course import Brief
from service.pipeline.produce import create_course
from service.ports import Services
from service.settings import ROOT
from service.web.passwords import hash_password

SAMPLES = ROOT / "samples"
LOGINS = (
    ("Maren Okafor", "maren@example.org", Role.INSTRUCTOR),
    ("Tomas Lindqvist", "tomas@example.org", Role.LEARNER),
)
SAMPLE_ID = uuid.UUID("5a3d1c1e-0000-4000-8000-000000000001")


def make_demo(services: Services, console: Console, stop: threading.Event) -> None:
    """Make what is missing of the logins and the sample course, telling progress, and publish it when it is ready."""
    for (_, email, role), password in zip(LOGINS, _logins(services), strict=True):
        console.print(f"  sign in as {role}: {email}  password: {password}", highlight=False)
    with session_scope(services.engine) as session:
        course = session.get(Course, SAMPLE_ID)
        if course is None:
            owner = session.scalars(select(User).where(User.email == LOGINS[0][1])).one()
            paths = sorted(SAMPLES.glob("[0-9]*.md"))
            course = create_course(session, services.storage, owner, _brief(), paths, course_id=SAMPLE_ID, sample=True)
        elif course.state in (CourseState.READY, CourseState.PUBLISHED):
            return
    with shown("Sample course", console) as say:
        follow(services, SAMPLE_ID, say, stop.is_set)
        if stop.is_set():
            return
        say("Every lesson is filmed", 100)
    with session_scope(services.engine) as session:
        session.get_one(Course, SAMPLE_ID).state = CourseState.PUBLISHED


def _brief() -> Brief:
    return Brief(**json.loads((SAMPLES / "brief.json").read_text(encoding="utf-8")))


def _logins(services: Services) -> list[str]:
    """The passwords of the sample logins: drawn once for this installation and kept beside its data."""
    path: Path = services.settings.data_dir / "sample-logins.json"
    kept: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    with session_scope(services.engine) as session:
        for name, email, role in LOGINS:
            user = session.scalar(select(User).where(User.email == email))
            if user is not None and email in kept:
                continue
            kept[email] = secrets.token_urlsafe(12)
            if user is None:
                user = User(id=uuid.uuid4(), email=email, name=name, role=role, password_hash="")
                session.add(user)
            user.password_hash = hash_password(kept[email])
    path.touch(mode=0o600)
    path.write_text(json.dumps(kept), encoding="utf-8")
    return [kept[email] for _, email, _ in LOGINS]
