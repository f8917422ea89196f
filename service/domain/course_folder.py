"""What a course folder holds beside its media: the documents of `course.json` and `course.lock`, and the file names.

Nothing here depends on when or where the folder was made: equal inputs give equal bytes.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Literal

from pydantic import Field

from service.domain.course import Brief, CoursePlan
from service.domain.lesson import Lesson
from service.domain.source import Document

COURSE, REPORT, LOCK, SOURCES, LESSONS = "course.json", "report.json", "course.lock", "sources", "lessons"
INPUTS, CALLS = "inputs", "calls"
TEXT, STORYBOARD, QUIZ = "lesson.md", "storyboard.json", "quiz.json"
VIDEO, CAPTIONS, CHAPTERS, TRANSCRIPT, POSTER = (
    "video.mp4",
    "captions.vtt",
    "chapters.vtt",
    "transcript.md",
    "poster.jpg",
)
WRITTEN = (TEXT, STORYBOARD, QUIZ)
FILMED = (VIDEO, CAPTIONS, CHAPTERS, TRANSCRIPT, POSTER)
SLUG_CHARACTERS = 48


class SourceFile(Document):
    """A document that the course was made from; its text is the file `sources/<sha256>.txt`."""

    name: str
    title: str = ""
    media_type: str = ""
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="of the extracted text; cites name it")
    words: int = 0


class FolderLesson(Document):
    """A lesson of the folder: where its files are, how long its video runs (0: not filmed), and its text."""

    folder: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    seconds: float = Field(default=0.0, ge=0)
    text: Lesson


class SignedClaim(Document):
    """A claim that somebody took on themselves against the check: its key, and their name."""

    key: str
    by: str


class CourseFile(Document):
    """`course.json`: the whole course but its storyboards and quizzes, which lie beside their videos."""

    version: Literal[1] = 1
    title: str
    summary: str = ""
    brief: Brief
    plan: CoursePlan
    video: bool = Field(description="whether the lessons were filmed")
    sources: tuple[SourceFile, ...] = ()
    lessons: tuple[FolderLesson, ...] = ()
    signed: tuple[SignedClaim, ...] = ()


class LockedSource(Document):
    """One input: the document as it was given, and the text that was read from it."""

    name: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="of the document as it was given")
    text_sha256: str
    bytes: int

    @property
    def upload_key(self) -> str:
        """Where the storage keeps the document."""
        return f"uploads/{self.sha256}"

    @property
    def file(self) -> str:
        """Where the folder keeps the document: named by its hash, with the ending that says what it is."""
        suffix = PurePosixPath(self.name).suffix.lower()
        return f"{INPUTS}/{self.sha256}{suffix if re.fullmatch(r'[.][a-z0-9]{1,10}', suffix) else ''}"


class LockedModel(Document):
    """The chat model that answered, where it was asked, and the parameters of every question."""

    name: str
    endpoint: str
    temperature: float
    seed: int
    most_tokens: int


class CourseLock(Document):
    """`course.lock`: everything that the course depends on, and the hash of each document that came of it.

    Equal locks and equal code give equal documents; `coursewright build --locked` makes them and compares.
    """

    version: Literal[1, 2] = 2
    course: str = Field(default="", description="the course's id, from which the ids of its lessons follow")
    brief: Brief = Brief()
    video: bool = False
    own_outline: CoursePlan | None = Field(default=None, description="the outline that people gave, to be filled")
    reviewed: CoursePlan | None = Field(
        default=None, description="the outline as people changed it after it was drafted; it is taken as it stands"
    )
    inputs: tuple[LockedSource, ...] = ()
    author: str
    model: LockedModel | None = None
    prompts: dict[str, str] = Field(default_factory=dict, description="file → sha256, of an author with a model")
    calls: dict[str, str] = Field(default_factory=dict, description="file of a recorded answer → its sha256")
    second_opinion: bool = Field(default=False, description="whether a model of inference judged the claims too")
    embedder: str = ""
    voice: str = ""
    theme: str = ""
    accent: str = ""
    python: str = ""
    packages: dict[str, str] = Field(default_factory=dict)
    signed: tuple[SignedClaim, ...] = ()
    edited: tuple[str, ...] = Field(default=(), description="why nobody can build it again from this lock")
    documents: dict[str, str] = Field(default_factory=dict, description="file of the folder → sha256; films left out")


def kept_by_lock(name: str) -> bool:
    """Whether the lock keeps the hash of this file of the folder: what was made, but for pictures and sound."""
    kept = PurePosixPath(name)
    return name != LOCK and kept.parts[0] not in (INPUTS, CALLS) and kept.name not in (VIDEO, POSTER)


def told_by_films(name: str) -> bool:
    """Whether the file differs between a filmed course and the same course without its films."""
    return name in (COURSE, REPORT) or PurePosixPath(name).name in FILMED


def first_difference(wanted: Mapping[str, str], made: Mapping[str, str]) -> str:
    """The first file, by name, of which only one side knows or that the two do not hold alike; empty: they agree."""
    return next((name for name in sorted({*wanted, *made}) if wanted.get(name) != made.get(name)), "")


def slug(title: str) -> str:
    """The title as a readable name for a folder: lower-case ASCII, cut at a word; `lesson` when nothing is left."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    name = re.sub(r"[^a-z0-9]+", "-", re.sub(r"['’]", "", plain.lower())).strip("-")
    if len(name) > SLUG_CHARACTERS - 4:
        name = name[: SLUG_CHARACTERS - 3].rpartition("-")[0] or name[: SLUG_CHARACTERS - 4]
    return name or "lesson"


def lesson_folders(titles: Iterable[str]) -> list[str]:
    """A unique folder name for each lesson, of at most 48 characters, that sorts in teaching order."""
    named = [slug(title) for title in titles]
    width = max(2, len(str(len(named))))
    return [f"{number:0{width}d}-{name}" for number, name in enumerate(named, start=1)]
