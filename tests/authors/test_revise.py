"""Changes without a model: which sentences go and come, and what is refused."""

from __future__ import annotations

import pytest

from service.authors.extractive import ExtractiveAuthor
from service.domain.course import Brief, CoursePlan
from service.domain.lesson import Lesson, ParagraphBlock
from service.domain.revision import Change, LessonDocuments, Part
from service.domain.wishes import words_of
from service.errors import BadInput
from service.ports import Evidence
from tests.authors.texts import SourceBuilder, evidence, sourdough


def silent(what: str, part: float | None = None) -> None:
    """A report that nobody reads."""


class Standing:
    """A lesson as it stands, and the author who changes it."""

    def __init__(self, given: Evidence) -> None:
        self.given, self.author = given, ExtractiveAuthor()
        self.plan: CoursePlan = self.author.plan(Brief(), given, silent)
        lesson = self.author.write(Brief(), self.plan, self.plan.lessons[0].id, given, silent)
        board = self.author.storyboard(Brief(), self.plan, lesson, given, silent)
        self.documents = LessonDocuments(text=lesson, storyboard=board)

    def revise(self, part: Part, wish: str, part_id: str = "", turn: int = 0) -> LessonDocuments:
        change = Change(part=part, id=part_id, wish=wish, turn=turn)
        return self.author.revise(Brief(), self.plan, self.documents, change, self.given, silent)

    def paragraph(self, number: int = 0) -> ParagraphBlock:
        found = [b for b in self.documents.text.blocks if isinstance(b, ParagraphBlock) and len(b.claims) > 2]
        return found[number]


@pytest.fixture(scope="module")
def standing() -> Standing:
    return Standing(evidence(sourdough()))


def sentences(lesson: Lesson) -> list[str]:
    return [claim.text for claim in lesson.claims()]


def test_shorter_leaves_out_whole_sentences_and_writes_none(standing: Standing) -> None:
    before, after = standing.documents.text, standing.revise("lesson", "shorter").text
    kept = sentences(after)
    assert len(kept) < len(sentences(before))
    assert [text for text in sentences(before) if text in kept] == kept
    steps = [
        block
        for block in before.blocks
        if block.kind in ("code", "table", "exercise") or (block.kind == "list" and block.ordered)
    ]
    assert [block for block in after.blocks if block in steps] == steps


def test_the_same_wish_again_gets_another_answer_and_the_same_turn_the_same(standing: Standing) -> None:
    block = standing.paragraph().id
    first, second = (standing.revise("block", "shorter", block, turn) for turn in (0, 1))
    assert first != second
    assert standing.revise("block", "shorter", block) == first
    assert Standing(evidence(sourdough())).revise("block", "shorter", block) == first


def test_longer_brings_back_what_was_left_out_where_it_stood(standing: Standing) -> None:
    block = standing.paragraph()
    short = standing.revise("block", "shorter", block.id)
    cut = Standing(standing.given)
    cut.documents = short
    longer = cut.revise("block", "longer", block.id)
    assert longer.text == standing.documents.text


def test_again_gives_an_edited_block_as_the_sources_have_it(standing: Standing) -> None:
    block = standing.paragraph()
    words = len(" ".join(claim.text for claim in block.claims).split())
    for turn in range(3):
        short = standing.revise("block", "shorter", block.id, turn)
        left = next(one for one in short.text.blocks if one.id == block.id)
        if words_of(left) * 1.6 >= words:  # else that is another length
            break
    cut = Standing(standing.given)
    cut.documents = short
    assert cut.revise("block", "", block.id).text == standing.documents.text


def test_an_example_is_taken_from_what_the_course_does_not_teach_yet() -> None:
    page = SourceBuilder("Knots").heading(2, "Hitches")
    for n in range(30):
        page.para(f"A hitch of kind {n} ties a rope to a post, and sailors of port {n} trust it because it holds well.")
    told = "For example, a clove hitch ties a fender to a rail while the boat waits in the lock."
    page.heading(2, "Elsewhere").para(f"{told} Crews like it.")
    given = Standing(evidence(page.source()))
    first = given.plan.lessons[0]
    end = page.text.index(told)
    spans = tuple(span.model_copy(update={"end": min(span.end, end)}) for span in first.passages if span.start < end)
    module = given.plan.modules[0].model_copy(update={"lessons": (first.model_copy(update={"passages": spans}),)})
    given.plan = given.plan.model_copy(update={"modules": (module,)})
    lesson = given.author.write(Brief(), given.plan, first.id, given.given, silent)
    given.documents = LessonDocuments(text=lesson)
    assert told not in sentences(lesson)
    made = given.revise("lesson", "add an example").text
    assert [text for text in sentences(made) if text not in sentences(lesson)] == [told]
    claim = next(claim for claim in made.claims() if claim.text == told)
    assert claim.cites[0].exact(page.text)


@pytest.mark.parametrize(("wish", "says"), [("sing it", "Without a model"), ("add an example", "Add a source")])
def test_what_the_sources_cannot_give_is_refused_with_the_way_out(standing: Standing, wish: str, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        standing.revise("lesson", wish)


def test_a_scene_loses_a_point_with_what_is_said_about_it_and_never_an_objective(standing: Standing) -> None:
    board = standing.documents.storyboard
    assert board
    listed = [s for s in board.scenes if s.kind in ("bullets", "map") and len(s.items) > 2]
    aims = [scene for scene in listed if not any(cue.cites for cue in scene.cues)]
    told = [scene for scene in listed if scene not in aims]
    for scene in told:
        made = standing.revise("scene", "shorter", scene.id).storyboard
        assert made
        new = next(one for one in made.scenes if one.id == scene.id)
        states = [cue.state for cue in new.cues if cue.state is not None]
        assert states == sorted(states)
        assert max(states, default=0) <= len(getattr(new, "items", ())) + 1
    for scene in aims:
        with pytest.raises(BadInput):
            standing.revise("scene", "shorter", scene.id)
    assert told or aims


def test_a_redrawn_scene_says_nothing_that_the_text_has_lost(standing: Standing) -> None:
    board, block = standing.documents.storyboard, standing.paragraph()
    assert board
    lost = standing.revise("block", "shorter", block.id).text
    gone = [claim for claim in standing.documents.text.claims() if claim not in set(lost.claims())]
    telling = [s for s in board.scenes if any(cue.text == claim.text for claim in gone for cue in s.cues)]
    assert telling
    for scene in telling:
        if any(cue.cites and cue.text not in {claim.text for claim in gone} for cue in scene.cues):
            change, documents = Change(part="scene", id=scene.id), LessonDocuments(text=lost, storyboard=board)
            made = standing.author.revise(Brief(), standing.plan, documents, change, standing.given, silent).storyboard
            assert made
            assert not {cue.text for cue in made.cues()} & {claim.text for claim in gone}
