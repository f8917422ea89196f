"""Authors: evidence in, typed documents out. Only this package knows how a course is thought up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pydantic import SecretStr

from service.authors.agents.work import Guard, unguarded
from service.errors import BadInput, CoursewrightError
from service.ports import Author, StorageService

HOW = "Use offline, or openai:MODEL with OPENAI_API_KEY."
NO_KEY = SecretStr("none")  # the client library wants one, though nothing is sent


def open_author(
    model: str,
    *,
    openai_api_key: SecretStr = SecretStr(""),  # noqa: B008 - immutable
    openai_base_url: str = "",
    storage: StorageService | None = None,
    judge: Callable[[str, Exception], CoursewrightError] | None = None,
    recorded: Path | None = None,
    guard: Guard = unguarded,
) -> Author:
    """The author named by the `LLM` setting. One that asks a model keeps its answers in the storage; `judge` says what
    an error of the client library means, and each piece of work passes the `guard`. `recorded:MODEL` asks nobody: its
    answers lie in the folder `recorded`.

    Raises:
        BadInput: there is no such author, or it lacks its key.
    """
    scheme, _, name = model.partition(":")
    if scheme == "offline":
        from service.authors.extractive import ExtractiveAuthor

        return ExtractiveAuthor()
    if scheme == "openai" and name and storage is not None and judge is not None:
        if not openai_api_key.get_secret_value():
            raise BadInput(f"LLM={model} needs OPENAI_API_KEY. Set it, or LLM=offline to write without a model.")
        from service.authors.agents.author import AgentAuthor
        from service.authors.agents.calls import StoredCalls
        from service.authors.agents.work import ChatModel

        return AgentAuthor(ChatModel(name, openai_api_key, openai_base_url, judge), StoredCalls(storage), guard)
    if scheme == "recorded" and name and recorded is not None and judge is not None:
        from service.authors.agents.author import AgentAuthor
        from service.authors.agents.calls import RecordedCalls
        from service.authors.agents.work import ChatModel

        return AgentAuthor(ChatModel(name, NO_KEY, openai_base_url, judge), RecordedCalls(recorded))
    raise BadInput(f"There is no author {model!r}. {HOW}")
