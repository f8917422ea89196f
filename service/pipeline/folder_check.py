"""Checks a course folder as it lies there: its files, its documents, its films. Nothing in it is believed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from service.domain import course_folder as layout
from service.domain.course_folder import CourseFile, CourseLock, FolderLesson
from service.domain.pedagogy import pedagogy
from service.domain.quiz import Quiz
from service.domain.report import Check, CourseDocuments, Report, Taught, gate, gates, warning
from service.domain.storyboard import Storyboard
from service.errors import BadInput
from service.pipeline.film_check import (
    PACE,
    Caption,
    can_decode,
    caption_faults,
    captions_of,
    film_faults,
    hard_to_read,
    pace_of,
)
from service.pipeline.lesson_markdown import lesson_markdown

Read = TypeVar("Read", bound=BaseModel)


@dataclass
class Findings:
    """What reading the folder brought to light, by check."""

    missing: list[str] = field(default_factory=list)
    storyboards: list[str] = field(default_factory=list)
    quizzes: list[str] = field(default_factory=list)


def check_folder(folder: Path) -> Report:
    """Look at everything in a course folder.

    Raises:
        BadInput: it is no course folder; the message says what is missing.
    """
    course = read_course(folder)
    found = Findings(missing=list(_missing(folder, course)))
    documents = _documents(folder, course, found)
    checks = [_files_gate(folder, course, found), _storyboards_gate(course, found)]
    checks += [_with_unreadable(check, found) if check.id == "quiz" else check for check in gates(documents)]
    checks += [_text_check(folder, course), *_media_checks(folder, course), *pedagogy(documents)]
    return Report(checks=tuple(checks))


def read_course(folder: Path) -> CourseFile:
    """The folder's `course.json`.

    Raises:
        BadInput: there is none, or it is no such document.
    """
    path = folder / layout.COURSE
    if not folder.is_dir():
        raise BadInput(f"{folder} is not a folder. Name a folder that `coursewright build` made.")
    if not path.is_file():
        raise BadInput(f"{folder} holds no {layout.COURSE}, so it is no course folder. Name one that build made.")
    try:
        return CourseFile.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise BadInput(f"{path} cannot be used: {_first(error)}. Build the course again.") from error
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.") from error


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place}: {first['msg']}" if place else first["msg"]


def _expected(course: CourseFile) -> Iterator[str]:
    yield from (layout.COURSE, layout.LOCK)
    for sha256 in dict.fromkeys(source.sha256 for source in course.sources):
        yield f"{layout.SOURCES}/{sha256}.txt"
    for lesson in course.lessons:
        for name in (*layout.WRITTEN, *(layout.FILMED if course.video else ())):
            yield f"{layout.LESSONS}/{lesson.folder}/{name}"


def _missing(folder: Path, course: CourseFile) -> Iterator[str]:
    for name in _expected(course):
        path = folder / name
        if not path.is_file():
            yield f"{name} is missing"
        elif not path.stat().st_size:
            yield f"{name} is empty"


def _files_gate(folder: Path, course: CourseFile, found: Findings) -> Check:
    lock = folder / layout.LOCK
    if lock.is_file():
        try:
            CourseLock.model_validate_json(lock.read_bytes())
        except ValidationError as error:
            found.missing.append(f"{layout.LOCK} cannot be used: {_first(error)}")
    count = sum(1 for _ in _expected(course))
    return gate("files", "every file is there", "all", good=count - len(found.missing), of=count, where=found.missing)


def _storyboards_gate(course: CourseFile, found: Findings) -> Check:
    count = len(course.lessons)
    good = count - len(found.storyboards)
    return gate("storyboards", "storyboards can be filmed", "all", good=good, of=count, where=found.storyboards)


def _with_unreadable(check: Check, found: Findings) -> Check:
    """A quiz that is no quiz at all fails the same gate as a wrong key."""
    if not found.quizzes:
        return check
    return check.model_copy(update={"outcome": "fail", "where": (*found.quizzes, *check.where)})


def _documents(folder: Path, course: CourseFile, found: Findings) -> CourseDocuments:
    lessons = []
    for entry in course.lessons:
        place = folder / layout.LESSONS / entry.folder
        storyboard = _read(place / layout.STORYBOARD, Storyboard, entry, found.storyboards)
        quiz = _read(place / layout.QUIZ, Quiz, entry, found.quizzes)
        lessons.append(Taught(entry.folder, entry.text, storyboard, quiz, entry.seconds))
    signed = frozenset(claim.key for claim in course.signed)
    return CourseDocuments(course.brief, course.plan, tuple(lessons), _texts(folder, course), signed)


def _read(path: Path, model: type[Read], entry: FolderLesson, faults: list[str]) -> Read | None:
    if not path.is_file():
        return None
    try:
        return model.model_validate_json(path.read_bytes())
    except ValidationError as error:
        faults.append(f"{entry.folder}, {path.name}: {_first(error)}")
        return None


def _texts(folder: Path, course: CourseFile) -> dict[str, str]:
    """The sources' texts, with the line ends they have: reading in text mode would move every cite after a CR."""
    texts = {}
    for source in course.sources:
        path = folder / layout.SOURCES / f"{source.sha256}.txt"
        if path.is_file():
            texts[source.sha256] = path.read_bytes().decode("utf-8", errors="replace")
    return texts


def _text_check(folder: Path, course: CourseFile) -> Check:
    """`lesson.md` is what people print: it should say what the checked lesson says."""
    names = {source.sha256: source.name for source in reversed(course.sources)}
    where = []
    for entry in course.lessons:
        path = folder / layout.LESSONS / entry.folder / layout.TEXT
        if path.is_file() and path.read_bytes() != lesson_markdown(entry.text, names).encode():
            where.append(f"{entry.folder}/{layout.TEXT} was changed; its cites are not those that were checked")
    good = len(course.lessons) - len(where)
    check = gate("text", "lesson.md is the checked lesson", "all", good=good, of=len(course.lessons), where=where)
    return check.model_copy(update={"outcome": "warn" if where else "ok"})


def _media_checks(folder: Path, course: CourseFile) -> tuple[Check, ...]:
    if not course.video:
        return ()
    places = [folder / layout.LESSONS / entry.folder for entry in course.lessons]
    captions = {place.name: _captions(place) for place in places}
    faults = [
        f"{entry.folder}/{layout.CAPTIONS} {fault}"
        for entry in course.lessons
        for fault in _caption_faults(captions[entry.folder], entry.seconds)
    ]
    fits = _media_gate("captions", "captions fit their video", course, faults)
    readable = {name: found for name, found in captions.items() if isinstance(found, list)}
    return (_films(folder, course), fits, _reading_speed(readable), _pace(readable))


def _media_gate(check_id: str, title: str, course: CourseFile, faults: list[str]) -> Check:
    bad = {fault.partition("/")[0] for fault in faults}
    count = len(course.lessons)
    return gate(check_id, title, "all", good=count - len(bad), of=count, where=faults, kind="media")


def _films(folder: Path, course: CourseFile) -> Check:
    if not can_decode():
        return Check(
            id="films",
            title="films decode",
            kind="media",
            outcome="unchecked",
            figure="not looked at",
            wanted="all",
            where=("PyAV is not installed here; scripts/setup installs it",),
        )
    faults = [
        f"{entry.folder}/{fault}"
        for entry in course.lessons
        for fault in film_faults(folder / layout.LESSONS / entry.folder, entry.seconds)
    ]
    return _media_gate("films", "films decode", course, faults)


def _captions(place: Path) -> list[Caption] | str:
    try:
        return captions_of(place / layout.CAPTIONS)
    except OSError:
        return "cannot be read"
    except ValueError as error:
        return str(error)


def _caption_faults(captions: list[Caption] | str, seconds: float) -> Iterator[str]:
    if isinstance(captions, str):
        yield captions
    else:
        yield from caption_faults(captions, seconds)


def _reading_speed(captions: dict[str, list[Caption]]) -> Check:
    """P20: captions that people can read: at most 17 characters a second, at most two lines."""
    count = sum(len(found) for found in captions.values())
    where = [f"{name}: {fault}" for name, found in captions.items() for fault in hard_to_read(found)]
    figure = f"{count - len(where)} of {count} captions"
    return warning("P20", "captions can be read along", figure, "≤ 17 characters/s, 2 lines", where)


def _pace(captions: dict[str, list[Caption]]) -> Check:
    """P17: speech at 140 to 175 words a minute."""
    paces = {name: pace_of(found) for name, found in captions.items() if found}
    where = [f"{name}: {pace:.0f} words/min" for name, pace in paces.items() if not PACE[0] <= pace <= PACE[1]]
    figure = f"{min(paces.values()):.0f}–{max(paces.values()):.0f} words/min" if paces else "none"
    return warning("P17", "pace of the narration", figure, f"{PACE[0]}–{PACE[1]} words/min", where)


def as_json(report: Report) -> str:
    """The report as `report.json` holds it."""
    return json.dumps(report.model_dump(mode="json"), ensure_ascii=False, indent=1) + "\n"
