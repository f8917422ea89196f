"""What the authors may see: the course's own sources, and retrieval that is bound to this course in code."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import BaseModel

from service.db.engine import session_scope
from service.db.guarded import paid_embedder
from service.db.queries import earlier_sources, indexed_chunks, read_sources
from service.db.task import Task
from service.domain.source import Chunk
from service.ports import Evidence, IndexedChunk, Services

if TYPE_CHECKING:
    from hashlib import _Hash  # the type of hashes has no public name


def evidence_of(services: Services, course_id: uuid.UUID, task: Task | None = None) -> Evidence:
    """The evidence of one course; with a task, questions to a paid embedder are booked with it."""
    embedder = paid_embedder(services.embedder, task.pay) if task is not None else services.embedder

    with session_scope(services.engine) as session:
        sources, earlier = read_sources(session, course_id), earlier_sources(session, course_id)

    def load() -> Sequence[IndexedChunk]:
        with session_scope(services.engine) as session:
            return indexed_chunks(session, course_id)

    def search(query: str, limit: int) -> Sequence[Chunk]:
        return services.vectors.search(course_id, query, limit, embedder, load)

    return Evidence(sources=sources, search=search, earlier=earlier)


def key_of(*parts: object) -> str:
    """The hash of everything that a step's outcome depends on: equal keys, equal work. `parts` are one or more."""
    return key_after(begun(parts[0]), *parts[1:])


def begun(*parts: object) -> _Hash:
    """The start of keys that begin with the same parts: an outline is long, and every lesson's keys hold it."""
    return hashlib.sha256(("[" + ", ".join(map(_written_out, parts))).encode())


def key_after(start: _Hash, *parts: object) -> str:
    """What `key_of` gives for the parts that `start` was begun with and these."""
    whole = start.copy()
    whole.update(("".join(f", {_written_out(part)}" for part in parts) + "]").encode())
    return whole.hexdigest()


def _written_out(part: object) -> str:
    plain = part.model_dump(mode="json") if isinstance(part, BaseModel) else part
    return json.dumps(plain, sort_keys=True, default=str)
