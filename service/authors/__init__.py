"""Authors: evidence in, typed documents out. Only this package knows how a course is thought up."""

from __future__ import annotations

from service.errors import BadInput
from service.ports import Author


def open_author(model: str) -> Author:
    """The author named by the `LLM` setting.

    Raises:
        BadInput: there is no such author.
    """
    scheme, _, _ = model.partition(":")
    if scheme == "offline":
        from service.authors.extractive import ExtractiveAuthor

        return ExtractiveAuthor()
    raise BadInput(f"LLM={model} is not available in this version; set LLM=offline to write without a model.")
