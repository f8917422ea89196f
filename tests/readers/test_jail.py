"""The jail: a document costs at most its limits, and a reader that dies is a refused file."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from service.errors import BadInput, Broken
from service.readers import jail
from service.readers.jail import read_document, read_documents
from service.readers.limits import Limits
from service.readers.reading import read_in_process

CONFINED = "from service.readers.__main__ import confine; from service.readers.limits import Limits; "


@pytest.fixture
def lesson(tmp_path: Path) -> Path:
    path = tmp_path / "rope.md"
    path.write_text("# Rope\n\nA **rope** is many strands.\n\n## Care\n\n- Dry it – مرحبا 👩‍🔬.\n")
    return path


def child_runs(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jail, "_command", lambda *_: [sys.executable, "-c", code])


def test_the_child_gives_the_same_source_as_reading_in_process(lesson: Path) -> None:
    assert read_document(lesson, "rope.md") == read_in_process(lesson, "rope.md")


def test_a_refusal_comes_through_as_it_was_said(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"whatever")
    with pytest.raises(BadInput, match=r"^“a\.bin” is of a kind that cannot be read\."):
        read_document(path, "a.bin")


def test_the_child_sees_nothing_of_the_environment(lesson: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    child_runs('import json, os; print(json.dumps({"refused": " ".join(sorted(os.environ))}))', monkeypatch)
    with pytest.raises(BadInput) as seen:
        read_document(lesson, "rope.md")
    assert set(str(seen.value).split()) <= {"PYTHONUTF8", "LC_CTYPE"}


def test_a_child_that_sleeps_is_killed_at_the_deadline(lesson: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    child_runs("import time; time.sleep(60)", monkeypatch)
    started = time.monotonic()
    with pytest.raises(BadInput, match="takes too long"):
        read_document(lesson, "rope.md", Limits(wall_seconds=0.5))
    assert time.monotonic() - started < 3


def test_a_child_that_closes_its_pipes_and_stays_is_killed_too(lesson: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    child_runs("import os, time; os.close(1); os.close(2); time.sleep(60)", monkeypatch)
    started = time.monotonic()
    with pytest.raises(BadInput, match="takes too long"):
        read_document(lesson, "rope.md", Limits(wall_seconds=0.5))
    assert time.monotonic() - started < 3


def test_what_the_child_started_dies_with_it(lesson: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    note = tmp_path / "pid"
    child_runs(
        "import pathlib, subprocess, sys, time; "
        "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); "
        f"pathlib.Path({str(note)!r}).write_text(str(p.pid)); time.sleep(60)",
        monkeypatch,
    )
    with pytest.raises(BadInput, match="takes too long"):
        read_document(lesson, "rope.md", Limits(wall_seconds=1.5))
    deadline = time.monotonic() + 5
    while _alive(int(note.read_text())) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _alive(int(note.read_text()))


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_endless_work_is_stopped_by_the_processor_limit(lesson: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    child_runs(CONFINED + "confine(Limits(cpu_seconds=1))\nwhile True: pass", monkeypatch)
    started = time.monotonic()
    with pytest.raises(BadInput, match="takes too long"):
        read_document(lesson, "rope.md")
    assert time.monotonic() - started < 15


def test_endless_memory_is_stopped_by_the_memory_limit(lesson: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = CONFINED + "confine(Limits())\nkeep = []\nwhile True: keep.append(bytearray(10_000_000))"
    child_runs(code, monkeypatch)
    with pytest.raises(BadInput, match="damaged or too complicated"):
        read_document(lesson, "rope.md")


def test_endless_output_is_cut_off(lesson: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    child_runs("while True: print('x' * 100_000)", monkeypatch)
    started = time.monotonic()
    with pytest.raises(BadInput, match="far more than a document"):
        read_document(lesson, "rope.md", Limits(answer_bytes=5_000_000))
    assert time.monotonic() - started < 5


def test_endless_complaints_do_not_fill_the_memory(lesson: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    child_runs("import sys\nfor _ in range(300): sys.stderr.write('x' * 100_000)\nsys.exit(1)", monkeypatch)
    with pytest.raises(Broken):
        read_document(lesson, "rope.md")


def test_a_child_that_crashes_is_a_refused_file(lesson: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    child_runs("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", monkeypatch)
    with pytest.raises(BadInput, match="damaged or too complicated"):
        read_document(lesson, "rope.md")


def test_a_real_document_too_large_for_the_memory_limit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "large.md"
    path.write_text("| a | b |\n|---|---|\n" + "| *x* | `y` |\n" * 100_000)
    with pytest.raises(BadInput, match=r"too much memory|too complicated"):
        read_document(path, "large.md", Limits(memory_bytes=200 << 20))


def test_a_real_document_too_slow_for_the_processor_limit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "slow.md"
    path.write_text("> " * 15 + "*a **b `c` [d](e) " * 60_000)
    with pytest.raises(BadInput, match="takes too long"):
        read_document(path, "slow.md", Limits(cpu_seconds=1))


def test_documents_are_read_two_at_a_time_and_given_in_order(tmp_path: Path) -> None:
    names = ["one.md", "two.md", "bad.bin", "three.md"]
    for name in names:
        (tmp_path / name).write_text(f"Some words of {name}.\n")
    results = list(read_documents((tmp_path / name, name) for name in names))
    assert [name for name, _ in results] == names
    assert [isinstance(result, BadInput) for _, result in results] == [False, False, True, False]


def test_no_file_descriptor_leaks(lesson: Path) -> None:
    read_document(lesson, "rope.md")
    before = sum(1 for _ in Path("/proc/self/fd").iterdir())
    for _ in range(3):
        read_document(lesson, "rope.md")
    assert sum(1 for _ in Path("/proc/self/fd").iterdir()) == before


def test_a_markdown_file_is_read_in_about_half_a_second(lesson: Path) -> None:
    read_document(lesson, "rope.md")
    started = time.monotonic()
    read_document(lesson, "rope.md")
    assert time.monotonic() - started < 3  # 0.3 s on an idle machine; the tests share theirs
