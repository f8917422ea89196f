"""The short spans in which something moves, as MoviePy clips between two settled pictures.

A reveal changes a small part of the slide: only the rectangle that differs is composited. A change of scene changes
all of it: one dissolve of the whole picture, which is a sixth of the cost of a composite of that size.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from moviepy import CompositeVideoClip, ImageClip, VideoClip, vfx
from PIL import Image, ImageChops

from renderer_job.frames import Frame, picture
from renderer_job.theme import HEIGHT, WIDTH

Easing = Callable[[float], float]
Rectangle = tuple[int, int, int, int]
SMALL = 0.25  # part of the picture up to which compositing its rectangle is cheaper than dissolving all of it


def smooth(part: float) -> float:
    """Slow at both ends: for what changes all over."""
    return part * part * (3 - 2 * part)


def out(part: float) -> float:
    """Quick, then slow: for what appears."""
    return 1 - (1 - part) ** 3


EASINGS: dict[str, Easing] = {"reveal": out, "ring": out}


@dataclass(frozen=True)
class Move:
    """A clip of one second, eased, of the rectangle that changes between two pictures."""

    start: Image.Image
    rectangle: Rectangle
    clip: VideoClip

    def at(self, part: float) -> Image.Image:
        """The whole picture when `part` (0 to 1, both excluded) of the way is gone."""
        frame = Image.fromarray(self.clip.get_frame(part))
        if frame.size == self.start.size:
            return frame
        whole = self.start.copy()
        whole.paste(frame, self.rectangle[:2])
        return whole


def between(before: Image.Image, after: Image.Image, motion: str) -> Move:
    """The move from one settled picture to another."""
    rectangle = ImageChops.difference(before, after).getbbox() or (0, 0, 2, 2)
    easing = EASINGS.get(motion, smooth)
    left, top, right, bottom = rectangle
    if (right - left) * (bottom - top) > SMALL * WIDTH * HEIGHT:
        return Move(before, (0, 0, WIDTH, HEIGHT), _dissolve(before, after).time_transform(easing))
    return Move(before, rectangle, _composite(before.crop(rectangle), after.crop(rectangle)).time_transform(easing))


def _dissolve(before: Image.Image, after: Image.Image) -> VideoClip:
    return VideoClip(lambda part: np.asarray(Image.blend(before, after, part)), duration=1)


def _composite(before: Image.Image, after: Image.Image) -> VideoClip:
    under = ImageClip(np.asarray(before), duration=1)
    over = ImageClip(np.asarray(after), duration=1).with_effects([vfx.CrossFadeIn(1)])
    return CompositeVideoClip([under, over], size=before.size)


class Projector:
    """Gives the picture of any frame; frames of one move are asked for one after the other."""

    def __init__(self) -> None:
        self._way: tuple[str, str, str] | None = None
        self._move: Move | None = None

    def picture(self, frame: Frame) -> Image.Image:
        """The frame's picture, 1920 x 1080."""
        if not frame.before:
            return picture(frame.look)
        way = (frame.before.key, frame.look.key, frame.motion)
        if way != self._way or self._move is None:
            self._way, self._move = way, between(picture(frame.before), picture(frame.look), frame.motion)
        return self._move.at(frame.step / frame.steps)
