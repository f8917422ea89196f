"""A course as the offline author writes it, put into rows at once: what changes of lessons start from."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from sqlalchemy.orm import Session

from service.authors.extractive import ExtractiveAuthor
from service.db.plans import rekeyed, write_plan
from service.db.queries import lessons_of
from service.db.tables import Course, CourseState, LessonState, Media, QuizItem, Source, SourceState, User
from service.domain.course import Brief, CoursePlan
from service.domain.revision import LessonDocuments
from service.domain.source import Chunk
from service.domain.source import Source as Document
from service.domain.storyboard import CueTime, Film
from service.ports import Evidence


def silent(what: str, part: float | None = None) -> None:
    """A report that nobody reads."""


def nothing(query: str, limit: int) -> Sequence[Chunk]:
    """A search that finds nothing."""
    return ()


@dataclass(frozen=True)
class Written:
    """The ids of the rows."""

    course: uuid.UUID
    lessons: tuple[uuid.UUID, ...]


@cache
def _made(course_id: uuid.UUID, texts: tuple[Callable[[], Document], ...]) -> tuple[CoursePlan, list[LessonDocuments]]:
    author, brief = ExtractiveAuthor(), Brief()
    evidence = Evidence(sources=tuple(text() for text in texts), search=nothing)
    plan = rekeyed(author.plan(brief, evidence, silent), course_id)
    lessons = [author.write(brief, plan, planned.id, evidence, silent) for planned in plan.lessons]
    return plan, [
        LessonDocuments(
            text=lesson,
            storyboard=author.storyboard(brief, plan, lesson, evidence, silent),
            quiz=author.quiz(brief, plan, lesson, evidence, silent),
        )
        for lesson in lessons
    ]


def write_course(
    session: Session,
    owner: User,
    texts: tuple[Callable[[], Document], ...],
    *,
    state: CourseState = CourseState.READY,
    filmed: bool = True,
) -> Written:
    """A course of these texts with storyboards and questions, thought up once; `filmed`: each lesson with a row of its
    film, though without files."""
    course_id = uuid.uuid5(uuid.NAMESPACE_URL, "".join(text.__name__ for text in texts))
    plan, made = _made(course_id, texts)
    course = Course(id=course_id, owner_id=owner.id, title=plan.title, brief=Brief(), state=CourseState.PLANNED)
    session.add(course)
    session.flush()
    session.add_all(_source(course, text()) for text in texts)
    write_plan(session, course, plan)
    course.state = state
    for row, documents in zip(lessons_of(session, course.id), made, strict=True):
        row.text, row.storyboard, row.version = documents.text, documents.storyboard, 2
        row.state = LessonState.COMPLETED if filmed else LessonState.WRITTEN
        items = documents.quiz.items if documents.quiz else ()
        session.add_all(QuizItem(lesson_id=row.id, position=n, document=item) for n, item in enumerate(items, start=1))
        if filmed:
            session.add(_film(row.id))
    session.flush()
    return Written(course.id, tuple(row.id for row in lessons_of(session, course.id)))


def _source(course: Course, document: Document) -> Source:
    return Source(
        course_id=course.id,
        name=document.name,
        upload_key="uploads/x",
        upload_bytes=len(document.text),
        state=SourceState.READY,
        sha256=document.sha256,
        title=document.title,
        body=document.text,
        blocks=[block.model_dump(mode="json") for block in document.blocks],
        words=document.words,
    )


def _film(lesson_id: uuid.UUID) -> Media:
    cues = (CueTime(scene="s1", text="Bread rises.", start=0.0, end=20.0),)
    film = Film(lesson_id=str(lesson_id), seconds=20.0, cues=cues, chapters=((0.0, "Bread"),), voice="silent")
    files = ("video.mp4", "captions.vtt", "chapters.vtt", "transcript.md", "poster.jpg")
    video, captions, chapters, transcript, poster = (f"films/{lesson_id}-{name}" for name in files)
    return Media(
        lesson_id=lesson_id,
        storyboard_sha256="0" * 64,
        film=film,
        video_key=video,
        captions_key=captions,
        chapters_key=chapters,
        transcript_key=transcript,
        poster_key=poster,
    )
