"""Open questions: one for each objective that nothing else checks; the model answer is the source's own words."""

from __future__ import annotations

import re
from collections.abc import Sequence

from service.authors.extractive.material import Section, Unit
from service.authors.extractive.quiz_parts import Candidate, Exam
from service.authors.extractive.sentences import Sentence
from service.authors.extractive.words import capitalized, overlap, stems, words
from service.domain.course import Objective

_LEAST_FIT = 0.4
_STEPS = re.compile(r"^(?:Follow the steps for|Test|Carry out) ")
# What a walk-through says about the moment is no answer to keep: "Git now knows …, but it has not recorded it yet".
_OF_THE_MOMENT = re.compile(r"\b(?:now|yet|so far|at this point|currently)\b|^(?:The [\"“]|\()", re.IGNORECASE)
LEAST_ANSWER_WORDS = 9
_MAIN_IDEAS = "Describe the main ideas of "
QUESTIONS_OF_THE_SOURCE = 2
TERMS_ASKED = 2
REASONS_ASKED = 2
_BECAUSE = re.compile(r"^(?P<claim>[A-Z].{20,160}?),? (?:because|since|so that) (?!of\b)(?P<reason>.{12,160})\.$")
_NOT_ALONE = re.compile(r"\b(?:this|these|those|it|they|them|such|we|our|not only|if you)\b", re.IGNORECASE)


def open_items(exam: Exam, covered: set[str], asked: set[int]) -> list[Candidate]:
    """Short answers: the source's own questions, one for each objective that is not covered yet, and terms.

    `asked`: starts of the spans that other items cite, so that no sentence is asked for twice.
    """
    taken = set(asked)
    found = _own_questions(exam, taken)
    for objective in exam.objectives:
        if objective.id not in covered:
            least_shared = 0.5 if objective.bloom in ("apply", "create") else 0.0
            answer = _answer(exam, objective.text, taken, _LEAST_FIT, least_shared)
            found += _candidate(question_of(objective), answer, taken)
    found += _term_questions(exam, taken)
    found += _reason_questions(exam, taken)
    if not found and not covered and exam.objectives:
        answer = _answer(exam, exam.objectives[0].text, taken, 0.0)
        found += _candidate(question_of(exam.objectives[0]), answer, taken)
    return found


def _candidate(question: str, answer: Sequence[Sentence], taken: set[int]) -> list[Candidate]:
    if not answer:
        return []
    taken.update(sentence.start for sentence in answer)
    cites = tuple(cite for sentence in answer for cite in sentence.cites)
    return [Candidate("open", "short", question, cites=cites, model_answer=" ".join(s.closed for s in answer))]


def _own_questions(exam: Exam, taken: set[int]) -> list[Candidate]:
    """Questions that the source asks of its readers, and headings that are questions, where the text answers them."""
    found: list[Candidate] = []
    for section in exam.sections:
        units = [unit for unit in _tellable(section) if unit.head.start not in taken]
        if section.title.endswith("?") and section.parent is not None and units:
            found += _candidate(section.title, units[0].sentences, taken)
    for question in exam.questions:
        if question.text.endswith("?"):
            found += _candidate(question.text, _answer(exam, question.text, taken, 0.7, 0.6), taken)
    return found[:QUESTIONS_OF_THE_SOURCE]


def _term_questions(exam: Exam, taken: set[int]) -> list[Candidate]:
    found: list[Candidate] = []
    for section in exam.sections:
        for unit in section.units():
            defined = unit.head.defines
            if defined and defined[1] and unit.head.alone and unit.head.start not in taken and unit.head.cites:
                found += _candidate(f"In your own words: what is meant by “{defined[0]}”?", [unit.head], taken)
                if len(found) == TERMS_ASKED:
                    return found
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


def _reason_questions(exam: Exam, taken: set[int]) -> list[Candidate]:
    """A statement that the source gives a reason for: the learner gives it."""
    found: list[Candidate] = []
    for _, idea, sentence in exam.told():
        match = _BECAUSE.match(sentence.text)
        if not match or idea.kind not in ("text", "definition") or idea.tone or sentence.start in taken:
            continue
        claim = match["claim"].rstrip(",")
        if not 5 <= len(words(claim)) <= 24 or _NOT_ALONE.search(claim):
            continue
        found += _candidate(f"Why is this so? “{claim}.”", [sentence], taken)
        if len(found) == REASONS_ASKED:
            break
    return found


def _answer(exam: Exam, text: str, taken: set[int], least: float, least_shared: float = 0.0) -> list[Sentence]:
    """The sentences that answer best: the steps for a procedure, else the unit that shares most with the text."""
    topic = " ".join(stems(text.removeprefix(_MAIN_IDEAS))[text.startswith(_MAIN_IDEAS) ^ 1 :]) or text
    if _STEPS.match(text):
        steps = _steps(exam.sections, text)
        if steps and steps[0].start not in taken:
            return steps
    best: tuple[float, list[Sentence]] = (least, [])
    for heading, unit in _answers(exam, topic):
        if any(sentence.start in taken for sentence in unit.sentences) or (least and _of_the_moment(unit)):
            continue
        shared = overlap(topic, unit.bag)
        fit = 0.8 * shared + 0.4 * heading + 0.2 * min(unit.score, 1.5) / 1.5
        asks_meaning = "what" in text.lower() or text.startswith(_MAIN_IDEAS)
        fit += 0.25 if unit.head.defines and asks_meaning else 0
        fit += 0.15 if re.search(r"\bwhy\b", text, re.IGNORECASE) and "cause" in unit.roles else 0
        if fit > best[0] and shared >= least_shared and (shared > 0.2 or heading >= 0.5 or not least):
            best = (fit, list(unit.sentences))
    return best[1]


def _of_the_moment(unit: Unit) -> bool:
    return unit.words < LEAST_ANSWER_WORDS or bool(_OF_THE_MOMENT.search(unit.head.text))


def _answers(exam: Exam, topic: str) -> list[tuple[float, Unit]]:
    """What may answer: units with the fit of their heading, and the key points of the source."""
    found = [
        (overlap(topic, set(stems(section.title)) | set(stems(section.telling.title))), unit)
        for section in exam.sections
        for unit in _tellable(section)
    ]
    return found + [(0.2, Unit([sentence])) for sentence in exam.keypoints if sentence.cites]


def _tellable(section: Section) -> list[Unit]:
    return [
        unit
        for idea in section.ideas
        if idea.kind in ("text", "definition", "list")
        for unit in idea.units
        if unit.head.cites and unit.words >= 6 and "narrative" not in unit.roles and not unit.head.leans
    ]


def _steps(sections: Sequence[Section], text: str) -> list[Sentence]:
    wanted = set(stems(text))
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
