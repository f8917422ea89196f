"""Random histories with stale tokens: the rules hold in whatever order workers, deaths, stops and retries come."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from service.db import jobs, steps
from service.db.jobs import ENDED, Claim
from service.db.steps import Finished, Spending
from service.db.tables import Job, Run
from service.errors import Conflict, CoursewrightError, Fenced
from tests.engine.desk import AT_ONCE, Desk

FINAL = ("succeeded", "canceled")
OPEN = ("blocked", "queued", "running")


class Engine_(RuleBasedStateMachine):  # noqa: N801 - the name that Hypothesis prints
    database: Engine
    late_writes = 0

    def __init__(self) -> None:
        super().__init__()
        with self.database.begin() as connection:
            connection.execute(text("DELETE FROM users"))  # and with them all that is theirs
        self.desk = Desk(self.database)
        self.run_id = self.desk.run()
        self.tokens: list[Claim] = []
        self.epochs: dict[uuid.UUID, int] = {}
        self.ended: dict[uuid.UUID, str] = {}
        self.percent = 0
        for subject in range(2):
            self.desk.enqueue(self.run_id, subject_id=uuid.UUID(int=subject), units=2)
        self.claim("a")

    @rule(subject=st.integers(0, 2), units=st.integers(1, 3))
    def enqueue(self, subject: int, units: int) -> None:
        try:
            self.desk.enqueue(self.run_id, subject_id=uuid.UUID(int=subject), units=units)
        except CoursewrightError:
            assert self.desk.scalar("SELECT cancel_requested OR state IN ('succeeded', 'failed', 'canceled') FROM runs")

    @rule(worker=st.sampled_from("ab"))
    def claim(self, worker: str) -> None:
        held = self.desk.claim(worker)
        if held is not None:
            assert held.epoch > self.epochs.get(held.job_id, 0), "the epoch must grow"
            assert held.attempt <= held.max_attempts
            self.epochs[held.job_id] = held.epoch
            self.tokens.append(held)

    @rule()
    def a_worker_is_taken_for_dead_and_replaced(self) -> None:
        self.desk.lease_runs_out()
        self.claim("b")

    @precondition(lambda self: self.tokens)
    @rule(data=st.data(), name=st.sampled_from(["one", "two"]))
    def checkpoint(self, data: st.DataObject, name: str) -> None:
        step = Finished(name, "key", "1", 1, (Spending("tokens", 1, "token", 5),))
        self._write(data, lambda session, held: steps.checkpoint(session, held, step, 60.0, {"what": "Working"}))

    @precondition(lambda self: self.tokens)
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        self._write(data, jobs.finish)

    @precondition(lambda self: self.tokens)
    @rule(data=st.data(), retryable=st.booleans())
    def fail(self, data: st.DataObject, retryable: bool) -> None:
        self._write(data, lambda s, held: jobs.fail(s, held, "broken", retryable=retryable, backoff=AT_ONCE))

    @precondition(lambda self: self.tokens)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        self._write(data, jobs.release)

    @precondition(lambda self: self.tokens)
    @rule(data=st.data(), to=st.integers(0, 4))
    def advance(self, data: st.DataObject, to: int) -> None:
        self._write(data, lambda session, held: jobs.advance(session, held, to))

    @precondition(lambda self: self.epochs)
    @rule(data=st.data())
    def redrive(self, data: st.DataObject) -> None:
        job_id = data.draw(st.sampled_from(list(self.epochs)))  # claimed first, first: ids are random
        with contextlib.suppress(Conflict):
            self.epochs[job_id] = self.desk.do(lambda session: jobs.redrive(session, job_id)).epoch

    @rule(often=st.integers(0, 19))
    def cancel(self, often: int) -> None:
        if often == 0:
            self.desk.do(lambda session: jobs.request_cancel(session, self.run_id))

    def _write(self, data: st.DataObject, write: Callable[[Any, Claim], Any]) -> None:
        held = data.draw(st.sampled_from(self.tokens))
        now = self.desk.job(held.job_id)
        holds = now.epoch == held.epoch and now.state == "running"
        type(self).late_writes += not holds
        try:
            self.desk.do(lambda session: write(session, held))
            accepted = True
        except Fenced:
            accepted = False
        assert accepted == holds, "exactly the holder may write"

    @invariant()
    def the_rules_hold(self) -> None:
        self.desk.do(self._look)

    def _look(self, session: Session) -> None:
        run = session.get_one(Run, self.run_id)
        rows = session.scalars(select(Job)).all()
        for job in rows:
            assert self.ended.get(job.id, job.state) == job.state, "what has ended stays as it is"
            if job.state in FINAL:
                self.ended[job.id] = job.state
        assert run.percent >= self.percent, "the percentage never falls"
        self.percent = run.percent
        assert run.done == sum(job.done for job in rows)
        assert run.units == sum(job.units for job in rows)
        over = not any(job.state in OPEN for job in rows) and (bool(rows) or run.cancel_requested)
        assert (run.state in ENDED) == over, "a run ends with its last job, and not before"
        steps, ledger = session.execute(
            text("SELECT (SELECT count(*) FROM steps), (SELECT count(*) FROM ledger)")
        ).one()
        assert steps == ledger, "every step is paid once"
        numbers = session.scalars(text("SELECT seq FROM events ORDER BY seq")).all()
        assert numbers == list(range(1, run.seq + 1)), "events are numbered without a gap"


@pytest.fixture
def machine(engine: Engine) -> Iterator[type[Engine_]]:
    Engine_.database = engine
    Engine_.late_writes = 0
    yield Engine_


def test_no_history_breaks_the_rules(machine: type[Engine_]) -> None:
    few = settings(
        max_examples=20,
        stateful_step_count=25,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=few)
    assert machine.late_writes >= 50, "hardly any late write was tried: the test is blind"
