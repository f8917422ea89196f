"""Building a course again from its `course.lock`: what must be equal beforehand, the start, and what was made compared.

A lock is judged before anything is made: what differs is named, all of it. Inputs, prompts and recorded answers decide
what a course says, so another one is refused. Another release of a package decides nothing for most courses, so that
may be allowed; the comparison at the end shows whether it mattered.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError
from sqlalchemy.orm import Session

from service.db.engine import session_scope
from service.db.plans import write_plan
from service.db.queries import sources_of
from service.db.tables import Course, CourseState, User
from service.domain import course_folder as layout
from service.domain.course import CoursePlan
from service.domain.course_folder import CourseLock, first_difference
from service.errors import BadInput, Broken
from service.pipeline.folder import sha256_of_file
from service.pipeline.lock import WITH_A_MODEL, packages, prompts, python_version
from service.pipeline.produce import UNREAD, advance
from service.pipeline.runs import add_source
from service.ports import Services

LOOK_EVERY_SECONDS = 0.1


@dataclass(frozen=True)
class Recipe:
    """A lock, the folder that it lies in, and the document for each of its inputs, in order."""

    lock: CourseLock
    folder: Path
    files: tuple[Path, ...]

    @property
    def calls(self) -> Path:
        return self.folder / layout.CALLS


def read_recipe(path: Path, given: Sequence[Path]) -> Recipe:
    """The lock at `path`, or in the folder `path`, with the given documents, or without any with the folder's own.

    Raises:
        BadInput: there is no usable lock, it cannot be built again, or a document or recorded answer is missing,
            differs from the lock's or is not among them.
    """
    place = path / layout.LOCK if path.is_dir() else path
    try:
        lock = CourseLock.model_validate_json(place.read_bytes())
    except OSError as error:
        raise BadInput(
            f"{place} cannot be read: {error.strerror}. Name a course folder, or its course.lock."
        ) from error
    except ValidationError as error:
        raise BadInput(f"{place} is not a lock that this version understands. Build the course anew.") from error
    if lock.version == 1 or not lock.documents:
        raise BadInput(f"{place} was written before courses could be built again. Build the course anew.")
    if lock.edited:
        raise BadInput(f"This course cannot be built again: {_listed(lock.edited)}. Export it anew instead.")
    folder = place.parent
    _refuse(place, _changed_calls(lock, folder))
    return Recipe(lock, folder, _inputs(lock, folder, given))


def _refuse(place: Path, differing: Iterator[str]) -> None:
    found = list(differing)
    if found:
        raise BadInput(f"{place} does not fit: {_listed(found)}. Nothing was made.")


def _listed(reasons: Sequence[str]) -> str:
    return "; ".join(reasons)


def _changed_calls(lock: CourseLock, folder: Path) -> Iterator[str]:
    for name, sha256 in lock.calls.items():
        if not (folder / name).is_file():
            yield f"{name} is missing"
        elif sha256_of_file(folder / name) != sha256:
            yield f"{name} is not the answer that was recorded"


def _inputs(lock: CourseLock, folder: Path, given: Sequence[Path]) -> tuple[Path, ...]:
    paths = given or [folder / source.file for source in lock.inputs if (folder / source.file).is_file()]
    found = {sha256_of_file(path): path for path in paths}
    wanted = {source.sha256 for source in lock.inputs}
    strange = {path.name: sha256 for sha256, path in found.items() if sha256 not in wanted}
    faults = []
    for source in lock.inputs:
        if source.sha256 in found:
            continue
        other = strange.pop(source.name, "") or strange.pop(Path(source.file).name, "")
        faults.append(
            f"{source.name} has changed (sha256 {other[:12]}…, the lock's is {source.sha256[:12]}…)"
            if other
            else f"{source.name} (sha256 {source.sha256[:12]}…) is missing"
        )
    faults += [f"{name} is not among its inputs" for name in strange]
    _refuse(folder / layout.LOCK, iter(faults))
    return tuple(found[source.sha256] for source in lock.inputs)


def differences(lock: CourseLock, services: Services) -> tuple[list[str], list[str]]:
    """What here is not as the lock has it: what may not differ, and what may where somebody allows it."""
    author = services.author.name
    kinds = list(_changed("the prompt", lock.prompts, prompts() if author.startswith(WITH_A_MODEL) else {}))
    if author != lock.author and not kinds:
        kinds.append(f"the author is {author}, the lock's is {lock.author}")
    if lock.second_opinion != (services.contradiction is not None):
        kinds.append("NLI is set" if services.contradiction else "claims were judged by a model too; set NLI as then")
    drift = list(_changed("", lock.packages, packages(film=lock.video, model=lock.model is not None)))
    if lock.python != python_version():
        drift.append(f"Python is {python_version()}, the lock's is {lock.python}")
    if lock.video and lock.voice != services.speech.voice:
        drift.append(f"the voice is {services.speech.voice}, the lock's is {lock.voice}")
    return kinds, drift


def _changed(what: str, locked: Mapping[str, str], here: Mapping[str, str]) -> Iterator[str]:
    for name in sorted({*locked, *here}):
        was, now = locked.get(name), here.get(name)
        if was != now:
            shown = f"{what} {name}".strip()
            yield (
                f"{shown} has changed"
                if what
                else f"{shown} is {now or 'not installed'}, the lock's is {was or 'none'}"
            )


def check_fit(lock: CourseLock, services: Services, *, allow_drift: bool) -> list[str]:
    """What differs and is allowed to.

    Raises:
        BadInput: something else differs; the message names it, and the way out.
    """
    kinds, drift = differences(lock, services)
    if kinds:
        raise BadInput(f"The lock does not fit: {_listed(kinds)}. Build without --locked to make the course anew.")
    if drift and not allow_drift:
        raise BadInput(
            f"The lock does not fit: {_listed(drift)}. Install what it names, or try --allow-drift, which compares "
            "what comes of it with the lock."
        )
    return drift


def begin(session: Session, services: Services, owner: User, recipe: Recipe) -> uuid.UUID:
    """The lock's course with its inputs, queued for reading."""
    lock = recipe.lock
    course = Course(id=uuid.UUID(lock.course), owner_id=owner.id, title=lock.brief.title, brief=lock.brief)
    course.accent, course.own_outline = lock.accent, lock.own_outline
    session.add(course)
    session.flush()
    for source, path in zip(lock.inputs, recipe.files, strict=True):
        add_source(session, services.storage, course, source.name, path)
    return course.id


def take_outline(services: Services, course_id: uuid.UUID, plan: CoursePlan) -> None:
    """Wait until the sources are read, then lay the reviewed outline over them.

    Raises:
        BadInput, Broken: the sources cannot be read any more.
    """
    while True:
        with session_scope(services.engine) as session:
            if all(source.state not in UNREAD for source in sources_of(session, course_id)):
                course = session.get_one(Course, course_id)
                write_plan(session, course, plan)
                course.state = CourseState.PLANNED
                return
            advance(session, course_id)  # tells why when reading has failed for good
        time.sleep(LOOK_EVERY_SECONDS)


def compare(lock: CourseLock, made: CourseLock, out: Path) -> int:
    """The number of documents that were compared and are byte for byte those of the lock. What films tell is left out
    when the lock's course was filmed and this one was not.

    Raises:
        Broken: one differs; the message names it.
    """
    unfilmed = lock.video and not made.video
    wanted, found = (
        {name: sha256 for name, sha256 in one.items() if not (unfilmed and layout.told_by_films(name))}
        for one in (lock.documents, made.documents)
    )
    name = first_difference(wanted, found)
    if name:
        raise Broken(
            f"{out} was made, but {name} is not byte for byte the lock's. Compare the two to see what changed."
        )
    return len(wanted)
