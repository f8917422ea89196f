"""`coursewright export`: a course of this installation as the folder that `coursewright build` makes."""

from __future__ import annotations

import uuid
from pathlib import Path

from rich.console import Console
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.commands.arguments import new_folder, parser
from service.db.engine import session_scope
from service.db.tables import Course
from service.domain.course_folder import CourseLock
from service.errors import BadInput, NotFound
from service.logs import configure_logging
from service.pipeline.folder import write_folder
from service.settings import load_settings

MOST_NAMES = 5


def main(argv: list[str]) -> int:
    """Write the course's folder; `--out` appears only when it is complete."""
    options = parser("export", "Write a course of this installation into a folder, with everything it is made of.")
    options.add_argument("course", help="its id, as in the address of its page, or its title")
    options.add_argument("--out", required=True, help="the folder to make; it must not exist yet")
    options.add_argument("--no-video", action="store_true", help="texts, storyboards and quizzes only")
    given = options.parse_args(argv)
    out = new_folder(Path(given.out))
    from service.adapters.database import beside_the_site
    from service.wiring import open_services

    settings, console = beside_the_site(load_settings()), Console(stderr=True)
    configure_logging(settings)
    with open_services(settings) as services, session_scope(services.engine) as session:
        course = find_course(session, given.course)
        lock = write_folder(session, services, course, out, video=not given.no_video)
        console.print(f"“{course.title}”: {out}", highlight=False, soft_wrap=True)
        _tell(lock, console)
    return 0


def find_course(session: Session, name: str) -> Course:
    """The course with this id or title.

    Raises:
        NotFound: there is none.
        BadInput: several have the title.
    """
    try:
        found = [course] if (course := session.get(Course, uuid.UUID(name))) else []
    except ValueError:
        wanted = func.lower(Course.title) == name.strip().lower()
        found = list(session.scalars(select(Course).where(wanted).order_by(Course.created_at)))
    if not found:
        known = session.scalars(select(Course.title).order_by(Course.created_at.desc()).limit(MOST_NAMES)).all()
        names = ", ".join(f"“{title}”" for title in known) or "none at all"
        raise NotFound(f"There is no course “{name}”. The newest are {names}; an id works too.")
    if len(found) > 1:
        ids = ", ".join(str(course.id) for course in found)
        raise BadInput(f"{len(found)} courses are called “{name}”. Name one by its id: {ids}.")
    return found[0]


def _tell(lock: CourseLock, console: Console) -> None:
    if lock.edited:
        why = "; ".join(lock.edited)
        console.print(f"It cannot be built again from its lock: {why}.", highlight=False, soft_wrap=True)
    else:
        console.print("`coursewright build --locked` makes it again from there.", highlight=False, soft_wrap=True)
