"""What a lesson becomes when its source changes: what cites the change follows it, everything else stays as it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import pytest

from service.authors.extractive import ExtractiveAuthor
from service.authors.extractive.changes.mending import Mending
from service.authors.extractive.changes.mending_quiz import mended_item
from service.authors.extractive.changes.rewording import reworded
from service.domain.anchors import cites_in, moved
from service.domain.course import Brief
from service.domain.lesson import Claim, HeadingBlock, ListBlock, TableBlock
from service.domain.outdated import outdated_claims
from service.domain.quiz import QuizItem
from service.domain.revision import LessonDocuments
from service.domain.source import Chunk, Cite, Source
from service.pipeline.reanchoring import Crossing
from service.pipeline.repair import mend
from service.pipeline.verify import check_documents
from service.ports import Evidence
from service.readers import Limits
from service.readers.reading import read_bytes

TEXT = """# Keeping bees

## The hive

A hive is a box in which a colony of bees lives. A strong colony holds 50,000 bees in June. The queen lays up to 2,000
eggs a day. A queen lives for three years.

| Month | Task | Honey |
|---|---|---|
| April | Clean the floor | 0 kg |
| June | Add a second box | 10 kg |
| August | Take the honey | 25 kg |

## Feeding

Feed the colony with 15 kg of sugar before winter. Sugar water goes mouldy after five days. Never feed honey from
another hive, because it may carry disease.

1. Mix three parts of sugar with two parts of water.
2. Fill the feeder in the evening.
3. Close the lid of the hive.

## Harvest

Take the honey when the combs are capped. Honey keeps for years in a closed jar. A comb that is not capped holds too
much water, so its honey ferments.
"""


def silent(what: str, part: float | None = None) -> None:
    """A report that nobody reads."""


def nothing(query: str, limit: int) -> Sequence[Chunk]:
    """A search that finds nothing."""
    return ()


@dataclass(frozen=True)
class Made:
    """A course as the offline author made it of one text."""

    source: Source
    lessons: tuple[LessonDocuments, ...]


@cache
def course() -> Made:
    author, brief = ExtractiveAuthor(), Brief()
    source = read_bytes(TEXT.encode(), "bees.md", Limits())
    evidence = Evidence(sources=(source,), search=nothing)
    plan = author.plan(brief, evidence, silent)
    found = []
    for planned in plan.lessons:
        text = author.write(brief, plan, planned.id, evidence, silent)
        board, quiz = (
            author.storyboard(brief, plan, text, evidence, silent),
            author.quiz(brief, plan, text, evidence, silent),
        )
        found.append(LessonDocuments(text=text, storyboard=board, quiz=quiz))
    return Made(source, tuple(found))


@dataclass(frozen=True)
class Followed:
    """The lessons with their cites moved, and as they are proposed; and the claims that are touched."""

    new: Source
    moved: tuple[LessonDocuments, ...]
    after: tuple[LessonDocuments, ...]
    touched: tuple[Claim, ...]


def follow(text: str) -> Followed:
    made, new = course(), read_bytes(text.encode(), "bees.md", Limits())
    crossing = Crossing({made.source.sha256: made.source}, new)
    anchored = tuple(moved(lesson, crossing.kept) for lesson in made.lessons)
    after = []
    for lesson in anchored:
        old = any(crossing.knows(cite.source) for cite in cites_in(lesson))
        mended = mend(lesson, crossing) if old else (lesson, "")
        assert mended
        check_documents(mended[0], [new])
        after.append(mended[0])
    stale = {made.source.sha256} - {new.sha256}
    parts = [part for lesson in anchored for part in outdated_claims(lesson.text, stale)]
    touched = [part.claim for part in parts if part.what == "sentence"]
    return Followed(new, anchored, tuple(after), tuple(touched))


def sentences(lessons: tuple[LessonDocuments, ...]) -> list[str]:
    return [claim.text for lesson in lessons for claim in lesson.text.claims()]


EDITS = (
    ("50,000 bees", "60,000 bees"),
    ("A queen lives for three years.", ""),
    ("after five days", "within a day"),
    ("Honey keeps for years", "Honey hardly keeps for months"),
    ("Fill the feeder in the evening", "Fill the feeder at night"),
)


@pytest.mark.parametrize("count", range(len(EDITS) + 1))
def test_exactly_the_claims_that_cite_an_edited_sentence_are_touched(count: int) -> None:
    text = TEXT
    for old, new in EDITS[:count]:
        text = text.replace(old, new)
    marked = {claim.text for claim in follow(text).touched}
    expected = {
        claim.text
        for lesson in course().lessons
        for claim in lesson.text.claims()
        if any(old.rstrip(".") in cite.quote for old, _ in EDITS[:count] for cite in claim.cites)
    }
    assert marked == expected
    assert len(expected) >= count


def test_what_is_not_touched_stays_character_for_character() -> None:
    followed = follow(TEXT.replace("50,000 bees", "60,000 bees"))
    before, after = sentences(followed.moved), sentences(followed.after)
    assert [one.replace("50,000", "60,000") for one in before] == after
    changed = [
        (one, other)
        for was, now in zip(followed.moved, followed.after, strict=True)
        for one, other in zip(was.text.blocks, now.text.blocks, strict=True)
        if one != other
    ]
    assert len(changed) == 1


def test_sections_in_another_order_and_a_new_one_touch_nothing() -> None:
    head, hive, feeding, harvest = TEXT.split("\n## ")
    new = "\n## ".join([head, harvest, "Honey in the kitchen\n\nHoney sweetens tea and bread.\n", feeding, hive])
    followed = follow(new)
    assert followed.touched == ()
    assert followed.after == followed.moved
    assert {cite.source for one in followed.moved for cite in cites_in(one)} == {followed.new.sha256}


def test_a_section_that_is_gone_leaves_neither_sentence_nor_slide_nor_question_nor_a_bare_heading() -> None:
    start, end = TEXT.index("## Feeding"), TEXT.index("## Harvest")
    followed = follow(TEXT[:start] + TEXT[end:])
    left = "\n".join(one.model_dump_json() for one in followed.after)
    for gone in ("Sugar water", "feeder", "15 kg"):
        assert gone not in left
    headings = [b.text for one in followed.after for b in one.text.blocks if isinstance(b, HeadingBlock)]
    assert "Feeding" not in headings
    assert "Honey keeps for years in a closed jar." in sentences(followed.after)


def test_a_table_follows_its_rows() -> None:
    followed = follow(TEXT.replace("| 10 kg |", "| 12 kg |").replace("| April | Clean the floor | 0 kg |\n", ""))
    [table] = [b for one in followed.after for b in one.text.blocks if isinstance(b, TableBlock)]
    assert table.rows[1:] == (("June", "Add a second box", "12 kg"), ("August", "Take the honey", "25 kg"))
    assert table.rows[0] == ("Month", "Task", "Honey")


def test_a_step_that_is_gone_leaves_the_list_in_order() -> None:
    followed = follow(TEXT.replace("2. Fill the feeder in the evening.\n3. Close", "2. Close"))
    [steps] = [b for one in followed.after for b in one.text.blocks if isinstance(b, ListBlock) and b.ordered]
    assert [item[0].text for item in steps.items] == [
        "Mix three parts of sugar with two parts of water.",
        "Close the lid of the hive.",
    ]


def test_slides_and_speech_say_the_new_number_and_never_the_old_one() -> None:
    followed = follow(TEXT.replace("with 15 kg", "with 18 kg"))
    boards = [one.storyboard.model_dump_json() for one in followed.after if one.storyboard]
    assert any("18 kg" in board for board in boards)
    assert not any("15 kg" in board for board in boards)


def test_a_question_whose_key_changed_keeps_a_right_key_or_goes() -> None:
    followed = follow(TEXT.replace("2,000\neggs", "3,000\neggs"))
    for lesson in followed.after:
        for item in lesson.quiz.items if lesson.quiz else ():
            texts = [option.text for option in item.options]
            assert len(set(texts)) == len(texts)
            if any("3,000" in cite.quote for cite in item.cites):
                assert "2,000" not in " ".join([item.stem, item.model_answer, *(texts[place] for place in item.key)])


def mending(text: str) -> tuple[Mending, Source]:
    """What changes with this text, for every sentence of the old one that is asked for by `cite`."""
    old, new = course().source, read_bytes(text.encode(), "bees.md", Limits())
    crossing = Crossing({old.sha256: old}, new)
    return Mending([crossing.replaced(cite(quote)) for quote in (SUGAR, MOULD)], new), new


SUGAR, MOULD = "Feed the colony with 15 kg of sugar before winter.", "Sugar water goes mouldy after five days."


def cite(quote: str) -> Cite:
    start = course().source.text.index(quote)
    return course().source.cite(start, start + len(quote))


def test_a_sentence_in_other_words_keeps_them_but_for_what_changed() -> None:
    given, _ = mending(TEXT.replace("15 kg", "18 kg").replace("five days", "two days"))
    assert given.wording("In autumn feed your colony with 15 kg of sugar.", [cite(SUGAR)]) == (
        "In autumn feed your colony with 18 kg of sugar."
    )
    both = given.wording("Feed 15 kg of sugar: it goes mouldy after five days.", [cite(SUGAR), cite(MOULD)])
    assert both == "Feed 18 kg of sugar: it goes mouldy after two days."
    assert given.wording("Your bees need fifteen kilos of it.", [cite(SUGAR)]) == "Your bees need fifteen kilos of it."


def test_where_the_words_cannot_follow_the_new_sentence_takes_the_place() -> None:
    given, _ = mending(TEXT.replace("Feed the colony with 15 kg", "However, never feed the colony with 15 kg"))
    assert given.wording("The colony needs 15 kg of sugar before winter.", [cite(SUGAR)]) == (
        "Never feed the colony with 15 kg of sugar before winter."
    )


def test_a_question_that_rests_on_two_sentences_goes_with_one_of_them() -> None:
    given, _ = mending(TEXT.replace("Sugar water goes mouldy after five days. ", "").replace("15 kg", "18 kg"))
    item = QuizItem(id="q", kind="short", stem="How long?", model_answer=SUGAR, cites=(cite(SUGAR), cite(MOULD)))
    assert mended_item(item, given) is None
    alone = mended_item(item.model_copy(update={"cites": (cite(SUGAR),)}), given)
    assert alone
    assert alone.model_answer == SUGAR.replace("15", "18")


@pytest.mark.parametrize(
    ("made", "old", "new", "expected"),
    [
        ("Bake: 30 minutes", "Bake the bread for 30 minutes.", "Bake the bread for 45 minutes.", "Bake: 45 minutes"),
        ("Bake the bread", "Bake the bread for 30 minutes.", "Bake the bread for 45 minutes.", "Bake the bread"),
        ("Cool it, then eat", "Bake and cool it.", "Bake and slowly cool it.", "Slowly cool it, then eat"),
        ("It rests cold here.", "It rests cold.", "It never rests cold.", "It never rests cold here."),
        ("Take the very old jar", "Take the very old jar.", "Take the jar.", "Take the jar"),
        ("It says: “Salt is 2 %.”", "Salt is 2 %.", "Salt is 3 % of it.", "It says: “Salt is 3 % of it.”"),
        ("30 g here, 30 g there", "30 g here and 30 g there", "30 g here and 40 g there", "30 g here, 40 g there"),
    ],
)  # fmt: skip
def test_a_changed_word_changes_in_what_was_made_of_the_sentence(made: str, old: str, new: str, expected: str) -> None:
    assert reworded(made, old, new) == expected
