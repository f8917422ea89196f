"""The record of every answer that a model gave: kept before it is used, so that what was paid for is asked only once.

A record is named by all that its answer depends on: model, parameters, messages and the shape of the answer. Whoever
continues a killed job walks the same path over the records and pays for nothing but the call that was under way.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict

from service.errors import Broken, NotFound
from service.ports import StorageService

# What goes with every question that is not to be answered in another way than before: the likeliest words, one lot.
TEMPERATURE, SEED = 0.0, 7


class Call(BaseModel):
    """One answered call. `id` is the provider's name for it, `payer` who paid: nobody else is charged for it again."""

    model_config = ConfigDict(frozen=True)

    id: str
    payer: str = ""
    model: str = ""
    content: str = ""
    tools: tuple[tuple[str, str, str], ...] = ()  # id, name, arguments of each tool that the model wants called
    finish: str = "stop"
    refusal: str = ""
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0


class Calls(Protocol):
    """Where records are kept."""

    def find(self, key: str) -> Call | None: ...

    def keep(self, key: str, call: Call) -> Call:
        """Keep the record and return the one that is kept: the first, when two workers asked the same."""
        ...

    def forget(self, key: str) -> None: ...


class StoredCalls:
    """Records as objects `calls/<sha256>.json` of the storage."""

    def __init__(self, storage: StorageService) -> None:
        self._storage = storage

    def find(self, key: str) -> Call | None:
        """The record; None when nothing was asked yet. Raises Unavailable."""
        try:
            return Call.model_validate_json(self._storage.get(stored_name(key)))
        except NotFound:
            return None

    def keep(self, key: str, call: Call) -> Call:
        """Keep the record. Raises Unavailable."""
        new = self._storage.put(stored_name(key), call.model_dump_json().encode(), "application/json")
        return call if new else self.find(key) or call

    def forget(self, key: str) -> None:
        """Let the same question be asked anew. Raises Unavailable."""
        self._storage.delete(stored_name(key))


class RecordedCalls:
    """The records of an earlier build, in a folder: every question must be answered there, none is asked."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, key: str) -> Call | None:
        """The record. Raises Broken where there is none."""
        try:
            return Call.model_validate_json((self._folder / f"{key}.json").read_bytes())
        except FileNotFoundError as error:
            raise Broken(
                f"No answer to a question of the build is recorded (calls/{key}.json), so it asks something else than "
                "the one that was recorded. Build without --locked to ask the model."
            ) from error

    def keep(self, key: str, call: Call) -> Call:  # noqa: ARG002 - nothing new is ever answered
        """Nothing happens."""
        return call

    def forget(self, key: str) -> None:
        """Nothing happens."""


def key_of(request: Mapping[str, Any]) -> str:
    """The name of a record: the hash of the request."""
    return hashlib.sha256(json.dumps(request, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def stored_name(key: str) -> str:
    """Where the storage keeps a record."""
    return f"calls/{key}.json"
