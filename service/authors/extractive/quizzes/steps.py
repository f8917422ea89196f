"""Items about procedures: the order of the steps, which comes first, and which belong to it at all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from service.authors.extractive.language.lexicon import OPENING_STEPS
from service.authors.extractive.language.slide_lines import as_shown, compress
from service.authors.extractive.language.verb_forms import is_imperative
from service.authors.extractive.language.words import bag, cosine, rank, stems, words
from service.authors.extractive.quizzes.parts import CHOICES, Candidate, Exam, gives_away, source_says
from service.authors.extractive.sources.material import Idea, Section, Unit
from service.domain.quiz import Option
from service.domain.source import Cite

FEWEST, MOST, LONGEST_STEP = 3, 7, 18
Procedure = tuple[Section, Idea, list[tuple[str, Unit]]]
_CHECKING = frozenset(("check", "identify", "verify", "ensure", "look", "make", "consider", "note", "avoid", "keep"))
_LOOSE = re.compile(r"\b(?:step \d|repeat|again|then|if)\b", re.IGNORECASE)


def step_items(exam: Exam) -> list[Candidate]:
    """All questions on the procedures of the lesson."""
    everywhere = exam.once("procedures", lambda: _procedures(exam))
    found: list[Candidate] = []
    for section in exam.sections:
        for idea in section.ideas:
            steps = _short_steps(idea) if idea.kind == "steps" else []
            if not steps:
                continue
            if _has_an_order(steps):
                found.append(_in_order(section, steps))
            found += _first(section, steps)
            found += _belonging(section, steps, everywhere) + _task_of(exam, section, steps, everywhere)
    return found


def _procedures(exam: Exam) -> list[Procedure]:
    return [
        (section, idea, steps)
        for section in exam.siblings()
        for idea in section.ideas
        if idea.kind == "steps" and (steps := _short_steps(idea))
    ]


def _short_steps(idea: Idea) -> list[tuple[str, Unit]]:
    """The steps as options show them; none when one of them is no instruction or does not get short enough."""
    if not FEWEST <= len(idea.units) <= MOST or len(idea.units) != len(idea.items):
        return []
    steps = [(compress(unit.head.text, LONGEST_STEP), unit) for unit in idea.units]
    texts = [text for text, _ in steps]
    if not all(texts) or len(set(texts)) < len(texts) or not all(is_imperative(text) for text in texts):
        return []
    if not all(unit.head.cites for _, unit in steps) or any(_LOOSE.search(text) for text in texts):
        return []
    return [(as_shown(text, unit.head), unit) for text, unit in steps]


def _verb(step: str) -> str:
    return words(step)[0].lower() if words(step) else ""


def _has_an_order(steps: Sequence[tuple[str, Unit]]) -> bool:
    """Whether each step needs an earlier one, and no two checks in a row could be made the other way round."""
    texts = [text for text, _ in steps]
    if any(_verb(a) in _CHECKING and _verb(b) in _CHECKING for a, b in pairwise(texts[1:])) or (
        _verb(texts[0]) == _verb(texts[1]) and _verb(texts[0]) in _CHECKING
    ):
        return False
    linked = [bool(set(stems(text)) & set(bag(texts[:n]))) for n, text in enumerate(texts) if n]
    bound = sum(linked) / len(linked)
    return bound >= 0.75 or (bound >= 0.5 and _verb(texts[0]) in OPENING_STEPS)


def _in_order(section: Section, steps: Sequence[tuple[str, Unit]]) -> Candidate:
    options = [
        Option(text=text, rationale=f"Step {n}. {source_says(unit.head.text)}")
        for n, (text, unit) in enumerate(steps, start=1)
    ]
    cites = tuple(cite for _, unit in steps for cite in unit.head.cites)
    stem = f"{section.telling.title.rstrip(':')}: put these steps in the right order."
    return Candidate("order", "ordering", stem, options, [text for text, _ in steps], cites)


def _first(section: Section, steps: Sequence[tuple[str, Unit]]) -> list[Candidate]:
    """Which step opens the procedure, where the first one finds or opens what the others work on."""
    texts = [text for text, _ in steps]
    later = [text for text in texts[1:] if set(stems(text)) & set(stems(texts[0]))]
    if _verb(texts[0]) not in OPENING_STEPS | {"disable", "light", "lower", "ask"} or _verb(texts[0]) == _verb(
        texts[1]
    ):
        return []
    if len(texts) < CHOICES or not later:
        return []
    options = [
        Option(text=text, rationale=f"{'' if n == 1 else f'No, this is step {n}. '}{source_says(unit.head.text)}")
        for n, (text, unit) in enumerate(steps[:CHOICES], start=1)
    ]
    cites = tuple(cite for _, unit in steps[:CHOICES] for cite in unit.head.cites)
    stem = f"{section.telling.title.rstrip(':')}: which of these steps comes first?"
    return [Candidate("first", "single", stem, options, [texts[0]], cites)]


def _belonging(
    section: Section,
    steps: Sequence[tuple[str, Unit]],
    everywhere: Sequence[Procedure],
) -> list[Candidate]:
    """Steps of this procedure among steps of others."""
    own = bag(text for text, _ in steps)
    title = section.telling.title
    wrong = {
        text: (other.telling.title, unit)
        for other, _, theirs in everywhere
        if other.telling.title != title
        for text, unit in theirs
        if cosine(bag([text]), own) < 0.25 and not gives_away(text, title)
    }
    hidden = [(text, unit) for text, unit in steps if not gives_away(text, title)]
    if len(hidden) < 2 or len(wrong) < 2:
        return []
    right = sorted(hidden, key=lambda step: rank(title, step[0]))[:3]
    others = sorted(wrong.items(), key=lambda entry: rank(title, entry[0]))[: 5 - len(right)]
    options = [Option(text=text, rationale=source_says(unit.head.text)) for text, unit in right]
    options += [Option(text=text, rationale=f"No, it belongs to “{of}”.") for text, (of, _) in others]
    cites = tuple(cite for _, unit in right for cite in unit.head.cites)
    stem = f"Which of these steps belong to “{title.rstrip(':')}”? Select all that apply."
    return [Candidate("belonging", "multiple", stem, options, [text for text, _ in right], cites)]


def _task_of(
    exam: Exam, section: Section, steps: Sequence[tuple[str, Unit]], everywhere: Sequence[Procedure]
) -> list[Candidate]:
    """Which task a step is part of, where no other task has a step like it."""
    title = section.telling.title.rstrip(":")
    others = {other.telling.title.rstrip(":"): theirs for other, _, theirs in everywhere}
    others.pop(title, None)
    heading = _heading_cite(exam, title, steps)
    found = []
    for text, unit in steps if heading else ():
        apart = [
            name
            for name, theirs in others.items()
            if not gives_away(text, name) and all(cosine(bag([text]), bag([one])) < 0.3 for one, _ in theirs)
        ]
        if gives_away(text, title) or len(words(text)) < 4 or len(apart) < CHOICES - 1 or len(apart) < len(others) - 2:
            continue
        wrong = sorted(apart, key=lambda name: rank(text, name))[: CHOICES - 1]
        reason = f"The step stands under “{title}”. {source_says(unit.head.text)}"
        options = [Option(text=title, rationale=reason)]
        options += [Option(text=name, rationale=f"No. {reason}") for name in wrong]
        stem = f"Which task is this a step of: “{text}”?"
        found.append(Candidate("task", "single", stem, options, [title], (*unit.head.cites, *heading)))
    return found


def _heading_cite(exam: Exam, title: str, steps: Sequence[tuple[str, Unit]]) -> tuple[Cite, ...]:
    """The nearest heading of this name above the steps, as a cite: it is what says that they belong to the task."""
    first = steps[0][1].head
    reading = exam.library.reading(first.cites[0].source)
    if reading is None:
        return ()
    at = reading.source.text.rfind(title, 0, first.start)
    return (reading.cite(at, at + len(title)),) if at >= 0 else ()
