"""The quality report of a course and its hard gates: what must hold before anybody is taught from it.

Everything here looks at documents only. The media are looked at where they lie (`service/pipeline/folder_check.py`);
the pedagogy checks, which warn and never block, are in `pedagogy.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from service.domain.course import Brief, CoursePlan, Objective
from service.domain.lesson import Claim, Lesson
from service.domain.quiz import Quiz, QuizItem
from service.domain.readability import words
from service.domain.source import Cite, Document, sha256_of
from service.domain.storyboard import Scene, Storyboard
from service.domain.support import judged

Outcome = Literal["ok", "warn", "fail", "unchecked"]
Kind = Literal["gate", "media", "pedagogy"]
WORDS_PER_MINUTE = 150
PLAIN_QUOTES = str.maketrans("’‘“”", "''\"\"", "`*")


class Check(Document):
    """One thing that was looked at: the figure found, the figure wanted, and every place that falls short."""

    id: str
    title: str
    kind: Kind
    outcome: Outcome
    figure: str
    wanted: str
    where: tuple[str, ...] = ()


class Report(Document):
    """All checks of a course. Gates and media fail; pedagogy only warns."""

    version: Literal[1] = 1
    checks: tuple[Check, ...] = ()

    @property
    def failed(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if check.outcome == "fail")

    @property
    def warned(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if check.outcome in ("warn", "unchecked"))

    def check(self, check_id: str) -> Check:
        """The check with this id.

        Raises:
            KeyError: there is none.
        """
        for check in self.checks:
            if check.id == check_id:
                return check
        raise KeyError(check_id)


@dataclass(frozen=True)
class Taught:
    """A lesson with all that is made of it; `seconds` is its video's length, 0 when it has none."""

    name: str
    lesson: Lesson
    storyboard: Storyboard | None = None
    quiz: Quiz | None = None
    seconds: float = 0.0

    @property
    def minutes(self) -> float:
        """How long the lesson's video runs; estimated from its narration while it is not filmed."""
        if self.seconds or self.storyboard is None:
            return self.seconds / 60
        cues = tuple(self.storyboard.cues())
        spoken = sum(len(words(cue.text)) for cue in cues)
        return spoken / WORDS_PER_MINUTE + sum(cue.pause for cue in cues) / 60


@dataclass(frozen=True)
class CourseDocuments:
    """A course as the checks see it: its documents, and the text of each source by its hash."""

    brief: Brief
    plan: CoursePlan
    lessons: tuple[Taught, ...]
    texts: Mapping[str, str]
    signed: frozenset[str] = frozenset()  # keys of claims that somebody signed for as they stand

    def objectives(self) -> Iterator[tuple[Taught, Objective]]:
        """Every objective, with its lesson."""
        for taught in self.lessons:
            for objective in taught.lesson.objectives:
                yield taught, objective

    def slides(self) -> Iterator[tuple[str, Scene]]:
        """Every slide, with a name that an instructor finds it by."""
        for taught in self.lessons:
            for number, scene in enumerate(taught.storyboard.scenes if taught.storyboard else (), start=1):
                yield f"{taught.name}, slide {number} ({scene.title or scene.kind})", scene

    def items(self) -> Iterator[tuple[str, QuizItem]]:
        """Every question, with its place."""
        for taught in self.lessons:
            for item in taught.quiz.items if taught.quiz else ():
                yield f"{taught.name}, question {item.id}", item


def gate(
    check_id: str, title: str, wanted: str, *, good: int, of: int, where: Iterable[str], kind: Kind = "gate"
) -> Check:
    """A check that fails when anything falls short."""
    found = tuple(where)
    return Check(
        id=check_id,
        title=title,
        kind=kind,
        outcome="fail" if found else "ok",
        figure=f"{good} of {of}",
        wanted=wanted,
        where=found,
    )


def warning(
    check_id: str, title: str, figure: str, wanted: str, where: Iterable[str] = (), *, good: bool | None = None
) -> Check:
    """A check that warns when `where` names a place, or when `good` says so."""
    found = tuple(where)
    outcome: Outcome = "ok" if (not found if good is None else good) else "warn"
    return Check(id=check_id, title=title, kind="pedagogy", outcome=outcome, figure=figure, wanted=wanted, where=found)


def share(part: int, whole: int) -> str:
    """A part of a whole as people read it."""
    return f"{part} of {whole} ({100 * part / whole:.0f} %)" if whole else "none"


def gates(course: CourseDocuments) -> tuple[Check, ...]:
    """The hard gates that need no media."""
    return (sources_gate(course), cites_gate(course), claims_gate(course), *support_checks(course), quiz_gate(course))


def sources_gate(course: CourseDocuments) -> Check:
    """Every source is the text that its name says; a course without any cannot be checked against anything."""
    if not course.texts:
        why = ("There is no source: nothing here can be checked, and every sentence waits for a person's signature",)
        return gate("sources", "sources are unchanged", "at least one", good=0, of=0, where=why).model_copy(
            update={"outcome": "warn", "figure": "no sources"}
        )
    wrong = [f"sources/{name}.txt was changed" for name, text in course.texts.items() if sha256_of(text) != name]
    good = len(course.texts) - len(wrong)
    return gate("sources", "sources are unchanged", "all", good=good, of=len(course.texts), where=wrong)


def cites_gate(course: CourseDocuments) -> Check:
    """Every cite of every text, slide, sentence, question and glossary entry equals its span of the source."""
    where, count = [], 0
    for place, cite in _cites(course):
        count += 1
        text = course.texts.get(cite.source)
        if text is None:
            where.append(f"{place}: the source {cite.source[:12]}… is not in the folder")
        elif not cite.exact(text):
            found = text[cite.start : cite.end]
            where.append(f"{place}: {cite.start}–{cite.end} is “{_short(found)}”, not “{_short(cite.quote)}”")
    for entry in course.plan.glossary:
        count += 1
        text = course.texts.get(entry.cite.source, "")
        if not 0 <= entry.cite.start < entry.cite.end <= len(text):
            where.append(f"glossary, {entry.term}: its cite lies outside the sources")
    check = gate("cites", "cites equal their source", "all", good=count - len(where), of=count, where=where)
    return check if count else check.model_copy(update={"outcome": "unchecked", "figure": "no cites"})


def _cites(course: CourseDocuments) -> Iterator[tuple[str, Cite]]:
    for taught in course.lessons:
        for cite in taught.lesson.cites():
            yield f"{taught.name}, text", cite
        for cite in taught.storyboard.cites() if taught.storyboard else ():
            yield f"{taught.name}, video", cite
        for item in taught.quiz.items if taught.quiz else ():
            for cite in item.cites:
                yield f"{taught.name}, question {item.id}", cite


def claims_gate(course: CourseDocuments) -> Check:
    """Every sentence that states a fact carries a cite, or somebody's signature."""
    factual = [(taught.name, claim) for taught in course.lessons for claim in taught.lesson.claims() if claim.factual]
    bare = [(name, claim) for name, claim in factual if not claim.cites and claim.key not in course.signed]
    where = [f"{name}: “{_short(claim.text)}”" for name, claim in bare]
    good = len(factual) - len(where)
    return gate("claims", "facts carry a cite or a signature", "all", good=good, of=len(factual), where=where)


def support_checks(course: CourseDocuments) -> tuple[Check, Check]:
    """No claim is unsupported, but for those that somebody signed for; claims that are weak, or were edited since they
    were checked, are named.

    Judged anew, so that what was changed in a folder by hand is found.
    """
    claims = [(taught.name, judged(claim)) for taught in course.lessons for claim in taught.lesson.claims()]
    claims = [(name, claim) for name, claim in claims if claim.key not in course.signed]
    bare = [_says(name, claim) for name, claim in claims if claim.state == "unsupported"]
    loose = [_says(name, claim) for name, claim in claims if claim.state in ("weak", "edited")]
    supported = gate(
        "support", "no claim is unsupported", "all", good=len(claims) - len(bare), of=len(claims), where=bare
    )
    review = gate(
        "review", "no claim waits for review", "all", good=len(claims) - len(loose), of=len(claims), where=loose
    )
    return supported, review.model_copy(update={"outcome": "warn" if loose else "ok"})


def _says(name: str, claim: Claim) -> str:
    return f"{name}: “{_short(claim.text)}” is {claim.state}"


def quiz_gate(course: CourseDocuments) -> Check:
    """Every question has a key that its cite doesn't contradict, and a reason for every option."""
    items = list(course.items())
    where = [f"{place}: {fault}" for place, item in items for fault in item_faults(item)]
    bad = len({place.split(": ", 1)[0] for place in where})
    return gate("quiz", "quiz keys are right and explained", "all", good=len(items) - bad, of=len(items), where=where)


def item_faults(item: QuizItem) -> Iterator[str]:
    """What is wrong with a question, in plain words."""
    if item.kind == "short":
        if not item.model_answer.strip():
            yield "it has no model answer"
        return
    wrong_key = _key_fault(item)
    if wrong_key:
        yield wrong_key
        return
    for option in item.options:
        if not option.rationale.strip():
            yield f"the option “{_short(option.text)}” has no rationale"
    yield from _contradictions(item)


def _key_fault(item: QuizItem) -> str:
    width = len(item.options)
    if not item.key or any(not 0 <= index < width for index in item.key):
        return "its key names no option"
    if width < 2:
        return "it has nothing to choose from"
    if item.kind == "matching" and item.key != tuple(range(width)):
        return "the key of a matching question must be 0 to n-1"
    if item.kind == "ordering" and sorted(item.key) != list(range(width)):
        return "the key of an ordering question must place every option once"
    return ""


def _contradictions(item: QuizItem) -> Iterator[str]:
    """Where the cited words themselves say that another option is right. What they leave open is not judged."""
    quotes = [_plain(cite.quote) for cite in item.cites]
    if not quotes:
        return
    match item.kind:
        case "single" | "cloze" | "multiple":
            yield from _foreign_key(item, " | ".join(quotes))
        case "true_false":
            statement = _plain(re.sub(r"^true or false\W*", "", item.stem, flags=re.I))
            if statement in quotes and _plain(item.options[item.key[0]].text) == "false":
                yield "the source says the statement word for word, and the key says false"
        case "ordering":
            yield from _order_against_source(item, quotes)


def _foreign_key(item: QuizItem, quotes: str) -> Iterator[str]:
    """The cited words hold a wrong option word for word, and nothing of the right one."""
    if re.search(r"\b(?:not|except|never|isn't|doesn't)\b", item.stem, re.I):
        return
    wrong = [option for n, option in enumerate(item.options) if n not in item.key and _stands_in(option.text, quotes)]
    for index in item.key if wrong else ():
        right = item.options[index].text
        numbers = set(re.findall(r"\d+", right))
        touched = set(re.findall(r"\w{3,}", _plain(right))) & set(re.findall(r"\w{3,}", quotes))
        if (numbers and not numbers & set(re.findall(r"\d+", quotes))) or not (numbers or touched):
            yield f"the cite says “{_short(wrong[0].text)}”, and the key is “{_short(right)}”"


def _order_against_source(item: QuizItem, quotes: list[str]) -> Iterator[str]:
    text = "\n".join(quotes)
    places = [text.find(_plain(item.options[index].text)) for index in item.key]
    if min(places) >= 0 and len(set(places)) == len(places) and places != sorted(places):
        yield "the source gives the steps in another order"


def _stands_in(option: str, quotes: str) -> bool:
    plain = _plain(option)
    return len(plain) > 1 and re.search(rf"(?<![\w.]){re.escape(plain)}(?![\w]|\.\w)", quotes) is not None


def _plain(text: str) -> str:
    """The text as two writings of it compare: lower case, single spaces, plain quotes, no markup, no end mark."""
    text = text.lower().translate(PLAIN_QUOTES)
    return " ".join(text.split()).strip(" .!?")


def _short(text: str, limit: int = 70) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= limit else flat[: limit - 1].rstrip() + "…"
