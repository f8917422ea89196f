"""What a job's handler holds: it does steps, tells progress and writes, always as the one who holds the lease."""

from __future__ import annotations

import json
import logging
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from service.db import jobs, money, steps
from service.db.engine import transaction
from service.db.events import say
from service.db.failpoints import reached
from service.db.jobs import Claim
from service.db.steps import Finished
from service.db.tables import Step
from service.domain.money import Caps, Spending
from service.errors import CoursewrightError, Crowded, Paused, Unavailable

log = logging.getLogger(__name__)
T = TypeVar("T")

SAY_EVERY_SECONDS = 0.5
# How long a call waits for others of its run that hold the rest of the money, and how often it looks: a try of a
# model's call may take two minutes (`ChatModel.one_try`).
PATIENCE_SECONDS, LOOK_EVERY_SECONDS = 150.0, 0.5
NO_MONEY = Caps(0, 0, 0)


class Task:
    """A claimed job in its handler's hands. Every method raises Fenced when the lease is lost, Canceled when the run
    was asked to stop, and Unavailable when the step took longer than it may; a handler lets all three pass, and Paused.

    Paused says that the run waits, or that no more money may be spent. It meets a handler where a step or a payment
    would begin, and where it reports outside of a step; what was paid for is still saved.
    """

    def __init__(
        self,
        engine: Engine,
        claim: Claim,
        lease_seconds: float,
        caps: Caps = NO_MONEY,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self.claim = claim
        self._engine = engine
        self._lease_seconds = lease_seconds
        self._caps = caps
        self._patience = patience
        self._in_step = False
        self._ended_by: CoursewrightError | None = None
        self._moved_at = time.monotonic()
        self._said_at = 0.0
        self._said: dict[str, Any] = {}
        self._lesson_id: uuid.UUID | None = None
        self._part = 0.0
        self._spent: list[Spending] = []
        self._mutex = threading.Lock()

    # --- for handlers ---

    def step(
        self,
        name: str,
        in_key: str,
        work: Callable[[], Any],
        *,
        units: int = 1,
        what: str = "",
        lesson_id: uuid.UUID | None = None,
    ) -> Any:
        """The JSON result of `work`: saved once it is there, and not done again by whoever continues the job.

        `in_key` is the hash of everything that the result depends on; with another key the step is done anew. `what` is
        told when the work begins; events of `say` inside of it belong to the lesson.

        Raises:
            Paused: it is not saved yet, and the run waits or no more money may be spent.
        """
        found = self._transaction(lambda session: self._begin(session, name, in_key))
        if found is not None:
            return found.out
        self._spent = []
        self._lesson_id, self._part, self._in_step = lesson_id, 0.0, True
        try:
            if what:
                self.say(what)
            out = json.dumps(work(), ensure_ascii=False, sort_keys=True)
            reached("paid-not-saved")
            step = Finished(name, in_key, out, units, tuple(self._spent))
            said = {name: value for name, value in self._said.items() if name != "part"}
            self._transaction(lambda session: steps.checkpoint(session, self.claim, step, self._lease_seconds, said))
        finally:
            self._lesson_id, self._in_step = None, False
        reached("saved")
        return json.loads(out)

    def spend(self, what: str, quantity: int, unit: str, micro_dollars: int) -> None:
        """Note what the running step paid for; it is booked together with the step."""
        self._spent.append(Spending(what, quantity, unit, micro_dollars))

    def may_spend(self, most: int = 0) -> None:
        """Ask right before something is paid for that costs at most so many micro-dollars; they are held until `book`
        says what it did cost. While only other calls of the run stand in the way, it waits for them.

        Raises:
            Paused: the run waits, or no more money may be spent.
        """
        until = time.monotonic() + self._patience
        while True:
            try:
                return self._transaction(
                    lambda session: steps.hold(session, self.claim, most, self._caps, self._lease_seconds)
                )
            except Crowded:
                if time.monotonic() >= until:
                    raise
            self._moved_at = time.monotonic()  # it waits for others, and does not hang
            time.sleep(LOOK_EVERY_SECONDS)

    def pay(self, key: str, price: Spending, work: Callable[[], T]) -> T:
        """Do something of a known price; see `may_spend` and `book`."""
        self.may_spend(price.micro_dollars)
        result = work()
        self.book(key, price)
        return result

    def book(self, key: str, *spent: Spending) -> None:
        """Settle what was paid for outside of any step; the same key is settled once for the job."""
        self._transaction(
            lambda session: steps.book(session, self.claim, key, spent, self._lease_seconds), even_paused=True
        )

    def say(self, what: str, part: float | None = None, lesson_id: uuid.UUID | None = None) -> None:
        """Tell where the work is, at most twice a second; what is told in between is dropped. A `Report` (see ports).

        A database that is away costs the event, not the work.
        """
        self._check(even_paused=self._in_step)
        lesson_id = lesson_id or self._lesson_id
        told: dict[str, Any] = {"what": what}
        if lesson_id is not None:
            told["lesson_id"] = str(lesson_id)
        if part is not None:
            told["part"] = round(min(1.0, max(0.0, part)), 4)
            if part > self._part:
                self._part, self._moved_at = part, time.monotonic()
        self._said = told
        if time.monotonic() - self._said_at < SAY_EVERY_SECONDS:
            return
        self._said_at = time.monotonic()
        try:
            self._transaction(lambda session: self._tell(session, told), moves=False, even_paused=self._in_step)
        except Unavailable as error:
            log.warning("an event of job %s was not told: %s", self.claim.job_id, error)

    def advance(self, units_done: int) -> None:
        """So many of the job's units are done in all; it never counts back."""
        self._transaction(lambda session: jobs.advance(session, self.claim, units_done))

    def commit(self, work: Callable[[Session], T]) -> T:
        """Run `work` in one transaction that only the job's holder can commit; it may run more than once."""

        def fenced(session: Session) -> T:
            jobs.guard(session, self.claim, self._lease_seconds)
            return work(session)

        return self._transaction(fenced, even_paused=True)

    # --- for the lane ---

    def end_by(self, reason: CoursewrightError) -> None:
        """From now on every call raises this; the first reason stays."""
        with self._mutex:
            self._ended_by = self._ended_by or reason

    @property
    def still_seconds(self) -> float:
        """How long nothing was finished."""
        return time.monotonic() - self._moved_at

    # --- inside ---

    def _begin(self, session: Session, name: str, in_key: str) -> Step | None:
        """The step as it is saved, else leave to do it."""
        found = steps.saved(session, self.claim, name, in_key)
        if found is None:
            money.may_spend(session, self.claim.run_id, self._caps)
        return found

    def _check(self, even_paused: bool) -> None:
        if self._ended_by is not None and not (even_paused and isinstance(self._ended_by, Paused)):
            raise self._ended_by

    def _transaction(self, work: Callable[[Session], T], *, moves: bool = True, even_paused: bool = False) -> T:
        self._check(even_paused or self._in_step)
        result = transaction(self._engine, work)
        if moves:
            self._moved_at = time.monotonic()
        return result

    def _tell(self, session: Session, told: dict[str, Any]) -> None:
        asked = jobs.renew(session, self.claim, self._lease_seconds)
        if asked is not None and not (self._in_step and isinstance(asked, Paused)):
            raise asked
        say(session, self.claim.run_id, "progress", told)
