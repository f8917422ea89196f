"""Somebody's own outline: filled with passages of the sources, and not a word of it changed, by either author."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.__main__ import main
from service.adapters.vectors import open_vectors
from service.authors import open_author
from service.domain.chunks import chunks_of
from service.domain.course import Brief, CoursePlan
from service.domain.course_folder import CourseFile
from service.errors import BadInput
from service.pipeline.own_outline import brought_outline, filled, unfounded
from service.ports import Author, Evidence, IndexedChunk
from service.readers import Limits, read_document
from service.settings import ROOT
from tests.authors.chat_server import shared_author
from tests.authors.test_author_contract import silent
from tests.authors.texts import SourceBuilder
from tests.authors.texts import evidence as evidence_of

OUTLINE = """\
# The internet, from a name to a page

## How names work
### What happens when you type an address
- Describe the steps from a name to a page
### How DNS finds an address
- Explain who answers a DNS question
### Asking DNS yourself

## How data travels
### A connection that loses nothing
- Explain how TCP makes up for lost packets
- Never mind the verb: TCP & UDP

## Baking
### Sourdough starters
"""
Titles = list[tuple[str, list[tuple[str, tuple[str, ...]]]]]


def words_of(plan: CoursePlan) -> Titles:
    return [
        (module.title, [(lesson.title, tuple(one.text for one in lesson.objectives)) for lesson in module.lessons])
        for module in plan.modules
    ]


@pytest.fixture(scope="module")
def evidence() -> Iterator[Evidence]:
    """The sample's documents, and search by words."""
    paths = sorted((ROOT / "samples").glob("0[1345]*.md"))
    sources = tuple(read_document(path, path.name, Limits()) for path in paths)
    vectors, course = open_vectors("memory:"), uuid.uuid4()
    rows = [IndexedChunk(chunk, None) for source in sources for chunk in chunks_of(source)]
    yield Evidence(sources, lambda query, limit: vectors.search(course, query, limit, None, lambda: rows))
    vectors.close()


@pytest.mark.parametrize("author", [open_author("offline"), shared_author()], ids=["rules", "agents"])
def test_an_outline_is_filled_and_every_word_of_it_stays(author: Author, evidence: Evidence) -> None:
    brief, outline = brought_outline(OUTLINE, Brief(title="Another title"))
    plan = filled(outline, brief, author.plan(brief, evidence, silent), evidence)
    assert brief.title == plan.title == "The internet, from a name to a page"
    for (module, lessons), (name, given) in zip(words_of(plan), words_of(outline), strict=True):
        assert module == name
        assert [title for title, _ in lessons] == [title for title, _ in given]
        assert all(aims == own for (_, aims), (_, own) in zip(lessons, given, strict=True) if own)
    founded = [lesson for lesson in plan.lessons if lesson.passages]
    assert all(lesson.objectives and lesson.minutes > 0 for lesson in founded)
    assert [lesson.title for lesson in unfounded(plan)] == ["Sourdough starters"]
    assert author.write(brief, plan, founded[0].id, evidence, silent).objectives == founded[0].objectives


def test_passages_are_about_their_lesson_and_go_to_one_lesson_only(evidence: Evidence) -> None:
    brief, outline = brought_outline(OUTLINE, Brief())
    plan = filled(outline, brief, open_author("offline").plan(brief, evidence, silent), evidence)
    spans = [(span.source, span.start, span.end) for lesson in plan.lessons for span in lesson.passages]
    for source in {source for source, _, _ in spans}:
        ends = 0
        for start, end in sorted((start, end) for one, start, end in spans if one == source):
            assert start >= ends, "two lessons teach the same passage"
            ends = end
    assert {entry.term for entry in plan.glossary} >= {"resolver", "zone"}
    names = {source.sha256: source.name for source in evidence.sources}
    homes = {lesson.title: {names[span.source] for span in lesson.passages} for lesson in plan.lessons}
    assert homes["Asking DNS yourself"] == {"04-asking-dns-yourself.md"}
    assert homes["A connection that loses nothing"] == {"05-a-connection-that-loses-nothing.md"}
    assert "03-how-a-name-becomes-an-address.md" in homes["How DNS finds an address"]


def test_two_lessons_about_the_only_passage_share_it_and_others_do_not() -> None:
    told = SourceBuilder("Web").heading(2, "Cookies").para("A cookie is a short text that a browser sends back.")
    told.heading(2, "Status codes").para("A status code is a number that says how the request went.")
    sources = evidence_of(told.source())
    brief, outline = brought_outline(
        "# Web\n## All\n### The cookie\n### Status codes\n### Cookie and browser\n", Brief()
    )
    first, second, third = filled(outline, brief, CoursePlan(title="Web"), sources).lessons
    assert first.passages == third.passages != ()
    assert second.passages not in ((), first.passages)


def test_a_built_course_keeps_the_outline_and_an_unfounded_lesson_stops_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"HOME": str(tmp_path), "SPEECH": "silent:", "LLM": "offline"}.items():
        monkeypatch.setenv(name, value)
    path = tmp_path / "outline.md"
    path.write_text("# Loaves\n## Dough\n### The starter\n- Feed a starter\n## Oven\n### Baking\n", encoding="utf-8")
    command = ["build", str(ROOT / "tests/e2e/sourdough.md"), "--no-video", "--outline", str(path), "--out"]
    assert main([*command, str(tmp_path / "one")]) == 0, capsys.readouterr().err
    course = CourseFile.model_validate_json((tmp_path / "one" / "course.json").read_bytes())
    assert [module.title for module in course.plan.modules] == ["Dough", "Oven"]
    assert [entry.text.title for entry in course.lessons] == ["The starter", "Baking"]
    assert course.lessons[0].text.objectives[0].text == "Feed a starter"
    capsys.readouterr()

    path.write_text("# Loaves\n## Dough\n### The starter\n### Photosynthesis\n", encoding="utf-8")
    assert main([*command, str(tmp_path / "two")]) == 2
    assert "say nothing about “Photosynthesis”. Add a document" in capsys.readouterr().err
    path.write_text("# Loaves\n## Dough\nSome prose.\n", encoding="utf-8")
    assert main([*command, str(tmp_path / "two")]) == 2
    assert "outline.md: Line 3: “Some prose.” is neither" in capsys.readouterr().err
    assert not (tmp_path / "two").exists()


def test_an_outline_that_is_none_is_refused() -> None:
    with pytest.raises(BadInput, match="is empty"):
        brought_outline("\n\n", Brief())
