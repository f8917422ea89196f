"""`scripts/bench authoring`: how many planted errors the support check finds, by kind, and how fast it is."""

from __future__ import annotations

import time
from collections import Counter

from service.domain.support import judge
from tests.bench.planted_errors import OPERATORS, claims, planted

WANTED_CAUGHT, WANTED_FALSE = 0.90, 0.10


def main() -> int:
    """Print the table; 1 when a target is missed."""
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
    return int(missed)


def _words_a_second() -> float:
    pairs = claims("seen") * 20
    started = time.process_time()
    for passage, claim in pairs:
        judge(claim, [passage])
    return sum(len(claim.split()) for _, claim in pairs) / (time.process_time() - started)


if __name__ == "__main__":
    raise SystemExit(main())
