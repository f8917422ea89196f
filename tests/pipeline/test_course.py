"""From documents to a finished course through every room: real database, real readers, real films."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from renderer_job.work import Studio, film_lesson
from service.adapters.doorbell import open_doorbell
from service.adapters.launcher import open_launcher
from service.adapters.mail import open_mailer
from service.adapters.speech import open_speech
from service.adapters.stills import SlideStills
from service.adapters.vectors import open_vectors
from service.authors import open_author
from service.db.engine import session_scope
from service.db.lane import run_lane
from service.db.plans import read_plan, write_plan
from service.db.queries import lessons_of, newest_media, read_sources
from service.db.tables import Chunk, Course, CourseState, LessonState, QuizItem, Role, Run, RunState, Source, User
from service.domain.course import Brief, LessonPlan
from service.domain.quiz import Quiz
from service.errors import BadInput
from service.pipeline.handlers import HANDLERS
from service.pipeline.produce import advance, create_course
from service.pipeline.runs import start_generate
from service.pipeline.verify import check_cites
from service.ports import Services, StorageService
from service.settings import Settings

TEXT = (Path(__file__).parents[1] / "e2e" / "sourdough.md").read_text(encoding="utf-8")


@pytest.fixture
def services(engine: Engine, settings: Settings, storage: StorageService) -> Iterator[Services]:
    launcher = open_launcher(settings)
    yield Services(
        settings=settings,
        engine=engine,
        storage=storage,
        doorbell=open_doorbell(settings),
        launcher=launcher,
        author=open_author("offline"),
        vectors=open_vectors("memory:"),
        embedder=None,
        speech=open_speech("silent:", openai_api_key="", openai_base_url="", cache_dir=None),
        stills=SlideStills(),
        mailer=open_mailer(settings),
    )
    launcher.close()


@contextmanager
def both_lanes(services: Services) -> Iterator[None]:
    """Both lanes at work in threads of this process."""
    stop = threading.Event()
    studio = Studio(services.storage, services.speech, services.settings.data_dir / "scratch")
    lanes = {
        "author": {kind: partial(handler, services) for kind, handler in HANDLERS.items()},
        "render": {"film": partial(film_lesson, studio)},
    }
    threads = [
        threading.Thread(
            target=run_lane,
            args=(services.engine, lane, handlers),
            kwargs={"settings": services.settings, "stop": stop},
        )
        for lane, handlers in lanes.items()
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=30)


def begin(services: Services, folder: Path, text: str = TEXT, email: str = "a@example.org") -> uuid.UUID:
    path = folder / "sourdough.md"
    path.write_text(text, encoding="utf-8")
    with session_scope(services.engine) as session:
        owner = User(id=uuid.uuid4(), email=email, name="A", role=Role.INSTRUCTOR, password_hash="!")
        session.add(owner)
        session.flush()
        return create_course(session, services.storage, owner, Brief(), [path]).id


def carry(services: Services, course_id: uuid.UUID, *, film: bool = True) -> None:
    """Bring the course to its end, as the demo and `coursewright build` do."""
    pause = threading.Event()
    for _ in range(1200):
        with session_scope(services.engine) as session:
            if advance(session, course_id, film=film, settings=services.settings) is None:
                return
        pause.wait(0.1)
    raise AssertionError("the course did not come to its end within two minutes")


def test_documents_become_a_finished_course(services: Services, tmp_path: Path) -> None:
    course_id = begin(services, tmp_path)
    with both_lanes(services):
        carry(services, course_id)
    with session_scope(services.engine) as session:
        assert session.get_one(Course, course_id).state == CourseState.READY
        lessons = lessons_of(session, course_id)
        films = newest_media(session, [lesson.id for lesson in lessons])
        sources = read_sources(session, course_id)
        assert lessons
        for lesson in lessons:
            assert lesson.state == LessonState.COMPLETED
            assert lesson.text is not None
            assert lesson.storyboard is not None
            items = session.scalars(select(QuizItem).where(QuizItem.lesson_id == lesson.id)).all()
            assert items
            quiz = Quiz(lesson_id=str(lesson.id), items=tuple(item.document for item in items))
            assert check_cites(lesson.text, lesson.storyboard, quiz, sources) > 10
            assert films[lesson.id].film.seconds > 20
            assert services.storage.size(films[lesson.id].video_key)
        runs = session.scalars(select(Run).where(Run.course_id == course_id)).all()
        assert {run.state for run in runs} == {RunState.SUCCEEDED}
        assert session.scalar(select(func.count()).select_from(Chunk).where(Chunk.course_id == course_id))


def test_a_course_that_is_finished_costs_nothing_to_build_again(services: Services, tmp_path: Path) -> None:
    course_id = begin(services, tmp_path)
    with both_lanes(services):
        carry(services, course_id)
        with session_scope(services.engine) as session:
            before = {lesson.id: lesson.updated_at for lesson in lessons_of(session, course_id)}
        files = {path for path in (services.settings.data_dir / "media").rglob("*") if path.is_file()}
        carry(services, course_id)
    with session_scope(services.engine) as session:
        assert {lesson.id: lesson.updated_at for lesson in lessons_of(session, course_id)} == before
    assert {path for path in (services.settings.data_dir / "media").rglob("*") if path.is_file()} == files


def test_a_published_course_stays_visible_while_a_lesson_is_made_anew(services: Services, tmp_path: Path) -> None:
    course_id = begin(services, tmp_path)
    with both_lanes(services):
        carry(services, course_id, film=False)
        with session_scope(services.engine) as session:
            course = session.get_one(Course, course_id)
            course.state = CourseState.PUBLISHED
            lessons_of(session, course_id)[0].state = LessonState.PLANNED
            owner = session.get_one(User, course.owner_id)
            run_id = start_generate(session, course, owner, film=False).id
            assert course.state == CourseState.PUBLISHED
        for _ in range(600):
            with session_scope(services.engine) as session:
                if session.get_one(Run, run_id).state == RunState.SUCCEEDED:
                    break
            threading.Event().wait(0.1)
    with session_scope(services.engine) as session:
        assert session.get_one(Run, run_id).state == RunState.SUCCEEDED
        assert session.get_one(Course, course_id).state == CourseState.PUBLISHED


def test_texts_alone_are_made_without_films(services: Services, tmp_path: Path) -> None:
    course_id = begin(services, tmp_path)
    with both_lanes(services):
        carry(services, course_id, film=False)
    with session_scope(services.engine) as session:
        lessons = lessons_of(session, course_id)
        assert {lesson.state for lesson in lessons} == {LessonState.WRITTEN}
        assert not newest_media(session, [lesson.id for lesson in lessons])


def test_a_lesson_added_by_hand_finds_its_passages(services: Services, tmp_path: Path) -> None:
    course_id = begin(services, tmp_path)
    with both_lanes(services):
        while True:
            with session_scope(services.engine) as session:
                if session.get_one(Course, course_id).state == CourseState.PLANNED:
                    break
                if session.get_one(Course, course_id).state == CourseState.DRAFT:
                    advance(session, course_id)
            threading.Event().wait(0.1)
        with session_scope(services.engine) as session:
            course = session.get_one(Course, course_id)
            plan = read_plan(session, course_id)
            added = LessonPlan(id="added", title="Feeding the starter with flour and water")
            module = plan.modules[0].model_copy(update={"lessons": (added,)})
            added_id = write_plan(session, course, plan.model_copy(update={"modules": (module,)})).lessons[0].id
        carry(services, course_id, film=False)
    with session_scope(services.engine) as session:
        lesson = next(lesson for lesson in lessons_of(session, course_id) if str(lesson.id) == added_id)
        assert lesson.text is not None
        quotes = " ".join(cite.quote for cite in lesson.text.cites())
        assert "50 grams of flour" in quotes


def test_a_document_that_cannot_be_read_is_refused_with_its_reason(services: Services, tmp_path: Path) -> None:
    course_id = begin(services, tmp_path, text="  \n")
    with both_lanes(services), pytest.raises(BadInput, match="sourdough"):
        carry(services, course_id)
    with session_scope(services.engine) as session:
        source = session.scalars(select(Source).where(Source.course_id == course_id)).one()
        assert source.error
        assert session.get_one(Course, course_id).state == CourseState.DRAFT


def test_too_little_to_teach_sends_the_course_back_with_the_reason(services: Services, tmp_path: Path) -> None:
    course_id = begin(services, tmp_path, text="# Bread\n\nBread is made of flour and water.\n")
    with both_lanes(services), pytest.raises(BadInput):
        carry(services, course_id)
    with session_scope(services.engine) as session:
        assert session.get_one(Course, course_id).state == CourseState.DRAFT
