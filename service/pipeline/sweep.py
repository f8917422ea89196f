"""The sweep: once a minute, whatever a lost ring, a dead worker or a crash left behind is found and put right.

Level-triggered and idempotent: every part looks at how things stand, not at what happened, so one that was missed, cut
or done twice does no harm. A part that fails is logged and leaves the others alone.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.db import jobs, money, outbox, pruning
from service.db.alone import alone
from service.db.engine import FAILURES, transaction
from service.db.gauges import Gauges, read_gauges
from service.db.tables import Run, RunState
from service.domain.money import micro_dollars
from service.errors import CoursewrightError
from service.pipeline.lost_films import film_lost_ones_again
from service.pipeline.starting import start_lane
from service.ports import Lane, Services

log = logging.getLogger(__name__)

# Cloud Scheduler waits 60 s for the answer, and the next minute goes on where this one stopped.
LONGEST_SECONDS = 35.0  # after this no part begins, and the last one has some time to end
RINGS_AT_ONCE = 100
RING_PATIENCE_SECONDS = 5.0
ONE_OLDER_FILM_IN_SWEEPS = 10
ENDED = (RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELED)

Part = Callable[[Services, float], int]


def sweep(services: Services, parts: Mapping[str, Part] | None = None) -> Gauges:
    """Put right what can be put right within 50 s, then log and return the gauges.

    Where another sweep is under way, only the gauges are read: that one does the work, and logs.

    Raises:
        Unavailable: the database does not answer.
    """
    ends = time.monotonic() + LONGEST_SECONDS
    with alone(services.engine, "sweep") as mine:
        done = {name: _alone(name, part, services, ends) for name, part in (parts or PARTS).items()} if mine else {}
        cap = micro_dollars(services.settings.site_month_usd)
        gauges = transaction(services.engine, lambda session: read_gauges(session, cap))
        if mine:
            log.info("gauges", extra={"event": "gauges", **gauges.fields()})
    if any(done.values()):
        log.info("swept: %s", ", ".join(f"{name} {count}" for name, count in done.items() if count))
    return gauges


@contextmanager
def sweeping(services: Services) -> Iterator[None]:
    """Sweep every SWEEP_SECONDS beside what the block does, and stop before it ends; 0: somebody calls from outside."""
    every, stop = services.settings.sweep_seconds, threading.Event()
    if not every:
        yield
        return
    thread = threading.Thread(target=_sweep_until, args=(services, every, stop), name="sweep", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(LONGEST_SECONDS)


def _sweep_until(services: Services, every: float, stop: threading.Event) -> None:
    while not stop.wait(every):
        try:
            sweep(services)
        except (CoursewrightError, *FAILURES) as error:
            log.warning("a sweep is left out: %s", error)


def _alone(name: str, part: Part, services: Services, ends: float) -> int:
    """Do one part when there is still time; what it throws ends only itself."""
    if time.monotonic() >= ends:
        log.warning("the sweep has no time left for: %s", name)
        return 0
    try:
        return part(services, ends)
    except (CoursewrightError, *FAILURES) as error:
        log.error("a part of the sweep failed: %s: %s", name, error)
        return 0


def send_rings(services: Services, ends: float) -> int:
    """Send what the outbox holds. Where nobody hears rings, this is how they are called sent."""
    sent, latest = 0, RINGS_AT_ONCE
    while latest == RINGS_AT_ONCE and time.monotonic() < ends:
        latest = outbox.send(
            services.engine, services.doorbell, limit=RINGS_AT_ONCE, patience_seconds=RING_PATIENCE_SECONDS
        )
        sent += latest
    return sent


def end_jobs(services: Services, ends: float) -> int:
    """End jobs that nobody may claim any more, also in lanes where nobody claims at the moment."""
    return _until_none(lambda: transaction(services.engine, jobs.reap), ends)


def start(lane: Lane, services: Services, ends: float) -> int:  # noqa: ARG001
    """Start the lane when it has work and is not being started."""
    return start_lane(services.engine, services.launcher, lane, services.settings)


def settle(services: Services, ends: float) -> int:
    """Give back what is held for runs that have ended, or that went with their course."""
    released = _until_none(lambda: transaction(services.engine, _release_one), ends)
    return released + transaction(services.engine, money.reconcile)


def find_lost_films(services: Services, ends: float) -> int:  # noqa: ARG001
    """Make films again whose file is gone."""
    others = int(random.random() < 1 / ONE_OLDER_FILM_IN_SWEEPS)  # noqa: S311 - a sample
    return film_lost_ones_again(services, others=others)


def prune(services: Services, ends: float) -> int:  # noqa: ARG001
    """Remove rows that nobody asks for any more."""
    return sum(transaction(services.engine, pruning.prune).values())


# What people wait for comes first, and what asks a store, which may be slow to answer, last.
PARTS: Mapping[str, Part] = {
    "jobs ended": end_jobs,
    "rings sent": send_rings,
    "author started": partial(start, "author"),
    "render started": partial(start, "render"),
    "reservations settled": settle,
    "rows pruned": prune,
    "films made again": find_lost_films,
}


def _until_none(step: Callable[[], int], ends: float) -> int:
    """Repeat a bounded step until it finds nothing, or until the time is over; how much it did in all."""
    done = 0
    while time.monotonic() < ends and (latest := step()):
        done += latest
    return done


def _release_one(session: Session) -> int:
    """Release one ended run's reservation. Locked first: a run that is tried again holds a new one."""
    left = select(Run.id).where(Run.state.in_(ENDED), Run.reserved_micro_dollars > 0)
    run_id = session.scalar(left.limit(1).with_for_update(skip_locked=True))
    if run_id is None:
        return 0
    money.release(session, run_id)
    return 1
