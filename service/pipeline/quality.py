"""The quality of a course as the site shows it: the report on its documents, and the claims that wait for a person.

The same checks as `coursewright check`, but for the media, which are looked at where they are made.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import Text, cast, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service.db.plans import read_plan
from service.db.queries import lessons_of, newest_media, versions_of
from service.db.tables import Course, Lesson, QuizItem, SignOff, User
from service.domain.lesson import Claim
from service.domain.outdated import Replaced, What
from service.domain.pedagogy import pedagogy
from service.domain.quiz import Quiz
from service.domain.report import CourseDocuments, Report, Taught, gates
from service.domain.support import judge, judged
from service.errors import NotFound
from service.pipeline.outdated import Resting, outdated_parts
from service.pipeline.versions import newer_versions

BLOCKS_PUBLISHING = ("unsupported", "edited")
SECOND_OPINION = "The words agree, but the sentence was held for contradicted by its passage when it was written."

# What blocks publishing in a text follows from the text alone, so a process judges each once: two hundred lessons take
# seconds. By the text's MD5, which the database tells without sending the text; nothing but speed rests on it staying.
JUDGED_KEPT = 4_000
_JUDGED: dict[str, tuple[str, ...]] = {}


@dataclass(frozen=True)
class Waiting:
    """A claim that the check does not hold for supported: what speaks against it, and who signed it off, if anybody.

    One whose source has changed since waits whatever the check said of it, with what the source said and says
    (`changes`); it may then be a listing, a table, a slide or a question too.
    """

    lesson: Lesson
    claim: Claim
    faults: tuple[str, ...]
    signed_by: str = ""
    key: str = ""
    what: What = "sentence"
    changes: tuple[Replaced, ...] = ()

    @property
    def blocks(self) -> bool:
        """Whether the course can't be published while it stands like this."""
        return (bool(self.changes) or self.claim.state in BLOCKS_PUBLISHING) and not self.signed_by


@dataclass(frozen=True)
class ToSign:
    """The sentences of one lesson that block publishing, to be taken on together."""

    lesson: Lesson
    keys: tuple[str, ...]

    @property
    def seen(self) -> str:
        """Names exactly these sentences, so that a signature cannot cover another that came after the page was read."""
        return hashlib.sha256("\n".join(sorted(self.keys)).encode()).hexdigest()


def claim_key(claim: Claim) -> str:
    """Names a claim by its words and its cites: a sign-off is for exactly these."""
    return claim.key


def documents_of(session: Session, course: Course) -> CourseDocuments:
    """The course's documents as far as they are written."""
    lessons = [lesson for lesson in lessons_of(session, course.id) if lesson.text is not None]
    ids = [lesson.id for lesson in lessons]
    films = newest_media(session, ids)
    rows = session.scalars(select(QuizItem).where(QuizItem.lesson_id.in_(ids)).order_by(QuizItem.position)).all()
    taught = tuple(
        Taught(
            name=f"{lesson.position}. {lesson.title}",
            lesson=lesson.text,
            storyboard=lesson.storyboard,
            quiz=Quiz(
                lesson_id=str(lesson.id), items=tuple(row.document for row in rows if row.lesson_id == lesson.id)
            ),
            seconds=films[lesson.id].film.seconds if lesson.id in films else 0.0,
        )
        for lesson in lessons
        if lesson.text is not None
    )
    texts = {source.sha256: source.body or "" for source in versions_of(session, course.id) if source.sha256}
    signed = frozenset(session.scalars(select(SignOff.claim_sha256).where(SignOff.lesson_id.in_(ids))))
    return CourseDocuments(course.brief, read_plan(session, course.id), taught, texts, signed)


def report_of(session: Session, course: Course) -> Report:
    """Gates and pedagogy of what is written so far."""
    documents = documents_of(session, course)
    return Report(checks=(*gates(documents), *pedagogy(documents)))


def waiting(session: Session, course: Course) -> list[Waiting]:
    """Every claim of the course that is not supported, or whose source has changed since, in teaching order; those that
    block publishing first.
    """
    lessons = lessons_of(session, course.id)
    signed = {
        (row.lesson_id, row.claim_sha256): row.name
        for row in session.execute(
            select(SignOff.lesson_id, SignOff.claim_sha256, SignOff.signed_by.label("name")).where(
                SignOff.lesson_id.in_([lesson.id for lesson in lessons])
            )
        )
    }
    resting = outdated_parts(session, course.id, lessons)
    found = [_resting(one, signed.get((one.lesson.id, one.key), "")) for one in resting]
    listed = {(one.lesson.id, one.part.claim.key) for one in resting}
    found += [
        Waiting(lesson, claim, faults, signed.get((lesson.id, claim.key), ""), claim.key)
        for lesson in lessons
        for claim, faults in _doubtful(lesson.text.claims() if lesson.text else ())
        if (lesson.id, claim.key) not in listed
    ]
    return sorted(found, key=lambda one: not one.blocks)


def blocking(session: Session, course: Course) -> int:
    """How many of the claims that wait block publishing. A text that was judged once is not even read again."""
    if newer_versions(session, course.id):  # then the passages are compared too, and `waiting` does that
        return sum(one.blocks for one in waiting(session, course))
    keys = _blocking_keys(session, course.id)
    rows = session.execute(select(SignOff.lesson_id, SignOff.claim_sha256).where(SignOff.lesson_id.in_(keys)))
    signed = {(row.lesson_id, row.claim_sha256) for row in rows}
    return sum((lesson_id, key) not in signed for lesson_id, found in keys.items() for key in found)


def _blocking_keys(session: Session, course_id: uuid.UUID) -> dict[uuid.UUID, tuple[str, ...]]:
    """For each written lesson the keys of the claims that block publishing unless somebody signs them."""
    mark_of_text = func.md5(cast(Lesson.text, Text))
    written = (Lesson.course_id == course_id, Lesson.text.is_not(None))
    known = {
        lesson_id: _JUDGED.get(mark)
        for lesson_id, mark in session.execute(select(Lesson.id, mark_of_text).where(*written))
    }
    keys = {lesson_id: found for lesson_id, found in known.items() if found is not None}
    unread = known.keys() - keys.keys()
    if not unread:
        return keys
    for lesson_id, mark, text in session.execute(
        select(Lesson.id, mark_of_text, Lesson.text).where(Lesson.id.in_(unread))
    ):
        if len(_JUDGED) >= JUDGED_KEPT:
            _JUDGED.clear()
        doubtful = (claim for claim, _ in _doubtful(text.claims()) if claim.state in BLOCKS_PUBLISHING)
        _JUDGED[mark] = keys[lesson_id] = tuple(claim.key for claim in doubtful)
    return keys


def signers_of(session: Session, lesson: Lesson) -> list[str]:
    """The names of the people who answer for sentences of the lesson as it stands."""
    keys = [claim_key(claim) for claim in lesson.text.claims()] if lesson.text else []
    names = select(SignOff.signed_by).distinct().order_by(SignOff.signed_by)
    return list(session.scalars(names.where(SignOff.lesson_id == lesson.id, SignOff.claim_sha256.in_(keys))))


def _resting(one: Resting, signed_by: str) -> Waiting:
    """What speaks against it is what the source says now."""
    now = [change.new.quote for change in one.changes if change.new is not None]
    faults = judge(one.part.claim.text, now).faults if now and one.part.what == "sentence" else ()
    return Waiting(one.lesson, one.part.claim, faults, signed_by, one.key, one.part.what, one.changes)


def _doubtful(claims: Iterable[Claim]) -> Iterator[tuple[Claim, tuple[str, ...]]]:
    for claim in map(judged, claims):
        if claim.state != "supported":
            yield claim, _faults(claim)


def _faults(claim: Claim) -> tuple[str, ...]:
    """What speaks against the claim, as far as it can be said in words."""
    if not claim.cites:
        return ()
    found = judge(claim.text, (cite.quote for cite in claim.cites))
    second = claim.state == "unsupported" and found.state != "unsupported"
    return (SECOND_OPINION,) if second else found.faults


def to_sign(found: Iterable[Waiting]) -> list[ToSign]:
    """What each lesson still wants a signature for, in teaching order; lessons that want none are left out."""
    by_lesson: dict[uuid.UUID, tuple[Lesson, dict[str, None]]] = {}
    for one in found:
        if one.blocks and not one.changes:  # what the source says now is looked at one by one
            by_lesson.setdefault(one.lesson.id, (one.lesson, {}))[1][one.key] = None
    ordered = sorted(by_lesson.values(), key=lambda entry: entry[0].position)
    return [ToSign(lesson, tuple(keys)) for lesson, keys in ordered]


def sign_off_lesson(session: Session, course: Course, lesson_id: uuid.UUID, seen: str, user: User) -> int:
    """Take every sentence of the lesson that blocks publishing on oneself, one row for each; how many they were.

    Raises:
        NotFound: they are not the sentences that were `seen`.
    """
    wanted = next((one for one in to_sign(waiting(session, course)) if one.lesson.id == lesson_id), None)
    if wanted is None or wanted.seen != seen:
        raise NotFound("These sentences have changed since you read them. Reload the page and look again.")
    _sign(session, lesson_id, wanted.keys, user)
    return len(wanted.keys)


def sign_off(session: Session, course: Course, lesson_id: uuid.UUID, key: str, user: User) -> None:
    """Take a claim of the course on oneself.

    Raises:
        NotFound: no claim of that lesson waits under this key (any more).
    """
    if not any(one.lesson.id == lesson_id and one.key == key for one in waiting(session, course)):
        raise NotFound("This sentence has changed or is no longer in question. Reload the page and look again.")
    _sign(session, lesson_id, [key], user)


def _sign(session: Session, lesson_id: uuid.UUID, keys: Iterable[str], user: User) -> None:
    by = {"lesson_id": lesson_id, "user_id": user.id, "signed_by": user.name}
    session.execute(insert(SignOff).values([{**by, "claim_sha256": key} for key in keys]).on_conflict_do_nothing())
