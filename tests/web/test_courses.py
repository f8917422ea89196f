"""The dashboard, the catalogue and the life of a course: what is shown to whom, and what each button does."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest
from sqlalchemy import Engine, select, update

from service.db.engine import session_scope
from service.db.tables import Course, Lesson, Run, RunKind
from service.web.cover import draw_cover
from tests.web.conftest import Browser, Launched
from tests.web.world import World

Browsers = Callable[..., tuple[Browser, uuid.UUID]]


def state_of(engine: Engine, course: uuid.UUID) -> str | None:
    with session_scope(engine) as session:
        return session.scalar(select(Course.state).where(Course.id == course))


def test_the_start_is_a_front_page_for_strangers_and_courses_for_people(stranger: Browser, maren: Browser) -> None:
    assert "Courses that show their sources." in stranger.get("/").text
    page = maren.get("/").text
    assert "<h1>Courses</h1>" in page
    assert "Make a course" in page
    assert stranger.head("/").status_code == 200


def test_the_site_is_alive_without_and_ready_with_a_database(stranger: Browser) -> None:
    assert stranger.get("/healthz").text == "ok\n"
    assert stranger.get("/livez").text == "ok\n"
    assert stranger.get("/readyz").text == "ready\n"


def test_the_site_starts_a_worker_of_each_lane(stranger: Browser, launcher: Launched) -> None:
    assert launcher.lanes == ["author", "render"]


def test_the_dashboard_says_what_needs_its_instructor(browser_of: Browsers, world: World, engine: Engine) -> None:
    browser, me = browser_of()
    draft = world.draft(me, "Bread")
    world.source(draft, "scan.pdf", "refused", "Pictures only.")
    world.course(me, "planned", title="Glass", made=False)
    stopped = world.course(me, "ready", title="Wind")
    with session_scope(engine) as session:
        session.execute(update(Lesson).where(Lesson.course_id == stopped).values(state="failed"))
    page = browser.get("/").text
    assert "3 courses of your own, 3 need you." in page
    for says in ("a file that could not be read", "outline that waits for your review", "has 3 lessons that stopped"):
        assert says in page


def test_a_learner_sees_what_they_learn(browser_of: Browsers, world: World) -> None:
    course = world.course(world.person("owner@example.org"), "published")
    learner, _ = browser_of("learner@example.org", role="learner")
    assert "Nothing begun yet" in learner.get("/").text
    learner.submit(f"/courses/{course}/enrol")
    page = learner.get("/").text
    assert "Reading a weather map" in page
    assert "New course" not in page


def test_the_catalogue_shows_published_courses_only_and_can_be_searched(stranger: Browser, world: World) -> None:
    owner = world.person("owner@example.org")
    world.course(owner, "published", title="100% wool")
    world.course(owner, "published", title="Bread")
    world.course(owner, "ready", title="Secret plans")
    page = stranger.get("/catalogue").text
    assert "Bread" in page
    assert "100% wool" in page
    assert "Secret plans" not in page
    found = stranger.get("/catalogue?q=100%25").text
    assert "100% wool" in found
    assert "Bread" not in found, "a percent sign is a letter, not a wildcard"
    assert "No course matches" in stranger.get("/catalogue?q=<script>").text


def test_a_course_is_published_when_all_lessons_are_completed(
    browser_of: Browsers, world: World, engine: Engine, stranger: Browser
) -> None:
    browser, me = browser_of()
    unmade = world.course(me, "planned", made=False)
    answer = browser.submit(f"/courses/{unmade}/publish")
    assert (answer.status_code, "Some lessons are not completed" in answer.text) == (409, True)
    course = world.course(me, "ready", title="Wind")
    assert stranger.get(f"/courses/{course}").status_code == 303
    browser.submit(f"/courses/{course}/publish")
    browser.submit(f"/courses/{course}/publish")
    assert state_of(engine, course) == "published"
    assert "Wind" in stranger.get("/catalogue").text
    assert "Published on" in browser.get(f"/courses/{course}").text
    browser.submit(f"/courses/{course}/unpublish")
    assert state_of(engine, course) == "ready"


def test_a_course_can_be_removed_but_not_while_it_is_worked_on(
    browser_of: Browsers, world: World, engine: Engine
) -> None:
    browser, me = browser_of()
    busy = world.course(me, "generating", made=False)
    assert browser.submit(f"/courses/{busy}/remove").status_code == 422
    course = world.course(me)
    assert "Remove “Reading a weather map”?" in browser.get(f"/courses/{course}").text
    assert browser.submit(f"/courses/{course}/remove").headers["location"] == "/"
    assert state_of(engine, course) is None
    assert state_of(engine, busy) == "generating"


def test_a_published_course_whose_lessons_are_made_anew_is_not_removed(
    browser_of: Browsers, world: World, engine: Engine
) -> None:
    browser, me = browser_of()
    course = world.course(me, "published")
    with session_scope(engine) as session:
        session.add(Run(id=uuid.uuid4(), course_id=course, owner_id=me, kind=RunKind.GENERATE, idem_key="anew"))
    refused = browser.submit(f"/courses/{course}/remove")
    assert refused.status_code == 422
    assert "being worked on" in refused.text
    assert state_of(engine, course) == "published"


@pytest.mark.parametrize(
    ("state", "verb", "to"),
    [
        ("draft", "Continue the brief", "/brief"),
        ("planned", "Review the outline", "/outline"),
        ("generating", "See the progress", "/generating"),
    ],
)
def test_the_course_page_tells_its_instructor_what_is_next(
    browser_of: Browsers, world: World, state: str, verb: str, to: str
) -> None:
    browser, me = browser_of()
    course = world.course(me, state)
    page = browser.get(f"/courses/{course}").text
    assert f'href="/courses/{course}{to}">{verb}</a>' in page


def test_an_address_that_leads_nowhere_knows_who_asks(maren: Browser, stranger: Browser) -> None:
    assert 'aria-label="Maren Okafor: account"' in maren.get("/nothing/here").text
    assert 'href="/sign-in"' in stranger.get("/nothing/here").text


def test_a_stranger_is_offered_to_watch_or_sign_in(stranger: Browser, world: World) -> None:
    course = world.course(world.person("owner@example.org"), "published")
    page = stranger.get(f"/courses/{course}").text
    assert "Watch the first lesson" in page
    assert "by Maren Okafor" in page
    assert "You will be able to" in page
    assert "For you as its instructor" not in page


def test_the_theme_is_kept_in_a_cookie_and_printed_by_the_server(stranger: Browser) -> None:
    assert '<html lang="en" data-theme="auto">' in stranger.get("/sign-in").text
    stranger.submit("/theme", "/sign-in", theme="dark", next="/sign-in")
    assert 'data-theme="dark"' in stranger.get("/sign-in").text
    stranger.cookies.delete("theme")
    stranger.cookies.set("theme", "x><script>")
    assert 'data-theme="auto"' in stranger.get("/sign-in").text


def test_titles_are_shown_as_text_never_as_markup(browser_of: Browsers, world: World) -> None:
    browser, me = browser_of("eve@example.org", name="<b>Eve</b>")
    course = world.course(me, "published", title="<img src=x onerror=alert(1)>")
    for address in ("/", "/catalogue", f"/courses/{course}", f"/courses/{course}/outline", "/account"):
        page = browser.get(address).text
        assert "<img src=x" not in page
        assert "<b>Eve" not in page


def test_a_cover_has_a_ring_for_each_lesson_and_bold_ones_for_the_finished() -> None:
    cover = draw_cover(uuid.UUID(int=7), "#1f50b2", lessons=9, finished=3)
    assert [ring.bold for ring in cover.rings] == [True] * 3 + [False] * 6
    assert cover == draw_cover(uuid.UUID(int=7), "#1f50b2", lessons=9, finished=3)
    assert cover != draw_cover(uuid.UUID(int=8), "#1f50b2", lessons=9, finished=3)
    assert len(draw_cover(uuid.UUID(int=7), "#1f50b2", lessons=300, finished=300).rings) == 24
    assert not any(ring.bold for ring in draw_cover(uuid.UUID(int=7), "#1f50b2", lessons=0, finished=0).rings)
