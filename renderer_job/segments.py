"""Encoding: the film cut into segments that are named by their content, so that only what changed is encoded.

A segment is a settled picture with the reveal that follows it, or a change of scene. It holds one access unit for
each distinct picture; the time that a picture stays is filled in when the film is put together, so a segment does not
even depend on how long it is seen.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import numpy as np
from PIL import Image

from renderer_job import h264
from renderer_job.cache import Cache
from renderer_job.frames import Frame
from renderer_job.motion import Projector
from renderer_job.theme import HEIGHT, WIDTH
from renderer_job.timeline import FPS, Timeline
from service.errors import Broken
from service.ports import Report

MAGIC = b"CWS1"
# A player can start at most this far before any instant: the longest stretch without a picture of its own is this
# many frames of rest and one motion.
KEY_EVERY = 4 * FPS
ENCODER = {
    "preset": "veryfast",
    "crf": "21",
    "tune": "stillimage",
    "forced-idr": "1",
    # No reordering, one reference, no look-ahead: what the synthetic pictures of h264 need.
    "x264-params": "bframes=0:ref=1:keyint=99999:scenecut=0:mbtree=0:rc-lookahead=0:sync-lookahead=0"
    ":sliced-threads=0:colorprim=bt709:transfer=bt709:colormatrix=bt709:fullrange=off",
}
ENOUGH_FOR_TWO = 12  # segments; fewer are encoded before a second process has started


@dataclass(frozen=True)
class Segment:
    """Distinct pictures in their order; the first is seen for `hold` frames, the others for one each."""

    frames: tuple[Frame, ...]
    hold: int

    @property
    def key(self) -> str:
        said = "\n".join([repr(sorted(ENCODER.items())), *(frame.key for frame in self.frames)])
        return hashlib.sha256(said.encode()).hexdigest()


@dataclass(frozen=True)
class Encoded:
    """A segment as H.264: its parameter sets and one slice for each distinct picture, all without start codes."""

    sps: bytes
    pps: bytes
    slices: tuple[bytes, ...]

    def pack(self) -> bytes:
        """As bytes: a mark, the number of parts, and each part after its length."""
        parts = (self.sps, self.pps, *self.slices)
        return MAGIC + struct.pack(">I", len(parts)) + b"".join(struct.pack(">I", len(p)) + p for p in parts)

    @classmethod
    def unpack(cls, body: bytes) -> Encoded:
        """The segment that `pack` wrote. Raises Broken for anything else."""
        if body[:4] != MAGIC:
            raise Broken("A cached video segment has another format. Clear the cache folder.")
        (count,) = struct.unpack_from(">I", body, 4)
        parts, at = [], 8
        for _ in range(count):
            (length,) = struct.unpack_from(">I", body, at)
            parts.append(body[at + 4 : at + 4 + length])
            at += 4 + length
        return cls(parts[0], parts[1], tuple(parts[2:]))


@dataclass(frozen=True)
class Reel:
    """The whole film as encoded segments, and how long the first picture of each is held."""

    parts: tuple[tuple[Encoded, int], ...]
    segments: int
    reused: int

    @property
    def parameters(self) -> bytes:
        """The parameter sets of the stream, with start codes."""
        first = self.parts[0][0]
        return b"".join(h264.START + nal for nal in (first.sps, first.pps, h264.skip_parameters()))

    def packets(self) -> Iterator[tuple[bytes, bool]]:
        """(access unit with start code, whether it is a key picture) for every frame of the film."""
        shape = h264.numbering(self.parts[0][0].sps)
        for encoded, hold in self.parts:
            number = 0
            for i in range(hold):
                # The key picture again: not within two frames of the end, where it would meet the next segment's.
                if i % KEY_EVERY == 0 and (i == 0 or hold - i >= 2):
                    number = 0
                    yield h264.START + encoded.slices[0], True
                else:
                    number += 1
                    yield h264.START + h264.skip_picture(number % shape.modulus, shape), False
            for part in encoded.slices[1:]:
                number += 1
                yield h264.START + h264.renumber(part, number, shape), False


def cut(plan: Timeline) -> list[Segment]:
    """The film's segments, in order."""
    segments = []
    for i, span in enumerate(plan.spans):
        page = span.look.page
        if span.moving and page != plan.spans[i - 1].look.page:
            segments.append(Segment(tuple(plan.moving_frame(i, step) for step in range(span.moving)), 1))
        frames = [Frame(span.look)]
        following = plan.spans[i + 1] if i + 1 < len(plan.spans) else None
        if following and following.look.page == page:
            frames += [plan.moving_frame(i + 1, step) for step in range(following.moving)]
        segments.append(Segment(tuple(frames), span.frames - span.moving))
    return segments


def encode(frames: Sequence[Frame], projector: Projector) -> Encoded:
    """Draw and encode the pictures of one segment.

    Raises:
        Broken: the encoder wrote another number of pictures than it was given.
    """
    context = av.CodecContext.create("libx264", "w")
    context.width, context.height, context.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    context.framerate, context.time_base = Fraction(FPS), Fraction(1, FPS)
    context.thread_count = 1
    context.options = ENCODER
    packets = []
    for i, frame in enumerate(frames):
        packets += context.encode(_yuv(projector.picture(frame), i))
    packets += context.encode(None)
    units = [list(h264.nal_units(bytes(packet))) for packet in packets]
    slices = [nal for unit in units for nal in unit if h264.kind(nal) in (h264.SLICE, h264.IDR)]
    if len(slices) != len(frames) or h264.kind(slices[0]) != h264.IDR:
        raise Broken("The video encoder dropped or split a picture. Use another build of PyAV.")
    sets = {h264.kind(nal): nal for nal in units[0] if h264.kind(nal) in (h264.SPS, h264.PPS)}
    return Encoded(sets[h264.SPS], sets[h264.PPS], tuple(slices))


def _yuv(image: Image.Image, number: int) -> Any:
    """The picture as the encoder takes it: limited range BT.709, which players assume for this size."""
    frame = av.VideoFrame.from_ndarray(np.asarray(image), format="rgb24")
    converted = frame.reformat(
        format="yuv420p",
        src_colorspace="ITU709",
        dst_colorspace="ITU709",
        src_color_range="JPEG",
        dst_color_range="MPEG",
    )
    converted.pts, converted.time_base = number, Fraction(1, FPS)
    if number == 0:
        converted.pict_type = av.video.frame.PictureType.I
    return converted


def shoot(plan: Timeline, cache: Cache, report: Report) -> Reel:
    """Every segment of the film, encoded now or taken from the cache.

    Raises:
        BadInput: a text fits nowhere.
        Canceled: `report` raised it.
    """
    segments = cut(plan)
    wanted = {segment.key: segment for segment in segments}
    report("Looking for slides filmed before", 0.0)
    done = {key: body for key in wanted if (body := cache.get(key)) is not None}
    missing = {key: segment for key, segment in wanted.items() if key not in done}
    for count, (key, body) in enumerate(_encoded(missing), 1):
        cache.put(key, body)
        done[key] = body
        report(f"Filming slide picture {count} of {len(missing)}", count / len(missing))
    parts = tuple((Encoded.unpack(done[segment.key]), segment.hold) for segment in segments)
    if len({(part.sps, part.pps) for part, _ in parts}) != 1:
        raise Broken("Cached video segments come from different encoders. Clear the cache folder.")
    return Reel(parts, len(segments), sum(segment.key not in missing for segment in segments))


def _encoded(missing: dict[str, Segment]) -> Iterator[tuple[str, bytes]]:
    """Keys and packed segments as they become ready, from two processes when that pays."""
    if len(missing) >= ENOUGH_FOR_TWO and _processors() >= 2:
        from renderer_job.second_camera import with_second_camera

        yield from with_second_camera({key: segment.frames for key, segment in missing.items()})
        return
    projector = Projector()
    for key, segment in missing.items():
        yield key, encode(segment.frames, projector).pack()


def _processors() -> int:
    """How many processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS
        return os.cpu_count() or 1
