"""A storm of deliveries at the push endpoint of two sites at once: doubled, reordered, late, senseless and forged ones.

The rings are about real runs, and what they start are real workers. Whatever arrives, each step is done once.
"""

from __future__ import annotations

import json
import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import httpx2
from sqlalchemy import create_engine, text

from service.domain.ring import Ring
from service.ports import Lane
from service.settings import Settings
from service.web.internal import NOT_A_RING
from service.wiring import open_services
from tests.faults.driver import FaultRun, Plan
from tests.faults.server import BreakableServer
from tests.faults.site import serving
from tests.web.service_tokens import FORGERIES, Issuer, serve_issuer
from tests.web.test_internal import NONSENSE, pushed

SENDERS = 4  # to each of the two sites
FRESH_EVERY_SECONDS = 3.0
ONCE_MORE_SECONDS = 60.0


@dataclass
class Storm:
    """What was delivered, what was answered, and what it started."""

    sent: Counter[str] = field(default_factory=Counter)
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    executions: int = 0
    workers: int = 0
    runs: int = 0

    def table(self) -> str:
        """What happened, for people."""
        kinds = ", ".join(f"{n} {kind}" for kind, n in sorted(self.sent.items()))
        took = sorted(self.seconds)
        p99 = took[int(len(took) * 0.99)] * 1000 if took else 0.0
        return (
            f"{sum(self.sent.values())} deliveries: {kinds}\n"
            f"{self.runs} runs, {self.executions} executions with {self.workers} workers; "
            f"answers in {p99:.0f} ms at the 99th percentile"
        )


class Platform:
    """Takes the place of Cloud Run: each start is an execution with workers of its own, and duplicates are allowed."""

    standing = False

    def __init__(self, run: FaultRun) -> None:
        self._run, self._lock = run, threading.Lock()
        self.executions = 0
        self.workers: list[ForkServerProcess] = []

    def launch(self, lane: Lane, tasks: int = 1) -> str:
        with self._lock:
            self.executions += 1
            self.workers += [self._run.spawn(lane, idle_exit_seconds=0.3) for _ in range(tasks)]
            return f"{lane}-{self.executions}"

    def close(self) -> None:
        """The executions end by themselves."""


@dataclass(frozen=True)
class Delivery:
    """One request to the push endpoint. A ring about a run names it when it is sent: later, there are more runs."""

    kind: str
    body: bytes
    headers: dict[str, str]


class DeliveryStorm:
    """So many deliveries to two sites over one database, while runs are requested."""

    def __init__(self, folder: Path, server: BreakableServer, deliveries: int, seed: int) -> None:
        self._folder, self._server, self._deliveries = folder, server, deliveries
        self._dice = random.Random(seed)
        self._run = FaultRun(Plan(kill=0.0, pause=0.0), folder, server)
        self.platform = Platform(self._run)
        self.storm = Storm()
        self._lock = threading.Lock()

    def go(self) -> tuple[Storm, list[str]]:
        """What happened, and what is wrong with the history."""
        self._run.begin()
        try:
            with ExitStack() as stack:
                issuer = stack.enter_context(serve_issuer())
                addresses = [stack.enter_context(self._site(issuer, name)) for name in ("one", "two")]
                self._run.feed()
                self._send(issuer, addresses)
                self._until_done(issuer, addresses[0])
            wrong = list(self._answers()) + list(self._effects()) + self._run.judge()
        finally:
            self._run.close()
        self.storm.executions, self.storm.workers = self.platform.executions, len(self.platform.workers)
        self.storm.runs = len(self._run.accepted)
        return self.storm, wrong

    @contextmanager
    def _site(self, issuer: Issuer, name: str) -> Iterator[str]:
        settings = Settings(
            data_dir=self._folder / name,
            database_url=self._server.url,
            jobs_url="none:",
            embeddings="none:",
            speech="silent:",
            sweep_seconds=0,
            launch_lease_seconds=2.0,
        ).model_copy(update=issuer.settings())
        with open_services(settings) as services:
            chosen = replace(services, settings=settings, launcher=self.platform)
            with serving(settings, chosen) as address:
                yield address

    def _send(self, issuer: Issuer, addresses: Sequence[str]) -> None:
        plan = list(self._plan(issuer))
        self._dice.shuffle(plan)
        lanes = [plan[place :: SENDERS * 2] for place in range(SENDERS * 2)]
        with ThreadPoolExecutor(len(lanes)) as senders:
            sending = [senders.submit(self._deliver, addresses[n % 2], part) for n, part in enumerate(lanes)]
            while not all(one.done() for one in sending):
                time.sleep(FRESH_EVERY_SECONDS)
                self._run.feed()
            for one in sending:
                one.result()

    def _plan(self, issuer: Issuer) -> Iterator[Delivery]:
        """Every message one to five times; about a tenth means nothing, and a tenth is not from Pub/Sub."""
        right = issuer.headers()
        forged = [{"Authorization": made} if (made := forge(issuer)) else {} for forge in FORGERIES.values()]
        senseless = list(NONSENSE.values())
        left = self._deliveries
        while left > 0:
            chance, copies = self._dice.random(), min(left, self._dice.randint(1, 5))
            left -= copies
            if chance < 0.1:
                one = Delivery("senseless", self._dice.choice(senseless), right)
            elif chance < 0.2:
                one = Delivery("forged", self._ring(), self._dice.choice(forged))
            elif chance < 0.3:
                one = Delivery("about no run", self._ring(uuid.uuid4()), right)
            else:
                one = Delivery("rings", self._ring(), right)
            yield from [one] * copies

    def _ring(self, run_id: uuid.UUID | None = None) -> bytes:
        about = run_id or self._dice.choice(self._run.accepted)
        lane: Lane = self._dice.choice(("author", "render"))
        return json.dumps(pushed(Ring(event_id=uuid.uuid4(), lane=lane, run_id=about).model_dump(mode="json"))).encode()

    def _deliver(self, address: str, part: Sequence[Delivery]) -> None:
        with httpx2.Client(base_url=address, timeout=60.0) as pubsub:
            for one in part:
                status = 503
                while status == 503:  # Pub/Sub brings it again
                    began = time.monotonic()
                    status = pubsub.post("/internal/push", content=one.body, headers=one.headers).status_code
                    with self._lock:
                        self.storm.sent[one.kind] += 1
                        self.storm.answers[one.kind, status] += 1
                        self.storm.seconds.append(time.monotonic() - began)

    def _until_done(self, issuer: Issuer, address: str) -> None:
        """Ring on until the work is done; the sweep does that in the cloud."""
        until = time.monotonic() + ONCE_MORE_SECONDS
        while self._run.under_way():
            assert time.monotonic() < until, "the work does not end"
            again = [Delivery("rings", self._ring(), issuer.headers()) for _ in range(4)]
            self._deliver(address, again)
            time.sleep(0.5)
        for worker in self.platform.workers:
            worker.join(30.0)

    def _answers(self) -> Iterator[str]:
        # A token may be so long that the server refuses its header before anybody reads it.
        right = {"senseless": {204}, "forged": {400, 403}, "about no run": {204}, "rings": {204}}
        for (kind, status), n in self.storm.answers.items():
            if status not in right[kind] | {503}:
                yield f"{n} deliveries ({kind}) were answered with {status}"
        yield from (f"no delivery was of the kind {kind!r}" for kind in right if not self.storm.sent[kind])

    def _effects(self) -> Iterator[str]:
        """Nothing but the work itself, and the tally of what nobody understood."""
        codes = Counter(worker.exitcode for worker in self.platform.workers)
        if set(codes) != {0}:
            yield f"workers ended with the codes {dict(codes)}"
        engine = create_engine(self._server.url)
        with engine.connect() as connection:
            again = connection.scalar(text("SELECT count(*) FROM jobs WHERE attempt <> 1 OR epoch <> 1"))
            counted = connection.scalar(text("SELECT count FROM tallies WHERE name = :name"), {"name": NOT_A_RING}) or 0
            stopped = connection.scalar(text("SELECT count(*) FROM switches"))
        engine.dispose()
        if again:
            yield f"{again} jobs were claimed again without a fault"
        if counted != self.storm.answers["senseless", 204]:
            yield f"{self.storm.answers['senseless', 204]} deliveries made no sense, and {counted} were counted"
        if stopped:
            yield "a ring has stopped all spending"
