"""Do inputs fit the provider? Mocks take anything; the SDK's own input types say what each key is and what it holds.

What the real provider checks beyond types (allowed words, one of several, patterns) is not checked here.
"""

from __future__ import annotations

import importlib
import inspect
import typing
from collections.abc import Iterator

from pulumi import _types


def arguments_of(kind: str) -> type:
    """The SDK's arguments class of a resource kind such as `gcp:sql/user:User`."""
    _, module, name = kind.split(":")
    found: type = getattr(importlib.import_module(f"pulumi_gcp.{module.split('/')[0]}"), f"{name}Args")
    return found


def misfits(of: type, value: object, path: str) -> Iterator[str]:
    """Unknown keys, missing keys and plain values of another type, at any depth."""
    if isinstance(value, list):
        for at, item in enumerate(value):
            yield from misfits(of, item, f"{path}[{at}]")
    if isinstance(value, dict):
        names, types = _types.input_type_py_to_pulumi_names(of), _types.input_type_types(of)
        for key, item in value.items():
            if key in types:
                yield from _misfit(types[key], item, f"{path}.{key}")
            else:
                yield f"{path}.{key}: unknown to {of.__name__}"
        yield from (f"{path}: {key} is missing" for key in _required(of, names) if key not in value)


def _misfit(wanted: object, item: object, path: str) -> Iterator[str]:
    leaves = set(_flat(wanted))
    scalars = leaves & {bool, int, float, str}
    if isinstance(item, bool | int | float | str) and scalars and not _is_one_of(item, scalars):
        yield f"{path}: {item!r} is not {wanted}"
    inner = next((leaf for leaf in leaves if isinstance(leaf, type) and _types.is_input_type(leaf)), None)
    if inner is not None:
        yield from misfits(inner, item, path)


def _required(of: type, names: dict[str, str]) -> Iterator[str]:
    for name, parameter in inspect.signature(of.__init__).parameters.items():
        if parameter.kind is parameter.KEYWORD_ONLY and parameter.default is parameter.empty:
            yield names.get(name, name)


def _flat(wanted: object) -> Iterator[object]:
    inside = typing.get_args(wanted)
    if not inside:
        yield wanted
    for one in inside:
        yield from _flat(one)


def _is_one_of(value: object, scalars: set[object]) -> bool:
    """Numbers cross the wire as one type, so 1 is as good as 1.0; a number is never a string or a yes."""
    return type(value) in scalars or (type(value) in (int, float) and bool(scalars & {int, float}))
