"""Starts a lane's job for work that waits: what a ring, a sweep and a person's request all come down to.

Level-triggered: it asks the job table, not the ring, whether there is work. So it may be called at any time, from any
number of instances, and starts the lane once.
"""

from __future__ import annotations

import logging

from sqlalchemy import Engine

from service.db import launches
from service.db.engine import transaction
from service.errors import CoursewrightError, Throttled
from service.ports import JobLauncher, Lane
from service.settings import Settings

log = logging.getLogger(__name__)


def start_lane(engine: Engine, launcher: JobLauncher, lane: Lane, settings: Settings) -> int:
    """Start the lane's job when it has work and is not being started already; the number of tasks that were started.

    No transaction is open while the platform is called. Where workers stand by themselves there is nothing to start.

    The lease is given back when surely nothing was started. When the platform did not say, it stands: the job may be
    on its way, and the first sweep after the lease starts it if it was not.

    Raises:
        Unavailable: the platform or the database does not answer.
        Broken: the platform refuses, and no retry mends that.
    """
    if launcher.standing:
        return 0
    most = settings.render_tasks if lane == "render" else settings.author_tasks
    lease = settings.launch_lease_seconds
    taken = transaction(engine, lambda session: launches.take(session, lane, lease, most))
    if taken is None:
        return 0
    token, tasks = taken.token, taken.tasks
    try:
        execution = launcher.launch(lane, tasks)
    except CoursewrightError as error:
        if isinstance(error, Throttled) or not error.retryable:
            transaction(engine, lambda session: launches.failed(session, lane, token))
        raise
    # Not kept, the execution works all the same: its name is for people who look into the table.
    transaction(engine, lambda session: launches.started(session, lane, token, execution))
    log.info("the %s lane is started with %d tasks: %s", lane, tasks, execution or "no name")
    return tasks
