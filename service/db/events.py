"""Progress as numbered rows: what the page, the terminal and a reconnecting browser all read.

The number is taken from the run's own row inside the writing transaction, so the order of numbers is the order of
commits and a reader that asks for "after N" misses nothing.

    kind      progress | lesson | source | done | failed | canceled; the last three end a run
    data      always `percent` (0 to 100, never falling), `spent` (the run's micro-dollars so far) and `what` (a
              sentence in the instructor's words); where it applies `paused` (it waits for a person, or goes on),
              `lesson_id`, `lesson_state`, `source_id`, and `part` (0 to 1 of that lesson); of a lesson that was just
              filmed also `filmed`: wall_seconds, cpu_seconds, video_seconds, segments, segments_reused
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from service.db.tables import Event

Kind = Literal["progress", "lesson", "source", "done", "failed", "canceled"]

SAY = text("""
    WITH moved AS (UPDATE runs SET seq = seq + 1 WHERE id = :run RETURNING id, seq, percent, spent_micro_dollars)
    INSERT INTO events (run_id, seq, kind, data)
    SELECT id, seq, :kind,
           CAST(:data AS jsonb) || jsonb_build_object('percent', percent, 'spent', spent_micro_dollars) FROM moved
    RETURNING seq
""")


def say(session: Session, run_id: uuid.UUID, kind: Kind, data: Mapping[str, Any]) -> int:
    """Append an event to the run and return its number; the run's percentage and its spending are added here."""
    session.flush()
    written = json.dumps({"what": "", **data}, default=str)
    return int(session.scalars(SAY, {"run": run_id, "kind": kind, "data": written}).one())


def repeat(session: Session, run_id: uuid.UUID) -> None:
    """Show the run's new percentage under the sentence that people see already; nothing when none was said yet."""
    last = select(Event.data).where(Event.run_id == run_id).order_by(Event.seq.desc()).limit(1)
    data = session.scalar(last)
    if data:
        say(session, run_id, "progress", {"what": data["what"]})


def events_after(session: Session, run_id: uuid.UUID, seq: int, limit: int = 200) -> Sequence[Event]:
    """The run's events with a number above `seq`, in order."""
    query = select(Event).where(Event.run_id == run_id, Event.seq > seq).order_by(Event.seq).limit(limit)
    return session.scalars(query).all()
