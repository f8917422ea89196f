"""Films whose file is gone from storage are made again: a lesson that calls itself completed must be watchable.

Only the newest film of a lesson counts. Asking a store costs money where there is one in the cloud, so a sweep asks for
the few films that are new, when a broken upload would show, and now and then for one of the others.
"""

from __future__ import annotations

import logging
import uuid
from datetime import timedelta
from functools import partial

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.db import jobs
from service.db.engine import transaction
from service.db.queries import newest_media
from service.db.tables import Course, Lesson, LessonState, Media, RunKind
from service.pipeline.runs import FILM_UNITS, LESSON_PRIORITY, live_run, open_run
from service.ports import Services

log = logging.getLogger(__name__)

NEW = timedelta(minutes=15)


def film_lost_ones_again(services: Services, *, new: int = 5, others: int = 0) -> int:
    """Look for the files of at most `new` films of the last quarter of an hour, and of so many others by chance; how
    many are made again.

    Raises:
        Unavailable: the store does not answer.
    """
    candidates = transaction(services.engine, lambda session: _candidates(session, new, others))
    lost = [media_id for media_id, key in candidates if services.storage.size(key) is None]
    return sum(transaction(services.engine, partial(_again, media_id=media_id)) for media_id in lost)


def _candidates(session: Session, new: int, others: int) -> list[tuple[uuid.UUID, str]]:
    of_completed = (
        select(Media.id, Media.video_key)
        .join(Lesson, Lesson.id == Media.lesson_id)
        .where(Lesson.state == LessonState.COMPLETED)
    )
    is_new = Media.created_at > func.now() - NEW
    found = session.execute(of_completed.where(is_new).order_by(Media.created_at.desc()).limit(new)).all()
    if others:
        found = [*found, *session.execute(of_completed.where(~is_new).order_by(func.random()).limit(others)).all()]
    return [(row.id, row.video_key) for row in found]


def _again(session: Session, media_id: uuid.UUID) -> bool:
    """Forget the film and queue the lesson's filming; False when somebody has seen to the lesson already."""
    media = session.get(Media, media_id)
    if media is None:
        return False
    lesson = session.get_one(Lesson, media.lesson_id, with_for_update=True, populate_existing=True)
    course = session.get_one(Course, lesson.course_id)
    newest = newest_media(session, [lesson.id]).get(lesson.id)
    if newest is None or newest.id != media_id or lesson.state != LessonState.COMPLETED:
        return False
    if live_run(session, course.id, RunKind.GENERATE) is not None:
        return False  # it may be about this lesson; the next look finds it again
    log.error("the file of the film of lesson %s is gone; it is filmed again", lesson.id)
    session.delete(media)  # or filming would find it, and have nothing to do
    lesson.state = LessonState.WRITTEN
    run = open_run(session, course, course.owner_id, RunKind.GENERATE, f"film-again:{media_id}")
    priority = LESSON_PRIORITY + lesson.position
    jobs.enqueue(session, run, kind="film", lane="render", subject_id=lesson.id, units=FILM_UNITS, priority=priority)
    return True
