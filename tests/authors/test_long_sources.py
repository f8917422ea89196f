"""Sources as long as books, and longer than anybody cuts them: work grows with them, and outlines stay usable."""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import islice

import pytest

from service.authors.extractive import ExtractiveAuthor
from service.authors.extractive.outline.packing import LONGEST, TINY
from service.authors.extractive.outline.planning import plan_course
from service.authors.extractive.sources import stretches
from service.authors.extractive.sources.library import Library, ReadingCache
from service.authors.extractive.sources.stretches import Stretches
from service.authors.extractive.sources.structure import read
from service.domain.course import Brief, CoursePlan
from service.errors import Canceled
from service.ports import Evidence
from tests.authors.long_texts import one_section, sentences
from tests.authors.test_author_contract import silent
from tests.authors.texts import SourceBuilder, bees, evidence


def calls(work: Callable[[], object]) -> int:
    """How many functions are called, Python's and C's: work without a clock."""
    counted = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal counted
        counted += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return counted


def untimed(given: Evidence) -> CoursePlan:
    """The outline without the length of each lesson, for which every lesson would be made."""
    return plan_course(Brief(), Library(given, ReadingCache()), lambda _plan, _lesson: 4.0)


def calls_for_the_last_lesson(given: Evidence) -> int:
    author, brief, plan = ExtractiveAuthor(), Brief(), untimed(given)

    def make(lesson_id: str) -> None:
        lesson = author.write(brief, plan, lesson_id, given, silent)
        author.storyboard(brief, plan, lesson, given, silent)
        author.quiz(brief, plan, lesson, given, silent)

    for before in plan.lessons[-4:-1]:
        make(before.id)
    return calls(lambda: make(plan.lessons[-1].id))


def test_planning_four_times_the_words_is_four_times_the_work() -> None:
    untimed(evidence(bees()))  # loads the word lists
    short, long = (evidence(one_section(words).source()) for words in (3_000, 12_000))
    assert calls(lambda: untimed(long)) < 5 * calls(lambda: untimed(short))


def test_a_lesson_is_no_more_work_in_a_course_four_times_as_long(monkeypatch: pytest.MonkeyPatch) -> None:
    # Within one stretch questions are compared with everything; how the work grows shows from stretch to stretch.
    monkeypatch.setattr(stretches, "STRETCH_WORDS", 1_500)
    short, long = (evidence(one_section(words).source()) for words in (6_000, 24_000))
    assert calls_for_the_last_lesson(long) < 1.3 * calls_for_the_last_lesson(short)


def test_a_text_without_headings_becomes_lessons_that_can_be_watched() -> None:
    lessons = ExtractiveAuthor().plan(Brief(), evidence(one_section(5_000).source()), silent).lessons
    assert 4 <= len(lessons) <= 7
    assert all(2 < lesson.minutes < 7 for lesson in lessons)


@pytest.mark.parametrize("kind", ["paragraph", "list", "procedure"])
def test_a_paragraph_or_a_list_without_end_is_shared_out_among_lessons(kind: str) -> None:
    texts = list(islice(sentences(), 400))
    page = SourceBuilder("Without end")
    if kind == "paragraph":
        page.para(" ".join(texts))
    elif kind == "list":
        page.items(texts)
    else:
        page.items([f"Open valve {n} and check the kettle behind it twice." for n in range(500)], ordered=True)
    lessons = untimed(evidence(page.source())).lessons
    assert len(lessons) >= 4
    assert all(lesson.passages for lesson in lessons)
    starts = [span.start for lesson in lessons for span in lesson.passages]
    assert starts == sorted(set(starts))


def test_the_steps_of_a_procedure_that_is_shared_out_keep_their_numbers() -> None:
    steps = [f"Open valve {n} and check the kettle behind it twice." for n in range(1, 301)]
    [section] = read(SourceBuilder("Valves").items(steps, ordered=True).source()).root.flat()
    numbers = [idea.first_number for idea in section.ideas]
    counted = [1 + sum(len(idea.items) for idea in section.ideas[:place]) for place in range(len(section.ideas))]
    assert len(numbers) > 3
    assert numbers == counted
    assert section.ideas[-1].items[-1][0].text == steps[-1]


def test_many_small_sections_never_grow_into_one_endless_lesson() -> None:
    page = SourceBuilder("Parts")
    for n, text in enumerate(islice(sentences(), 400)):
        page.heading(2, f"Part {n}").para(text)
    reading = read(page.source())
    lessons = untimed(evidence(page.source())).lessons
    spans = [(span.start, span.end) for lesson in lessons for span in lesson.passages]
    words = [sum(section.words for section, _ in reading.within(*span)) for span in spans]
    assert max(words) <= LONGEST + TINY


def test_the_second_version_of_a_document_adds_no_lesson_that_says_nothing_new() -> None:
    again = bees().model_copy(update={"title": "Bees, once more", "text": bees().text + "\n"})
    assert len(untimed(evidence(bees(), again)).lessons) == len(untimed(evidence(bees())).lessons)


def test_a_lesson_of_which_nothing_is_left_has_no_questions() -> None:
    given, author, brief = evidence(bees()), ExtractiveAuthor(), Brief()
    plan = untimed(given)
    lesson = author.write(brief, plan, plan.lessons[0].id, given, silent)
    doing = lesson.objectives[0].model_copy(update={"text": "Use smoke in code", "bloom": "apply"})
    empty = lesson.model_copy(update={"blocks": (), "objectives": (doing,)})
    assert author.quiz(brief, plan, empty, given, silent).items == ()


def test_planning_a_long_course_tells_each_lesson_and_can_be_stopped_at_each() -> None:
    told: list[tuple[str, float]] = []

    def report(what: str, part: float | None = None) -> None:
        told.append((what, part or 0.0))
        if what.startswith("Timing lesson 2 "):
            raise Canceled("Somebody pressed the button. Start it again.")

    with pytest.raises(Canceled):
        ExtractiveAuthor().plan(Brief(), evidence(one_section(4_000).source()), report)
    assert told[-1][0].startswith("Timing lesson 2 of ")
    assert [part for _, part in told] == sorted(part for _, part in told)


def test_a_short_course_is_one_stretch_and_a_long_one_several_that_hold_every_idea_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    readings = [read(one_section(3_000).source()), read(bees())]
    assert Stretches(readings).holding([(readings[1].sha256, 0)]) == (0,)
    monkeypatch.setattr(stretches, "STRETCH_WORDS", 500)
    cut = Stretches(readings)
    assert len(cut) > 5
    found = [id(idea) for n in range(len(cut)) for section in cut.sections([n]) for idea in section.ideas]
    assert found == [id(idea) for reading in readings for s in reading.root.flat() for idea in s.ideas]


def test_a_place_is_found_in_the_stretch_that_holds_its_idea(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stretches, "STRETCH_WORDS", 500)
    reading = read(one_section(3_000).source())
    cut = Stretches([reading])
    for idea in reading.root.ideas:
        [number] = cut.holding([(reading.sha256, idea.start)])
        assert any(own is idea for section in cut.sections([number]) for own in section.ideas)
    assert cut.holding([("unknown", 5)]) == (0,)
