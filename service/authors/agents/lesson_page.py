"""A written lesson as the storyboarder and the quiz master read it: each sentence and exhibit under a short id.

Video and quiz cite the lesson's sentences, whose cites are exact already; so what they may claim is what the lesson
claims, and a sentence that an instructor wrote reaches them like any other.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping

from service.authors.agents.shelf import bare_id
from service.domain.lesson import (
    Claim,
    CodeBlock,
    DefinitionBlock,
    ExerciseBlock,
    HeadingBlock,
    Lesson,
    LessonBlock,
    ListBlock,
    NoteBlock,
    TableBlock,
)
from service.domain.source import Cite

_WORD = re.compile(r"[^\W\d_]{4,}")


class LessonPage:
    """The lesson's sentences by id (S1, S2, …), its exhibits (X1, …) and its objectives (O1, …).

    `exhibits` gives blocks of code and tables another id, by which they are known elsewhere.
    """

    def __init__(self, lesson: Lesson, exhibits: Mapping[str, str] | None = None) -> None:
        self.lesson = lesson
        self.claims = {f"S{number}": claim for number, claim in enumerate(lesson.claims(), start=1)}
        shown = [block for block in lesson.blocks if isinstance(block, CodeBlock | TableBlock)]
        known = exhibits or {}
        self.exhibits = {known.get(block.id, f"X{number}"): block for number, block in enumerate(shown, start=1)}
        self.objectives = {f"O{number}": one for number, one in enumerate(lesson.objectives, start=1)}

    @property
    def cites(self) -> tuple[Cite, ...]:
        return tuple(self.lesson.cites())

    def told_by(self, ids: Iterable[str]) -> list[Claim]:
        """The sentences with these ids; an id that the lesson does not have is nobody's proof."""
        found = [self.claims[bare] for name in ids if (bare := bare_id(name)) in self.claims]
        return [claim for claim in found if claim.factual]

    def exhibit(self, name: str) -> CodeBlock | TableBlock | None:
        return self.exhibits.get(bare_id(name))

    def objective(self, name: str) -> str:
        """The objective's own id; '' when there is none of this name."""
        found = self.objectives.get(bare_id(name))
        return found.id if found else ""

    def nearest(self, text: str) -> Claim | None:
        """The sentence that shares most words with a line, if it shares half of the line's."""
        words = set(_WORD.findall(text.lower()))
        if not words:
            return None
        best = max(
            (claim for claim in self.claims.values() if claim.factual),
            key=lambda claim: len(words & set(_WORD.findall(claim.text.lower()))),
            default=None,
        )
        shared = words & set(_WORD.findall(best.text.lower())) if best else set()
        return best if 2 * len(shared) >= len(words) else None

    def render(self, only: Container[str] | None = None) -> str:
        """The page as text, with the ids; with `only`, no sentence and no exhibit but these."""
        ids = {id(claim): name for name, claim in self.claims.items() if only is None or name in only}
        places = {id(block): name for name, block in self.exhibits.items() if only is None or name in only}
        lines = [f"[{name}] objective: {one.text} ({one.bloom})" for name, one in self.objectives.items()]
        for block in self.lesson.blocks:
            if not isinstance(block, CodeBlock | TableBlock) or id(block) in places:
                lines += _lines(block, ids, places)
        return "\n".join(lines)


def _lines(block: LessonBlock, ids: dict[int, str], places: dict[int, str]) -> list[str]:
    def told(claims: Iterable[Claim], mark: str = "") -> list[str]:
        return [f"{mark}[{ids[id(claim)]}] {claim.text}" for claim in claims if id(claim) in ids]

    match block:
        case HeadingBlock():
            return ["", f"# {block.text}"]
        case ListBlock():
            return [line for item in block.items for line in told(item, "1. " if block.ordered else "- ")]
        case CodeBlock() | TableBlock():
            rows = [" | ".join(row) for row in block.rows] if isinstance(block, TableBlock) else [block.code]
            return [f"[{places[id(block)]}] {block.kind}", *rows]
        case DefinitionBlock():
            return told(block.claims, f"definition of {block.term}: ")
        case NoteBlock():
            return told(block.claims, f"{block.tone}: ")
        case ExerciseBlock():
            return [*told(block.task, "exercise: "), *told(block.solution, "solution: ")]
    return told(block.claims)
