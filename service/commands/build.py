"""`coursewright build`: documents to a complete course folder, by the site's own pipeline on a private database."""

from __future__ import annotations

import os
import signal
import tempfile
import time
import uuid
from argparse import Namespace
from contextlib import ExitStack
from pathlib import Path

from pydantic import ValidationError
from rich.console import Console

from service.commands.arguments import parser
from service.commands.progress import follow, shown
from service.db.engine import session_scope
from service.db.queries import lessons_of, newest_media, sources_of
from service.db.tables import Course, Role, SourceState, User
from service.domain.course import Brief
from service.errors import BadInput
from service.logs import configure_logging
from service.pipeline.folder import write_folder
from service.pipeline.produce import create_course
from service.ports import Services
from service.readers import Limits
from service.readers.reading import check_file
from service.settings import Settings, load_settings

UNUSABLE = "!"  # no password hashes to this
WANTED = {
    "minutes": "must be between 0 (as long as the sources carry) and 3000",
    "language": "must be a language code such as en or pt-BR",
}
LEVELS = ("beginner", "intermediate", "advanced")


def main(argv: list[str]) -> int:
    """Build a course folder; `--out` appears only when it is complete."""
    given = _options(argv)
    started = time.monotonic()
    signal.signal(signal.SIGTERM, _interrupt)
    sources, out, brief = _sources(given.source), _free(Path(given.out)), _brief(given)
    cache = Path(given.cache) if given.cache else Path.home() / ".cache" / "coursewright"
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="coursewright-build-") as folder:
        settings = _settings(Path(folder), cache)
        configure_logging(settings)
        summary = _build(settings, sources, brief, out, console, video=not given.no_video)
    console.print(f"{summary}, in {time.monotonic() - started:.0f} s: {out}", highlight=False, soft_wrap=True)
    return 0


def _interrupt(*_: object) -> None:
    """SIGTERM ends a build like Ctrl-C: in order, with its database and its temporary folder."""
    raise KeyboardInterrupt


def _options(argv: list[str]) -> Namespace:
    options = parser("build", "Turn documents into a complete course folder.")
    options.add_argument("source", nargs="+", help="Markdown, text, HTML, PDF, DOCX or PPTX files, in teaching order")
    options.add_argument("--out", required=True, help="the folder to make; it must not exist yet")
    options.add_argument("--title", default="", help="the course's title; without it the sources give one")
    options.add_argument("--audience", default="", help="who it is for, in a sentence")
    options.add_argument("--level", choices=LEVELS, default="beginner")
    options.add_argument("--minutes", type=int, default=0, help="wished length of all videos; 0: what the sources hold")
    options.add_argument("--language", default="en", help="the sources' language, such as en or pt-BR")
    options.add_argument("--no-video", action="store_true", help="texts, storyboards and quizzes only")
    options.add_argument("--budget-usd", type=float, default=0.0, help="stop before spending more; 0 with LLM=offline")
    options.add_argument("--cache", help="where speech and film segments are kept for the next build")
    return options.parse_args(argv)


def _sources(names: list[str]) -> list[Path]:
    paths = [Path(name) for name in names]
    for path in paths:
        if not path.exists():
            raise BadInput(f"{path} does not exist. Check the path.")
        if path.is_dir():
            raise BadInput(f"{path} is a folder. Name the documents in it, such as {path}/*.md.")
        check_file(path, path.name, Limits())
    return paths


def _free(out: Path) -> Path:
    if out.exists():
        raise BadInput(f"{out} exists already. Choose another --out, or remove it first.")
    parent = out.resolve().parent
    if not parent.is_dir():
        raise BadInput(f"The folder {parent} does not exist. Make it first, or choose another --out.")
    try:
        with tempfile.TemporaryFile(dir=parent):
            pass
    except OSError as error:
        raise BadInput(f"{parent} cannot be written: {error.strerror}. Choose another --out.") from error
    return out


def _brief(given: Namespace) -> Brief:
    if given.budget_usd < 0:
        raise BadInput("--budget-usd is negative. Give the most that may be spent, such as 2.50.")
    try:
        return Brief(
            title=given.title,
            audience=given.audience,
            level=given.level,
            minutes=given.minutes,
            language=given.language,
        )
    except ValidationError as error:
        field = str(error.errors(include_url=False)[0]["loc"][0])
        raise BadInput(f"--{field} {WANTED.get(field, 'is too long; shorten it')}.") from error


def _settings(folder: Path, cache: Path) -> Settings:
    """A private installation in a temporary folder; only what films are cut from outlives it, in the cache."""
    try:
        cache.mkdir(parents=True, exist_ok=True)
        storage = f"file://{cache.resolve() / 'media'}"
    except OSError:
        storage = "file:"
    return load_settings(
        environment="local",
        data_dir=folder,
        database_url="embedded:",
        storage_url=storage,
        queue_url="postgres:",
        jobs_url="local:",
        vectors_url="memory:",
        embeddings="none:",
        llm="offline",
        render_workers=max(1, (os.cpu_count() or 2)),
    )


def _build(settings: Settings, sources: list[Path], brief: Brief, out: Path, console: Console, *, video: bool) -> str:
    from service.db.migrate import upgrade
    from service.wiring import open_services

    with ExitStack() as stack:
        services = stack.enter_context(open_services(settings))
        upgrade(services.engine, durable=False)
        course_id = _begin(services, sources, brief)
        stack.callback(_tidy, services, course_id)
        services.launcher.launch("author")
        if video:
            services.launcher.launch("render")
        with shown("Building", console) as say:
            follow(services, course_id, say, film=video)
            say("Writing the course folder", 100)
            with session_scope(services.engine) as session:
                for source in sources_of(session, course_id):
                    if source.state == SourceState.REFUSED:
                        console.print(f"Left out: {source.error}", highlight=False, soft_wrap=True)
                course = session.get_one(Course, course_id)
                write_folder(session, services, course, out, video=video)
                lessons = lessons_of(session, course_id)
                films = newest_media(session, [lesson.id for lesson in lessons])
                minutes = sum(film.film.seconds for film in films.values()) / 60
                return f"{len(lessons)} lessons, {minutes:.1f} minutes of video"


def _tidy(services: Services, course_id: uuid.UUID) -> None:
    """Keep only what a film is cut from: the uploads and the finished films stand elsewhere already."""
    with session_scope(services.engine) as session:
        keys = [source.upload_key for source in sources_of(session, course_id)]
        films = newest_media(session, [lesson.id for lesson in lessons_of(session, course_id)])
        for film in films.values():
            keys += [film.video_key, film.captions_key, film.chapters_key, film.transcript_key, film.poster_key]
    for key in keys:
        services.storage.delete(key)


def _begin(services: Services, sources: list[Path], brief: Brief) -> uuid.UUID:
    with session_scope(services.engine) as session:
        owner = User(id=uuid.uuid4(), email="build@localhost", name="coursewright build", role=Role.INSTRUCTOR)
        owner.password_hash = UNUSABLE
        session.add(owner)
        session.flush()
        course_id = uuid.uuid5(uuid.NAMESPACE_URL, "coursewright-build")
        return create_course(session, services.storage, owner, brief, sources, course_id=course_id).id
