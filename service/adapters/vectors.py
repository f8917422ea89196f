"""Retrieval over one course's passages with Qdrant: in this process, or a server.

PostgreSQL keeps the passages and their vectors; a collection is an index of them that may vanish at any time. Its name
says which course, which embedder and which passages it holds, so a stale one is never asked and two processes that
build the same one write the same points. Search is by meaning and by words, fused by rank; by words alone where no
passage has a vector yet.
"""

from __future__ import annotations

import hashlib
import logging
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import UUID

from service.adapters.terms import Sparse, mean_length, passage_weights, query_weights
from service.domain.source import Chunk
from service.errors import BadInput, Broken, Unavailable
from service.ports import Embedder, IndexedChunk
from service.traces import provider_call

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qdrant_client import QdrantClient, models

_DENSE, _WORDS = "dense", "bm25"
_POINTS_A_REQUEST = 64
_COURSES_IN_MEMORY = 16
_DEPTH = 4  # each way of search gives this many times the wished number, before the fusion
_PATIENCE = 15  # seconds
log = logging.getLogger(__name__)


def open_vectors(url: str, api_key: str = "") -> QdrantVectors:
    """The index that a URL names: `memory:` in this process, or the `https://` address of a Qdrant server.

    Raises:
        BadInput: there is no such index.
    """
    if url == "memory:":
        return QdrantVectors("", "", keep=_COURSES_IN_MEMORY)
    if url.startswith(("https://", "http://")):
        return QdrantVectors(url, api_key, keep=0)
    raise BadInput(f"There is no vector index {url!r}. Use memory: or the https:// address of a Qdrant server.")


class QdrantVectors:
    """One collection per course. Safe to share between threads; `keep` bounds the courses held in memory, 0: all."""

    def __init__(self, url: str, api_key: str, keep: int) -> None:
        self._url, self._key, self._keep = url, api_key, keep
        self._client: QdrantClient | None = None
        self._turn = threading.RLock()  # Qdrant in-process is not made for threads
        self._recent: OrderedDict[UUID, None] = OrderedDict()

    def search(
        self,
        course_id: UUID,
        query: str,
        limit: int,
        embedder: Embedder | None,
        load: Callable[[], Sequence[IndexedChunk]],
    ) -> list[Chunk]:
        """The course's passages that fit the query, best first, at most `limit`.

        `load` gives the course's rows as they are now; the index is built anew when they differ from what it holds.

        Raises:
            Unavailable: the server does not answer.
            Broken: the server refuses; or the embedder does.
        """
        rows = load()
        if not rows or limit < 1 or not query.strip():
            return []
        dense = _question(embedder, query) if embedder and _has_vectors(rows, embedder) else None
        with self._turn, _told("query"):
            collection = self._built(course_id, embedder, rows)
            found = self._asked(collection, course_id, dense, query_weights(query), limit)
        return [rows[index].chunk for index in found]

    def rebuild(self, course_id: UUID, embedder: Embedder | None, rows: Sequence[IndexedChunk]) -> int:
        """Build the course's index anew and return how many passages it holds. Raises Unavailable and Broken."""
        self.drop(course_id)
        with self._turn, _told("index"):
            if rows:
                self._built(course_id, embedder, rows)
        return len(rows)

    def drop(self, course_id: UUID) -> None:
        """Forget the course; nothing happens when it is not known. Raises Unavailable and Broken."""
        with self._turn, _told("delete"):
            self._forget(course_id, but="")

    def close(self) -> None:
        """Give the connection back; what was in memory is gone."""
        with self._turn:
            if self._client is not None:
                self._client.close()
            self._client = None
            self._recent.clear()

    def _qdrant(self) -> QdrantClient:
        from qdrant_client import QdrantClient

        if self._client is None:
            if self._url:
                self._client = QdrantClient(
                    url=self._url, api_key=self._key or None, timeout=_PATIENCE, check_compatibility=False
                )
            else:
                self._client = QdrantClient(":memory:")
        return self._client

    def _built(self, course_id: UUID, embedder: Embedder | None, rows: Sequence[IndexedChunk]) -> str:
        """The name of the collection that holds exactly these rows; built when it is not there whole."""
        client = self._qdrant()
        collection = _collection_name(course_id, embedder, rows)
        if client.collection_exists(collection) and client.count(collection, exact=True).count == len(rows):
            self._touch(course_id)
            return collection
        size = embedder.dimensions if embedder and _has_vectors(rows, embedder) else 0
        if not client.collection_exists(collection):
            _create(client, collection, size)
        points = _points(course_id, rows, size)
        for start in range(0, len(points), _POINTS_A_REQUEST):
            client.upsert(collection, points[start : start + _POINTS_A_REQUEST], wait=True)
        self._forget(course_id, but=collection)
        self._touch(course_id)
        log.info(
            "course %s is indexed: %d passages, %s", course_id, len(rows), "with vectors" if size else "words only"
        )
        return collection

    def _asked(
        self, collection: str, course_id: UUID, dense: list[float] | None, words: Sparse, limit: int
    ) -> list[int]:
        """The rows that fit, by number. The course stands in every filter though the collection is its own."""
        from qdrant_client import models

        own = models.Filter(must=[models.FieldCondition(key="course", match=models.MatchValue(value=str(course_id)))])
        ways: list[models.Prefetch] = []
        if dense is not None:
            ways.append(models.Prefetch(query=dense, using=_DENSE, filter=own, limit=limit * _DEPTH))
        if words:
            ways.append(models.Prefetch(query=_sparse(words), using=_WORDS, filter=own, limit=limit * _DEPTH))
        if not ways:
            return []
        answer = self._qdrant().query_points(
            collection,
            prefetch=ways,
            query=models.FusionQuery(fusion=models.Fusion.RRF),
            query_filter=own,
            limit=limit,
            with_payload=False,
        )
        return [int(point.id) for point in answer.points]

    def _touch(self, course_id: UUID) -> None:
        """Note that the course was asked; the one that was not for longest makes room."""
        self._recent[course_id] = None
        self._recent.move_to_end(course_id)
        while self._keep and len(self._recent) > self._keep:
            oldest, _ = self._recent.popitem(last=False)
            self._forget(oldest, but="")

    def _forget(self, course_id: UUID, but: str) -> None:
        client = self._qdrant()
        for found in client.get_collections().collections:
            if found.name.startswith(_prefix(course_id)) and found.name != but:
                client.delete_collection(found.name)


@contextmanager
def _told(operation: str) -> Iterator[None]:
    """Qdrant's errors as ours, and its time as a span."""
    from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

    try:
        with provider_call("qdrant", operation, **{"db.system.name": "qdrant", "db.operation.name": operation}):
            yield
    except ResponseHandlingException as error:
        raise Unavailable("The vector index does not answer. Try again later.") from error
    except UnexpectedResponse as error:
        if error.status_code is None or error.status_code in (404, 408, 409, 429) or error.status_code >= 500:
            # 404 and 409: another process built or dropped the same collection in this moment.
            raise Unavailable(f"The vector index is busy ({error.status_code}). Try again later.") from error
        raise Broken(f"The vector index refused ({error.status_code}). Check its address and key.") from error


def _question(embedder: Embedder, query: str) -> list[float] | None:
    """The query's vector; None when the embedder does not answer: words alone are better than no answer."""
    try:
        return embedder.query(query)
    except Unavailable:
        log.warning("search by words alone: the embedder %s does not answer", embedder.name)
        return None


def _usable(row: IndexedChunk, size: int) -> list[float] | None:
    """The row's vector if it is of the embedder in use; after a switch, rows keep old ones until embedded again."""
    return row.vector if size and row.vector is not None and len(row.vector) == size else None


def _has_vectors(rows: Sequence[IndexedChunk], embedder: Embedder) -> bool:
    size = embedder.dimensions
    return any(_usable(row, size) for row in rows)


def _prefix(course_id: UUID) -> str:
    return f"course-{course_id.hex}-"


def _collection_name(course_id: UUID, embedder: Embedder | None, rows: Sequence[IndexedChunk]) -> str:
    """Course, embedder and a hash of what is in it: equal names hold equal points."""
    size = embedder.dimensions if embedder else 0
    digest = hashlib.sha256()
    for row in rows:
        embedded = _usable(row, size) is not None
        digest.update(f"{row.chunk.source} {row.chunk.start} {row.chunk.end} {embedded} {row.chunk.heading}\n".encode())
    how = re.sub(r"[^a-z0-9]+", "-", embedder.name.lower()) if embedder else "words"
    return f"{_prefix(course_id)}{how}-{size}-{digest.hexdigest()[:16]}"


def _create(client: QdrantClient, collection: str, size: int) -> None:
    from qdrant_client import models

    dense = {_DENSE: models.VectorParams(size=size, distance=models.Distance.COSINE)} if size else {}
    words = {_WORDS: models.SparseVectorParams(modifier=models.Modifier.IDF)}
    client.create_collection(collection, vectors_config=dense, sparse_vectors_config=words)


def _points(course_id: UUID, rows: Sequence[IndexedChunk], size: int) -> list[models.PointStruct]:
    from qdrant_client import models

    texts = [f"{row.chunk.heading}\n{row.chunk.text}" for row in rows]
    usual = mean_length(texts)
    points: list[models.PointStruct] = []
    for number, (row, text) in enumerate(zip(rows, texts, strict=True)):
        vectors: dict[str, Any] = {_WORDS: _sparse(passage_weights(text, usual))}
        vector = _usable(row, size)
        if vector is not None:
            vectors[_DENSE] = vector
        points.append(models.PointStruct(id=number, vector=vectors, payload={"course": str(course_id)}))
    return points


def _sparse(weights: Sparse) -> models.SparseVector:
    from qdrant_client import models

    return models.SparseVector(indices=list(weights), values=list(weights.values()))
