"""The authoring benchmark's figures: what each is, what is wanted of it, and how those kept from before stand beside.

Kept figures are committed, so that a change shows what it moved; `--keep` writes those just measured.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from service.authors.extractive.language.sentences import split
from service.domain.pedagogy import pedagogy
from service.domain.readability import grade_level
from service.domain.report import Check, cites_gate
from tests.bench import recall
from tests.bench.made import Made

KEPT = Path(__file__).with_name("authoring.json")
Row = Mapping[str, float | str]


@dataclass(frozen=True)
class Figure:
    """One row of the scoreboard. `least` and `most` are its target; missing a hard one fails the benchmark."""

    title: str
    measure: Callable[[Made], float]
    shown: str
    least: float | None = None
    most: float | None = None
    hard: bool = False

    def good(self, value: float) -> bool:
        """Whether the value meets the target; one without a target is only told."""
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)

    @property
    def wanted(self) -> str:
        if self.least is not None:
            return f"≥ {self.shown.format(self.least)}"
        return "" if self.most is None else f"≤ {self.shown.format(self.most)}"


def _exact(one: Made) -> float:
    good, _, count = cites_gate(one.course).figure.partition(" of ")
    return int(good) / int(count) if int(count) else 0.0


def _covered(one: Made) -> float:
    count, bare = recall.uncited(one.course)
    return 1 - len(bare) / count if count else 0.0


def _told_in_video(one: Made) -> float:
    boards = [taught.storyboard for taught in one.course.lessons if taught.storyboard]
    return recall.share_told(one.sources, (cue.text for board in boards for cue in board.cues()))


def _prose(one: Made) -> list[str]:
    return [
        source.text[block.start + start : block.start + end]
        for source in one.sources
        for block in source.blocks
        if block.kind in recall.PROSE and block.role != "skip"
        for start, end in split(source.text[block.start : block.end])
    ]


FIGURES = {
    "exact": Figure("cites that equal their source", _exact, "{:.1%}", least=1.0, hard=True),
    "cited": Figure("factual sentences with a cite", _covered, "{:.1%}", least=0.95, hard=True),
    "headings": Figure(
        "heading recall (STORM)", lambda one: recall.heading_recall(one.sources, one.course), "{:.2f}", least=0.8
    ),
    "entities": Figure(
        "entity recall (STORM)", lambda one: recall.entity_recall(one.sources, one.course), "{:.2f}", least=0.8
    ),
    "in-two": Figure("sentences in two lessons", lambda one: len(recall.told_twice(one.course)), "{:.0f}", most=0),
    "text": Figure(
        "of the prose, in the texts",
        lambda one: recall.share_told(one.sources, recall.taught_words(one.course)),
        "{:.0%}",
    ),
    "video": Figure("of the prose, in the videos", _told_in_video, "{:.0%}"),
    "grade": Figure(
        "reading level of the lessons, grade",
        lambda one: grade_level([claim.text for taught in one.course.lessons for claim in taught.lesson.claims()]),
        "{:.1f}",
    ),
    "grade-before": Figure("… of the source", lambda one: grade_level(_prose(one)), "{:.1f}"),
    "lessons": Figure("lessons", lambda one: len(one.course.lessons), "{:.0f}"),
    "speed": Figure("source words a minute", lambda one: 60 * one.words / one.seconds, "{:,.0f}", least=20_000),
}


def measured(one: Made) -> dict[str, float | str]:
    """All figures of a course: those above, and each pedagogy check's figure with ` !` behind it when it is missed."""
    found: dict[str, float | str] = {name: figure.measure(one) for name, figure in FIGURES.items()}
    return found | {check.id: _short(check) for check in pedagogy(one.course)}


def _short(check: Check) -> str:
    """The figure without its count where it has a share, and a mark when it is missed."""
    inside = check.figure.partition("(")[2].rstrip(")")
    short = (inside or check.figure.removeprefix("at most ")).replace(" %", "%")
    return short if check.outcome == "ok" else f"{short} !"


def kept(path: Path = KEPT) -> dict[str, Row]:
    """The figures that were kept, by course."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def keep(rows: Mapping[str, Row], path: Path = KEPT) -> None:
    """Puts the figures of these courses into the file; those of others stay. Speed is the machine's own."""
    rounded = {
        name: {key: round(value, 3) if isinstance(value, float) else value for key, value in row.items()}
        for name, row in rows.items()
    }
    for row in rounded.values():
        row.pop("speed", None)
    together = kept(path) | rounded
    path.write_text(json.dumps(together, indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")


def table(rows: Mapping[str, Row], before: Mapping[str, Row]) -> list[str]:
    """The scoreboard in lines: figures down, courses across; beside a figure that moved stands what it was."""
    heads = ("figure", "wanted", *_short_names(rows), "all")
    lines: list[Sequence[str]] = [heads]
    for key, figure in FIGURES.items():
        values = [float(row[key]) for row in rows.values()]
        cells = [
            _cell(figure.shown.format(value), figure.good(value), _past(figure, before.get(name, {}).get(key)))
            for name, value in zip(rows, values, strict=True)
        ]
        lines.append((figure.title, figure.wanted, *cells, _sum(figure, values)))
    return _aligned(lines)


def pedagogy_table(rows: Mapping[str, Row], before: Mapping[str, Row], checks: Sequence[Check]) -> list[str]:
    """The pedagogy checks in lines, with what is wanted of each and how many courses keep it."""
    lines: list[Sequence[str]] = [("pedagogy", "wanted", *_short_names(rows), "kept by")]
    for check in checks:
        cells = []
        for name, row in rows.items():
            was = before.get(name, {}).get(check.id)
            cells.append(_cell(str(row[check.id]), True, None if was is None else str(was)))
        good = sum(not str(row[check.id]).endswith("!") for row in rows.values())
        lines.append((f"{check.id} {check.title}", check.wanted, *cells, f"{good} of {len(rows)}"))
    return _aligned(lines)


def _short_names(names: Iterable[str]) -> list[str]:
    """The last part of each folder's name, or the whole one where two end alike."""
    last = Counter(name.rpartition("/")[2] for name in names)
    return [name.rpartition("/")[2] if last[name.rpartition("/")[2]] == 1 else name for name in names]


def _past(figure: Figure, was: float | str | None) -> str | None:
    return None if was is None else figure.shown.format(was)


def _cell(now: str, good: bool, was: str | None) -> str:
    mark = "" if good else " !"
    return f"{now}{mark}" if was in (None, now) else f"{now}{mark} ({was})"


def _sum(figure: Figure, values: Sequence[float]) -> str:
    """The worst of a hard figure or a limit, else the mean."""
    if not values:
        return ""
    value = min(values) if figure.hard else sum(values) if figure.most is not None else sum(values) / len(values)
    return _cell(figure.shown.format(value), figure.good(value), None)


def _aligned(lines: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return [
        "  ".join(cell.ljust(width) if column < 2 else cell.rjust(width) for column, (cell, width) in enumerate(pairs))
        for pairs in (list(zip(line, widths, strict=True)) for line in lines)
    ]
