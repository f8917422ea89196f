"""Retrieval: the right passage comes first, only from the course that was asked, and never from a stale index."""

from __future__ import annotations

import math
from collections.abc import Sequence
from uuid import UUID, uuid4

import pytest

from service.adapters.terms import mean_length, passage_weights, query_weights, terms
from service.adapters.vectors import QdrantVectors, open_vectors
from service.domain.source import Chunk
from service.errors import BadInput, Unavailable
from service.ports import IndexedChunk

TEXTS = (
    "A bowline makes a loop at the end of a rope that does not slip.",
    "Dough rises because yeast turns sugar into gas.",
    "The tide rises twice a day under the pull of the Moon.",
    "A reef knot joins two ropes of the same thickness.",
    "Bread is baked in a hot oven until its crust is brown.",
)
SUBJECTS = ("rope", "bread", "sea")


class Subjects:
    """An embedder whose meaning is known: one direction for each subject, told by words that name it."""

    name = "subjects"
    dimensions = 3
    words = (
        ("rope", "ropes", "knot", "bowline", "cord"),
        ("bread", "dough", "oven", "loaf"),
        ("tide", "moon", "sea", "ocean"),
    )

    def passages(self, texts: Sequence[str]) -> list[list[float]]:
        return [self.query(text) for text in texts]

    def query(self, text: str) -> list[float]:
        found = set(terms(text)) | set(text.lower().replace(".", "").split())
        counts = [0.01 + len(found & set(words)) for words in self.words]
        length = math.sqrt(sum(x * x for x in counts))
        return [x / length for x in counts]


class Silent(Subjects):
    def query(self, text: str) -> list[float]:
        raise Unavailable(f"away: {text}")


def rows_of(
    texts: Sequence[str] = TEXTS, embedder: Subjects | None = None, source: str = "a" * 64
) -> list[IndexedChunk]:
    rows, at = [], 0
    for text in texts:
        chunk = Chunk(source=source, start=at, end=at + len(text), heading="", text=text)
        rows.append(IndexedChunk(chunk, Subjects().query(text) if embedder else None))
        at += len(text) + 2
    return rows


@pytest.fixture
def vectors() -> QdrantVectors:
    return open_vectors("memory:")


def found(
    vectors: QdrantVectors, course: UUID, query: str, rows: list[IndexedChunk], embedder: Subjects | None = None
) -> list[str]:
    return [chunk.text for chunk in vectors.search(course, query, 3, embedder, lambda: rows)]


def test_words_find_the_passage_that_holds_them(vectors: QdrantVectors) -> None:
    assert found(vectors, uuid4(), "what does yeast do?", rows_of()) == [TEXTS[1]]


def test_a_rare_word_weighs_more_than_a_frequent_one(vectors: QdrantVectors) -> None:
    texts = [f"Ropes rise and ropes fall, ropes everywhere number {n}." for n in range(8)] + ["One rope has yarn."]
    assert found(vectors, uuid4(), "ropes yarn", rows_of(texts))[0] == texts[-1]


def test_meaning_finds_what_shares_no_word(vectors: QdrantVectors) -> None:
    answers = found(vectors, uuid4(), "ocean", rows_of(embedder=Subjects()), Subjects())
    assert answers[0] == TEXTS[2]


def test_words_and_meaning_are_fused(vectors: QdrantVectors) -> None:
    answers = found(vectors, uuid4(), "cord of the same thickness", rows_of(embedder=Subjects()), Subjects())
    assert answers[0] == TEXTS[3]
    assert TEXTS[0] in answers


def test_passages_without_a_vector_are_found_beside_those_with_one(vectors: QdrantVectors) -> None:
    rows = rows_of(embedder=Subjects())
    rows[1] = IndexedChunk(rows[1].chunk, None)
    assert TEXTS[1] in found(vectors, uuid4(), "yeast", rows, Subjects())


def test_vectors_of_another_embedder_are_not_compared(vectors: QdrantVectors) -> None:
    rows = [IndexedChunk(row.chunk, [1.0] * 7) for row in rows_of()]
    assert found(vectors, uuid4(), "yeast", rows, Subjects()) == [TEXTS[1]]


def test_an_embedder_that_is_away_leaves_the_words(vectors: QdrantVectors) -> None:
    assert found(vectors, uuid4(), "yeast", rows_of(embedder=Subjects()), Silent())[0] == TEXTS[1]


def test_a_course_never_sees_another_ones_passages(vectors: QdrantVectors) -> None:
    mine, theirs = uuid4(), uuid4()
    assert found(vectors, mine, "rope", rows_of(TEXTS[:1])) == [TEXTS[0]]
    assert found(vectors, theirs, "rope", rows_of(TEXTS[3:4])) == [TEXTS[3]]
    assert found(vectors, mine, "rope", rows_of(TEXTS[:1])) == [TEXTS[0]]


def test_a_foreign_point_in_a_course_s_own_collection_is_not_found(vectors: QdrantVectors) -> None:
    from qdrant_client import models

    course, rows = uuid4(), rows_of()
    found(vectors, course, "yeast", rows)
    client = vectors._qdrant()
    [collection] = client.get_collections().collections
    vector = {"bm25": models.SparseVector(indices=list(query_weights("yeast")), values=[9.0])}
    client.upsert(collection.name, [models.PointStruct(id=0, vector=vector, payload={"course": str(uuid4())})])
    assert found(vectors, course, "yeast", rows) == [TEXTS[1]]


def test_the_index_follows_the_rows(vectors: QdrantVectors) -> None:
    course = uuid4()
    assert found(vectors, course, "yeast tide", rows_of(TEXTS[:2])) == [TEXTS[1]]
    assert set(found(vectors, course, "yeast tide", rows_of(TEXTS[:3]))) == {TEXTS[1], TEXTS[2]}
    assert found(vectors, course, "yeast tide", rows_of(TEXTS[:1])) == []


def test_the_index_follows_vectors_that_arrive_later(vectors: QdrantVectors) -> None:
    course = uuid4()
    assert found(vectors, course, "ocean", rows_of(), Subjects()) == []
    assert found(vectors, course, "ocean", rows_of(embedder=Subjects()), Subjects())[0] == TEXTS[2]


def test_equal_rows_are_indexed_once(vectors: QdrantVectors, monkeypatch: pytest.MonkeyPatch) -> None:
    course, rows = uuid4(), rows_of()
    found(vectors, course, "yeast", rows)
    built: list[str] = []
    monkeypatch.setattr("service.adapters.vectors._create", lambda *created: built.append(created[1]))
    found(vectors, course, "rope", rows)
    assert built == []


def test_a_half_built_index_is_completed(vectors: QdrantVectors) -> None:
    course, rows = uuid4(), rows_of()
    found(vectors, course, "yeast", rows)
    client = vectors._qdrant()
    [collection] = client.get_collections().collections
    client.delete(collection.name, [1])
    assert found(vectors, course, "yeast", rows) == [TEXTS[1]]


def test_rebuild_counts_and_drop_forgets(vectors: QdrantVectors) -> None:
    course = uuid4()
    assert vectors.rebuild(course, None, rows_of()) == 5
    assert len(vectors._qdrant().get_collections().collections) == 1
    vectors.drop(course)
    assert vectors._qdrant().get_collections().collections == []
    vectors.drop(course)
    assert vectors.rebuild(course, None, []) == 0


def test_memory_holds_only_the_courses_asked_last() -> None:
    vectors = QdrantVectors("", "", keep=2)
    courses = [uuid4() for _ in range(3)]
    for course in courses:
        found(vectors, course, "rope", rows_of())
    names = [c.name for c in vectors._qdrant().get_collections().collections]
    assert sorted(name.split("-")[1] for name in names) == sorted(course.hex for course in courses[1:])


def test_nothing_to_search_or_to_ask_is_no_answer(vectors: QdrantVectors) -> None:
    assert vectors.search(uuid4(), "rope", 5, None, list) == []
    assert found(vectors, uuid4(), "  ", rows_of()) == []
    assert found(vectors, uuid4(), "of the", rows_of()) == []


def test_at_most_the_wished_number_comes_back(vectors: QdrantVectors) -> None:
    rows = rows_of([f"A rope of number {n} holds." for n in range(30)])
    assert len(vectors.search(uuid4(), "rope", 4, None, lambda: rows)) == 4


def test_threads_share_one_index(vectors: QdrantVectors) -> None:
    from concurrent.futures import ThreadPoolExecutor

    courses = [uuid4() for _ in range(4)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: found(vectors, courses[n % 4], "yeast", rows_of()), range(40)))
    assert answers == [[TEXTS[1]]] * 40


def test_a_server_that_is_not_there_is_unavailable() -> None:
    vectors = open_vectors("http://127.0.0.1:9")
    with pytest.raises(Unavailable):
        found(vectors, uuid4(), "rope", rows_of())


def test_the_url_chooses_the_index() -> None:
    with pytest.raises(BadInput, match="no vector index"):
        open_vectors("redis://here")


def test_terms_leave_common_words_and_plurals_and_split_scripts_without_spaces() -> None:
    assert terms("The ropes of the boxes carry loads, and glass is glass") == [
        "rope",
        "box",
        "carry",
        "load",
        "glass",
        "glass",
    ]
    assert terms("git_add 3.5") == ["git", "add", "3", "5"]
    assert terms("縄を結ぶ") == ["縄を", "を結", "結ぶ"]


def test_a_word_counts_less_each_time_and_less_in_a_long_passage() -> None:
    [rope] = query_weights("rope")
    once, often = passage_weights("rope knot", 2)[rope], passage_weights("rope rope rope knot", 2)[rope]
    assert once < often < 3 * once
    assert passage_weights("rope " + "word " * 50, 2)[rope] < once
    assert mean_length([]) == 1
