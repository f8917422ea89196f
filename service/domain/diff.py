"""What changed between two versions of a lesson, as people compare them: words inside sentences, piece beside piece."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Generic, Literal, TypeVar

from service.domain.lesson import (
    CodeBlock,
    DefinitionBlock,
    ExerciseBlock,
    HeadingBlock,
    Lesson,
    LessonBlock,
    ListBlock,
    TableBlock,
)

Piece = TypeVar("Piece")
Kind = Literal["same", "gone", "new"]

# Below this share of common words two texts are not shown as one text with changes.
ALIKE = 0.3


@dataclass(frozen=True)
class Stretch:
    """A run of characters that stays, is gone, or is new."""

    kind: Kind
    text: str


@dataclass(frozen=True)
class Pair(Generic[Piece]):
    """A piece before and after; None on one side where it is new or gone."""

    before: Piece | None
    after: Piece | None
    same: bool = False


def word_changes(before: str, after: str) -> tuple[Stretch, ...]:
    """The two texts as one, word by word; what shares too little is shown as gone and new, whole."""
    one, other = _tokens(before), _tokens(after)
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    if before and after and matcher.ratio() < ALIKE:
        return Stretch("gone", before), Stretch("new", after)
    return tuple(_joined(_stretches(matcher, one, other)))


def _tokens(text: str) -> list[str]:
    return re.findall(r"\s+|\w+(?:['’]\w+)*|[^\w\s]", text)


def _stretches(matcher: SequenceMatcher[str], one: Sequence[str], other: Sequence[str]) -> Iterator[Stretch]:
    for what, a, b, c, d in matcher.get_opcodes():
        if what == "equal":
            yield Stretch("same", "".join(one[a:b]))
            continue
        if b > a:
            yield Stretch("gone", "".join(one[a:b]))
        if d > c:
            yield Stretch("new", "".join(other[c:d]))


def _joined(stretches: Iterator[Stretch]) -> list[Stretch]:
    """A lone space or comma between two changes belongs to both: nobody reads a text of crossed-out single words."""
    found = list(stretches)
    out: list[Stretch] = []
    gone = new = ""
    for place, one in enumerate(found):
        between = 0 < place < len(found) - 1 and bool(gone or new) and len(one.text.strip()) <= 1
        if one.kind == "same" and not between:
            out += [Stretch("gone", gone)] * bool(gone) + [Stretch("new", new)] * bool(new) + [one]
            gone = new = ""
            continue
        gone += one.text if one.kind != "new" else ""
        new += one.text if one.kind != "gone" else ""
    return out + [Stretch("gone", gone)] * bool(gone) + [Stretch("new", new)] * bool(new)


def paired(
    before: Sequence[Piece],
    after: Sequence[Piece],
    alike: Callable[[Piece, Piece], bool],
    key: Callable[[Piece], object] = lambda piece: piece,
) -> list[Pair[Piece]]:
    """The pieces side by side, in order: the same ones (by `key`), changed ones (by `alike`), those gone or new."""
    keys: list[object] = []

    def numbered(piece: Piece) -> int:
        found = key(piece)
        if found not in keys:
            keys.append(found)
        return keys.index(found)

    one, other = [numbered(piece) for piece in before], [numbered(piece) for piece in after]
    pairs: list[Pair[Piece]] = []
    for what, a, b, c, d in SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        if what == "equal":
            pairs += [Pair(*both, same=True) for both in zip(before[a:b], after[c:d], strict=True)]
        else:
            pairs += _changed(before[a:b], after[c:d], alike)
    return pairs


def _changed(gone: Sequence[Piece], new: Sequence[Piece], alike: Callable[[Piece, Piece], bool]) -> list[Pair[Piece]]:
    pairs: list[Pair[Piece]] = []
    at = 0
    for piece in gone:
        match = next((n for n in range(at, len(new)) if alike(piece, new[n])), None)
        if match is None:
            pairs.append(Pair(piece, None))
            continue
        pairs += [Pair(None, one) for one in new[at:match]]
        pairs.append(Pair(piece, new[match]))
        at = match + 1
    return pairs + [Pair(None, one) for one in new[at:]]


def text_of(block: LessonBlock) -> str:
    """What a learner reads of the block, entries and rows on lines of their own."""
    sentences = " ".join(claim.text for claim in Lesson(id="", title="", blocks=(block,)).claims())
    match block:
        case HeadingBlock():
            return block.text
        case ListBlock():
            numbers = range(block.first_number, block.first_number + len(block.items))
            marks = [f"{number}." if block.ordered else "•" for number in numbers]
            items = zip(marks, block.items, strict=True)
            return "\n".join(f"{mark} {' '.join(claim.text for claim in item)}" for mark, item in items)
        case DefinitionBlock():
            return f"{block.term}: {sentences}"
        case CodeBlock():
            return "\n".join(filter(None, (block.code, block.output)))
        case TableBlock():
            return "\n".join(" | ".join(row) for row in block.rows)
        case ExerciseBlock():
            return "\n".join(filter(None, (block.title, sentences, block.code, block.solution_code)))
    return sentences
