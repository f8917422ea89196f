"""`scripts/bench authoring [FOLDER] [--keep]`: the scoreboard of the offline author, and of the support check.

Each course is made anew: of the project's own texts and, with FOLDER, of each folder of documents in it. Beside a
figure that moved stands what it was when the figures were last kept. 1 when a hard target is missed: an inexact cite,
facts without cites, planted errors that pass, or a long text that takes too long.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from service.domain.pedagogy import pedagogy
from service.domain.support import judge
from tests.authors.long_texts import one_section
from tests.bench.figures import FIGURES, keep, kept, measured, pedagogy_table, table
from tests.bench.made import Made, courses_in, made, own_courses
from tests.bench.planted_errors import OPERATORS, claims, planted

WANTED_CAUGHT, WANTED_FALSE = 0.90, 0.10
LONG_TEXTS, WANTED_SPEED = (10_000, 40_000), 20_000  # words, and words a minute of processor time


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables; 1 when a hard target is missed."""
    given = _parser().parse_args(arguments)
    courses = [*own_courses(), *(courses_in(given.folder) if given.folder else ())]
    missed = scoreboard(courses, with_pedagogy=True)
    if given.where:
        _show_where(courses)
    missed |= support_check()
    missed |= long_texts()
    if given.keep:
        keep({one.name: measured(one) for one in courses})
    return int(missed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/bench authoring", description=(__doc__ or "").partition(":")[2])
    parser.add_argument("folder", nargs="?", type=Path, help="documents to make courses of, one course a folder")
    parser.add_argument("--keep", action="store_true", help="keep the figures, to stand beside those of later runs")
    parser.add_argument("--where", action="store_true", help="name every place that falls short")
    return parser


def scoreboard(courses: Sequence[Made], with_pedagogy: bool) -> bool:
    """Print the figures of the courses; true when a hard target is missed."""
    before, rows = kept(), {one.name: measured(one) for one in courses}
    print("\n".join(table(rows, before)))
    if with_pedagogy:
        print()
        print("\n".join(pedagogy_table(rows, before, pedagogy(courses[0].course))))
    print("!: the target is missed. (…): what it was when the figures were last kept.\n")
    return any(
        figure.hard and not figure.good(float(row[key])) for row in rows.values() for key, figure in FIGURES.items()
    )


def support_check() -> bool:
    """Print how many planted errors the support check finds, by kind, and how fast; true when it finds too few."""
    missed = False
    print(f"{'half':<8}{'caught':>14}{'false alarms':>16}   by kind")
    for half in ("seen", "unseen"):
        planted_here, caught = Counter[str](), Counter[str]()
        for error in planted(half):
            planted_here[error.kind] += 1
            caught[error.kind] += judge(error.claim, [error.passage]).state == "unsupported"
        honest = claims(half)
        cried = sum(judge(claim, [passage]).state == "unsupported" for passage, claim in honest)
        share, alarms = caught.total() / planted_here.total(), cried / len(honest)
        kinds = "  ".join(f"{kind} {caught[kind]}/{planted_here[kind]}" for kind in OPERATORS)
        print(
            f"{half:<8}{caught.total():>4}/{planted_here.total():<3}{share:>6.1%}{cried:>6}/{len(honest):<3}{alarms:>6.1%}"
            f"   {kinds}"
        )
        missed |= share < WANTED_CAUGHT or alarms > WANTED_FALSE
    print(f"wanted: at least {WANTED_CAUGHT:.0%} caught, at most {WANTED_FALSE:.0%} false alarms")
    print(f"speed: {_words_a_second():,.0f} words of claims a second")
    return missed


def long_texts() -> bool:
    """Print how fast courses of texts without any heading are made; true when a long one is too slow."""
    speeds = [
        one.words / one.seconds * 60
        for words in LONG_TEXTS
        for one in [made("a long text", [one_section(words).source()])]
    ]
    shown = ", ".join(f"{speed:,.0f} of {words:,} words" for words, speed in zip(LONG_TEXTS, speeds, strict=True))
    print(f"source words a minute in one section: {shown}; wanted: at least {WANTED_SPEED:,}")
    return min(speeds) < WANTED_SPEED


def _words_a_second() -> float:
    pairs = [(f"{passage} Round {n}.", claim) for n in range(20) for passage, claim in claims("seen")]  # none is known
    started = time.process_time()
    for passage, claim in pairs:
        judge(claim, [passage])
    return sum(len(claim.split()) for _, claim in pairs) / (time.process_time() - started)


def _show_where(courses: Sequence[Made]) -> None:
    for one in courses:
        for check in pedagogy(one.course):
            for place in check.where if check.outcome != "ok" else ():
                print(f"{one.name}: {check.id}: {place}")


if __name__ == "__main__":
    raise SystemExit(main())
