"""What of a lesson cites an older version of a source: derived from its cites each time, so nothing can forget it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from service.domain.lesson import Claim, CodeBlock, ExerciseBlock, Lesson, TableBlock
from service.domain.revision import LessonDocuments
from service.domain.source import Cite, sha256_of

What = Literal["sentence", "code", "table", "exercise", "slide", "question"]


@dataclass(frozen=True)
class Replaced:
    """A cited passage of an old version, and what stands there now; None: nothing does."""

    old: Cite
    new: Cite | None


@dataclass(frozen=True)
class Outdated:
    """A part that states something which its source says differently now: what it is, its words, and all its cites."""

    what: What
    claim: Claim
    stale: tuple[Cite, ...]

    def key(self, now: str) -> str:
        """Names it beside the source as it is now: a signature is for these words against exactly that version."""
        return sha256_of(f"{self.claim.key}\n{now}")


def outdated_claims(lesson: Lesson, stale: Collection[str]) -> Iterator[Outdated]:
    """The sentences, listings and tables of the text that cite one of these sources, in reading order."""
    for claim in lesson.claims():
        yield from _found("sentence", claim, stale)
    for block in lesson.blocks:
        match block:
            case CodeBlock():
                yield from _found("code", Claim(text=_first_line(block.code), cites=block.cites), stale)
            case TableBlock():
                yield from _found("table", Claim(text=", ".join(block.rows[0]), cites=block.cites), stale)
            case ExerciseBlock():
                yield from _found("exercise", Claim(text=block.title, cites=block.cites), stale)


def outdated(documents: LessonDocuments, stale: Collection[str]) -> tuple[Outdated, ...]:
    """Everything of the lesson that cites one of these sources: its text, then what only slides and questions say.

    A slide or a question that cites what a sentence of the text cites stands or falls with that sentence.
    """
    found = list(outdated_claims(documents.text, stale))
    known = {cite for one in found for cite in one.stale}
    for one in (*_slides(documents, stale), *_questions(documents, stale)):
        if not known.issuperset(one.stale):
            known.update(one.stale)
            found.append(one)
    return tuple(found)


def _slides(documents: LessonDocuments, stale: Collection[str]) -> Iterator[Outdated]:
    for scene in documents.storyboard.scenes if documents.storyboard else ():
        for cue in scene.cues:
            yield from _found("slide", Claim(text=cue.text, cites=cue.cites), stale)
        yield from _found("slide", Claim(text=scene.title or scene.kind, cites=scene.cites), stale)


def _questions(documents: LessonDocuments, stale: Collection[str]) -> Iterator[Outdated]:
    for item in documents.quiz.items if documents.quiz else ():
        yield from _found("question", Claim(text=item.stem, cites=item.cites), stale)


def _found(what: What, claim: Claim, stale: Collection[str]) -> Iterable[Outdated]:
    old = tuple(cite for cite in claim.cites if cite.source in stale)
    return [Outdated(what, claim, old)] if old else []


def _first_line(code: str) -> str:
    return code.strip().split("\n", 1)[0]
