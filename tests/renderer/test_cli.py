"""`python -m renderer_job film`: one video from one file, and one clear line for everything that cannot be used."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from renderer_job.__main__ import main
from service.settings import ROOT
from tests.renderer.boards import board, cue, scene


def storyboard(folder: Path) -> Path:
    path = folder / "storyboard.json"
    made = board(scene("section", cues=[cue("Only this.")]))
    path.write_text(made.model_dump_json(), encoding="utf-8")
    return path


def run(folder: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "renderer_job", *map(str, arguments)]
    environment = {"HOME": str(folder), "PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120
    )


def test_a_storyboard_becomes_a_film_in_an_empty_home(tmp_path: Path) -> None:
    done = run(tmp_path, "film", storyboard(tmp_path), "--out", tmp_path / "deep/out", "--voice", "silent:")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout.startswith(f"{tmp_path / 'deep/out/video.mp4'}: 0:0")
    assert len(list((tmp_path / "deep/out").iterdir())) == 6
    assert list((tmp_path / ".cache/coursewright").glob("*/*.bin"))


BROKEN = {
    "no such file": None,
    "empty": b"",
    "not JSON": b"MZ\x90\x00\x03",
    "another document": b'{"hello": "world"}',
    "no scenes": json.dumps({"lesson_id": "x", "title": "x", "scenes": []}).encode(),
    "an unknown kind": json.dumps({"lesson_id": "x", "title": "x", "scenes": [{"kind": "dance"}]}).encode(),
    "a text too long": json.dumps(
        {"lesson_id": "x", "title": "x" * 999, "scenes": [{"kind": "section", "id": "s", "cues": [{"text": "x"}]}]}
    ).encode(),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_file_that_is_no_storyboard_is_one_line_and_exit_2(
    case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "storyboard.json"
    if (body := BROKEN[case]) is not None:
        path.write_bytes(body)
    assert main(["film", str(path), "--out", str(tmp_path / "out"), "--voice", "silent:"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert str(path) in said.err
    assert not (tmp_path / "out").exists()


def refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], *more: str) -> str:
    assert main(["film", str(storyboard(tmp_path)), *more]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    return said.err


def test_a_folder_is_no_storyboard(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["film", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_an_out_that_exists_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = refused(tmp_path, capsys, "--out", str(tmp_path), "--voice", "silent:")
    assert "exists already" in said


def test_an_unknown_voice_is_refused_with_the_ones_there_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = refused(tmp_path, capsys, "--out", str(tmp_path / "out"), "--voice", "opera:")
    assert "piper:" in said
    assert not (tmp_path / "out").exists()


def test_an_out_below_a_file_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    below = storyboard(tmp_path) / "out"
    cache = str(tmp_path / "cache")
    said = refused(tmp_path, capsys, "--out", str(below), "--cache", cache, "--voice", "silent:")
    assert "Choose a folder" in said


def test_a_cache_that_cannot_be_written_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cache = str(storyboard(tmp_path))
    refused(tmp_path, capsys, "--out", str(tmp_path / "out"), "--cache", cache, "--voice", "silent:")
    assert not (tmp_path / "out").exists()


def test_an_unknown_option_is_exit_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["film", "x.json", "--out", "y", "--sparkle"])
    assert ended.value.code == 2
    assert "--sparkle" in capsys.readouterr().err
