"""Looks at a lesson's films as a player would: do they decode to the end, and do the captions fit?

PyAV belongs to the render group. Where it is missing, the films are reported as not looked at, never as good.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from service.domain import course_folder as layout
from service.domain.readability import words

SKEW_SECONDS = 0.1
READING_CHARACTERS = 17
PACE = (140, 175)
_TIMES = re.compile(r"^((?:\d+:)?\d\d:\d\d\.\d{3})\s+-->\s+((?:\d+:)?\d\d:\d\d\.\d{3})")


@dataclass(frozen=True)
class Caption:
    """A caption: from and to in seconds, and its lines."""

    start: float
    end: float
    lines: tuple[str, ...]


def can_decode() -> bool:
    """Whether this process can look into films at all."""
    return importlib.util.find_spec("av") is not None


def film_faults(place: Path, seconds: float) -> Iterator[str]:
    """Why the video, which should run for `seconds`, or the poster of a lesson's folder would not play."""
    import av

    for name, look in ((layout.VIDEO, lambda path: _video_faults(path, seconds)), (layout.POSTER, _picture_faults)):
        try:
            yield from [f"{name} {fault}" for fault in look(place / name)]
        except (av.error.FFmpegError, OSError) as error:
            yield f"{name} does not decode: {error.strerror}"


def _picture_faults(path: Path) -> Iterator[str]:
    import av

    with av.open(str(path)) as picture:
        if not any(True for _ in picture.decode(video=0)):
            yield "holds no picture"


def _video_faults(path: Path, seconds: float) -> Iterator[str]:
    import av

    with av.open(str(path)) as film:
        if not film.streams.video or not film.streams.audio:
            yield "lacks a picture or a sound track"
            return
    heard, shown = _heard(path), _shown(path)
    if abs(shown - heard) > SKEW_SECONDS:
        yield f"has {shown:.2f} s of picture and {heard:.2f} s of sound"
    if abs(shown - seconds) > SKEW_SECONDS:
        yield f"runs for {shown:.2f} s, and {layout.COURSE} says {seconds:.2f} s"


def _heard(path: Path) -> float:
    """Seconds of sound, all of it decoded."""
    import av

    with av.open(str(path)) as film:
        return sum(frame.samples / frame.sample_rate for frame in film.decode(audio=0))


def _shown(path: Path) -> float:
    """When the last picture ends: the first and the last pictures decoded, and every packet between them read.

    Decoding all pictures of a course would take minutes and find little more.
    """
    import av

    with av.open(str(path)) as film:
        stream = film.streams.video[0]
        next(film.decode(stream))
    with av.open(str(path)) as film:
        stream = film.streams.video[0]
        frame_seconds = float(1 / (stream.average_rate or 1))
        tail: list[Any] = []
        for packet in film.demux(stream):
            if packet.is_keyframe:
                tail = []
            tail.append(packet)
        times = [float(frame.time or 0) for packet in tail for frame in packet.decode()]
        return max(times, default=-frame_seconds) + frame_seconds


def captions_of(path: Path) -> list[Caption]:
    """The captions of a WebVTT file.

    Raises:
        ValueError: the file is no WebVTT.
    """
    text = path.read_text(encoding="utf-8").lstrip("\ufeff")
    if not text.startswith("WEBVTT"):
        raise ValueError("is no WebVTT: it must begin with WEBVTT")
    found = []
    for block in re.split(r"\n\s*\n", text.replace("\r\n", "\n")):
        lines = block.split("\n")
        at = next((n for n, line in enumerate(lines) if _TIMES.match(line)), None)
        if at is not None:
            times = _TIMES.match(lines[at])
            if times:
                shown = tuple(re.sub(r"<[^>]*>", "", line) for line in lines[at + 1 :] if line.strip())
                found.append(Caption(_seconds(times[1]), _seconds(times[2]), shown))
    return found


def _seconds(stamp: str) -> float:
    total = 0.0
    for part in stamp.split(":"):
        total = 60 * total + float(part)
    return total


def caption_faults(captions: list[Caption], seconds: float) -> Iterator[str]:
    """Why captions would not fit a video of this length."""
    if not captions:
        yield "holds no captions"
    for before, after in pairwise(captions):
        if after.start < before.start:
            yield f"goes back in time at {after.start:.1f} s"
    for caption in captions:
        if caption.end <= caption.start:
            yield f"has a caption of no length at {caption.start:.1f} s"
        if seconds and caption.end > seconds + SKEW_SECONDS:
            yield f"runs to {caption.end:.1f} s in a video of {seconds:.1f} s"


def hard_to_read(captions: list[Caption]) -> Iterator[str]:
    """Captions that are too fast or too tall to read along."""
    for caption in captions:
        speed = sum(len(line) for line in caption.lines) / max(caption.end - caption.start, 0.001)
        if speed > READING_CHARACTERS:
            yield f"{speed:.0f} characters a second at {caption.start:.1f} s"
        if len(caption.lines) > 2:
            yield f"{len(caption.lines)} lines at {caption.start:.1f} s"


def pace_of(captions: list[Caption]) -> float:
    """Words per minute from the first caption to the end of the last, pauses and all."""
    seconds = captions[-1].end - captions[0].start if captions else 0.0
    count = sum(len(words(line)) for caption in captions for line in caption.lines)
    return 60 * count / seconds if seconds > 0 else 0.0
