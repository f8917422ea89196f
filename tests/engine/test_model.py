"""Random histories with stale tokens: the rules hold in whatever order workers, deaths, stops, pauses, payments and
retries come. It prints how often each hazard really occurred, and fails when one never did.
"""

from __future__ import annotations

import contextlib
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from service.db import jobs, money, steps
from service.db.jobs import ENDED, Claim
from service.db.steps import Finished
from service.db.tables import Job, Run
from service.domain.money import Caps, Spending
from service.errors import Conflict, CoursewrightError, Fenced, OverBudget, Paused
from tests.engine.desk import AT_ONCE, Desk

FINAL = ("succeeded", "canceled")
OPEN = ("blocked", "queued", "running")
CAPS = Caps(site_month=60, user_month=60, user_day=60)
ESTIMATE = 30
HAZARDS = (
    "late write refused",
    "lease ran out",
    "claim while paused",
    "claim while all spending is stopped",
    "job rested",
    "job set aside",
    "reservation refused",
    "paid more than was held",
    "next step refused",
    "reservation given back at the end",
    "redriven",
    "canceled",
)


class Engine_(RuleBasedStateMachine):  # noqa: N801 - the name that Hypothesis prints
    database: Engine
    seen: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        with self.database.begin() as connection:
            connection.execute(text("DELETE FROM users"))  # and with them all that is theirs but the books
            connection.execute(text("TRUNCATE budgets, ledger, switches"))
        self.desk = Desk(self.database)
        self.run_id = self.desk.run()
        self.tokens: list[Claim] = []
        self.epochs: dict[uuid.UUID, int] = {}
        self.ended: dict[uuid.UUID, str] = {}
        self.percent = 0
        self.paid: dict[tuple[uuid.UUID, str], int] = {}
        self.rivals: list[uuid.UUID] = []
        self.hold(self.run_id, ESTIMATE)
        for subject in range(2):
            self.desk.enqueue(self.run_id, subject_id=uuid.UUID(int=subject), units=2)
        self.claim("a")

    @rule(subject=st.integers(0, 2), units=st.integers(1, 3))
    def enqueue(self, subject: int, units: int) -> None:
        try:
            self.desk.enqueue(self.run_id, subject_id=uuid.UUID(int=subject), units=units)
        except CoursewrightError:
            run = self.desk.run_row(self.run_id)
            assert run.cancel_requested or run.state in ENDED

    @rule(worker=st.sampled_from("ab"))
    def claim(self, worker: str) -> None:
        run = self.desk.run_row(self.run_id)
        held = self.desk.claim(worker)
        if run.paused_because:
            self.seen["claim while paused"] += 1
            assert held is None, "a paused run's jobs wait"
        if self.desk.do(money.spending_stopped) is not None:
            self.seen["claim while all spending is stopped"] += 1
            assert held is None, "nothing is claimed while all spending is stopped"
        if held is not None:
            assert held.epoch > self.epochs.get(held.job_id, 0), "the epoch must grow"
            assert held.attempt <= held.max_attempts
            self.epochs[held.job_id] = held.epoch
            self.tokens.append(held)

    @rule()
    def a_worker_is_taken_for_dead_and_replaced(self) -> None:
        self.seen["lease ran out"] += self.desk.scalar("SELECT count(*) FROM jobs WHERE state = 'running'")
        self.desk.lease_runs_out()
        self.claim("b")

    @precondition(lambda self: self.tokens)
    @rule(data=st.data(), name=st.sampled_from(["one", "two"]), price=st.sampled_from([0, 8, 50]))
    def checkpoint(self, data: st.DataObject, name: str, price: int) -> None:
        self._pay(self._token(data), name, price)

    @rule(price=st.sampled_from([0, 8, 50]), end=st.sampled_from(["finishes", "dies", "goes on"]))
    def a_worker_does_a_paid_step(self, price: int, end: str) -> None:
        claimed = len(self.tokens)
        self.claim("a")
        if len(self.tokens) > claimed:
            self._pay(self.tokens[-1], "one", price)
            self.the_next_step_asks_whether_it_may_begin()
            if end == "finishes":
                self._write(self.tokens[-1], jobs.finish)
            elif end == "dies":
                self._write(self.tokens[-1], lambda s, held: jobs.fail(s, held, "broken", retryable=False))

    def _pay(self, held: Claim, name: str, price: int) -> None:
        step = Finished(name, "key", "1", 1, (Spending("tokens", 1, "token", price),))
        left = self.desk.run_row(self.run_id).reserved_micro_dollars
        paid = self._write(held, lambda s, held: steps.checkpoint(s, held, step, 60.0, {"what": "Working"}))
        if paid and (held.job_id, name) not in self.paid:
            self.paid[held.job_id, name] = price
            self.seen["paid more than was held"] += price > left

    @precondition(lambda self: self.tokens)
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        self._write(self._token(data), jobs.finish)

    @precondition(lambda self: self.tokens)
    @rule(data=st.data(), retryable=st.booleans())
    def fail(self, data: st.DataObject, retryable: bool) -> None:
        self._write(
            self._token(data), lambda s, held: jobs.fail(s, held, "broken", retryable=retryable, backoff=AT_ONCE)
        )

    @precondition(lambda self: self.tokens)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        self._write(self._token(data), jobs.release)

    @precondition(lambda self: self.tokens)
    @rule(data=st.data())
    def rest(self, data: st.DataObject) -> None:
        held = self._token(data)
        if self._write(held, lambda s, held: jobs.release(s, held, error="It rests.", rest_seconds=3600.0)):
            self.seen["job rested"] += 1
            assert self.desk.job(held.job_id).attempt == held.attempt - 1, "a rest uses no attempt"

    @rule()
    def rests_are_over(self) -> None:
        self.desk.do(lambda session: session.execute(text("UPDATE jobs SET run_after = now() WHERE state = 'queued'")))

    @precondition(lambda self: self.tokens)
    @rule(data=st.data())
    def set_aside(self, data: st.DataObject) -> None:
        held = self._token(data)
        if self._write(held, lambda s, held: jobs.set_aside(s, held, "Paused: the quota is used up.")):
            self.seen["job set aside"] += 1
            assert (
                self.desk.job(held.job_id).attempt == held.attempt - 1 or self.desk.run_row(self.run_id).state in ENDED
            )

    @rule(go_on=st.booleans())
    def pause_or_resume(self, go_on: bool) -> None:
        if go_on:
            self.desk.do(lambda session: jobs.resume(session, self.run_id))
            assert self.desk.run_row(self.run_id).paused_because == ""
        else:
            self.desk.do(lambda session: jobs.pause(session, self.run_id, "Paused by Ada."))

    @rule(go_on=st.sampled_from([True, True, False]))
    def stop_or_allow_all_spending(self, go_on: bool) -> None:
        self.desk.do(money.allow_spending if go_on else lambda session: money.stop_spending(session, "Enough."))

    @rule(micro=st.integers(1, 60))
    def another_run_reserves(self, micro: int) -> None:
        run_id = self.desk.run()
        spent, held = self._purse()
        try:
            self.hold(run_id, micro)
            self.rivals.append(run_id)
            assert spent + held + micro <= CAPS.user_day, "no reservation passes a cap"
        except OverBudget:
            self.seen["reservation refused"] += 1
            assert spent + held + micro > CAPS.user_day, "what has room is not refused"

    @precondition(lambda self: self.rivals)
    @rule()
    def another_run_gives_back(self) -> None:
        run_id = self.rivals.pop()
        self.desk.do(lambda session: money.release(session, run_id))

    @invariant()
    def the_next_step_asks_whether_it_may_begin(self) -> None:
        run = self.desk.run_row(self.run_id)
        spent, held = self._purse()
        stopped = self.desk.do(money.spending_stopped) is not None or bool(run.paused_because)
        empty = spent >= CAPS.user_day or (run.reserved_micro_dollars == 0 and spent + held >= CAPS.user_day)
        try:
            self.desk.do(lambda session: money.may_spend(session, self.run_id, CAPS))
            refused = False
        except Paused:
            refused = True
        self.seen["next step refused"] += refused and not stopped
        assert refused == (stopped or empty)

    @precondition(lambda self: self.tokens)
    @rule(data=st.data(), to=st.integers(0, 4))
    def advance(self, data: st.DataObject, to: int) -> None:
        self._write(self._token(data), lambda session, held: jobs.advance(session, held, to))

    @precondition(lambda self: self.epochs)
    @rule(data=st.data(), caps=st.sampled_from([CAPS, None]))
    def redrive(self, data: st.DataObject, caps: Caps | None) -> None:
        known = list(self.epochs)  # claimed first, first: ids are random
        dead = [job_id for job_id in known if self.desk.job(job_id).state == "dead"]
        job_id = data.draw(st.sampled_from(dead or known))
        with contextlib.suppress(Conflict, OverBudget):
            self.epochs[job_id] = self.desk.do(lambda session: jobs.redrive(session, job_id, caps)).epoch
            self.seen["redriven"] += 1

    @rule(often=st.integers(0, 14))
    def cancel(self, often: int) -> None:
        if often == 0:
            self.seen["canceled"] += self.desk.do(lambda session: jobs.request_cancel(session, self.run_id))

    def hold(self, run_id: uuid.UUID, micro: int) -> None:
        def reserve(session: Session) -> None:
            run = session.get_one(Run, run_id)
            run.estimated_micro_dollars = micro
            money.reserve(session, run, micro, CAPS)

        self.desk.do(reserve)

    def _purse(self) -> tuple[int, int]:
        """What each of the three purses has spent and holds; they always agree, since one person does everything."""
        query = text("SELECT DISTINCT spent_micro_dollars, reserved_micro_dollars FROM budgets")
        spent, held = self.desk.do(lambda session: session.execute(query).one())
        return spent, held

    def _token(self, data: st.DataObject) -> Claim:
        newest = data.draw(st.booleans())  # else nearly all would be stale
        return self.tokens[-1] if newest else data.draw(st.sampled_from(self.tokens))

    def _write(self, held: Claim, write: Callable[[Any, Claim], Any]) -> bool:
        """Write with a token, stale or not; whether it was accepted."""
        now = self.desk.job(held.job_id)
        holds = now.epoch == held.epoch and now.state == "running"
        self.seen["late write refused"] += not holds
        kept = self.desk.run_row(self.run_id).reserved_micro_dollars
        try:
            self.desk.do(lambda session: write(session, held))
            accepted = True
        except Fenced:
            accepted = False
        assert accepted == holds, "exactly the holder may write"
        if accepted and self.desk.run_row(self.run_id).state in ENDED:
            self.seen["reservation given back at the end"] += kept > 0
        return accepted

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
        spent, held = self._purse()
        assert spent == run.spent_micro_dollars == sum(self.paid.values()), "what was paid is settled exactly once"
        assert spent == session.scalar(text("SELECT coalesce(sum(micro_dollars), 0) FROM ledger"))
        assert held == session.scalar(text("SELECT sum(reserved_micro_dollars) FROM runs")), "the purses hold for runs"
        assert not (run.state in ENDED and run.reserved_micro_dollars), "what has ended holds nothing"
        numbers = session.scalars(text("SELECT seq FROM events ORDER BY seq")).all()
        assert numbers == list(range(1, run.seq + 1)), "events are numbered without a gap"


@pytest.fixture
def machine(engine: Engine) -> Iterator[type[Engine_]]:
    Engine_.database = engine
    Engine_.seen = Counter()
    yield Engine_


def test_no_history_breaks_the_rules(machine: type[Engine_]) -> None:
    """Histories are drawn anew, for a few lengths, until each hazard has occurred: which draws hold one is luck."""
    for length in (35, 30, 40, 45, 25, 50):
        few = settings(
            max_examples=10,
            stateful_step_count=length,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
        run_state_machine_as_test(machine, settings=few)
        if machine.seen["late write refused"] >= 50 and all(machine.seen[hazard] for hazard in HAZARDS):
            break
    print(", ".join(f"{hazard}: {machine.seen[hazard]}" for hazard in HAZARDS))
    assert machine.seen["late write refused"] >= 50, "hardly any late write was tried: the test is blind"
    assert [hazard for hazard in HAZARDS if not machine.seen[hazard]] == [], "these never occurred: the test is blind"
