"""`coursewright quote`: the price of documents on the terminal and as JSON, with nothing asked and nothing begun."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from service.__main__ import main
from tests.authors.chat_server import chat

TEXT = "# Knots\n\n" + "\n\n".join(
    f"## Part {n}\n\nA bowline makes a loop that does not slip, and it holds load number {n}. Tie it with the end." * 3
    for n in range(8)
)


@pytest.fixture
def document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in {"LLM": "offline", "SPEECH": "silent:", "EMBEDDINGS": "none:", "OPENAI_API_KEY": ""}.items():
        monkeypatch.setenv(name, value)
    path = tmp_path / "knots.md"
    path.write_text(TEXT)
    return path


def priced(document: Path, capsys: pytest.CaptureFixture[str], *more: str) -> dict[str, Any]:
    assert main(["quote", str(document), "--json", *more]) == 0
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def test_offline_it_is_free_and_says_what_it_takes(document: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = priced(document, capsys)
    assert found["micro_dollars"] == {"low": 0, "likely": 0, "high": 0}
    assert found["quote"]["render_seconds"]["likely"] > 0
    assert main(["quote", str(document)]) == 0
    assert "Free" in capsys.readouterr().out


def test_with_a_model_it_costs_something_and_asks_nobody(
    document: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with chat() as (server, _):
        monkeypatch.setenv("LLM", "openai:gpt-4o-mini")
        monkeypatch.setenv("OPENAI_API_KEY", "k")
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("SPEECH", "openai:gpt-4o-mini-tts")
        whole, texts = priced(document, capsys), priced(document, capsys, "--no-video")
        assert server.calls() == 0
    assert 0 < whole["micro_dollars"]["low"] < whole["micro_dollars"]["likely"] < whole["micro_dollars"]["high"]
    assert texts["micro_dollars"]["high"] < whole["micro_dollars"]["high"]
    assert {line["what"].split(" (")[0] for line in texts["quote"]["lines"]} >= {
        "read by the agents",
        "written by the agents",
    }


@pytest.mark.parametrize(("more", "says"), [(["--minutes", "-1"], "--minutes"), (["gone.md"], "gone.md")])
def test_what_cannot_be_priced_is_refused_in_one_line(
    document: Path, capsys: pytest.CaptureFixture[str], more: list[str], says: str
) -> None:
    assert main(["quote", str(document), *more]) == 2
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1
