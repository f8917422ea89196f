"""The brief is saved as it is typed, files come in one by one, and what is refused says why."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import Engine, select

from service.db.engine import session_scope
from service.db.tables import Course, CourseState, Job, Run, Source
from service.ports import Services, StorageService
from service.settings import Settings
from service.web.app import create_app
from service.web.sources import display_name
from tests.web.conftest import Browser
from tests.web.world import World

Browsers = Callable[..., tuple[Browser, uuid.UUID]]
JSON = {"Accept": "application/json"}


@pytest.fixture
def draft(browser_of: Browsers, world: World) -> tuple[Browser, uuid.UUID]:
    browser, me = browser_of()
    return browser, world.draft(me)


def patch(browser: Browser, course: uuid.UUID, version: int, **fields: Any) -> Any:
    headers = {**JSON, "X-CSRF": browser.token(), "If-Match": f'"{version}"'}
    return browser.patch(f"/courses/{course}/brief", json=fields, headers=headers)


def upload(browser: Browser, course: uuid.UUID, *files: tuple[str, bytes], script: bool = True) -> Any:
    sent = [("file", (name, body, "application/octet-stream")) for name, body in files]
    headers = JSON if script else {}
    return browser.post(f"/courses/{course}/sources", data={"csrf": browser.token()}, files=sent, headers=headers)


def row(engine: Engine, course: uuid.UUID) -> Course:
    with session_scope(engine) as session:
        found = session.get_one(Course, course)
        session.expunge(found)
        return found


def test_a_new_course_is_a_draft_at_once_and_opens_its_brief(maren: Browser, engine: Engine) -> None:
    answer = maren.submit("/courses/new")
    assert answer.status_code == 303
    page = maren.get(answer.headers["location"])
    assert page.status_code == 200
    assert "Draft the outline" in page.text
    assert "Add at least one document first" in page.text


def test_with_a_model_a_title_is_enough_and_the_page_says_what_that_means(
    settings: Settings, services: Services, world: World, engine: Engine
) -> None:
    me = world.person("maren@example.org")
    course = world.draft(me)
    given = settings.model_copy(update={"llm": "openai:gpt-4o-mini", "openai_api_key": SecretStr("k")})
    app = create_app(given, lambda _: nullcontext(services))
    with TestClient(app):
        browser = Browser(app).sign_in("maren@example.org")
        page = browser.get(f"/courses/{course}/brief").text
        assert "marked “No source”" in page
        assert 'aria-disabled="true"' not in page
        untitled = browser.submit(f"/courses/{course}/brief", title="")
        assert untitled.status_code == 422
        assert "Add a document, or name the topic in the title." in untitled.text
        assert browser.submit(f"/courses/{course}/brief", title="Garden trees").status_code == 303
    assert row(engine, course).state == CourseState.PLANNING


def test_without_a_model_a_title_is_refused_with_both_ways_out(
    draft: tuple[Browser, uuid.UUID], engine: Engine
) -> None:
    browser, course = draft
    assert "none is set up here" in browser.get(f"/courses/{course}/brief").text
    refused = browser.submit(f"/courses/{course}/brief", title="Garden trees")
    assert refused.status_code == 422
    assert "Add at least one document first" in refused.text
    assert "language model" in refused.text


def test_each_field_is_saved_and_raises_the_version(draft: tuple[Browser, uuid.UUID], engine: Engine) -> None:
    browser, course = draft
    assert patch(browser, course, 1, title="Weather").json() == {"version": 2}
    assert patch(browser, course, 2, audience="Sailors", minutes="45", level="advanced").json() == {"version": 3}
    kept = row(engine, course)
    assert (kept.title, kept.brief.audience, kept.brief.minutes, kept.brief.level) == (
        "Weather",
        "Sailors",
        45,
        "advanced",
    )
    assert patch(browser, course, 3, minutes="").status_code == 200
    assert row(engine, course).brief.minutes == 0


def test_a_stale_save_is_refused_and_shows_the_difference(draft: tuple[Browser, uuid.UUID], engine: Engine) -> None:
    browser, course = draft
    patch(browser, course, 1, title="Theirs")
    answer = patch(browser, course, 1, title="Mine", audience="")
    assert answer.status_code == 409
    assert answer.json()["current"] == {
        "version": 2,
        "differences": [{"what": "Title", "yours": "Mine", "theirs": "Theirs"}],
    }
    assert row(engine, course).title == "Theirs"
    assert patch(browser, course, 2, title="Mine").status_code == 200


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("title", "x" * 161, "at most 160 characters"),
        ("minutes", "many", "whole minutes"),
        ("minutes", "3001", "between 1 and 3000"),
        ("level", "wizard", "offered values"),
        ("language", "klingon!", "offered values"),
        ("colour", "red", "no field"),
    ],
)
def test_a_value_that_does_not_fit_says_what_fits(
    draft: tuple[Browser, uuid.UUID], engine: Engine, field: str, value: str, says: str
) -> None:
    browser, course = draft
    answer = patch(browser, course, 1, **{field: value})
    assert answer.status_code == 422
    assert says in answer.json()["error"]
    assert row(engine, course).version == 1


def test_an_upload_is_stored_queued_and_shown(
    draft: tuple[Browser, uuid.UUID], engine: Engine, storage: StorageService
) -> None:
    browser, course = draft
    assert upload(browser, course, ("notes.md", b"# Wind\n\nIt blows.")).status_code == 201
    with session_scope(engine) as session:
        source = session.scalars(select(Source)).one()
        job = session.scalars(select(Job)).one()
        assert (source.name, source.state, job.kind, job.lane, job.subject_id) == (
            "notes.md", "uploaded", "ingest", "author", source.id,
        )  # fmt: skip
        assert storage.get(source.upload_key) == b"# Wind\n\nIt blows."
    rows = browser.get(f"/courses/{course}/sources", headers=JSON)
    assert rows.json()["reading"] is True
    assert "notes.md" in rows.json()["html"]
    same = browser.get(f"/courses/{course}/sources", headers={**JSON, "If-None-Match": rows.headers["etag"]})
    assert same.status_code == 304


@pytest.mark.parametrize(
    ("name", "body", "says"),
    [
        ("empty.pdf", b"", "empty.pdf is empty"),
        ("song.mp3", b"ID3", "this kind of file cannot be read"),
        ("noname", b"x", "this kind of file cannot be read"),
    ],
)
def test_a_refused_upload_says_why_and_leaves_nothing(
    draft: tuple[Browser, uuid.UUID], engine: Engine, name: str, body: bytes, says: str
) -> None:
    browser, course = draft
    answer = upload(browser, course, (name, body))
    assert answer.status_code == 422
    assert says in answer.json()["error"]
    with session_scope(engine) as session:
        assert session.scalar(select(Source.id)) is None


def test_a_file_over_the_limit_is_refused_with_the_limit(
    settings: Any, services: Any, world: World, engine: Engine
) -> None:
    from contextlib import nullcontext

    from service.web.app import create_app

    small = settings.model_copy(update={"upload_limit_bytes": 2_000_000})
    course = world.draft(world.person("maren@example.org"))
    with Browser(create_app(small, lambda _: nullcontext(services))) as browser:
        browser.sign_in("maren@example.org")
        answer = upload(browser, course, ("big.txt", b"x" * 2_050_000))
        assert (answer.status_code, "2 MB fit" in answer.json()["error"]) == (422, True)
        answer = upload(browser, course, ("huge.txt", b"x" * 2_200_000), script=False)
        assert (answer.status_code, "A file may have 2 MB at most" in answer.text) == (413, True)
        chunked = browser.post(
            f"/courses/{course}/sources",
            content=iter([b"--b\r\n"] + [b"x" * 100_000] * 30),
            headers={"X-CSRF": browser.token(), "Content-Type": "multipart/form-data; boundary=b"},
        )
        assert chunked.status_code == 413
    with session_scope(engine) as session:
        assert session.scalar(select(Source.id)) is None


def test_one_bad_file_does_not_keep_the_good_ones_out(draft: tuple[Browser, uuid.UUID], engine: Engine) -> None:
    browser, course = draft
    answer = upload(browser, course, ("a.md", b"# A"), ("b.exe", b"MZ"), ("c.txt", b"c"), script=False)
    assert answer.status_code == 422
    assert "b.exe: this kind of file" in answer.text
    with session_scope(engine) as session:
        assert set(session.scalars(select(Source.name))) == {"a.md", "c.txt"}


def test_a_plain_form_uploads_without_a_script(draft: tuple[Browser, uuid.UUID]) -> None:
    browser, course = draft
    answer = upload(browser, course, ("a.md", b"# A"), script=False)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/courses/{course}/brief")


def test_what_was_found_and_what_was_refused_is_told_per_file(draft: tuple[Browser, uuid.UUID], world: World) -> None:
    browser, course = draft
    world.source(course, "weather.md")
    world.source(course, "scan.pdf", "refused", "These pages are pictures without text. Run OCR on the file.")
    page = browser.get(f"/courses/{course}/brief").text
    assert "212 pages" in page
    assert "These pages are pictures without text." in page
    assert "Your sources hold about" in page


def test_a_file_can_be_removed_while_nothing_was_made_from_it(
    draft: tuple[Browser, uuid.UUID], world: World, engine: Engine
) -> None:
    browser, course = draft
    source = world.source(course)
    made = world.course(row(engine, course).owner_id)
    with session_scope(engine) as session:
        used = session.scalars(select(Source.id).where(Source.course_id == made)).one()
    assert browser.submit(f"/courses/{made}/sources/{used}/remove").status_code == 422
    assert 'aria-label="Remove weather.md"' not in browser.get(f"/courses/{made}/brief").text
    assert 'aria-label="Remove weather.md"' in browser.get(f"/courses/{course}/brief").text
    unread = world.source(made, "torn.pdf", "refused", "It is damaged.")
    assert 'aria-label="Remove torn.pdf"' in browser.get(f"/courses/{made}/brief").text
    assert browser.submit(f"/courses/{made}/sources/{unread}/remove").status_code == 303
    with session_scope(engine) as session:  # as a stopped run leaves it: planned, with lessons that cite the file
        session.get_one(Course, made).state = CourseState.PLANNED
    assert browser.submit(f"/courses/{made}/sources/{used}/remove").status_code == 422
    assert browser.submit(f"/courses/{course}/sources/{used}/remove").status_code == 303
    assert browser.submit(f"/courses/{course}/sources/{source}/remove").status_code == 303
    with session_scope(engine) as session:
        assert list(session.scalars(select(Source.id))) == [used]


def test_drafting_saves_the_form_and_starts_a_run_once(
    draft: tuple[Browser, uuid.UUID], world: World, engine: Engine
) -> None:
    browser, course = draft
    world.source(course)
    for _ in range(2):
        answer = browser.submit(f"/courses/{course}/brief", title="Weather", audience="Sailors", minutes="30")
        assert answer.headers["location"] == f"/courses/{course}/generating"
    kept = row(engine, course)
    assert (kept.title, kept.state) == ("Weather", "planning")
    with session_scope(engine) as session:
        assert list(session.scalars(select(Run.kind))) == ["plan"]


@pytest.mark.parametrize(
    ("state", "says"),
    [(None, "Add at least one document first"), ("reading", "being read"), ("refused", "Add at least one document")],
)
def test_drafting_without_a_read_source_is_refused_but_the_form_is_kept(
    draft: tuple[Browser, uuid.UUID], world: World, engine: Engine, state: str | None, says: str
) -> None:
    browser, course = draft
    if state:
        world.source(course, "a.md", state)
    answer = browser.submit(f"/courses/{course}/brief", title="Kept")
    assert answer.status_code == 422
    assert says in answer.text
    assert (row(engine, course).title, row(engine, course).state) == ("Kept", "draft")


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\notes\\a.md", "a.md"),
        ("a\r\nb\x00.md", "ab.md"),
        ("", "document"),
        ("x" * 300 + ".pdf", "x" * 150 + "…" + "x" * 36 + ".pdf"),
    ],
)
def test_a_file_is_shown_by_its_own_name(given: str, shown: str) -> None:
    assert display_name(given) == shown
