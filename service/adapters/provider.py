"""One way to ask a paid model: bounded in time, tries and bytes, and every failure told in our own errors.

    429                       tried again after `Retry-After`; then Throttled
    429 without quota, 402    Paused: no retry buys credit
    400, 401, 403, 404        Broken: the key, the model or the text must change
    5xx, 408, 409, timeout,
    reset, cut or odd answer  tried again; then Unavailable

The client library's own retries are off, so that tries are counted here and nowhere else.
"""

from __future__ import annotations

import email.utils
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from service.errors import Broken, CoursewrightError, Paused, Throttled, Unavailable

if TYPE_CHECKING:
    from httpx2 import Response
    from openai import APIStatusError, OpenAI

T = TypeVar("T")

# What an account without money is told; a 429 of another kind passes with time.
NO_CREDIT = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
PASSING = frozenset({408, 409, 425})
LARGEST_ANSWER = 64 << 20  # bytes; a sentence of speech is under 2 MB, a batch of vectors under 2 MB


@dataclass(frozen=True)
class Patience:
    """How long one question may take, in seconds. A try waits `uniform(0, min(cap, base * 2**n))` after the n-th
    failure (full jitter: Brooker, "Exponential backoff and jitter", AWS 2015), or as long as the provider asks.
    """

    tries: int = 3
    base: float = 1.0
    cap: float = 20.0
    one_try: float = 30.0
    total: float = 60.0


PATIENT = Patience()


def open_client(api_key: str, base_url: str) -> OpenAI:
    """A client whose answers are bounded as a whole: its timeout alone would only bound the wait between two bytes."""
    import openai

    http = openai.DefaultHttpxClient(event_hooks={"response": [_bound]})
    return openai.OpenAI(api_key=api_key, base_url=base_url or None, max_retries=0, http_client=http)


def ask(who: str, call: Callable[[float], T], patience: Patience) -> T:
    """The answer of `call`, which gets the seconds that this try may take. It may itself raise Unavailable for an
    answer that is no answer. `who` names the provider in a message, as in "The voice service".

    Raises:
        Throttled: it asked to be called less often than our patience allows.
        Unavailable: no try succeeded.
        Paused: the account has no credit.
        Broken: the same question would be refused again.
    """
    ends = time.monotonic() + patience.total
    for failures in range(1, patience.tries + 1):
        try:
            return call(min(patience.one_try, max(0.1, ends - time.monotonic())))
        except _failures() as error:
            judged = error if isinstance(error, Unavailable) else judge(who, error)
            pause = _pause(judged, failures, patience)
            if not judged.retryable or failures == patience.tries or time.monotonic() + pause >= ends:
                raise judged from error
        time.sleep(pause)
    raise AssertionError("patience.tries is at least 1")


def judge(who: str, error: Exception) -> CoursewrightError:
    """What an error of the client library means to us."""
    from openai import APIStatusError

    if not isinstance(error, APIStatusError):
        return Unavailable(f"{who} does not answer. Try again later.")
    status = error.status_code
    if status == 402 or NO_CREDIT & {error.code, error.type}:
        return Paused(f"{who} says that the account has no credit. Add credit with the provider, then resume.")
    if status == 429:
        return Throttled(f"{who} asks for fewer requests. Try again later.", retry_after(error))
    if status >= 500 or status in PASSING:
        return Unavailable(f"{who} does not answer ({status}). Try again later.")
    return Broken(f"{who} refused ({status}). {_way_out(status)}")


def retry_after(error: APIStatusError) -> float | None:
    """The seconds that the provider asks to be left alone for; None when it says nothing that can be read."""
    given = error.response.headers
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            return max(0.0, float(given[name]) * unit)
        except (KeyError, ValueError):
            continue
    try:
        moment = email.utils.parsedate_to_datetime(given.get("retry-after", ""))
        return max(0.0, moment.timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def _failures() -> tuple[type[Exception], ...]:
    from openai import OpenAIError

    return (OpenAIError, Unavailable)


def _pause(judged: CoursewrightError, failures: int, patience: Patience) -> float:
    asked = judged.after_seconds if isinstance(judged, Throttled) else None
    if asked is not None:
        return asked
    return random.uniform(0, min(patience.cap, patience.base * 2 ** (failures - 1)))  # noqa: S311 - spreads load only


def _way_out(status: int) -> str:
    if status == 401:
        return "Check OPENAI_API_KEY."
    if status == 403:
        return "Check that the key may use this model, in this country."
    if status == 404:
        return "Check the model's name and OPENAI_BASE_URL."
    return "Check the model's name and the text."


def _bound(response: Response) -> None:
    """Let the body of an answer take as long as a single read of it might, and no more bytes than any has."""
    from httpx2 import ReadError, ReadTimeout, SyncByteStream

    seconds = response.request.extensions.get("timeout", {}).get("read") or PATIENT.one_try
    ends, body = time.monotonic() + seconds, response.stream
    assert isinstance(body, SyncByteStream)
    chunks, end = iter(body), body.close

    class Bounded(SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            size = 0
            for chunk in chunks:
                size += len(chunk)
                if time.monotonic() > ends:
                    raise ReadTimeout("The answer drips too slowly.", request=response.request)
                if size > LARGEST_ANSWER:
                    raise ReadError("The answer does not end.", request=response.request)
                yield chunk

        def close(self) -> None:
            end()

    response.stream = Bounded()
