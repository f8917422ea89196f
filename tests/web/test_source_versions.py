"""A newer version of a source as its instructor meets it: the upload, what is said of it, the decision, over HTTP."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from functools import partial

import pytest
from sqlalchemy import Engine, select, update

from service.db.engine import session_scope
from service.db.lane import run_lane
from service.db.tables import Lesson, LessonState, Source, SourceState, User
from service.pipeline.handlers import HANDLERS
from service.ports import Services
from tests.pipeline.test_repair import NEW_LIMIT, OLD_LIMIT, TEXT, packets
from tests.pipeline.written_course import Written, write_course
from tests.web.conftest import Browser
from tests.web.world import World

Browsers = Callable[..., tuple[Browser, uuid.UUID]]
NEWER = TEXT.replace(OLD_LIMIT, NEW_LIMIT)


@pytest.fixture
def course(engine: Engine, browser_of: Browsers) -> tuple[Browser, Written]:
    """A finished course of one document, and the browser of whom it belongs to."""
    browser, me = browser_of()
    with session_scope(engine) as session:
        written = write_course(session, session.get_one(User, me), (packets,))
        session.execute(update(Lesson).values(state=LessonState.COMPLETED))
    return browser, written


def replace(browser: Browser, written: Written, text: str, engine: Engine, name: str = "packets.md") -> object:
    with session_scope(engine) as session:
        query = select(Source.id).where(Source.superseded_by.is_(None), Source.replaces.is_(None))
        source = session.scalars(query.where(Source.course_id == written.course)).one()
    page = f"/courses/{written.course}/brief"
    return browser.post(
        f"/courses/{written.course}/sources/{source}/replace",
        data={"csrf": browser.token(page)},
        files={"file": (name, text.encode(), "text/markdown")},
    )


def work(services: Services) -> None:
    quick = services.settings.model_copy(update={"idle_exit_seconds": 0.2})
    handlers = {kind: partial(handler, services) for kind, handler in HANDLERS.items()}
    run_lane(services.engine, "author", handlers, settings=quick, stop=threading.Event())


def test_a_source_is_replaced_its_changes_are_shown_and_settled(
    course: tuple[Browser, Written], services: Services, engine: Engine
) -> None:
    browser, written = course
    home, lesson = f"/courses/{written.course}", f"/courses/{written.course}/lessons/{written.lessons[0]}"
    assert "Replace with a newer version" in browser.get(f"{home}/brief").text
    assert replace(browser, written, NEWER, engine).status_code == 303  # type: ignore[attr-defined]
    assert "waits to be read" in browser.get(f"{home}/brief").text
    assert browser.get(f"{home}/sources", headers={"Accept": "application/json"}).json()["reading"]
    work(services)
    brief = browser.get(f"{home}/brief").text
    assert "What 1 place of the course rests on has changed" in brief
    assert "An earlier version is kept, because lessons or their history still cite it." in brief
    with session_scope(engine) as session:
        earlier = session.scalars(select(Source).where(Source.superseded_by.is_not(None))).one()
    assert f"{home}/sources/{earlier.sha256}" in brief
    assert browser.submit(f"{home}/sources/{earlier.id}/remove").status_code == 422
    assert "Replace with a newer version" in brief
    quality = browser.get(f"{home}/quality").text
    assert "The source has changed" in quality
    assert '<del><span class="sr">The source said: </span>1,500</del>' in quality
    assert '<ins><span class="sr">It says now: </span>9,000</ins>' in quality
    assert "See the proposed change" in quality
    shown = browser.get(lesson).text
    assert "The source has changed" in shown
    assert f"Now: “{NEW_LIMIT}" in shown
    assert browser.submit(f"{home}/publish").status_code == 422
    change = quality.split('href="')[1:]
    address = next(part.split('"')[0] for part in change if "/changes/" in part.split('"')[0])
    assert browser.submit(f"{address}/accept").status_code == 303
    assert "The source has changed" not in browser.get(f"{home}/quality").text
    assert "The source has changed" not in browser.get(lesson).text
    assert NEW_LIMIT in browser.get(lesson).text


def test_a_changed_sentence_may_be_signed_off_against_this_version_only(
    course: tuple[Browser, Written], services: Services, engine: Engine
) -> None:
    browser, written = course
    home = f"/courses/{written.course}"
    replace(browser, written, NEWER, engine)
    work(services)
    page = browser.get(f"{home}/quality").text
    key = page.split('name="claim" value="')[1].split('"')[0]
    signed = browser.submit(f"{home}/quality/sign-off", lesson=str(written.lessons[0]), claim=key)
    assert signed.status_code == 303
    assert "signed off by" in browser.get(f"{home}/quality").text
    assert browser.submit(f"{home}/publish").status_code == 303
    assert browser.submit(f"{home}/unpublish").status_code == 303
    replace(browser, written, NEWER.replace("9,000", "12,000"), engine)
    work(services)
    assert browser.submit(f"{home}/publish").status_code == 422


def test_what_readers_see_is_the_version_that_a_cite_was_made_from(
    course: tuple[Browser, Written], services: Services, engine: Engine, stranger: Browser
) -> None:
    browser, written = course
    home = f"/courses/{written.course}"
    assert browser.submit(f"{home}/publish").status_code == 303
    replace(browser, written, NEWER, engine)
    work(services)
    with session_scope(engine) as session:
        old = session.scalars(select(Source.sha256).where(Source.superseded_by.is_not(None))).one()
    lesson = stranger.get(f"{home}/lessons/{written.lessons[0]}").text
    assert OLD_LIMIT in lesson
    assert "The source has changed" not in lesson
    page = stranger.get(f"{home}/sources/{old}").text
    assert OLD_LIMIT in page
    assert "An earlier version" in page


def test_a_version_that_is_none_or_cannot_be_read_is_refused_with_the_reason(
    course: tuple[Browser, Written], services: Services, engine: Engine
) -> None:
    browser, written = course
    home = f"/courses/{written.course}"
    wrong = replace(browser, written, NEWER, engine, name="packets.exe")
    assert wrong.status_code == 422  # type: ignore[attr-defined]
    assert "this kind of file cannot be read" in wrong.text  # type: ignore[attr-defined]
    replace(browser, written, "\x00\x01", engine)
    work(services)
    page = browser.get(f"{home}/brief").text
    assert "is not used." in page
    with session_scope(engine) as session:
        refused = session.scalars(select(Source).where(Source.state == SourceState.REFUSED)).one()
    assert browser.submit(f"{home}/sources/{refused.id}/remove").status_code == 303
    assert "is not used." not in browser.get(f"{home}/brief").text
    replace(browser, written, NEWER, engine)
    busy = replace(browser, written, TEXT + "More.\n", engine)
    assert busy.status_code == 409  # type: ignore[attr-defined]


def test_nobody_else_replaces_a_source(
    course: tuple[Browser, Written], browser_of: Browsers, engine: Engine, world: World
) -> None:
    _, written = course
    other, _ = browser_of(email="other@example.org")
    with session_scope(engine) as session:
        source = session.scalars(select(Source.id)).one()
    answer = other.post(
        f"/courses/{written.course}/sources/{source}/replace",
        data={"csrf": other.token()},
        files={"file": ("packets.md", NEWER.encode(), "text/markdown")},
    )
    assert answer.status_code == 404
    with session_scope(engine) as session:
        assert session.scalars(select(Source.id)).all() == [source]
