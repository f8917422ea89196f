"""A change of one part of a lesson, from the wish to the decision: real database, real lane, the offline author."""

from __future__ import annotations

import dataclasses
import threading
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from renderer_job.work import Studio, film_lesson
from service.authors.extractive import ExtractiveAuthor
from service.db import jobs
from service.db.engine import transaction
from service.db.lane import run_lane
from service.db.queries import newest_media
from service.db.tables import (
    Course,
    CourseState,
    Job,
    JobState,
    Lesson,
    LessonState,
    Media,
    QuizAttempt,
    QuizItem,
    Revision,
    RevisionState,
    Role,
    Run,
    RunState,
    User,
)
from service.domain.consequences import Gone, cites_of
from service.domain.lesson import Claim, ParagraphBlock
from service.domain.quiz import QuizItem as Item
from service.domain.revision import Change, LessonDocuments
from service.domain.storyboard import Cue, Film
from service.domain.wishes import words_of
from service.errors import BadInput, Conflict, NotFound, Unavailable
from service.pipeline import revisions, wishes
from service.pipeline.filming import film_changed
from service.pipeline.handlers import HANDLERS
from service.pipeline.runs import start_generate
from service.ports import Services
from tests.authors.texts import bees, sourdough
from tests.engine.desk import AT_ONCE
from tests.pipeline.test_course import services  # noqa: F401 - a fixture
from tests.pipeline.written_course import Written, write_course


class Desk:
    """The product as these tests use it: every call is one committed transaction."""

    def __init__(self, services: Services) -> None:  # noqa: F811
        self.services = services
        self.owner_id = uuid.uuid4()

        def begin(session: Session) -> Written:
            owner = User(id=self.owner_id, email="a@example.org", name="Ada", role=Role.INSTRUCTOR, password_hash="!")
            session.add(owner)
            session.flush()
            return write_course(session, owner, (sourdough, bees))

        self.written = self.do(begin)

    def do(self, work: Callable[[Session], Any]) -> Any:
        return transaction(self.services.engine, work)

    def course(self, session: Session) -> Course:
        return session.get_one(Course, self.written.course)

    def owner(self, session: Session) -> User:
        return session.get_one(User, self.owner_id)

    def lesson(self, number: int = 0) -> Lesson:
        return self.do(lambda session: session.get_one(Lesson, self.written.lessons[number]))

    def documents(self, number: int = 0) -> LessonDocuments:
        return self.do(
            lambda session: revisions.standing(session, session.get_one(Lesson, self.written.lessons[number]))
        )

    def ask(self, change: Change, number: int = 0) -> uuid.UUID:
        def asked(session: Session) -> uuid.UUID:
            lesson = session.get_one(Lesson, self.written.lessons[number])
            return wishes.ask(session, self.course(session), lesson, change, self.owner(session)).id

        return self.do(asked)

    def revision(self, revision_id: uuid.UUID) -> Revision:
        return self.do(lambda session: session.get_one(Revision, revision_id))

    def accept(self, revision_id: uuid.UUID) -> Revision:
        return self.do(lambda s: revisions.accept(s, self.course(s), s.get_one(Revision, revision_id), self.owner(s)))

    def reject(self, revision_id: uuid.UUID) -> Revision:
        return self.do(lambda s: revisions.reject(s, s.get_one(Revision, revision_id), self.owner(s)))

    def work(self, services: Services | None = None) -> None:  # noqa: F811
        """The author lane until nothing is left to do."""
        given = services or self.services
        quick = given.settings.model_copy(update={"idle_exit_seconds": 0.2})
        handlers = {kind: partial(handler, given) for kind, handler in HANDLERS.items()}
        run_lane(given.engine, "author", handlers, settings=quick, stop=threading.Event(), backoff=AT_ONCE)

    def made(self, change: Change, number: int = 0) -> Revision:
        revision_id = self.ask(change, number)
        self.work()
        return self.revision(revision_id)

    def block(self) -> ParagraphBlock:
        """A paragraph of several sentences; a question asks for each of them."""
        text = self.documents().text
        block = next(one for one in text.blocks if isinstance(one, ParagraphBlock) and len(one.claims) > 2)

        def ask(session: Session) -> None:
            for number, claim in enumerate(block.claims):
                item = Item(id=f"own-{number}", kind="short", stem=claim.text, model_answer="Yes.", cites=claim.cites)
                session.add(QuizItem(lesson_id=self.written.lessons[0], position=90 + number, document=item))

        self.do(ask)
        return block


SHORTER = "shorter, please"


@pytest.fixture
def desk(services: Services) -> Desk:  # noqa: F811
    return Desk(services)


def test_a_shorter_block_is_proposed_and_nothing_is_changed_until_it_is_accepted(desk: Desk) -> None:
    block, before = desk.block(), desk.documents()
    revision = desk.made(Change(part="block", id=block.id, wish=SHORTER))
    assert revision.state == RevisionState.PROPOSED, revision.note
    assert desk.documents() == before == revision.before
    after = revision.after
    assert after
    now = next(one for one in after.text.blocks if one.id == block.id)
    assert words_of(now) <= 0.9 * words_of(block)
    assert [b for b in after.text.blocks if b.id != block.id] == [b for b in before.text.blocks if b.id != block.id]


def test_what_the_changed_text_no_longer_says_leaves_video_and_questions_and_the_rest_stays(desk: Desk) -> None:
    block = desk.block()
    revision = desk.made(Change(part="block", id=block.id, wish=SHORTER))
    before, after = revision.before, revision.after
    assert before
    assert before.storyboard
    assert before.quiz
    assert after
    assert after.storyboard
    assert after.quiz
    gone = Gone.between(before.text, after.text)
    assert any(gone.holds(cite) for scene in before.storyboard.scenes for cite in cites_of(scene))
    assert not [cite for scene in after.storyboard.scenes for cite in cites_of(scene) if gone.holds(cite)]
    assert not [cite for item in after.quiz.items for cite in item.cites if gone.holds(cite)]
    kept = {item.id: item for item in before.quiz.items if not any(map(gone.holds, item.cites))}
    assert kept == {item.id: item for item in after.quiz.items if item.id in kept}
    untouched = [s for s in before.storyboard.scenes if not any(map(gone.holds, cites_of(s)))]
    assert [scene for scene in after.storyboard.scenes if scene in untouched] == untouched


def test_accepting_writes_the_lesson_keeps_answers_and_films_that_lesson_only(desk: Desk) -> None:
    revision = desk.made(Change(part="block", id=desk.block().id, wish=SHORTER))
    assert revision.after
    kept = revision.after.quiz.items[-1].id if revision.after.quiz else ""

    def answer(session: Session) -> uuid.UUID:
        rows = session.scalars(select(QuizItem).where(QuizItem.lesson_id == desk.written.lessons[0]))
        row = next(row for row in rows if row.document.id == kept)
        session.add(QuizAttempt(quiz_item_id=row.id, user_id=desk.owner_id, given=[0], correct=True))
        return row.id

    answered = desk.do(answer)
    old_film = desk.do(lambda s: newest_media(s, desk.written.lessons)[desk.written.lessons[0]].id)
    assert desk.accept(revision.id).state == RevisionState.ACCEPTED
    assert desk.documents() == revision.after
    lesson = desk.lesson()
    assert (lesson.version, lesson.state) == (revision.base_version + 1, LessonState.WRITTEN)
    assert desk.do(lambda s: s.scalar(select(QuizAttempt.quiz_item_id))) == answered
    filming = desk.do(lambda s: s.execute(select(Job.kind, Job.subject_id).where(Job.state == JobState.QUEUED)).all())
    assert filming == [("film", desk.written.lessons[0])]
    assert desk.do(lambda s: newest_media(s, desk.written.lessons)[desk.written.lessons[0]].id) == old_film
    assert desk.do(lambda s: desk.course(s).state) == CourseState.READY


def test_accepting_twice_is_accepting_once_and_what_was_rejected_is_not_accepted(desk: Desk) -> None:
    block = desk.block().id
    accepted = desk.made(Change(part="block", id=block, wish=SHORTER))
    desk.accept(accepted.id)
    version = desk.lesson().version
    assert desk.accept(accepted.id).state == RevisionState.ACCEPTED
    assert desk.lesson().version == version
    with pytest.raises(Conflict, match="accepted already"):
        desk.reject(accepted.id)
    before = desk.documents()
    rejected = desk.made(Change(part="lesson", wish="shorter"))
    assert desk.reject(rejected.id).state == RevisionState.REJECTED
    with pytest.raises(Conflict, match="rejected already"):
        desk.accept(rejected.id)
    assert desk.documents() == before


def test_a_proposal_from_an_older_version_is_outdated(desk: Desk) -> None:
    first = desk.made(Change(part="block", id=desk.block().id, wish=SHORTER))
    second = desk.made(Change(part="lesson", wish="shorter"))
    desk.accept(first.id)
    assert desk.revision(second.id).state == RevisionState.OUTDATED
    with pytest.raises(Conflict, match="has changed since"):
        desk.accept(second.id)

    def change_by_hand(session: Session) -> None:
        session.get_one(Lesson, desk.written.lessons[1]).version += 1

    third = desk.made(Change(part="lesson", wish="shorter"), 1)
    desk.do(change_by_hand)
    assert desk.accept(third.id).state == RevisionState.OUTDATED
    assert desk.documents(1) == third.before


def test_any_version_of_the_history_can_be_restored_which_is_a_revision_too(desk: Desk) -> None:
    block, first = desk.block(), desk.documents()
    shorter = desk.made(Change(part="block", id=block.id, wish=SHORTER))
    desk.accept(shorter.id)
    short = desk.documents()

    def restore(revision_id: uuid.UUID, *, to_first: bool) -> Revision:
        return desk.do(
            lambda s: revisions.restore(
                s, desk.course(s), s.get_one(Revision, revision_id), desk.owner(s), first=to_first
            )
        )

    back = restore(shorter.id, to_first=True)
    assert desk.documents() == first
    assert (back.cause, back.state, back.decided_by) == ("restored", RevisionState.ACCEPTED, desk.owner_id)
    with pytest.raises(Conflict, match="already"):
        restore(shorter.id, to_first=True)
    restore(shorter.id, to_first=False)
    assert desk.documents() == short
    causes = desk.do(lambda s: [one.cause for one in revisions.history(s, desk.lesson())])
    assert causes == ["restored", "restored", "asked"]


def test_a_wish_that_cannot_be_granted_fails_by_name_and_may_be_driven_again(desk: Desk) -> None:
    revision = desk.made(Change(part="lesson", wish="in the voice of a pirate"))
    assert revision.state == RevisionState.FAILED
    assert "Without a model" in revision.note
    assert desk.do(lambda s: s.get_one(Run, revision.run_id).state) == RunState.FAILED
    assert desk.do(lambda s: desk.course(s).state) == CourseState.READY
    dead = desk.do(lambda s: s.scalar(select(Job.id).where(Job.state == JobState.DEAD)))
    desk.do(lambda s: jobs.redrive(s, dead))
    assert desk.revision(revision.id).state == RevisionState.MAKING
    desk.work()
    assert desk.revision(revision.id).state == RevisionState.FAILED


def test_a_stopped_change_has_failed_and_the_lesson_is_as_it_was(desk: Desk) -> None:
    before = desk.documents()
    revision_id = desk.ask(Change(part="lesson", wish="shorter"))
    run_id = desk.revision(revision_id).run_id
    desk.do(lambda s: jobs.request_cancel(s, run_id))
    revision = desk.revision(revision_id)
    assert (revision.state, revision.note) == (RevisionState.FAILED, "It was stopped.")
    desk.work()
    assert desk.documents() == before
    assert desk.do(lambda s: s.get_one(Run, run_id).state) == RunState.CANCELED


def test_a_change_and_a_generation_of_the_same_lesson_do_not_fight(desk: Desk) -> None:
    def unfinish(session: Session) -> None:
        session.get_one(Lesson, desk.written.lessons[0]).state = LessonState.FAILED
        desk.course(session).state = CourseState.PLANNED

    desk.do(unfinish)
    asked = desk.ask(Change(part="lesson", wish="shorter"))
    assert desk.ask(Change(part="lesson", wish="Shorter")) == asked
    with pytest.raises(Conflict, match="Another change"):
        desk.ask(Change(part="lesson"))
    with pytest.raises(Conflict, match="is being made"):
        desk.do(lambda s: start_generate(s, desk.course(s), desk.owner(s)))
    desk.work()
    desk.do(lambda s: start_generate(s, desk.course(s), desk.owner(s)))
    with pytest.raises(Conflict, match="being generated"):
        desk.ask(Change(part="lesson"))
    with pytest.raises(Conflict, match="being generated"):
        desk.accept(asked)


def test_a_unit_is_changed_lesson_by_lesson_in_one_run(desk: Desk) -> None:
    module = desk.lesson().module_id

    def ask(session: Session) -> list[Revision]:
        return wishes.ask_module(session, desk.course(session), module, "shorter", desk.owner(session))

    asked = desk.do(ask)
    assert len({one.run_id for one in asked}) == 1
    desk.work()
    made = [desk.revision(one.id) for one in asked]
    assert {one.state for one in made} == {RevisionState.PROPOSED}
    assert {one.lesson_id for one in made} == set(
        desk.do(lambda s: s.scalars(select(Lesson.id).where(Lesson.module_id == module)).all())
    )
    with pytest.raises(NotFound):
        desk.do(lambda s: wishes.ask_module(s, desk.course(s), uuid.uuid4(), "shorter", desk.owner(s)))


def test_a_written_lesson_that_is_generated_again_is_only_filmed_and_keeps_what_people_changed(desk: Desk) -> None:
    revision = desk.made(Change(part="block", id=desk.block().id, wish=SHORTER))
    desk.accept(revision.id)
    run_id = desk.do(lambda s: revisions.film_run(s, s.get_one(Revision, revision.id)).id)
    desk.do(lambda s: jobs.request_cancel(s, run_id))
    desk.do(lambda s: start_generate(s, desk.course(s), desk.owner(s)))
    desk.work()
    assert desk.documents() == revision.after
    waiting = desk.do(lambda s: s.execute(select(Job.kind, Job.state).where(Job.state != JobState.CANCELED)).all())
    assert ("film", JobState.QUEUED) in waiting
    assert "write" not in {kind for kind, _ in waiting}


def test_what_a_generation_replaces_stays_in_the_history(desk: Desk) -> None:
    shorter = desk.made(Change(part="lesson", wish="shorter"))
    desk.accept(shorter.id)
    run_id = desk.do(lambda s: revisions.film_run(s, s.get_one(Revision, shorter.id)).id)
    desk.do(lambda s: jobs.request_cancel(s, run_id))

    def plan_anew(session: Session) -> None:
        session.get_one(Lesson, desk.written.lessons[0]).state = LessonState.PLANNED

    desk.do(plan_anew)
    with pytest.raises(Conflict, match="planned anew"):
        desk.ask(Change(part="lesson", wish="shorter"))
    desk.do(lambda s: start_generate(s, desk.course(s), desk.owner(s), film=False))
    desk.work()
    newest = desk.do(lambda s: revisions.history(s, desk.lesson())[0])
    assert newest.cause == "generated"
    assert newest.before == shorter.after
    assert newest.after == desk.documents()


class Meddling(ExtractiveAuthor):
    """An author that changes more than it was asked to."""

    def revise(self, *args: Any, **kwargs: Any) -> LessonDocuments:
        made = super().revise(*args, **kwargs)
        blocks = (*made.text.blocks[:-1], made.text.blocks[-1].model_copy(update={"id": "mine"}))
        return made.model_copy(update={"text": made.text.model_copy(update={"blocks": blocks})})


def test_what_breaks_a_rule_is_refused_by_name(desk: Desk) -> None:
    revision_id = desk.ask(Change(part="block", id=desk.block().id, wish=SHORTER))
    desk.work(dataclasses.replace(desk.services, author=Meddling()))
    revision = desk.revision(revision_id)
    assert (revision.state, revision.after) == (RevisionState.FAILED, None)
    assert "more than was asked for" in revision.note


class Stubborn(ExtractiveAuthor):
    """An author that redraws no scene alone."""

    def revise(self, *args: Any, **kwargs: Any) -> LessonDocuments:
        if args[3].part == "scene":
            raise BadInput("This scene cannot be drawn alone. Change the lesson.")
        return super().revise(*args, **kwargs)


def test_a_scene_that_cannot_be_redrawn_alone_stays_and_the_proposal_says_so(desk: Desk) -> None:
    revision_id = desk.ask(Change(part="block", id=desk.block().id, wish=SHORTER))
    desk.work(dataclasses.replace(desk.services, author=Stubborn()))
    revision = desk.revision(revision_id)
    assert revision.state == RevisionState.PROPOSED
    assert "still shows what the text no longer says" in revision.note


class Failing(ExtractiveAuthor):
    """An author whose provider is away at the first quiz, and that counts what it is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def revise(self, *args: Any, **kwargs: Any) -> LessonDocuments:
        self.asked.append(args[3].part)
        return super().revise(*args, **kwargs)

    def quiz(self, *args: Any, **kwargs: Any) -> Any:
        self.asked.append("quiz")
        if self.asked.count("quiz") == 1:
            raise Unavailable("The provider is away. Try again.")
        return super().quiz(*args, **kwargs)


def test_a_change_that_is_continued_repeats_no_finished_step(desk: Desk) -> None:
    author = Failing()
    revision_id = desk.ask(Change(part="block", id=desk.block().id, wish=SHORTER))
    desk.work(dataclasses.replace(desk.services, author=author))
    assert desk.revision(revision_id).state == RevisionState.PROPOSED
    assert author.asked.count("block") == 1
    assert author.asked.count("quiz") == 2


def test_a_published_course_takes_no_sentence_that_its_gate_would_stop(desk: Desk) -> None:
    revision = desk.made(Change(part="block", id=desk.block().id, wish=SHORTER))

    def spoil(session: Session) -> None:
        row = session.get_one(Revision, revision.id)
        assert row.after
        cited = next(claim for claim in row.after.text.claims() if claim.cites)
        wrong = ParagraphBlock(id="mine", claims=(Claim(text="Never bake on 77 moons.", cites=cited.cites),))
        text = row.after.text.model_copy(update={"blocks": (*row.after.text.blocks, wrong)})
        row.after = row.after.model_copy(update={"text": text})
        desk.course(session).state = CourseState.PUBLISHED

    desk.do(spoil)
    with pytest.raises(Conflict, match="77 moons"):
        desk.accept(revision.id)
    assert desk.documents() == revision.before


def film(desk: Desk) -> Film:
    """The render lane until nothing is left; the newest film of the first lesson."""
    given = desk.services
    studio = Studio(given.storage, given.speech, given.settings.data_dir / "scratch")
    quick = given.settings.model_copy(update={"idle_exit_seconds": 0.2})
    handlers = {"film": partial(film_lesson, studio)}
    run_lane(given.engine, "render", handlers, settings=quick, stop=threading.Event(), backoff=AT_ONCE)
    media: Media = desk.do(lambda s: newest_media(s, desk.written.lessons)[desk.written.lessons[0]])
    return media.film


def test_a_changed_scene_alone_is_filmed_and_learners_keep_the_old_film_until_then(desk: Desk) -> None:
    def cut(session: Session) -> None:
        """A storyboard of two scenes, filmed before."""
        lesson = session.get_one(Lesson, desk.written.lessons[0])
        assert lesson.storyboard
        listed = next(s for s in lesson.storyboard.scenes if s.kind == "bullets" and any(c.cites for c in s.cues))
        cues = tuple(Cue(text=f"Point {n}.", state=n, cites=listed.cues[-1].cites) for n in range(1, 4))
        more = listed.model_copy(update={"id": "more", "items": ("One", "Two", "Three"), "cues": cues})
        title = lesson.storyboard.scenes[0]
        scenes = (title.model_copy(update={"cues": (Cue(text="Bread."),)}), more)
        lesson.storyboard = lesson.storyboard.model_copy(update={"scenes": scenes})
        lesson.state = LessonState.FAILED
        film_changed(session, desk.course(session), lesson, None, by=None, key="first")

    desk.do(cut)
    old = film(desk)
    revision = desk.made(Change(part="scene", id="more", wish="shorter"))
    assert revision.state == RevisionState.PROPOSED, revision.note
    desk.accept(revision.id)
    shown = desk.do(lambda s: newest_media(s, desk.written.lessons)[desk.written.lessons[0]].film)
    assert shown == old
    new = film(desk)
    assert desk.lesson().state == LessonState.COMPLETED
    assert new.seconds < old.seconds
    assert new.segments_reused > 0
    assert len(new.cues) < len(old.cues)
