"""Courses that the benchmark makes: of the project's own texts, and of the documents in a folder that it is given."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from service.authors.extractive import ExtractiveAuthor
from service.domain.course import Brief
from service.domain.report import CourseDocuments, Taught
from service.domain.source import Source
from service.errors import BadInput
from service.readers.limits import Limits
from service.readers.reading import read_bytes
from service.settings import ROOT
from tests.authors.texts import backups, bees, evidence, sourdough

SUFFIXES = (".md", ".markdown", ".txt", ".html", ".htm", ".pdf", ".docx", ".pptx")
ABOUT_THE_FOLDER = ("readme", "license", "contributing", "changelog", "code_of_conduct")


@dataclass(frozen=True)
class Made:
    """A course and what it was made of; `seconds` of processor time, reading of the documents included."""

    name: str
    sources: tuple[Source, ...]
    course: CourseDocuments
    seconds: float

    @property
    def words(self) -> int:
        return sum(source.words for source in self.sources)


def made(name: str, sources: Sequence[Source], brief: Brief | None = None, read_in: float = 0.0) -> Made:
    """A course of these sources by the offline author, with everything but its films; `read_in`: seconds.

    Raises:
        BadInput: they hold too little to teach.
    """
    started = time.process_time()
    given, author, brief = evidence(*sources), ExtractiveAuthor(), brief or Brief()
    plan = author.plan(brief, given, _silent)
    taught = []
    for planned in plan.lessons:
        lesson = author.write(brief, plan, planned.id, given, _silent)
        board = author.storyboard(brief, plan, lesson, given, _silent)
        taught.append(Taught(planned.title, lesson, board, author.quiz(brief, plan, lesson, given, _silent)))
    texts = {source.sha256: source.text for source in sources}
    course = CourseDocuments(brief, plan, tuple(taught), texts)
    return Made(name, tuple(sources), course, time.process_time() - started + read_in)


def own_courses() -> Iterator[Made]:
    """The sample course, and three short texts that were written for the author's tests."""
    brief = Brief.model_validate_json((ROOT / "samples" / "brief.json").read_text(encoding="utf-8"))
    yield from _of_files("sample course", sorted((ROOT / "samples").glob("[0-9]*.md")), brief)
    yield made("short texts", (sourdough(), backups(), bees()))


def courses_in(folder: Path) -> Iterator[Made]:
    """One course of each folder that holds documents, this one or one below it; what is about the folder is no text."""
    for place in sorted({path.parent for path in folder.rglob("*") if path.is_file()}):
        files = sorted(path for path in place.iterdir() if path.is_file() and _is_document(path))
        name = place.relative_to(folder).as_posix()
        yield from _of_files(folder.name if name == "." else name, files)


def _is_document(path: Path) -> bool:
    return path.stem.lower() not in ABOUT_THE_FOLDER and path.suffix.lower() in SUFFIXES


def _of_files(name: str, files: Sequence[Path], brief: Brief | None = None) -> Iterator[Made]:
    started = time.process_time()
    sources = []
    for path in files:
        try:
            sources.append(read_bytes(path.read_bytes(), path.name, Limits()))
        except BadInput as refusal:
            print(f"left out: {refusal}")
    if sources:
        try:
            yield made(name, sources, brief, read_in=time.process_time() - started)
        except BadInput as refusal:
            print(f"no course of {name}: {refusal}")


def _silent(what: str, part: float | None = None) -> None:
    """A report that nobody reads."""
