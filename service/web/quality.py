"""The quality report of a course for its instructor, and the signature that lets a doubtful sentence pass."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from service.pipeline.quality import report_of, sign_off, waiting
from service.web.deps import CourseInPath, Database, Person
from service.web.site import render

router = APIRouter()
LOOKS = {"ok": ("ok", "ok"), "warn": ("warn", "weak"), "fail": ("bad", "bad"), "unchecked": ("", "circle")}


@router.get("/courses/{course_id:uuid}/quality")
def quality_page(request: Request, course: CourseInPath, database: Database) -> Response:
    """What every check found, and the sentences that wait for a person."""
    report = report_of(database, course)
    return render(
        request,
        "quality.html",
        course=course,
        gates=[check for check in report.checks if check.kind == "gate"],
        teaching=[check for check in report.checks if check.kind == "pedagogy"],
        waiting=waiting(database, course),
        looks=LOOKS,
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
