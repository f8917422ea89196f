"""What an operator does by hand, by its command line on a real database."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, select
from sqlalchemy.orm import Session

from service.__main__ import main
from service.adapters.embedded_postgres import EmbeddedPostgres
from service.db import jobs, money
from service.db.invitations import hash_secret, open_invitation
from service.db.tables import Invitation, Job, JobState
from service.settings import ROOT
from tests.engine.desk import Desk

HASH = hash_secret("a secret that was drawn on the operator's machine")


@pytest.fixture(autouse=True)
def _environment(database: str, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.setenv("PUBLIC_URL", "https://courses.test")


@pytest.fixture
def desk(engine: Engine) -> Desk:
    return Desk(engine)


def said(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert main(["admin", *arguments]) == code
    captured = capsys.readouterr()
    return captured.err if code else captured.out


def test_an_invitation_prints_its_link_once_and_keeps_the_hash(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    out = said(capsys, "invite", " Ada@Example.org", "--role", "admin")
    found = re.search(r"https://courses\.test/sign-up\?invitation=([\w-]{43})\n", out)
    assert found, out
    with Session(engine) as session:
        row = open_invitation(session, found[1])
        assert (row.email, row.role) == ("ada@example.org", "admin")
        assert found[1] not in row.secret_hash
    assert "ada@example.org may sign up as admin until" in out


def test_with_a_hash_from_elsewhere_nothing_secret_is_printed(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    out = said(capsys, "invite", "ada@example.org", "--secret-hash", HASH)
    assert "invitation=" not in out
    with Session(engine) as session:
        assert session.scalars(select(Invitation.secret_hash)).one() == HASH


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("invite", "nobody"), "is not an email address"),
        (("invite", "ada@example.org"), "has an account already"),
        (("invite", "b@example.org", "--secret-hash", "abc"), "64 hexadecimal digits"),
        (("invite", "b@example.org", "--role", "king"), "invalid choice"),
        (("redrive", str(uuid.uuid4())), "no such job"),
        (("resume", str(uuid.uuid4())), "There is no run"),
        (("redrive", "7"), "invalid UUID value"),
        ((), "required"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    desk: Desk, arguments: tuple[str, ...], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    err = said(capsys, *arguments, code=2)
    assert says in err
    assert err.count("\n") == 1


def dead_job(desk: Desk, error: str) -> tuple[uuid.UUID, uuid.UUID]:
    run_id = desk.run()
    job_id = desk.enqueue(run_id)
    claim = desk.claimed()
    desk.do(lambda session: jobs.fail(session, claim, error, retryable=False))
    return run_id, job_id


def test_what_stopped_is_listed_with_its_reason(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "jobs") == "Nothing is dead, paused or stopped.\n"
    _, job_id = dead_job(desk, "The page has no text.")
    paused = desk.run()
    desk.enqueue(paused)
    desk.do(lambda session: jobs.pause(session, paused, "The month's cap is reached."))
    desk.do(lambda session: money.stop_spending(session, "The budget is spent."))
    out = said(capsys, "jobs")
    assert f"dead    job {job_id}  author/write, 1 attempts: The page has no text." in out
    assert f"paused  run {paused}  generate: The month's cap is reached." in out
    assert "spending: " in out
    assert "The budget is spent" in out


def test_a_dead_job_is_tried_again(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    _, job_id = dead_job(desk, "It broke.")
    assert "is tried again" in said(capsys, "redrive", str(job_id))
    with Session(desk.engine) as session:
        assert session.get_one(Job, job_id).state == JobState.QUEUED
    assert "Only a dead job" in said(capsys, "redrive", str(job_id), code=2)


def test_a_paused_run_goes_on(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    run_id = desk.run()
    desk.enqueue(run_id)
    desk.do(lambda session: jobs.pause(session, run_id, "Somebody looks."))
    assert desk.claim() is None
    assert "goes on" in said(capsys, "resume", str(run_id))
    assert desk.claim() is not None
    assert "was not paused" in said(capsys, "resume", str(run_id))


def test_spending_is_stopped_and_allowed_again(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert "allow-spending" in said(capsys, "stop-spending", "a key was stolen")
    assert "stopped: a key was stolen." in said(capsys, "jobs")
    desk.enqueue(desk.run())
    assert desk.claim() is None
    assert "allowed again" in said(capsys, "allow-spending")
    assert desk.claim() is not None
    assert "was not stopped" in said(capsys, "allow-spending")


def test_somebody_is_invited_while_the_site_of_this_machine_runs(tmp_path: Path) -> None:
    """The site owns the embedded database; the command uses the server that runs, and leaves it as it was."""
    plain = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "DATA_DIR": str(tmp_path), "DATABASE_URL": "embedded:"}
    command = [sys.executable, "-m", "service", "admin", "invite", "ada@example.org"]

    def invited() -> str:
        done = subprocess.run(command, cwd=ROOT, env=plain, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        [secret] = re.findall(r"/sign-up\?invitation=([\w-]{43})\n", done.stdout)
        return secret

    with EmbeddedPostgres(tmp_path / "postgres", durable=False) as site:
        pid, secret = site.pid, invited()
        assert site.pid == pid
        with Session(create_engine(site.url)) as session:
            assert open_invitation(session, secret).email == "ada@example.org"
    assert invited() != secret, "with the site stopped the command starts a server of its own"
