"""Titles that a teacher would have written: capitals that agree, a subject that is one, no row of sentences."""

from __future__ import annotations

from service.authors.extractive import ExtractiveAuthor
from service.authors.extractive.language.words import Casing
from service.domain.course import Brief, CoursePlan
from service.domain.source import Source
from tests.authors.test_author_contract import silent
from tests.authors.texts import SourceBuilder, evidence


def casing(*texts: str) -> Casing:
    page = SourceBuilder("Page")
    for text in texts:
        page.para(text)
    return Casing([page.source()])


def plan(*sources: Source) -> CoursePlan:
    return ExtractiveAuthor().plan(Brief(), evidence(*sources), silent)


def page(title: str, *sentences: str, times: int = 12) -> Source:
    built = SourceBuilder(title)
    for n in range(times):
        built.para(" ".join(f"{sentence} That is rule {n + 1} of the workshop." for sentence in sentences))
    return built.source()


def test_a_plural_is_no_name_when_its_singular_is_none() -> None:
    knows = casing("Each hive has one landmark, and a landmark is a tall tree. Bees use HTML, Landmarks and the sun.")
    assert knows.inside("Landmarks") == "landmarks"


def test_a_heading_in_title_case_becomes_a_sentence() -> None:
    knows = casing("We set up the tools, and then create a repository with Git, because Git keeps the history.")
    assert knows.in_sentence_case("Creating a Repository With Git") == "Creating a repository with Git"


def test_a_heading_with_an_unknown_word_stays_as_it_is() -> None:
    knows = casing("The walk is long, and the weather is bad on most days.")
    assert knows.in_sentence_case("The Walk to Ben Nevis") == "The Walk to Ben Nevis"


def test_a_language_with_capital_nouns_keeps_those_of_its_headings() -> None:
    knows = casing(
        "Man mischt das Mehl mit dem Wasser, und der Teig ruht eine Nacht.",
        "Dann kommt das Brot in den Ofen, bis die Kruste eine Farbe hat.",
    )
    assert knows.inside("Vorgehen") == "Vorgehen"


def test_the_subject_of_a_course_is_spelled_as_its_sources_do() -> None:
    names = ("Zones", "Records", "Caches")
    made = plan(*(page(f"DNS {name}", f"A resolver asks DNS for {name.lower()}, and DNS answers.") for name in names))
    assert made.title == "Introduction to DNS"


def test_a_rare_form_of_a_common_verb_is_no_subject() -> None:
    names = ("Asking for bread", "Answering at the door", "Paying for milk", "Thanking the clerk")
    pages = [page(name, "The clerk answers each caller, and a short answer is enough.") for name in names[:3]]
    pages.append(page(names[3], "The clerk answers each caller.", "Some are answering late."))
    assert plan(*pages).title != "Introduction to answering"


def test_a_text_under_two_names_is_taught_once() -> None:
    text = "The clerk answers each caller, and a short answer is enough."
    made = plan(page("Answering at the door", text), page("Paying for milk", text))
    assert [lesson.title for lesson in made.lessons] == ["Answering at the door"]


def test_a_unit_of_long_titles_names_only_some_of_them() -> None:
    names = ("How a letter finds its way to a house", "What happens to a parcel without an address")
    titles = [f"{name} {n}" for n in range(1, 6) for name in names]
    made = plan(*(page(t, f"The clerk of round {n} sorts the mail.", times=50) for n, t in enumerate(titles)))
    assert len(made.modules) > 1
    assert all(len(module.title) <= 60 for module in made.modules)


def test_a_checklist_is_used() -> None:
    bees = SourceBuilder("Bees").para("A hive is the home of a colony of bees, and a colony lives in it for years.")
    checklist = SourceBuilder("Checklist")
    for n in range(1, 9):
        bees.para(f"The keeper of the bees visits the hive in week {n} and looks at the frames.")
        checklist.para(f"The frame in place {n} must be clean. You should always close the lid of box {n}.")
    objectives = [one.text for lesson in plan(bees.source(), checklist.source()).lessons for one in lesson.objectives]
    assert "Use the checklist" in objectives
