"""A page that lists lessons costs as many statements for fifty of them as for five, and reads none of their texts."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, event, select, update

from service.db.engine import session_scope
from service.db.tables import Course, CourseState, Lesson, LessonState, Media
from service.domain.course import LessonPlan, Objective
from service.domain.lesson import Claim, ParagraphBlock
from service.pipeline.quality import blocking, waiting
from tests.web.conftest import Browser
from tests.web.world import CLOSE, World, film, lesson_text

Browsers = Callable[..., tuple[Browser, uuid.UUID]]
DOCUMENTS = {"lessons.text", "lessons.storyboard", "media.film"}
OF_ONE_LESSON = re.compile(r"(lessons\.id|lesson_id) (= %s|IN \((%s::UUID|NULL)\))")
PAGES = ("", "/outline", "/brief", "/changes", "/invoice", "/lessons/{lesson}")


@pytest.fixture
def statements(engine: Engine) -> Iterator[list[str]]:
    """What the database is asked, as it is asked."""
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(" ".join(statement.split()))

    event.listen(engine, "after_cursor_execute", note)
    yield asked
    event.remove(engine, "after_cursor_execute", note)


def long_course(engine: Engine, world: World, owner: uuid.UUID, lessons: int, state: str = "ready") -> uuid.UUID:
    """A course of so many lessons that are written and filmed."""
    course = world.course(owner, state, made=True)
    with session_scope(engine) as session:
        for number in range(4, lessons + 1):
            lesson = Lesson(id=uuid.uuid4(), course_id=course, module_id=world.modules[1], position=number)
            lesson.title, lesson.state, lesson.text = (
                f"Lesson {number}",
                LessonState.COMPLETED,
                lesson_text(str(number)),
            )
            goal = Objective(id=f"o{number}", text=f"Goal {number}", bloom="apply")
            lesson.plan = LessonPlan(id=str(lesson.id), title=lesson.title, objectives=(goal,), minutes=4.0)
            session.add(lesson)
            session.flush()
            keys = {f"{key}_key": key for key in ("video", "captions", "chapters", "transcript", "poster")}
            session.add(Media(lesson_id=lesson.id, storyboard_sha256="0" * 64, film=film(str(lesson.id)), **keys))
    return course


def documents(statements: list[str]) -> list[tuple[str, str]]:
    """The statements that read documents of more than one lesson, with the document."""
    found = []
    for statement in statements:
        columns, _, rest = statement.partition(" FROM ")
        names = {column.partition(" AS ")[0] for column in columns.replace("SELECT ", "").split(", ")}
        found += [(name, statement) for name in names & DOCUMENTS if not OF_ONE_LESSON.search(rest)]
    return found


@pytest.mark.parametrize("page", PAGES)
def test_fifty_lessons_cost_as_many_statements_as_five_and_no_text(
    browser_of: Browsers, world: World, engine: Engine, statements: list[str], page: str
) -> None:
    browser, me = browser_of()
    asked: dict[int, list[str]] = {}
    for lessons in (5, 50):
        course = long_course(engine, world, me, lessons)
        address = f"/courses/{course}{page.format(lesson=world.lessons[0])}"
        assert browser.get(address).status_code == 200  # what a process does once for each course or text is done
        statements.clear()
        shown = browser.get(address)
        asked[lessons] = list(statements)
        assert shown.status_code == 200
    assert len(asked[50]) == len(asked[5])
    assert documents(asked[50]) == []


@pytest.mark.parametrize("page", ["/", "/catalogue"])
def test_lists_of_courses_read_no_text_either(
    browser_of: Browsers, world: World, engine: Engine, statements: list[str], page: str
) -> None:
    browser, me = browser_of()
    long_course(engine, world, me, 5, CourseState.PUBLISHED)
    statements.clear()
    browser.get(page)
    few = len(statements)
    long_course(engine, world, me, 50, CourseState.PUBLISHED)
    statements.clear()
    assert "50 lessons" in browser.get(page).text
    assert len(statements) == few > 0
    assert documents(statements) == []


def test_an_edit_of_a_long_outline_reads_no_text(
    browser_of: Browsers, world: World, engine: Engine, statements: list[str]
) -> None:
    browser, me = browser_of()
    course = long_course(engine, world, me, 50)
    headers = {"Accept": "application/json", "X-CSRF": browser.token(), "If-Match": '"1"'}
    edits = [{"do": "rename_lesson", "id": str(world.lessons[0]), "title": "Wind"}]
    statements.clear()
    answer = browser.patch(f"/courses/{course}/outline", json={"edits": edits}, headers=headers)
    assert answer.status_code == 200
    assert documents(statements) == []
    with session_scope(engine) as session:
        first = session.get_one(Lesson, world.lessons[0])
        assert (first.title, first.state) == ("Wind", LessonState.PLANNED)
        assert first.text is not None, "what was not read is not written either"


def test_what_blocks_publishing_is_counted_as_it_is_listed_and_anew_when_a_text_changes(
    browser_of: Browsers, world: World, engine: Engine
) -> None:
    _, me = browser_of()
    course = long_course(engine, world, me, 5)
    wrong = Claim(text="Where isobars lie close together, the wind is not strong.", cites=(CLOSE,))

    def counted() -> int:
        with session_scope(engine) as session:
            row = session.get_one(Course, course)
            found = blocking(session, row)
            assert found == sum(one.blocks for one in waiting(session, row))
            return found

    before = counted()
    with session_scope(engine) as session:
        lesson = session.scalars(select(Lesson).where(Lesson.course_id == course, Lesson.position == 4)).one()
        assert lesson.text is not None
        blocks = (*lesson.text.blocks, ParagraphBlock(id="wrong", claims=(wrong,)))
        changed = lesson.text.model_copy(update={"blocks": blocks})
        session.execute(update(Lesson).where(Lesson.id == lesson.id).values(text=changed))
    assert counted() == before + 1
