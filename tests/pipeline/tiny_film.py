"""A real film of a second or two, so that decoding is tested on what players decode."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np

from service.domain import course_folder as layout

FRAMES, RATE = 10, 24000


def shoot(path: Path, seconds: float = 2.0, *, sound_seconds: float | None = None) -> None:
    """Write an MP4 with H.264 pictures and AAC sound, moov in front."""
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as film:
        picture = film.add_stream("libx264", rate=FRAMES, options={"g": "5", "crf": "30"})
        picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        sound = film.add_stream("aac", rate=RATE, layout="mono")
        noise = np.random.default_rng(1)
        for _ in range(round(seconds * FRAMES)):
            pixels = noise.integers(0, 255, (48, 64, 3), dtype=np.uint8)
            film.mux(picture.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        film.mux(picture.encode(None))
        samples = round((seconds if sound_seconds is None else sound_seconds) * RATE)
        tone = (8000 * np.sin(np.arange(samples) / 9)).astype(np.int16).reshape(1, -1)
        wave = av.AudioFrame.from_ndarray(tone, format="s16", layout="mono")
        wave.sample_rate = RATE
        film.mux(sound.encode(wave))
        film.mux(sound.encode(None))


def poster(path: Path) -> None:
    """A JPEG of one colour."""
    with av.open(str(path), "w", format="mjpeg") as picture:
        stream = picture.add_stream("mjpeg", rate=1)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 90, dtype=np.uint8), format="rgb24")
        picture.mux(stream.encode(frame))
        picture.mux(stream.encode(None))


def film_files(place: Path, seconds: float = 2.0) -> None:
    """All five files of a filmed lesson, in the folder `place`."""
    place.mkdir(parents=True, exist_ok=True)
    shoot(place / layout.VIDEO, seconds)
    poster(place / layout.POSTER)
    (place / layout.CAPTIONS).write_text(
        f"WEBVTT\n\n1\n00:00.000 --> 00:{seconds:06.3f}\nA hive houses bees.\n", encoding="utf-8"
    )
    (place / layout.CHAPTERS).write_text("WEBVTT\n\n00:00.000 --> 00:02.000\nStart\n", encoding="utf-8")
    (place / layout.TRANSCRIPT).write_text("A hive houses bees.\n", encoding="utf-8")
