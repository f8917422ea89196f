"""The private installation that `coursewright build` works in: a temporary database, thrown away with its course.

What is dear outlives it in the cache: speech, film segments, and the recorded answers of a model. So a build that was
stopped, by a budget or by hand, pays only for the rest when it is run again.
"""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from rich.console import Console
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.commands.progress import follow, shown
from service.db.engine import session_scope
from service.db.money import OUT_OF_MONEY, next_calls
from service.db.queries import lessons_of, newest_media, sources_of
from service.db.tables import Course, Role, Run, SourceState, User
from service.domain.course_folder import CourseLock, SignedClaim
from service.domain.money import cents_up, dollars, micro_dollars
from service.errors import OverBudget, Paused
from service.logs import configure_logging
from service.pipeline.folder import write_folder
from service.ports import Services
from service.settings import Settings, load_settings

UNUSABLE = "!"  # no password hashes to this
NO_CACHE = "file:"  # within the temporary folder
COURSE_ID = uuid.uuid5(uuid.NAMESPACE_URL, "coursewright-build")


@dataclass(frozen=True)
class Wish:
    """What is to be made, and where: `check` may refuse the installation before anything is there, `begin` creates the
    course, `prepare` is called while its sources are read. Recorded answers of a model lie in the folder `recorded`.
    """

    out: Path
    video: bool
    cache: Path
    begin: Callable[[Session, Services, User], uuid.UUID]
    check: Callable[[Services], None] = lambda *_: None
    prepare: Callable[[Services, uuid.UUID], None] = lambda *_: None
    recorded: Path | None = None
    signed: tuple[SignedClaim, ...] = ()


@contextmanager
def workshop(wish: Wish, **overrides: object) -> Iterator[Services]:
    """The installation, open and empty.

    Raises:
        BadInput: a setting of the environment cannot be used.
    """
    from service.db.migrate import upgrade
    from service.wiring import open_services

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="coursewright-build-")))
        if wish.recorded is not None:
            (folder / "calls").symlink_to(wish.recorded.resolve())
        settings = _settings(folder, wish.cache, overrides)
        configure_logging(settings)
        services = stack.enter_context(open_services(settings))
        wish.check(services)
        upgrade(services.engine, durable=False)
        yield services


def _settings(folder: Path, cache: Path, overrides: dict[str, object]) -> Settings:
    """A private installation in a temporary folder. Search goes by words, because vectors come when they come and a
    course must not depend on how fast the machine is."""
    try:
        cache.mkdir(parents=True, exist_ok=True)
        storage = f"file://{cache.resolve() / 'media'}"
    except OSError:
        storage = NO_CACHE
    return load_settings(
        environment="local",
        data_dir=folder,
        database_url="embedded:",
        storage_url=storage,
        queue_url="postgres:",
        jobs_url="local:",
        vectors_url="memory:",
        embeddings="none:",
        render_workers=max(1, (os.cpu_count() or 2)),
        **overrides,
    )


def capped(usd: float) -> dict[str, object]:
    """The settings that bound all spending by this sum."""
    most = Decimal(str(usd))
    return {"site_month_usd": most, "user_month_usd": most, "user_day_usd": most}


def make(services: Services, wish: Wish, console: Console) -> tuple[CourseLock, str]:
    """Carry the course to its end and write its folder; its lock, and what was made in a few words.

    Raises:
        OverBudget: the cap is reached; what was answered until then is kept for the next try.
        BadInput, Broken, Paused: see `produce.advance`.
    """
    course_id = _begin(services, wish)
    try:
        services.launcher.launch("author")
        if wish.video:
            services.launcher.launch("render")
        with shown("Building", console) as say:
            wish.prepare(services, course_id)
            follow(services, course_id, say, film=wish.video, hold=False)
            say("Writing the course folder", 100)
            return _finish(services, course_id, wish, console)
    except Paused as paused:
        raise _over_budget(services, wish, str(paused)) or paused from paused
    finally:
        _tidy(services, course_id)


def _begin(services: Services, wish: Wish) -> uuid.UUID:
    with session_scope(services.engine) as session:
        owner = User(id=uuid.uuid4(), email="build@localhost", name="coursewright build", role=Role.INSTRUCTOR)
        owner.password_hash = UNUSABLE
        session.add(owner)
        session.flush()
        return wish.begin(session, services, owner)


def _finish(services: Services, course_id: uuid.UUID, wish: Wish, console: Console) -> tuple[CourseLock, str]:
    with session_scope(services.engine) as session:
        for source in sources_of(session, course_id):
            if source.state == SourceState.REFUSED:
                console.print(f"Left out: {source.error}", highlight=False, soft_wrap=True)
        course = session.get_one(Course, course_id)
        lock = write_folder(
            session, services, course, wish.out, video=wish.video, recorded=wish.recorded, signed=wish.signed
        )
        lessons = lessons_of(session, course_id)
        films = newest_media(session, [lesson.id for lesson in lessons])
        minutes = sum(film.film.seconds for film in films.values()) / 60
        spent = _spent(session)
        paid = f", {dollars(spent)} paid" if spent else ""
        return (
            lock,
            f"{len(lessons)} {'lesson' if len(lessons) == 1 else 'lessons'}, {minutes:.1f} minutes of video{paid}",
        )


def _spent(session: Session) -> int:
    return session.scalar(select(func.coalesce(func.sum(Run.spent_micro_dollars), 0))) or 0


def _over_budget(services: Services, wish: Wish, reason: str) -> OverBudget | None:
    """What to say when the cap is the reason of a pause, and not the provider."""
    if not reason.startswith(OUT_OF_MONEY):
        return None
    cap = min(services.settings.site_month_usd, services.settings.user_month_usd, services.settings.user_day_usd)
    with session_scope(services.engine) as session:
        spent = _spent(session)
    again = "Run it again with a higher --budget-usd, and a --cache that can be written, so that nothing is paid twice."
    if services.settings.storage_url != NO_CACHE:
        again = (
            f"What was paid for is kept in {wish.cache}: run the same command with a higher --budget-usd, and only the "
            "rest is paid."
        )
    least = dollars(cents_up(spent + next_calls(reason)))
    why = f"and the next call needs a budget of {least} or more" if next_calls(reason) else "which is all of it"
    return OverBudget(
        f"The budget of {dollars(micro_dollars(cap))} ends here: {dollars(spent)} is spent, {why}, so {wish.out} is "
        f"not made. {again}"
    )


def _tidy(services: Services, course_id: uuid.UUID) -> None:
    """Keep only what a film is cut from and what a model answered: the rest stands elsewhere already."""
    with session_scope(services.engine) as session:
        keys = [source.upload_key for source in sources_of(session, course_id)]
        films = newest_media(session, [lesson.id for lesson in lessons_of(session, course_id)])
        for film in films.values():
            keys += [film.video_key, film.captions_key, film.chapters_key, film.transcript_key, film.poster_key]
    for key in keys:
        services.storage.delete(key)
