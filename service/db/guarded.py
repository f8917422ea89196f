"""Paid providers as the rest uses them: each call passes a gate, which is a breaker, or somebody who pays for it.

An adapter knows how to ask once, with a few quick retries. That a provider fails for everybody, and who has money for
a call, is known to the database; so these wrappers stand here and not with the adapters.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from sqlalchemy import Engine

from service.db.breaker import Breaker
from service.domain.money import Spending, embedding_micro_dollars, speech_micro_dollars
from service.ports import Embedder, Speech, Spoken

T = TypeVar("T")
PAID_VOICE, PAID_EMBEDDER = "openai:", "openai-"


class Gate(Protocol):
    """What a call of a known price passes. The key names the call: the same one is not paid twice by one payer."""

    def __call__(self, key: str, price: Spending, work: Callable[[], T]) -> T: ...


class GuardedSpeech:
    """A voice behind a gate. Each sentence passes on its own, so that it is settled as soon as it is spoken."""

    def __init__(self, speech: Speech, gate: Gate) -> None:
        self._speech, self._gate = speech, gate

    @property
    def voice(self) -> str:
        return self._speech.voice

    def say(self, text: str) -> Spoken:
        """Speak one sentence. Raises what the gate raises beside what the voice raises."""
        price = Spending(self.voice, len(text), "character", speech_micro_dollars(self.voice, len(text)))
        key = hashlib.sha256(f"{self.voice}\n{text}".encode()).hexdigest()
        return self._gate(f"speech:{key}", price, lambda: self._speech.say(text))

    def close(self) -> None:
        self._speech.close()


class GuardedEmbedder:
    """An embedder behind a gate, which each question and each batch of passages passes."""

    def __init__(self, embedder: Embedder, gate: Gate) -> None:
        self._embedder, self._gate = embedder, gate

    @property
    def name(self) -> str:
        return self._embedder.name

    @property
    def dimensions(self) -> int:
        return self._embedder.dimensions

    def passages(self, texts: Sequence[str]) -> list[list[float]]:
        """A vector for each text. Raises what the gate raises beside what the embedder raises."""
        return self._gate(*self._priced("embed", texts), lambda: self._embedder.passages(texts))

    def query(self, text: str) -> list[float]:
        """The vector of a question. Raises what the gate raises beside what the embedder raises."""
        return self._gate(*self._priced("ask", [text]), lambda: self._embedder.query(text))

    def _priced(self, kind: str, texts: Sequence[str]) -> tuple[str, Spending]:
        characters = sum(map(len, texts))
        price = embedding_micro_dollars(self.name, characters)
        key = hashlib.sha256("\n".join([self.name, *texts]).encode()).hexdigest()
        return f"{kind}:{key}", Spending(self.name, characters, "character", price)


def behind(breaker: Breaker) -> Gate:
    """The breaker as a gate: it raises Resting while the provider is left alone."""

    def gate(key: str, price: Spending, work: Callable[[], T]) -> T:  # noqa: ARG001 - it asks for no money
        return breaker.call(work)

    return gate


def guarded_speech(speech: Speech, engine: Engine) -> Speech:
    """The voice, behind a breaker when it is a provider's."""
    return paid_speech(speech, behind(Breaker(engine, "openai speech")))


def guarded_embedder(embedder: Embedder | None, engine: Engine) -> Embedder | None:
    """The embedder, behind a breaker when it is a provider's."""
    return paid_embedder(embedder, behind(Breaker(engine, "openai embeddings")))


def paid_speech(speech: Speech, gate: Gate) -> Speech:
    """The voice, behind the gate when it is a provider's, which has to be paid."""
    return GuardedSpeech(speech, gate) if speech.voice.startswith(PAID_VOICE) else speech


def paid_embedder(embedder: Embedder | None, gate: Gate) -> Embedder | None:
    """The embedder, behind the gate when it is a provider's, which has to be paid."""
    if embedder is None or not embedder.name.startswith(PAID_EMBEDDER):
        return embedder
    return GuardedEmbedder(embedder, gate)
