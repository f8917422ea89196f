"""What a lesson's quiz asks again of earlier lessons: retrieval after a while is what makes learning last (P12).

The quiz master gets each objective that is due with the sentences of its passages that are nearest to it, under ids of
their own, so that a question on it is cited as exactly as one on the lesson itself.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable
from dataclasses import dataclass

from service.authors.agents.shelf import Shelf, bare_id
from service.authors.extractive.quizzes.quiz import reviewed_in
from service.domain.course import CoursePlan, LessonPlan, Objective
from service.domain.lesson import Claim
from service.domain.source import Cite

SENTENCES = 4  # of each objective: enough to ask from, few enough to read beside a lesson
LEAST_WORDS = 6  # of a sentence that a question can be made of
_WORD = re.compile(r"[^\W\d_]{4,}")


@dataclass(frozen=True)
class Recalled:
    """One objective of an earlier lesson that is due (R1, …), and the sentences that prove an answer (E1, …)."""

    name: str
    lesson: LessonPlan
    objective: Objective
    sentences: dict[str, Claim]

    def render(self) -> str:
        """It as the quiz master reads it."""
        head = f"[{self.name}] objective of the earlier lesson “{self.lesson.title}”: {self.objective.text}"
        return "\n".join([head, *(f"[{name}] {claim.text}" for name, claim in self.sentences.items())])

    def told_by(self, ids: Iterable[str]) -> list[Claim]:
        """The sentences with these ids; an id that it does not have is nobody's proof."""
        return [self.sentences[bare] for name in ids if (bare := bare_id(name)) in self.sentences]


def recalled(plan: CoursePlan, lesson_id: str, shelf: Shelf) -> list[Recalled]:
    """What is due in this lesson; nothing where the earlier lesson's passages are not known."""
    due = [planned for planned in plan.lessons if reviewed_in(plan, planned.id) == lesson_id]
    found: list[Recalled] = []
    taken: set[Cite] = set()
    for planned in due:
        for objective in planned.objectives:
            cites = _nearest(planned, objective, shelf, taken)
            claims = [Claim(text=" ".join(cite.quote.split()), cites=(cite,)) for cite in cites]
            named = {f"E{len(taken) + place}": claim for place, claim in enumerate(claims, start=1)}
            taken.update(cites)
            if named:
                found.append(Recalled(f"R{len(found) + 1}", planned, objective, named))
    return found


def _nearest(planned: LessonPlan, objective: Objective, shelf: Shelf, taken: Container[Cite]) -> list[Cite]:
    """The sentences of the lesson's passages that share most words with the objective, in their own order."""
    wanted = set(_WORD.findall(f"{objective.text} {planned.title}".lower()))
    held = dict.fromkeys(cite for passage in shelf.covering(planned.passages) for cite in passage.sentences)
    cites = [cite for cite in held if len(cite.quote.split()) >= LEAST_WORDS and cite not in taken]
    shared = {cite: len(wanted & set(_WORD.findall(cite.quote.lower()))) for cite in cites}
    best = sorted(cites, key=lambda cite: -shared[cite])[:SENTENCES]
    return [cite for cite in cites if cite in best]
