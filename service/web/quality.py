"""The quality report of a course for its instructor, and the signatures that let doubtful sentences pass."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from service.errors import BadInput
from service.pipeline.quality import report_of, sign_off, sign_off_lesson, to_sign, waiting
from service.web.deps import CourseInPath, Database, Person
from service.web.shelf import proposals_of
from service.web.site import render

router = APIRouter()
LOOKS = {"ok": ("ok", "ok"), "warn": ("warn", "weak"), "fail": ("bad", "bad"), "unchecked": ("", "circle")}


@router.get("/courses/{course_id:uuid}/quality")
def quality_page(request: Request, course: CourseInPath, database: Database, person: Person) -> Response:
    """What every check found, and the sentences that wait for a person."""
    report = report_of(database, course)
    found = waiting(database, course)
    return render(
        request,
        "quality.html",
        course=course,
        gates=[check for check in report.checks if check.kind == "gate"],
        teaching=[check for check in report.checks if check.kind == "pedagogy"],
        waiting=[one for one in found if not one.changes],
        outdated=[one for one in found if one.changes],
        proposals=proposals_of(database, course),
        to_sign=[one for one in to_sign(found) if len(one.keys) > 1],
        looks=LOOKS,
        me=person.name,
    )


@router.post("/courses/{course_id:uuid}/quality/sign-off")
def sign_off_claim(
    course: CourseInPath,
    database: Database,
    person: Person,
    lesson: Annotated[uuid.UUID, Form()],
    claim: Annotated[str, Form(max_length=64)],
) -> Response:
    """Publish the sentence as it stands, under one's own name."""
    sign_off(database, course, lesson, claim, person)
    return RedirectResponse(f"/courses/{course.id}/quality", 303)


@router.post("/courses/{course_id:uuid}/quality/sign-off-lesson")
def sign_off_all(
    course: CourseInPath,
    database: Database,
    person: Person,
    lesson: Annotated[uuid.UUID, Form()],
    seen: Annotated[str, Form(max_length=64)],
    read: Annotated[bool, Form()] = False,
) -> Response:
    """Publish every sentence of a lesson that waits as it stands, under one's own name."""
    if not read:
        raise BadInput("Say that you have read the sentences and answer for them, then sign.")
    sign_off_lesson(database, course, lesson, seen, person)
    return RedirectResponse(f"/courses/{course.id}/quality", 303)
