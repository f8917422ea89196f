"""The seams: what the product needs of the world, as protocols, and the frozen record that carries the chosen ones.

A protocol stands here only where at least two of our own implementations exist. Implementations live in
`service/adapters`, one file per port; `service/wiring.py` alone chooses among them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol
from uuid import UUID

from service.domain.answer import Answer
from service.domain.course import Brief, CoursePlan
from service.domain.lesson import Lesson
from service.domain.money import Spending
from service.domain.quiz import Quiz
from service.domain.revision import Change, LessonDocuments
from service.domain.ring import Ring
from service.domain.source import Chunk, Source
from service.domain.storyboard import Storyboard
from service.domain.support import Contradiction

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from service.settings import Settings

Lane = Literal["author", "render"]


class StorageService(Protocol):
    """Files by key. Keys are ours, content-addressed (`kind/<sha256>.ext`) and written once."""

    def put(self, key: str, body: bytes | Path, content_type: str) -> bool:
        """Create the object; False when it is there already, which is success: the key names its content.

        Raises:
            Unavailable: the store does not answer, or is full.
        """
        ...

    def get(self, key: str, start: int = 0, end: int | None = None) -> bytes:
        """The object's bytes from `start` to before `end`.

        Raises:
            NotFound: there is no such object.
        """
        ...

    def fetch(self, key: str, to: Path) -> None:
        """Write the object to a local file, whole or not at all. Raises NotFound."""
        ...

    def size(self, key: str) -> int | None:
        """The object's size in bytes, None when it is not there."""
        ...

    def delete(self, key: str) -> None:
        """Remove the object; nothing happens when it is not there."""
        ...

    def signed_url(self, key: str, lives: timedelta, content_type: str = "", filename: str = "") -> str:
        """An address that anyone may read this one object at, with Range, until it expires."""
        ...


class Doorbell(Protocol):
    """Says "look at the job table" to a lane. Lost, doubled and reordered rings are harmless."""

    @property
    def heard(self) -> bool:
        """Whether anybody waits for rings. Workers that look by themselves do not."""
        ...

    def ring(self, ring: Ring, *, trace_parent: str = "", patience_seconds: float = 2.0) -> None:
        """Hand the ring over and return when it is taken. `trace_parent` is the W3C trace context of its run.

        Raises:
            Unavailable: it was not taken within `patience_seconds`; it may arrive all the same.
            Broken: the doorbell refuses it, and will again.
        """
        ...

    def close(self) -> None: ...


class JobLauncher(Protocol):
    """Starts workers of a lane. Starting one too many is harmless: it finds nothing and ends."""

    @property
    def standing(self) -> bool:
        """Whether workers stay, idle or not: launched once when the site starts, and not again whenever work comes."""
        ...

    def launch(self, lane: Lane, tasks: int = 1) -> str:
        """Start the lane with so many workers; the name of the execution, empty where there is none.

        Standing workers are as many as their machine is set to keep, whatever `tasks` says.

        Raises:
            Unavailable: the platform does not start it now.
        """
        ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class Spoken:
    """Speech as mono PCM: 16-bit little-endian samples at `rate` Hz."""

    pcm: bytes
    rate: int

    @property
    def seconds(self) -> float:
        return len(self.pcm) / 2 / self.rate


class Speech(Protocol):
    """A voice. `voice` names engine, voice and parameters: equal names speak alike, so it keys the cache."""

    @property
    def voice(self) -> str: ...

    def say(self, text: str) -> Spoken:
        """Speak one sentence.

        Raises:
            Unavailable: the engine does not answer; retrying may help.
            Broken: the engine cannot speak this text.
        """
        ...

    def close(self) -> None: ...


class Embedder(Protocol):
    """Text to vectors of one length. `name` goes into the collection's name, so a switch reindexes."""

    @property
    def name(self) -> str: ...

    @property
    def dimensions(self) -> int: ...

    def passages(self, texts: Sequence[str]) -> list[list[float]]: ...

    def query(self, text: str) -> list[float]: ...


@dataclass(frozen=True)
class IndexedChunk:
    """A passage with its vector, as PostgreSQL keeps it; None where nothing embeds."""

    chunk: Chunk
    vector: list[float] | None


class Vectors(Protocol):
    """Retrieval over one course's passages: an index that is built on demand from the rows that `load` gives."""

    def search(
        self,
        course_id: UUID,
        query: str,
        limit: int,
        embedder: Embedder | None,
        load: Callable[[], Sequence[IndexedChunk]],
    ) -> list[Chunk]: ...

    def rebuild(self, course_id: UUID, embedder: Embedder | None, rows: Sequence[IndexedChunk]) -> int:
        """Build the course's index anew and return how many passages it holds."""
        ...

    def drop(self, course_id: UUID) -> None: ...

    def close(self) -> None: ...


class Report(Protocol):
    """How a long piece of work tells where it is. Raises Canceled when it should stop."""

    def __call__(self, what: str, part: float | None = None) -> None:
        """`what` in the instructor's words; `part` of this piece of work that is done, 0 to 1."""
        ...


class Till(Protocol):
    """Where an author that pays asks before a call, and books what it cost."""

    @property
    def payer(self) -> str:
        """Who is charged: a call that was recorded for somebody else is free."""
        ...

    def may_spend(self, most: int) -> None:
        """Asked before a call that costs at most so many micro-dollars. Raises Paused when they may not be spent."""
        ...

    def book(self, key: str, *spent: Spending) -> None:
        """Charge a call, once for each key."""
        ...

    def used(self, key: str) -> None:
        """Note a recorded call that the work is made from, whoever paid for it."""
        ...


@dataclass(frozen=True)
class Unpaid:
    """The till of somebody who keeps no books: a test, or an author that costs nothing."""

    payer: str = ""

    def may_spend(self, most: int) -> None:
        """Always."""

    def book(self, key: str, *spent: Spending) -> None:
        """Nothing is booked."""

    def used(self, key: str) -> None:
        """Nothing is noted."""


UNPAID = Unpaid()


@dataclass(frozen=True)
class Closeness:
    """How near a course is to a question in meaning: its nearest passage, the mean cosine of all of them, and the
    cosines of any texts (`of`), which the embedder is asked for."""

    embedder: str
    chunk: Chunk
    mean: float
    of: Callable[[Sequence[str]], list[float]]


def _unknown(question: str) -> Closeness | None:  # noqa: ARG001 - nothing embeds
    return None


@dataclass(frozen=True)
class Evidence:
    """What an author may use: the course's own sources, and retrieval over their passages and nothing else.

    `earlier` are versions that newer ones took the place of, while something still cites them. They prove what is
    written already; nothing new is made from them.
    """

    sources: tuple[Source, ...]
    search: Callable[[str, int], Sequence[Chunk]]
    closeness: Callable[[str], Closeness | None] = _unknown
    earlier: tuple[Source, ...] = ()

    @property
    def citable(self) -> tuple[Source, ...]:
        """Every source that a cite may point into."""
        return (*self.sources, *self.earlier)

    def source(self, sha256: str) -> Source:
        """The source with this hash.

        Raises:
            KeyError: the course has no such source.
        """
        for source in self.sources:
            if source.sha256 == sha256:
                return source
        raise KeyError(sha256)


class Author(Protocol):
    """Evidence in, typed document out. Every factual sentence carries an exact cite into the evidence.

    An author that asks a model raises what `Speech` raises, and Paused when money or credit is at its end.
    """

    @property
    def name(self) -> str:
        """Names everything that an equal answer depends on besides its input: it keys what is made."""
        ...

    def plan(self, brief: Brief, evidence: Evidence, report: Report, till: Till = UNPAID) -> CoursePlan:
        """The outline. Raises BadInput when the sources hold nothing to teach."""
        ...

    def write(
        self, brief: Brief, plan: CoursePlan, lesson_id: str, evidence: Evidence, report: Report, till: Till = UNPAID
    ) -> Lesson:
        """The text of one lesson. Raises BadInput when the sources say nothing about it."""
        ...

    def storyboard(
        self, brief: Brief, plan: CoursePlan, lesson: Lesson, evidence: Evidence, report: Report, till: Till = UNPAID
    ) -> Storyboard: ...

    def quiz(
        self, brief: Brief, plan: CoursePlan, lesson: Lesson, evidence: Evidence, report: Report, till: Till = UNPAID
    ) -> Quiz: ...

    def revise(
        self,
        brief: Brief,
        plan: CoursePlan,
        documents: LessonDocuments,
        change: Change,
        evidence: Evidence,
        report: Report,
        till: Till = UNPAID,
    ) -> LessonDocuments:
        """The lesson's documents with one part made anew as the change wishes.

        A block or the whole lesson changes `text` alone, a scene changes `storyboard` alone; every other block and
        scene stays as it is, byte for byte. Storyboard and quiz may be asked for again afterwards.

        Raises:
            BadInput: there is no such part, or this author cannot do what is wished; the message says what it can.
        """
        ...

    def answer(self, brief: Brief, question: str, evidence: Evidence, report: Report) -> Answer:
        """What the evidence says about a learner's question; without sentences where it says nothing.

        The question is data, at most `LONGEST_QUESTION` characters. Raises what `Evidence.search` raises.
        """
        ...


class Stills(Protocol):
    """Draws a slide's thumbnail."""

    def draw(self, storyboard: Storyboard, scene_id: str, width: int) -> bytes:
        """A JPEG of the scene's last settled state. Raises NotFound when the storyboard has no such scene."""
        ...


class Mailer(Protocol):
    """Sends one plain-text message."""

    def send(self, to: str, subject: str, text: str) -> None: ...


@dataclass(frozen=True)
class Services:
    """Everything that a page, a step or a command may use; opened once by `wiring.open_services`, passed along."""

    settings: Settings
    engine: Engine
    storage: StorageService
    doorbell: Doorbell
    launcher: JobLauncher
    author: Author
    vectors: Vectors
    embedder: Embedder | None
    speech: Speech
    stills: Stills
    mailer: Mailer
    contradiction: Contradiction | None = None
