"""Progress: the page is right after every reload, the stream resumes where it broke, and stopping stops."""

from __future__ import annotations

import json
import random
import re
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from sqlalchemy import Engine, select, text, update

from service.db import jobs
from service.db.engine import session_scope
from service.db.events import say
from service.db.tables import Course, Lesson, Run, User
from service.pipeline import runs
from service.web import generating
from tests.web.conftest import Browser
from tests.web.world import World

Browsers = Callable[..., tuple[Browser, uuid.UUID]]
JSON = {"Accept": "application/json"}
HEARTBEAT_AS_SHIPPED, LONGEST_AS_SHIPPED = generating.HEARTBEAT, generating.LONGEST
ADVANCE = text("UPDATE runs SET percent = percent + 1 WHERE id = :run")


@dataclass
class Going:
    """A generation under way, and the browser of the person who started it."""

    browser: Browser
    course: uuid.UUID
    run: uuid.UUID
    engine: Engine

    def say(self, kind: str, what: str, **data: object) -> None:
        with session_scope(self.engine) as session:
            say(session, self.run, kind, {"what": what, **data})  # type: ignore[arg-type]

    def change_run(self, **values: object) -> None:
        with session_scope(self.engine) as session:
            session.execute(update(Run).where(Run.id == self.run).values(**values))

    @property
    def events(self) -> str:
        return f"/courses/{self.course}/runs/{self.run}/events"

    def stream(self, **headers: str) -> list[tuple[int, dict[str, object]]]:
        """The events of one connection, read until the server ends it."""
        said = self.browser.get(self.events, headers=headers).text
        found = re.findall(r"id: (\d+)\r?\ndata: (.*?)\r?\n", said)
        return [(int(number), json.loads(data)) for number, data in found]


@pytest.fixture
def going(browser_of: Browsers, world: World, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Going:
    browser, me = browser_of()
    course = world.course(me, "planned", made=False)
    with session_scope(engine) as session:
        run = runs.start_generate(session, session.get_one(Course, course), session.get_one(User, me))
    monkeypatch.setattr(generating, "LOOK_EVERY", 0.02)
    monkeypatch.setattr(generating, "LONGEST", 0.2)
    return Going(browser, course, run.id, engine)


def test_the_page_tells_the_percentage_and_every_lesson(going: Going, world: World, engine: Engine) -> None:
    going.change_run(percent=42, state="running")
    going.say("lesson", "Filming lesson 2", lesson_id=str(world.lessons[1]), lesson_state="filming")
    with session_scope(engine) as session:
        session.execute(update(Lesson).where(Lesson.id == world.lessons[0]).values(state="completed"))
        failed = update(Lesson).where(Lesson.id == world.lessons[2])
        session.execute(failed.values(state="failed", error="The narration did not answer three times."))
    page = going.browser.get(f"/courses/{going.course}/generating").text
    assert '<progress class="run tall" value="42"' in page
    assert "Filming lesson 2" in page
    assert "Completed" in page
    assert "The narration did not answer three times." in page
    watch = re.findall(r'data-watch href="([^"]+)"( hidden)?', page)
    assert [hidden for _, hidden in watch] == ["", " hidden", " hidden"]
    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in page
    assert 'data-last="1"' in page


def test_the_stream_resumes_after_the_number_that_was_seen(going: Going) -> None:
    for number in range(1, 6):
        going.say("progress", f"step {number}")
    assert [number for number, _ in going.stream()] == [1, 2, 3, 4, 5]
    assert [number for number, _ in going.stream(**{"Last-Event-ID": "3"})] == [4, 5]
    text = going.browser.get(f"{going.events}?after=4").text
    assert "step 5" in text
    assert "step 4" not in text


def test_the_stream_says_what_the_row_says_and_ends_with_the_run(going: Going, world: World) -> None:
    going.say("lesson", "Filming", lesson_id=str(world.lessons[0]), lesson_state="filming", part=0.25)
    going.say("done", "Everything is ready")
    going.say("progress", "never seen")
    events = going.stream()
    assert [data["kind"] for _, data in events] == ["lesson", "done"]
    assert (events[0][1]["lesson_state"], events[0][1]["part"], events[0][1]["percent"]) == ("filming", 0.25, 0)


def test_the_stream_is_not_stored_and_tells_when_to_come_back(going: Going) -> None:
    answer = going.browser.get(going.events)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-cache, no-transform"
    assert answer.headers["x-accel-buffering"] == "no"
    assert "retry: 2000" in answer.text


def test_a_stream_holds_no_connection_while_it_waits(going: Going, monkeypatch: pytest.MonkeyPatch) -> None:
    borrowed: list[int] = []
    sleep = generating.asyncio.sleep

    async def look(seconds: float) -> None:
        borrowed.append(going.engine.pool.checkedout())  # type: ignore[attr-defined]
        await sleep(seconds)

    monkeypatch.setattr(generating.asyncio, "sleep", look)
    going.browser.get(going.events)
    assert len(borrowed) > 2
    assert set(borrowed) == {0}


def test_polling_gives_the_same_events_and_nothing_twice(going: Going) -> None:
    going.say("progress", "one")
    first = going.browser.get(f"{going.events}?poll=1&after=0", headers=JSON)
    assert [(event["id"], event["what"]) for event in first.json()] == [(1, "one")]
    tag = {"If-None-Match": first.headers["etag"], **JSON}
    assert going.browser.get(f"{going.events}?poll=1&after=0", headers=tag).status_code == 304
    going.say("progress", "two")
    assert [event["id"] for event in going.browser.get(f"{going.events}?poll=1&after=0", headers=tag).json()] == [1, 2]
    assert going.browser.get(f"{going.events}?poll=1&after=2", headers=JSON).json() == []


@pytest.mark.parametrize("number", ["²", "9" * 30, "9" * 5000, "-3", "x", ""])
def test_an_odd_number_is_no_error(going: Going, number: str) -> None:
    going.say("progress", "one")
    raw = going.browser.get(f"{going.events}?poll=1", headers={**JSON, "Last-Event-ID": number.encode("latin-1")})  # type: ignore[dict-item]
    assert [event["id"] for event in raw.json()] == ([] if number.startswith("9") else [1])
    assert going.browser.get(f"{going.events}?poll=1&after={10**25}", headers=JSON).json() == []


def test_however_often_a_stream_breaks_nothing_is_missed_and_nothing_comes_twice(going: Going) -> None:
    """Three writers commit as they please while a reader loses its connection at random places of what it was sent."""
    dice, told = random.Random(5), 60

    def write() -> None:
        for number in range(told // 3):
            with session_scope(going.engine) as session:
                session.execute(ADVANCE, {"run": going.run})
                say(session, going.run, "progress", {"what": f"step {number}"})
                time.sleep(dice.random() * 0.01)  # others try to pass between the number and its commit

    writers = [threading.Thread(target=write) for _ in range(3)]
    for writer in writers:
        writer.start()
    seen: list[tuple[int, dict[str, object]]] = []
    until, breaks = time.monotonic() + 60, 0
    while len(seen) < told and time.monotonic() < until:
        came = going.stream(**{"Last-Event-ID": str(seen[-1][0])} if seen else {})
        kept = dice.randint(0, min(len(came), told // 6))  # the rest was sent and never arrived
        breaks += kept < len(came)
        seen += came[:kept]
    for writer in writers:
        writer.join()
    assert [number for number, _ in seen] == list(range(1, told + 1))
    percents = [int(str(data["percent"])) for _, data in seen]
    assert percents == sorted(percents)
    assert percents[-1] == told
    assert breaks > 2, "connections really broke"
    polled: list[dict[str, object]] = []
    while len(polled) < told:
        answer = going.browser.get(f"{going.events}?poll=1&after={len(polled)}", headers=JSON).json()
        polled += answer[: dice.randint(1, 20)]
    assert [(event.pop("id"), event) for event in polled] == seen, "polling tells the same under the same numbers"


def test_a_silent_stream_shows_that_it_lives_and_ends_itself(going: Going, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generating, "HEARTBEAT", 1.0)
    monkeypatch.setattr(generating, "LONGEST", 2.5)
    text = going.browser.get(going.events).text
    assert text.count(": ping") >= 1
    assert "data:" not in text


def test_the_stream_beats_every_15_seconds_and_ends_before_the_platform_does() -> None:
    assert HEARTBEAT_AS_SHIPPED == 15
    assert LONGEST_AS_SHIPPED < 300, "Cloud Run's own default; we ask for 900 s"


def test_a_run_of_another_course_is_not_heard(going: Going, browser_of: Browsers, world: World) -> None:
    other, me = browser_of("other@example.org")
    mine = world.course(me)
    assert other.get(f"/courses/{mine}/runs/{going.run}/events?poll=1").status_code == 404


def test_stopping_asks_the_run_to_stop(going: Going, engine: Engine) -> None:
    page = going.browser.get(f"/courses/{going.course}/generating").text
    assert "Stop generating?" in page
    assert going.browser.submit(f"/courses/{going.course}/stop").status_code == 303
    with session_scope(engine) as session:
        run = session.scalars(select(Run)).one()
        assert run.cancel_requested or run.state == "canceled"


def test_a_paused_run_says_why_and_goes_on_at_a_word(going: Going, engine: Engine) -> None:
    with session_scope(engine) as session:
        jobs.pause(session, going.run, "The month's budget is spent. Raise it, then go on.")
    page = going.browser.get(f"/courses/{going.course}/generating").text
    assert "The month&#39;s budget is spent." in page
    assert ">Go on<" in page
    assert going.stream()[-1][1]["paused"] is True
    assert going.browser.submit(f"/courses/{going.course}/resume").status_code == 303
    page = going.browser.get(f"/courses/{going.course}/generating").text
    assert ">Go on<" not in page
    assert "Going on." in page
    with session_scope(engine) as session:
        assert not session.get_one(Run, going.run).paused_because


@pytest.mark.parametrize(
    ("state", "says"),
    [("succeeded", "See the course"), ("failed", "Try again"), ("canceled", "What was finished stays as it is")],
)
def test_an_ended_run_says_how_it_ended_and_what_is_next(going: Going, state: str, says: str) -> None:
    going.change_run(state=state, percent=100 if state == "succeeded" else 60, error="The disk is full.")
    page = going.browser.get(f"/courses/{going.course}/generating").text
    assert says in page
    assert "data-events" not in page
    assert "http-equiv" not in page


def test_a_draft_that_is_done_leads_to_the_outline(browser_of: Browsers, world: World, engine: Engine) -> None:
    browser, me = browser_of()
    course = world.draft(me)
    world.source(course)
    browser.submit(f"/courses/{course}/brief", title="Weather")
    page = browser.get(f"/courses/{course}/generating").text
    assert "Drafting the outline" in page
    assert f'data-onward="/courses/{course}/outline"' in page


def test_a_course_without_a_run_goes_back_to_its_brief(browser_of: Browsers, world: World) -> None:
    browser, me = browser_of()
    course = world.draft(me)
    assert browser.get(f"/courses/{course}/generating").headers["location"] == f"/courses/{course}/brief"
