"""A part of a lesson made anew by the team, over real HTTP: what changes, what stays, and what is refused."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from service.authors.agents.author import AgentAuthor
from service.domain.course import Brief, CoursePlan
from service.domain.lesson import Claim, ExerciseBlock, Lesson, LessonBlock, ParagraphBlock
from service.domain.revision import Change, LessonDocuments, Part
from service.domain.storyboard import Scene
from service.errors import BadInput, Broken, Paused
from service.ports import Evidence
from tests.authors.chat_server import Mind, Notebook, chat, model_at
from tests.authors.test_agents import Books
from tests.authors.test_author_contract import silent
from tests.authors.texts import backups, evidence, sourdough

GIVEN = evidence(sourdough(), backups())


@dataclass(frozen=True)
class Standing:
    """A finished lesson, as a revision finds it."""

    plan: CoursePlan
    documents: LessonDocuments

    def revised(
        self, author: AgentAuthor, part: Part, part_id: str, wish: str, given: Evidence = GIVEN, till: Any = None
    ) -> LessonDocuments:
        change = Change(part=part, id=part_id, wish=wish)
        return author.revise(Brief(), self.plan, self.documents, change, given, silent, till or Books())


@pytest.fixture(scope="module")
def standing() -> Standing:
    """The second lesson of two, with its video."""
    with chat() as (server, _):
        author = AgentAuthor(model_at(server), Notebook())
        plan = author.plan(Brief(), GIVEN, silent)
        lesson = author.write(Brief(), plan, plan.lessons[-1].id, GIVEN, silent)
        board = author.storyboard(Brief(), plan, lesson, GIVEN, silent)
    return Standing(plan, LessonDocuments(text=lesson, storyboard=board))


def words(blocks: tuple[LessonBlock, ...]) -> int:
    return sum(len(claim.text.split()) for claim in Lesson(id="", title="", blocks=blocks).claims())


def spoken(scene: Scene) -> int:
    return sum(len(cue.text.split()) for cue in scene.cues)


def longest(lesson: Lesson) -> ParagraphBlock:
    return max((b for b in lesson.blocks if isinstance(b, ParagraphBlock)), key=lambda block: len(block.claims))


def middle(standing: Standing) -> Scene:
    assert standing.documents.storyboard is not None
    return next(one for one in standing.documents.storyboard.scenes if one.kind == "steps" and len(one.cues) > 2)


def test_a_shorter_block_is_shorter_and_keeps_the_cites_of_what_stays(standing: Standing) -> None:
    old = longest(standing.documents.text)
    with chat() as (server, _):
        author = AgentAuthor(model_at(server), Notebook())
        made = standing.revised(author, "block", old.id, "shorter, please")
        task = server.bodies()[0]["messages"][-1]["content"]
    new = next(block for block in made.text.blocks if block.id == old.id)
    assert isinstance(new, ParagraphBlock)
    assert 0 < words((new,)) < words((old,))
    assert set(new.claims) <= set(old.claims)
    assert made == standing.documents.model_copy(update={"text": made.text})
    others = [block for block in made.text.blocks if block.id != old.id]
    assert others == [block for block in standing.documents.text.blocks if block.id != old.id]
    assert "The instructor's wish: shorter, please" in task
    far = [
        c.text
        for block in standing.documents.text.blocks[-2:]
        for c in Lesson(id="", title="", blocks=(block,)).claims()
    ]
    assert not any(text in task.split("<passage")[0] for text in far)


def test_what_is_added_to_a_block_is_cited_exactly(standing: Standing) -> None:
    old = longest(standing.documents.text)
    with chat(Adding()) as (server, _):
        made = standing.revised(AgentAuthor(model_at(server), Notebook()), "block", old.id, "add an example")
    new = next(block for block in made.text.blocks if block.id == old.id)
    assert isinstance(new, ParagraphBlock)
    [added] = [claim for claim in new.claims if claim not in old.claims]
    assert added.text == SIMPLER
    assert added.state == "supported"
    assert [cite.exact(GIVEN.source(cite.source).text) for cite in added.cites] == [True]


SIMPLER = "A backup survives the loss of the originals."
PROOF = "A backup is a copy of files that survives the loss of the originals."


class Adding(Mind):
    """Adds one sentence of its own making, with its proof."""

    def block_anew(self, talk: str) -> dict[str, Any]:
        made = super().block_anew(talk.replace("wish: add", "wish: "))
        made["block"]["sentences"][-1] = {"text": SIMPLER, "passage": "", "quote": PROOF}
        return made


def test_a_revised_slide_leaves_every_other_slide_as_it_is(standing: Standing) -> None:
    scene = middle(standing)
    paused = (scene.cues[0].model_copy(update={"pause": 2.0}), *scene.cues[1:])
    old = scene.model_copy(update={"cues": paused})
    board = standing.documents.storyboard
    assert board is not None
    board = board.model_copy(update={"scenes": tuple(old if one is scene else one for one in board.scenes)})
    given = Standing(standing.plan, standing.documents.model_copy(update={"storyboard": board}))
    with chat() as (server, _):
        made = given.revised(AgentAuthor(model_at(server), Notebook()), "scene", old.id, "shorter")
    assert made.storyboard is not None
    assert made.text == standing.documents.text
    pairs = list(zip(made.storyboard.scenes, board.scenes, strict=True))
    assert [new.id for new, was in pairs if new != was] == [old.id]
    [new] = [new for new, was in pairs if new != was]
    assert spoken(new) < spoken(old)
    assert new.cues[0].pause == 2.0
    kept = {(cue.text, cue.cites, cue.pause) for cue in old.cues}
    assert {(cue.text, cue.cites, cue.pause) for cue in new.cues} <= kept


@pytest.mark.parametrize("kind", ["title", "recap"])
def test_the_opening_and_the_closing_slide_can_be_changed_too(standing: Standing, kind: str) -> None:
    assert standing.documents.storyboard is not None
    old = next(scene for scene in standing.documents.storyboard.scenes if scene.kind == kind)
    with chat() as (server, _):
        made = standing.revised(AgentAuthor(model_at(server), Notebook()), "scene", old.id, "something more lively")
    assert made.storyboard is not None
    [new] = [one for one in made.storyboard.scenes if one not in standing.documents.storyboard.scenes]
    assert (new.id, new.kind, new.title) == (old.id, old.kind, old.title)


def test_a_shorter_lesson_keeps_the_ids_of_the_blocks_that_it_keeps(standing: Standing) -> None:
    old = standing.documents.text
    with chat() as (server, _):
        made = standing.revised(AgentAuthor(model_at(server), Notebook()), "lesson", "", "shorter").text
    assert words(made.blocks) < words(old.blocks)
    assert (made.id, made.title, made.objectives) == (old.id, old.title, old.objectives)
    assert len({block.id for block in made.blocks}) == len(made.blocks)
    known = {block.id: block for block in old.blocks}
    assert all(block.kind == known[block.id].kind for block in made.blocks if block.id in known)
    headings = [block for block in old.blocks if block.kind in ("heading", "code", "table")]
    assert [block for block in made.blocks if block in headings]
    assert {cite for cite in made.cites()} <= {cite for cite in old.cites()}


def test_what_is_not_shorter_goes_back_with_its_figures_and_is_refused_in_the_end(standing: Standing) -> None:
    class Wordy(Mind):
        def block_anew(self, talk: str) -> dict[str, Any]:
            return super().block_anew(talk.replace("shorter", "longer"))

    old, notes = longest(standing.documents.text), Notebook()
    with chat(Wordy()) as (server, mind):
        with pytest.raises(Broken, match=r"It was to be shorter, and has \d+ words instead of \d+"):
            standing.revised(AgentAuthor(model_at(server), notes), "block", old.id, "shorter")
        again = json.dumps(server.bodies()[1]["messages"][-1]["content"])
    assert mind.asked.count("BlockRevisionShape") == 3
    assert "It was to be shorter" in again
    assert not notes.kept


def test_the_instructors_own_sentence_is_asked_back(standing: Standing) -> None:
    own = Claim(text="Our shop keeps its copies in the cellar of the town hall.", state="edited")
    block = longest(standing.documents.text)
    mixed = block.model_copy(update={"claims": (*block.claims, own)})
    blocks = tuple(mixed if one is block else one for one in standing.documents.text.blocks)
    text = standing.documents.text.model_copy(update={"blocks": blocks})
    given = Standing(standing.plan, standing.documents.model_copy(update={"text": text}))
    with chat() as (server, _):
        made = given.revised(AgentAuthor(model_at(server), Notebook()), "block", block.id, "shorter")
        again = server.bodies()[1]["messages"][-1]["content"]
    assert "is the instructor's own sentence: repeat it word for word" in again
    assert made.text != text
    with chat() as (server, _):
        kept = given.revised(AgentAuthor(model_at(server), Notebook()), "block", block.id, "")
    assert own in list(kept.text.claims())


@pytest.mark.parametrize(
    ("part", "part_id", "why"),
    [
        ("block", "gone", "not in the lesson any more"),
        ("scene", "gone", "not in the video any more"),
        ("scene", "s2", "in the outline"),
    ],
)
def test_what_cannot_be_revised_is_refused_before_a_model_is_asked(
    standing: Standing, part: Part, part_id: str, why: str
) -> None:
    with chat() as (server, _):
        with pytest.raises(BadInput, match=why):
            standing.revised(AgentAuthor(model_at(server), Notebook()), part, part_id, "shorter")
        assert server.calls() == 0


def test_the_closing_slide_cannot_say_less(standing: Standing) -> None:
    assert standing.documents.storyboard is not None
    recap = standing.documents.storyboard.scenes[-1]
    with chat() as (server, _):
        with pytest.raises(BadInput, match="Wish for other lines"):
            standing.revised(AgentAuthor(model_at(server), Notebook()), "scene", recap.id, "shorter")
        assert server.calls() == 0


def test_code_is_not_rewritten(standing: Standing) -> None:
    code = next((block for block in standing.documents.text.blocks if block.kind in ("code", "table")), None)
    assert code is not None
    with chat() as (server, _), pytest.raises(BadInput, match="stands as its source has it"):
        standing.revised(AgentAuthor(model_at(server), Notebook()), "block", code.id, "shorter")


def test_an_exercise_keeps_its_code(standing: Standing) -> None:
    claims = longest(standing.documents.text).claims
    exercise = ExerciseBlock(
        id="try", title="Try it", task=claims, code="tar -cf a.tar b", solution_code="tar -tf a.tar"
    )
    text = standing.documents.text.model_copy(update={"blocks": (*standing.documents.text.blocks, exercise)})
    given = Standing(standing.plan, standing.documents.model_copy(update={"text": text}))
    with chat() as (server, _):
        made = given.revised(AgentAuthor(model_at(server), Notebook()), "block", "try", "shorter").text.blocks[-1]
    assert isinstance(made, ExerciseBlock)
    assert (made.code, made.solution_code) == (exercise.code, exercise.solution_code)
    assert len(made.task) < len(exercise.task)


def test_a_change_is_booked_once_resumed_for_nothing_and_asked_anew_on_another_turn(standing: Standing) -> None:
    books, notes = Books(), Notebook()
    old = longest(standing.documents.text)
    change = Change(part="block", id=old.id, wish="shorter")
    with chat() as (server, _):
        author = AgentAuthor(model_at(server), notes)

        def revise(turn: int) -> LessonDocuments:
            wanted = change.model_copy(update={"turn": turn})
            return author.revise(Brief(), standing.plan, standing.documents, wanted, GIVEN, silent, books)

        first = revise(0)
        assert len(books.rows) == server.calls() == len(notes.kept) > 0
        calls = server.calls()
        assert revise(0) == first
        assert server.calls() == calls == len(books.rows)
        revise(1)
        assert server.calls() == 2 * calls == len(books.rows)
        told = server.bodies()
    assert told[0]["temperature"] == 0 < told[calls]["temperature"]
    assert told[0]["seed"] != told[calls]["seed"]


def test_an_empty_purse_stops_a_change(standing: Standing) -> None:
    with chat() as (server, _), pytest.raises(Paused):
        author = AgentAuthor(model_at(server), Notebook())
        standing.revised(author, "block", longest(standing.documents.text).id, "shorter", till=Books(empty=True))
