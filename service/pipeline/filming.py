"""Filming one lesson of a finished course again, because its video has changed."""

from __future__ import annotations

import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.db import jobs
from service.db.queries import newest_media
from service.db.tables import Course, Job, JobState, Lesson, LessonState, Run, RunKind
from service.domain.money import speech_micro_dollars
from service.domain.quote import Quote, QuoteLine, Range
from service.domain.storyboard import Storyboard
from service.pipeline.authoring import settings_for
from service.pipeline.quote import SPOKEN
from service.pipeline.runs import FILM_UNITS, hold_quoted, open_run
from service.settings import Settings

REVISE_PRIORITY = 50  # somebody waits for it: before the lessons of a generation
OPEN_JOBS = (JobState.BLOCKED, JobState.QUEUED, JobState.RUNNING)


def film_changed(
    session: Session,
    course: Course,
    lesson: Lesson,
    before: Storyboard | None,
    *,
    by: uuid.UUID | None,
    key: str,
    settings: Settings | None = None,
) -> Run | None:
    """Queue the filming of the locked lesson's storyboard, which was `before`; None when nothing needs to be queued.

    A film that is on its way looks at the storyboard again before it ends. A lesson that never was to be filmed, such
    as in a course without videos, is not filmed now either. The run is of a kind that leaves the course's state alone.

    Raises:
        OverBudget: speaking what is new has no room in a budget.
    """
    open_job = select(Job.id).where(Job.subject_id == lesson.id, Job.kind == "film", Job.state.in_(OPEN_JOBS)).limit(1)
    if lesson.state in (LessonState.WRITTEN, LessonState.FILMING) and session.scalar(open_job) is not None:
        return None
    if lesson.state == LessonState.WRITTEN and not newest_media(session, [lesson.id]):
        return None
    lesson.state, lesson.error = LessonState.WRITTEN, ""
    run = open_run(session, course, by or course.owner_id, RunKind.REVISE, key)
    priority = REVISE_PRIORITY + lesson.position
    jobs.enqueue(session, run, kind="film", lane="render", subject_id=lesson.id, units=FILM_UNITS, priority=priority)
    if settings is not None and lesson.storyboard is not None:
        voice, characters = settings_for(settings, course).speech, _new_characters(before, lesson.storyboard)
        price = Range.of(speech_micro_dollars(voice, characters))
        line = QuoteLine(what=SPOKEN, unit="characters", quantity=Range.of(characters), micro_dollars=price)
        hold_quoted(session, run, Quote(lines=(line,)), settings)
    return run


def _new_characters(before: Storyboard | None, after: Storyboard) -> int:
    """How much is to be spoken: a sentence that was spoken before is kept."""
    spoken = {cue.speech or cue.text for cue in before.cues()} if before else set()
    return sum(len(text) for cue in after.cues() if (text := cue.speech or cue.text) not in spoken)
