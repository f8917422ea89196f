"""`scripts/bench quote`: how far what is paid lies from the quote, on texts and draws that nothing was fitted to.

A scripted OpenAI-compatible server answers over real HTTP. How long its replies are, how often its critic is not
pleased and how much of the input was cached is drawn from reply_lengths.json, which knows nothing of the quote. The
constants of service/domain/agent_tokens.py come from the half `fit` (`scripts/bench quote --fit` prints what it
measures), the figures from the half `measure`: other texts, other draws.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path
from statistics import fmean, median
from typing import Any

from service.authors.agents.author import AgentAuthor
from service.authors.agents.calls import Call
from service.domain.agent_tokens import CHARACTERS_A_TOKEN, characters_of, lesson_lines, outline_lines
from service.domain.course import Brief, LessonPlan
from service.domain.money import Spending, chat_micro_dollars, speech_micro_dollars
from service.domain.quote import Range, total
from service.domain.source import Source
from service.pipeline.quote import spoken_characters
from service.readers import read_documents
from service.settings import ROOT
from tests.authors.chat_server import MODEL, Mind, Notebook, chat, model_at
from tests.authors.texts import backups, bees, evidence, sourdough

LENGTHS: Mapping[str, Any] = json.loads((Path(__file__).parent / "reply_lengths.json").read_text(encoding="utf-8"))
VOICE = "openai:gpt-4o-mini-tts/alloy"
WANTED_ERROR = 0.15


class DrawnMind(Mind):
    """A model whose replies are as long as the distribution says, by the draw's number."""

    def __init__(self, half: str, draw: int) -> None:
        super().__init__()
        self._lot = random.Random(f"{LENGTHS['seed']} {half} {draw}")
        of_run = LENGTHS["run"]
        self._wordiness = self._lot.lognormvariate(0, of_run["wordiness_sigma"])
        self._asks_again = self._lot.uniform(*of_run["asks_again"])
        self._cached = self._lot.uniform(*of_run["cached_share"])

    def review(self, _: str) -> dict[str, Any]:
        return {"good": self._lot.random() > self._asks_again, "changes": ["Say it more simply."]}

    def _message(self, shape: str, body: dict[str, Any]) -> dict[str, Any]:
        message = super()._message(shape, body)
        if not message.get("content"):
            return message
        drawn = LENGTHS["reply"][shape]
        share = self._wordiness * drawn["median"] * self._lot.lognormvariate(0, drawn["sigma"])
        full = message["content"]
        shorter = json.dumps(_cut(json.loads(full), min(1.0, share)))
        return {**message, "content": shorter.ljust(round(len(full) * share))}

    def _completion(self, body: dict[str, Any], message: dict[str, Any], finish: str) -> dict[str, Any]:
        made = super()._completion(body, message, finish)
        usage = made["usage"]
        usage["prompt_tokens_details"]["cached_tokens"] = round(usage["prompt_tokens"] * self._cached)
        return made


def _cut(answer: dict[str, Any], share: float) -> dict[str, Any]:
    """The answer with the first part of its sentences, scenes or questions; never without any."""
    for block in answer.get("blocks", ()):
        block["sentences"] = _first(block["sentences"], share)
    for name in ("scenes", "questions"):
        if name in answer:
            answer[name] = _first(answer[name], share)
    return answer


def _first(entries: list[Any], share: float) -> list[Any]:
    return entries[: max(1, round(len(entries) * share))]


@dataclass(frozen=True)
class Noted:
    """A call, who made it in which piece of work, and the characters of material that this had."""

    agent: str
    maker: str
    characters: int
    call: Call


class Diary(Notebook):
    """Records and till of a measurement in one: every answered call is noted with its agent."""

    payer = "the measurement"

    def __init__(self) -> None:
        super().__init__()
        self.maker, self.characters = "designer", 0
        self.noted: list[Noted] = []

    def may_spend(self, most: int) -> None:
        """It may."""

    def used(self, key: str) -> None:
        """Nothing is recorded beside the calls."""

    def book(self, key: str, *spent: Spending) -> None:  # noqa: ARG002
        call = list(self.kept.values())[-1]
        self.noted.append(Noted(spent[0].what.partition(" (")[0], self.maker, self.characters, call))


@dataclass(frozen=True)
class Stretch:
    """One part of a run: what was quoted, and what was paid."""

    quoted: Range
    paid: int

    @property
    def error(self) -> float:
        return abs(self.quoted.likely - self.paid) / self.paid

    @property
    def within(self) -> bool:
        return self.quoted.low <= self.paid <= self.quoted.high

    def __add__(self, other: Stretch) -> Stretch:
        return Stretch(self.quoted + other.quoted, self.paid + other.paid)


@dataclass(frozen=True)
class Taken:
    """A whole run: the outline, the texts with storyboards and quizzes, and the speech of its videos."""

    outline: Stretch
    lessons: Stretch
    speech: Stretch
    calls: tuple[Noted, ...] = ()
    planned: tuple[LessonPlan, ...] = ()
    spoken: int = 0

    @property
    def generation(self) -> Stretch:
        return self.lessons + self.speech


@cache
def texts(half: str) -> tuple[Source, ...]:
    """The sources of one half."""
    known = {"sourdough": sourdough, "backups": backups, "bees": bees}
    names = LENGTHS[half]["texts"]
    if names[0] in known:
        return tuple(known[name]() for name in names)
    read = read_documents([(ROOT / "samples" / name, name) for name in names])
    return tuple(document for _, document in read if isinstance(document, Source))


def measured(half: str) -> list[Taken]:
    """Every draw of one half."""
    return [_take(half, draw) for draw in range(LENGTHS[half]["draws"])]


def _course(half: str, draw: int) -> tuple[Source, ...]:
    """The documents of one draw."""
    lot = random.Random(f"{LENGTHS['seed']} {half} texts {draw}")
    chosen = lot.sample(texts(half), LENGTHS[half]["texts_a_course"])
    return tuple(_start_of(source, lot.choice(LENGTHS[half]["shares"])) for source in chosen)


def _start_of(source: Source, share: float) -> Source:
    blocks = source.blocks[: max(6, round(len(source.blocks) * share))]
    return source.model_copy(update={"text": source.text[: blocks[-1].end], "blocks": blocks})


def _take(half: str, draw: int) -> Taken:
    sources, diary = _course(half, draw), Diary()
    given, size = evidence(*sources), sum(len(source.text) for source in sources)
    diary.characters = size
    with chat(DrawnMind(half, draw)) as (server, _):
        author = AgentAuthor(model_at(server), diary)
        plan = author.plan(Brief(), given, _silent, diary)
        outlined, spoken = len(diary.noted), 0
        for planned in plan.lessons:
            diary.maker, diary.characters = "writer", characters_of(planned)
            lesson = author.write(Brief(), plan, planned.id, given, _silent, diary)
            diary.maker = "storyboarder"
            board = author.storyboard(Brief(), plan, lesson, given, _silent, diary)
            diary.maker = "quiz_master"
            author.quiz(Brief(), plan, lesson, given, _silent, diary)
            spoken += sum(len(cue.speech or cue.text) for cue in board.cues())
    characters = spoken_characters(plan.lessons)
    prices = Range.from_ends([speech_micro_dollars(VOICE, number) for number in characters.ends])
    return Taken(
        Stretch(_money(outline_lines(MODEL, size)), _paid(diary.noted[:outlined])),
        Stretch(_money(lesson_lines(MODEL, plan.lessons)), _paid(diary.noted[outlined:])),
        Stretch(prices, speech_micro_dollars(VOICE, spoken)),
        tuple(diary.noted),
        plan.lessons,
        spoken,
    )


def _silent(what: str, part: float | None = None) -> None:
    """Nobody listens."""


def _money(lines: Iterable[Any]) -> Range:
    return total(line.micro_dollars for line in lines)


def _paid(noted: Iterable[Noted]) -> int:
    calls = (one.call for one in noted)
    return sum(chat_micro_dollars(MODEL, c.input_tokens, c.cached_tokens, c.output_tokens) for c in calls)


def main(argv: list[str]) -> int:
    """Print the figures of the unseen half; exit code 1 when the median error of a generation is above 15 %."""
    if "--fit" in argv:
        return _fit()
    runs = measured("measure")
    parts = {
        "outline": [run.outline for run in runs],
        "writing": [run.lessons for run in runs],
        "speech": [run.speech for run in runs],
        "generation": [run.generation for run in runs],
    }
    for name, found in parts.items():
        errors = sorted(one.error for one in found)
        inside = sum(one.within for one in found)
        print(
            f"{name:<11} median error {median(errors):6.1%}, worst {errors[-1]:6.1%},"
            f" {inside} of {len(found)} within the range"
        )
    held = all(median(one.error for one in parts[name]) <= WANTED_ERROR for name in ("writing", "generation"))
    print(f"{len(runs)} runs; writing and generation at most {WANTED_ERROR:.0%}: {'held' if held else 'MISSED'}")
    return int(not held)


def _fit() -> int:
    """Print what the half `fit` measures, in the words of `agent_tokens.Stage`: lines by the tokens of the material for
    what the maker's first call reads and what each of its calls writes, how many drafts, and what the others did."""
    runs = measured("fit")
    works: dict[str, list[list[Noted]]] = {}
    for run in runs:
        for _, group in groupby(run.calls, key=lambda one: (one.maker, one.characters)):
            noted = list(group)
            works.setdefault(noted[0].maker, []).append(noted)
    for maker, found in works.items():
        drafts = [[one for one in work if one.agent == maker] for work in found]
        size = [work[0].characters / CHARACTERS_A_TOKEN for work in found]
        read = [(x, float(work[0].call.input_tokens)) for x, work in zip(size, drafts, strict=True)]
        wrote = [(x, fmean(one.call.output_tokens for one in work)) for x, work in zip(size, drafts, strict=True)]
        reviews = fmean(sum(one.agent == "critic" for one in work) for work in found)
        print(
            f"{maker:<13} {len(found):>3} works, {fmean(map(len, drafts)):.2f} drafts, {reviews:.2f} reviews,"
            f" first reads {_line(read)}, a draft {_line(wrote)}"
        )
    for maker, run_parts in (("outline", [one.outline for one in runs]), ("lessons", [one.lessons for one in runs])):
        ratios = sorted(one.paid / one.quoted.likely for one in run_parts)
        print(f"{maker}: paid / likely {median(ratios):.3f} in the median,", *(f"{one:.2f}" for one in ratios))
    minutes = sum(lesson.minutes for run in runs for lesson in run.planned)
    print(f"spoken: {sum(run.spoken for run in runs) / minutes:.0f} characters for each planned minute")
    calls = [one.call for run in runs for one in run.calls]
    print(f"cached: {sum(c.cached_tokens for c in calls) / sum(c.input_tokens for c in calls):.2f} of what is read")
    for agent in ("researcher", "critic"):
        of = [one.call for run in runs for one in run.calls if one.agent == agent]
        print(
            f"{agent}: {fmean(c.input_tokens for c in of):.0f} read, {fmean(c.output_tokens for c in of):.0f} written"
        )
    return 0


def _line(points: list[tuple[float, float]]) -> str:
    """The least-squares line through the points."""
    mean_x, mean_y = fmean(x for x, _ in points), fmean(y for _, y in points)
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0
    return f"{mean_y - slope * mean_x:.0f} + {slope:.2f} x"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
