"""Open questions: one for each objective that nothing else checks; the model answer is the source's own words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from service.authors.extractive.material import Idea, Section, Unit
from service.authors.extractive.patterns import POOR_MEANING
from service.authors.extractive.quiz_parts import Candidate, Exam
from service.authors.extractive.sentences import Sentence
from service.authors.extractive.words import capitalized, overlap, stems, words
from service.domain.course import Objective

# What a walk-through says about the moment is no answer to keep: "Git now knows …, but it has not recorded it yet".
_OF_THE_MOMENT = re.compile(r"\b(?:now|yet|so far|at this point|currently)\b|^(?:The [\"“]|\()", re.IGNORECASE)
_OF_A_STORY = re.compile(
    r"\b(?:he|she|his|her|him|today|tomorrow|yesterday|click|notice|suppose|imagine)\b", re.IGNORECASE
)
_OF_USE = re.compile(
    r"\b(?:lets?|waste|useful|easier|saves?|protects?|avoids?|would|worth|important|otherwise)\b", re.IGNORECASE
)
_GIST = re.compile(r"^(?:Summarize|Describe the main)\b")
_LISTING = re.compile(r"^(?:List|Identify|Name|Outline|Recall) ")
_TWO_SIDES = re.compile(r"^(?:Compare|Contrast|Distinguish) (?P<one>.+?) (?:with|and|from|to) (?P<other>.+)$")
_BECAUSE = re.compile(r"^(?P<claim>[A-Z].{20,160}?),? (?:because|since|so that) (?!of\b)(?P<reason>.{12,160})\.$")
_NOT_ALONE = re.compile(
    r"\b(?:this|these|those|it|they|them|such|we|our|not only|you|your|that (?!is|are|was|the|a|an|can|must)\w+)\b",
    re.IGNORECASE,
)
LEAST_ANSWER_WORDS = 9
LONGEST_ANSWER_WORDS, LONG_ANSWER_WORDS = 60, 45
LEAST_GIST_WORDS = 15
MOST_STEPS = 9
MOST_POINTS = 4
KEY_POINT = 0.75  # a key point answers as well as a passage under a heading that names most of the topic


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
    yield _answered(exam, objective, taken)
    home = [exam.sections[exam.homes[objective.id]]] if exam.sections else []
    yield from _reasons(home)
    yield from _terms(home)
    for question in exam.questions:
        if question.text.endswith("?") and overlap(objective.text, set(stems(question.text))) > 0:
            yield question.text, _best(exam, question.text, taken, 0.75, 0.6)
    for section in home:
        if section.title.endswith("?"):
            yield section.title, _gist(home, taken)
    if home:
        name = home[0].telling.title.rstrip(":?.")
        yield f"Name something else that the lesson says about “{name}”.", _gist(home, taken)
    yield question_of(objective), [s for s in exam.keypoints if s.cites and s.start not in taken][:MOST_POINTS]
    for section in sorted(exam.sections, key=lambda one: -_nearness(one, home, objective)):
        name = section.telling.title.rstrip(":?.")
        yield f"Sum up what the lesson says about “{name}”.", _gist([section], taken)


def _nearness(section: Section, home: Sequence[Section], objective: Objective) -> float:
    return 1.0 if any(section is one for one in home) else overlap(objective.text, set(stems(section.title)))


def question_of(objective: Objective, by_steps: bool = False) -> str:
    """The objective as something to do now; `by_steps`: the answer tells how it is done."""
    text = objective.text.rstrip(". ")
    match = re.match(r"Explain what (.+) (is|are)$", text)
    if match:
        return f"In your own words: what {match[2]} {match[1]}?"
    match = re.match(r"Explain (why|how|when|where|what|which) (.+)$", text)
    if match:
        return f"In a sentence or two, explain {match[1]} {match[2]}."
    match = re.match(r"Follow the (steps for|advice on) (.+)$", text)
    if match and by_steps:
        verb = "are" if match[1] == "steps for" else "is"
        return f"From memory: what {verb} the {match[1]} {match[2]}?"
    if _LISTING.match(text):
        return f"From memory: {text[:1].lower()}{text[1:]}."
    if objective.bloom in ("apply", "create", "evaluate"):
        rest = f"{text[:1].lower()}{text[1:]}"
        return f"Say how you would do it: {rest}." if by_steps else f"What should you keep in mind when you {rest}?"
    return f"{capitalized(text)}, in a sentence or two."


def _answered(exam: Exam, objective: Objective, taken: set[int]) -> tuple[str, list[Sentence]]:
    """The question with what answers best: steps for what is done, a list for what is listed, else a passage."""
    text = objective.text
    doing = objective.bloom in ("apply", "create", "evaluate")
    if _GIST.match(text):
        return question_of(objective), _gist(exam.sections, taken)
    named = _definitions(exam, text) if re.match(r"(?:Define|Distinguish) ", text) else []
    if len(named) > 1 and not any(sentence.start in taken for sentence in named):
        return question_of(objective), named
    listed = _listed(exam, objective, _kinds(text, doing))
    if listed and not any(sentence.start in taken for sentence in listed):
        return question_of(objective, True), listed
    sides = _TWO_SIDES.match(text)
    if sides:
        return question_of(objective), _both_sides(exam, sides["one"], sides["other"], taken)
    home = exam.sections[exam.homes[objective.id]] if exam.sections else None
    if home and not doing and _is_headed(home, text) and (gist := _gist([home], taken)):
        return question_of(objective), gist
    least_shared = 0.34 if doing else 0.0
    return question_of(objective), _best(exam, _topic(text), taken, 0.0, least_shared, exam.homes.get(objective.id, -1))


def _is_headed(home: Section, text: str) -> bool:
    """Whether the section is about nothing but the objective, so that its gist is the answer."""
    return re.match(r"(?:Describe|Discuss) ", text) is not None or overlap(_topic(text), set(stems(home.title))) >= 0.6


def _kinds(text: str, doing: bool) -> tuple[str, ...]:
    """The kinds of idea that can be the whole answer."""
    if "the advice on" in text:
        return ("list",)
    if doing:
        return () if " rules for " in text else ("steps",)
    return ("steps", "list") if _LISTING.match(text) or "steps" in text else ()


def _definitions(exam: Exam, text: str) -> list[Sentence]:
    """The sentences that define the terms that the objective names."""
    wanted = set(stems(text))
    return [
        unit.head
        for section in exam.sections
        for unit in section.units()
        if unit.head.defines and unit.head.cites and set(stems(unit.head.defines[0])) <= wanted and unit.head.defines[1]
    ]


def _gist(sections: Sequence[Section], taken: set[int]) -> list[Sentence]:
    """The strongest passages of some sections, in their order, as long as an answer may be."""
    units = [
        unit
        for section in sections
        for unit in _tellable(section)
        if not _of_the_moment(unit) and not any(s.start in taken for s in unit.sentences)
    ]
    chosen: list[Unit] = units[:1]  # a section says first what it is about
    for unit in sorted(units[1:], key=lambda unit: -_worth(unit, "", False)):
        if unit.words + sum(one.words for one in chosen) <= LONGEST_ANSWER_WORDS and len(chosen) < MOST_POINTS - 1:
            chosen.append(unit)
    answer = [sentence for unit in units if any(unit is one for one in chosen) for sentence in unit.sentences]
    return answer if sum(sentence.length for sentence in answer) >= LEAST_GIST_WORDS else []


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
        if idea.kind in kinds and len(idea.items) >= 2
    ]
    if not fitting or max(fitting, key=lambda entry: entry[:2])[0] < 0.5:
        return []
    heads = [item[0] for item in max(fitting, key=lambda entry: entry[:2])[2].items if item]
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
    """The passage that shares most with the topic, and the one that follows it where that speaks of it as well."""
    ranked: list[tuple[float, int, Unit]] = []
    for number, heading, unit in _answers(exam, topic):
        shared = overlap(topic, unit.bag)
        if any(s.start in taken for s in unit.sentences) or _of_the_moment(unit) or shared < least_shared:
            continue
        fit = 0.8 * shared + 0.4 * heading + 0.25 * (number == home) + _worth(unit, topic, least_shared > 0)
        if fit > least and (shared > 0.2 or heading >= 0.5 or number == home):
            ranked.append((fit, -len(ranked), unit))
    if not ranked:
        return []
    fit, place, unit = max(ranked, key=lambda entry: entry[:2])
    answer = list(unit.sentences)
    after = next((entry for entry in ranked if entry[1] == place - 1), None)
    if after and after[0] >= 0.7 * fit and after[2].head.follows(answer[-1]) and _fits(answer, after[2]):
        answer += after[2].sentences
    return answer


def _fits(answer: Sequence[Sentence], unit: Unit) -> bool:
    return unit.words + sum(sentence.length for sentence in answer) <= LONGEST_ANSWER_WORDS


def _worth(unit: Unit, topic: str, doing: bool) -> float:
    """How well the passage serves as an answer, whatever it is about."""
    text = unit.head.text
    worth = 0.2 * min(unit.score, 1.5) / 1.5 + 0.1 * bool(unit.head.defines)
    asks_why = re.search(r"\b(?:why|how|useful|important|purpose|reasons?|benefits?)\b", topic, re.IGNORECASE)
    worth += 0.2 * bool(asks_why and ("cause" in unit.roles or _OF_USE.search(text)))
    worth += 0.2 * (doing and bool(unit.roles & {"rule", "warning"}))
    worth -= 0.25 * ("step" in unit.roles and not doing) + 0.2 * (unit.words > LONG_ANSWER_WORDS)
    worth -= 0.25 * bool(_OF_A_STORY.search(text)) + 0.15 * bool(
        re.search(r"\b(?:we|our|us|let)\b", text, re.IGNORECASE)
    )
    worth += 0.2 * bool(set(stems(text)[:1]) & set(stems(topic)))
    return worth - 0.2 * bool(re.search(r"\b(?:this|these|those|such)\b", text, re.IGNORECASE))


def _answers(exam: Exam, topic: str) -> Iterator[tuple[int, float, Unit]]:
    """What may answer, with its section and the fit of its heading; the source's own key points come first."""
    for sentence in exam.keypoints:
        if sentence.cites and not sentence.leans:
            yield -1, KEY_POINT, Unit([sentence])
    for number, section in enumerate(exam.sections):
        heading = overlap(topic, set(stems(section.title)) | set(stems(section.telling.title)))
        for unit in _tellable(section):
            yield number, heading, unit


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
            if defined and defined[1] and unit.head.alone and not POOR_MEANING.search(defined[1]):
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
