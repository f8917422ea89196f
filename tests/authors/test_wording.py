"""What a model wrote and claims to be no statement: only a question that tells nothing needs no proof."""

from __future__ import annotations

import pytest

from service.authors.agents.boards import asks
from service.authors.agents.shapes import BlockShape, LessonTextShape, SentenceShape
from service.authors.agents.shelf import Shelf
from service.authors.agents.texts import Writing
from service.authors.agents.wording import states_a_fact
from service.domain.course import LessonPlan
from tests.authors.texts import evidence

ASKED = [
    "Why does an oak keep its dead leaves?",
    "When is it best to prune?",
    "Which is older, e.g. an oak vs. a yew, and why?",
]
TOLD_FIRST = [
    "An oak is an evergreen. Did you know?",
    "It is an old rule (and a good one.) Why is that?",
    "The bark is an armour! Who would have thought?",
    "Why so? An oak has 4 roots. Is that few?",
]


@pytest.mark.parametrize(("text", "fact"), [(text, False) for text in ASKED] + [(text, True) for text in TOLD_FIRST])
def test_a_question_behind_a_statement_does_not_make_it_a_question(text: str, fact: bool) -> None:
    assert states_a_fact(text) is fact
    assert asks(text) is not fact
    sentence = SentenceShape(text=text, passage="", quote="")
    plain = SentenceShape(text="Oaks grow slowly.", passage="", quote="")
    block = BlockShape(kind="paragraph", title="", sentences=[sentence, plain], solution=[], exhibit="")
    planned = LessonPlan(id="l1", title="Oaks", objectives=())
    draft = Writing(planned, (), Shelf(evidence())).lesson(LessonTextShape(blocks=[block]))
    assert draft.document is not None
    first = next(iter(draft.document.claims()))
    assert (first.factual, first.state == "unsupported") == (fact, fact)
