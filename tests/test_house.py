"""The laws of the house, executable: sizes, docstrings, directions of import, one reader of the environment."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.settings import ROOT, Settings

PACKAGES = ("service", "renderer_job", "infra", "migrations")
MODULE_LINES, FUNCTION_LINES, SHORT_LINES, SHORT_SHARE = 400, 60, 30, 0.95
VAGUE = {"utils", "util", "helpers", "helper", "common", "manager", "base", "misc"}
# A schema is read as one list: its tables, and the migration that first made them.
WHOLE_LISTS = {"service/db/tables.py", "migrations/versions/2026_11_23_first_schema.py"}
OUTER_LOOPS = {"service/db/lane.py", "service/web/app.py", "service/web/errors.py"}


def modules() -> list[Path]:
    return sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def functions() -> Iterator[tuple[str, int]]:
    """Every function with its length in lines, without its docstring."""
    for path in modules():
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                if ast.get_docstring(node) is not None:
                    first = node.body[0]
                    length -= (first.end_lineno or 0) - first.lineno + 1
                yield f"{relative(path)}:{node.lineno} {node.name}", length


def test_modules_stay_small() -> None:
    lengths = {relative(path): len(path.read_text().splitlines()) for path in modules()}
    assert not {name: n for name, n in lengths.items() if n > MODULE_LINES and name not in WHOLE_LISTS}


def test_functions_stay_small() -> None:
    lengths = dict(functions())
    assert not {name: n for name, n in lengths.items() if n > FUNCTION_LINES}
    short = sum(n <= SHORT_LINES for n in lengths.values()) / len(lengths)
    assert short >= SHORT_SHARE, f"only {short:.1%} of {len(lengths)} functions are within {SHORT_LINES} lines"


def test_every_module_says_why_it_exists() -> None:
    silent = [relative(path) for path in modules() if path.read_text().strip() and not ast.get_docstring(parsed(path))]
    assert not silent


def test_names_say_what_a_file_is_for() -> None:
    assert not [relative(path) for path in modules() if path.stem in VAGUE]


def test_only_the_outer_loops_catch_everything() -> None:
    found = []
    for path in modules():
        for node in ast.walk(parsed(path)):
            # A handler that ends by raising again only tidies up.
            if isinstance(node, ast.ExceptHandler) and not isinstance(node.body[-1], ast.Raise):
                names = {n.id for n in ast.walk(node.type) if isinstance(n, ast.Name)} if node.type else {"Exception"}
                if names & {"Exception", "BaseException"} and relative(path) not in OUTER_LOOPS:
                    found.append(f"{relative(path)}:{node.lineno}")
    assert not found


def test_only_settings_reads_the_environment() -> None:
    found = [
        f"{relative(path)}:{node.lineno}"
        for path in modules()
        if relative(path) != "service/settings.py"
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv")
        if isinstance(node.value, ast.Name) and node.value.id == "os"
    ]
    assert not found


def test_the_tools_agree() -> None:
    """Lint and the directions of import; types are the slowest and stand in their own test."""
    for command in (["ruff", "check", "."], ["ruff", "format", "--check", "."], ["lint-imports", "--no-cache"]):
        tool = Path(sys.executable).parent / command[0]
        done = subprocess.run([tool, *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_types_hold() -> None:
    tool = Path(sys.executable).parent / "mypy"
    done = subprocess.run([tool], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def loaded_by(module: str) -> set[str]:
    code = f"import {module}, sys; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in done.stdout.split()}


def test_the_render_job_loads_no_web_framework_and_no_authors() -> None:
    assert not loaded_by("renderer_job.work") & {"fastapi", "starlette", "autogen_core", "qdrant_client", "uvicorn"}


def test_drawing_a_still_loads_no_encoder() -> None:
    assert not loaded_by("service.adapters.stills") & {"av", "moviepy", "imageio"}


@pytest.mark.parametrize("module", ["service.web.app"])
def test_the_site_starts_without_authors_renderer_and_cloud(module: str) -> None:
    heavy = {"autogen_core", "qdrant_client", "moviepy", "av", "alembic", "lemminflect", "pypdfium2"}
    assert not loaded_by(module) & heavy


def test_every_setting_is_explained() -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert not [name.upper() for name in Settings.model_fields if f"`{name.upper()}`" not in page]


def test_every_package_has_its_place_on_the_map() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    packages = {path.parent for path in modules() if path.name == "__init__.py"}
    assert not [relative(path) for path in packages if f"{relative(path)}/" not in page]


def test_the_lock_names_no_index() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        text = path.read_text(encoding="utf-8")
        assert "://" not in text
        assert "--hash=sha256:" in text
