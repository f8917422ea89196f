"""What a team is given: a chat model, and one piece of work. Apart from AutoGen, which only a worker at work loads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from pydantic import SecretStr

from service.authors.agents.drafts import Draft
from service.authors.agents.shapes import FindingsShape, Shape
from service.errors import CoursewrightError

T = TypeVar("T")
Judge = Callable[[str, Exception], CoursewrightError]


class Guard(Protocol):
    """What stands before each piece of work for a model: the breaker of its provider. The work fails when the few
    tries of its calls have failed, and counts as answered when the model answered, whatever it said.
    """

    def __call__(self, work: Callable[[], T]) -> T: ...


def unguarded(work: Callable[[], T]) -> T:
    """No breaker: for a test, or recorded answers."""
    return work()


@dataclass(frozen=True)
class ChatModel:
    """A model at an OpenAI-compatible endpoint, and how long one call of it may take, in seconds.

    `judge` turns an error of the client library into one of ours; the wiring passes the one that all providers share.
    """

    name: str
    api_key: SecretStr
    base_url: str
    judge: Judge
    tries: int = 3
    one_try: float = 120.0
    longest_pause: float = 20.0
    first_pause: float = 1.0
    most_tokens: int = 12_000


@dataclass(frozen=True)
class Research:
    """What the researcher may do: search the course, and name passages, which `fetch` lays before the team."""

    search: Callable[[str], str]
    fetch: Callable[[FindingsShape], str]


@dataclass(frozen=True)
class Work(Generic[T]):
    """One piece of work: who makes it, from what, and how our code reads the answer.

    `prompt` names the maker's instructions where they are not those of its role, `rules` what everybody keeps to, and
    `doing` says what is done in the instructor's words. `variation` asks for another answer than the same work got
    under another name.
    """

    maker: str
    shape: type[Shape]
    place: str
    task: str
    read: Callable[[Any], Draft[T]]
    research: Research | None = None
    prompt: str = ""
    rules: str = "ground_rules"
    doing: str = ""
    variation: str = ""
