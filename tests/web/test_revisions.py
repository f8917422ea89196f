"""Asking for a change, the page of the difference, the decision and the history, as the instructor meets them."""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Engine, select

from service.db.engine import session_scope
from service.db.lane import run_lane
from service.db.tables import (
    CourseState,
    Lesson,
    LessonState,
    Revision,
    RevisionState,
    Run,
    RunState,
    Source,
    SourceState,
    User,
)
from service.domain.anchors import cites_in
from service.domain.lesson import ParagraphBlock
from service.pipeline.handlers import HANDLERS
from service.pipeline.repair import NOTHING_LEFT
from service.ports import Services
from tests.authors.texts import bees, sourdough
from tests.engine.desk import AT_ONCE
from tests.pipeline.written_course import Written, write_course
from tests.web.conftest import Browser

Browsers = Callable[..., tuple[Browser, uuid.UUID]]


class Room:
    """An instructor with a written course, and the author lane at hand."""

    def __init__(self, services: Services, browser: Browser, person: uuid.UUID, state: CourseState) -> None:
        self.services, self.browser = services, browser
        with session_scope(services.engine) as session:
            self.made: Written = write_course(session, session.get_one(User, person), (sourdough, bees), state=state)
        self.course = f"/courses/{self.made.course}"
        self.lesson = f"{self.course}/lessons/{self.made.lessons[0]}"

    def row(self) -> Lesson:
        with session_scope(self.services.engine) as session:
            return session.get_one(Lesson, self.made.lessons[0])

    def paragraph(self) -> str:
        """The id of a paragraph of several sentences."""
        text = self.row().text
        assert text
        return next(one.id for one in text.blocks if isinstance(one, ParagraphBlock) and len(one.claims) > 2)

    def work(self) -> None:
        """The author lane until nothing is left."""
        quick = self.services.settings.model_copy(update={"idle_exit_seconds": 0.1})
        handlers = {kind: partial(handler, self.services) for kind, handler in HANDLERS.items()}
        run_lane(self.services.engine, "author", handlers, settings=quick, stop=threading.Event(), backoff=AT_ONCE)

    def ask(self, query: str = "", **fields: str) -> str:
        """Ask for a change; the address of its page."""
        answer = self.browser.submit(f"{self.lesson}/change{query}", **fields)
        assert answer.status_code == 303, answer.text
        return str(answer.headers["location"])

    def proposed(self) -> str:
        """A shorter paragraph, proposed; the address of its page."""
        address = self.ask(f"?part=block&id={self.paragraph()}", quick="Shorter")
        self.work()
        return address

    def state(self, address: str) -> str:
        with session_scope(self.services.engine) as session:
            return session.get_one(Revision, uuid.UUID(address.rpartition("/")[2])).state


@pytest.fixture
def room(services: Services, browser_of: Browsers) -> Room:
    return Room(services, *browser_of(), CourseState.READY)


def tags(page: str, name: str) -> list[str]:
    """The texts of these elements, without what only screen readers hear."""
    found = re.findall(rf"<{name}>(.*?)</{name}>", page, re.DOTALL)
    return [re.sub(r"<span class=\"sr\">.*?</span>", "", text) for text in found]


def test_the_owner_finds_the_way_to_a_change_beside_every_part_and_learners_do_not(
    services: Services, browser_of: Browsers
) -> None:
    room = Room(services, *browser_of(), CourseState.PUBLISHED)
    way = f"{room.lesson}/change?part=block&id={room.paragraph()}"
    assert way.replace("&", "&amp;") in room.browser.get(room.lesson).text
    assert "Ask for a change" in room.browser.get(way).text
    assert re.search(rf"{room.course}/units/[0-9a-f-]+/change", room.browser.get(f"{room.course}/outline").text)
    scenes = room.browser.get(f"{room.lesson}/changes").text
    picture = re.search(r'src="([^"]+/scenes/[^"]+)"', scenes)
    assert picture
    assert room.browser.get(picture.group(1)).content[:2] == b"\xff\xd8"
    learner, _ = browser_of("learner@example.org", role="learner")
    read = learner.get(room.lesson)
    assert read.status_code == 200
    assert "/change" not in read.text


def test_nobody_but_the_owner_may_ask_see_or_decide(room: Room, browser_of: Browsers, engine: Engine) -> None:
    address = room.proposed()
    other, _ = browser_of("other@example.org")
    answers = [
        other.get(address),
        other.submit(f"{address}/accept"),
        other.submit(f"{address}/restore", version="before"),
        other.get(f"{address}/before/s1"),
        other.submit(f"{room.lesson}/change", quick="Shorter"),
        other.get(f"{room.lesson}/changes"),
    ]
    assert {answer.status_code for answer in answers} == {404}
    with session_scope(engine) as session:
        assert [row.state for row in session.scalars(select(Revision))] == [RevisionState.PROPOSED]


def test_a_change_is_asked_made_shown_word_by_word_and_accepted(room: Room) -> None:
    before = room.row()
    address = room.ask(f"?part=block&id={room.paragraph()}", quick="Shorter")
    making = room.browser.get(address).text
    assert 'data-events="' in making
    assert "/stop" in making
    room.work()
    page = room.browser.get(address).text
    assert 'data-events="' not in page
    assert "“Shorter”" in page
    assert tags(page, "del")
    pictures = re.findall(rf'src="({address}/(?:before|after)/[^"]+)"', page)
    assert {picture.split("/")[-2] for picture in pictures} == {"before", "after"}
    assert room.browser.get(pictures[0]).headers["content-type"] == "image/jpeg"
    assert "1 change waiting for you" in room.browser.get(room.lesson).text
    assert room.row().text == before.text
    assert room.browser.submit(f"{address}/accept").headers["location"] == address
    after = room.row()
    assert (after.version, after.state) == (before.version + 1, LessonState.WRITTEN)
    accepted = room.browser.get(address).text
    assert "The old film is shown until the new one is there" in accepted
    assert 'data-events="' in accepted
    gone = tags(page, "del")[0].strip()
    learning = room.browser.get(room.lesson).text
    assert gone not in learning
    assert "The film is of an earlier version" in learning


def test_a_second_press_of_accept_changes_nothing_more(room: Room) -> None:
    address = room.proposed()
    assert room.browser.submit(f"{address}/accept").status_code == 303
    version = room.row().version
    assert room.browser.submit(f"{address}/accept").status_code == 303
    assert room.row().version == version
    late = room.browser.submit(f"{address}/reject")
    assert late.status_code == 409
    assert "accepted already" in late.text


def test_a_rejected_change_leaves_the_lesson_and_may_be_asked_again(room: Room) -> None:
    before, address = room.row(), room.proposed()
    assert room.browser.submit(f"{address}/reject").status_code == 303
    assert room.row().text == before.text
    assert "It was rejected" in room.browser.get(address).text
    again = room.browser.submit(f"{address}/again").headers["location"]
    room.work()
    page = room.browser.get(again).text
    assert again != address
    assert room.state(again) == RevisionState.PROPOSED
    assert tags(page, "del") != tags(room.browser.get(address).text, "del")


def test_an_outdated_change_says_so_and_offers_to_ask_again(room: Room, engine: Engine) -> None:
    address = room.proposed()
    with session_scope(engine) as session:
        session.get_one(Lesson, room.made.lessons[0]).version += 1
    answer = room.browser.submit(f"{address}/accept")
    assert answer.status_code == 409
    assert "has changed since this was proposed" in answer.text
    assert f'action="{address}/again"' in answer.text
    assert room.state(address) == RevisionState.OUTDATED


def test_the_history_shows_every_version_and_restores_one(room: Room) -> None:
    first, address = room.row().text, room.proposed()
    room.browser.submit(f"{address}/accept")
    short = room.row().text
    history = room.browser.get(f"{room.lesson}/changes").text
    assert "As it stands now" in history
    assert "As it was first written" in history
    assert re.search(r'<time datetime="\d{4}-\d\d-\d\dT\d\d:\d\dZ">\d+ \w+ \d{4}, \d\d:\d\d UTC</time>', history)
    restored = room.browser.submit(f"{address}/restore", version="before")
    assert restored.status_code == 303
    assert room.row().text == first
    assert "An earlier version restored" in room.browser.get(restored.headers["location"]).text
    same = room.browser.submit(f"{address}/restore", version="before")
    assert same.status_code == 409
    assert "exactly this version already" in same.text
    room.browser.submit(f"{address}/restore", version="after")
    assert room.row().text == short


def test_what_cannot_be_granted_is_said_with_what_can(room: Room) -> None:
    address = room.ask(wish="in the voice of a pirate")
    room.work()
    page = room.browser.get(address).text
    assert "“shorter”, “longer”, “add an example”" in page
    assert "The lesson is as it was" in page
    assert ">Ask for something else<" in page
    assert f"{address}/again" not in page, "the same would be refused again"
    waiting, _, over = room.browser.get(f"{room.course}/changes").text.partition("Not made")
    assert address not in waiting, "it waits for nobody"
    assert address in over
    long = room.browser.submit(f"{room.lesson}/change", wish="x" * 401)
    assert long.status_code == 422
    assert "400 at most" in long.text
    assert room.browser.get(f"{room.lesson}/change?part=block&id=nothing").status_code == 404
    assert room.browser.get(f"{room.lesson}/change?part=scene&id=nothing").status_code == 404


def test_the_making_of_a_change_can_be_stopped(room: Room, engine: Engine) -> None:
    address = room.ask(quick="Shorter")
    assert room.browser.submit(f"{address}/stop").status_code == 303
    page = room.browser.get(address).text
    assert "It was stopped." in page
    assert f"{address}/again" in page
    with session_scope(engine) as session:
        assert session.scalar(select(Run.state)) == RunState.CANCELED


def test_a_unit_is_changed_lesson_by_lesson(room: Room) -> None:
    unit = f"{room.course}/units/{room.row().module_id}/change"
    assert "Every lesson of" in room.browser.get(unit).text
    answer = room.browser.submit(unit, quick="Shorter")
    assert answer.headers["location"] == f"{room.course}/changes"
    page = room.browser.get(f"{room.course}/changes").text
    assert 'data-events="' in page
    room.work()
    page = room.browser.get(f"{room.course}/changes").text
    listed = re.findall(r"The whole of lesson (\d+)", page)
    assert listed == sorted(listed), "in teaching order"
    assert page.count("Waits for you") == len(re.findall(r"Look at it</a>", page)) >= 1
    refused = room.browser.submit(f"{room.course}/units/{uuid.uuid4()}/change", quick="Shorter")
    assert refused.status_code == 404


def test_a_change_of_a_lesson_that_is_being_generated_is_refused_in_one_line(room: Room, engine: Engine) -> None:
    with session_scope(engine) as session:
        session.get_one(Lesson, room.made.lessons[0]).state = LessonState.WRITING
    answer: Any = room.browser.submit(f"{room.lesson}/change", quick="Shorter")
    assert answer.status_code == 409
    assert "is being generated" in answer.text
    with session_scope(engine) as session:
        assert session.scalar(select(Run.id)) is None


def test_a_version_on_an_old_source_is_restored_only_after_it_was_said(room: Room, engine: Engine) -> None:
    """The page asks first, with the button that does it all the same."""
    address = room.proposed()
    room.browser.submit(f"{address}/accept")
    short = room.row().text
    with session_scope(engine) as session:
        cited = {cite.source for cite in cites_in(session.get_one(Lesson, room.made.lessons[0]).text)}
        old = session.scalars(select(Source).where(Source.sha256.in_(cited))).one()
        new = Source(
            course_id=old.course_id, name=old.name, upload_key="uploads/new", upload_bytes=1, sha256="0" * 64,
            body="Other.", blocks=[], state=SourceState.READY,
        )  # fmt: skip
        session.add(new)
        session.flush()
        old.superseded_by = new.id
    asked = room.browser.submit(f"{address}/restore", version="before")
    assert asked.status_code == 409
    assert "rests on an earlier version of" in asked.text
    assert 'name="anyway" value="true"' in asked.text
    assert room.row().text == short
    assert room.browser.submit(f"{address}/restore", version="before", anyway="true").status_code == 303
    assert room.row().text != short


def test_a_lesson_of_which_nothing_would_be_left_is_listed_with_the_way_to_remove_it(
    room: Room, engine: Engine
) -> None:
    address = room.proposed()
    with session_scope(engine) as session:
        row = session.get_one(Revision, uuid.UUID(address.rpartition("/")[2]))
        row.cause, row.state, row.after, row.note = "source", RevisionState.FAILED, None, NOTHING_LEFT
    page = room.browser.get(address)
    assert page.status_code == 200
    assert "nothing of it would be left" in page.text
    assert f'href="{room.course}/outline">Remove it in the outline' in page.text
    assert "Remove the lesson in the outline" in room.browser.get(f"{room.lesson}/changes").text
