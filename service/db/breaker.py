"""A breaker for each provider, kept in a row that all workers share: who failed often is left alone for a while.

    closed ──── 5 strikes within 60 s ────→ open ──── its time is over ────→ half-open: one worker tries, the others
      ↑                                      ↑                                 │        wait for what it finds out
      └──────────── it succeeded ────────────┼─────────────────────────────────┤
                                             └──── it failed: twice as long ───┘

While it is open, jobs wait without using an attempt, each for a random time of its own, so that they do not all come
back at once. A strike is a refusal for too many requests, a server's failure, or no answer; a refused key or text is
none, since the provider answered. Every look and every strike is one short transaction of its own, so a breaker must
not be asked from within another one.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Engine, Row, TextClause, text
from sqlalchemy.orm import Session

from service.db.engine import transaction
from service.errors import BadInput, Broken, Resting, Throttled, Unavailable

T = TypeVar("T")

STRIKES, WINDOW_SECONDS = 5, 60.0
FIRST_REST_SECONDS, LONGEST_REST_SECONDS = 30.0, 600.0
# A provider that names a time is believed, up to this.
LONGEST_ASKED_SECONDS = 3600.0
# A prober that has not come back by then is replaced: it died, or it is an author whose wish takes many calls.
PROBE_SECONDS = 150.0

# The right to try for one prober: a compare and set on `probing_until`, which then is its token.
PROBE = text("""
    UPDATE provider_health
    SET probing_until = clock_timestamp() + make_interval(secs => CAST(:probe AS double precision))
    WHERE provider = :provider AND opened > 0 AND open_until <= clock_timestamp()
      AND (probing_until IS NULL OR probing_until <= clock_timestamp())
    RETURNING probing_until
""")

LOOK = text("""
    SELECT extract(epoch FROM open_until - clock_timestamp()) AS seconds, opened
    FROM provider_health WHERE provider = :provider AND opened > 0
""")

# Calls that began before it opened fail a little later; they say nothing new, so an open breaker takes no strikes.
STRIKE = text(
    """
    INSERT INTO provider_health AS health (provider, strikes, window_start) VALUES (:provider, 1, clock_timestamp())
    ON CONFLICT (provider) DO UPDATE
    SET strikes = CASE WHEN FRESH THEN health.strikes + 1 ELSE 1 END,
        window_start = CASE WHEN FRESH THEN health.window_start ELSE clock_timestamp() END
    WHERE health.opened = 0
    RETURNING strikes
""".replace("FRESH", "health.window_start > clock_timestamp() - make_interval(secs => CAST(:window AS float8))")
)

OPEN = text("""
    UPDATE provider_health
    SET opened = opened + 1, strikes = 0, probing_until = NULL,
        open_until = clock_timestamp() + make_interval(
            secs => greatest(least(CAST(:longest AS float8), CAST(:first AS float8) * power(2, least(opened, 20))),
                             CAST(:asked AS float8)))
    WHERE provider = :provider AND probing_until IS NOT DISTINCT FROM CAST(:token AS timestamptz)
""")

# A slow prober that has succeeded closes it although another one tries by now; not when that one has failed already.
CLOSE = text("""
    UPDATE provider_health SET opened = 0, strikes = 0, open_until = NULL, probing_until = NULL
    WHERE provider = :provider AND probing_until >= :token
""")

GIVE_UP = text("UPDATE provider_health SET probing_until = NULL WHERE provider = :provider AND probing_until = :token")


class Breaker:
    """The breaker around one provider's calls."""

    def __init__(self, engine: Engine, provider: str) -> None:
        self._engine = engine
        self.provider = provider

    def call(self, work: Callable[[], T]) -> T:
        """The result of `work`, which asks the provider once.

        Raises:
            Resting: the provider is left alone; it was not asked. What `work` raises, too.
        """
        token = self.admit()
        settled = False
        try:
            result = work()
            settled = True
        except (BadInput, Broken):
            settled = True  # it answered, which Paused does not tell: that may be our own purse
            raise
        except Unavailable as error:
            asked = error.after_seconds if isinstance(error, Throttled) else None
            self._strike(token, asked or 0.0)
            token = None
            raise
        finally:
            if token is not None:
                self._end_probe(CLOSE if settled else GIVE_UP, token)
        return result

    def admit(self) -> datetime | None:
        """Leave to ask the provider: None while all is well, a token for the one who tries whether it is back.

        Raises:
            Resting: nobody asks it now.
        """
        found = transaction(self._engine, self._look)
        if isinstance(found, datetime) or found is None:
            return found
        window = min(LONGEST_REST_SECONDS, FIRST_REST_SECONDS * 2.0 ** (found.opened - 1))
        # Full jitter over a window as long as the rest itself: whoever comes back first tries, the others come later.
        rest = max(0.0, float(found.seconds or 0.0)) + random.uniform(0.0, window)  # noqa: S311 - jitter
        raise Resting(f"{self.provider} does not answer and is left alone. It is tried again in {rest:.0f} s.", rest)

    def _look(self, session: Session) -> datetime | Row[tuple[float | None, int]] | None:
        given = {"provider": self.provider}
        found = session.execute(LOOK, given).one_or_none()
        if found is None:
            return None
        token: datetime | None = session.scalar(PROBE, {**given, "probe": PROBE_SECONDS})
        return token if token is not None else found

    def _strike(self, token: datetime | None, asked: float) -> None:
        """Count a failure. The prober's opens the breaker again; so does the last of many within the window."""

        def strike(session: Session) -> None:
            given = {"provider": self.provider}
            strikes = None
            if token is None:
                strikes = session.scalar(STRIKE, {**given, "window": WINDOW_SECONDS})
            if token is not None or (strikes is not None and strikes >= STRIKES):
                rests = {"first": FIRST_REST_SECONDS, "longest": LONGEST_REST_SECONDS}
                session.execute(OPEN, {**given, **rests, "token": token, "asked": min(asked, LONGEST_ASKED_SECONDS)})

        transaction(self._engine, strike)

    def _end_probe(self, statement: TextClause, token: datetime) -> None:
        given = {"provider": self.provider, "token": token}
        transaction(self._engine, lambda session: session.execute(statement, given))
