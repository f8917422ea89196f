"""A newer version of a source, from the upload to the accepted change: real database and reader, the offline author."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from renderer_job.work import Studio, film_lesson
from service.db.engine import transaction
from service.db.lane import run_lane
from service.db.queries import citable_sources, indexed_chunks, lessons_of, read_sources, sources_of
from service.db.tables import (
    Course,
    Enrolment,
    LessonProgress,
    Media,
    QuizAttempt,
    QuizItem,
    Revision,
    RevisionCause,
    RevisionState,
    Role,
    Run,
    RunKind,
    RunState,
    SignOff,
    Source,
    SourceState,
    User,
)
from service.domain.anchors import cites_in
from service.domain.revision import LessonDocuments
from service.domain.source import Source as Document
from service.errors import BadInput, Conflict
from service.pipeline import filming, revisions
from service.pipeline.folder import write_folder
from service.pipeline.handlers import HANDLERS
from service.pipeline.quality import claim_key, report_of, waiting
from service.pipeline.runs import start_generate
from service.pipeline.verify import check_documents
from service.pipeline.versions import add_version
from service.ports import Services, Speech, Spoken
from service.readers import Limits
from service.readers.reading import read_bytes
from tests.engine.desk import AT_ONCE
from tests.pipeline.test_course import services  # noqa: F401 - a fixture
from tests.pipeline.written_course import Written, write_course

TEXT = (Path(__file__).parents[2] / "samples" / "02-addresses-and-packets.md").read_text(encoding="utf-8")
OLD_LIMIT, NEW_LIMIT = "Most packets hold at most 1,500 bytes", "Most packets hold at most 9,000 bytes"
ADDED = "## A chapter of its own\n\nThis chapter is new, and no lesson was made from it.\n\n"


def packets() -> Document:
    """The document that the course is made of."""
    return read_bytes(TEXT.encode(), "packets.md", Limits())


class Desk:
    """A written course of one document; every call is one committed transaction."""

    def __init__(self, services: Services, folder: Path) -> None:  # noqa: F811
        self.services, self.folder = services, folder
        self.owner_id = uuid.uuid4()

        def begin(session: Session) -> Written:
            owner = User(id=self.owner_id, email="a@example.org", name="Ada", role=Role.INSTRUCTOR, password_hash="!")
            session.add(owner)
            session.flush()
            written = write_course(session, owner, (packets,))
            session.execute(update(Source).values(upload_key=f"uploads/{'0' * 64}"))
            for lesson in lessons_of(session, written.course):
                assert lesson.storyboard
                session.execute(
                    update(Media).where(Media.lesson_id == lesson.id).values(storyboard_sha256=lesson.storyboard.sha256)
                )
            return written

        self.written = self.do(begin)

    def do(self, work: Callable[[Session], Any]) -> Any:
        return transaction(self.services.engine, work)

    def course(self, session: Session) -> Course:
        return session.get_one(Course, self.written.course)

    def upload(self, text: str, *, work: bool = True) -> None:
        """Give a newer version of the one source that is in force, and let the author lane do what follows."""
        path = self.folder / f"{uuid.uuid4()}.md"
        path.write_text(text, encoding="utf-8")

        def add(session: Session) -> None:
            [old] = sources_of(session, self.written.course)
            add_version(session, self.services.storage, self.course(session), old.id, "packets.md", path)

        self.do(add)
        if work:
            self.work()

    def work(self, lane: str = "author", handlers: Any = None) -> None:
        quick = self.services.settings.model_copy(update={"idle_exit_seconds": 0.2})
        handlers = handlers or {kind: partial(handler, self.services) for kind, handler in HANDLERS.items()}
        run_lane(self.services.engine, lane, handlers, settings=quick, stop=threading.Event(), backoff=AT_ONCE)  # type: ignore[arg-type]

    def documents(self) -> list[LessonDocuments]:
        return self.do(
            lambda session: [revisions.standing(session, one) for one in lessons_of(session, self.written.course)]
        )

    def rows(self) -> list[Source]:
        return self.do(lambda session: session.scalars(select(Source).order_by(Source.created_at)).all())

    def proposals(self) -> list[Revision]:
        query = select(Revision).where(Revision.state == RevisionState.PROPOSED)
        return self.do(lambda session: session.scalars(query).all())

    def accept(self, revision: Revision) -> Revision:
        def accepted(session: Session) -> Revision:
            owner = session.get_one(User, self.owner_id)
            return revisions.accept(session, self.course(session), session.get_one(Revision, revision.id), owner)

        return self.do(accepted)

    def waiting(self) -> list[str]:
        """The sentences that block publishing."""
        return self.do(lambda session: [one.claim.text for one in waiting(session, self.course(session)) if one.blocks])


@pytest.fixture
def desk(services: Services, tmp_path: Path) -> Desk:  # noqa: F811
    return Desk(services, tmp_path)


def words_of(documents: LessonDocuments) -> list[Any]:
    """Everything of the documents but their cites."""

    def bare(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: bare(part) for name, part in value.items() if name not in ("cites", "cite")}
        return [bare(part) for part in value] if isinstance(value, list) else value

    return bare(documents.model_dump(mode="json"))


def test_a_version_that_changes_no_cited_word_takes_over_in_silence(desk: Desk) -> None:
    before = desk.documents()
    parts = TEXT.split("## ")
    moved = "## ".join([parts[0], parts[3], *parts[1:3], *parts[4:]])
    desk.upload(moved.replace("## A number", f"{ADDED}## A number"))
    [source] = desk.rows()  # the old version is cited by nothing and gone
    assert source.state == SourceState.READY
    assert source.replaces is None
    assert "A chapter of its own" in (source.body or "")
    after = desk.documents()
    assert [words_of(one) for one in after] == [words_of(one) for one in before]
    assert {cite.source for one in after for cite in cites_in(one)} == {source.sha256}
    sources = desk.do(lambda session: citable_sources(session, desk.written.course))
    assert all(check_documents(one, sources) for one in after)
    assert desk.proposals() == []
    assert desk.waiting() == []
    [plan] = [lesson.plan for lesson in desk.do(lambda s: lessons_of(s, desk.written.course))]
    assert plan.passages
    assert {span.source for span in plan.passages} == {source.sha256}


def test_no_film_is_made_anew_for_cites_that_moved(desk: Desk) -> None:
    desk.upload(TEXT.replace("## A number", f"{ADDED}## A number"))

    def refilm(session: Session) -> None:
        for lesson in lessons_of(session, desk.written.course):
            assert lesson.storyboard
            media = session.scalars(select(Media).where(Media.lesson_id == lesson.id)).one()
            assert media.storyboard_sha256 == lesson.storyboard.sha256
            filming.film_changed(session, desk.course(session), lesson, None, by=None, key=f"again:{lesson.id}")

    desk.do(refilm)
    studio = Studio(desk.services.storage, Mute(), desk.folder / "scratch")
    desk.work("render", {"film": partial(film_lesson, studio)})
    states = desk.do(lambda session: session.scalars(select(Run.state).where(Run.kind == RunKind.REVISE)).all())
    assert states == [RunState.SUCCEEDED] * len(desk.written.lessons)
    assert desk.do(lambda session: session.scalar(select(func.count()).select_from(Media))) == len(desk.written.lessons)


class Mute(Speech):
    """A voice that must not be asked."""

    voice = "silent"

    def say(self, text: str) -> Spoken:
        raise AssertionError(f"{text} is spoken again")

    def close(self) -> None:
        """Nothing was opened."""


def test_a_changed_sentence_is_marked_and_its_change_proposed_until_accepting_mends_it(desk: Desk) -> None:
    before = desk.documents()
    asked = {row.id: row.document.model_dump_json() for row in desk.do(lambda s: s.scalars(select(QuizItem)).all())}
    desk.do(lambda session: _learn(session, desk, uuid.uuid4(), asked))
    desk.upload(TEXT.replace(OLD_LIMIT, NEW_LIMIT))
    [marked] = desk.waiting()
    assert marked.startswith(OLD_LIMIT)
    standing = desk.documents()
    assert [words_of(one) for one in standing] == [words_of(one) for one in before]
    [proposal] = desk.proposals()
    assert proposal.cause == RevisionCause.SOURCE
    assert proposal.after
    told = [claim.text for claim in proposal.after.text.claims()]
    assert [one.replace(OLD_LIMIT, NEW_LIMIT) for one in _told(before)] == told
    assert desk.accept(proposal).state == RevisionState.ACCEPTED
    assert desk.waiting() == []
    now = desk.documents()
    in_force = desk.do(lambda session: read_sources(session, desk.written.course))
    assert all(check_documents(one, in_force) for one in now)
    assert OLD_LIMIT not in str([one.model_dump() for one in now])
    report = desk.do(lambda session: report_of(session, desk.course(session)))
    assert report.check("cites").outcome == "ok"
    answered = set(desk.do(lambda session: session.scalars(select(QuizAttempt.quiz_item_id)).all()))
    assert answered == {item for item, stem in asked.items() if NEW_LIMIT not in stem and OLD_LIMIT not in stem}
    assert len(answered) == len(asked) - 1  # what is asked differently now has not been answered yet
    place = desk.do(lambda session: session.scalars(select(LessonProgress)).one())
    assert place.seconds == 12.0
    assert place.completed_at is not None


def _told(documents: list[LessonDocuments]) -> list[str]:
    return [claim.text for one in documents for claim in one.text.claims()]


def _learn(session: Session, desk: Desk, learner: uuid.UUID, items: Iterable[uuid.UUID]) -> None:
    session.add(User(id=learner, email="l@example.org", name="Lea", role=Role.LEARNER, password_hash="!"))
    session.flush()
    enrolment = Enrolment(id=uuid.uuid4(), course_id=desk.written.course, user_id=learner)
    session.add(enrolment)
    session.flush()
    lesson = desk.written.lessons[0]
    session.add(
        LessonProgress(
            enrolment_id=enrolment.id, lesson_id=lesson, seconds=12.0, furthest=12.0, completed_at=func.now()
        )
    )
    session.add_all(QuizAttempt(quiz_item_id=item, user_id=learner, given=[0], correct=True) for item in items)
    session.flush()


def test_what_was_replaced_stays_for_the_history_and_can_be_restored_but_is_marked_again(desk: Desk) -> None:
    before = desk.documents()
    desk.upload(TEXT.replace(OLD_LIMIT, NEW_LIMIT))
    [proposal] = desk.proposals()
    desk.accept(proposal)
    assert len(desk.rows()) == 2
    assert len(desk.do(lambda session: sources_of(session, desk.written.course))) == 1

    def undo(session: Session, *, anyway: bool) -> None:
        owner, accepted = session.get_one(User, desk.owner_id), session.get_one(Revision, proposal.id)
        revisions.restore(session, desk.course(session), accepted, owner, first=True, anyway=anyway)

    [source] = desk.do(lambda session: sources_of(session, desk.written.course))
    with pytest.raises(Conflict, match=f"rests on an earlier version of {source.name}") as asked:
        desk.do(partial(undo, anyway=False))
    assert asked.value.current == [source.name]
    assert _told(desk.documents()) != _told(before), "nothing is restored before it is confirmed"
    desk.do(partial(undo, anyway=True))
    assert _told(desk.documents()) == _told(before)
    [marked] = desk.waiting()
    assert marked.startswith(OLD_LIMIT)


def test_a_lesson_of_which_nothing_would_be_left_is_put_before_its_owner_with_the_way_out(desk: Desk) -> None:
    before = desk.documents()
    desk.upload("# Rowing\n\n" + "A rower sits with his back to where the boat is going and pulls two oars. " * 12)
    found = desk.do(lambda session: session.scalars(select(Revision)).all())
    assert found
    assert {row.state for row in found} == {RevisionState.FAILED}
    assert all("Remove the lesson in the outline" in row.note and row.after is None for row in found)
    assert {row.lesson_id for row in found} == set(desk.written.lessons)
    assert _told(desk.documents()) == _told(before)


def test_new_work_sees_only_the_version_in_force_and_the_folder_holds_what_is_cited(desk: Desk) -> None:
    desk.upload(TEXT.replace(OLD_LIMIT, NEW_LIMIT))
    [old, new] = desk.rows()
    assert old.superseded_by == new.id
    sources = desk.do(lambda session: read_sources(session, desk.written.course))
    assert [one.sha256 for one in sources] == [new.sha256]
    chunks = desk.do(lambda session: indexed_chunks(session, desk.written.course))
    assert {one.chunk.source for one in chunks} == {new.sha256}
    out = desk.folder / "course"
    desk.do(lambda session: write_folder(session, desk.services, desk.course(session), out, video=False))
    assert {path.stem for path in (out / "sources").iterdir()} == {old.sha256, new.sha256}
    [proposal] = desk.proposals()
    desk.accept(proposal)
    mended = desk.folder / "mended"
    desk.do(lambda session: write_folder(session, desk.services, desk.course(session), mended, video=False))
    assert {path.stem for path in (mended / "sources").iterdir()} == {new.sha256}


def test_a_third_version_moves_what_the_second_had_lost(desk: Desk) -> None:
    before = desk.documents()
    desk.upload(TEXT.replace(OLD_LIMIT, NEW_LIMIT))
    assert len(desk.proposals()) == 1
    desk.upload(TEXT + "\nThe sentence at the end is new.\n")
    assert desk.waiting() == []
    after = desk.documents()
    assert [words_of(one) for one in after] == [words_of(one) for one in before]
    sources = desk.do(lambda session: read_sources(session, desk.written.course))
    assert all(check_documents(one, sources) for one in after)
    assert desk.proposals() == []  # what followed the second version has lost its reason
    [row] = desk.rows()
    assert row.superseded_by is None


def test_a_signature_goes_with_the_sentence_to_its_new_place(desk: Desk) -> None:
    claim = next(claim for one in desk.documents() for claim in one.text.claims() if claim.cites)
    desk.do(
        lambda session: session.add(
            SignOff(
                lesson_id=desk.written.lessons[0], claim_sha256=claim_key(claim), user_id=desk.owner_id, signed_by="Ada"
            )
        )
    )
    desk.upload(TEXT.replace("## A number", f"{ADDED}## A number"))
    now = next(one for lesson in desk.documents() for one in lesson.text.claims() if one.text == claim.text)
    assert claim_key(now) != claim_key(claim)
    carried = desk.do(lambda session: session.get_one(SignOff, (desk.written.lessons[0], claim_key(now))))
    assert (carried.user_id, carried.signed_by) == (desk.owner_id, "Ada")


def test_a_version_that_cannot_be_used_leaves_the_old_one_in_force(desk: Desk) -> None:
    [old] = desk.rows()
    before = desk.documents()
    desk.upload("\x00\x01")
    [kept, refused] = desk.rows()
    assert refused.state == SourceState.REFUSED
    assert refused.error
    assert kept.superseded_by is None
    assert [row.id for row in desk.do(lambda session: sources_of(session, desk.written.course))] == [old.id]
    assert desk.documents() == before
    desk.upload(TEXT.replace("\n\n## A number", "\n\n\n\n## A number"))  # other bytes, the same words
    [kept, refused] = desk.rows()
    assert "word for word" in refused.error
    assert kept.id == old.id
    desk.upload(TEXT.replace(OLD_LIMIT, NEW_LIMIT))
    assert desk.proposals()


def test_the_very_same_file_and_a_second_version_at_once_are_refused(desk: Desk) -> None:
    desk.upload(TEXT.replace(OLD_LIMIT, NEW_LIMIT), work=False)
    with pytest.raises(Conflict, match=r"worked on|waiting"):
        desk.upload(TEXT + "\nMore.\n", work=False)
    with pytest.raises(Conflict, match="still being compared"):
        desk.do(lambda s: start_generate(s, desk.course(s), s.get_one(User, desk.owner_id)))
    desk.work()
    with pytest.raises(BadInput, match="has already"):
        desk.upload(TEXT.replace(OLD_LIMIT, NEW_LIMIT), work=False)


def test_a_comparison_that_is_continued_proposes_once(desk: Desk) -> None:
    desk.upload(TEXT.replace(OLD_LIMIT, NEW_LIMIT), work=False)
    handlers = {kind: partial(handler, desk.services) for kind, handler in HANDLERS.items()}
    whole = handlers["repair"]
    turns = []

    def twice(task: Any) -> None:
        turns.append(task)
        whole(task)
        if len(turns) == 1:
            raise RuntimeError("the worker dies before it can say that it is done")

    desk.work(handlers={**handlers, "repair": twice})
    assert len(turns) == 2
    assert len(desk.proposals()) == 1
    assert len(desk.waiting()) == 1
