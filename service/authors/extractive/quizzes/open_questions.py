"""Open questions: one for each objective that nothing else checks; the model answer is the source's own words.

A sentence that answers a question of its own goes first, then what the objective itself asks for where the source
plainly answers it; to sum up a passage is the last resort.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from service.authors.extractive.language.sentences import Sentence
from service.authors.extractive.language.verb_forms import is_imperative
from service.authors.extractive.language.words import capitalized, overlap, stems
from service.authors.extractive.outline.objective_content import POINTS_BACK, is_good_definition
from service.authors.extractive.quizzes.asked import WORTH
from service.authors.extractive.quizzes.parts import Candidate, Exam
from service.authors.extractive.quizzes.passages import in_place, is_running_text
from service.authors.extractive.quizzes.shapes import asked_of, term_asked
from service.authors.extractive.quizzes.summaries import (
    FEWEST_POINTS,
    FIELD,
    MOST_POINTS,
    OF_THE_MOMENT,
    answers,
    gist,
    name_of,
    passage,
    points_of,
    tellable,
    tells_of,
    to_sum_up,
)
from service.authors.extractive.sources.code_kinds import kind_of
from service.authors.extractive.sources.material import Idea, Section
from service.domain.course import Objective

_IN_CODE = re.compile(r"^(?:Use|Apply|Write the code for) (?!the rules|via|by|in|on|for|with)(.+?)(?: in code)?$")
_LISTING = re.compile(r"^(?:List|Identify|Name|Outline|Recall) ")
_TWO_SIDES = re.compile(r"^(?:Compare|Contrast|Distinguish) (?P<one>.+?) (?:with|and|from|to) (?P<other>.+)$")
_NO_CODE = frozenset(
    ("text", "txt", "md", "markdown", "console", "output", "none", "plain", "plaintext", "diff", "log")
)
_NAMES = frozenset(("flag", "call", "member", "hyphened", "constant"))
LEAST_COMPARISON_WORDS = 12
LEAST_ORDERS = 0.8  # of the entries of a procedure tell to do something
LONGEST_LIST_WORDS = 120
LEAST_POINT_WORDS = 9
MOST_LINES = 14
LEAST_SHARED = 0.5  # of an objective's words stand in a key point that answers it
LEAST_FIT = 0.9


def asked_openly(exam: Exam, objective: Objective, count: int, taken: set[int]) -> list[Candidate]:
    """At most `count` open questions on the objective.

    `taken`: starts of the spans that other items cite, so that no sentence is asked for twice; it grows.
    """
    found: list[Candidate] = []
    for question, answer in _questions(exam, objective, taken):
        if len(found) >= count:
            break
        if (
            answer
            and question not in exam.asked
            and all(sentence.start not in taken and sentence.cites for sentence in answer)
        ):
            taken.update(sentence.start for sentence in answer)
            exam.asked.add(question)
            found.append(_open(question, answer))
    if len(found) < count:
        found += _practised(exam, objective, taken)
    for question, answer in _last_resort(exam, objective, taken) if not found and count > 0 else ():
        if answer and question not in exam.asked:
            taken.update(sentence.start for sentence in answer)
            exam.asked.add(question)
            return [_open(question, answer)]
    return found[:count]


def _last_resort(exam: Exam, objective: Objective, taken: set[int]) -> Iterator[tuple[str, list[Sentence]]]:
    """To recall a passage: asked only where an objective would else be checked by nothing."""
    home = exam.homes.get(objective.id, -1)
    near = [section for n, section in enumerate(exam.sections) if n == home]
    passages = [
        (section, passage(section, objective.text, taken))
        for section in sorted(
            exam.sections, key=lambda one: (to_sum_up(one) in exam.asked, -_nearness(one, near, objective))
        )
    ]
    for section, answer in sorted(passages, key=lambda pair: not tells_of(pair[1], pair[0])):
        if not section.title.endswith("?"):
            about = f"What does the lesson say about “{name_of(section)}”?"
            yield f"{about} Write down what you remember, then compare.", answer
        elif answers(answer, section.title):
            yield to_sum_up(section), answer


def _practised(exam: Exam, objective: Objective, taken: set[int]) -> list[Candidate]:
    """To write code and to compare it with the lesson's, where the objective is to use something in code."""
    match = _IN_CODE.match(objective.text)
    home = exam.homes.get(objective.id, -1)
    for idea in exam.sections[home].ideas if match and ":" not in match[1] and home >= 0 else ():
        lines = [line for line in idea.code.splitlines() if line.strip()]
        whole = 1 < len(lines) <= MOST_LINES and not re.search(r"snip|\.\.\.|…|^\$ ", idea.code, re.MULTILINE)
        written = idea.lang and idea.lang.lower() not in _NO_CODE
        if match and idea.kind == "code" and written and whole and idea.cites and idea.cites[0].start not in taken:
            taken.add(idea.cites[0].start)
            stem = f"Write a few lines of your own that use {match[1]}, then compare them with the lesson's example."
            return [Candidate("open", "short", stem, cites=idea.cites[:1], model_answer=idea.code.strip("\n"))]
    return []


def more_open(exam: Exam, taken: set[int]) -> list[Candidate]:
    """One more question of a lesson that has few: what a sentence answers that nothing asks for yet."""
    for _, question, sentence in sorted(_by_sentences(exam, exam.sections, set()), key=lambda entry: -entry[0]):
        if sentence.start not in taken:
            taken.add(sentence.start)
            return [_open(question, [sentence])]
    return []


def _open(question: str, answer: Sequence[Sentence]) -> Candidate:
    cites = tuple(cite for sentence in answer for cite in sentence.cites)
    return Candidate("open", "short", question, cites=cites, model_answer=" ".join(s.closed for s in answer))


def _questions(exam: Exam, objective: Objective, taken: set[int]) -> Iterator[tuple[str, list[Sentence]]]:
    """Questions on the objective with their answers, the best first; each is made when it is asked for."""
    yield from _plainly(exam, objective, taken)
    topic = set(stems(_topic(objective.text)))
    home = exam.homes.get(objective.id, -1)
    near = [section for n, section in enumerate(exam.sections) if n == home]
    ranked = sorted(_by_sentences(exam, near, topic), key=lambda entry: -entry[0])
    yield from ((question, [sentence]) for fit, question, sentence in ranked if fit >= LEAST_FIT)
    for question in exam.questions:
        if question.text.endswith("?") and overlap(objective.text, set(stems(question.text))) > 0.3:
            yield question.text, _key_point(exam, question.text, taken)
    for section in sorted(exam.sections, key=lambda one: -_nearness(one, near, objective)):
        yield to_sum_up(section), gist(exam, section, taken)
        yield f"Which points does the lesson list under “{name_of(section)}”?", points_of(section)
    everywhere = sorted(_by_sentences(exam, exam.sections, topic), key=lambda entry: -entry[0])
    yield from ((question, [sentence]) for _, question, sentence in everywhere)
    yield question_of(objective), [s for s in exam.keypoints if s.cites and s.start not in taken][:3]


def _by_sentences(exam: Exam, sections: Sequence[Section], topic: set[str]) -> Iterator[tuple[float, str, Sentence]]:
    """The questions that single sentences answer, with how well each fits the topic."""
    for section in sections:
        for idea in section.ideas:
            for unit in idea.units if idea.kind in ("text", "definition", "list") else ():
                sentence = unit.head
                if OF_THE_MOMENT.search(sentence.text) or exam.of_the_example(sentence):
                    continue
                shared = bool(topic & set(stems(sentence.text))) + 0.1 * min(unit.score, 1.5)
                asked = asked_of(sentence, exam.library.casing)
                if (
                    asked
                    and asked.form == "effect"
                    and not set(stems(asked.given)) & (topic | set(stems(section.title)))
                ):
                    continue
                if asked and not (asked.form in ("do", "way", "reason") and not is_running_text(section, exam)):
                    yield WORTH[asked.form] + 0.4 * shared, in_place(asked.question, section), sentence
                elif question := term_asked(sentence, exam.library.casing):
                    yield WORTH["term"] + 0.4 * shared, question, sentence


def _nearness(section: Section, home: Sequence[Section], objective: Objective) -> float:
    return 1.0 if any(section is one for one in home) else overlap(objective.text, set(stems(section.title)))


def question_of(objective: Objective, by_steps: bool = False) -> str:
    """The objective as something to do now; `by_steps`: the answer tells how it is done."""
    text = objective.text.rstrip(". ")
    match = re.match(r"Explain what (.+) (is|are)$", text)
    if match:
        return f"In your own words: what {match[2]} {match[1]}?"
    match = re.match(r"(?:Explain what|Use) (.+?)(?: does)?$", text)
    if match and (text.endswith(" does") or kind_of(match[1]) in _NAMES):
        return f"In your own words: what does {match[1]} do?"
    match = re.match(r"Explain (why|how|when|where|what|which) (.+)$", text)
    if match:
        return f"In a sentence or two, explain {match[1]} {match[2]}."
    match = re.match(r"Follow the (steps for|advice on) (.+)$", text)
    if match and by_steps:
        verb = "are" if match[1] == "steps for" else "is"
        return f"From memory: what {verb} the {match[1]} {match[2]}?"
    if _LISTING.match(text):
        return f"From memory: {text[:1].lower()}{text[1:]}."
    if by_steps:
        return f"Step by step: how do you {re.sub('^show how to ', '', text[:1].lower() + text[1:])}?"
    return f"{capitalized(text)}, in a sentence or two."


def _plainly(exam: Exam, objective: Objective, taken: set[int]) -> Iterator[tuple[str, list[Sentence]]]:
    """The objective's own question where the source plainly answers it: by definitions, a list, steps, a key point."""
    text = objective.text
    doing = objective.bloom in ("apply", "create", "evaluate")
    named = _definitions(exam, text) if re.match(r"(?:Define|Distinguish|Explain what) ", text) else []
    terms = len(re.split(r", | and | from ", _topic(text))) if re.match(r"(?:Define|Distinguish) ", text) else 1
    if len(named) >= terms:
        yield question_of(objective), named
    yield question_of(objective, True), _listed(exam, objective, _kinds(text, doing))
    sides = _TWO_SIDES.match(text)
    if sides:
        yield question_of(objective), _both_sides(exam, sides["one"], sides["other"], taken)
    home = exam.homes.get(objective.id, -1)
    if question_of(objective).endswith(" do?") and home >= 0:
        yield question_of(objective), gist(exam, exam.sections[home], taken)
    if not doing:
        yield question_of(objective), _key_point(exam, _topic(text), taken)


def _kinds(text: str, doing: bool) -> tuple[str, ...]:
    """The kinds of idea that can be the whole answer."""
    if "the advice on" in text:
        return ("list",)
    if doing:
        return () if " rules for " in text else ("steps",)
    return ("steps", "list") if _LISTING.match(text) or "steps" in text else ()


def _definitions(exam: Exam, text: str) -> list[Sentence]:
    """The sentences that define the terms that the objective names, one for each."""
    wanted = set(stems(text))
    found: dict[str, Sentence] = {}
    asked = re.match(r"Explain what (.+?)(?: (?:is|are|does|do)\b.*)?$", text)
    whole = set(stems(asked[1])) if asked else set()
    for section in exam.sections:
        for unit in section.units():
            defined = unit.head.defines
            if defined and whole and len(whole - set(stems(defined[0]))) * 2 >= len(whole):
                continue
            if defined and unit.head.cites and set(stems(defined[0])) <= wanted and is_good_definition(unit.head):
                found.setdefault(defined[0].lower(), unit.head)
    return list(found.values())


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
        if idea.kind in kinds and len(idea.items) >= FEWEST_POINTS
    ]
    if not fitting or max(fitting, key=lambda entry: entry[:2])[0] < 0.5:
        return []
    heads = [item[0] for item in max(fitting, key=lambda entry: entry[:2])[2].items if item]
    fields = sum(bool(FIELD.match(head.text)) for head in heads)
    if any(re.search(r"\bfollowing\b|:$|^To \w|\b[Ww]e\b", head.text) for head in heads):
        return []  # "To recover disk space" is what a step is for, and no step
    if _LISTING.match(objective.text) and sum(is_imperative(head.text) for head in heads) * 2 > len(heads):
        return []  # what to do about a thing is no list of such things
    if sum(head.length for head in heads) > LONGEST_LIST_WORDS:
        return []
    if kinds == ("steps",) and sum(is_imperative(head.text) for head in heads) < LEAST_ORDERS * len(heads):
        return []
    if fields * 2 > len(heads) or len(heads) > MOST_POINTS or not all(head.cites for head in heads):
        return []
    return heads


def _heading(section: Section, idea: Idea) -> str:
    return f"{section.title} {section.telling.title} {idea.label} {idea.lead.text if idea.lead else ''}"


def _both_sides(exam: Exam, one: str, other: str, taken: set[int]) -> list[Sentence]:
    """A passage that speaks of both, else what defines each."""
    both = [
        (overlap(one, unit.bag) + overlap(other, unit.bag) + 0.3 * ("contrast" in unit.roles), unit)
        for section in exam.sections
        for unit in tellable(section)
        if min(overlap(one, unit.bag), overlap(other, unit.bag)) >= 0.5
        and unit.head.start not in taken
        and "contrast" in unit.roles
        and unit.words >= LEAST_COMPARISON_WORDS
    ]
    if both:
        return list(max(both, key=lambda pair: pair[0])[1].sentences)
    first, second = _definitions(exam, one), _definitions(exam, other)
    return [first[0], second[0]] if first and second and first[0] is not second[0] else []


def _key_point(exam: Exam, topic: str, taken: set[int]) -> list[Sentence]:
    """The key point of the source that shares most of the topic's words, and enough of them."""
    fits = [
        (overlap(topic, set(stems(sentence.text))), -n, sentence)
        for n, sentence in enumerate(exam.keypoints)
        if sentence.cites
        and sentence.start not in taken
        and not POINTS_BACK.search(sentence.text[:30])
        and sentence.length >= LEAST_POINT_WORDS
        and ("why " not in f"{topic} " or "cause" in sentence.roles)
        and (not re.match(r"what .+ (?:is|are)\b", topic) or set(stems(sentence.text)[:2]) & set(stems(topic)))
    ]
    best = max(fits, key=lambda entry: entry[:2], default=None)
    return [best[2]] if best and best[0] >= LEAST_SHARED else []
