"""The course folder: complete or not there at all, byte-exact, and the same for the same course."""

from __future__ import annotations

import errno
import hashlib
import json
import stat
import uuid
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy.orm import Session

from service.db.plans import write_plan
from service.db.tables import Course, Lesson, Media, QuizItem, Source, SourceState, User
from service.domain.course_folder import CourseFile, CourseLock, lesson_folders, slug
from service.domain.report import Report
from service.domain.storyboard import Film
from service.errors import BadInput, NotFound, Unavailable
from service.pipeline.folder import write_folder
from service.ports import Services, StorageService
from service.settings import Settings
from tests.domain.handmade_course import FIRST, SHA, SOURCE, documents
from tests.pipeline.tiny_film import film_files

UPLOAD = "c" * 64
FILES = ("video.mp4", "captions.vtt", "chapters.vtt", "transcript.md", "poster.jpg")


def course_rows(session: Session, storage: StorageService, films: Path) -> Course:
    """The handmade course as rows, with one tiny film for each lesson."""
    made = documents()
    owner = User(id=uuid.uuid4(), email=f"{uuid.uuid4()}@example.org", name="Ada", password_hash="!")
    session.add(owner)
    session.flush()
    course = Course(id=uuid.uuid4(), owner_id=owner.id, title="Keeping bees", brief=made.brief)
    session.add(course)
    session.flush()
    write_plan(session, course, made.plan)
    storage.put(f"uploads/{UPLOAD}", SOURCE.encode(), "text/markdown")
    session.add(
        Source(
            course_id=course.id,
            position=1,
            name="bees.md",
            upload_key=f"uploads/{UPLOAD}",
            upload_bytes=len(SOURCE),
            state=SourceState.READY,
            sha256=SHA,
            title="Keeping bees",
            body=SOURCE,
            blocks=[],
            words=60,
        )
    )
    for taught in made.lessons:
        row = session.get_one(Lesson, uuid.UUID(taught.lesson.id))
        row.text, row.storyboard = taught.lesson, taught.storyboard
        items = taught.quiz.items if taught.quiz else ()
        session.add_all(QuizItem(lesson_id=row.id, position=n, document=item) for n, item in enumerate(items))
        session.add(media(row.id, storage, films))
    session.flush()
    return course


def media(lesson_id: uuid.UUID, storage: StorageService, films: Path) -> Media:
    keys = {}
    for name in FILES:
        keys[name] = f"media/{lesson_id}-{name}"
        storage.put(keys[name], films / name, "application/octet-stream")
    film = Film(lesson_id=str(lesson_id), seconds=2.0, voice="test-voice", segments=3, segments_reused=1)
    return Media(
        lesson_id=lesson_id,
        storyboard_sha256="d" * 64,
        film=film,
        video_key=keys["video.mp4"],
        captions_key=keys["captions.vtt"],
        chapters_key=keys["chapters.vtt"],
        transcript_key=keys["transcript.md"],
        poster_key=keys["poster.jpg"],
    )


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("films")
    film_files(place)
    return place


@pytest.fixture
def course(session: Session, storage: StorageService, films: Path) -> Course:
    return course_rows(session, storage, films)


@pytest.fixture
def services(storage: StorageService, settings: Settings) -> Services:
    """Only what the folder needs to know: where the films lie and who made them."""
    parts = {
        "storage": storage,
        "author": SimpleNamespace(name="extractive"),
        "speech": SimpleNamespace(voice="not-used"),
        "embedder": None,
        "contradiction": None,
        "settings": settings,
    }
    return cast(Services, SimpleNamespace(**parts))


Write = Callable[..., Path]


@pytest.fixture
def write(session: Session, services: Services, course: Course, tmp_path: Path) -> Write:
    def into(name: str = "course", *, video: bool = True) -> Path:
        write_folder(session, services, course, tmp_path / name, video=video)
        return tmp_path / name

    return into


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_folder_holds_exactly_the_promised_files(write: Write) -> None:
    lessons = [f"lessons/{name}" for name in ("01-what-a-hive-is", "02-opening-the-hive")]
    written = [
        f"{lesson}/{name}" for lesson in lessons for name in ("lesson.md", "storyboard.json", "quiz.json", *FILES)
    ]
    expected = {"course.json", "report.json", "course.lock", f"sources/{SHA}.txt", f"inputs/{UPLOAD}.md", *written}
    folder = write()
    assert set(tree(folder)) == expected
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755


def test_sources_keep_every_byte_of_the_extracted_text(write: Write) -> None:
    assert (write() / "sources" / f"{SHA}.txt").read_bytes() == SOURCE.encode()


def test_every_cite_in_the_folder_equals_its_source_byte_for_byte(write: Write) -> None:
    folder = write()
    text = (folder / "sources" / f"{SHA}.txt").read_bytes().decode()

    def cites(value: Any) -> list[dict[str, Any]]:
        if isinstance(value, dict):
            own = [value] if {"quote", "start", "end", "source"} <= set(value) else []
            return own + [found for inner in value.values() for found in cites(inner)]
        return [found for inner in value for found in cites(inner)] if isinstance(value, list) else []

    found = [cite for name, body in tree(folder).items() if name.endswith(".json") for cite in cites(json.loads(body))]
    assert len(found) == 21
    assert all(text[one["start"] : one["end"]] == one["quote"] for one in found)


def test_the_course_file_holds_brief_plan_and_every_lesson(write: Write) -> None:
    document = CourseFile.model_validate_json((write() / "course.json").read_bytes())
    assert document.brief.audience == "People with a garden"
    assert [entry.text.title for entry in document.lessons] == ["What a hive is", "Opening the hive"]
    assert [entry.seconds for entry in document.lessons] == [2.0, 2.0]
    assert document.plan.glossary[0].term == "hive"
    assert document.sources[0].name == "bees.md"


def test_the_lock_names_inputs_author_voice_and_packages(write: Write) -> None:
    lock = CourseLock.model_validate_json((write() / "course.lock").read_bytes())
    assert lock.inputs[0].sha256 == UPLOAD
    assert lock.inputs[0].text_sha256 == SHA
    assert (lock.author, lock.voice, lock.embedder, lock.theme) == ("extractive", "test-voice", "none", "light")
    assert "pillow" in lock.packages


def test_the_lock_keeps_the_hash_of_every_document_but_pictures_and_sound(write: Write) -> None:
    folder = write()
    lock = CourseLock.model_validate_json((folder / "course.lock").read_bytes())
    left_out = ("course.lock", "video.mp4", "poster.jpg", f"{UPLOAD}.md")
    kept = {name: body for name, body in tree(folder).items() if not name.endswith(left_out)}
    assert lock.documents == {name: hashlib.sha256(body).hexdigest() for name, body in kept.items()}
    assert any(name.endswith("captions.vtt") for name in lock.documents)


def test_the_lock_says_which_lessons_no_step_made(write: Write) -> None:
    lock = CourseLock.model_validate_json((write() / "course.lock").read_bytes())
    assert len(lock.edited) == 2
    assert "“What a hive is” is not as extractive made it" in lock.edited[0]


def test_the_report_in_the_folder_is_the_report_of_the_folder(write: Write) -> None:
    report = Report.model_validate_json((write() / "report.json").read_bytes())
    assert not report.failed
    assert report.check("films").figure == "2 of 2"


def test_two_writings_of_a_course_are_equal_byte_for_byte(write: Write) -> None:
    assert tree(write("one")) == tree(write("two"))


def test_without_video_the_folder_holds_no_media_and_still_passes(write: Write) -> None:
    folder = write(video=False)
    assert not [name for name in tree(folder) if name.endswith((".mp4", ".vtt", ".jpg"))]
    report = Report.model_validate_json((folder / "report.json").read_bytes())
    assert not report.failed


def test_lesson_markdown_numbers_its_cites_as_footnotes(write: Write) -> None:
    text = (write() / "lessons" / "01-what-a-hive-is" / "lesson.md").read_text(encoding="utf-8")
    start = SOURCE.index("A hive is")
    assert "**Hive**: A hive is a box that houses a colony of bees.[^1]" in text
    note = f"[^1]: bees.md, characters {start}–{start + 45}: “A hive is a box that houses a colony of bees.”"
    assert note in text.splitlines()
    assert "| hive | houses \\| bees |" in text


def test_nothing_is_left_when_a_film_is_gone(write: Write, storage: StorageService, tmp_path: Path) -> None:
    storage.delete(f"media/{FIRST}-captions.vtt")
    with pytest.raises((NotFound, Unavailable)):
        write()
    assert [path.name for path in tmp_path.iterdir() if path.name != "var"] == []


def test_a_full_disk_is_said_of_the_folder_that_was_asked_for(
    write: Write, storage: StorageService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(key: str, path: Path) -> None:
        raise Unavailable("no space") from OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(storage, "fetch", full)
    with pytest.raises(BadInput, match="no space left for"):
        write()
    assert [path.name for path in tmp_path.iterdir() if path.name != "var"] == []


def test_a_folder_that_exists_is_refused_and_untouched(write: Write, tmp_path: Path) -> None:
    (tmp_path / "course").mkdir()
    (tmp_path / "course" / "mine.txt").write_text("mine")
    with pytest.raises(BadInput, match="exists already"):
        write()
    assert tree(tmp_path / "course") == {"mine.txt": b"mine"}


def test_a_parent_that_is_no_folder_is_refused_in_one_line(write: Write, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(BadInput, match="cannot be written"):
        write("file/course")


def test_an_unfinished_lesson_is_named(write: Write, session: Session) -> None:
    session.get_one(Lesson, uuid.UUID(FIRST)).storyboard = None
    session.flush()
    with pytest.raises(BadInput, match="“What a hive is” is not written yet"):
        write()


def test_an_unfilmed_lesson_is_named_unless_videos_are_left_out(write: Write, session: Session) -> None:
    session.query(Media).filter(Media.lesson_id == uuid.UUID(FIRST)).delete()
    with pytest.raises(BadInput, match="“What a hive is” has no video yet"):
        write()
    assert write(video=False).is_dir()


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("How a name becomes an address", "how-a-name-becomes-an-address"),
        ("Don’t panic: C++ & café", "dont-panic-c-cafe"),
        ("日本語", "lesson"),
        ("a" * 80, "a" * 44),
        ("word " * 20, "word-word-word-word-word-word-word-word-word"),
        ("../../etc", "etc"),
    ],
)
def test_slugs_are_readable_and_safe(title: str, name: str) -> None:
    assert slug(title) == name


def test_folders_are_unique_sorted_and_short() -> None:
    names = lesson_folders(["Same title"] * 120)
    assert len(set(names)) == 120
    assert names == sorted(names)
    assert max(len(name) for name in lesson_folders(["x" * 200] * 120)) <= 48
