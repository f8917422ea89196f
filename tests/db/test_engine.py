"""Transactions survive what databases do: restarts, deadlocks, cut connections; and say so when they cannot."""

from __future__ import annotations

import errno
import os
import signal
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pg8000.exceptions import DatabaseError, InterfaceError
from sqlalchemy import Engine, create_engine, exc, text
from sqlalchemy.orm import Session

from service.adapters.embedded_postgres import EmbeddedPostgres
from service.db import engine as engine_module
from service.db import faults
from service.db.engine import session_scope, transaction
from service.errors import Unavailable


def wrapped(original: Exception) -> exc.DBAPIError:
    return exc.DBAPIError("SELECT 1", {}, original)


LOST = [
    InterfaceError("network error"),
    InterfaceError("communication error"),
    InterfaceError("connection is closed"),
    InterfaceError("Can't create a connection to host db and port 5432 (timeout is None and source_address is None)."),
    DatabaseError({"C": "57P01", "M": "terminating connection due to administrator command"}),
    DatabaseError({"C": "57P02", "M": "terminating connection because of crash of another server process"}),
    DatabaseError({"C": "57P03", "M": "the database system is starting up"}),
    BrokenPipeError(errno.EPIPE, "Broken pipe"),
    ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"),
    TimeoutError("timed out"),
    OSError("cannot read from timed out object"),
    struct.error("unpack_from requires a buffer of at least 5 bytes"),
]
AGAIN = [DatabaseError({"C": code}) for code in ("53300", "40001", "40P01", "55P03", "25P03")]
NEVER = [
    DatabaseError({"C": "23505", "M": "duplicate key"}),
    DatabaseError({"C": "57014", "M": "canceling statement due to statement timeout"}),
    DatabaseError("no code"),
    InterfaceError("The 'user' connection parameter cannot be None"),
    ValueError("network error"),
]


@pytest.mark.parametrize("error", LOST, ids=str)
def test_every_shape_of_a_lost_connection_is_known_bare_and_wrapped(error: Exception) -> None:
    for shape in (error, wrapped(error)):
        assert faults.lost_connection(shape)
        assert faults.worth_again(shape)


@pytest.mark.parametrize("error", AGAIN, ids=str)
def test_what_only_needs_another_try_keeps_its_connection(error: Exception) -> None:
    assert faults.worth_again(wrapped(error))
    assert not faults.lost_connection(wrapped(error))


@pytest.mark.parametrize("error", NEVER, ids=str)
def test_what_another_try_does_not_mend_is_not_tried(error: Exception) -> None:
    assert not faults.worth_again(error)
    assert not faults.worth_again(wrapped(error))


@pytest.fixture
def table(engine: Engine) -> Iterator[str]:
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE IF NOT EXISTS scratch (n integer PRIMARY KEY, hits integer NOT NULL)"))
        connection.execute(text("INSERT INTO scratch VALUES (1, 0), (2, 0)"))
    yield "scratch"
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE scratch"))


def test_a_transaction_is_run_again_after_its_connection_was_cut(engine: Engine, table: str) -> None:
    tries = []

    def work(session: Session) -> int:
        session.execute(text("UPDATE scratch SET hits = hits + 1 WHERE n = 1"))
        tries.append(session.scalar(text("SELECT pg_backend_pid()")))
        if len(tries) == 1:
            with engine.begin() as other:
                other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": tries[0]})
        return int(session.scalars(text("SELECT hits FROM scratch WHERE n = 1")).one())

    assert transaction(engine, work) == 1
    assert len(set(tries)) == 2


def test_two_transactions_in_a_deadlock_both_commit_in_the_end(engine: Engine, table: str) -> None:
    meeting = threading.Barrier(2, timeout=10)
    met = set()

    def cross(first: int, second: int) -> None:
        def work(session: Session) -> None:
            session.execute(text("UPDATE scratch SET hits = hits + 1 WHERE n = :n"), {"n": first})
            if first not in met:
                met.add(first)
                meeting.wait()
            session.execute(text("UPDATE scratch SET hits = hits + 1 WHERE n = :n"), {"n": second})

        transaction(engine, work)

    threads = [threading.Thread(target=cross, args=pair) for pair in ((1, 2), (2, 1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with engine.connect() as connection:
        assert connection.execute(text("SELECT hits FROM scratch")).scalars().all() == [2, 2]


def test_a_bug_is_not_tried_again(engine: Engine) -> None:
    tries = []

    def work(session: Session) -> None:
        tries.append(1)
        session.execute(text("SELECT 1 / 0"))

    with pytest.raises(exc.DBAPIError):
        transaction(engine, work)
    assert len(tries) == 1


def test_a_database_that_stays_away_is_unavailable_after_three_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "FIRST_WAIT_SECONDS", 0.01)
    away = create_engine("postgresql+pg8000://app@/postgres?unix_sock=/nowhere/.s.PGSQL.5432")
    tries = []

    def work(session: Session) -> None:
        tries.append(1)
        session.execute(text("SELECT 1"))

    with pytest.raises(Unavailable):
        transaction(away, work)
    assert len(tries) == 3
    with pytest.raises(Unavailable), session_scope(away) as session:
        session.execute(text("SELECT 1"))


def test_a_pool_without_a_free_connection_says_so_at_once(database: str) -> None:
    small = create_engine(database, pool_size=1, max_overflow=0, pool_timeout=0.1)
    with small.connect(), pytest.raises(Unavailable):
        transaction(small, lambda session: session.execute(text("SELECT 1")))
    small.dispose()


def test_a_statement_that_takes_too_long_is_told_and_not_tried_again(engine: Engine) -> None:
    tries = []

    def slow(session: Session) -> None:
        tries.append(1)
        session.execute(text("SET LOCAL statement_timeout = '30ms'"))
        session.execute(text("SELECT pg_sleep(5)"))

    with pytest.raises(Unavailable):
        transaction(engine, slow)
    assert len(tries) == 1
    with pytest.raises(Unavailable), session_scope(engine) as session:
        slow(session)


def test_a_scope_commits_at_its_end_and_not_when_it_raises(engine: Engine, table: str) -> None:
    with session_scope(engine) as session:
        session.execute(text("UPDATE scratch SET hits = 5 WHERE n = 1"))
    with pytest.raises(FileNotFoundError), session_scope(engine) as session:
        session.execute(text("UPDATE scratch SET hits = 6 WHERE n = 1"))
        raise FileNotFoundError("the caller's own")
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT hits FROM scratch WHERE n = 1")) == 5


def test_work_goes_on_after_the_server_was_killed_in_the_middle_of_it(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path / "pg", durable=False) as server:
        engine = create_engine(server.url, pool_pre_ping=True)
        tries = []

        def work(session: Session) -> object:
            session.execute(text("CREATE TABLE IF NOT EXISTS scratch AS SELECT 1 AS n"))
            tries.append(1)
            if len(tries) == 1:
                # Its own process too, which outlives the server for a moment and would still answer.
                mine = session.scalar(text("SELECT pg_backend_pid()"))
                os.kill(server.pid, signal.SIGKILL)
                os.kill(mine, signal.SIGKILL)
            return session.scalar(text("SELECT n FROM scratch"))

        end = time.monotonic() + 60
        while True:
            try:
                assert transaction(engine, work) == 1
                break
            except Unavailable:
                assert time.monotonic() < end
        assert len(tries) >= 2
        engine.dispose()
