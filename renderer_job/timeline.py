"""When everything is seen and heard: a storyboard and the length of its spoken cues become spans of frames. Pure.

Time is counted in frames of 1/30 s. A cue begins on a frame, and so does the state of the slide that it asks for.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from renderer_job import pages as paging
from renderer_job.frames import Frame, Look
from renderer_job.pages import View
from renderer_job.slides.anatomy import Page
from renderer_job.text import plain
from service.domain.storyboard import CueTime, QuestionScene, Scene, Storyboard

FPS = 30
# Seconds: before the first word of a scene (its cross-fade is over by then), between cues, and after the last.
LEAD, GAP, TAIL = 0.5, 0.3, 0.8
MOTION = {"scene": 0.40, "section": 0.50, "reveal": 0.30, "focus": 0.35, "answer": 0.40, "ring": 0.12}
OPENERS = ("title", "section")
SHORTEST = 8  # frames that a view is worth showing; motion needs some of them
SILENT_READING = 14  # characters a second, for an answer that no cue speaks


@dataclass(frozen=True)
class Span:
    """A look and how long it stays, `moving` frames of which lead over to it from the look before."""

    look: Look
    frames: int
    scene: int
    motion: str = ""
    moving: int = 0


@dataclass(frozen=True)
class Heard:
    """A cue's place in the film: from frame `start` on, for `seconds`."""

    scene: int
    cue: int
    start: int
    seconds: float


@dataclass(frozen=True)
class Timeline:
    """The film before it is shot. `starts` holds the first frame of every scene."""

    storyboard: Storyboard
    pages: tuple[tuple[Page, ...], ...]
    spans: tuple[Span, ...]
    heard: tuple[Heard, ...]
    starts: tuple[int, ...]

    @property
    def frames(self) -> int:
        return sum(span.frames for span in self.spans)

    @property
    def seconds(self) -> float:
        return self.frames / FPS

    def frame_at(self, number: int) -> Frame:
        """What frame `number` shows; pure, and equal for equal pictures.

        Raises:
            IndexError: the film has no such frame.
        """
        ends = list(accumulate(span.frames for span in self.spans))
        i = bisect_right(ends, number)
        if number < 0 or i == len(ends):
            raise IndexError(number)
        span = self.spans[i]
        step = number - (ends[i] - span.frames)
        return self.moving_frame(i, step) if step < span.moving else Frame(span.look)

    def moving_frame(self, span: int, step: int) -> Frame:
        """Frame `step` (from 0) of the motion that leads into a span."""
        into = self.spans[span]
        return Frame(into.look, self.spans[span - 1].look, into.motion, step + 1, into.moving + 1)

    def cue_times(self) -> tuple[CueTime, ...]:
        """Every cue with its time in the finished film."""
        found = []
        for heard in self.heard:
            scene = self.storyboard.scenes[heard.scene]
            cue = scene.cues[heard.cue]
            start = heard.start / FPS
            found.append(
                CueTime(scene=scene.id, text=plain(cue.text), start=start, end=start + heard.seconds, cites=cue.cites)
            )
        return tuple(found)

    def chapters(self) -> tuple[tuple[float, str], ...]:
        """(start in seconds, title) of every scene whose title differs from the one before."""
        found: list[tuple[float, str]] = []
        for scene, start in zip(self.storyboard.scenes, self.starts, strict=True):
            title = plain(scene.title or getattr(scene, "term", ""))
            if title and (not found or found[-1][1] != title):
                found.append((start / FPS, title))
        if not found or found[0][0] > 0:
            found.insert(0, (0.0, plain(self.storyboard.title)))
        return tuple(found)

    def notes(self) -> tuple[str, ...]:
        """What the slides could not show as written."""
        return paging.notes(self.pages)


def frames_of(seconds: float) -> int:
    """The fewest frames that hold a length of time."""
    return math.ceil(seconds * FPS - 1e-6)


def plan(storyboard: Storyboard, lengths: Sequence[Sequence[float]]) -> Timeline:
    """The timeline of a storyboard whose cues take `lengths[scene][cue]` seconds to speak."""
    paged = paging.paginate(storyboard)
    spans: list[Span] = []
    heard: list[Heard] = []
    starts: list[int] = []
    at = 0
    for number, scene in enumerate(storyboard.scenes):
        marks, cues, end = _score(scene, lengths[number])
        starts.append(at)
        heard += [Heard(number, i, at + start, lengths[number][i]) for i, start in enumerate(cues)]
        for mark, until in zip(marks, [m.at for m in marks[1:]] + [end], strict=True):
            spans += _looks(paged[number], mark, until - mark.at, number)
        at += end
    return Timeline(storyboard, paged, tuple(_joined(spans)), tuple(heard), tuple(starts))


@dataclass(frozen=True)
class _Mark:
    """From frame `at` of a scene on, it is in this state (None: everything at once)."""

    at: int
    state: int | None
    ring: int | None = None


def _score(scene: Scene, lengths: Sequence[float]) -> tuple[list[_Mark], list[int], int]:
    """A scene's changes of state, the frames at which its cues begin, and its length in frames."""
    asking = isinstance(scene, QuestionScene)
    staged = asking or any(cue.state is not None for cue in scene.cues)
    marks = [_Mark(0, 0 if staged else None)]
    starts, at = [], frames_of(LEAD)
    for cue, seconds in zip(scene.cues, lengths, strict=True):
        if asking and cue.state:
            at = _pause(marks, scene, at)
            asking = False
        if cue.state is not None:
            marks.append(_Mark(at, cue.state))
        starts.append(at)
        at += frames_of(seconds) + frames_of(GAP + cue.pause)
    if asking:
        at = _pause(marks, scene, at)
        marks.append(_Mark(at, 1))
        at += frames_of(2 + len(getattr(scene, "answer", "")) / SILENT_READING)
    return [mark for mark in marks if mark.at < at], starts, at + frames_of(TAIL - GAP)


def _pause(marks: list[_Mark], scene: Scene, at: int) -> int:
    """Add the ring's seconds; gives the frame at which the pause is over."""
    seconds = scene.pause if isinstance(scene, QuestionScene) else 0
    marks += [_Mark(at + second * FPS, 0, second or None) for second in range(seconds)]
    return at + seconds * FPS


def _looks(pages: Sequence[Page], mark: _Mark, frames: int, scene: int) -> list[Span]:
    """The views of a state, each for its share of the time; too little time for all shows the first ones."""
    shown = paging.views(pages, mark.state)[: max(1, frames // SHORTEST)]
    spans, left, weights = [], frames, sum(view.weight for view in shown)
    for i, view in enumerate(shown):
        share = left if i == len(shown) - 1 else max(SHORTEST, round(frames * view.weight / weights))
        share = min(share, left - SHORTEST * (len(shown) - 1 - i))
        left -= share
        spans.append(Span(_look(view, mark), share, scene))
    return [span for span in spans if span.frames > 0]


def _look(view: View, mark: _Mark) -> Look:
    return Look(view.page, view.state, mark.ring)


def _joined(spans: Sequence[Span]) -> list[Span]:
    """Neighbours with one look become one span; every change gets its motion."""
    out: list[Span] = []
    for span in spans:
        if out and out[-1].scene == span.scene and out[-1].look.key == span.look.key:
            out[-1] = replace(out[-1], frames=out[-1].frames + span.frames)
            continue
        out.append(_entered(out[-1], span) if out else span)
    return out


def _entered(before: Span, span: Span) -> Span:
    """The span with the motion that leads to it, which leaves it at least two frames of rest."""
    motion = _motion(before, span)
    moving = min(frames_of(MOTION[motion]), span.frames - 2)
    return replace(span, motion=motion, moving=moving if moving >= 2 else 0)


def _motion(before: Span, after: Span) -> str:
    kinds = before.look.page.scene.kind, after.look.page.scene.kind
    if before.scene != after.scene:
        return "section" if set(OPENERS) & set(kinds) else "scene"
    if before.look.page != after.look.page:
        return "scene"
    if before.look.ring != after.look.ring and before.look.state == after.look.state:
        return "ring"
    return {"code": "focus", "table": "focus", "question": "answer"}.get(kinds[1], "reveal")
