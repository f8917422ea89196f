"""Where learners' questions are answered: in the site's own request, few at a time, from evidence that is kept.

A question needs every passage and every vector of its course. Reading them from the database each time costs more than
answering, so the last courses' are kept, each with the mark of what it was made from; one small query before every
answer says whether that still holds.
"""

from __future__ import annotations

import math
import threading
import uuid
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from operator import mul

from service.db.engine import session_scope
from service.db.errands import ErrandPurse
from service.db.guarded import paid_embedder
from service.db.queries import evidence_mark, indexed_chunks, read_sources
from service.db.tables import Errand
from service.domain.answer import LONGEST_QUESTION, Answer
from service.domain.course import Brief
from service.domain.source import Chunk, Source
from service.errors import BadInput, OverBudget, Paused, Unavailable
from service.ports import Closeness, Embedder, Evidence, IndexedChunk, Services, Vectors

COURSES_KEPT = 4
AT_ONCE, PATIENCE_SECONDS = 2, 5.0
NO_MONEY = "Looked up by its words alone: there is no money left for a search by meaning now."
NO_MEANING = "Looked up by its words alone: the search by meaning does not answer now."


@dataclass(frozen=True)
class _Kept:
    mark: tuple[tuple[object, ...], ...]
    sources: tuple[Source, ...]
    rows: Sequence[IndexedChunk]
    sentences: dict[str, list[float]] = field(default_factory=dict)


class AskingDesk:
    """Answers questions about courses. Safe to share between threads; holds no connection while it thinks."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        self._lock = threading.Lock()
        self._kept: OrderedDict[uuid.UUID, _Kept] = OrderedDict()

    def ask(self, course_id: uuid.UUID, brief: Brief, question: str) -> Answer:
        """What the course's sources say about the question. A paid embedder is paid by the course's owner; when that
        cannot be, words alone decide, and the answer says so.

        Raises:
            BadInput: there is no question, or it is too long.
            Unavailable: too many questions are being answered, or a part of the world does not answer.
            Broken: the embedder or the index refuses.
        """
        question = check_question(question)
        if not self._turns.acquire(timeout=PATIENCE_SECONDS):
            raise Unavailable("Many questions are being answered now. Ask again in a moment.")
        try:
            kept = self._current(course_id)
            asked = self._embedder(course_id, kept)
            evidence = _evidence(course_id, kept.sources, kept.rows, self._services.vectors, asked)
            answer = self._services.author.answer(brief, question, evidence, _told_to_nobody)
        finally:
            self._turns.release()
        return answer.model_copy(update={"by_words": asked.silent_because}) if asked else answer

    def _embedder(self, course_id: uuid.UUID, kept: _Kept) -> _Remembering | None:
        purse = ErrandPurse(self._services.engine, course_id, Errand.ASK, self._services.settings.caps)
        embedder = paid_embedder(self._services.embedder, purse)
        return _Remembering(embedder, kept.sentences) if embedder else None

    def _current(self, course_id: uuid.UUID) -> _Kept:
        with session_scope(self._services.engine) as session:
            # The mark first: what changes after it is read is seen by the next question.
            mark = evidence_mark(session, course_id)
            with self._lock:
                kept = self._kept.get(course_id)
            if kept is None or kept.mark != mark:
                kept = _Kept(mark, read_sources(session, course_id), indexed_chunks(session, course_id))
        with self._lock:
            self._kept[course_id] = kept
            self._kept.move_to_end(course_id)
            while len(self._kept) > COURSES_KEPT:
                self._kept.popitem(last=False)
        return kept


def _told_to_nobody(what: str, part: float | None = None) -> None:
    """An answer is too quick for progress."""


class _Remembering:
    """An embedder that remembers: a question is embedded once however often it is asked for, a sentence once a course
    is kept. One that nobody can pay is away like one that does not answer; `silent_because` tells people of both.
    """

    def __init__(self, embedder: Embedder, sentences: dict[str, list[float]]) -> None:
        self._embedder, self._sentences = embedder, sentences
        self.name, self.dimensions = embedder.name, embedder.dimensions
        self._questions: dict[str, list[float]] = {}
        self.silent_because = ""

    def passages(self, texts: Sequence[str]) -> list[list[float]]:
        new = [text for text in dict.fromkeys(texts) if text not in self._sentences]
        if new:
            with self._noted():
                self._sentences.update(zip(new, self._embedder.passages(new), strict=True))
        return [self._sentences[text] for text in texts]

    def query(self, text: str) -> list[float]:
        if text not in self._questions:
            with self._noted():
                self._questions[text] = self._embedder.query(text)
        return self._questions[text]

    @contextmanager
    def _noted(self) -> Iterator[None]:
        try:
            if self.silent_because:
                raise Unavailable(self.silent_because)  # what failed for this question is not tried for it again
            yield
        except (OverBudget, Paused) as error:
            self.silent_because = NO_MONEY
            raise Unavailable(NO_MONEY) from error
        except Unavailable:
            self.silent_because = self.silent_because or NO_MEANING
            raise


def kept_evidence(
    course_id: uuid.UUID,
    sources: tuple[Source, ...],
    rows: Sequence[IndexedChunk],
    vectors: Vectors,
    embedder: Embedder | None,
) -> Evidence:
    """Evidence over rows that are in memory: of this course, and asked of nothing else."""
    return _evidence(course_id, sources, rows, vectors, _Remembering(embedder, {}) if embedder else None)


def _evidence(
    course_id: uuid.UUID,
    sources: tuple[Source, ...],
    rows: Sequence[IndexedChunk],
    vectors: Vectors,
    remembering: _Remembering | None,
) -> Evidence:
    def search(query: str, limit: int) -> Sequence[Chunk]:
        return vectors.search(course_id, query, limit, remembering, lambda: rows)

    def closeness(question: str) -> Closeness | None:
        return _closest(question, rows, remembering) if remembering else None

    return Evidence(sources=sources, search=search, closeness=closeness)


def _closest(question: str, rows: Sequence[IndexedChunk], embedder: Embedder) -> Closeness | None:
    embedded = [(row.chunk, row.vector) for row in rows if row.vector and len(row.vector) == embedder.dimensions]
    if not embedded:
        return None
    try:
        asked = embedder.query(question)
    except Unavailable:
        return None  # words alone decide, as they do in the search
    near = [_cosine(asked, vector) for _, vector in embedded]
    best = max(range(len(near)), key=near.__getitem__)

    def of(texts: Sequence[str]) -> list[float]:
        return [_cosine(asked, vector) for vector in embedder.passages(texts)]

    return Closeness(embedder.name, embedded[best][0], sum(near) / len(near), of)


def _cosine(one: Sequence[float], other: Sequence[float]) -> float:
    product = math.fsum(map(mul, one, other))
    length = math.hypot(*one) * math.hypot(*other)
    return product / length if length else 0.0


def check_question(question: str) -> str:
    """The question on one line. Raises BadInput when it is empty or too long."""
    question = " ".join(question.replace("\x00", " ").split())
    if not question:
        raise BadInput("There is no question yet. Type one and ask again.")
    if len(question) > LONGEST_QUESTION:
        raise BadInput(f"A question has at most {LONGEST_QUESTION} characters. Ask one thing at a time.")
    return question
