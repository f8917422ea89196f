"""Who removes their account is gone with everything that names them, and nobody loses a course by surprise."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, func, select, text, update

from service.db.accounts import remove_account
from service.db.engine import session_scope
from service.db.invitations import accept, hash_secret, invite
from service.db.tables import Base, Course, CourseState, Enrolment, Invitation, Role, Run, RunState, User
from service.errors import Conflict
from service.pipeline import runs
from service.web.throttle import ACCOUNT_TRIES
from tests.web.conftest import Browser
from tests.web.world import PASSWORD, World

Browsers = Callable[..., tuple[Browser, uuid.UUID]]
HELD_UP = text("SELECT count(*) FROM pg_locks WHERE NOT granted")


@pytest.fixture
def leaver(browser_of: Browsers, world: World, engine: Engine) -> tuple[Browser, uuid.UUID]:
    """Somebody who was invited, teaches one course and learns in another's."""
    browser, me = browser_of("leaver@example.org")
    teacher = world.person("teacher@example.org")
    taught = world.course(teacher, CourseState.PUBLISHED)
    browser.submit(f"/courses/{taught}/enrol", f"/courses/{taught}")
    with session_scope(engine) as session:
        session.execute(update(User).where(User.id == me).values(email="elsewhere@example.org"))
        accept(session, invite(session, "leaver@example.org", Role.LEARNER, hash_secret("x")))
        session.execute(update(User).where(User.id == me).values(email="leaver@example.org"))
    world.course(me, CourseState.READY, title="Knots")
    return browser, me


def traces(engine: Engine, user: uuid.UUID) -> list[str]:
    """The columns of the whole database in which this person's id or address still stands."""
    found = []
    with engine.connect() as connection:
        for table in Base.metadata.sorted_tables:
            for column in table.columns:
                query = f"SELECT count(*) FROM {table.name} WHERE {column.name}::text ILIKE ANY (:needles)"
                if connection.scalar(text(query), {"needles": [f"%{user}%", "%leaver@example.org%"]}):
                    found.append(f"{table.name}.{column.name}")
    return found


def test_everything_that_names_the_person_goes(leaver: tuple[Browser, uuid.UUID], engine: Engine) -> None:
    browser, me = leaver
    assert {"users.email", "enrolments.user_id", "courses.owner_id", "invitations.email"} <= set(traces(engine, me))
    answer = browser.submit("/account/remove", leaving=PASSWORD)
    assert (answer.status_code, answer.headers["location"]) == (303, "/?removed=account")
    # Counted tries are forgotten the next day.
    assert set(traces(engine, me)) <= {"rate_limits.subject"}
    assert "Your account is removed" in browser.get("/?removed=account").text
    assert browser.get("/account").status_code == 303
    with session_scope(engine) as session:
        assert session.scalar(select(func.count()).select_from(Course)) == 1
        assert session.scalar(select(func.count()).select_from(Enrolment)) == 0
        assert session.scalar(select(func.count()).select_from(Invitation)) == 0


def test_the_page_says_what_goes_before_it_asks(leaver: tuple[Browser, uuid.UUID]) -> None:
    page = leaver[0].get("/account").text
    assert "the course that is yours with its lessons and films" in page


def test_a_wrong_password_removes_nothing_and_is_counted(leaver: tuple[Browser, uuid.UUID]) -> None:
    browser, _ = leaver
    answers = [browser.submit("/account/remove", leaving="not it").status_code for _ in range(ACCOUNT_TRIES + 1)]
    assert answers == [422] * ACCOUNT_TRIES + [429]
    assert browser.get("/account").status_code == 200


def test_a_published_course_must_be_withdrawn_first(browser_of: Browsers, world: World) -> None:
    browser, me = browser_of()
    course = world.course(me, CourseState.PUBLISHED, title="Tides")
    assert "“Tides” is published, and its learners would lose it" in browser.get("/account").text
    refused = browser.post("/account/remove", data={"csrf": browser.token(), "leaving": PASSWORD})
    assert (refused.status_code, "Take it out of the catalogue first" in refused.text) == (409, True)
    browser.submit(f"/courses/{course}/unpublish")
    assert browser.submit("/account/remove", leaving=PASSWORD).status_code == 303


@pytest.mark.parametrize("held", [0, 5], ids=["ended", "ended, and its money is still held"])
def test_work_must_have_ended_first(browser_of: Browsers, world: World, engine: Engine, held: int) -> None:
    browser, me = browser_of()
    course = world.course(me, CourseState.PLANNED, made=False, title="Tides")
    with session_scope(engine) as session:
        runs.start_generate(session, session.get_one(Course, course), session.get_one(User, me))
    refused = browser.submit("/account/remove", leaving=PASSWORD)
    assert (refused.status_code, "“Tides” is being worked on" in refused.text) == (409, True)
    with session_scope(engine) as session:
        session.execute(update(Run).values(state=RunState.CANCELED, reserved_micro_dollars=held))
    assert browser.submit("/account/remove", leaving=PASSWORD).status_code == (409 if held else 303)


def test_work_on_somebody_elses_course_must_have_ended_too(browser_of: Browsers, world: World, engine: Engine) -> None:
    browser, me = browser_of(role=Role.ADMIN)
    course = world.course(world.person("teacher@example.org"), CourseState.PLANNED, made=False, title="Tides")
    with session_scope(engine) as session:
        runs.start_generate(session, session.get_one(Course, course), session.get_one(User, me))
    refused = browser.submit("/account/remove", leaving=PASSWORD)
    assert (refused.status_code, "“Tides” is being worked on" in refused.text) == (409, True)


def test_work_that_begins_while_the_account_goes_is_not_lost(world: World, engine: Engine) -> None:
    """Whoever begins it holds the person's row until it is there to be seen, and leaving waits for that."""
    me = world.person("leaver@example.org")
    course = world.course(me, CourseState.PLANNED, made=False, title="Tides")

    def leave() -> None:
        with session_scope(engine) as session:
            remove_account(session, me)

    with ThreadPoolExecutor(1) as pool:
        with session_scope(engine) as session, engine.connect() as onlooker:
            onlooker.execution_options(isolation_level="AUTOCOMMIT")  # each look is a new one
            runs.start_generate(session, session.get_one(Course, course), session.get_one(User, me))
            session.flush()
            leaving = pool.submit(leave)
            ends = time.monotonic() + 30
            while not onlooker.scalar(HELD_UP):
                assert time.monotonic() < ends, "nobody waits"
                time.sleep(0.05)
        with pytest.raises(Conflict, match="is being worked on"):
            leaving.result(timeout=60)


def test_no_table_keeps_a_person_from_going() -> None:
    ways = {
        f"{table.name}.{key.parent.name}": key.ondelete
        for table in Base.metadata.sorted_tables
        for key in table.foreign_keys
        if key.column.table.name == "users"
    }
    assert {way for way in ways if ways[way] not in ("CASCADE", "SET NULL")} == set()
