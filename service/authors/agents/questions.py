"""From the quiz master's answer to a quiz: cited by the lesson's sentences, keys placed by lot, flaws named."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from service.authors.agents.drafts import MOST_FAULTS, Draft
from service.authors.agents.lesson_page import LessonPage
from service.authors.agents.recall import Recalled
from service.authors.agents.shapes import ChoiceShape, QuestionShape, QuizShape
from service.authors.agents.shelf import bare_id, same
from service.authors.agents.wording import clean, invents_figures, words_behind
from service.domain.conventions import ITEMS_PER_OBJECTIVE
from service.domain.item_flaws import absolute_terms, flaws
from service.domain.item_support import support_faults
from service.domain.lesson import Claim
from service.domain.quiz import Option, Quiz, QuizItem
from service.domain.report import item_faults
from service.domain.source import Cite

NO_PROOF = "it names an objective (O1 …) and the sentences (S1 …) that prove it, from the lesson."
FEWEST = {"single": 3, "multiple": 3, "true_false": 2, "ordering": 3}


def quiz_of(shape: QuizShape, page: LessonPage, due: Sequence[Recalled], evidence: str) -> Draft[Quiz]:
    """The quiz, and what the quiz master should change; None when no question can be used.

    Questions that ask again what earlier lessons taught (`due`) come last.
    """
    again = {one.name: one for one in due}
    faults: list[str] = []
    items: list[QuizItem] = []
    for question in sorted(shape.questions, key=lambda one: bare_id(one.objective) in again):
        stem = clean(question.stem, evidence)
        proof = _proof(question, page, again)
        made = _item(question, stem, proof, evidence, f"{page.lesson.id}-q{len(items) + 1}") if proof else NO_PROOF
        if isinstance(made, str):
            faults.append(f"Question “{stem[:80]}”: {made}")
        elif all(same(made.stem) != same(item.stem) for item in items):
            items.append(made)
            faults += [f"Question “{stem[:80]}”: {flaw}." for flaw in _flaws(made)]
    faults += [*_short(items, page), *_not_asked_again(items, due)]
    if not items:
        return Draft(None, (*faults[:MOST_FAULTS], "No question can be used."))
    return Draft(Quiz(lesson_id=page.lesson.id, items=tuple(items)), tuple(faults[:MOST_FAULTS]))


@dataclass(frozen=True)
class _Proof:
    """What a question stands on: its objective, the earlier lesson that it asks again about, and sentences."""

    objective: str
    reviews: str
    told: tuple[Claim, ...]

    @property
    def cites(self) -> tuple[Cite, ...]:
        return tuple(dict.fromkeys(cite for claim in self.told for cite in claim.cites))

    @property
    def words(self) -> tuple[str, ...]:
        return words_behind(self.told)


def _proof(shape: QuestionShape, page: LessonPage, again: Mapping[str, Recalled]) -> _Proof | None:
    earlier = again.get(bare_id(shape.objective))
    if earlier is not None:
        proof = _Proof(earlier.objective.id, earlier.lesson.id, tuple(earlier.told_by(shape.sentences)))
    else:
        proof = _Proof(page.objective(shape.objective), "", tuple(page.told_by(shape.sentences)))
    return proof if proof.objective and proof.told else None


def _item(shape: QuestionShape, stem: str, proof: _Proof, evidence: str, item_id: str) -> QuizItem | str:
    """The item; or, as text, why it cannot be used."""
    if not stem:
        return "it asks nothing."
    frame = {"id": item_id, "stem": stem, "objective": proof.objective, "reviews": proof.reviews, "cites": proof.cites}
    answer = clean(shape.answer, evidence)
    if shape.kind == "short":
        if not answer or invents_figures(answer, proof.words):
            return "a short question has a model answer that its sentences hold."
        return QuizItem(kind="short", model_answer=answer, **frame)
    choices = [choice for choice in shape.options if clean(choice.text, evidence)]
    fault = _choices_fault(shape.kind, choices, proof.words)
    if fault:
        return fault
    placed, key = _placed(shape.kind, choices, stem)
    options = tuple(Option(text=clean(one.text, evidence), rationale=clean(one.why, evidence)) for one in placed)
    try:
        item = QuizItem(kind=shape.kind, options=options, key=key, **frame)
    except ValidationError as error:
        return f"{error.errors(include_url=False)[0]['msg']}."
    wrong = next(item_faults(item), "")
    return f"{wrong}." if wrong else item


def _choices_fault(kind: str, choices: Sequence[ChoiceShape], proofs: Sequence[str]) -> str:
    right = [choice for choice in choices if choice.right]
    texts = [same(choice.text) for choice in choices]
    if len(choices) < FEWEST[kind]:
        return f"a {kind} question has at least {FEWEST[kind]} options."
    if len(set(texts)) < len(texts):
        return "two of its options are the same."
    if kind == "true_false" and sorted(texts) != ["false", "true"]:
        return "a true_false question has the options True and False."
    if kind in ("single", "true_false") and len(right) != 1:
        return "exactly one of its options is right."
    if kind == "multiple" and not 2 <= len(right) < len(choices):
        return "two or more of its options are right, and one or more are wrong."
    if kind in ("single", "multiple") and any(invents_figures(choice.text, proofs) for choice in right):
        return "a right option has a figure that its sentences do not have."
    return ""


def _placed(kind: str, choices: Sequence[ChoiceShape], stem: str) -> tuple[list[ChoiceShape], tuple[int, ...]]:
    """The options in an order drawn from the question itself, so that no position is the right one more often."""
    if kind == "true_false":
        ordered = sorted(choices, key=lambda choice: same(choice.text), reverse=True)
        return ordered, tuple(place for place, choice in enumerate(ordered) if choice.right)
    lot = random.Random(hashlib.sha256(stem.encode()).digest())  # noqa: S311 - reproducible, not secret
    places = list(range(len(choices)))
    lot.shuffle(places)
    placed = [choices[place] for place in places]
    if kind == "ordering":
        return placed, tuple(places.index(place) for place in range(len(choices)))
    return placed, tuple(place for place, choice in enumerate(placed) if choice.right)


def _flaws(item: QuizItem) -> Iterator[str]:
    yield from flaws(item)
    yield from support_faults(item)
    if absolute_terms(item):
        yield "only wrong options say “always”, “never” or the like"


def _short(items: Sequence[QuizItem], page: LessonPage) -> Iterator[str]:
    for name, objective in page.objectives.items():
        asked = sum(item.objective == objective.id for item in items)
        if asked < ITEMS_PER_OBJECTIVE:
            yield f"{name} is checked by {asked} questions; {ITEMS_PER_OBJECTIVE} are wanted."


def _not_asked_again(items: Sequence[QuizItem], due: Sequence[Recalled]) -> Iterator[str]:
    for one in due:
        if not any(item.reviews == one.lesson.id and item.objective == one.objective.id for item in items):
            yield f"{one.name} of an earlier lesson is not asked again; one question is wanted."
