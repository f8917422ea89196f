"""An editor's presence: while somebody works at a course's brief or outline, idle workers stay at hand a little longer.

A worker in the cloud takes half a minute to start. So the pages say that somebody is there, and a lane that has run out
of work waits for the next change, for as long as LINGER_SECONDS allows.
"""

from __future__ import annotations

import uuid

from fastapi import APIRouter
from fastapi.responses import Response
from sqlalchemy import text
from sqlalchemy.orm import Session

from service.web.deps import CourseInPath, Database

router = APIRouter()

# Three of the page's calls, which come each 30 s.
PRESENT_SECONDS = 90

# Written when a third of the time is gone, and never waited for: a page does not hang on a course that is being written
# to. It is no change of the course, so `updated_at` stays.
PRESENT = text("""
    UPDATE courses SET editor_until = now() + make_interval(secs => :seconds)
    WHERE id = (
        SELECT id FROM courses
        WHERE id = :course
          AND (editor_until IS NULL OR editor_until < now() + make_interval(secs => CAST(:seconds AS integer) * 2 / 3))
        FOR UPDATE SKIP LOCKED
    )
""")


def note_editor(database: Session, course_id: uuid.UUID) -> None:
    """Say that somebody edits the course now, and for PRESENT_SECONDS from now on."""
    database.execute(PRESENT, {"course": course_id, "seconds": PRESENT_SECONDS})


@router.post("/courses/{course_id:uuid}/editing")
def still_here(course: CourseInPath, database: Database) -> Response:
    """The page is still looked at and worked with."""
    note_editor(database, course.id)
    return Response(status_code=204)
