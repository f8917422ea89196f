"""The wishes that need no model to be understood, and whether what came back keeps to what was wished.

What an author was asked to leave alone is compared here, not trusted: neighbours are equal, “shorter” is shorter.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, Protocol, TypeVar

from service.domain.consequences import cites_of, meets
from service.domain.lesson import CodeBlock, ExerciseBlock, HeadingBlock, Lesson, LessonBlock, TableBlock
from service.domain.revision import Change, LessonDocuments
from service.domain.storyboard import Scene
from service.domain.support_words import listed

Wish = Literal["again", "shorter", "longer", "example"]

WORDS_OF: dict[Wish, frozenset[str]] = {
    "again": listed("again anew different differently another other way rewrite redo redraw retell new"),
    "shorter": listed("short shorter shorten briefer brief condense cut trim tighter concise less reduce"),
    "longer": listed("long longer lengthen extend expand detail details detailed deeper explain elaborate"),
    "example": listed("example examples illustrate illustration"),
}
# Words that say nothing about which of the four is meant.
FILLING = listed(
    "please make it this that the a an one some more much little bit of to with in and but be is keep add give show "
    "me us write do can you could block scene slide lesson text paragraph section part module unit down up"
)

# Words that leave no doubt about it inside of any longer wish, in the languages of a brief. “Cut” is none: a wish may
# be about how to cut dough.
SURE: dict[Wish, frozenset[str]] = {
    "shorter": listed(
        "shorter shorten briefer concise tighter kürzer kürzen knapper raccourcir raccourcis acorta acortar accorcia "
        "accorciare korter inkorten"
    ),
    "longer": listed(
        "longer lengthen expand elaborate länger ausführlicher allonger alarga allunga langer uitgebreider"
    ),
    "example": listed("example examples beispiel beispiele exemple exemples ejemplo ejemplos esempio esempi voorbeeld"),
}
TURNED = listed("not no don than without remove drop delete instead nicht kein ohne pas sans sin non senza niet geen")

# How a change keeps its length, as shares of the words before; a short text may take so many words more anyway.
SHORT_ENOUGH, LONG_ENOUGH = 0.9, 1.0
ABOUT_AS_LONG = (0.5, 1.6)
AT_MOST = 3.0
SPARE_WORDS = 30


def understood(wish: str) -> Wish | None:
    """Which of the four wishes these words say and nothing besides; no words at all wish for the same again."""
    words = re.findall(r"\w+", wish.lower())
    if not words:
        return "again"
    meant = [word for word in words if word not in FILLING]
    if not meant and "more" in words:
        return "longer"
    found = [kind for kind, known in WORDS_OF.items() if meant and all(word in known for word in meant)]
    return found[0] if len(found) == 1 else None


def names_a_wish(wish: str, kind: Wish) -> bool:
    """Whether the wish asks for this among other things, such as “shorter, and friendlier”."""
    words = set(re.findall(r"\w+", wish.lower()))
    return understood(wish) == kind or (bool(words & SURE.get(kind, frozenset())) and not words & TURNED)


class _HasId(Protocol):
    @property
    def id(self) -> str: ...


Piece = TypeVar("Piece", bound=_HasId)


def replaced(before: Sequence[Piece], after: Sequence[Piece], changed: str) -> Sequence[Piece] | None:
    """What stands for the changed piece now; None when anything before or behind it is not as it was."""
    place = next((n for n, piece in enumerate(before) if piece.id == changed), -1)
    behind = len(before) - place - 1
    if place < 0 or len(after) < len(before) or len({piece.id for piece in after}) < len(after):
        return None
    end = len(after) - behind
    kept = list(after[:place]) == list(before[:place]) and list(after[end:]) == list(before[place + 1 :])
    return after[place:end] if kept else None


def broken_rule(before: LessonDocuments, after: LessonDocuments, change: Change) -> str:
    """The sentence that says which rule of `Author.revise` the documents break; empty: none."""
    if after == before:
        return "It came back exactly as it was."
    lengths = (_lengths_of_scene if change.part == "scene" else _lengths_of_text)(before, after, change)
    if lengths is None:
        return "It changed more than was asked for."
    if change.part == "scene" and not change.wish and _shows_what_is_gone(before, change.id):
        return ""  # it may have little left to say
    return _broken_length(change.wish, *lengths)


def _same_lesson(before: Lesson, after: Lesson) -> bool:
    ids = [block.id for block in after.blocks]
    return before.model_copy(update={"blocks": after.blocks}) == after and len(set(ids)) == len(ids) and bool(ids)


def _lengths_of_text(before: LessonDocuments, after: LessonDocuments, change: Change) -> tuple[int, int] | None:
    """Words of the part before and after; None when anything else has changed."""
    if (after.storyboard, after.quiz) != (before.storyboard, before.quiz) or not _same_lesson(before.text, after.text):
        return None
    if change.part == "lesson":
        return _words(before.text.blocks), _words(after.text.blocks)
    now = replaced(before.text.blocks, after.text.blocks, change.id)
    was = [block for block in before.text.blocks if block.id == change.id]
    return (_words(was), _words(now)) if now else None


def _lengths_of_scene(before: LessonDocuments, after: LessonDocuments, change: Change) -> tuple[int, int] | None:
    """The same of a scene, in spoken words."""
    if before.storyboard is None or after.storyboard is None:
        return None
    now = replaced(before.storyboard.scenes, after.storyboard.scenes, change.id)
    frame = before.storyboard.model_copy(update={"scenes": after.storyboard.scenes})
    if not now or frame != after.storyboard or (after.text, after.quiz) != (before.text, before.quiz):
        return None
    was = [one for one in before.storyboard.scenes if one.id == change.id]
    return sum(map(spoken_words, was)), sum(map(spoken_words, now))


def _shows_what_is_gone(documents: LessonDocuments, changed: str) -> bool:
    said = tuple(documents.text.cites())
    scenes = documents.storyboard.scenes if documents.storyboard else ()
    return any(not meets(cite, said) for scene in scenes if scene.id == changed for cite in cites_of(scene))


def _broken_length(wish: str, was: int, now: int) -> str:
    low, high = ABOUT_AS_LONG
    longest = max(high * was, was + SPARE_WORDS)
    shorter, more = names_a_wish(wish, "shorter"), names_a_wish(wish, "longer") or names_a_wish(wish, "example")
    if shorter and not more:
        return "" if now <= SHORT_ENOUGH * was else f"It was to be shorter, and has {now} words instead of {was}."
    if more:
        if now <= LONG_ENOUGH * was and not shorter:
            return f"Something was to be added, and it has {now} words instead of {was}."
        longest = max(AT_MOST * was, was + 3 * SPARE_WORDS)
    elif now < min(low * was, was - SPARE_WORDS):
        return f"It was to stay about as long, and has {now} words instead of {was}."
    return "" if now <= longest else f"It became much longer than was asked for: {now} words instead of {was}."


def words_of(block: LessonBlock) -> int:
    """How many words a learner reads in it; code and tables count as what they hold."""
    texts = [claim.text for claim in Lesson(id="", title="", blocks=(block,)).claims()]
    match block:
        case HeadingBlock():
            texts.append(block.text)
        case CodeBlock():
            texts += [block.code, block.output]
        case ExerciseBlock():
            texts += [block.title, block.code, block.solution_code]
        case TableBlock():
            texts += [cell for row in block.rows for cell in row]
    return sum(len(text.split()) for text in texts)


def spoken_words(scene: Scene) -> int:
    """How many words the voice says in it."""
    return sum(len(cue.text.split()) for cue in scene.cues)


def _words(blocks: Sequence[LessonBlock] | None) -> int:
    return sum(map(words_of, blocks or ()))
