"""How the agents reach a chat model: each call recorded, priced, bounded in time and tries, its answer checked.

AutoGen's agents talk to an `AgentClient`; behind all of one piece of work's clients stands one `Recorder`. An answer
that is cut, refused or of the wrong shape is asked again at most twice, with what was wrong about it; an endpoint that
fails is tried again a few times and then named in our own errors. AutoGen turns what an agent raises into text, so the
first error is kept in `Recorder.fault` for whoever runs the team.
"""

from __future__ import annotations

import asyncio
import json
import random
import uuid
import zlib
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import openai
from autogen_core import CancellationToken, FunctionCall
from autogen_core.models import (
    AssistantMessage,
    ChatCompletionClient,
    CreateResult,
    LLMMessage,
    ModelFamily,
    ModelInfo,
    RequestUsage,
    UserMessage,
)
from autogen_core.tools import Tool, ToolSchema
from autogen_ext.models.openai import OpenAIChatCompletionClient
from pydantic import BaseModel, ValidationError

from service.authors.agents.calls import SEED, TEMPERATURE, Call, Calls, key_of
from service.authors.agents.work import ChatModel
from service.domain.money import chat_micro_dollars, chat_spending
from service.errors import Broken, CoursewrightError, Throttled, Unavailable
from service.ports import Till
from service.traces import count_tokens, model_call

ASKED_AGAIN = 2
VARIED = 0.7  # temperature when somebody asks for another way to say the same
WHO = "The language model"
# What a server that is none, or a proxy in its place, makes the client library stumble over.
ODD = (AttributeError, KeyError, IndexError, TypeError, json.JSONDecodeError, ValidationError)
INFO = ModelInfo(
    vision=False,
    function_calling=True,
    json_output=True,
    structured_output=True,
    family=ModelFamily.UNKNOWN,
    multiple_system_messages=False,
)


@dataclass(frozen=True)
class Question:
    """What one agent asks the model: the talk so far, the tools it may call, the shape that the answer must have."""

    agent: str
    messages: tuple[LLMMessage, ...]
    tools: Sequence[Tool | ToolSchema] = ()
    choice: Any = "auto"
    shape: type[BaseModel] | None = None
    token: CancellationToken | None = None

    def corrected(self, call: Call, fault: str) -> Question:
        """The same question after an answer that cannot be used, with what was wrong about it."""
        answer = AssistantMessage(content=call.content[:2000] or "(nothing)", source=self.agent)
        reply = UserMessage(content=f"This answer cannot be used: {fault} Answer again, whole.", source="editor")
        return replace(self, messages=(*self.messages, answer, reply))


@dataclass
class Recorder:
    """The calls of one piece of work. `variation` asks for another answer than others get to the same question."""

    model: ChatModel
    calls: Calls
    till: Till
    prompts: str
    variation: str = ""
    fault: CoursewrightError | None = None
    keys: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._raw: dict[str, Any] = {}
        self._turn = asyncio.Lock()
        http = openai.DefaultAsyncHttpxClient(event_hooks={"response": [self._heard]})
        self._http = http
        options: Any = {
            "model": self.model.name,
            "api_key": self.model.api_key.get_secret_value(),
            "base_url": self.model.base_url,
            "http_client": http,
            "max_retries": 0,
            "timeout": self.model.one_try,
            "model_info": INFO,
            "include_name_in_message": False,
        }
        self._client = OpenAIChatCompletionClient(**options)

    async def _heard(self, response: Any) -> None:
        """Keep the whole answer: AutoGen's result lacks refusals and cached tokens."""
        await response.aread()
        self._raw = response.json() if response.is_success else {}

    async def answer(self, question: Question) -> CreateResult:
        """An answer that has the shape.

        Raises:
            Broken: three answers did not, or the provider refuses the question.
            Unavailable, Throttled, Paused: the provider does not answer now; nothing was lost.
        """
        try:
            async with self._turn:
                return await self._in_shape(question)
        except CoursewrightError as error:
            self.fault = self.fault or error
            raise

    async def _in_shape(self, question: Question) -> CreateResult:
        fault, first = "", len(self.keys)
        for _ in range(ASKED_AGAIN + 1):
            call = await self._recorded(question)
            fault = "" if call.tools and question.tools else _fault(call, question.shape)
            if not fault:
                return _result(call)
            question = question.corrected(call, fault)
        self.forget(first)
        raise Broken(f"The model {self.model.name} gave no usable answer: {fault} Try again, or choose another model.")

    async def _recorded(self, question: Question) -> Call:
        """The call's record: from the store, or made now. Only who paid is charged, and once."""
        args = _arguments(self.model, question.shape, self.variation)
        request = {
            "model": self.model.name,
            "endpoint": self.model.base_url,
            "prompts": self.prompts,
            "messages": [message.model_dump(mode="json") for message in question.messages],
            "tools": [tool if isinstance(tool, dict) else tool.schema for tool in question.tools],
            "choice": str(question.choice),
            **args,
        }
        key = key_of(request)
        self.keys.append(key)
        call = self.calls.find(key)
        if call is None:
            self.till.may_spend(self._most(request))
            call = await self._asked(question, args)
            call = self.calls.keep(key, call.model_copy(update={"payer": self.till.payer}))
        self.till.used(key)
        if call.payer == self.till.payer:
            who, tokens = f"{question.agent} ({self.model.name})", (call.input_tokens, call.cached_tokens)
            self.till.book(f"call:{call.id}", *chat_spending(who, self.model.name, *tokens, call.output_tokens))
        return call

    def _most(self, request: Mapping[str, Any]) -> int:
        """What the call can cost at the most: no token is shorter than a byte, and the answer has a longest length."""
        read = len(json.dumps(request, ensure_ascii=False).encode())
        return chat_micro_dollars(self.model.name, read, 0, self.model.most_tokens)

    async def _asked(self, question: Question, args: Mapping[str, Any]) -> Call:
        for failures in range(1, self.model.tries + 1):
            try:
                with model_call("openai", "chat", self.model.name) as span:
                    call = await asyncio.wait_for(self._once(question, args), self.model.one_try)
                    count_tokens(span, input_tokens=call.input_tokens, output_tokens=call.output_tokens)
                    return call
            except (openai.OpenAIError, TimeoutError, Unavailable, *ODD) as error:
                judged = self._judged(error)
                pause = self._pause(judged, failures)
                if not judged.retryable or failures == self.model.tries or pause > self.model.longest_pause:
                    raise judged from error
            rest = asyncio.ensure_future(asyncio.sleep(pause))
            await (question.token.link_future(rest) if question.token else rest)
        raise AssertionError("tries is at least 1")

    async def _once(self, question: Question, args: Mapping[str, Any]) -> Call:
        self._raw = {}
        await self._client.create(
            question.messages,
            tools=question.tools,
            tool_choice=question.choice,
            extra_create_args=args,
            cancellation_token=question.token,
        )
        choice, usage = self._raw["choices"][0], self._raw.get("usage") or {}
        message = choice["message"]
        return Call(
            id=uuid.uuid4().hex,
            model=self._raw.get("model") or self.model.name,
            content=message.get("content") or "",
            tools=tuple(
                (call["id"], call["function"]["name"], call["function"]["arguments"])
                for call in message.get("tool_calls") or ()
            ),
            finish=choice.get("finish_reason") or "stop",
            refusal=message.get("refusal") or "",
            input_tokens=usage.get("prompt_tokens") or 0,
            cached_tokens=(usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0,
            output_tokens=usage.get("completion_tokens") or 0,
        )

    def _judged(self, error: Exception) -> CoursewrightError:
        if isinstance(error, CoursewrightError):
            return error
        if isinstance(error, ODD):
            return Unavailable(f"{WHO} answered with something that is no answer. Check OPENAI_BASE_URL, or try later.")
        return self.model.judge(WHO, error)

    def _pause(self, judged: CoursewrightError, failures: int) -> float:
        """As long as the provider asks, else with full jitter (Brooker, AWS 2015)."""
        asked = judged.after_seconds if isinstance(judged, Throttled) else None
        if asked is not None:
            return asked
        most = min(self.model.longest_pause, self.model.first_pause * 2 ** (failures - 1))
        return random.uniform(0, most)  # noqa: S311 - spreads load only

    def forget(self, first: int = 0) -> None:
        """Let these questions be asked anew, from the first one on: answers that could not be used must not come back,
        or trying again would fail for ever in the same way."""
        for key in self.keys[first:]:
            self.calls.forget(key)

    async def close(self) -> None:
        await self._http.aclose()


class AgentClient(ChatCompletionClient):
    """AutoGen's door to the recorder, one for each agent."""

    component_type = "model"

    def __init__(self, agent: str, recorder: Recorder) -> None:
        self._agent, self._recorder = agent, recorder
        self._used = RequestUsage(prompt_tokens=0, completion_tokens=0)

    async def create(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = (),
        tool_choice: Any = "auto",
        json_output: bool | type[BaseModel] | None = None,
        extra_create_args: Mapping[str, Any] = {},  # noqa: ARG002 - part of AutoGen's interface
        cancellation_token: CancellationToken | None = None,
    ) -> CreateResult:
        """One answer; see `Recorder.answer`."""
        shape = json_output if isinstance(json_output, type) else None
        wanted = tools if tool_choice != "none" else ()
        question = Question(self._agent, tuple(messages), wanted, tool_choice, shape, cancellation_token)
        result = await self._recorder.answer(question)
        self._used = RequestUsage(
            prompt_tokens=self._used.prompt_tokens + result.usage.prompt_tokens,
            completion_tokens=self._used.completion_tokens + result.usage.completion_tokens,
        )
        return result

    async def create_stream(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = (),
        tool_choice: Any = "auto",
        json_output: bool | type[BaseModel] | None = None,
        extra_create_args: Mapping[str, Any] = {},
        cancellation_token: CancellationToken | None = None,
    ) -> AsyncGenerator[str | CreateResult, None]:
        """The answer in one piece: a record has no halves."""
        yield await self.create(
            messages,
            tools=tools,
            tool_choice=tool_choice,
            json_output=json_output,
            extra_create_args=extra_create_args,
            cancellation_token=cancellation_token,
        )

    async def close(self) -> None:
        """The recorder closes the connection."""

    def actual_usage(self) -> RequestUsage:
        return self._used

    def total_usage(self) -> RequestUsage:
        return self._used

    def count_tokens(self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = ()) -> int:  # noqa: ARG002
        """About four characters to a token: the exact count needs a file that tiktoken would download."""
        return sum(len(str(message.content)) // 4 + 4 for message in messages)

    def remaining_tokens(self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = ()) -> int:
        return 128_000 - self.count_tokens(messages, tools=tools)

    @property
    def capabilities(self) -> ModelInfo:
        return INFO

    @property
    def model_info(self) -> ModelInfo:
        return INFO


def _arguments(model: ChatModel, shape: type[BaseModel] | None, variation: str) -> dict[str, Any]:
    """What goes with the messages. The plain endpoint, because the library's parser drops answers it cannot read."""
    lot = zlib.crc32(variation.encode()) if variation else SEED
    args: dict[str, Any] = {
        "temperature": VARIED if variation else TEMPERATURE,
        "seed": lot & 0x7FFFFFFF,
        "max_tokens": model.most_tokens,
    }
    if shape is not None:
        schema = {"name": shape.__name__, "strict": True, "schema": shape.model_json_schema()}
        args["response_format"] = {"type": "json_schema", "json_schema": schema}
    return args


def _fault(call: Call, shape: type[BaseModel] | None) -> str:
    """What is wrong with an answer, '' for nothing."""
    if call.refusal:
        return f"it was refused (“{call.refusal[:120]}”)."
    if call.finish == "content_filter":
        return "the provider's filter held it back."
    if call.finish == "length":
        return "it was cut off; answer more briefly."
    if not call.content.strip():
        return "it is empty."
    if shape is None:
        return ""
    try:
        shape.model_validate_json(call.content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the whole"
        return f"{place}: {first['msg']}."
    return ""


def _result(call: Call) -> CreateResult:
    wanted = [FunctionCall(id=one, name=name, arguments=arguments) for one, name, arguments in call.tools]
    return CreateResult(
        finish_reason="function_calls" if wanted else "stop",
        content=wanted or call.content,
        usage=RequestUsage(prompt_tokens=call.input_tokens, completion_tokens=call.output_tokens),
        cached=False,
    )
