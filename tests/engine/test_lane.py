"""The lane's loop, in this process where that tells enough, and in real ones that are stopped and killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url, text

from service.db import events, jobs, money
from service.db.guarded import paid_speech
from service.db.lane import DONE, HUNG, Handler, Task, run_lane
from service.db.orphans import free_orphans, worker_name
from service.db.shift import Shift
from service.db.tables import JobState, RunState
from service.errors import BadInput, Broken, Canceled, Fenced, Paused, Resting, Throttled, Unavailable
from service.ports import Spoken
from service.settings import ROOT, Settings
from tests.engine.desk import AT_ONCE, Desk

Work = Callable[..., int]
Spawn = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def work(desk: Desk, settings: Settings) -> Work:
    """Run the author lane in this process until nothing is left."""

    def run(handlers: Mapping[str, Handler], stop: threading.Event | None = None, **changes: object) -> int:
        quick = settings.model_copy(update={"idle_exit_seconds": 0.2, "poll_seconds": 0.02, **changes})
        given = stop or threading.Event()
        return run_lane(desk.engine, "author", handlers, settings=quick, stop=given, backoff=AT_ONCE)

    return run


@pytest.mark.parametrize(("name", "said"), [("template1", "launches"), ("nothing", "nothing")])
def test_a_database_that_is_not_ours_ends_the_worker_with_one_sentence(
    database: str, settings: Settings, name: str, said: str
) -> None:
    engine = create_engine(make_url(database).set(database=name))
    with pytest.raises(Broken, match=f"cannot be used: .*{said}.*coursewright migrate"):
        run_lane(engine, "author", {}, settings=settings, stop=threading.Event())
    engine.dispose()


@pytest.fixture
def spawn(database: str, tmp_path: Path) -> Iterator[Spawn]:
    started: list[subprocess.Popen[str]] = []

    def start(lease: float = 1.0, deadline: float = 60.0) -> subprocess.Popen[str]:
        arguments = [database, str(lease), str(deadline), str(tmp_path / "done")]
        command = [sys.executable, "-m", "tests.engine.worker_process", *arguments]
        worker = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        started.append(worker)
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
        return worker

    yield start
    for worker in started:
        worker.kill()
        worker.wait()
        assert worker.stdout is not None
        worker.stdout.close()


def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come in time"
        time.sleep(0.02)


# --- what a handler may rely on ---


def test_a_finished_step_is_reused_when_the_handler_fails_later(desk: Desk, work: Work) -> None:
    run_id, calls = desk.run(), []
    desk.enqueue(run_id, kind="k", units=2)

    def handler(task: Task) -> None:
        calls.append("try")
        assert task.step("one", "key", lambda: calls.append("one") or {"n": 1}) == {"n": 1}
        if calls.count("try") == 1:
            raise Unavailable("The provider is away.")

    assert work({"k": handler}) == DONE
    assert calls == ["try", "one", "try"]
    assert desk.run_row(run_id).state == RunState.SUCCEEDED


def test_a_step_with_another_input_is_done_anew(desk: Desk, work: Work) -> None:
    desk.enqueue(desk.run(), kind="k")
    results = []

    def handler(task: Task) -> None:
        for key in ("a", "b"):
            results.append(task.step("one", key, lambda key=key: key * 3))

    work({"k": handler})
    assert results == ["aaa", "bbb"]


@pytest.mark.parametrize(
    ("error", "attempts", "message"),
    [
        (BadInput("There is nothing to teach."), 1, "There is nothing to teach."),
        (Unavailable("The provider is away."), 3, "The provider is away."),
        (KeyError("x"), 3, "The work failed unexpectedly (KeyError). The log of the author lane says more."),
    ],
)
def test_an_error_is_tried_again_only_if_that_may_help(
    desk: Desk, work: Work, error: Exception, attempts: int, message: str
) -> None:
    run_id, calls = desk.run(), []
    job_id = desk.enqueue(run_id, kind="k")

    def handler(task: Task) -> None:
        calls.append(task.claim.attempt)
        raise error

    work({"k": handler})
    assert calls == list(range(1, attempts + 1))
    assert (desk.job(job_id).state, desk.job(job_id).error) == (JobState.DEAD, message)
    assert desk.run_row(run_id).state == RunState.FAILED


def test_a_kind_that_nobody_handles_is_dead_and_does_not_stop_the_lane(desk: Desk, work: Work) -> None:
    run_id = desk.run()
    unknown, known = desk.enqueue(run_id, kind="?", priority=1), desk.enqueue(run_id, kind="k", priority=2)
    work({"k": lambda _: None})
    assert (desk.job(unknown).state, desk.job(known).state) == (JobState.DEAD, JobState.SUCCEEDED)


def test_progress_is_told_twice_a_second_at_most_and_belongs_to_the_lesson(desk: Desk, work: Work) -> None:
    run_id, lesson_id = desk.run(), desk.lesson()
    desk.enqueue(run_id, kind="k", subject_id=lesson_id, units=2)

    def write(task: Task) -> None:
        for n in range(1000):
            task.say(f"Sentence {n}", n / 1000)

    work({"k": lambda task: task.step("one", "key", lambda: write(task), what="Writing", lesson_id=lesson_id)})
    told = [event.data for event in desk.events(run_id)]
    assert told[0] == {"what": "Writing", "percent": 0, "spent": 0, "lesson_id": str(lesson_id)}
    assert told[1] == {"what": "Sentence 999", "percent": 50, "spent": 0, "lesson_id": str(lesson_id)}
    assert len(told) <= 5


def test_what_is_committed_with_the_task_is_fenced(desk: Desk, work: Work) -> None:
    run_id = desk.run()
    desk.enqueue(run_id, kind="k")
    refused: list[BaseException] = []

    def handler(task: Task) -> None:
        if task.claim.attempt > 1:
            return
        desk.lease_runs_out()
        desk.claimed("other")
        try:
            task.commit(lambda session: events.say(session, run_id, "progress", {"what": "too late"}))
        except Fenced as error:
            refused.append(error)
            raise
        finally:
            desk.lease_runs_out()

    work({"k": handler})
    assert refused
    assert "too late" not in str([event.data for event in desk.events(run_id)])


def test_a_stopped_run_stops_its_handler_at_the_next_word(desk: Desk, work: Work) -> None:
    run_id, heard = desk.run(), []
    job_id = desk.enqueue(run_id, kind="k")

    def handler(task: Task) -> None:
        desk.do(lambda session: jobs.request_cancel(session, run_id))
        try:
            task.say("Still here")
        except Canceled:
            heard.append(True)
            raise

    work({"k": handler})
    assert heard
    assert desk.job(job_id).state == JobState.CANCELED
    assert desk.run_row(run_id).state == RunState.CANCELED


def test_a_handler_with_nothing_to_say_learns_of_the_stop_from_the_renewal(desk: Desk, work: Work) -> None:
    run_id = desk.run()
    desk.enqueue(run_id, kind="k")

    def handler(task: Task) -> None:
        desk.do(lambda session: jobs.request_cancel(session, run_id))
        end = time.monotonic() + 20.0
        while time.monotonic() < end:  # `advance` does not ask the run itself
            task.advance(1)
            time.sleep(0.05)
        pytest.fail("it never learned")

    work({"k": handler}, lease_seconds=0.6)
    assert desk.run_row(run_id).state == RunState.CANCELED


def test_the_lease_is_renewed_while_a_handler_works_longer_than_it(desk: Desk, work: Work) -> None:
    desk.enqueue(desk.run(), kind="k")
    stolen = []

    def handler(task: Task) -> None:
        for _ in range(25):
            time.sleep(0.1)
            stolen.append(desk.claim("thief"))

    work({"k": handler}, lease_seconds=1.5)
    assert stolen == [None] * 25


def test_a_step_beyond_its_deadline_fails_and_is_tried_again(desk: Desk, work: Work) -> None:
    job_id = desk.enqueue(desk.run(), kind="k")
    attempts = []

    def handler(task: Task) -> None:
        attempts.append(task.claim.attempt)
        if task.claim.attempt == 1:
            time.sleep(0.8)
            task.say("Done at last")

    work({"k": handler}, step_deadline_seconds=0.3)
    assert attempts == [1, 2]
    assert desk.job(job_id).state == JobState.SUCCEEDED


# --- waiting without using an attempt ---


@pytest.mark.parametrize(
    ("error", "attempts"),
    [
        (Resting("The voice rests. It is tried again in 0 s.", 0.01), [1, 1, 1, 1, 1]),
        (Throttled("Too many. Wait.", 0.01), [1, 2, 3]),
    ],
)
def test_a_provider_that_rests_costs_no_attempt_and_one_that_refuses_does(
    desk: Desk, work: Work, error: Exception, attempts: list[int]
) -> None:
    desk.enqueue(desk.run(), kind="k")
    seen: list[int] = []

    def handler(task: Task) -> None:
        seen.append(task.claim.attempt)
        if len(seen) < 5:
            raise error

    work({"k": handler})
    assert seen == attempts


def test_a_job_rests_as_long_as_the_provider_asked(desk: Desk, work: Work) -> None:
    job_id = desk.enqueue(desk.run(), kind="k")

    def handler(_: Task) -> None:
        raise Throttled("Too many. Wait.", 300.0)

    work({"k": handler})
    assert desk.job(job_id).state == JobState.QUEUED
    assert desk.scalar("SELECT extract(epoch FROM run_after - now()) FROM jobs") > 280


def test_a_quota_that_is_used_up_pauses_the_run_and_says_why(desk: Desk, work: Work) -> None:
    run_id = desk.run()
    job_id = desk.enqueue(run_id, kind="k")
    calls = []

    def handler(_: Task) -> None:
        calls.append(1)
        if len(calls) == 1:
            raise Paused("The quota of the key is used up. Add credit, then go on.")

    work({"k": handler})
    assert (desk.job(job_id).state, desk.job(job_id).attempt) == (JobState.QUEUED, 0)
    assert desk.run_row(run_id).paused_because == "The quota of the key is used up. Add credit, then go on."
    assert desk.events(run_id)[-1].data["what"].startswith("The quota of the key")
    desk.do(lambda session: jobs.resume(session, run_id))
    work({"k": handler})
    assert desk.run_row(run_id).state == RunState.SUCCEEDED


def test_a_run_that_has_spent_its_purse_is_paused_before_its_next_step_and_loses_no_finished_one(
    desk: Desk, work: Work
) -> None:
    run_id, done = desk.run(), []
    desk.enqueue(run_id, kind="k", units=3)

    def handler(task: Task) -> None:
        for name in ("one", "two", "three"):

            def pay(name: str = name) -> str:
                task.spend("tokens", 1, "token", 600_000)
                done.append(name)
                return name

            task.step(name, "key", pay)

    work({"k": handler}, user_day_usd=Decimal(1))
    assert done == ["one", "two"], "one step more than the cap"
    assert "USER_DAY_USD" in desk.run_row(run_id).paused_because
    desk.do(lambda session: jobs.resume(session, run_id))
    work({"k": handler}, user_day_usd=Decimal(2))
    assert done == ["one", "two", "three"]
    assert desk.run_row(run_id).spent_micro_dollars == 1_800_000


def test_a_step_that_was_paid_for_is_saved_although_spending_was_stopped_meanwhile(desk: Desk, work: Work) -> None:
    run_id = desk.run()
    job_id = desk.enqueue(run_id, kind="k", units=2)
    done = []

    def handler(task: Task) -> None:
        def pay() -> str:
            desk.do(lambda session: money.stop_spending(session, "Enough."))
            time.sleep(0.5)  # a renewal learns of it
            task.say("Still at it")
            task.spend("tokens", 1, "token", 7)
            return "paid"

        done.append(task.step("one", "key", pay))
        task.step("two", "key", lambda: done.append("two"))

    work({"k": handler}, lease_seconds=0.3)
    assert done == ["paid"]
    assert desk.run_row(run_id).spent_micro_dollars == 7
    assert (desk.job(job_id).state, desk.job(job_id).attempt) == (JobState.QUEUED, 0)
    assert desk.run_row(run_id).paused_because == "", "the switch stops it, not a pause of its own"


def test_a_handler_without_steps_hears_of_a_stop_where_it_reports(desk: Desk, work: Work) -> None:
    run_id = desk.run()
    job_id = desk.enqueue(run_id, kind="k")

    def handler(task: Task) -> None:
        desk.do(lambda session: jobs.pause(session, run_id, "Paused by Ada."))
        while True:
            task.say("Filming")
            time.sleep(0.05)

    work({"k": handler}, lease_seconds=0.3)
    assert (desk.job(job_id).state, desk.job(job_id).attempt) == (JobState.QUEUED, 0)


def test_a_paid_voice_is_settled_sentence_by_sentence_and_none_is_begun_without_money(desk: Desk, work: Work) -> None:
    run_id, asked = desk.run(), []
    desk.enqueue(run_id, kind="k")

    class Voice:
        voice = "openai:tts-1/coral"

        def say(self, text: str) -> Spoken:
            asked.append(text)
            return Spoken(b"\0\0", 24_000)

        def close(self) -> None:
            """Nothing stays open."""

    def handler(task: Task) -> None:
        speech = paid_speech(Voice(), task.pay)
        for sentence in ("a" * 1000, "a" * 1000, "b" * 1000, "c" * 1000):
            speech.say(sentence)

    work({"k": handler}, site_month_usd=Decimal("0.03"))
    assert [text[0] for text in asked] == ["a", "a", "b"]
    assert desk.scalar("SELECT array_agg(micro_dollars) FROM ledger") == [15_000, 15_000], (
        "the same sentence costs once"
    )
    assert "SITE_MONTH_USD" in desk.run_row(run_id).paused_because


# --- a task of a platform ---


def result_of(output: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(output.splitlines()[-1])
    return found


def test_a_task_ends_with_one_line_that_says_what_it_did_and_what_it_cost(
    desk: Desk, work: Work, capsys: pytest.CaptureFixture[str]
) -> None:
    for error in (None, BadInput("There is nothing to teach."), Paused("Wait.")):
        desk.enqueue(desk.run(), kind="ok" if error is None else type(error).__name__)

    def broken(task: Task) -> None:
        raise {"BadInput": BadInput("There is nothing."), "Paused": Paused("Wait.")}[task.claim.kind]

    handlers = {"ok": lambda _: time.sleep(0.05), "BadInput": broken, "Paused": broken}
    assert work(handlers, task_timeout_seconds=600.0, task_cpu=2.0, task_memory_mib=4096) == DONE
    told = result_of(capsys.readouterr().out)
    assert (told["lane"], told["done"], told["failed"], told["handed_back"]) == ("author", 1, 1, 1)
    assert told["exit_code"] == DONE
    assert 0.05 <= told["busy_seconds"] <= told["seconds"]
    assert told["micro_dollars"] == pytest.approx(told["seconds"] * 44, abs=1)


def test_a_laptops_worker_does_not_speak_into_the_terminal(
    desk: Desk, work: Work, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    desk.enqueue(desk.run(), kind="ok")
    with caplog.at_level("INFO"):
        work({"ok": lambda _: None})
    assert capsys.readouterr().out == ""
    assert '"done": 1' in caplog.text


def test_a_task_takes_no_job_when_little_time_is_left_and_hands_the_running_one_back(desk: Desk, work: Work) -> None:
    run_id, seen = desk.run(), []
    for _ in range(2):
        desk.enqueue(run_id, kind="k")

    def handler(task: Task) -> None:
        seen.append(task.claim.attempt)
        while True:
            time.sleep(0.02)
            task.may_spend()

    assert work({"k": handler}, task_timeout_seconds=6.0) == DONE
    assert seen == [1]
    assert desk.scalar("SELECT count(*) FROM jobs WHERE state = 'queued' AND attempt = 0") == 2


def test_an_idle_worker_stays_while_an_editor_is_open_but_not_longer_than_it_may(desk: Desk, work: Work) -> None:
    def stayed(open_for: str, linger: float) -> float:
        opened = text(f"UPDATE courses SET editor_until = now() + interval '{open_for}'")
        desk.do(lambda session: session.execute(opened))
        began = time.monotonic()
        assert work({}, linger_seconds=linger) == DONE
        return time.monotonic() - began

    assert stayed("1 hour", 1.5) >= 1.5
    short = min(stayed("-1 s", 3600.0), stayed("1 hour", 0.0))
    assert short < 60, "an hour of lingering was not asked for"


def test_the_time_of_lingering_counts_over_the_whole_shift(desk: Desk, settings: Settings) -> None:
    lingering = settings.model_copy(update={"idle_exit_seconds": 1.0, "linger_seconds": 10.0})
    shift = Shift("author", lingering)
    opened = text("UPDATE courses SET editor_until = now() + interval '1 hour'")
    desk.do(lambda session: session.execute(opened))
    for idle, home in ((0.5, False), (5.0, False), (8.0, True)):
        shift.idle_since = time.monotonic() - idle
        assert shift.goes_home(desk.engine) is home, f"4 s were lingered before, {idle} s idle now"
        if idle == 5.0:
            shift.taken()
    assert 3.9 < shift.lingered_seconds < 5


# --- processes ---


def test_a_hung_worker_takes_the_processes_under_it_along(desk: Desk, spawn: Spawn, tmp_path: Path) -> None:
    desk.enqueue(desk.run(), kind="with a child")
    assert spawn(lease=60.0, deadline=0.5).wait(40) == HUNG
    child = int((tmp_path / "done").read_text())
    until(lambda: not Path(f"/proc/{child}").exists() or "Z" in Path(f"/proc/{child}/stat").read_text().split()[2])


def test_a_worker_that_is_killed_is_continued_and_no_finished_step_is_redone(
    desk: Desk, spawn: Spawn, tmp_path: Path
) -> None:
    run_id = desk.run()
    desk.enqueue(run_id, kind="killed", units=4)
    assert spawn().wait(30) == -signal.SIGKILL
    assert (tmp_path / "done").read_text().split() == ["one", "two"]
    assert spawn().wait(30) == DONE
    assert (tmp_path / "done").read_text().split() == ["one", "two", "three", "four"]
    run = desk.run_row(run_id)
    assert (run.state, run.done, run.percent) == (RunState.SUCCEEDED, 4, 100)
    shown = [event.data["percent"] for event in desk.events(run_id)]
    assert shown == sorted(shown)


def test_a_worker_that_died_on_this_machine_is_replaced_without_waiting_for_its_lease(desk: Desk, spawn: Spawn) -> None:
    job_id = desk.enqueue(desk.run(), kind="killed", units=4)
    assert spawn(lease=3600.0).wait(30) == -signal.SIGKILL
    assert desk.job(job_id).state == JobState.RUNNING
    assert spawn(lease=3600.0).wait(30) == DONE
    assert desk.job(job_id).state == JobState.SUCCEEDED


def test_a_worker_that_lives_or_is_not_from_here_keeps_its_lease(desk: Desk) -> None:
    names = [worker_name(), "elsewhere:1:1:00", "w", worker_name().replace(f":{os.getpid()}:", ":4194305:")]
    run_id = desk.run()
    for name in names:
        desk.enqueue(run_id)
        desk.claimed(name)
    assert desk.do(free_orphans) == 1
    assert desk.claimed().attempt == 2
    assert desk.claim() is None


def test_a_job_that_kills_its_worker_stops_after_three_and_the_others_finish(desk: Desk, spawn: Spawn) -> None:
    run_id = desk.run()
    poison = desk.enqueue(run_id, kind="poison", priority=1)
    healthy = desk.enqueue(run_id, kind="steps", priority=2, units=4)
    codes = []
    while DONE not in codes:
        codes.append(spawn(lease=0.3).wait(30))
        assert len(codes) <= 6
        desk.lease_runs_out()
    assert desk.job(poison).state == JobState.DEAD
    assert desk.job(poison).attempt == 3
    assert desk.job(healthy).state == JobState.SUCCEEDED
    assert desk.run_row(run_id).state == RunState.FAILED


@pytest.mark.parametrize("kind", ["slow", "deaf"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_told_to_stop_hands_its_job_back_in_time(
    desk: Desk, spawn: Spawn, kind: str, number: signal.Signals
) -> None:
    job_id = desk.enqueue(desk.run(), kind=kind, units=4)
    worker = spawn(lease=60.0)
    until(lambda: desk.job(job_id).state == JobState.RUNNING)
    time.sleep(0.3)
    told = time.monotonic()
    worker.send_signal(number)
    until(lambda: desk.job(job_id).state == JobState.QUEUED, 3.0)
    assert time.monotonic() - told < 3.0
    assert worker.wait(5) == DONE
    assert desk.job(job_id).attempt == 0
    assert desk.claimed().attempt == 1


def test_a_handler_that_hangs_is_ended_with_its_process_and_tried_again(desk: Desk, spawn: Spawn) -> None:
    job_id = desk.enqueue(desk.run(), kind="hang")
    assert spawn(lease=60.0, deadline=0.5).wait(40) == HUNG
    assert desk.job(job_id).state == JobState.QUEUED
    assert "took longer" in desk.job(job_id).error
    assert spawn().wait(30) == DONE
    assert desk.job(job_id).state == JobState.SUCCEEDED


def test_an_idle_worker_stops_at_once(desk: Desk, spawn: Spawn) -> None:
    worker = spawn()
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(3) == DONE


def test_two_workers_share_the_jobs_and_each_is_done_once(desk: Desk, spawn: Spawn, tmp_path: Path) -> None:
    run_id = desk.run()
    for _ in range(6):
        desk.enqueue(run_id, kind="steps", units=4, subject_id=uuid.uuid4())
    workers = [spawn(), spawn()]
    assert [worker.wait(60) for worker in workers] == [DONE, DONE]
    assert len((tmp_path / "done").read_text().split()) == 24
    assert desk.run_row(run_id).state == RunState.SUCCEEDED
