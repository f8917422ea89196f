"""Open questions: one for each objective that nothing else checks; the model answer is the source's own words."""

from __future__ import annotations

import re
from collections.abc import Sequence

from service.authors.extractive.material import Section, Unit
from service.authors.extractive.quiz_parts import Candidate, Exam
from service.authors.extractive.sentences import Sentence
from service.authors.extractive.words import capitalized, overlap, stems
from service.domain.course import Objective

_LEAST_FIT = 0.34
_STEPS = re.compile(r"^(?:Follow the steps for|Test|Carry out) ")


def open_items(exam: Exam, covered: set[str]) -> list[Candidate]:
    """A short answer for each objective that is not among the covered ones and that the text can answer."""
    found: list[Candidate] = []
    taken: set[int] = set()
    for objective in exam.objectives:
        if objective.id in covered:
            continue
        answer = _answer(exam.sections, objective, taken)
        if not answer:
            continue
        taken.update(id(sentence) for sentence in answer)
        found.append(
            Candidate(
                "open",
                "short",
                question_of(objective),
                cites=tuple(cite for sentence in answer for cite in sentence.cites),
                model_answer=" ".join(sentence.text for sentence in answer),
            )
        )
    return found


def question_of(objective: Objective) -> str:
    """The objective as something to do now."""
    text = objective.text.rstrip(". ")
    match = re.match(r"Explain what (.+) (is|are)$", text)
    if match:
        return f"In your own words: what {match[2]} {match[1]}?"
    match = re.match(r"Explain (why|how|when|where) (.+)$", text)
    if match:
        return f"In a sentence or two, explain {match[1]} {match[2]}."
    if _STEPS.match(text):
        return f"From memory: {_asked_steps(text)}"
    if objective.bloom in ("apply", "create"):
        return f"Say how you would do it: {text[:1].lower()}{text[1:]}."
    return f"{capitalized(text)}, in a sentence or two."


def _asked_steps(text: str) -> str:
    if text.startswith("Test "):
        return f"how do you {text[:1].lower()}{text[1:]}?"
    return re.sub(r"^(?:Follow the steps for|Carry out) ", "name the steps for ", text) + "."


def _answer(sections: Sequence[Section], objective: Objective, taken: set[int]) -> list[Sentence]:
    """The sentences that answer best: the steps for a procedure, else the unit that shares most with the objective."""
    topic = " ".join(stems(objective.text)[1:]) or objective.text
    if _STEPS.match(objective.text):
        steps = _steps(sections, objective)
        if steps:
            return steps
    best: tuple[float, list[Sentence]] = (_LEAST_FIT, [])
    for section in sections:
        heading = overlap(topic, set(stems(section.title)) | set(stems(section.telling.title)))
        for unit in _tellable(section):
            if any(id(sentence) in taken for sentence in unit.sentences):
                continue
            fit = 0.6 * overlap(topic, unit.bag) + 0.5 * heading + 0.3 * min(unit.score, 1.5) / 1.5
            fit += 0.25 if unit.head.defines and "what" in objective.text else 0
            fit += 0.15 if objective.text.startswith("Explain why") and "cause" in unit.roles else 0
            if fit > best[0] and (heading or overlap(topic, unit.bag) > 0.2):
                best = (fit, list(unit.sentences))
    return best[1]


def _tellable(section: Section) -> list[Unit]:
    return [
        unit
        for idea in section.ideas
        if idea.kind in ("text", "definition", "list")
        for unit in idea.units
        if unit.head.cites and unit.words >= 6 and "narrative" not in unit.roles and not unit.head.leans
    ]


def _steps(sections: Sequence[Section], objective: Objective) -> list[Sentence]:
    wanted = set(stems(objective.text))
    procedures = [
        (overlap(section.telling.title, wanted), -place, idea)
        for section in sections
        for place, idea in enumerate(section.ideas)
        if idea.kind == "steps" and idea.units
    ]
    if not procedures:
        return []
    idea = max(procedures, key=lambda entry: entry[:2])[2]
    heads = [unit.head for unit in idea.units][:8]
    return heads if all(head.cites for head in heads) else []
