"""The authoring benchmark measures what it says: each figure falls when the course loses what it stands for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from service.domain.lesson import Claim, HeadingBlock, Lesson, ParagraphBlock
from service.domain.report import CourseDocuments, Taught
from service.domain.storyboard import Cue
from tests.authors.texts import SourceBuilder, bees
from tests.bench import recall
from tests.bench.authoring import scoreboard
from tests.bench.figures import FIGURES, keep, kept, measured, pedagogy_table, table
from tests.bench.made import Made, courses_in, made


@pytest.fixture(scope="module")
def honey() -> Made:
    return made("honey", (bees(),))


def changed(one: Made, **lesson: object) -> Made:
    first = one.course.lessons[0]
    taught = replace(first, lesson=first.lesson.model_copy(update=lesson))
    return replace(one, course=replace(one.course, lessons=(taught, *one.course.lessons[1:])))


def test_a_whole_course_reaches_every_target(honey: Made) -> None:
    assert [key for key, figure in FIGURES.items() if key != "speed" and not figure.good(figure.measure(honey))] == []


def test_headings_and_names_that_a_lesson_leaves_out_are_missed(honey: Made) -> None:
    bare = changed(honey, blocks=(), title="Something")
    plan = bare.course.plan.model_copy(update={"modules": ()})
    course = replace(bare.course, plan=plan, lessons=bare.course.lessons[:1])
    assert recall.heading_recall(honey.sources, course) < 0.2
    assert recall.entity_recall(honey.sources, course) < 0.2


def test_equal_headings_count_once() -> None:
    page = SourceBuilder("Tests").heading(2, "Failures").heading(2, "Failures").heading(2, "Tools").source()
    plan = made("bees", (bees(),)).course.plan.model_copy(update={"modules": ()})
    blocks = tuple(HeadingBlock(id=f"b{n}", text=text) for n, text in enumerate(("Tests", "Failures")))
    course = CourseDocuments(
        made("bees", (bees(),)).course.brief, plan, (Taught("x", Lesson(id="x", title="Tests", blocks=blocks)),), {}
    )
    assert recall.heading_recall((page,), course) == pytest.approx(2 / 3)


def test_a_fact_that_is_told_without_its_cite_is_found(honey: Made) -> None:
    taught = honey.course.lessons[0]
    assert taught.storyboard is not None
    fact = next(cue for cue in taught.storyboard.cues() if cue.cites and len(cue.text.split()) > 8)
    scene = taught.storyboard.scenes[2].model_copy(update={"cues": (Cue(text=fact.text), Cue(text="Look here."))})
    board = taught.storyboard.model_copy(update={"scenes": (*taught.storyboard.scenes, scene)})
    course = replace(honey.course, lessons=(replace(taught, storyboard=board), *honey.course.lessons[1:]))
    assert recall.uncited(honey.course)[1] == []
    assert recall.uncited(course)[1] == [fact.text]


def test_a_fact_of_two_lessons_is_found(honey: Made) -> None:
    again = next(claim for claim in honey.course.lessons[0].lesson.claims() if len(claim.text.split()) > 6)
    copy = Lesson(
        id="copy",
        title="Copy",
        blocks=(
            ParagraphBlock(
                id="b1",
                claims=(again, Claim(text="New one.")),
            ),
        ),
    )
    course = replace(honey.course, lessons=(*honey.course.lessons, Taught("copy", copy)))
    assert recall.told_twice(honey.course) == []
    assert recall.told_twice(course) == [again.text]


def test_an_inexact_cite_misses_a_hard_target(honey: Made, capsys: pytest.CaptureFixture[str]) -> None:
    assert not scoreboard([honey], with_pedagogy=True)
    wrong = replace(
        honey, course=replace(honey.course, texts={name: "x" + text for name, text in honey.course.texts.items()})
    )
    assert scoreboard([wrong], with_pedagogy=False)
    assert "% !" in capsys.readouterr().out.rpartition("cites that equal their source")[2].splitlines()[0]


def test_what_was_kept_stands_beside_what_moved(honey: Made, tmp_path: Path) -> None:
    place = tmp_path / "kept.json"
    keep({"honey": measured(honey)}, place)
    keep({"other": {"headings": 0.5, "speed": 3.0}}, place)
    assert kept(place).keys() == {"honey", "other"}
    assert "speed" not in kept(place)["other"]
    before = {"honey": {**kept(place)["honey"], "headings": 0.5, "P11": "7%"}}
    rows = {"honey": measured(honey)}
    assert "(0.50)" in "\n".join(table(rows, before))
    checks = pedagogy_table(rows, before, [])
    assert "honey" in checks[0]
    assert "(" not in "\n".join(table(rows, {"honey": rows["honey"]})[1:]).replace("(STORM)", "")


def test_each_folder_of_documents_becomes_a_course(tmp_path: Path) -> None:
    text = "\n\n".join(
        f"A hive of size {n} holds {n + 3} frames, because the keeper adds one every year." for n in range(20)
    )
    for name in ("one/page.md", "two/page.md", "two/README.md", "two/picture.bin"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"# Hives\n\n{text}\n", encoding="utf-8")
    found = list(courses_in(tmp_path))
    assert [one.name for one in found] == ["one", "two"]
    assert [len(one.sources) for one in found] == [1, 1]
