"""What every author keeps: exact cites, proof for facts, valid quizzes, nothing told twice, edits respected."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from service.authors.extractive import ExtractiveAuthor
from service.domain.course import Brief, CoursePlan, LessonPlan, Objective
from service.domain.lesson import Claim, CodeBlock, Lesson, ParagraphBlock, TableBlock
from service.domain.quiz import Quiz
from service.domain.revision import Change, LessonDocuments, Part
from service.domain.source import Cite, Source
from service.domain.storyboard import Storyboard
from service.domain.wishes import broken_rule, spoken_words, words_of
from service.errors import BadInput, Canceled
from service.ports import Author, Evidence
from tests.authors.chat_server import shared_author
from tests.authors.texts import SourceBuilder, backups, bees, evidence, sourdough

AUTHORS: dict[str, Callable[[], Author]] = {"extractive": ExtractiveAuthor, "agents": shared_author}
SETS: dict[str, tuple[Callable[[], Source], ...]] = {
    "concept": (sourdough,),
    "how-to": (backups,),
    "lists": (bees,),
    "all": (sourdough, backups, bees),
}


def silent(what: str, part: float | None = None) -> None:
    """A report that nobody reads."""


@dataclass
class Course:
    """Everything that an author makes of one set of sources."""

    evidence: Evidence
    plan: CoursePlan
    lessons: list[Lesson]
    storyboards: list[Storyboard]
    quizzes: list[Quiz]

    def cites(self) -> list[Cite]:
        found = [cite for lesson in self.lessons for cite in lesson.cites()]
        found += [cite for board in self.storyboards for cite in board.cites()]
        return found + [cite for quiz in self.quizzes for item in quiz.items for cite in item.cites]


def made(author: Author, given: Evidence, brief: Brief | None = None) -> Course:
    brief = brief or Brief()
    plan = author.plan(brief, given, silent)
    lessons = [author.write(brief, plan, planned.id, given, silent) for planned in plan.lessons]
    return Course(
        given,
        plan,
        lessons,
        [author.storyboard(brief, plan, lesson, given, silent) for lesson in lessons],
        [author.quiz(brief, plan, lesson, given, silent) for lesson in lessons],
    )


@pytest.fixture(params=AUTHORS, scope="module")
def open_author(request: pytest.FixtureRequest) -> Callable[[], Author]:
    return AUTHORS[request.param]


@pytest.fixture(scope="module")
def author(open_author: Callable[[], Author]) -> Author:
    return open_author()


@pytest.fixture(params=SETS, scope="module")
def course(request: pytest.FixtureRequest, author: Author) -> Course:
    return made(author, evidence(*(text() for text in SETS[request.param])))


def test_every_cite_equals_its_source_exactly(course: Course) -> None:
    texts = {source.sha256: source.text for source in course.evidence.sources}
    cites = course.cites()
    assert len(cites) > 30
    assert [cite for cite in cites if not cite.exact(texts[cite.source])] == []


def test_every_factual_claim_is_cited(course: Course) -> None:
    claims = [claim for lesson in course.lessons for claim in lesson.claims()]
    assert [claim.text for claim in claims if claim.factual and not claim.cites] == []
    assert all(not claim.cites for claim in claims if not claim.factual)


def test_a_claim_says_what_its_cite_says(course: Course) -> None:
    for lesson in course.lessons:
        for claim in lesson.claims():
            if claim.cites:
                assert claim.text[1:] in claim.cites[0].quote


def test_code_and_tables_are_what_their_cites_hold(course: Course) -> None:
    for lesson in course.lessons:
        for block in lesson.blocks:
            if isinstance(block, CodeBlock):
                assert block.cites[0].quote == block.code
            if isinstance(block, TableBlock):
                assert all(cell in block.cites[0].quote for row in block.rows for cell in row)


def test_every_cue_that_states_a_fact_is_cited(course: Course) -> None:
    """What carries no cite is a signpost, a question or an objective: none of it is a sentence of the source."""
    sentences = {plain(claim.text) for lesson in course.lessons for claim in lesson.claims() if claim.cites}
    for board in course.storyboards:
        for cue in board.cues():
            if not cue.cites:
                assert plain(cue.text) not in sentences
                assert cue.text.endswith((".", "?", "!"))
                assert not re.search(r"\b(?:because|means that|is an?)\b", cue.text), cue.text


def test_slides_that_show_facts_name_their_source(course: Course) -> None:
    for board in course.storyboards:
        for scene in board.scenes:
            if scene.kind in (
                "definition",
                "code",
                "table",
                "comparison",
                "steps",
                "warning",
                "figure",
                "quote",
                "process",
                "worked",
            ):
                assert scene.cites, scene.title
                assert scene.cite_label, scene.title


def test_nothing_is_told_twice(course: Course) -> None:
    spoken = Counter(
        plain(cue.text) for board in course.storyboards for cue in board.cues() if cue.cites and len(cue.text) > 30
    )
    assert [text for text, n in spoken.items() if n > 1] == []
    written = Counter(plain(c.text) for lesson in course.lessons for c in lesson.claims() if c.cites)
    assert [text for text, n in written.items() if n > 1] == []


def test_what_two_documents_both_say_is_told_once(author: Author) -> None:
    shared = "Flour is kept in a dry and dark place of the house, because light and damp spoil it within weeks."
    pages = []
    for name in ("Mills", "Shops"):
        page = SourceBuilder(name).heading(2, f"{name} and flour")
        for n in range(34):
            page.para(
                f"The {name.lower()} of street {n} sell flour of sort {n + 3}, since people of house {n} bake bread."
            )
        pages.append(page.para(shared).para(shared).source())
    course = made(author, evidence(*pages))
    claims = [claim.text for lesson in course.lessons for claim in lesson.claims()]
    cues = [cue.text for board in course.storyboards for cue in board.cues()]
    assert len(course.lessons) == 2
    assert claims.count(shared) == 1
    assert cues.count(shared) <= 1


def test_ids_are_unique(course: Course) -> None:
    plan = course.plan
    groups = [
        [module.id for module in plan.modules],
        [lesson.id for lesson in plan.lessons],
        [objective.id for lesson in plan.lessons for objective in lesson.objectives],
        *[[block.id for block in lesson.blocks] for lesson in course.lessons],
        *[[scene.id for scene in board.scenes] for board in course.storyboards],
        [item.id for quiz in course.quizzes for item in quiz.items],
    ]
    for ids in groups:
        assert len(set(ids)) == len(ids)


def test_every_lesson_has_objectives_that_begin_with_a_verb_of_their_level(course: Course) -> None:
    for lesson in course.plan.lessons:
        assert 1 <= len(lesson.objectives) <= 3
        for objective in lesson.objectives:
            assert objective.text[0].isupper()
            assert objective.bloom


def test_every_lesson_has_a_quiz_whose_options_all_have_reasons(course: Course) -> None:
    for lesson, quiz in zip(course.lessons, course.quizzes, strict=True):
        assert quiz.lesson_id == lesson.id
        assert quiz.items, lesson.title
        for item in quiz.items:
            asked_of = course.plan.lesson(item.reviews) if item.reviews else lesson
            assert item.cites
            assert item.objective in {objective.id for objective in asked_of.objectives}
            assert all(option.rationale for option in item.options)
            assert len({option.text for option in item.options}) == len(item.options)


def test_a_storyboard_opens_with_its_title_and_stays_within_a_breath(course: Course) -> None:
    for lesson, board in zip(course.lessons, course.storyboards, strict=True):
        assert board.scenes[0].kind == "title"
        assert board.title == lesson.title
        for scene in board.scenes:
            assert sum(len((cue.speech or cue.text).split()) for cue in scene.cues) <= 190
            for item in getattr(scene, "items", ()):
                shown = item if isinstance(item, str) else " ".join(item)
                assert len(shown.split()) <= 22, item


def test_states_never_run_backwards_or_past_the_slide(course: Course) -> None:
    for board in course.storyboards:
        for scene in board.scenes:
            states = [cue.state for cue in scene.cues if cue.state is not None]
            assert states == sorted(states), scene.title
            items = getattr(scene, "items", None)
            if items is not None:
                assert max(states, default=0) <= len(items) + 1


def test_two_runs_are_equal(open_author: Callable[[], Author]) -> None:
    given = evidence(sourdough(), bees())
    assert made(open_author(), given) == made(open_author(), given)


def test_an_edited_plan_is_respected(author: Author) -> None:
    given = evidence(sourdough(), backups(), bees())
    plan = author.plan(Brief(), given, silent)
    first, *rest = plan.lessons
    renamed = first.model_copy(update={"title": "A title of my own"})
    module = plan.modules[0].model_copy(update={"lessons": (rest[-1], renamed)})
    edited = plan.model_copy(update={"modules": (module,)})
    lesson = author.write(Brief(), edited, renamed.id, given, silent)
    board = author.storyboard(Brief(), edited, lesson, given, silent)
    assert lesson.title == board.title == "A title of my own"
    assert {cite.source for cite in lesson.cites()} == {span.source for span in first.passages}
    assert board.scenes[0].kicker == module.title


def test_an_edited_lesson_reaches_its_video(author: Author) -> None:
    given = evidence(sourdough())
    plan = author.plan(Brief(), given, silent)
    lesson = author.write(Brief(), plan, plan.lessons[0].id, given, silent)
    own = ParagraphBlock(
        id="mine", claims=(Claim(text="Our bakery feeds its starter every morning at six.", state="edited"),)
    )
    edited = lesson.model_copy(update={"blocks": (own, *lesson.blocks)})
    board = author.storyboard(Brief(), plan, edited, given, silent)
    assert any("every morning at six" in cue.text for cue in board.cues())


def test_a_lesson_added_by_hand_finds_its_passages(author: Author) -> None:
    given = evidence(sourdough(), backups(), bees())
    plan = author.plan(Brief(), given, silent)
    added = LessonPlan(
        id="mine",
        title="Swarming colonies and queen cells",
        objectives=(Objective(id="mine-1", text="Explain why a colony swarms", bloom="understand"),),
    )
    module = plan.modules[0].model_copy(update={"lessons": (*plan.modules[0].lessons, added)})
    edited = plan.model_copy(update={"modules": (module, *plan.modules[1:])})
    lesson = author.write(Brief(), edited, "mine", given, silent)
    assert any("queen" in claim.text for claim in lesson.claims())
    assert author.storyboard(Brief(), edited, lesson, given, silent).scenes
    assert author.quiz(Brief(), edited, lesson, given, silent).items


def test_a_lesson_that_the_sources_know_nothing_of_is_refused(author: Author) -> None:
    given = evidence(sourdough())
    plan = author.plan(Brief(), given, silent)
    added = LessonPlan(id="mine", title="Quantum chromodynamics")
    module = plan.modules[0].model_copy(update={"lessons": (*plan.modules[0].lessons, added)})
    edited = plan.model_copy(update={"modules": (module,)})
    with pytest.raises(BadInput, match="Quantum chromodynamics"):
        author.write(Brief(), edited, "mine", given, silent)


def test_sources_that_hold_too_little_are_refused_in_one_line(author: Author) -> None:
    thin = SourceBuilder("A stub").para("This page is empty for now.").source()
    for given in (evidence(), evidence(thin)):
        with pytest.raises(BadInput) as refusal:
            author.plan(Brief(), given, silent)
        assert "\n" not in str(refusal.value)


def test_fewer_minutes_give_a_shorter_course(author: Author) -> None:
    given = evidence(sourdough(), backups(), bees())
    whole = author.plan(Brief(), given, silent)
    short = author.plan(Brief(minutes=4), given, silent)
    long = author.plan(Brief(minutes=3000), given, silent)
    assert short.minutes < whole.minutes
    assert short.minutes <= 4 * 1.4
    assert short.lessons
    assert long == whole


def test_the_title_of_the_brief_is_the_courses_title(author: Author) -> None:
    assert author.plan(Brief(title="Baking at home"), evidence(sourdough()), silent).title == "Baking at home"


def test_a_course_in_another_language_does_not_break(author: Author) -> None:
    page = SourceBuilder("Die Hefe").heading(2, "Was Hefe ist")
    for n in range(12):
        page.para(
            f"Hefe ist ein Pilz, der Zucker in Gas verwandelt, und Teig Nummer {n} geht davon auf. Der Bäcker wartet "
            "dabei geduldig, bis sich das Volumen verdoppelt hat. Danach wird der Teig geformt und gebacken."
        )
    course = made(author, evidence(page.source()), Brief(language="de"))
    assert course.plan.language == "de"
    assert all(board.language == "de" for board in course.storyboards)


def documents_of(course: Course) -> LessonDocuments:
    return LessonDocuments(text=course.lessons[0], storyboard=course.storyboards[0], quiz=course.quizzes[0])


@pytest.mark.parametrize("part", ["block", "scene", "lesson"])
def test_a_part_made_shorter_is_shorter_and_everything_beside_it_stays(
    author: Author, course: Course, part: Part
) -> None:
    before = documents_of(course)
    assert before.storyboard
    blocks = [block for block in before.text.blocks if isinstance(block, ParagraphBlock) and len(block.claims) > 1]
    told = [scene for scene in before.storyboard.scenes if sum(bool(cue.cites) for cue in scene.cues) > 2]
    longest = {"block": max(blocks, key=words_of).id, "scene": max(told, key=spoken_words).id, "lesson": ""}
    change = Change(part=part, id=longest[part], wish="shorter")
    after = author.revise(Brief(), course.plan, before, change, course.evidence, silent)
    assert broken_rule(before, after, change) == ""
    texts = {source.sha256: source.text for source in course.evidence.sources}
    assert after.storyboard
    assert all(cite.exact(texts[cite.source]) for cite in (*after.text.cites(), *after.storyboard.cites()))
    assert all(claim.cites for claim in after.text.claims() if claim.factual)


def test_a_part_that_is_not_there_cannot_be_revised(author: Author) -> None:
    course = made(author, evidence(sourdough()))
    parts: tuple[Part, ...] = ("block", "scene")
    for part in parts:
        change = Change(part=part, id="nowhere", wish="shorter")
        with pytest.raises(BadInput):
            author.revise(Brief(), course.plan, documents_of(course), change, course.evidence, silent)


def test_work_stops_when_it_is_canceled(author: Author) -> None:
    def canceled(what: str, part: float | None = None) -> None:
        raise Canceled("Stopped.")

    with pytest.raises(Canceled):
        author.plan(Brief(), evidence(sourdough()), canceled)


def plain(text: str) -> str:
    return re.sub(r"\W+", " ", text).strip().lower()
