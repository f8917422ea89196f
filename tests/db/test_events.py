"""Events are numbered in the order in which they are committed, so that a reader misses none."""

from __future__ import annotations

import threading
import uuid

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from service.db import events
from service.db.engine import transaction
from service.db.tables import Run
from tests.engine.desk import Desk


@pytest.fixture
def run_id(engine: Engine) -> uuid.UUID:
    return Desk(engine).run()


def test_an_event_carries_sentence_percentage_and_spending_though_nothing_was_said(
    engine: Engine, run_id: uuid.UUID
) -> None:
    transaction(engine, lambda session: events.say(session, run_id, "progress", {}))
    found = transaction(engine, lambda session: events.events_after(session, run_id, 0))
    data = {"what": "", "percent": 0, "spent": 0}
    assert [(event.seq, event.kind, event.data) for event in found] == [(1, "progress", data)]


def test_a_reader_gets_what_comes_after_its_number_and_no_more_than_it_asks(engine: Engine, run_id: uuid.UUID) -> None:
    for n in range(5):
        transaction(engine, lambda session, n=n: events.say(session, run_id, "progress", {"what": str(n)}))
    found = transaction(engine, lambda session: events.events_after(session, run_id, 2, 2))
    assert [event.data["what"] for event in found] == ["2", "3"]


def test_a_reader_that_looks_all_the_time_misses_nothing_of_many_writers(engine: Engine, run_id: uuid.UUID) -> None:
    seen: list[int] = []
    over = threading.Event()

    def write() -> None:
        for _ in range(25):
            transaction(engine, lambda session: events.say(session, run_id, "progress", {"what": "w"}))

    def look(after: int) -> list[int]:
        return transaction(engine, lambda session: [e.seq for e in events.events_after(session, run_id, after)])

    def read() -> None:
        while not over.is_set() or len(seen) < 100:
            seen.extend(look(seen[-1] if seen else 0))

    reader = threading.Thread(target=read)
    writers = [threading.Thread(target=write) for _ in range(4)]
    for thread in [reader, *writers]:
        thread.start()
    for thread in writers:
        thread.join()
    over.set()
    reader.join(10)
    assert seen == list(range(1, 101))


def test_an_event_of_a_transaction_that_is_rolled_back_leaves_no_gap(engine: Engine, run_id: uuid.UUID) -> None:
    def fails(session: Session) -> None:
        events.say(session, run_id, "progress", {"what": "never"})
        raise ValueError

    with pytest.raises(ValueError):
        transaction(engine, fails)
    assert transaction(engine, lambda session: events.say(session, run_id, "progress", {"what": "first"})) == 1
    assert transaction(engine, lambda session: session.get_one(Run, run_id).seq) == 1
