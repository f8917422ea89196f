"""Filming, whole: a storyboard and a voice become the files of a lesson's video, or nothing at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from service.domain.storyboard import Film, Storyboard
from service.errors import BadInput
from service.ports import Report, Speech

if TYPE_CHECKING:
    from renderer_job import segments, timeline
    from renderer_job.cache import Cache

# The parts of the work by its usual cost: narration about as much as pictures, joining next to nothing.
NARRATION, PICTURES = 0.45, 0.93


def film(storyboard: Storyboard, speech: Speech, cache: Cache, out: Path, report: Report) -> Film:
    """Film a storyboard into the new folder `out`: video.mp4, captions.vtt, chapters.vtt, transcript.md, poster.jpg
    and film.json, which is the returned document.

    `out` appears only when it is complete. Whatever was filmed before and is still in the cache is not made again.

    Raises:
        BadInput: `out` exists, or a text of the storyboard can be drawn nowhere.
        Canceled: `report` raised it; nothing is left behind but the cache.
        Unavailable: the voice does not answer.
    """
    from renderer_job import captions, frames, mux, segments, speech_track, timeline

    if out.exists():
        raise BadInput(f"{out} exists already. Choose another folder, or move this one away.")
    sayings = speech_track.narrate(storyboard, speech, cache, _share(report, 0.0, NARRATION))
    plan = timeline.plan(storyboard, [[saying.seconds for saying in scene] for scene in sayings])
    reel = segments.shoot(plan, cache, _share(report, NARRATION, PICTURES))
    report("Joining sound and picture", PICTURES)
    sound = speech_track.encode(plan, sayings, cache)
    with _unfinished(out) as folder:
        mux.join(reel, sound, folder / "video.mp4")
        made = _document(storyboard, plan, speech.voice, reel)
        captions.write(made, plan, storyboard, folder)
        (folder / "poster.jpg").write_bytes(frames.poster(storyboard))
        (folder / "film.json").write_text(made.model_dump_json(indent=1) + "\n", encoding="utf-8")
        report("Filmed", 1.0)
    return made


def _document(storyboard: Storyboard, plan: timeline.Timeline, voice: str, reel: segments.Reel) -> Film:
    return Film(
        lesson_id=storyboard.lesson_id,
        seconds=plan.seconds,
        cues=plan.cue_times(),
        chapters=plan.chapters(),
        voice=voice,
        segments=reel.segments,
        segments_reused=reel.reused,
        notes=plan.notes(),
    )


def _share(report: Report, start: float, end: float) -> Report:
    """A report whose 0 to 1 is the stretch from `start` to `end` of the whole."""

    def narrowed(what: str, part: float | None = None) -> None:
        report(what, None if part is None else start + (end - start) * part)

    return narrowed


@contextmanager
def _unfinished(out: Path) -> Iterator[Path]:
    """A folder beside `out` that takes its name at the end, and is removed when the work fails."""
    out.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}-"))
    try:
        yield folder
        folder.chmod(0o755)
        try:
            folder.rename(out)
        except OSError as error:
            raise BadInput(f"{out} appeared while it was being filmed. Choose another folder.") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # nothing is there when it has its name
