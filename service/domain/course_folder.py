"""What a course folder holds beside its media: the documents of `course.json` and `course.lock`, and the file names.

Nothing here depends on when or where the folder was made: equal inputs give equal bytes.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Literal

from pydantic import Field

from service.domain.course import Brief, CoursePlan
from service.domain.lesson import Lesson
from service.domain.source import Document

COURSE, REPORT, LOCK, SOURCES, LESSONS = "course.json", "report.json", "course.lock", "sources", "lessons"
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


class LockedSource(Document):
    """One input: the document as it was given, and the text that was read from it."""

    name: str
    sha256: str = Field(description="of the document as it was given")
    text_sha256: str
    bytes: int


class CourseLock(Document):
    """`course.lock`: everything that the course depends on. Equal locks and equal code give equal courses."""

    version: Literal[1] = 1
    inputs: tuple[LockedSource, ...] = ()
    author: str
    voice: str = ""
    embedder: str = ""
    theme: str = ""
    accent: str = ""
    python: str = ""
    packages: dict[str, str] = Field(default_factory=dict)


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
