"""The render lane's one handler: a lesson's storyboard becomes stored files, a row and an event, once."""

from __future__ import annotations

import subprocess
import sys
import threading
import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select

from renderer_job import film as film_module
from renderer_job.work import Studio, film_lesson, main, storyboard_sha256
from service.adapters.speech import open_speech
from service.db.lane import DONE, run_lane
from service.db.tables import JobState, Lesson, LessonState, Media, RunState
from service.domain.storyboard import BulletsScene, Cue, Storyboard, TitleScene
from service.ports import StorageService
from service.settings import ROOT, Settings, child_environment
from tests.engine.desk import AT_ONCE, Desk


def storyboard(title: str = "Knots that hold") -> Storyboard:
    return Storyboard(
        lesson_id="1",
        title=title,
        scenes=(
            TitleScene(id="a", title=title, cues=(Cue(text="A knot holds by friction."),)),
            BulletsScene(
                id="b", title="Two knots", items=("Bowline", "Clove hitch"), cues=(Cue(text="Here are two."),)
            ),
        ),
    )


def storyboarded(desk: Desk, title: str = "Knots that hold") -> uuid.UUID:
    lesson_id = desk.lesson()

    def draw(session: object) -> None:
        session.get_one(Lesson, lesson_id).storyboard = storyboard(title)  # type: ignore[attr-defined]

    desk.do(draw)
    return lesson_id


def ordered(desk: Desk, lesson_id: uuid.UUID) -> uuid.UUID:
    run_id = desk.run()
    desk.enqueue(run_id, kind="film", lane="render", subject_id=lesson_id, units=10)
    return run_id


@pytest.fixture
def render(desk: Desk, settings: Settings, storage: StorageService) -> Callable[[], int]:
    speech = open_speech("silent:", openai_api_key="", openai_base_url="", cache_dir=None)
    studio = Studio(storage, speech, settings.data_dir / "scratch")
    quick = settings.model_copy(update={"idle_exit_seconds": 0.2})

    def work() -> int:
        handlers = {"film": partial(film_lesson, studio)}
        return run_lane(desk.engine, "render", handlers, settings=quick, stop=threading.Event(), backoff=AT_ONCE)

    return work


def films(desk: Desk) -> list[Media]:
    return desk.do(lambda session: list(session.scalars(select(Media).order_by(Media.created_at))))


def lesson_row(desk: Desk, lesson_id: uuid.UUID) -> Lesson:
    return desk.do(lambda session: session.get_one(Lesson, lesson_id))


def test_a_lesson_is_filmed_stored_and_told_of(
    desk: Desk, render: Callable[[], int], storage: StorageService, settings: Settings
) -> None:
    lesson_id = storyboarded(desk)
    run_id = ordered(desk, lesson_id)
    assert render() == DONE
    media = films(desk)[0]
    assert media.storyboard_sha256 == storyboard_sha256(storyboard())
    assert media.film.seconds > 1
    assert storage.get(media.video_key, 4, 8) == b"ftyp"
    assert storage.get(media.captions_key).startswith(b"WEBVTT")
    assert storage.get(media.chapters_key).startswith(b"WEBVTT")
    assert storage.get(media.poster_key, 0, 2) == b"\xff\xd8"
    assert b"friction" in storage.get(media.transcript_key)
    assert lesson_row(desk, lesson_id).state == LessonState.COMPLETED
    run = desk.run_row(run_id)
    assert (run.state, run.done, run.percent) == (RunState.SUCCEEDED, 10, 100)
    told = [event.data for event in desk.events(run_id)]
    assert [data["lesson_state"] for data in told if "lesson_state" in data] == ["filming", "completed"]
    shown = [data["percent"] for data in told]
    assert shown == sorted(shown)
    assert list((settings.data_dir / "scratch").iterdir()) == []


def test_a_finished_film_tells_what_it_cost(
    desk: Desk, render: Callable[[], int], caplog: pytest.LogCaptureFixture
) -> None:
    run_id = ordered(desk, storyboarded(desk))
    with caplog.at_level("INFO", "renderer_job.work"):
        render()
    (cost,) = [event.data["filmed"] for event in desk.events(run_id) if "filmed" in event.data]
    seconds = films(desk)[0].film.seconds
    assert cost["video_seconds"] == pytest.approx(seconds, abs=0.001)
    assert cost["wall_seconds"] > 0
    assert cost["cpu_seconds"] > 0
    assert cost["render_seconds_per_video_minute"] == pytest.approx(60 * cost["wall_seconds"] / seconds, rel=0.01)
    (line,) = [record for record in caplog.records if getattr(record, "event", "") == "filmed"]
    assert line.__dict__["render_seconds_per_video_minute"] == cost["render_seconds_per_video_minute"]


def test_a_storyboard_that_was_filmed_before_is_not_filmed_again(
    desk: Desk, render: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    lesson_id = storyboarded(desk)
    ordered(desk, lesson_id)
    render()
    monkeypatch.setattr(film_module, "film", lambda *_: pytest.fail("filmed again"))
    run_id = ordered(desk, lesson_id)
    render()
    assert desk.run_row(run_id).state == RunState.SUCCEEDED
    assert len(films(desk)) == 1
    assert lesson_row(desk, lesson_id).state == LessonState.COMPLETED


def test_a_storyboard_that_is_edited_while_it_is_filmed_is_filmed_as_it_is_now(
    desk: Desk, render: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    lesson_id = storyboarded(desk)
    filmed, true_film = [], film_module.film

    def film(board: Storyboard, *rest: object) -> object:
        filmed.append(board.title)
        if len(filmed) == 1:
            desk.do(lambda session: setattr(session.get_one(Lesson, lesson_id), "storyboard", storyboard("Hitches")))
        return true_film(board, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(film_module, "film", film)
    ordered(desk, lesson_id)
    render()
    assert filmed == ["Knots that hold", "Hitches"]
    assert films(desk)[-1].storyboard_sha256 == storyboard_sha256(storyboard("Hitches"))
    assert lesson_row(desk, lesson_id).state == LessonState.COMPLETED


def test_a_lesson_without_a_storyboard_fails_with_the_reason(desk: Desk, render: Callable[[], int]) -> None:
    lesson_id = desk.lesson()
    run_id = ordered(desk, lesson_id)
    render()
    assert desk.run_row(run_id).state == RunState.FAILED
    assert lesson_row(desk, lesson_id).state == LessonState.FAILED
    assert "no storyboard" in lesson_row(desk, lesson_id).error


def test_the_render_process_films_and_ends_when_nothing_is_left(desk: Desk, settings: Settings) -> None:
    lesson_id = storyboarded(desk)
    run_id = ordered(desk, lesson_id)
    environment = child_environment(settings.model_copy(update={"idle_exit_seconds": 0.5}))
    command = [sys.executable, "-m", "renderer_job", "work"]
    done = subprocess.run(command, cwd=ROOT, env=environment, timeout=120, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (DONE, "")
    assert desk.run_row(run_id).state == RunState.SUCCEEDED
    assert desk.scalar("SELECT state FROM jobs") == JobState.SUCCEEDED


def test_the_render_process_refuses_arguments_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--lesson", "1"]) == 2
    assert "takes no arguments" in capsys.readouterr().err


def test_the_render_process_loads_no_web_framework_and_no_author() -> None:
    program = (
        "import sys, renderer_job.work; "
        "heavy = {'fastapi', 'autogen_core', 'qdrant_client', 'moviepy', 'alembic', 'google.cloud.storage'}; "
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], cwd=Path(ROOT), check=True)
