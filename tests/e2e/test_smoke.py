"""The smoke of a release against a whole site that is by invitation: it uses all of it and leaves nothing behind."""

from __future__ import annotations

import secrets
import subprocess
import sys
import uuid
from collections.abc import Iterator

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.db.engine import session_scope
from service.db.invitations import hash_secret, invite
from service.db.tables import Course, Invitation, Role, User
from service.settings import ROOT
from tests.e2e.running_site import RunningSite


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    folder = tmp_path_factory.mktemp("smoke") / f"var-{uuid.uuid4().hex[:8]}"
    running = RunningSite(folder, SPEECH="silent:", SIGNUP="invite")
    yield running
    assert running.stop() == 0


def smoke(site: RunningSite, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """As the release runs it, with Python alone."""
    command = [sys.executable, "-S", str(ROOT / "scripts" / "smoke"), site.url, *options]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=180)


def invitation(site: RunningSite) -> str:
    secret = secrets.token_hex(32)
    with site.database() as engine, session_scope(engine) as session:
        invite(session, "smoke-1@example.invalid", Role.INSTRUCTOR, hash_secret(secret))
    return secret


def left_behind(site: RunningSite) -> int:
    def count(session: Session, table: type[User | Course | Invitation]) -> int:
        return session.scalar(select(func.count()).select_from(table)) or 0

    with site.database() as engine, session_scope(engine) as session:
        return sum(count(session, table) for table in (User, Course, Invitation))


def test_an_invited_smoke_films_a_course_and_leaves_nothing_behind(site: RunningSite) -> None:
    done = smoke(site, "--minutes", "2", SMOKE_INVITATION=invitation(site))
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "it is an MP4" in done.stdout
    assert left_behind(site) == 0


def test_a_smoke_that_fails_says_why_first_and_still_leaves_nothing_behind(site: RunningSite) -> None:
    done = smoke(site, "--minutes", "0", SMOKE_INVITATION=invitation(site))
    assert done.returncode == 1
    assert "not within 0 s" in done.stderr.splitlines()[0]
    assert "and then" not in done.stderr
    assert left_behind(site) == 0


def test_a_wrong_invitation_is_a_failure_and_none_at_all_is_said(site: RunningSite) -> None:
    wrong = smoke(site, SMOKE_INVITATION="0" * 64)
    assert (wrong.returncode, "the invitation opens no door" in wrong.stderr) == (1, True)
    without = smoke(site)
    assert (without.returncode, "ONLY THE DOORS WERE TRIED" in without.stdout) == (0, True)
