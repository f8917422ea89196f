"""H.264 by hand: bits, escapes, and a stream with synthetic pictures that a decoder takes for what it should be."""

from __future__ import annotations

import io
from dataclasses import replace

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderer_job import h264
from renderer_job.frames import Frame
from renderer_job.h264 import BitReader, BitWriter
from renderer_job.motion import Projector
from renderer_job.segments import KEY_EVERY, Encoded, Reel, encode
from renderer_job.timeline import plan
from service.errors import Broken
from tests.renderer.boards import board, cue, scene


@given(st.lists(st.integers(0, 100_000), max_size=20))
def test_numbers_survive_writing_and_reading(values: list[int]) -> None:
    nal = BitWriter().u(7, 99).ue(*values).nal(0x41)
    read = BitReader(h264.unescape(nal[1:]))
    assert read.u(7) == 99
    assert [read.ue() for _ in values] == values


@given(st.lists(st.sampled_from([0, 1, 2, 3, 255]), max_size=60).map(bytes))
def test_an_escaped_payload_holds_no_start_code_and_comes_back(raw: bytes) -> None:
    raw += b"\x80"  # the stop bit: a payload never ends with a zero byte
    escaped = h264.escape(raw)
    assert not any(code in escaped for code in (b"\0\0\0", b"\0\0\1", b"\0\0\2"))
    assert h264.unescape(escaped) == raw


@pytest.fixture(scope="module")
def segment() -> Encoded:
    """A slide and the first reveal on it."""
    timeline = plan(board(scene("bullets", cues=[cue("One.", 0), cue("Two.", 1)])), [[1.0, 1.0]])
    moving = [timeline.moving_frame(1, step) for step in range(timeline.spans[1].moving)]
    return encode([Frame(timeline.spans[0].look), *moving], Projector())


def decoded(reel: Reel) -> list[int]:
    """For each decoded picture a hash; fails on any complaint of the decoder."""
    stream = reel.parameters + b"".join(unit for unit, _ in reel.packets())
    level = av.logging.get_level()
    av.logging.set_level(av.logging.DEBUG)  # a gap in the numbers is only mentioned there
    try:
        with av.logging.Capture() as said, av.open(io.BytesIO(stream), "r", format="h264") as file:
            found = [hash(bytes(frame.planes[0])) for frame in file.decode(video=0)]
    finally:
        av.logging.set_level(level)
    assert said, "the decoder's log is heard"
    assert not [text for rank, _, text in said if rank <= av.logging.WARNING or "gap" in text]
    return found


@pytest.mark.parametrize("hold", [1, 2, 3, KEY_EVERY - 1, KEY_EVERY, KEY_EVERY + 1, KEY_EVERY + 2, 3 * KEY_EVERY + 7])
def test_held_pictures_repeat_exactly_and_motion_follows(segment: Encoded, hold: int) -> None:
    moving = len(segment.slices) - 1
    reel = Reel(((segment, hold), (segment, 2)), 2, 0)
    pictures = decoded(reel)
    assert len(pictures) == hold + moving + 2 + moving
    assert len(set(pictures[:hold])) == 1, "the held picture does not change"
    assert pictures[hold : hold + moving] == pictures[-moving:], "motion decodes alike after any number of repeats"
    assert len(set(pictures[hold : hold + moving])) == moving


@pytest.mark.parametrize("hold", [2, KEY_EVERY, KEY_EVERY + 1, 1000])
def test_key_pictures_come_often_and_never_twice_in_a_row(segment: Encoded, hold: int) -> None:
    """Two neighbours would need different numbers of their own, which x264 gives only within one stream."""
    still = replace(segment, slices=segment.slices[:1])
    for one in (segment, still):
        keys = [key for _, key in Reel(((one, hold), (one, hold)), 2, 0).packets()]
        places = [i for i, key in enumerate(keys) if key]
        gaps = [b - a for a, b in zip(places, [*places[1:], len(keys)], strict=True)]
        assert max(gaps) <= 150
        assert min(gaps) >= 2


def test_a_repeated_picture_costs_next_to_nothing(segment: Encoded) -> None:
    sizes = [len(unit) for unit, key in Reel(((segment, 100),), 1, 0).packets() if not key][:99]
    assert max(sizes) <= 20


def test_a_packed_segment_comes_back_and_anything_else_is_refused(segment: Encoded) -> None:
    assert Encoded.unpack(segment.pack()) == segment
    with pytest.raises(Broken):
        Encoded.unpack(b"PK\3\4 something else")


def test_a_stream_that_reorders_pictures_is_refused() -> None:
    reordering = BitWriter().u(8, 77).u(16, 40).ue(0, 0, 0, 0, 3).u(1, 0).ue(119, 67).nal(0x67)
    with pytest.raises(Broken, match="reorders"):
        h264.numbering(reordering)
