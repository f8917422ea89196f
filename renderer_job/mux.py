"""Joining: encoded pictures and encoded sound become one MP4 that starts to play before it is loaded."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path

import av

from renderer_job.segments import Reel
from renderer_job.timeline import FPS


def join(reel: Reel, sound: bytes, path: Path) -> None:
    """Write the film to `path`; `sound` is an M4A of the same length. Nothing is encoded again."""
    tick = Fraction(1, FPS)
    # A muxer takes the parameter sets from the stream that it copies: here, one picture of it as a raw stream.
    opening = io.BytesIO(reel.parameters + next(reel.packets())[0])
    with (
        av.open(str(path), "w", options={"movflags": "faststart"}) as out,
        av.open(io.BytesIO(sound), "r") as heard,
        av.open(opening, "r", format="h264") as seen,
    ):
        video = out.add_stream_from_template(seen.streams.video[0])
        video.time_base = tick
        audio = out.add_stream_from_template(heard.streams.audio[0])
        for number, (unit, key) in enumerate(reel.packets()):
            packet = av.Packet(unit)
            packet.pts = packet.dts = number
            packet.duration, packet.time_base, packet.stream = 1, tick, video
            packet.is_keyframe = key
            out.mux(packet)
        for sounding in heard.demux(audio=0):
            if sounding.dts is not None:
                sounding.stream = audio
                out.mux(sounding)
