"""The outline: lessons of a teachable length, modules that make sense, titles and objectives that a teacher accepts."""

from __future__ import annotations

from itertools import pairwise

import pytest

from service.authors.extractive import ExtractiveAuthor
from service.authors.extractive.outline.objectives import bloom_of
from service.domain.course import Brief, CoursePlan
from service.domain.source import Source
from tests.authors.test_author_contract import silent
from tests.authors.texts import SourceBuilder, backups, bees, evidence, sourdough


def plan(*sources: Source, brief: Brief | None = None) -> CoursePlan:
    return ExtractiveAuthor().plan(brief or Brief(), evidence(*sources), silent)


def long_page(title: str, sections: int, words: str) -> Source:
    page = SourceBuilder(title)
    for n in range(sections):
        page.heading(2, f"{words.capitalize()} of kind {n + 1}")
        for k in range(12):
            page.para(
                f"The {words} of kind {n + 1} is kept in jar number {k + 1} of the shelf, because light spoils it "
                f"within {k + 2} weeks. A jar of glass should be closed with cork number {k + n}."
            )
    return page.source()


def small_page(title: str, subject: str) -> Source:
    page = SourceBuilder(title)
    for n in range(4):
        page.para(
            f"The {subject} stands on shelf {n + 1} of the kitchen, because the {subject} must stay dry in winter. "
            f"Every {subject} is cleaned after {n + 3} weeks of use."
        )
    return page.source()


def test_a_long_document_becomes_a_module_of_lessons() -> None:
    spices = long_page("Spices", 6, "pepper")
    made = plan(spices)
    assert [module.title for module in made.modules] == ["Spices"]
    texts = {spices.sha256: spices.text}
    lengths = [
        sum(len(texts[span.source][span.start : span.end].split()) for span in lesson.passages)
        for lesson in made.lessons
    ]
    assert len(lengths) >= 2
    assert all(300 <= length <= 1400 for length in lengths)


def test_small_pages_share_a_lesson() -> None:
    pages = [small_page(f"{name.capitalize()} care", name) for name in ("kettle", "grater", "whisk", "ladle")]
    made = plan(*pages)
    assert len(made.lessons) < len(pages)
    assert {span.source for lesson in made.lessons for span in lesson.passages} == {page.sha256 for page in pages}


def test_every_passage_is_taught_once_and_in_source_order() -> None:
    source = long_page("Spices", 6, "pepper")
    spans = [(span.start, span.end) for lesson in plan(source).lessons for span in lesson.passages]
    assert spans == sorted(spans)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))


def test_titles_are_not_repeated() -> None:
    made = plan(long_page("Spices", 9, "pepper"), long_page("Spices", 9, "clove"))
    titles = [lesson.title for lesson in made.lessons]
    assert len(set(titles)) == len(titles)
    assert not any("(2)" in title for title in titles)


def test_the_front_page_comes_first() -> None:
    front = SourceBuilder("Introduction", "index.md")
    for n in range(8):
        front.para(f"The kitchen of house {n} has {n + 2} ovens, and every oven has its own baker who knows it well.")
    made = plan(sourdough(), front.source())
    assert made.lessons[0].passages[0].source == front.source().sha256


def test_own_objectives_of_a_source_are_taken_over() -> None:
    assert [o.text for o in plan(backups()).lessons[0].objectives] == [
        "Set up an encrypted backup",
        "Explain why a backup must be tested",
    ]


def test_objectives_follow_the_shape_of_the_headings() -> None:
    texts = [o.text for lesson in plan(bees()).lessons for o in lesson.objectives]
    assert "Explain what to check in spring" in texts
    assert "Follow the steps for feeding in autumn" in texts


@pytest.mark.parametrize(
    ("objective", "level"),
    [
        ("Compare two ovens", "analyze"),
        ("Explain heat", "understand"),
        ("Bake bread", "understand"),
        ("Mix it", "apply"),
    ],
)
def test_the_verb_of_an_objective_gives_its_bloom_level(objective: str, level: str) -> None:
    assert bloom_of(objective) == level


def test_the_glossary_cites_the_sentence_that_defines() -> None:
    source = sourdough()
    entries = {entry.term: entry for entry in plan(source).glossary}
    assert entries["Hydration"].meaning == "the weight of the water in a dough divided by the weight of the flour"
    cite = entries["starter"].cite
    assert source.text[cite.start : cite.end].startswith("A starter is a mixture")


def test_the_summary_counts_what_there_is() -> None:
    made = plan(sourdough(), backups(), bees())
    assert f"{len(made.lessons)} lessons" in made.summary
    assert "3 documents" in made.summary


def test_minutes_are_those_of_the_video() -> None:
    author, given = ExtractiveAuthor(), evidence(sourdough())
    made = author.plan(Brief(), given, silent)
    lesson = author.write(Brief(), made, made.lessons[0].id, given, silent)
    board = author.storyboard(Brief(), made, lesson, given, silent)
    words = sum(len((cue.speech or cue.text).split()) for cue in board.cues())
    assert made.lessons[0].minutes == pytest.approx(words / 150, abs=0.6)
