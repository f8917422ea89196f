"""Captions, chapters and transcript: well-formed, readable, and in step with the film."""

from __future__ import annotations

import re
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from renderer_job import captions
from service.domain.storyboard import CueTime, Film

TIMING = re.compile(r"(\d\d):(\d\d):(\d\d)\.(\d{3}) --> (\d\d):(\d\d):(\d\d)\.(\d{3})")


def parsed(vtt: str) -> list[tuple[float, float, list[str]]]:
    """The cues of a WebVTT file; fails on anything that is not one."""
    head, *blocks = vtt.strip().split("\n\n")
    assert head == "WEBVTT"
    found = []
    for block in blocks:
        timing, *lines = block.split("\n")
        match = TIMING.fullmatch(timing)
        assert match, timing
        h1, m1, s1, f1, h2, m2, s2, f2 = (int(part) for part in match.groups())
        found.append((h1 * 3600 + m1 * 60 + s1 + f1 / 1000, h2 * 3600 + m2 * 60 + s2 + f2 / 1000, lines))
    return found


def said(text: str, start: float, end: float) -> CueTime:
    return CueTime(scene="s0", text=text, start=start, end=end)


LONG = (
    "A starter that is fed at the same hour every day learns, if one may say so, to expect its meal, "
    "and is at its strongest just before it."
)


def test_a_long_sentence_becomes_several_captions_of_two_lines() -> None:
    shown = parsed(captions.captions([said(LONG, 1.0, 9.0), said("Short.", 9.5, 10.0)], 12.0))
    assert " ".join(line for _, _, lines in shown[:-1] for line in lines) == LONG
    assert len(shown) == 3
    for start, end, lines in shown:
        assert len(lines) <= 2
        assert all(len(line) <= 42 for line in lines)
        assert end - start >= 1.0
    assert shown[0][0] == 1.0
    assert shown[1][1] == 9.0
    assert all(a[1] <= b[0] for a, b in pairwise(shown)), "captions do not overlap"


def test_a_short_sentence_stays_a_second_but_not_into_the_next() -> None:
    shown = parsed(captions.captions([said("Yes.", 1.0, 1.3), said("No.", 1.6, 1.9)], 5.0))
    assert [(start, end) for start, end, _ in shown] == [(1.0, 1.6), (1.6, 2.6)]


def test_markup_characters_are_escaped() -> None:
    (shown,) = parsed(captions.captions([said("if a < b && b > c --> stop", 0, 3)], 3.0))
    assert " ".join(shown[2]) == "if a &lt; b &amp;&amp; b &gt; c --&gt; stop"


@given(st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "Zs"]), min_size=1, max_size=400))
def test_wrapping_keeps_every_word_and_no_line_is_too_long(text: str) -> None:
    lines = captions.wrap(text)
    assert all(0 < len(line) <= 42 for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


def test_a_caption_line_without_spaces_is_cut() -> None:
    assert max(map(len, captions.wrap("パンは" * 60))) <= 42


def test_chapters_follow_each_other_to_the_end() -> None:
    film = Film(lesson_id="x", seconds=3725.5, chapters=((0.0, "Start & go"), (12.25, "Next")))
    shown = parsed(captions.chapters(film))
    assert shown == [(0.0, 12.25, ["Start &amp; go"]), (12.25, 3725.5, ["Next"])]
