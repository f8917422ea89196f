"""Reading a source: upload → jailed reader → exact text with structure → passages → vectors."""

from __future__ import annotations

import tempfile
import uuid
from pathlib import Path

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from service.db import events, jobs
from service.db.engine import session_scope
from service.db.guarded import paid_embedder
from service.db.lane import Task
from service.db.tables import Chunk, Run, Source, SourceState
from service.domain.chunks import chunks_of
from service.domain.source import Source as SourceDocument
from service.errors import BadInput
from service.pipeline.runs import EMBED_PRIORITY
from service.pipeline.versions import arrived, same_text
from service.ports import Services
from service.readers import Limits, read_document

# A local model needs about half a second for a passage: a batch keeps the lane free for more urgent work in between.
EMBED_BATCH = 8


def ingest_source(services: Services, task: Task) -> None:
    """Read the source that the job names. A file that cannot be used is refused with its reason, not retried."""
    read_source(services, task, task.claim.subject_id)


def read_source(services: Services, task: Task, source_id: uuid.UUID) -> None:
    """Read one source and write its text, structure and passages in one fenced transaction; a no-op when done."""
    with session_scope(services.engine) as session:
        row = session.get(Source, source_id)
        if row is None or row.state in (SourceState.READY, SourceState.REFUSED):
            return
        name, upload_key = row.name, row.upload_key
    task.say(f"Reading {name}")
    try:
        with tempfile.TemporaryDirectory(prefix="coursewright-") as folder:
            path = Path(folder) / f"source{Path(name).suffix}"
            services.storage.fetch(upload_key, path)
            document = read_document(path, name, Limits(file_bytes=services.settings.upload_limit_bytes))
    except BadInput as refusal:
        reason = str(refusal)
        task.commit(lambda session: _refuse(session, task, source_id, reason))
        return
    task.commit(lambda session: _store(session, services, task, source_id, document))


def _refuse(session: Session, task: Task, source_id: uuid.UUID, reason: str) -> None:
    row = session.get_one(Source, source_id)
    row.state, row.error = SourceState.REFUSED, reason
    events.say(session, task.claim.run_id, "source", {"what": reason, "source_id": str(source_id)})


def _store(session: Session, services: Services, task: Task, source_id: uuid.UUID, document: SourceDocument) -> None:
    row = session.get_one(Source, source_id)
    same = same_text(session, row, document.sha256)
    if same:
        _refuse(session, task, source_id, same)
        return
    row.sha256, row.title, row.media_type = document.sha256, document.title, document.media_type
    row.body, row.blocks = document.text, [block.model_dump(mode="json") for block in document.blocks]
    row.words, row.pages, row.notes = document.words, document.pages, list(document.notes)
    row.state, row.error = SourceState.READY, ""
    session.execute(delete(Chunk).where(Chunk.source_id == source_id))
    chunks = [
        Chunk(
            id=uuid.uuid4(),
            course_id=row.course_id,
            source_id=source_id,
            position=position,
            start=chunk.start,
            end=chunk.end,
            heading=chunk.heading,
            body=chunk.text,
        )
        for position, chunk in enumerate(chunks_of(document))
    ]
    session.add_all(chunks)
    session.flush()
    if services.embedder is not None:
        run = session.get_one(Run, task.claim.run_id)
        for first in chunks[::EMBED_BATCH]:
            jobs.enqueue(
                session, run, kind="embed", lane="author", subject_id=first.id, units=1, priority=EMBED_PRIORITY
            )
    found = f"{document.name}: {document.words:,} words"
    events.say(session, task.claim.run_id, "source", {"what": found, "source_id": str(source_id)})
    if row.replaces is not None:
        arrived(session, row)


def embed_passages(services: Services, task: Task) -> None:
    """Give vectors to the batch of passages that begins with the one the job names; none when it is gone."""
    embedder = paid_embedder(services.embedder, task.pay)
    if embedder is None:
        return
    with session_scope(services.engine) as session:
        first = session.get(Chunk, task.claim.subject_id)
        if first is None:
            return
        source_id, start = first.source_id, first.position
        query = (
            select(Chunk)
            .where(Chunk.source_id == source_id, Chunk.position >= start, Chunk.position < start + EMBED_BATCH)
            .order_by(Chunk.position)
        )
        passages = [(row.id, f"{row.heading}\n{row.body}".strip()) for row in session.scalars(query)]
    vectors = embedder.passages([text for _, text in passages])

    def keep(session: Session) -> None:
        for (chunk_id, _), vector in zip(passages, vectors, strict=True):
            row = session.get(Chunk, chunk_id)
            if row is not None:
                row.vector, row.embedder = vector, embedder.name

    task.commit(keep)
