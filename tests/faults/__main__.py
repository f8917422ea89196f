"""The fault run as a command: `python -m tests.faults --kills 1000 --restarts 100 --seed 1`; scripts/chaos calls it.

Prints how often every hazard occurred. Exit code 0: every rule held and every hazard occurred often enough; 1: a rule
was broken; 3: the run was blind.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from pathlib import Path

from service.db.failpoints import POINTS
from tests.faults.driver import FaultRun, Plan, table
from tests.faults.server import BreakableServer

HELD, BROKEN, BLIND = 0, 1, 3


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=100, help="workers that must be killed")
    parser.add_argument("--restarts", type=int, default=5, help="times that PostgreSQL must be restarted")
    parser.add_argument("--seconds", type=float, default=0.0, help="give up after this; 0: a second and a half a kill")
    parser.add_argument(
        "--kill", type=float, default=0.4, help="the chance of a kill at the point that one is aimed at"
    )
    parser.add_argument("--pause", type=float, default=0.12, help="the chance of a pause past the lease there")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--at", default="", choices=("", *POINTS), help="aim all workers at this failpoint")
    parser.add_argument("--mutant", default="", help="sabotage the engine in this way: the run has to fail")
    parser.add_argument("--deliveries", type=int, default=0, help="instead of all that: so many deliveries to the site")
    given = parser.parse_args()
    # Connections die all the time here, and the pool would tell of each with a traceback.
    logging.disable()
    return storm(given.deliveries, given.seed) if given.deliveries else fault_run(given)


def storm(deliveries: int, seed: int) -> int:
    """Deliver, tell and judge; the exit code."""
    from tests.faults.deliveries import DeliveryStorm

    with tempfile.TemporaryDirectory(prefix="coursewright-faults-") as folder, BreakableServer(Path(folder)) as server:
        happened, wrong = DeliveryStorm(Path(folder), server, deliveries, seed).go()
    print(f"seed {seed}", happened.table(), *(f"BROKEN: {complaint}" for complaint in wrong), sep="\n")
    return BROKEN if wrong else HELD


def fault_run(given: argparse.Namespace) -> int:
    """Break things, drain, tell and judge; the exit code."""
    seconds = given.seconds or max(60.0, 1.5 * given.kills)
    plan = Plan(given.seed, given.kills, given.restarts, seconds, given.kill, given.pause, given.at, given.mutant)
    with tempfile.TemporaryDirectory(prefix="coursewright-faults-") as folder, BreakableServer(Path(folder)) as server:
        run = FaultRun(plan, Path(folder), server)
        seen, wrong = run.go()
        print(f"seed {plan.seed}", table(seen), sep="\n")
        for complaint in wrong:
            print(f"BROKEN: {complaint}")
        if wrong:
            return BROKEN
        blind = list(run.blind())
        for complaint in blind:
            print(f"BLIND: {complaint}")
    return BLIND if blind else HELD


if __name__ == "__main__":
    sys.exit(main())
