"""Lets one process at a time do what several may begin, such as the sweep, without a transaction around it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, text

from service.db.engine import FAILURES, SORRY
from service.errors import Unavailable

log = logging.getLogger(__name__)

TRY = text("SELECT pg_try_advisory_lock(hashtextextended(:name, 0))")
LEAVE = text("SELECT pg_advisory_unlock(hashtextextended(:name, 0))")


@contextmanager
def alone(engine: Engine, name: str) -> Iterator[bool]:
    """Whether nobody else is doing what this name stands for; then nobody else begins it before the block ends.

    The lock belongs to a connection, which is kept for as long, and not to a transaction: what is done meanwhile may
    call the cloud, and an open transaction would hold back the vacuum and meet the server's limit for idle ones. A
    process that dies, or a server that restarts, ends it. So it keeps work from being done twice, and is no fence.

    Raises:
        Unavailable: the database does not answer.
    """
    try:
        connection = engine.connect()
        mine = bool(connection.scalar(TRY, {"name": name}))
        connection.commit()  # not AUTOCOMMIT: the pool's ping has begun a transaction already, which would stay open
    except FAILURES as error:
        raise Unavailable(SORRY) from error
    if not mine:
        connection.close()
        yield False
        return
    try:
        yield True
    finally:
        try:
            connection.execute(LEAVE, {"name": name})
            connection.commit()
        except FAILURES as error:
            log.info("the lock %s went with its connection: %s", name, error)
            connection.invalidate()
        connection.close()
