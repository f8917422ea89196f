"""Every error that Coursewright raises on purpose, and what a caller may do about it.

    CoursewrightError
    ├── BadInput          the caller can mend it: exit code 2, or a 4xx
    │   ├── NotFound      404: it is not there, or not yours
    │   ├── Forbidden     403: you may not
    │   ├── Conflict      409: somebody changed it in the meantime
    │   ├── RateLimited   429: try again later
    │   └── OverBudget    402: the cap would be passed
    ├── Unavailable       the world's fault: trying again helps (the database restarts, a provider answers 503)
    │   ├── Full          507: the disk is full; somebody must make room first
    │   ├── Throttled     a provider asked to be called less: after so many seconds
    │   └── Resting       a provider is left alone for now; the job waits and no attempt is used
    ├── Paused            spending was stopped: the run waits for somebody, nothing is lost
    ├── Broken            the world's fault: trying again does not help (a child process died of bad data)
    ├── Canceled          somebody asked to stop; not a failure
    └── Fenced            another worker holds the job now; drop everything silently

The message of an error is one sentence that says what is wrong and one that says the way out; it is shown to people as
it stands. `retryable` says whether the job engine tries again.
"""

from __future__ import annotations

from typing import ClassVar


class CoursewrightError(Exception):
    """Root of the tree; never raised itself."""

    retryable: ClassVar[bool] = False
    status: ClassVar[int] = 500


class BadInput(CoursewrightError):
    """What was given cannot be used; the message says what to give instead."""

    status = 422


class NotFound(BadInput):
    """The thing does not exist, or is not visible to the caller: the two look alike."""

    status = 404


class Forbidden(BadInput):
    """The caller is known and may not do this."""

    status = 403


class Conflict(BadInput):
    """The document changed since it was read; `current` holds what is there now."""

    status = 409

    def __init__(self, message: str, current: object = None) -> None:
        super().__init__(message)
        self.current = current


class RateLimited(BadInput):
    """Too many tries; `after_seconds` says when the next one is welcome."""

    status = 429

    def __init__(self, message: str, after_seconds: int) -> None:
        super().__init__(message)
        self.after_seconds = after_seconds


class OverBudget(BadInput):
    """The work would cost more than the cap allows."""

    status = 402


class Unavailable(CoursewrightError):
    """A part of the world does not answer now."""

    retryable = True
    status = 503


class Full(Unavailable):
    """There is no room for what should be kept. A retry helps once whoever runs the site has made some."""

    status = 507


class Throttled(Unavailable):
    """A provider answered "too many requests"; `after_seconds` is what it asked for, None when it did not say."""

    def __init__(self, message: str, after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.after_seconds = after_seconds


class Resting(Unavailable):
    """A provider failed so often that nobody calls it for `seconds`; no attempt was used."""

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds


class Paused(CoursewrightError):
    """No more money may be spent on the run; it waits until somebody raises the cap or resumes it."""

    status = 402


class Crowded(Paused):
    """Calls of the same run that are under way hold the money that is missing; what they leave over may be enough."""


class Broken(CoursewrightError):
    """A part of the world answered with something that no retry mends."""

    status = 500


class Canceled(CoursewrightError):
    """The run was asked to stop."""


class Fenced(CoursewrightError):
    """The lease was lost and another worker owns the job; nothing may be written."""
