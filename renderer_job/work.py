"""The render lane: claims lessons, films their storyboards and hands the files to storage, one lesson at a time."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import shutil
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from renderer_job.cache import StorageCache
from service.adapters.database import open_engine
from service.adapters.speech import open_speech
from service.adapters.storage import PublicMedia, open_public_media, open_storage
from service.db import events
from service.db.guarded import guarded_speech, paid_speech
from service.db.lane import Task, run_lane, stop_on_signals
from service.db.tables import Lesson, LessonState, Media
from service.domain.storyboard import Film, Storyboard
from service.errors import BadInput, Broken, CoursewrightError
from service.logs import configure_logging
from service.ports import Report, Speech, StorageService
from service.settings import Settings, load_settings
from service.traces import configure_traces, flush_traces

log = logging.getLogger(__name__)

SCRATCH_LIVES_SECONDS = 24 * 3600
# Column of Media, file that filming makes, its content type.
FILES = (
    ("video_key", "video.mp4", "video/mp4"),
    ("captions_key", "captions.vtt", "text/vtt"),
    ("chapters_key", "chapters.vtt", "text/vtt"),
    ("transcript_key", "transcript.md", "text/markdown"),
    ("poster_key", "poster.jpg", "image/jpeg"),
)
# What a player fetches by itself; captions come from the site's own origin, where a browser takes them unasked.
PUBLISHED = ("video_key", "poster_key")


@dataclass(frozen=True)
class Studio:
    """What filming needs beside the task."""

    storage: StorageService
    speech: Speech
    scratch: Path
    public: PublicMedia | None = None


@dataclass(frozen=True)
class Take:
    """A lesson as it is filmed: the storyboard that was there when the work began, and its hash."""

    lesson_id: uuid.UUID
    name: str
    storyboard: Storyboard

    @property
    def sha256(self) -> str:
        return storyboard_sha256(self.storyboard)


def main(argv: Sequence[str]) -> int:
    """Film until nothing is left or until told to stop. Exit codes: those of `run_lane`; 1 failed, 2 bad input."""
    try:
        if argv:
            raise BadInput("work takes no arguments; it is configured by environment variables.")
        return _work(load_settings())
    except CoursewrightError as error:
        sys.stderr.write(" ".join(str(error).split()) + "\n")
        return 2 if isinstance(error, BadInput) else 1


def _work(settings: Settings) -> int:
    configure_logging(settings)
    configure_traces(settings, "render")
    stop = stop_on_signals()
    speech = open_speech(
        settings.speech,
        openai_api_key=settings.openai_api_key.get_secret_value(),
        openai_base_url=settings.openai_base_url,
        cache_dir=settings.data_dir / "speech",
    )
    try:
        with open_engine(settings) as engine, closing(speech):
            voice = guarded_speech(speech, engine)
            scratch = settings.data_dir / "scratch"
            studio = Studio(open_storage(settings), voice, scratch, open_public_media(settings))
            handlers = {"film": partial(film_lesson, studio)}
            return run_lane(engine, "render", handlers, settings=settings, stop=stop)
    finally:
        flush_traces()


def storyboard_sha256(storyboard: Storyboard) -> str:
    """The name of a storyboard's content: equal hashes, equal films."""
    return storyboard.sha256


def film_lesson(studio: Studio, task: Task) -> None:
    """Film the lesson that the job names. A storyboard that is edited meanwhile is filmed again; one that was filmed
    before is not.
    """
    take = task.commit(lambda session: _begin(session, task, studio))
    while take is not None:
        began = _clocks()
        with _scratch(studio.scratch, task) as folder:
            made = _film(studio, task, take, folder / "film")
            keys = _upload(studio, folder / "film")
        effort = _effort(began, made)
        log.info("filmed %s", take.lesson_id, extra={"event": "filmed", **effort})
        take = task.commit(partial(_keep, task=task, studio=studio, take=take, made=made, keys=keys, effort=effort))


def _clocks() -> tuple[float, float]:
    """Wall and processor seconds so far; a child's count when it has ended, so a voice that still runs is left out."""
    times = os.times()
    return time.monotonic(), times.user + times.system + times.children_user + times.children_system


def _effort(began: tuple[float, float], made: Film) -> dict[str, float]:
    """What a film cost and what it gave, for its log line and its event: render seconds per video minute is a gauge."""
    wall, cpu = (now - then for now, then in zip(_clocks(), began, strict=True))
    return {
        "wall_seconds": round(wall, 3),
        "cpu_seconds": round(cpu, 3),
        "video_seconds": round(made.seconds, 3),
        "segments": made.segments,
        "segments_reused": made.segments_reused,
        "render_seconds_per_video_minute": round(60 * wall / max(made.seconds, 1.0), 3),
    }


def _begin(session: Session, task: Task, studio: Studio) -> Take | None:
    """The take to film; None when this storyboard's film is there already, which then counts again."""
    take = _take(session, task.claim.subject_id)
    if _filmed(session, take, public=studio.public is not None):
        _complete(session, task, take)
        return None
    _tell(session, task, take, LessonState.FILMING, f"Filming {take.name}")
    return take


def _take(session: Session, lesson_id: uuid.UUID) -> Take:
    # Locked: the storyboard must not change between this look and the commit that calls it filmed.
    lesson = session.get(Lesson, lesson_id, with_for_update=True, populate_existing=True)
    if lesson is None:
        raise Broken("The lesson is gone, so there is nothing to film.")
    if lesson.storyboard is None:
        raise Broken("The lesson has no storyboard to film. Generate its text first.")
    return Take(lesson_id, f"lesson {lesson.position}: {lesson.title}", lesson.storyboard)


def _filmed(session: Session, take: Take, public: bool) -> bool:
    """Whether this storyboard was filmed before; its film then becomes the newest one. A film from before there was a
    public bucket is made again: all its pieces are kept, so that costs little.
    """
    mine = (Media.lesson_id == take.lesson_id, Media.storyboard_sha256 == take.sha256)
    media = session.scalar(select(Media).where(*mine))
    if media is None or (public and not media.public_url):
        return False
    media.created_at = func.now()
    return True


def _film(studio: Studio, task: Task, take: Take, out: Path) -> Film:
    from renderer_job.film import film

    voice = paid_speech(studio.speech, task.pay)
    return film(take.storyboard, voice, StorageCache(studio.storage), out, _report(task, take))


def _report(task: Task, take: Take) -> Report:
    """Tells the parts of the film as events, and whole tenths as finished units."""
    counted = 0

    def report(what: str, part: float | None = None) -> None:
        nonlocal counted
        task.say(f"{take.name[:1].upper()}{take.name[1:]} – {what[:1].lower()}{what[1:]}", part, take.lesson_id)
        # The last unit is earned by the files being in storage and the lesson completed.
        finished = int((part or 0.0) * (task.claim.units - 1))
        if finished > counted:
            counted = finished
            task.advance(finished)

    return report


def _upload(studio: Studio, folder: Path) -> dict[str, str]:
    """Put the film's files into storage under the hash of their content, and what everybody may see where they may.

    The answer holds columns of Media. The copy in our own storage stays: exports, checks and a way back need it.
    """
    keys = {}
    for column, name, content_type in FILES:
        path = folder / name
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        keys[column] = f"{path.stem}/{digest}{path.suffix}"
        studio.storage.put(keys[column], path, content_type)
        if studio.public and column in PUBLISHED:
            studio.public.storage.put(keys[column], path, content_type)
    return keys | {"public_url": studio.public.url(keys["video_key"]) if studio.public else ""}


def _keep(
    session: Session,
    *,
    task: Task,
    studio: Studio,
    take: Take,
    made: Film,
    keys: dict[str, str],
    effort: dict[str, float],
) -> Take | None:
    """Record the film; the take to film next when the storyboard was edited meanwhile."""
    row = {"id": uuid.uuid4(), "lesson_id": take.lesson_id, "storyboard_sha256": take.sha256, "film": made, **keys}
    renewed = {"film": made, "created_at": func.now(), **keys}
    added = insert(Media).values(row)
    session.execute(added.on_conflict_do_update(index_elements=["lesson_id", "storyboard_sha256"], set_=renewed))
    now = _take(session, take.lesson_id)
    if now.sha256 != take.sha256:
        return _begin(session, task, studio)
    _complete(session, task, take, effort)
    return None


def _complete(session: Session, task: Task, take: Take, effort: dict[str, float] | None = None) -> None:
    _tell(session, task, take, LessonState.COMPLETED, f"Ready to watch: {take.name}", effort)


def _tell(
    session: Session, task: Task, take: Take, state: LessonState, what: str, effort: dict[str, float] | None = None
) -> None:
    lesson = session.get_one(Lesson, take.lesson_id)
    lesson.state, lesson.error = state, ""
    told = {"what": what, "lesson_id": take.lesson_id, "lesson_state": state.value}
    if effort is not None:
        told["filmed"] = effort
    events.say(session, task.claim.run_id, "lesson", told)


@contextmanager
def _scratch(root: Path, task: Task) -> Iterator[Path]:
    """A folder for this attempt, and the end of folders that killed attempts left."""
    claim = task.claim
    folder = root / f"{claim.job_id}-{claim.epoch}"
    for left in root.glob("*-*"):
        with contextlib.suppress(OSError):
            mine = left.name.startswith(f"{claim.job_id}-")
            if mine or left.stat().st_mtime < time.time() - SCRATCH_LIVES_SECONDS:
                shutil.rmtree(left, ignore_errors=True)
    try:
        folder.mkdir(parents=True)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
