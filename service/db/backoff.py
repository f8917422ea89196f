"""How long a failed job rests: random, so that what failed together does not come back together."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Backoff:
    """How long a failed job rests: full jitter below a bound that doubles with every attempt, in seconds."""

    base: float = 15.0
    cap: float = 600.0

    def seconds(self, attempt: int) -> float:
        """The rest after the attempt with this number, counted from 1."""
        return random.uniform(0, min(self.cap, self.base * 2.0 ** (attempt - 1)))  # noqa: S311 - jitter


BACKOFF = Backoff()
