"""Places in the engine where a fault run lets a worker die or fall asleep, so that hazards are hit and not hoped for.

Nothing happens unless FAILPOINTS arms them, as in `seed=7,kill=0.1,pause=0.02,pause_seconds=3,log=/path`; production
refuses it. Such cooperative points are FoundationDB's idea: killing from outside hardly ever hits the few instants
that matter, and a run that hit none of them proves nothing.

    kill    the chance of SIGKILL at each point        pause  the chance of SIGSTOP, for `pause_seconds`: all threads
    at      one point's name; empty: at every point           stand, the lease runs out, and then the worker wakes up
    log     a file that gets one line for each time: point, what happened (`passed`, `killed`, `paused`), process
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
from dataclasses import dataclass, fields
from typing import Literal, get_args

from service.errors import BadInput

Point = Literal[
    "claimed",
    "paid-not-saved",
    "mid-transaction",
    "saved",
    "put-not-finished",
    "finished-not-acked",
    "released",
]
POINTS: tuple[Point, ...] = get_args(Point)


@dataclass(frozen=True)
class Faults:
    """How often which fault happens where: what FAILPOINTS says."""

    seed: int = 0
    kill: float = 0.0
    pause: float = 0.0
    pause_seconds: float = 3.0
    at: str = ""
    log: str = ""

    @classmethod
    def parse(cls, written: str) -> Faults:
        """Read `name=value,…`.

        Raises:
            BadInput: a name is unknown, or a value is not of its kind.
        """
        kinds = {"seed": int, "kill": float, "pause": float, "pause_seconds": float, "at": str, "log": str}
        given: dict[str, object] = {}
        for part in filter(None, written.split(",")):
            name, _, value = part.partition("=")
            try:
                given[name] = kinds[name](value)
            except (KeyError, ValueError) as error:
                known = ", ".join(field.name for field in fields(cls))
                raise BadInput(f"FAILPOINTS: {part!r} is not understood. It takes {known} as name=value.") from error
        if given.get("at", "") not in ("", *POINTS):
            raise BadInput(f"FAILPOINTS: there is no point {given['at']!r}. There are {', '.join(POINTS)}.")
        return cls(**given)  # type: ignore[arg-type]


class _Armed:
    """The faults in force in this process, with the dice for them."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._dice = random.Random(faults.seed)  # noqa: S311 - a fault run is repeated from its seed

    def reached(self, point: Point) -> None:
        chance = self._dice.random() if self._faults.at in ("", point) else 1.0
        if chance < self._faults.kill:
            self._note(point, "killed")
            os.kill(os.getpid(), signal.SIGKILL)
        elif chance < self._faults.kill + self._faults.pause:
            self._note(point, "paused")
            _sleep_as_a_whole(self._faults.pause_seconds)
        else:
            self._note(point, "passed")

    def _note(self, point: Point, what: str) -> None:
        if not self._faults.log:
            return
        log = os.open(self._faults.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(log, f"{point} {what} {os.getpid()}\n".encode())
        finally:
            os.close(log)


# The process is what is armed, as with a signal handler; calls deep in a transaction have nothing else to ask.
_armed: _Armed | None = None


def arm(written: str) -> None:
    """Put the faults that FAILPOINTS describes in force in this process; an empty text takes them away.

    Raises:
        BadInput: the text is not understood.
    """
    global _armed  # noqa: PLW0603
    _armed = _Armed(Faults.parse(written)) if written else None


def reached(point: Point) -> None:
    """The worker is at this point: in a fault run it may die or sleep here; else nothing happens."""
    if _armed is not None:
        _armed.reached(point)


def _sleep_as_a_whole(seconds: float) -> None:
    """Stop the process with all its threads. Somebody else must wake it, and a sleeping shell is the smallest."""
    waker = subprocess.Popen(["/bin/sh", "-c", f"sleep {seconds:.3f}; kill -CONT {os.getpid()}"])
    os.kill(os.getpid(), signal.SIGSTOP)
    waker.wait()
