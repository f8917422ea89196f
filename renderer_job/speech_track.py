"""The sound of a film: every cue spoken once and kept, brought to one loudness, laid on one continuous track."""

from __future__ import annotations

import hashlib
import io
import struct
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from renderer_job.cache import Cache
from renderer_job.text import plain
from renderer_job.timeline import FPS, Timeline
from service.domain.storyboard import Cue, Storyboard
from service.ports import Report, Speech, Spoken

RATE = 48_000  # 1600 samples are exactly one frame of the picture
MAGIC = b"CWV1"
QUIET = 250  # of 32768: below this a voice is silent
EDGE = 0.05  # seconds of its silence that stay around a cue
SHORTEST = 0.3  # seconds that a cue lasts at least
LOUDNESS, CEILING = 0.1, 0.89  # of full scale: the voice's mean where it speaks (-20 dB), and its peaks (-1 dB)
SETTINGS = {"b": "96000", "aac_coder": "fast"}
Samples = NDArray[np.int16]


def narrate(storyboard: Storyboard, speech: Speech, cache: Cache, report: Report) -> list[list[Spoken]]:
    """Every cue's speech, by scene; spoken now or taken from the cache.

    Raises:
        Unavailable: the voice does not answer.
        Canceled: `report` raised it.
    """
    total = sum(len(scene.cues) for scene in storyboard.scenes)
    report("Preparing the narration", 0.0)
    done = 0
    spoken: list[list[Spoken]] = []
    for scene in storyboard.scenes:
        spoken.append([])
        for cue in scene.cues:
            spoken[-1].append(_say(cue, speech, cache))
            done += 1
            report(f"Speaking sentence {done} of {total}", done / total)
    return spoken


def _say(cue: Cue, speech: Speech, cache: Cache) -> Spoken:
    text = cue.speech or plain(cue.text)
    key = hashlib.sha256(f"speech\n{speech.voice}\n{text}".encode()).hexdigest()
    kept = cache.get(key)
    if kept and kept[:4] == MAGIC:
        (rate,) = struct.unpack_from(">I", kept, 4)
        return Spoken(kept[8:], rate)
    said = _trimmed(speech.say(text))
    cache.put(key, MAGIC + struct.pack(">I", said.rate) + said.pcm)
    return said


def _trimmed(said: Spoken) -> Spoken:
    """Without the silence around it, so that captions and states meet the words; a silent voice stays as it is."""
    samples = np.frombuffer(said.pcm[: len(said.pcm) // 2 * 2], np.int16)
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > QUIET)
    if loud.size:
        edge = int(EDGE * said.rate)
        samples = samples[max(0, loud[0] - edge) : loud[-1] + edge]
    short = int(SHORTEST * said.rate) - len(samples)
    if short > 0:
        samples = np.concatenate([samples, np.zeros(short, np.int16)])
    return Spoken(samples.tobytes(), said.rate)


def encode(plan: Timeline, sayings: Sequence[Sequence[Spoken]], cache: Cache) -> bytes:
    """The film's sound as M4A, exactly as long as its pictures."""
    track = _track(plan, sayings)
    key = hashlib.sha256(b"track" + repr(SETTINGS).encode() + track.tobytes()).hexdigest()
    kept = cache.get(key)
    if kept is None:
        kept = _aac(track)
        cache.put(key, kept)
    return kept


def _track(plan: Timeline, sayings: Sequence[Sequence[Spoken]]) -> Samples:
    """All cues in their places at 48 kHz, with one gain for the whole film."""
    track = np.zeros(plan.frames * RATE // FPS, np.int16)
    for heard in plan.heard:
        samples = _resampled(sayings[heard.scene][heard.cue])
        start = heard.start * RATE // FPS
        room = min(len(samples), len(track) - start)
        track[start : start + room] = samples[:room]
    return _levelled(track)


def _levelled(track: Samples) -> Samples:
    """One gain that brings the speech to its loudness, unless its peaks forbid it."""
    size = np.abs(track.astype(np.int32))
    loud = size[size > QUIET]
    if not loud.size:
        return track
    mean = float(np.sqrt(np.mean(np.square(loud, dtype=np.float64))))
    peak = float(np.percentile(loud, 99.99))
    gain = min(LOUDNESS * 32768 / mean, CEILING * 32768 / peak)
    louder: Samples = np.clip(np.rint(track * gain), -32767, 32767).astype(np.int16)
    return louder


def _resampled(said: Spoken) -> Samples:
    samples = np.frombuffer(said.pcm, np.int16)
    if said.rate == RATE or not samples.size:
        return samples
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
    out = resampler.resample(_frame(samples, said.rate, 0)) + resampler.resample(None)
    pieces: list[Samples] = [frame.to_ndarray().reshape(-1).astype(np.int16) for frame in out]
    return np.concatenate(pieces)


def _frame(samples: Samples, rate: int, at: int) -> Any:
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples).reshape(1, -1), format="s16", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = rate, at, Fraction(1, rate)
    return frame


def _aac(track: Samples) -> bytes:
    body = io.BytesIO()
    with av.open(body, "w", format="ipod") as out:
        stream = out.add_stream("aac", rate=RATE, layout="mono", options=SETTINGS)
        for at in range(0, len(track), 1 << 16):
            out.mux(stream.encode(_frame(track[at : at + (1 << 16)], RATE, at)))
        out.mux(stream.encode(None))
    return body.getvalue()
