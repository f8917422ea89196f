"""Wishes that need no model, and the rules that hold what came back against what was wished."""

from __future__ import annotations

import pytest

from service.domain.lesson import Claim, Lesson, ParagraphBlock
from service.domain.quiz import Quiz
from service.domain.revision import Change, LessonDocuments
from service.domain.source import Cite
from service.domain.storyboard import BulletsScene, Cue, Storyboard
from service.domain.wishes import broken_rule, replaced, understood


@pytest.mark.parametrize(
    ("wish", "meant"),
    [
        ("", "again"),
        ("Again", "again"),
        ("in another way, please", "again"),
        ("shorter", "shorter"),
        ("Make this a bit more concise!", "shorter"),
        ("a little longer", "longer"),
        ("more", "longer"),
        ("add more detail", "longer"),
        ("Give an example", "example"),
        ("shorter, with an example", None),
        ("in the voice of a pirate", None),
        ("shorter and funnier", None),
        ("kürzer", None),
        ("短く", None),
        ("make it", None),
    ],
)
def test_a_wish_is_understood_only_when_it_says_one_thing_and_nothing_besides(wish: str, meant: str | None) -> None:
    assert understood(wish) == meant


def cite(start: int) -> Cite:
    return Cite(source="s", start=start, end=start + 5, quote="words")


def block(name: str, words: int, start: int = 0) -> ParagraphBlock:
    return ParagraphBlock(id=name, claims=(Claim(text=" ".join(["word"] * words), cites=(cite(start),)),))


def scene(name: str, words: int, start: int = 0) -> BulletsScene:
    cue = Cue(text=" ".join(["word"] * words), cites=(cite(start),))
    return BulletsScene(id=name, title=name, items=("One",), cues=(cue,))


BEFORE = LessonDocuments(
    text=Lesson(id="l", title="T", blocks=(block("a", 100), block("b", 100, 10), block("c", 100, 20))),
    storyboard=Storyboard(lesson_id="l", title="T", scenes=(scene("s1", 100), scene("s2", 100, 10))),
    quiz=Quiz(lesson_id="l"),
)


def with_blocks(*blocks: ParagraphBlock, **others: object) -> LessonDocuments:
    text = BEFORE.text.model_copy(update={"blocks": blocks})
    return BEFORE.model_copy(update={"text": text, **others})


def with_scenes(*scenes: BulletsScene) -> LessonDocuments:
    assert BEFORE.storyboard
    return BEFORE.model_copy(update={"storyboard": BEFORE.storyboard.model_copy(update={"scenes": scenes})})


A, B, C = BEFORE.text.blocks
SHORT_B = block("b", 60, 10)


@pytest.mark.parametrize(
    ("wish", "after", "broken"),
    [
        ("shorter", with_blocks(A, SHORT_B, C), ""),
        ("shorter, and friendlier", with_blocks(A, block("b", 95, 10), C), "shorter"),
        ("bitte kürzer", with_blocks(A, block("b", 95, 10), C), "shorter"),
        ("say how to cut the dough", with_blocks(A, block("b", 120, 10), C), ""),
        ("shorter, with an example", with_blocks(A, block("b", 120, 10), C), ""),
        ("say it without the example", with_blocks(A, block("b", 80, 10), C), ""),
        ("", with_blocks(A, block("b", 120, 10), C), ""),
        ("", with_blocks(A, block("b", 20, 10), C), "about as long"),
        ("", with_blocks(A, block("b", 200, 10), C), "much longer"),
        ("longer", with_blocks(A, block("b", 100, 11), C), "added"),
        ("add an example", with_blocks(A, B, block("n", 30, 30), C), ""),
        ("longer", with_blocks(A, block("b", 900, 10), C), "much longer"),
        ("", BEFORE, "exactly as it was"),
        ("shorter", with_blocks(block("a", 99), SHORT_B, C), "more than"),
        ("shorter", with_blocks(A, SHORT_B), "more than"),
        ("shorter", with_blocks(SHORT_B, A, C), "more than"),
        ("shorter", with_blocks(A, C), "more than"),
        ("shorter", with_blocks(A, SHORT_B, C, storyboard=None), "more than"),
        ("shorter", with_blocks(A, SHORT_B, block("b", 3), C), "more than"),
    ],
)
def test_a_changed_block_keeps_its_length_its_neighbours_and_its_place(
    wish: str, after: LessonDocuments, broken: str
) -> None:
    said = broken_rule(BEFORE, after, Change(part="block", id="b", wish=wish))
    assert broken in said
    assert bool(said) == bool(broken)


def test_a_changed_scene_leaves_the_others_and_the_text() -> None:
    assert BEFORE.storyboard
    one, _ = BEFORE.storyboard.scenes
    assert isinstance(one, BulletsScene)
    change = Change(part="scene", id="s2", wish="shorter")
    assert broken_rule(BEFORE, with_scenes(one, scene("s2", 60, 10)), change) == ""
    assert "more than" in broken_rule(BEFORE, with_scenes(scene("s1", 60), scene("s2", 60, 10)), change)
    assert "more than" in broken_rule(BEFORE, with_blocks(A, SHORT_B, C), change)


def test_a_scene_that_shows_what_the_text_lost_may_shrink_as_it_must() -> None:
    lost = with_blocks(A, C)
    assert BEFORE.storyboard
    one, _ = BEFORE.storyboard.scenes
    redrawn = lost.model_copy(
        update={"storyboard": BEFORE.storyboard.model_copy(update={"scenes": (one, scene("s2", 5, 20))})}
    )
    assert broken_rule(lost, redrawn, Change(part="scene", id="s2")) == ""
    assert "about as long" in broken_rule(
        BEFORE, redrawn.model_copy(update={"text": BEFORE.text}), Change(part="scene", id="s2")
    )


def test_what_stands_for_a_piece_is_what_lies_between_its_untouched_neighbours() -> None:
    new = block("n", 5)
    assert replaced((A, B, C), (A, SHORT_B, new, C), "b") == (SHORT_B, new)
    assert replaced((A, B, C), (A, SHORT_B, new), "b") is None
    assert replaced((A, B, C), (A, B, C), "nowhere") is None
