"""An author that gives the recorded answers of a model: all of them are enough, and one too few is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.adapters.provider import judge
from service.authors import open_author
from service.authors.agents.author import AgentAuthor
from service.domain.course import Brief
from service.errors import BadInput, Broken
from service.ports import Author
from tests.authors.chat_server import Notebook, chat, model_at
from tests.authors.test_author_contract import silent
from tests.authors.texts import evidence, sourdough

CITED = evidence(sourdough())


def recorded(folder: Path, url: str) -> Author:
    return open_author("recorded:gpt-4o-mini", openai_base_url=url, judge=judge, recorded=folder)


def test_recorded_answers_give_the_same_document_and_a_missing_one_is_named(tmp_path: Path) -> None:
    notes = Notebook()
    with chat() as (server, _):
        asked = AgentAuthor(model_at(server), notes)
        plan = asked.plan(Brief(), CITED, silent)
        url = server.url
    for key, call in notes.kept.items():
        (tmp_path / f"{key}.json").write_text(call.model_dump_json(), encoding="utf-8")
    again = recorded(tmp_path, url)  # whose server is gone
    assert again.name == asked.name
    assert again.plan(Brief(), CITED, silent) == plan
    with pytest.raises(Broken, match=r"No answer to a question of the build is recorded \(calls/[0-9a-f]{64}\.json\)"):
        again.plan(Brief(audience="Somebody else"), CITED, silent)


def test_an_author_of_records_needs_their_folder() -> None:
    with pytest.raises(BadInput, match="no author"):
        open_author("recorded:gpt-4o-mini", judge=judge)
