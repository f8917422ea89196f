"""`build --locked` and `--budget-usd`: the same course again in another process, and not a dollar too much."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from service.__main__ import main
from service.domain.course_folder import CourseLock
from service.errors import BadInput
from service.pipeline.locked import check_fit
from service.ports import Services
from service.settings import ROOT
from tests.adapters.openai_server import ScriptedOpenAI
from tests.authors.chat_server import chat

TEXT = ROOT / "tests" / "e2e" / "sourdough.md"


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def build(home: Path, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, in an environment that holds nothing but what is given."""
    plain = {"PATH": os.environ["PATH"], "HOME": str(home), "SPEECH": "silent:", **environment}
    command = [sys.executable, "-m", "service", "build", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, env=plain, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course by the author without a model."""
    place = tmp_path_factory.mktemp("built")
    source = place / "Bread.md"
    shutil.copyfile(TEXT, source)
    done = build(place, source, "--out", place / "course", "--no-video", "--audience", "Bakers at home")
    assert done.returncode == 0, done.stderr
    return place / "course"


@pytest.fixture
def mine(built: Path, tmp_path: Path) -> Path:
    """A copy to break."""
    return Path(shutil.copytree(built, tmp_path / "mine"))


def held(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "course.lock").read_text(encoding="utf-8")))


def change(folder: Path, **fields: Any) -> None:
    (folder / "course.lock").write_text(json.dumps(held(folder) | fields), encoding="utf-8")


def refused(capsys: pytest.CaptureFixture[str], lock: Path, *arguments: object) -> str:
    """What a locked build says that refuses before anything is made."""
    out = lock.parent / "never"
    assert main(["build", "--locked", str(lock), "--out", str(out), *map(str, arguments)]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1, lines
    assert not out.exists()
    return lines[0]


def test_a_locked_build_elsewhere_gives_every_byte_again(built: Path, tmp_path: Path) -> None:
    out = tmp_path / "again"
    elsewhere = {"PYTHONHASHSEED": "77", "LC_ALL": "C", "TZ": "Pacific/Auckland", "LLM": "openai:gpt-4o-mini"}
    done = build(tmp_path / "home", "--locked", built, "--out", out, **elsewhere)
    assert done.returncode == 0, done.stderr
    assert "identical, 6 documents compared" in done.stderr
    assert tree(out) == tree(built)


def test_other_packages_may_be_allowed_and_a_document_that_comes_out_differently_is_named(
    mine: Path, tmp_path: Path
) -> None:
    lock = held(mine)
    documents = {**lock["documents"], "lessons/01-sourdough/quiz.json": "0" * 64}
    change(mine, packages={**lock["packages"], "pillow": "1.0"}, documents=documents)
    done = build(tmp_path, "--locked", mine, "--out", tmp_path / "again", "--allow-drift")
    assert done.returncode == 1
    assert "Not as in the lock: pillow is" in done.stderr
    assert "lessons/01-sourdough/quiz.json is not byte for byte the lock's" in done.stderr.splitlines()[-1]
    assert (tmp_path / "again" / "course.json").is_file()


def test_other_sources_are_refused_by_name(built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changed, other = tmp_path / "Bread.md", tmp_path / "other.md"
    changed.write_text(TEXT.read_text(encoding="utf-8") + "\nSalt slows the yeast.\n", encoding="utf-8")
    other.write_text("# Other\n\nSomething else is said in this document.\n", encoding="utf-8")
    assert "Bread.md has changed (sha256 " in refused(capsys, built, changed)
    assert "other.md is not among its inputs" in refused(capsys, built / "course.lock", TEXT, other)
    said = refused(capsys, built, other)
    assert "Bread.md (sha256 " in said
    assert "is missing; other.md is not" in said


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"edited": ["“Sourdough” is not as extractive made it"]}, "“Sourdough” is not as extractive made it"),
        ({"version": 1}, "before courses could be built again"),
        ({"inputs": "none"}, "not a lock"),
    ],
)
def test_a_lock_that_nobody_can_build_says_why(
    mine: Path, capsys: pytest.CaptureFixture[str], fields: dict[str, Any], says: str
) -> None:
    change(mine, **fields)
    assert says in refused(capsys, mine)


def test_an_input_that_was_tampered_with_is_not_the_locks(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = next((mine / "inputs").iterdir())
    kept.write_bytes(kept.read_bytes() + b"\nMore.\n")
    assert "Bread.md has changed" in refused(capsys, mine)
    assert "--title stands in the lock" in refused(capsys, mine, "--title", "Bread")


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"author": "extractive 2"}, "the author is extractive, the lock's is extractive 2"),
        ({"second_opinion": True}, "set NLI as then"),
        ({"python": "3.9"}, "the lock's is 3.9. Install what it names"),
        ({"video": True, "voice": "piper"}, "the voice is silent, the lock's is piper"),
        ({"packages": {}}, "lock's is none"),
    ],
)
def test_what_is_not_as_in_the_lock_is_named(built: Path, fields: dict[str, Any], says: str) -> None:
    parts = {"author": SimpleNamespace(name="extractive"), "speech": SimpleNamespace(voice="silent")}
    services = cast(Services, SimpleNamespace(**parts, contradiction=None))
    lock = CourseLock.model_validate(held(built))
    assert not check_fit(lock, services, allow_drift=False)
    with pytest.raises(BadInput, match=says):
        check_fit(lock.model_copy(update=fields), services, allow_drift=False)


# --- with a model ---


@pytest.fixture
def server() -> Iterator[ScriptedOpenAI]:
    with chat() as (server, _):
        yield server


def test_a_model_is_paid_up_to_the_cap_then_for_the_rest_and_never_again(
    server: ScriptedOpenAI, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, again = tmp_path / "course", tmp_path / "again"
    keyed = {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": server.url}
    arguments = TEXT, "--out", out, "--no-video", "--budget-usd"
    done = build(tmp_path, *arguments, "0.0095", **keyed)  # an answer may cost 0.0072, and reading
    assert done.returncode == 2, done.stderr
    told = done.stderr.splitlines()[-1]
    assert "The budget of $0.0095 ends here: $0.00" in told
    least = re.search(r"is spent, and the next call needs a budget of \$(0\.0\d) or more, so", told)
    assert least and float(least[1]) > 0.0095, told
    assert [path.name for path in tmp_path.iterdir()] == [".cache"]
    first = server.calls()

    done = build(tmp_path, *arguments, "1", **keyed)
    assert done.returncode == 0, done.stderr
    bodies = [json.dumps(body, sort_keys=True) for body in server.bodies()]
    assert 1 <= first < len(bodies)
    assert len(bodies) == len(set(bodies)), "a question was paid for twice"

    done = build(tmp_path / "nobody", "--locked", out, "--out", again)
    assert done.returncode == 0, done.stderr
    assert server.calls() == len(bodies)
    assert tree(again) == tree(out)
    assert len(held(out)["calls"]) == len(bodies)
    _refuses_other_answers(out, capsys)


def test_a_title_alone_is_built_by_a_model_unsourced_and_again_from_its_lock(
    server: ScriptedOpenAI, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, again = tmp_path / "course", tmp_path / "again"
    keyed = {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": server.url}
    done = build(tmp_path, "--title", "Garden trees", "--out", out, "--no-video", **keyed)
    assert done.returncode == 0, done.stderr
    assert held(out)["inputs"] == []
    assert held(out)["brief"]["title"] == "Garden trees"
    calls = server.calls()

    assert main(["check", str(out)]) == 1, "what has no source is not published before somebody signs for it"
    assert "unsupported" in capsys.readouterr().out

    done = build(tmp_path / "nobody", "--locked", out, "--out", again)
    assert done.returncode == 0, done.stderr
    assert server.calls() == calls
    assert tree(again) == tree(out)


def _refuses_other_answers(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = sorted(held(course)["calls"])[0]
    answer = (course / name).read_bytes()
    (course / name).write_bytes(answer[:-1] + b" ")
    assert f"{name} is not the answer that was recorded" in refused(capsys, course)
    (course / name).unlink()
    assert f"{name} is missing" in refused(capsys, course)
