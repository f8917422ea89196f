"""What a changed text takes with it: the scenes and questions about what it no longer says, and nothing else."""

from __future__ import annotations

from service.domain.consequences import (
    Gone,
    emptied_scenes,
    touched_questions,
    touched_scenes,
    untold,
    with_questions_replaced,
    without_scenes,
)
from service.domain.lesson import Claim, Lesson, ParagraphBlock
from service.domain.quiz import Option, Quiz, QuizItem
from service.domain.source import Cite
from service.domain.storyboard import BulletsScene, Cue, Storyboard


def cite(start: int, source: str = "s") -> Cite:
    return Cite(source=source, start=start, end=start + 10, quote="words here")


def lesson(*starts: int) -> Lesson:
    claims = tuple(Claim(text=f"Sentence {start}.", cites=(cite(start),)) for start in starts)
    return Lesson(id="l", title="T", blocks=(ParagraphBlock(id="b", claims=claims),))


def scene(name: str, *starts: int) -> BulletsScene:
    cues = (Cue(text="First."), *(Cue(text=f"Cue {start}.", cites=(cite(start),)) for start in starts))
    return BulletsScene(id=name, title=name, items=("One",), cues=cues)


def item(name: str, start: int, objective: str = "o1", reviews: str = "") -> QuizItem:
    options = (Option(text="Yes", rationale="So."), Option(text="No", rationale="Not so."))
    return QuizItem(
        id=name,
        kind="single",
        stem=f"What of {start}?",
        options=options,
        key=(0,),
        objective=objective,
        reviews=reviews,
        cites=(cite(start),),
    )


BEFORE, AFTER = lesson(0, 20, 40), lesson(0, 40)
GONE = Gone.between(BEFORE, AFTER)
BOARD = Storyboard(
    lesson_id="l", title="T", scenes=(scene("plain"), scene("kept", 0, 40), scene("mixed", 0, 20), scene("lost", 20))
)


def test_only_what_was_said_before_and_is_said_no_more_is_gone() -> None:
    assert GONE.holds(cite(20))
    assert not GONE.holds(cite(0))
    assert not GONE.holds(cite(60))
    assert not GONE.holds(cite(20, source="another"))
    assert not Gone.between(BEFORE, lesson(0, 25)).holds(cite(20))


def test_a_scene_about_nothing_else_goes_and_one_that_also_says_more_is_redrawn() -> None:
    assert emptied_scenes(BOARD, GONE) == ("lost",)
    assert touched_scenes(BOARD, GONE) == ("mixed",)
    assert [one.id for one in without_scenes(BOARD, ("lost",)).scenes] == ["plain", "kept", "mixed"]
    assert len(without_scenes(BOARD, [one.id for one in BOARD.scenes]).scenes) == 1


def test_what_is_new_in_the_text_and_not_in_the_video_is_noticed() -> None:
    assert untold(BEFORE, lesson(0, 60), BOARD)
    assert not untold(BEFORE, AFTER, BOARD)


def test_a_question_about_what_is_gone_is_replaced_and_every_other_stays_as_it_is() -> None:
    quiz = Quiz(lesson_id="l", items=(item("q1", 0), item("q2", 20), item("q3", 40, "o2")))
    fresh = Quiz(
        lesson_id="l",
        items=(item("q1", 0), item("q2", 42), item("q3", 60, "o2"), item("q4", 80, reviews="x"), item("q5", 90)),
    )
    assert touched_questions(quiz, GONE) == ("q2",)
    new = with_questions_replaced(quiz, ("q2",), fresh, "mark")
    assert [one.id for one in new.items] == ["q1", "q5-mark", "q3"]
    assert (new.items[0], new.items[2]) == (quiz.items[0], quiz.items[2])


def test_where_nothing_is_left_to_ask_the_question_goes() -> None:
    quiz = Quiz(lesson_id="l", items=(item("q1", 0), item("q2", 20)))
    assert with_questions_replaced(quiz, ("q2",), Quiz(lesson_id="l", items=(item("q1", 0),)), "m").items == (
        quiz.items[0],
    )
