"""Open questions: one for each objective that nothing else checks; the model answer is the source's own words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from service.authors.extractive.material import Idea, Section, Unit
from service.authors.extractive.quiz_parts import Candidate, Exam
from service.authors.extractive.sentences import Sentence
from service.authors.extractive.words import capitalized, overlap, stems, words
from service.domain.course import Objective

# What a walk-through says about the moment is no answer to keep: "Git now knows …, but it has not recorded it yet".
_OF_THE_MOMENT = re.compile(r"\b(?:now|yet|so far|at this point|currently)\b|^(?:The [\"“]|\()", re.IGNORECASE)
_LISTING = re.compile(r"^(?:List|Identify|Name|Outline|Recall|Recognize|Choose) ")
_TWO_SIDES = re.compile(r"^(?:Compare|Contrast|Distinguish) (?P<one>.+?) (?:with|and|from|to) (?P<other>.+)$")
_BECAUSE = re.compile(r"^(?P<claim>[A-Z].{20,160}?),? (?:because|since|so that) (?!of\b)(?P<reason>.{12,160})\.$")
_NOT_ALONE = re.compile(r"\b(?:this|these|those|it|they|them|such|we|our|not only|if you)\b", re.IGNORECASE)
LEAST_ANSWER_WORDS = 9
LONGEST_ANSWER_WORDS = 60
MOST_STEPS = 9


def asked_openly(exam: Exam, objective: Objective, count: int, taken: set[int]) -> list[Candidate]:
    """At most `count` open questions on the objective.

    `taken`: starts of the spans that other items cite, so that no sentence is asked for twice; it grows.
    """
    found: list[Candidate] = []
    for question, answer in _questions(exam, objective, taken):
        if len(found) >= count:
            break
        if answer and all(sentence.start not in taken and sentence.cites for sentence in answer):
            taken.update(sentence.start for sentence in answer)
            found.append(_open(question, answer))
    return found


def more_open(exam: Exam, taken: set[int]) -> list[Candidate]:
    """One more question of a lesson that has few: a term or a reason that nothing asks for yet."""
    for question, answer in (*_reasons(exam.sections), *_terms(exam.sections)):
        if answer[0].start not in taken and answer[0].cites:
            taken.update(sentence.start for sentence in answer)
            return [_open(question, answer)]
    return []


def _open(question: str, answer: Sequence[Sentence]) -> Candidate:
    cites = tuple(cite for sentence in answer for cite in sentence.cites)
    return Candidate("open", "short", question, cites=cites, model_answer=" ".join(s.closed for s in answer))


def _questions(exam: Exam, objective: Objective, taken: set[int]) -> Iterator[tuple[str, list[Sentence]]]:
    """Questions on the objective with their answers, the best first; each is made when it is asked for."""
    yield question_of(objective), _answer(exam, objective, taken)
    home = [exam.sections[exam.homes[objective.id]]] if exam.sections else []
    yield from _reasons(home)
    yield from _terms(home)
    for question in exam.questions:
        if question.text.endswith("?") and overlap(objective.text, set(stems(question.text))) > 0:
            yield question.text, _best(exam, question.text, taken, 0.75, 0.6)
    for section in home:
        if section.title.endswith("?"):
            yield section.title, _first_free(_tellable(section), taken)
    yield f"{question_of(objective)} Give another point.", _answer(exam, objective, taken)
    topic = home[0].telling.title.rstrip(":?.") if home else ""
    if topic:
        yield (
            f"What should somebody who missed the lesson know about “{topic}”?",
            _first_free(_tellable(home[0]), taken),
        )
    for section in exam.sections:
        yield (
            f"What does the lesson say about “{section.telling.title.rstrip(':?.')}”?",
            _first_free(_tellable(section), taken),
        )


def question_of(objective: Objective) -> str:
    """The objective as something to do now."""
    text = objective.text.rstrip(". ")
    match = re.match(r"Explain what (.+) (is|are)$", text)
    if match:
        return f"In your own words: what {match[2]} {match[1]}?"
    match = re.match(r"Explain (why|how|when|where|what|which) (.+)$", text)
    if match:
        return f"In a sentence or two, explain {match[1]} {match[2]}."
    match = re.match(r"(?:Follow|Carry out|Order) the steps (?:for|of|to) (.+)$", text)
    if match:
        return f"From memory: what are the steps for {match[1]}?"
    if _LISTING.match(text):
        return f"From memory: {text[:1].lower()}{text[1:]}."
    if objective.bloom in ("apply", "create", "evaluate"):
        return f"Say how you would do it: {text[:1].lower()}{text[1:]}."
    return f"{capitalized(text)}, in a sentence or two."


def _answer(exam: Exam, objective: Objective, taken: set[int]) -> list[Sentence]:
    """The sentences that answer best: steps for what is done, a list for what is listed, else the nearest passage."""
    text = objective.text
    doing = objective.bloom in ("apply", "create", "evaluate")
    kinds = ("steps",) if doing else ("steps", "list") if _LISTING.match(text) or "steps" in text else ()
    listed = _listed(exam, objective, kinds)
    if listed and not any(sentence.start in taken for sentence in listed):
        return listed
    sides = _TWO_SIDES.match(text)
    if sides:
        return _both_sides(exam, sides["one"], sides["other"], taken)
    return _best(exam, _topic(text), taken, 0.0, 0.34 if doing else 0.0, exam.homes.get(objective.id, -1))


def _topic(text: str) -> str:
    """The objective without its verb."""
    rest = text.partition(" ")[2]
    return rest if stems(rest) else text


def _listed(exam: Exam, objective: Objective, kinds: Sequence[str]) -> list[Sentence]:
    """The entries of the list or procedure that the objective speaks of."""
    topic = _topic(objective.text)
    fitting = [
        (overlap(topic, set(stems(_heading(section, idea)))) + 0.3 * (number == exam.homes.get(objective.id)), -n, idea)
        for number, section in enumerate(exam.sections)
        for n, idea in enumerate(section.ideas)
        if idea.kind in kinds and len(idea.units) >= 2
    ]
    if not fitting or max(fitting, key=lambda entry: entry[:2])[0] < 0.5:
        return []
    heads = [unit.head for unit in max(fitting, key=lambda entry: entry[:2])[2].units]
    return heads if len(heads) <= MOST_STEPS and all(head.cites for head in heads) else []


def _heading(section: Section, idea: Idea) -> str:
    return f"{section.title} {section.telling.title} {idea.label} {idea.lead.text if idea.lead else ''}"


def _both_sides(exam: Exam, one: str, other: str, taken: set[int]) -> list[Sentence]:
    """A passage that speaks of both, else one for each."""
    both = [
        (overlap(one, unit.bag) + overlap(other, unit.bag) + 0.3 * ("contrast" in unit.roles), unit)
        for section in exam.sections
        for unit in _tellable(section)
        if min(overlap(one, unit.bag), overlap(other, unit.bag)) >= 0.5 and unit.head.start not in taken
    ]
    if both:
        return list(max(both, key=lambda pair: pair[0])[1].sentences)
    first = _best(exam, one, taken, 0.0, 0.5)
    second = _best(exam, other, taken | {s.start for s in first}, 0.0, 0.5)
    return first + second if first and second else []


def _best(exam: Exam, topic: str, taken: set[int], least: float, least_shared: float, home: int = -1) -> list[Sentence]:
    """The passage that shares most with the topic, with the one after it where both are short and it goes on."""
    ranked: list[tuple[float, int, Unit]] = []
    for number, section in enumerate(exam.sections):
        heading = overlap(topic, set(stems(section.title)) | set(stems(section.telling.title)))
        for unit in _tellable(section):
            shared = overlap(topic, unit.bag)
            if any(s.start in taken for s in unit.sentences) or _of_the_moment(unit) or shared < least_shared:
                continue
            fit = 0.8 * shared + 0.4 * heading + 0.2 * min(unit.score, 1.5) / 1.5 + 0.25 * (number == home)
            fit += 0.15 * bool("cause" in unit.roles and re.search(r"\b(?:why|how)\b", topic))
            fit += 0.1 * bool(unit.head.defines)
            if fit > least and (shared > 0.2 or heading >= 0.5 or number == home):
                ranked.append((fit, -len(ranked), unit))
    if not ranked:
        return []
    ranked.sort(key=lambda entry: entry[:2], reverse=True)
    best = ranked[0][2]
    answer = list(best.sentences)
    for fit, _, unit in ranked[1:3]:
        if fit >= 0.75 * ranked[0][0] and unit.words + sum(s.length for s in answer) <= LONGEST_ANSWER_WORDS:
            answer += unit.sentences
    return sorted(answer, key=lambda s: (s.cites[0].source, s.start)) if all(s.cites for s in answer) else answer


def _first_free(units: Sequence[Unit], taken: set[int]) -> list[Sentence]:
    free = [u for u in units if not _of_the_moment(u) and not any(s.start in taken for s in u.sentences)]
    return list(max(free, key=lambda unit: (unit.score, unit.words)).sentences) if free else []


def _of_the_moment(unit: Unit) -> bool:
    return unit.words < LEAST_ANSWER_WORDS or bool(_OF_THE_MOMENT.search(unit.head.text))


def _tellable(section: Section) -> list[Unit]:
    return [
        unit
        for idea in section.ideas
        if idea.kind in ("text", "definition", "list")
        for unit in idea.units
        if unit.head.cites and unit.words >= 6 and "narrative" not in unit.roles and not unit.head.leans
    ]


def _terms(sections: Sequence[Section]) -> Iterator[tuple[str, list[Sentence]]]:
    for section in sections:
        for unit in section.units():
            defined = unit.head.defines
            if defined and defined[1] and unit.head.alone:
                yield f"In your own words: what is meant by “{defined[0]}”?", [unit.head]


def _reasons(sections: Sequence[Section]) -> Iterator[tuple[str, list[Sentence]]]:
    """A statement that the source gives a reason for: the learner gives it."""
    for section in sections:
        for idea in section.ideas:
            for unit in idea.units if idea.kind in ("text", "definition") and not idea.tone else ():
                match = _BECAUSE.match(unit.head.text)
                claim = match["claim"].rstrip(",") if match else ""
                if 5 <= len(words(claim)) <= 24 and not _NOT_ALONE.search(claim) and unit.head.alone:
                    yield f"Why is this so? “{claim}.”", [unit.head]
