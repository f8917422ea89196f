"""A course's cover, drawn from the course: one contour ring for each lesson, the finished ones bold."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from math import cos, pi, sin

ACCENTS = ("#1f50b2", "#8c4a00", "#0f663a", "#703d9f", "#2d6a75", "#1f5c57")
_MOST_RINGS = 24
_POINTS = 60


@dataclass(frozen=True)
class Ring:
    """One closed line of the drawing; `bold` when its lesson is finished."""

    path: str
    bold: bool


@dataclass(frozen=True)
class Cover:
    """A drawing for a view box of 560 × 224. `ink` is a hexadecimal colour."""

    ink: str
    rings: tuple[Ring, ...]


def draw_cover(course_id: uuid.UUID, accent: str, lessons: int, finished: int) -> Cover:
    """The cover of a course: the same course with the same progress gives the same drawing."""
    seed = course_id.int
    count = min(max(lessons, 4), _MOST_RINGS)
    bold = round(finished / max(lessons, 1) * count)
    x, y, turn = 150 + seed % 260, 90 + seed // 260 % 44, seed // 11_440 % 360 / 57.3
    gap = max(9.0, min(30.0, 170 / count))
    rings = tuple(
        Ring(_ring(x, y, 14 + gap * number, turn, 0.14 + 0.011 * number), number < bold) for number in range(count)
    )
    return Cover(accent, rings)


def accent_for(course_id: uuid.UUID) -> str:
    """The colour that a new course starts with."""
    return ACCENTS[course_id.int % len(ACCENTS)]


def _ring(x: float, y: float, radius: float, turn: float, wobble: float) -> str:
    points = []
    for step in range(_POINTS):
        angle = step / _POINTS * 2 * pi
        bend = sin(angle * 2 + turn) * 0.55 + sin(angle * 3 - turn * 1.7) * 0.3 + cos(angle * 5 + turn * 0.6) * 0.15
        reach = radius * (1 + wobble * bend)
        points.append(f"{x + reach * cos(angle) * 1.25:.0f},{y + reach * sin(angle) * 0.9:.0f}")
    return "M" + " ".join(points) + "Z"
