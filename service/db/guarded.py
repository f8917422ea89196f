"""Paid providers as the engine uses them: asked through their breaker, and never without money for it.

An adapter knows how to ask once, with a few quick retries. That a provider fails for everybody, and what a call costs,
is known to the database; so these wrappers stand here and not with the adapters.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from sqlalchemy import Engine

from service.db.breaker import Breaker
from service.db.steps import Spending
from service.db.task import Task
from service.domain.money import embedding_micro_dollars, speech_micro_dollars
from service.ports import Embedder, Speech, Spoken

PAID_VOICE, PAID_EMBEDDER = "openai:", "openai-"


class GuardedSpeech:
    """A voice behind the breaker of its provider."""

    def __init__(self, speech: Speech, breaker: Breaker) -> None:
        self._speech, self._breaker = speech, breaker

    @property
    def voice(self) -> str:
        return self._speech.voice

    def say(self, text: str) -> Spoken:
        """Speak one sentence. Raises Resting beside what the voice raises."""
        return self._breaker.call(lambda: self._speech.say(text))

    def close(self) -> None:
        self._speech.close()


class PaidSpeech:
    """A voice for one task: each sentence is settled as soon as it is spoken, and none is begun without money."""

    def __init__(self, speech: Speech, task: Task) -> None:
        self._speech, self._task = speech, task

    @property
    def voice(self) -> str:
        return self._speech.voice

    def say(self, text: str) -> Spoken:
        """Speak one sentence. Raises Paused beside what the voice raises."""
        self._task.may_spend()
        said = self._speech.say(text)
        price = speech_micro_dollars(self.voice, len(text))
        key = hashlib.sha256(f"{self.voice}\n{text}".encode()).hexdigest()
        self._task.book(f"speech:{key}", Spending(self.voice, len(text), "character", price))
        return said

    def close(self) -> None:
        self._speech.close()


class PaidEmbedder:
    """An embedder for one task: each question and each batch of passages is settled as soon as it is answered."""

    def __init__(self, embedder: Embedder, task: Task) -> None:
        self._embedder, self._task = embedder, task

    @property
    def name(self) -> str:
        return self._embedder.name

    @property
    def dimensions(self) -> int:
        return self._embedder.dimensions

    def passages(self, texts: Sequence[str]) -> list[list[float]]:
        """A vector for each text. Raises Paused beside what the embedder raises."""
        self._task.may_spend()
        vectors = self._embedder.passages(texts)
        self._book("embed", texts)
        return vectors

    def query(self, text: str) -> list[float]:
        """The vector of a question. Raises Paused beside what the embedder raises."""
        self._task.may_spend()
        vector = self._embedder.query(text)
        self._book("ask", [text])
        return vector

    def _book(self, kind: str, texts: Sequence[str]) -> None:
        characters = sum(map(len, texts))
        price = embedding_micro_dollars(self.name, characters)
        key = hashlib.sha256("\n".join([self.name, *texts]).encode()).hexdigest()
        self._task.book(f"{kind}:{key}", Spending(self.name, characters, "character", price))


class GuardedEmbedder:
    """An embedder behind the breaker of its provider."""

    def __init__(self, embedder: Embedder, breaker: Breaker) -> None:
        self._embedder, self._breaker = embedder, breaker

    @property
    def name(self) -> str:
        return self._embedder.name

    @property
    def dimensions(self) -> int:
        return self._embedder.dimensions

    def passages(self, texts: Sequence[str]) -> list[list[float]]:
        """A vector for each text. Raises Resting beside what the embedder raises."""
        return self._breaker.call(lambda: self._embedder.passages(texts))

    def query(self, text: str) -> list[float]:
        """The vector of a question. Raises Resting beside what the embedder raises."""
        return self._breaker.call(lambda: self._embedder.query(text))


def guarded_speech(speech: Speech, engine: Engine) -> Speech:
    """The voice, behind a breaker when it is a provider's."""
    return GuardedSpeech(speech, Breaker(engine, "openai speech")) if speech.voice.startswith(PAID_VOICE) else speech


def guarded_embedder(embedder: Embedder | None, engine: Engine) -> Embedder | None:
    """The embedder, behind a breaker when it is a provider's."""
    if embedder is None or not embedder.name.startswith(PAID_EMBEDDER):
        return embedder
    return GuardedEmbedder(embedder, Breaker(engine, "openai embeddings"))


def paid_speech(speech: Speech, task: Task) -> Speech:
    """The voice for one task, which pays for it when it is a provider's."""
    return PaidSpeech(speech, task) if speech.voice.startswith(PAID_VOICE) else speech


def paid_embedder(embedder: Embedder | None, task: Task) -> Embedder | None:
    """The embedder for one task, which pays for it when it is a provider's."""
    if embedder is None or not embedder.name.startswith(PAID_EMBEDDER):
        return embedder
    return PaidEmbedder(embedder, task)
