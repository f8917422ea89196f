"""The members of a team that use no model: the desk reads drafts by rules, the librarian fetches what was found.

They are AutoGen agents like the others, so the graph shows the whole way of a draft; what they decide is code.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from autogen_agentchat.agents import BaseChatAgent
from autogen_agentchat.base import Response
from autogen_agentchat.messages import BaseChatMessage, StructuredMessage, TextMessage
from autogen_core import CancellationToken

from service.authors.agents.drafts import Draft
from service.authors.agents.shapes import FindingsShape, VerdictShape
from service.errors import CoursewrightError

T = TypeVar("T")
ROUNDS = 3  # drafts at most: one, and two in answer to what the desk and the critic ask for


@dataclass
class Progress(Generic[T]):
    """How far a draft has come: the best one, the round, and where the graph goes next."""

    best: Draft[T] | None = None
    latest: Draft[T] | None = None
    round: int = 0
    fault: CoursewrightError | None = None
    seen: int = 0

    @property
    def again(self) -> bool:
        """The rules found faults and there is a round left: back to the maker, the critic is spared."""
        return self.round < ROUNDS and not self._clean

    @property
    def review(self) -> bool:
        """The rules found nothing, and what the critic may ask for can still be done."""
        return self.round < ROUNDS and self._clean

    @property
    def over(self) -> bool:
        return self.round >= ROUNDS

    @property
    def _clean(self) -> bool:
        return self.latest is not None and self.latest.document is not None and not self.latest.faults

    def take(self, draft: Draft[T]) -> None:
        """A round is over: note its draft, and keep it if it is the best."""
        self.round += 1
        self.latest = draft
        if draft.better_than(self.best):
            self.best = draft


class Desk(BaseChatAgent, Generic[T]):
    """Makes a document of the maker's draft and says what the rules find wrong with it."""

    def __init__(self, maker: str, read: Callable[[Any], Draft[T]], progress: Progress[T]) -> None:
        super().__init__("desk", "Checks a draft by rules.")
        self._maker, self._read, self._progress = maker, read, progress

    @property
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        return (TextMessage,)

    async def on_messages(self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken) -> Response:  # noqa: ARG002
        """Read the newest draft; the rest of the talk is the others' business."""
        drafts = [m for m in messages if isinstance(m, StructuredMessage) and m.source == self._maker]
        draft = self._read(drafts[-1].content)
        self._progress.take(draft)
        found = "\n".join(f"- {fault}" for fault in draft.faults)
        text = f"The editor asks the {self._maker} to change this, and to keep the rest:\n{found}" if found else ""
        return Response(chat_message=TextMessage(content=text or "The editor's rules find no fault.", source=self.name))

    async def on_reset(self, cancellation_token: CancellationToken) -> None:
        """Nothing is kept between runs: a team runs once."""


class Librarian(BaseChatAgent):
    """Lays the passages that the researcher named before the team."""

    def __init__(self, fetch: Callable[[FindingsShape], str], progress: Progress[Any]) -> None:
        super().__init__("librarian", "Fetches passages.")
        self._fetch, self._progress = fetch, progress

    @property
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        return (TextMessage,)

    async def on_messages(self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken) -> Response:  # noqa: ARG002
        """The passages' text. What goes wrong is kept as it is: AutoGen would turn it into a string."""
        found = [m.content for m in messages if isinstance(m, StructuredMessage)]
        named = next((content for content in found if isinstance(content, FindingsShape)), None)
        try:
            text = self._fetch(named or FindingsShape(passages=[], note=""))
        except CoursewrightError as error:
            self._progress.fault = error
            raise
        return Response(chat_message=TextMessage(content=text, source=self.name))

    async def on_reset(self, cancellation_token: CancellationToken) -> None:
        """Nothing is kept between runs: a team runs once."""


class Publisher(BaseChatAgent):
    """Where the graph ends."""

    def __init__(self) -> None:
        super().__init__("publisher", "Ends the work.")

    @property
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        return (TextMessage,)

    async def on_messages(self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken) -> Response:  # noqa: ARG002
        return Response(chat_message=TextMessage(content="Taken.", source=self.name))

    async def on_reset(self, cancellation_token: CancellationToken) -> None:
        """Nothing is kept between runs: a team runs once."""


def verdict(message: BaseChatMessage) -> bool:
    """Whether the critic lets the draft pass."""
    content = message.content if isinstance(message, StructuredMessage) else None
    return not isinstance(content, VerdictShape) or content.good or not content.changes
