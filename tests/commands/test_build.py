"""`coursewright build` as its user meets it: a folder that is whole or not there, and one clear line for bad input."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.__main__ import main
from service.settings import ROOT

TEXT = ROOT / "tests" / "e2e" / "sourdough.md"


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nobody's home is touched, and no key of the shell's counts."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SPEECH", "silent:")
    for name in ("OPENAI_API_KEY", "LLM", "NLI"):
        monkeypatch.delenv(name, raising=False)
    yield


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """Run the command that must refuse, and return its one line."""
    assert main(["build", *map(str, arguments)]) == 2
    said = capsys.readouterr()
    lines = said.err.strip().splitlines()
    assert len(lines) == 1, said.err
    assert not said.out
    return lines[0]


def test_texts_become_a_checked_folder_and_unusable_documents_are_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    useless = tmp_path / "form.md"
    useless.write_text("<form><input></form>\n")
    out = tmp_path / "course"
    assert main(["build", str(TEXT), str(useless), "--out", str(out), "--no-video", "--title", "Bread"]) == 0
    assert "Left out" in capsys.readouterr().err
    assert json.loads((out / "course.json").read_text())["plan"]["title"] == "Bread"
    assert list((out / "lessons").glob("01-*/lesson.md"))
    assert not list((out / "lessons").glob("*/video.mp4"))
    assert not list(tmp_path.glob(".*"))
    capsys.readouterr()
    assert main(["check", str(out)]) == 0, capsys.readouterr().out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_build_that_is_interrupted_leaves_nothing_half_written(tmp_path: Path, number: signal.Signals) -> None:
    out = tmp_path / "course"
    command = [sys.executable, "-m", "service", "build", str(TEXT), "--out", str(out)]
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path / "home"), "TMPDIR": str(tmp_path / "tmp")}
    (tmp_path / "tmp").mkdir()
    building = subprocess.Popen(
        command, cwd=ROOT, env={**environment, "SPEECH": "silent:"}, stderr=subprocess.PIPE, text=True
    )
    ends = time.monotonic() + 60
    while not (tmp_path / "home" / ".cache" / "coursewright").exists() and time.monotonic() < ends:
        time.sleep(0.05)
    time.sleep(2)
    building.send_signal(number)
    _, said = building.communicate(timeout=30)
    assert building.returncode == 130, said
    assert "Traceback" not in said
    assert not out.exists()
    assert not list((tmp_path / "tmp").glob("coursewright-build-*"))


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("missing.md", None, "does not exist"),
        ("empty.md", b"", "is empty"),
        ("noise.md", bytes(range(256)) * 40, "binary"),
        ("thin.md", b"# Bread\n\nBread is made of flour.\n", "words"),
    ],
)
def test_a_bad_document_is_one_clear_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, content: bytes | None, says: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    command = [sys.executable, "-m", "service", "build", str(path), "--out", str(tmp_path / "course")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    lines = [line for line in done.stderr.splitlines() if not line.startswith("Building:")]
    assert done.returncode == 2, done.stderr
    assert len(lines) == 1, done.stderr
    assert says in lines[0]
    assert not (tmp_path / "course").exists()


def test_bad_options_are_one_clear_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "course"
    assert "--frob" in refused(capsys, TEXT, "--out", out, "--frob")
    assert "--out" in refused(capsys, TEXT)
    assert "exists already" in refused(capsys, TEXT, "--out", tmp_path)
    assert "does not exist" in refused(capsys, TEXT, "--out", tmp_path / "nowhere" / "course")
    assert "folder" in refused(capsys, tmp_path, "--out", out)
    assert "--minutes" in refused(capsys, TEXT, "--out", out, "--minutes", "-1")
    assert "--language" in refused(capsys, TEXT, "--out", out, "--language", "klingon")
    assert "--budget-usd" in refused(capsys, TEXT, "--out", out, "--budget-usd", "-1")
    assert "--budget-usd" in refused(capsys, TEXT, "--out", out, "--budget-usd", "nan")
    assert "nothing to build from" in refused(capsys, "--out", out)
    alone = refused(capsys, "--title", "Garden trees", "--out", out)
    assert "Without a model nothing can be written about “Garden trees” alone. Name a document" in alone
    assert "needs documents" in refused(capsys, "--title", "Garden trees", "--outline", TEXT, "--out", out)
    assert not out.exists()


def test_an_unknown_command_is_one_clear_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bild"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
