"""`coursewright check`: whatever is tampered with in a course folder, the gate that guards it goes red."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from service.__main__ import main
from service.commands.check import check
from service.domain.course_folder import CourseFile, CourseLock, FolderLesson, SourceFile, lesson_folders
from service.errors import BadInput
from service.pipeline import folder_check
from service.pipeline.film_check import Caption, caption_faults, captions_of, film_faults, hard_to_read, pace_of
from service.pipeline.lesson_markdown import lesson_markdown
from tests.domain.handmade_course import HIVE, SHA, SOURCE, documents
from tests.pipeline.tiny_film import film_files, poster, shoot

LESSON = "lessons/01-what-a-hive-is"


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sound course folder, written without the database."""
    folder = tmp_path_factory.mktemp("sound") / "course"
    made = documents()
    names = lesson_folders(taught.lesson.title for taught in made.lessons)
    (folder / "sources").mkdir(parents=True)
    (folder / "sources" / f"{SHA}.txt").write_bytes(SOURCE.encode())
    course = CourseFile(
        title="Keeping bees",
        brief=made.brief,
        plan=made.plan,
        video=True,
        sources=(SourceFile(name="bees.md", sha256=SHA),),
        lessons=tuple(
            FolderLesson(folder=name, seconds=2.0, text=taught.lesson)
            for name, taught in zip(names, made.lessons, strict=True)
        ),
    )
    (folder / "course.json").write_text(course.model_dump_json(), encoding="utf-8")
    (folder / "course.lock").write_text(CourseLock(author="extractive").model_dump_json(), encoding="utf-8")
    for name, taught in zip(names, made.lessons, strict=True):
        place = folder / "lessons" / name
        film_files(place)
        (place / "lesson.md").write_text(lesson_markdown(taught.lesson, {SHA: "bees.md"}), encoding="utf-8", newline="")
        assert taught.storyboard is not None
        assert taught.quiz is not None
        (place / "storyboard.json").write_text(taught.storyboard.model_dump_json(), encoding="utf-8")
        (place / "quiz.json").write_text(taught.quiz.model_dump_json(), encoding="utf-8")
    return folder


@pytest.fixture
def folder(sound: Path, tmp_path: Path) -> Path:
    return shutil.copytree(sound, tmp_path / "course")


def failed(folder: Path) -> set[str]:
    return {one.id for one in check(folder).failed}


def edit(path: Path, change: Callable[[Any], object]) -> None:
    document = json.loads(path.read_bytes())
    change(document)
    path.write_text(json.dumps(document), encoding="utf-8")


def first_claim(course: dict[str, Any]) -> dict[str, Any]:
    claims: list[dict[str, Any]] = course["lessons"][0]["text"]["blocks"][1]["claims"]
    return claims[0]


def test_a_sound_folder_passes_and_says_so(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(folder)]) == 0
    said = capsys.readouterr().out
    assert "cites equal their source" in said
    assert "0 failed" in said


def test_the_json_report_holds_every_check(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(folder), "--json"]) == 0
    checks = json.loads(capsys.readouterr().out)["checks"]
    assert {"files", "cites", "claims", "quiz", "films", "captions", "P1", "P6-overlap"} <= {
        one["id"] for one in checks
    }


def test_one_flipped_character_in_a_source_is_found(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder / "sources" / f"{SHA}.txt"
    path.write_bytes(path.read_bytes().replace(b"20 kilograms", b"30 kilograms"))
    assert failed(folder) == {"sources", "cites"}
    assert main(["check", str(folder)]) == 1
    assert "FAIL" in capsys.readouterr().out


def test_translated_line_ends_are_found(folder: Path) -> None:
    path = folder / "sources" / f"{SHA}.txt"
    path.write_bytes(path.read_bytes().replace(b"\r\n", b"\n"))
    assert failed(folder) == {"sources", "cites"}


def test_a_cite_shifted_by_one_is_found(folder: Path) -> None:
    def shift(course: dict[str, Any]) -> None:
        cite = first_claim(course)["cites"][0]
        cite["start"], cite["end"] = cite["start"] + 1, cite["end"] + 1

    edit(folder / "course.json", shift)
    assert failed(folder) == {"cites"}


def test_a_fact_that_lost_its_cite_is_found(folder: Path) -> None:
    edit(folder / "course.json", lambda course: first_claim(course).update(cites=[]))
    assert failed(folder) == {"claims", "support"}


def test_an_unsupported_claim_is_found(folder: Path) -> None:
    edit(folder / "course.json", lambda course: first_claim(course).update(state="unsupported"))
    assert failed(folder) == {"support"}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda item: item["options"][1].pop("rationale"),
        lambda item: item["options"][1].update(rationale=""),
        lambda item: item.update(key=[4]),
        lambda item: item.update(key=[1]),
    ],
    ids=["dropped rationale", "empty rationale", "key out of range", "key against its cite"],
)
def test_a_spoiled_question_is_found(folder: Path, spoil: Callable[[dict[str, Any]], object]) -> None:
    edit(folder / LESSON / "quiz.json", lambda quiz: spoil(quiz["items"][0]))
    assert failed(folder) == {"quiz"}


def test_a_storyboard_that_cannot_be_filmed_is_found(folder: Path) -> None:
    edit(folder / LESSON / "storyboard.json", lambda board: board["scenes"][0].update(kind="fireworks"))
    assert failed(folder) == {"storyboards"}


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_truncated_video_is_found(folder: Path, share: float) -> None:
    path = folder / LESSON / "video.mp4"
    body = path.read_bytes()
    path.write_bytes(body[: int(len(body) * share)])
    assert failed(folder) == {"films"}


def test_a_video_whose_sound_ends_early_is_found(folder: Path) -> None:
    shoot(folder / LESSON / "video.mp4", 2.0, sound_seconds=1.5)
    found = check(folder).check("films")
    assert found.outcome == "fail"
    assert "of sound" in found.where[0]


def test_a_video_of_another_length_than_promised_is_found(folder: Path) -> None:
    shoot(folder / LESSON / "video.mp4", 3.0)
    assert failed(folder) == {"films"}


def test_a_poster_that_is_no_picture_is_found(folder: Path) -> None:
    (folder / LESSON / "poster.jpg").write_bytes(b"not a picture")
    assert failed(folder) == {"films"}


def test_captions_that_outlast_the_video_are_found(folder: Path) -> None:
    (folder / LESSON / "captions.vtt").write_text("WEBVTT\n\n00:00.000 --> 00:09.000\nToo long.\n", encoding="utf-8")
    assert failed(folder) == {"captions"}


@pytest.mark.parametrize("name", ["video.mp4", "lesson.md", "quiz.json", "storyboard.json", "transcript.md"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / LESSON / name).unlink()
    assert f"{LESSON}/{name} is missing" in check(folder).check("files").where


def test_an_edited_lesson_text_is_warned_of(folder: Path) -> None:
    path = folder / LESSON / "lesson.md"
    path.write_text(path.read_text(encoding="utf-8").replace("bees", "wasps"), encoding="utf-8", newline="")
    assert check(folder).check("text").outcome == "warn"
    assert not check(folder).failed


def test_films_that_nobody_can_look_at_are_a_warning_not_silence(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(folder_check, "can_decode", lambda: False)
    (folder / LESSON / "video.mp4").write_bytes(b"broken")
    assert check(folder).check("films").outcome == "unchecked"
    assert main(["check", str(folder)]) == 0
    assert "PyAV is not installed here" in capsys.readouterr().out


def test_a_course_without_videos_needs_none(folder: Path) -> None:
    for name in ("video.mp4", "captions.vtt", "chapters.vtt", "transcript.md", "poster.jpg"):
        for place in (folder / "lessons").iterdir():
            (place / name).unlink()
    edit(folder / "course.json", lambda course: course.update(video=False))
    report = check(folder)
    assert not report.failed
    assert "films" not in {one.id for one in report.checks}


def test_what_is_no_course_folder_gets_one_clear_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "course.json").write_text("{}")
    for name in ("nowhere", "file", ".", "broken"):
        assert main(["check", str(tmp_path / name)]) == 2
        said = capsys.readouterr().err
        assert said.count("\n") == 1
        assert "Traceback" not in said


def test_a_lesson_folder_cannot_lead_outside(folder: Path) -> None:
    edit(folder / "course.json", lambda course: course["lessons"][0].update(folder="../../etc"))
    with pytest.raises(BadInput, match="folder"):
        check(folder)


def test_quoted_words_are_never_taken_for_terminal_markup(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(folder / "course.json", lambda course: first_claim(course).update(text="[bold]x[/nonsense]", cites=[]))
    assert main(["check", str(folder)]) == 1
    assert "[bold]x[/nonsense]" in capsys.readouterr().out


def test_captions_are_read_with_and_without_hours_and_numbers(tmp_path: Path) -> None:
    path = tmp_path / "a.vtt"
    path.write_text(
        "WEBVTT\n\nNOTE hello\n\n1\n00:01.000 --> 00:02.500\n<v Ann>Bees\nfly\n\n01:00:00.000 --> 01:00:01.000\nOn\n",
        encoding="utf-8",
    )
    assert captions_of(path) == [Caption(1.0, 2.5, ("Bees", "fly")), Caption(3600.0, 3601.0, ("On",))]
    path.write_text("1\n00:01,000 --> 00:02,000\nThis is SubRip\n", encoding="utf-8")
    with pytest.raises(ValueError, match="WEBVTT"):
        captions_of(path)


def test_captions_must_go_forward_and_last() -> None:
    assert list(caption_faults([], 2.0)) == ["holds no captions"]
    back = [Caption(1.0, 2.0, ("a",)), Caption(0.5, 0.5, ("b",))]
    assert [fault[:10] for fault in caption_faults(back, 2.0)] == ["goes back ", "has a capt"]


def test_captions_that_are_too_fast_or_too_tall_are_named() -> None:
    assert list(hard_to_read([Caption(0.0, 1.0, ("x" * 17,))])) == []
    assert "18 characters" in next(hard_to_read([Caption(0.0, 1.0, ("x" * 18,))]))
    assert "3 lines" in next(hard_to_read([Caption(0.0, 9.0, ("a", "b", "c"))]))


def test_pace_counts_the_pauses_between_captions() -> None:
    spoken = [Caption(0.0, 20.0, ("word " * 75,)), Caption(40.0, 60.0, ("word " * 75,))]
    assert pace_of(spoken) == pytest.approx(150)
    assert pace_of([]) == 0.0


def test_a_film_without_sound_is_found(tmp_path: Path) -> None:
    poster(tmp_path / "poster.jpg")
    shutil.copy(tmp_path / "poster.jpg", tmp_path / "video.mp4")
    assert any("sound track" in fault for fault in film_faults(tmp_path, 1.0))


def test_the_quote_of_the_sample_stands_in_its_source() -> None:
    assert HIVE in SOURCE
