"""Writes a course folder: everything that a course is, in files that open without Coursewright.

The folder grows under a hidden name beside its place and takes its name when it is complete: nobody meets half of it.
Equal courses give equal bytes: no times, no paths, no random ids are written.
"""

from __future__ import annotations

import errno
import hashlib
import json
import shutil
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.authors.agents.calls import stored_name
from service.db.plans import read_plan
from service.db.queries import lessons_of, newest_media
from service.db.tables import Course, Lesson, Media, QuizItem, SignOff, Source
from service.domain import course_folder as layout
from service.domain.anchors import cites_in
from service.domain.course import CoursePlan
from service.domain.course_folder import CourseFile, CourseLock, FolderLesson, SignedClaim, SourceFile
from service.domain.quiz import Quiz
from service.domain.source import Cite
from service.errors import BadInput, Unavailable
from service.pipeline.folder_check import check_folder
from service.pipeline.lesson_markdown import lesson_markdown
from service.pipeline.lock import lock_of
from service.pipeline.versions import versions_cited
from service.ports import Services, StorageService

Made = TypeVar("Made")


@dataclass(frozen=True)
class Finished:
    """The rows of a course that is complete, in teaching order."""

    course: Course
    plan: CoursePlan
    lessons: Sequence[Lesson]
    items: Mapping[uuid.UUID, Sequence[QuizItem]]
    films: Mapping[uuid.UUID, Media]
    sources: Sequence[Source]
    signed: tuple[SignedClaim, ...]

    @property
    def in_force(self) -> Sequence[Source]:
        """The sources that the course is made from; the others only prove what is written already."""
        return [source for source in self.sources if source.superseded_by is None]


def write_folder(
    session: Session,
    services: Services,
    course: Course,
    out: Path,
    *,
    video: bool,
    recorded: Path | None = None,
    signed: Sequence[SignedClaim] = (),
) -> CourseLock:
    """Write the course into the new folder `out`, with its films unless `video` is off, and give its lock.

    The recorded calls of a model are taken from the storage, or from the folder `recorded`; `signed` are claims that
    somebody signed for elsewhere.

    Raises:
        BadInput: `out` exists or cannot be written, or a lesson isn't written (with `video`: filmed) yet.
    """
    finished = _finished(session, course, video=video)
    finished = replace(finished, signed=(*signed, *finished.signed))
    lock = lock_of(session, services, course, finished.in_force, finished.films, video=video)
    lock = lock.model_copy(update={"signed": finished.signed})
    with _appearing(out) as folder:
        _write_sources(folder, finished.sources)
        _fetch_inputs(services.storage, folder, lock)
        document = _course_file(finished, video=video)
        _write_json(folder / layout.COURSE, document)
        names = {source.sha256: source.name for source in reversed(document.sources)}
        for row, entry in zip(finished.lessons, document.lessons, strict=True):
            place = folder / layout.LESSONS / entry.folder
            place.mkdir(parents=True)
            _write_text(place / layout.TEXT, lesson_markdown(entry.text, names))
            _write_json(place / layout.STORYBOARD, _written(row.storyboard, row))
            _write_json(place / layout.QUIZ, _quiz(finished, row))
            if row.id in finished.films:
                _fetch_film(services.storage, place, finished.films[row.id])
        calls = _fetch_calls(services.storage, folder, lock, recorded)
        lock = lock.model_copy(update={"calls": calls})
        _write_json(folder / layout.LOCK, lock)  # the report asks whether it is there
        _write_json(folder / layout.REPORT, check_folder(folder))
        lock = lock.model_copy(update={"documents": documents_in(folder)})
        _write_json(folder / layout.LOCK, lock)
    return lock


def documents_in(folder: Path) -> dict[str, str]:
    """Every document of a course folder that its lock keeps, with its hash."""
    names = (path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file())
    return {name: sha256_of_file(folder / name) for name in names if layout.kept_by_lock(name)}


def sha256_of_file(path: Path) -> str:
    """The hash of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


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
        sources=versions_cited(session, course.id, _cites(lessons, rows)),
        signed=_signed(session, lessons),
    )


def _signed(session: Session, lessons: Sequence[Lesson]) -> tuple[SignedClaim, ...]:
    """The claims, as they stand, that somebody signed for."""
    query = select(SignOff.claim_sha256, SignOff.signed_by)
    rows = session.execute(query.where(SignOff.lesson_id.in_([lesson.id for lesson in lessons])))
    names = {row.claim_sha256: row.signed_by for row in rows}
    keys = [claim.key for lesson in lessons if lesson.text for claim in lesson.text.claims()]
    return tuple(SignedClaim(key=key, by=names[key]) for key in dict.fromkeys(keys) if key in names)


def _cites(lessons: Sequence[Lesson], items: Sequence[QuizItem]) -> Iterator[Cite]:
    for lesson in lessons:
        yield from cites_in((lesson.text, lesson.storyboard))
    yield from cites_in([item.document for item in items])


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


def _fetch_inputs(storage: StorageService, folder: Path, lock: CourseLock) -> None:
    """The documents as they were given: nobody could build the course again from their texts alone."""
    (folder / layout.INPUTS).mkdir()
    for source in lock.inputs:
        storage.fetch(source.upload_key, folder / source.file)


def _fetch_calls(storage: StorageService, folder: Path, lock: CourseLock, recorded: Path | None) -> dict[str, str]:
    """Put the recorded calls into the folder; the name of each with its hash."""
    calls = {}
    for key in lock.calls:
        name = f"{layout.CALLS}/{key}.json"
        (folder / layout.CALLS).mkdir(exist_ok=True)
        if recorded is not None:
            shutil.copyfile(recorded / f"{key}.json", folder / name)
        else:
            storage.fetch(stored_name(key), folder / name)
        calls[name] = sha256_of_file(folder / name)
    return calls


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
        signed=finished.signed,
    )


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
