"""The outbox: what is committed is rung for at least once, whoever sends it and whoever dies on the way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from service.adapters.doorbell import NoDoorbell
from service.db import jobs, outbox
from service.domain.ring import Ring
from service.errors import Unavailable
from service.settings import ROOT
from tests.engine.desk import Desk
from tests.pipeline.cloud import Bell


@pytest.fixture
def desk(engine: Engine) -> Desk:
    return Desk(engine)


@pytest.fixture
def bell() -> Bell:
    return Bell()


def unsent(desk: Desk) -> int:
    return int(desk.scalar("SELECT count(*) FROM outbox WHERE sent_at IS NULL"))


def change(desk: Desk, statement: str, **given: object) -> None:
    desk.do(lambda session: session.execute(text(statement), given))


def test_a_committed_ring_is_sent_once_and_says_what_it_is_about(desk: Desk, bell: Bell) -> None:
    run = desk.run()
    desk.enqueue(run)
    event = desk.scalar("SELECT id FROM outbox")
    assert outbox.send(desk.engine, bell) == 1
    assert outbox.send(desk.engine, bell) == 0
    assert bell.rings == [(Ring(event_id=event, lane="author", run_id=run), "")]
    assert unsent(desk) == 0


def test_a_ring_carries_the_trace_of_its_run(desk: Desk, bell: Bell) -> None:
    run = desk.run()
    change(desk, "UPDATE runs SET trace_parent = '00-aa-bb-01'")
    desk.enqueue(run)
    outbox.send(desk.engine, bell)
    assert [trace for _, trace in bell.rings] == ["00-aa-bb-01"]


def test_a_ring_whose_run_is_gone_is_sent_all_the_same(desk: Desk, bell: Bell) -> None:
    desk.enqueue(desk.run())
    change(desk, "DELETE FROM runs")
    assert outbox.send(desk.engine, bell) == 1
    assert unsent(desk) == 0


def test_the_rings_of_a_lane_go_as_one_message(desk: Desk, bell: Bell) -> None:
    runs = [desk.run() for _ in range(3)]
    for run in runs:
        desk.enqueue(run)
        desk.enqueue(run, kind="film", lane="render")
    assert outbox.send(desk.engine, bell) == 6
    assert sorted(bell.lanes) == ["author", "render"]
    assert unsent(desk) == 0


def test_what_is_not_accepted_stays_unsent(desk: Desk, bell: Bell) -> None:
    run = desk.run()
    desk.enqueue(run)
    desk.enqueue(run, kind="film", lane="render")
    bell.deaf_to = {"render"}
    with pytest.raises(Unavailable):
        outbox.send(desk.engine, bell)
    assert bell.lanes == ["author"]
    assert desk.scalar("SELECT payload ->> 'lane' FROM outbox WHERE sent_at IS NULL") == "render"
    bell.deaf_to = set()
    assert outbox.send(desk.engine, bell) == 1
    assert bell.lanes == ["author", "render"]


def test_a_ring_that_commits_after_a_later_one_was_sent_is_not_missed(desk: Desk, bell: Bell) -> None:
    slow, quick = desk.run(), desk.run()
    with Session(desk.engine) as session, session.begin():
        jobs.enqueue(session, slow, kind="write", lane="author", subject_id=uuid.uuid4())
        desk.enqueue(quick)
        assert outbox.send(desk.engine, bell) == 1
    assert outbox.send(desk.engine, bell) == 1
    assert {ring.run_id for ring, _ in bell.rings} == {slow, quick}


def test_a_ring_that_nobody_understands_holds_up_no_other(desk: Desk, bell: Bell) -> None:
    change(desk, "INSERT INTO outbox (id, key, payload) VALUES (gen_random_uuid(), 'a', CAST(:p AS jsonb))", p="{}")
    desk.enqueue(desk.run())
    assert outbox.send(desk.engine, bell) == 2
    assert bell.lanes == ["author"]
    assert unsent(desk) == 0


def test_work_that_is_rolled_back_rings_nobody(desk: Desk, bell: Bell) -> None:
    run = desk.run()
    with Session(desk.engine) as session:
        jobs.enqueue(session, run, kind="write", lane="author", subject_id=uuid.uuid4())
        assert outbox.rang(session)
        session.rollback()
    assert outbox.send(desk.engine, bell) == 0
    assert not bell.rings


def test_two_senders_at_once_do_not_send_the_same(desk: Desk, bell: Bell) -> None:
    desk.enqueue(desk.run())
    bell.busy = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(outbox.send, desk.engine, bell)
        assert bell.entered.wait(30)
        assert outbox.send(desk.engine, Bell()) == 0
        bell.busy.set()
        assert first.result(30) == 1
    assert len(bell.rings) == 1


def test_a_batch_is_bounded_and_the_oldest_go_first(desk: Desk, bell: Bell) -> None:
    runs = [desk.run() for _ in range(5)]
    for run in runs:
        desk.enqueue(run)
    assert outbox.send(desk.engine, bell, limit=2) == 2
    assert outbox.send(desk.engine, bell, limit=2) == 2
    assert [ring.run_id for ring, _ in bell.rings] == [runs[0], runs[2]]
    assert unsent(desk) == 1


DIES_BETWEEN = """
import os, signal, sys, uuid
from sqlalchemy import create_engine
from service.db import jobs, outbox
from service.db.engine import session_scope

class Deadly:
    heard = True
    def ring(self, ring, *, trace_parent="", patience_seconds=2.0):
        if sys.argv[3] == "published":
            print("published", flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

engine = create_engine(sys.argv[1])
with session_scope(engine) as session:
    jobs.enqueue(session, uuid.UUID(sys.argv[2]), kind="write", lane="author", subject_id=uuid.uuid4())
outbox.send(engine, Deadly())
"""


@pytest.mark.parametrize("moment", ["committed", "published"])
def test_a_sender_killed_after_the_commit_loses_nothing(desk: Desk, bell: Bell, database: str, moment: str) -> None:
    run = desk.run()
    done = subprocess.run(
        [sys.executable, "-c", DIES_BETWEEN, database, str(run), moment],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert unsent(desk) == 1

    def sent() -> bool:  # the server notices the death of its client a moment later
        return outbox.send(desk.engine, bell) == 1

    for _ in range(300):
        if sent():
            break
        threading.Event().wait(0.1)
    assert [ring.run_id for ring, _ in bell.rings] == [run]
    assert unsent(desk) == 0


def test_trying_to_send_never_raises_and_asks_nobody_where_nobody_hears(desk: Desk, bell: Bell) -> None:
    desk.enqueue(desk.run())
    outbox.try_to_send(desk.engine, NoDoorbell())
    assert unsent(desk) == 1
    bell.deaf_to = {"author"}
    outbox.try_to_send(desk.engine, bell)
    assert unsent(desk) == 1
    bell.deaf_to = set()
    outbox.try_to_send(desk.engine, bell)
    assert unsent(desk) == 0


def test_only_what_was_sent_long_ago_is_removed(desk: Desk, bell: Bell) -> None:
    for run in (desk.run(), desk.run()):
        desk.enqueue(run)
    outbox.send(desk.engine, bell)
    desk.enqueue(desk.run())
    change(desk, "UPDATE outbox SET created_at = now() - interval '9 days'")
    oldest = "SELECT id FROM outbox WHERE sent_at IS NOT NULL ORDER BY id LIMIT 1"
    change(desk, f"UPDATE outbox SET sent_at = now() - interval '8 days' WHERE id = ({oldest})")
    assert desk.do(outbox.prune) == 1
    assert desk.do(outbox.prune) == 0
    assert (unsent(desk), desk.scalar("SELECT count(*) FROM outbox")) == (1, 2)
