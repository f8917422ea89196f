"""The AgentManager: builds an AutoGen team for one piece of work, runs it to its end, and tells how far it is.

    researcher → librarian → maker → desk ⇄ maker          the rules find faults, at most twice
                                     desk → critic → maker  the critic asks for changes, while a round is left
                                            critic → publisher

The maker is the curriculum designer, the writer, the storyboarder or the quiz master. A team runs once and is thrown
away, as AutoGen wants after a cancellation. Cancelling goes through AutoGen's token: cancelling the task would hang.
"""

from __future__ import annotations

import asyncio
import logging
import warnings
from typing import Generic, TypeVar

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.base import ChatAgent, TaskResult
from autogen_agentchat.messages import StructuredMessage
from autogen_agentchat.teams import DiGraphBuilder, GraphFlow
from autogen_core import CancellationToken
from autogen_core.tools import FunctionTool

from service.authors.agents.calls import Calls
from service.authors.agents.crew import Desk, Librarian, Progress, Publisher, verdict
from service.authors.agents.model import AgentClient, Recorder
from service.authors.agents.prompting import instructions, version
from service.authors.agents.shapes import FindingsShape, Shape, VerdictShape
from service.authors.agents.work import ChatModel, Research, Work
from service.domain.course import Brief
from service.errors import Broken, CoursewrightError
from service.ports import Report, Till

T = TypeVar("T")
MOST_TURNS = 16  # messages of a team: far above what its rounds need, in case the graph has a way we did not see
SEARCHES = 4
BEAT_SECONDS, STOP_SECONDS = 2.0, 10.0
log = logging.getLogger(__name__)

# AutoGen logs every message of every call at INFO, sources included, and errors that are ours to report.
for _name in ("autogen_core", "autogen_core.events", "autogen_agentchat", "autogen_agentchat.events"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)
warnings.filterwarnings("ignore", message="Resolved model mismatch")


class AgentManager:
    """Runs teams on one chat model. Safe to share: nothing of a run outlives it."""

    def __init__(self, model: ChatModel, calls: Calls) -> None:
        self._model, self._calls = model, calls

    def run(self, work: Work[T], brief: Brief, report: Report, till: Till) -> T:
        """The document that the team makes.

        Raises:
            Broken: no draft could be used, or the model refuses.
            Unavailable, Throttled, Paused: the model does not answer now; what was answered is kept.
            Canceled, Fenced: whatever `report` raises.
        """
        loop = asyncio.new_event_loop()
        try:
            return loop.run_until_complete(_Run(work, brief, report, till, self._model, self._calls).result())
        finally:
            _close(loop)


class _Run(Generic[T]):
    """One team from its start to its end. Made inside of its event loop."""

    def __init__(self, work: Work[T], brief: Brief, report: Report, till: Till, model: ChatModel, calls: Calls) -> None:
        self._work, self._brief, self._report = work, brief, report
        self._recorder = Recorder(model, calls, till, version(), work.variation)
        self._progress: Progress[T] = Progress()
        self._token = CancellationToken()

    async def result(self) -> T:
        try:
            await self._watched(asyncio.ensure_future(self._talk()))
        finally:
            await self._recorder.close()
        draft = self._progress.best
        if draft is None or draft.document is None:
            self._recorder.forget()
            why = draft.faults[-1] if draft and draft.faults else "It gave no draft."
            raise Broken(f"The model's draft cannot be used. {why} Try again, or choose another model in LLM.")
        if draft.faults:
            log.info("%s is taken with %d open wishes: %s", self._work.place, len(draft.faults), draft.faults[0])
        return draft.document

    async def _watched(self, talk: asyncio.Task[None]) -> None:
        """Let the team talk; ask now and then whether it may, because a call may last and tells nothing meanwhile."""
        while not talk.done():
            try:
                self._tell()
            except CoursewrightError:
                self._token.cancel()
                await asyncio.wait({talk}, timeout=STOP_SECONDS)
                raise
            await asyncio.wait({talk}, timeout=BEAT_SECONDS)
        error = talk.exception() if not talk.cancelled() else None
        fault = self._recorder.fault or self._progress.fault
        if fault is not None:
            raise fault
        if error is not None:
            raise error

    async def _talk(self) -> None:
        team = self._team()
        async for message in team.run_stream(task=self._work.task, cancellation_token=self._token):
            if isinstance(message, TaskResult):
                return
            self._progress.seen += 1
            self._tell()

    def _tell(self) -> None:
        expected = 8 if self._work.research else 5
        self._report(self._doing(), min(0.95, self._progress.seen / expected))

    def _doing(self) -> str:
        """What the team does, in the instructor's words."""
        place, seen, done = self._work.place, self._progress.seen, self._progress.round
        if self._work.research and not done and seen < 2:
            return f"Looking up sources for {place}"
        verb = {"designer": "Designing", "storyboarder": "Storyboarding", "quiz_master": "Setting questions for"}
        if not done:
            return f"{self._work.doing or verb.get(self._work.maker, 'Writing')} {place}"
        return f"Reviewing {place}" if self._progress.review else f"Revising {place}"

    # --- the team ---

    def _team(self) -> GraphFlow:
        maker = self._member(self._work.maker, self._work.shape)
        critic = self._member("critic", VerdictShape)
        desk, publisher = Desk(maker.name, self._work.read, self._progress), Publisher()
        graph = DiGraphBuilder()
        for member in (maker, desk, critic, publisher):
            graph.add_node(member)
        members: list[ChatAgent] = [maker, desk, critic, publisher]
        progress = self._progress
        if self._work.research:
            members += self._led_by_research(graph, maker, self._work.research)
        else:
            graph.set_entry_point(maker)
        graph.add_edge(maker, desk)
        graph.add_edge(desk, maker, lambda _: progress.again, "mend", "any")
        graph.add_edge(desk, critic, lambda _: progress.review)
        graph.add_edge(desk, publisher, lambda _: progress.over, "done", "any")
        graph.add_edge(critic, maker, lambda message: not verdict(message), "mend", "any")
        graph.add_edge(critic, publisher, verdict, "done", "any")
        shapes = (self._work.shape, FindingsShape, VerdictShape)
        return GraphFlow(
            members,
            graph=graph.build(),
            max_turns=MOST_TURNS,
            custom_message_types=[StructuredMessage[shape] for shape in shapes],  # type: ignore[valid-type]
        )

    def _led_by_research(self, graph: DiGraphBuilder, maker: ChatAgent, research: Research) -> list[ChatAgent]:
        async def search_sources(query: str) -> str:
            """Search the course's own documents for passages about the query."""
            return research.search(query)

        tool = FunctionTool(search_sources, description="Search the course's own documents.", strict=True)
        researcher = AssistantAgent(
            "researcher",
            AgentClient("researcher", self._recorder),
            tools=[tool],
            system_message=instructions("researcher", self._brief, rules=self._work.rules),
            output_content_type=FindingsShape,
            max_tool_iterations=SEARCHES,
        )
        librarian = Librarian(research.fetch, self._progress)
        graph.add_node(researcher)
        graph.add_node(librarian)
        graph.add_edge(researcher, librarian)
        graph.add_edge(librarian, maker)
        return [researcher, librarian]

    def _member(self, name: str, shape: type[Shape]) -> AssistantAgent:
        work = self._work
        prompt = work.prompt if name == work.maker else ""
        return AssistantAgent(
            name,
            AgentClient(name, self._recorder),
            system_message=instructions(name, self._brief, maker=work.maker, prompt=prompt, rules=work.rules),
            output_content_type=shape,
        )


def _close(loop: asyncio.AbstractEventLoop) -> None:
    """End what a cancelled team left behind, without waiting for what does not end."""
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.wait(left, timeout=1.0))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()
