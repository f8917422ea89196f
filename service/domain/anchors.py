"""Every cite of a document, moved: a cite may stand anywhere in it, and everything else must stay what it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from pydantic import BaseModel

from service.domain.source import Cite

Anchored = TypeVar("Anchored", bound=BaseModel)


def moved(document: Anchored, move: Callable[[Cite], Cite]) -> Anchored:
    """The document with every cite as `move` gives it; the document itself when none is another."""
    return _moved(document, move)  # type: ignore[no-any-return]


def cites_in(value: Any) -> Iterator[Cite]:
    """Every cite that a document holds, wherever it stands."""
    if isinstance(value, Cite):
        yield value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from cites_in(getattr(value, name))
    elif isinstance(value, tuple | list):
        for part in value:
            yield from cites_in(part)


def _moved(value: Any, move: Callable[[Cite], Cite]) -> Any:
    if isinstance(value, Cite):
        return move(value)
    if isinstance(value, BaseModel):
        return _model(value, move)
    if isinstance(value, tuple):
        parts = tuple(_moved(part, move) for part in value)
        return value if all(one is other for one, other in zip(parts, value, strict=True)) else parts
    return value


def _model(model: BaseModel, move: Callable[[Cite], Cite]) -> BaseModel:
    fields = {name: getattr(model, name) for name in type(model).model_fields}
    made = {name: _moved(value, move) for name, value in fields.items()}
    changed = {name: value for name, value in made.items() if value is not fields[name]}
    return model.model_copy(update=changed) if changed else model
