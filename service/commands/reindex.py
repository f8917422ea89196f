"""`coursewright reindex`: embed passages that have no vector of today's embedder, and build the index from the rows.

A paid embedder is paid by each course's owner, batch by batch; what is embedded stays when the money ends.
"""

from __future__ import annotations

import uuid

from rich.console import Console
from sqlalchemy import Engine, or_, select, update

from service.commands.arguments import parser
from service.commands.progress import Say, shown
from service.db.engine import session_scope
from service.db.errands import ErrandPurse
from service.db.guarded import paid_embedder
from service.db.queries import indexed_chunks
from service.db.tables import Chunk, Course, Errand
from service.errors import NotFound
from service.logs import configure_logging
from service.ports import Embedder, Services
from service.settings import load_settings

BATCH = 8


def main(argv: list[str]) -> int:
    """Reindex one course, or all of them."""
    options = parser("reindex", "Embed and index passages anew. PostgreSQL keeps the truth; this rebuilds the rest.")
    options.add_argument("course", nargs="?", type=uuid.UUID, help="the course's id; without it every course")
    given = options.parse_args(argv)
    from service.adapters.database import beside_the_site
    from service.db.migrate import upgrade
    from service.wiring import open_services

    console, settings = Console(stderr=True), beside_the_site(load_settings())
    configure_logging(settings)
    with open_services(settings) as services:
        upgrade(services.engine)
        for course_id, title in _courses(services, given.course):
            with shown(title or str(course_id), console) as say:
                purse = ErrandPurse(services.engine, course_id, Errand.REINDEX, settings.caps)
                embedder = paid_embedder(services.embedder, purse)
                if embedder is not None:
                    _embed(services.engine, embedder, course_id, say)
                with session_scope(services.engine) as session:
                    rows = indexed_chunks(session, course_id)
                count = services.vectors.rebuild(course_id, services.embedder, rows)
                kind = "keyword search only" if services.embedder is None else services.embedder.name
                say(f"{count} passages indexed ({kind})", 100)
    return 0


def _courses(services: Services, course_id: uuid.UUID | None) -> list[tuple[uuid.UUID, str]]:
    with session_scope(services.engine) as session:
        query = select(Course.id, Course.title).order_by(Course.created_at)
        found = [
            (row.id, row.title)
            for row in session.execute(query if course_id is None else query.where(Course.id == course_id))
        ]
    if course_id is not None and not found:
        raise NotFound(f"There is no course {course_id}. The address of a course's page ends with its id.")
    return found


def _embed(engine: Engine, embedder: Embedder, course_id: uuid.UUID, say: Say) -> None:
    """Raises OverBudget and Paused when nobody can pay for the next batch."""
    stale = or_(Chunk.vector.is_(None), Chunk.embedder != embedder.name)
    with session_scope(engine) as session:
        order = Chunk.source_id, Chunk.position
        ids = session.scalars(select(Chunk.id).where(Chunk.course_id == course_id, stale).order_by(*order)).all()
    for start in range(0, len(ids), BATCH):
        with session_scope(engine) as session:
            rows = session.scalars(select(Chunk).where(Chunk.id.in_(ids[start : start + BATCH]))).all()
        vectors = embedder.passages([f"{row.heading}\n{row.body}".strip() for row in rows])
        with session_scope(engine) as session:
            for row, vector in zip(rows, vectors, strict=True):
                values = {"vector": vector, "embedder": embedder.name}
                session.execute(update(Chunk).where(Chunk.id == row.id, Chunk.body == row.body).values(values))
        say(f"{min(start + BATCH, len(ids))} of {len(ids)} passages embedded", 100 * start // len(ids))
