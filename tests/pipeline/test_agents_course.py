"""A whole course by agents through every room: real database, real storage, a real worker that is killed, real HTTP."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.adapters.provider import judge
from service.authors import open_author
from service.authors.agents.author import AgentAuthor
from service.authors.agents.calls import StoredCalls
from service.db import jobs
from service.db.breaker import Breaker
from service.db.engine import session_scope
from service.db.queries import lessons_of, read_sources
from service.db.tables import (
    Budget,
    Chunk,
    Course,
    CourseState,
    Job,
    LedgerEntry,
    ProviderHealth,
    QuizItem,
    Role,
    Run,
    SignOff,
    Step,
    User,
)
from service.domain.course import Brief
from service.domain.quiz import Quiz
from service.errors import BadInput, NotFound, Paused
from service.pipeline.folder import write_folder
from service.pipeline.invoice import course_invoice, month_bills, months_with_bills
from service.pipeline.produce import advance, create_course
from service.pipeline.quality import report_of, sign_off_lesson, to_sign, waiting
from service.pipeline.runs import go_on, start_generate
from service.pipeline.verify import check_cites
from service.ports import Services
from service.settings import Settings, child_environment
from service.wiring import CHAT
from tests.adapters.openai_server import NO_QUOTA, OK, ScriptedOpenAI, refused
from tests.authors.chat_server import Mind, chat, model_at
from tests.commands.test_locked import build, tree
from tests.pipeline.test_course import begin, both_lanes, carry, services  # noqa: F401 - a fixture


@pytest.fixture
def mind() -> Mind:
    return Mind()


@pytest.fixture
def server(mind: Mind) -> Iterator[ScriptedOpenAI]:
    with chat(mind) as (server, _):
        yield server


@pytest.fixture
def paid(settings: Settings, server: ScriptedOpenAI) -> Settings:
    """Settings that name the agents, at the scripted server."""
    given = {"llm": "openai:gpt-4o-mini", "openai_api_key": SecretStr("k"), "openai_base_url": server.url}
    return settings.model_copy(update={**given, "lease_seconds": 3.0})


@pytest.fixture
def agents(services: Services, paid: Settings) -> Services:  # noqa: F811
    author = open_author(
        paid.model,
        openai_api_key=paid.openai_api_key,
        openai_base_url=paid.openai_base_url,
        storage=services.storage,
        judge=judge,
        guard=Breaker(services.engine, CHAT).call,
    )
    return dataclasses.replace(services, settings=paid, author=author)


def ledger(services: Services) -> list[LedgerEntry]:  # noqa: F811
    with session_scope(services.engine) as session:
        return list(session.scalars(select(LedgerEntry)))


def calls_booked(services: Services) -> set[str]:  # noqa: F811
    """Each call has a line for what was read, read from the cache, and written."""
    return {row.key.rpartition(":")[0] for row in ledger(services)}


def records(settings: Settings) -> list[dict[str, Any]]:
    return [json.loads(path.read_bytes()) for path in (settings.data_dir / "media" / "calls").rglob("*.json")]


def test_agents_write_a_course_whose_cites_hold_and_whose_calls_are_all_booked(
    agents: Services, server: ScriptedOpenAI, tmp_path: Path
) -> None:
    course_id = begin(agents, tmp_path)
    with both_lanes(agents):
        carry(agents, course_id, film=False)
    with session_scope(agents.engine) as session:
        assert session.get_one(Course, course_id).state == CourseState.READY
        sources = read_sources(session, course_id)
        lessons = lessons_of(session, course_id)
        assert lessons
        for lesson in lessons:
            assert lesson.text is not None
            assert lesson.storyboard is not None
            items = session.scalars(select(QuizItem).where(QuizItem.lesson_id == lesson.id)).all()
            quiz = Quiz(lesson_id=str(lesson.id), items=tuple(item.document for item in items))
            assert items
            assert check_cites(lesson.text, lesson.storyboard, quiz, sources) > 10
        spent = session.scalar(select(func.sum(Run.spent_micro_dollars)).where(Run.course_id == course_id))
        assert_the_invoice_is_the_ledger(session, course_id)
    rows = ledger(agents)
    assert len(calls_booked(agents)) == server.calls() == len(records(agents.settings))
    assert sum(row.micro_dollars for row in rows) == spent
    assert all(row.micro_dollars > 0 and row.quantity > 0 for row in rows)
    assert {row.unit for row in rows} == {"tokens read", "tokens read from the cache", "tokens written"}
    assert {row.what.split(" (")[0] for row in rows} >= {
        "designer", "researcher", "writer", "storyboarder", "quiz_master", "critic",
    }  # fmt: skip


class Letters:
    """An embedder that counts letters: quick, and of another mind than the words."""

    name, dimensions = "letters", 26

    def passages(self, texts: Sequence[str]) -> list[list[float]]:
        return [self.query(text) for text in texts]

    def query(self, text: str) -> list[float]:
        return [float(text.lower().count(chr(97 + number))) for number in range(26)]


def test_a_course_that_was_researched_by_meaning_is_built_again_without_vectors(
    agents: Services, server: ScriptedOpenAI, tmp_path: Path
) -> None:
    agents = dataclasses.replace(agents, embedder=Letters())
    course_id, out, again = begin(agents, tmp_path), tmp_path / "course", tmp_path / "again"
    with both_lanes(agents):
        eventually(lambda: all_embedded(agents), 120)
        carry(agents, course_id, film=False)
    with session_scope(agents.engine) as session:
        lock = write_folder(session, agents, session.get_one(Course, course_id), out, video=False)
    assert lock.embedder == "letters"
    assert lock.edited == ()
    assert len(lock.calls) > server.calls(), "what was found is recorded beside what was answered"
    calls = server.calls()
    done = build(tmp_path / "nobody", "--locked", out, "--out", again)
    assert done.returncode == 0, done.stderr
    assert server.calls() == calls
    first, second = tree(out), tree(again)
    assert first.pop("course.lock") != second.pop("course.lock"), "it says that nothing was embedded this time"
    assert first == second

    with session_scope(agents.engine) as session:
        for step in session.scalars(select(Step).where(Step.name == "write")):
            step.out = {name: value for name, value in step.out.items() if name != "findings"}  # of an earlier release
        session.flush()
        older = write_folder(session, agents, session.get_one(Course, course_id), tmp_path / "older", video=False)
    assert "before findings were recorded; generate them again" in older.edited[0]


def all_embedded(services: Services) -> bool:  # noqa: F811
    with session_scope(services.engine) as session:
        vectors = session.scalars(select(Chunk.embedder)).all()
        return bool(vectors) and all(vectors)


def test_a_title_alone_becomes_a_course_that_nobody_learns_from_before_each_lesson_is_signed(
    agents: Services, server: ScriptedOpenAI
) -> None:
    with session_scope(agents.engine) as session:
        owner = User(id=uuid.uuid4(), email="a@example.org", name="Ada", role=Role.INSTRUCTOR, password_hash="!")
        session.add(owner)
        session.flush()
        course_id = create_course(session, agents.storage, owner, Brief(title="Garden trees"), []).id
    with both_lanes(agents):
        carry(agents, course_id, film=False)
    with session_scope(agents.engine) as session:
        course = session.get_one(Course, course_id)
        lessons = lessons_of(session, course_id)
        assert [lesson.title for lesson in lessons] == ["Parts of Garden trees", "Uses of Garden trees"]
        found = waiting(session, course)
        facts = [claim for one in lessons if one.text for claim in one.text.claims() if claim.factual]
        assert len(found) == len(facts) > 20
        assert all(not lesson.plan.passages for lesson in lessons)
        assert all(one.blocks for one in found)
        assert report_of(session, course).check("claims").outcome == "fail"
        owner = session.get_one(User, course.owner_id)
        first, second = to_sign(found)
        assert sign_off_lesson(session, course, first.lesson.id, first.seen, owner) == len(first.keys)
        assert {one.lesson.id for one in waiting(session, course) if one.blocks} == {second.lesson.id}
        with pytest.raises(NotFound, match="changed since you read them"):
            sign_off_lesson(session, course, second.lesson.id, first.seen, owner)
        sign_off_lesson(session, course, second.lesson.id, second.seen, owner)
        assert not [one for one in waiting(session, course) if one.blocks]
        assert {one.signed_by for one in waiting(session, course)} == {"Ada"}
        assert session.scalar(select(func.count()).select_from(SignOff)) == len(facts)
        held = session.scalars(select(Run).where(Run.course_id == course_id)).all()
        assert all(0 < run.spent_micro_dollars <= (run.estimated_micro_dollars or 0) for run in held)


def test_an_equal_course_is_made_again_without_one_call(
    agents: Services, server: ScriptedOpenAI, tmp_path: Path
) -> None:
    with both_lanes(agents):
        carry(agents, begin(agents, tmp_path), film=False)
        calls, booked = server.calls(), len(ledger(agents))
        again = begin(agents, tmp_path, email="b@example.org")
        carry(agents, again, film=False)
    assert server.calls() == calls
    assert len(ledger(agents)) == booked
    with session_scope(agents.engine) as session:
        assert session.get_one(Course, again).state == CourseState.READY


def test_a_killed_worker_repeats_at_most_one_call_and_books_each_once(
    agents: Services, paid: Settings, server: ScriptedOpenAI, tmp_path: Path
) -> None:
    course_id = begin(agents, tmp_path)
    reached = threading.Event()
    holds = threading.Event()
    answer = server.answers["/v1/chat/completions"]

    def held(body: dict[str, Any]) -> tuple[str, bytes]:
        """The first lesson's text comes when nobody is there any more to hear it."""
        shape = body.get("response_format", {}).get("json_schema", {}).get("name", "")
        if shape == "LessonTextShape" and not reached.is_set():
            reached.set()
            holds.wait(60)
        return answer(body)

    server.answers["/v1/chat/completions"] = held
    workers = [work(paid)]
    stop = threading.Event()
    driver = threading.Thread(target=drive, args=(agents, course_id, stop))
    driver.start()
    try:
        assert reached.wait(120)
        workers[0].kill()
        workers[0].wait()
        holds.set()
        workers.append(work(paid))
        eventually(lambda: state(agents, course_id) == CourseState.READY, 150)
    finally:
        stop.set()
        driver.join()
        for worker in workers:
            worker.kill()
            worker.wait()
    kept = records(paid)
    assert server.calls() - len(kept) <= 1
    assert len(calls_booked(agents)) == len(kept)
    with session_scope(agents.engine) as session:
        assert_the_invoice_is_the_ledger(session, course_id)


def test_a_cap_pauses_the_run_before_the_call_that_might_pass_it_and_a_higher_one_finishes_it(
    agents: Services, paid: Settings, server: ScriptedOpenAI, tmp_path: Path
) -> None:
    terse = AgentAuthor(model_at(server, most_tokens=300), StoredCalls(agents.storage))
    agents = dataclasses.replace(agents, author=terse)
    course_id, cap = begin(agents, tmp_path), 2_600  # its longest questions might cost 2,500
    with both_lanes(agents):
        eventually(lambda: moved_on(agents, course_id, CourseState.PLANNED), 120)
        with session_scope(agents.engine) as session:
            course = session.get_one(Course, course_id)
            run = start_generate(
                session, course, session.get_one(User, course.owner_id), film=False, settings=paid, cap=cap
            )
            run_id = run.id
        eventually(lambda: "the cap of $0.0026" in paused_because(agents, run_id), 120)
        with session_scope(agents.engine) as session:
            run = session.get_one(Run, run_id)
            assert 0 < run.spent_micro_dollars <= cap
            assert run.reserved_micro_dollars <= cap - run.spent_micro_dollars, "no more is held than may be spent"
            go_on(session, run, paid, cap=1_000_000)
        eventually(lambda: state(agents, course_id) == CourseState.READY, 120)
    with session_scope(agents.engine) as session:
        assert_the_invoice_is_the_ledger(session, course_id)


def moved_on(services: Services, course_id: uuid.UUID, to: CourseState) -> bool:  # noqa: F811
    """Start what comes next until the course has come so far."""
    with session_scope(services.engine) as session:
        if session.get_one(Course, course_id).state == to:
            return True
        advance(session, course_id, film=False)
    return False


def paused_because(services: Services, run_id: uuid.UUID) -> str:  # noqa: F811
    with session_scope(services.engine) as session:
        return session.get_one(Run, run_id).paused_because


def assert_the_invoice_is_the_ledger(session: Session, course_id: uuid.UUID) -> None:
    """Runs, lessons and agents of the invoice sum up to the ledger, to the runs, and to the owner's month."""
    bills = course_invoice(session, course_id)
    by_kind = {bill.kind: bill for bill in bills}
    assert set(by_kind) == {"plan", "generate"}
    titles = {lesson.title for lesson in lessons_of(session, course_id)}
    assert {lesson.title for lesson in by_kind["generate"].lessons} == titles
    agents = {item.what.split(" (")[0] for lesson in by_kind["generate"].lessons for item in lesson.items}
    assert agents == {"researcher", "writer", "storyboarder", "quiz_master", "critic"}
    billed = sum(bill.micro_dollars for bill in bills)
    assert billed == session.scalar(
        select(func.sum(LedgerEntry.micro_dollars)).where(LedgerEntry.course_id == course_id)
    )
    assert billed == session.scalar(select(func.sum(Run.spent_micro_dollars)).where(Run.course_id == course_id))
    owner = session.get_one(Course, course_id).owner_id
    month = months_with_bills(session, owner)[0]
    assert billed == sum(bill.micro_dollars for bill in month_bills(session, owner, month))
    purse = session.get_one(Budget, (f"user:{owner}", f"{month:%Y-%m}"))
    assert billed == purse.spent_micro_dollars


def test_the_sample_course_is_written_without_a_model_whatever_the_settings_say(
    agents: Services, server: ScriptedOpenAI, tmp_path: Path
) -> None:
    course_id = begin(agents, tmp_path)
    with session_scope(agents.engine) as session:
        session.get_one(Course, course_id).sample = True
    with both_lanes(agents):
        carry(agents, course_id, film=False)
    assert state(agents, course_id) == CourseState.READY
    assert server.calls() == 0


def test_an_account_without_credit_pauses_the_run_and_it_goes_on(
    agents: Services, server: ScriptedOpenAI, tmp_path: Path
) -> None:
    course_id = begin(agents, tmp_path)
    server.always = NO_QUOTA
    with both_lanes(agents):
        with pytest.raises(Paused, match="no credit"):
            carry(agents, course_id, film=False)
        server.always = OK
        with session_scope(agents.engine) as session:
            paused = session.scalars(select(Run).where(Run.course_id == course_id, Run.kind == "plan")).one()
            assert session.scalars(select(Job.attempt).where(Job.kind == "plan")).one() == 0
            assert jobs.resume(session, paused.id)
        carry(agents, course_id, film=False)
    assert state(agents, course_id) == CourseState.READY


def test_a_refused_key_fails_by_name_and_costs_nothing(
    agents: Services, server: ScriptedOpenAI, tmp_path: Path
) -> None:
    course_id = begin(agents, tmp_path)
    server.always = refused(401)
    with both_lanes(agents), pytest.raises(BadInput, match="Check OPENAI_API_KEY"):
        carry(agents, course_id, film=False)
    assert server.calls() == 1
    assert not ledger(agents)


def test_while_the_breaker_is_open_the_model_is_not_asked_and_no_attempt_is_used(
    agents: Services, server: ScriptedOpenAI, tmp_path: Path
) -> None:
    course_id = begin(agents, tmp_path)
    with session_scope(agents.engine) as session:
        until = datetime.now(UTC) + timedelta(hours=1)
        session.add(ProviderHealth(provider="openai chat", opened=1, open_until=until))
    stop = threading.Event()
    driver = threading.Thread(target=drive, args=(agents, course_id, stop))
    with both_lanes(agents):
        driver.start()
        eventually(lambda: "left alone" in errors(agents), 60)
        stop.set()
        driver.join()
    assert server.calls() == 0
    with session_scope(agents.engine) as session:
        assert session.scalars(select(Job.attempt).where(Job.kind == "plan")).one() == 0


def errors(services: Services) -> str:  # noqa: F811
    with session_scope(services.engine) as session:
        return " ".join(session.scalars(select(Job.error).where(Job.kind == "plan")))


def state(services: Services, course_id: uuid.UUID) -> CourseState:  # noqa: F811
    with session_scope(services.engine) as session:
        return CourseState(session.get_one(Course, course_id).state)


def drive(services: Services, course_id: uuid.UUID, stop: threading.Event) -> None:  # noqa: F811
    """Start what comes next until told to stop, as the site's pages do for people."""
    while not stop.is_set():
        with session_scope(services.engine) as session:
            if advance(session, course_id, film=False) is None:
                return
        stop.wait(0.1)


def work(settings: Settings) -> subprocess.Popen[bytes]:
    """The author lane in a process of its own, as it ships."""
    return subprocess.Popen([sys.executable, "-m", "service", "work"], env=child_environment(settings))


def eventually(holds: Callable[[], bool], seconds: float) -> None:
    ends = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < ends, "it did not come true in time"
        time.sleep(0.05)
