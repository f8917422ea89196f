"""The canvas of a slide: every mark passes through it, so every box is known and nothing can leave the safe area."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

from PIL import Image, ImageDraw

from renderer_job.layout import RGB, STEP, Block, Ink, fit, lay_out, shorten
from renderer_job.text import Style
from renderer_job.theme import BODY, BOTTOM, HEIGHT, LEFT, RIGHT, WIDTH, Theme
from service.errors import BadInput

FINE = 4  # oversampling of slanted and round shapes


class DoesNotFit(BadInput):
    """A field has no room at its smallest size. Answered by splitting the slide; else it names the field."""

    def __init__(self, field: str) -> None:
        super().__init__(f"{field} does not fit on the slide. Shorten it.")
        self.field = field


@dataclass(frozen=True)
class Box:
    """Where a text stands, in pixels; tests hold boxes apart from each other and inside the safe area."""

    name: str
    x: float
    y: float
    width: float
    height: float


class Room(NamedTuple):
    """What a text may take: a width and height in pixels, its smallest size, and a number of lines."""

    width: float
    height: float
    floor: int
    lines: int = 99


@lru_cache(maxsize=64)
def _corner(radius: int) -> Image.Image:
    mask = Image.new("L", (radius * 8, radius * 8), 0)
    ImageDraw.Draw(mask).ellipse((0, 0, radius * 16 - 1, radius * 16 - 1), fill=255)
    return mask.resize((radius, radius), Image.Resampling.BOX)


class Canvas:
    """One slide in the making.

    Geometry is written left to right; a right-to-left slide mirrors x here and nowhere else. A dry canvas measures
    and draws nothing. A strict canvas raises DoesNotFit where another shortens a text and notes it.
    """

    def __init__(
        self, theme: Theme, language: str = "en", mirror: bool = False, dry: bool = False, strict: bool = False
    ) -> None:
        self.theme = theme
        self.language = language
        self.mirror = mirror
        self.dry = dry
        self.strict = strict
        self.boxes: list[Box] = []
        self.shortened: list[str] = []
        self.image = Image.new("RGB", (WIDTH, HEIGHT) if not dry else (1, 1), theme.bg)
        self.pen = ImageDraw.Draw(self.image)

    # Type ------------------------------------------------------------------------------------------------------

    def sans(self, size: int, weight: int = 400, leading: float = 1.34, italic: bool = False) -> Style:
        return Style("sans", size, weight, italic, leading, self.language)

    def serif(self, size: int, weight: int = 600, leading: float = 1.14) -> Style:
        return Style("serif", size, weight, False, leading, self.language)

    def block(self, text: str, style: Style, width: float, heading: bool = False) -> Block:
        return lay_out(text, style, int(width), heading)

    def sizes(self, largest: int, floor: int) -> range:
        """The sizes to try; a strict canvas only asks whether the smallest fits."""
        return range(floor if self.strict else largest, floor - 1, -STEP)

    def fitted(self, field: str, text: str, style: Style, room: Room, heading: bool = False) -> Block:
        """The text at the largest size its room allows; shortened at the floor, and noted, if it must be."""
        found = fit(text, style, room.width, room.height, room.floor, heading, room.lines)
        return found or self.cut(field, text, replace(style, size=room.floor), room, heading)

    def cut(self, field: str, text: str, style: Style, room: Room, heading: bool = False) -> Block:
        """The longest beginning of the text that fits the room at this size; noted when something was left out."""
        block, left_out = shorten(text, style, room.width, room.height, heading, room.lines)
        if left_out:
            self.shortened.append(field)
        return block

    def wanted(self, field: str, text: str, style: Style, room: Room, heading: bool = False) -> Block:
        """As `fitted`, for a field that a slide can be split on: a strict canvas raises DoesNotFit instead.

        A strict canvas only asks whether the text fits at its smallest.
        """
        if not self.strict:
            return self.fitted(field, text, style, room, heading)
        found = fit(text, replace(style, size=room.floor), room.width, room.height, room.floor, heading, room.lines)
        if not found:
            raise DoesNotFit(field)
        return found

    # Marks -----------------------------------------------------------------------------------------------------

    def put(
        self,
        block: Block,
        x: float,
        y: float,
        width: float,
        name: str,
        fill: RGB | None = None,
        align: str = "start",
        chip: RGB | None = None,
    ) -> None:
        """Draw a block into a column at x. Raises DoesNotFit when it would leave the column or the safe area."""
        if not block.lines:
            return
        bottom = BOTTOM if name == "footer" else BODY
        outside = y < 54 or y + block.height > bottom + 1 or x < LEFT - 1 or x + width > RIGHT + 1
        if outside or block.width > width + 1:
            raise DoesNotFit(name)
        indent = {"start": 0.0, "right": width - block.width, "center": (width - block.width) / 2}[align]
        self.boxes.append(Box(name, self.seen(x + indent, block.width), y, block.width, block.height))
        if self.dry:
            return
        flipped = {"start": "right", "right": "left"}
        side = flipped.get(align, align) if self.mirror else "left" if align == "start" else align
        ground = chip or self.theme.surface
        ink = Ink(fill or self.theme.ink, lambda cx, cy, w, h: self._fill(cx, cy, w, h, ground, 6))
        block.draw(self.pen, self.seen(x, width), y, width, side, ink)

    def text(
        self,
        field: str,
        text: str,
        style: Style,
        at: tuple[float, float],
        room: Room,
        fill: RGB | None = None,
        heading: bool = False,
    ) -> Block:
        """Fit a text into its room at a place, shortening it if it must be, and draw it."""
        block = self.fitted(field, text, style, room, heading)
        self.put(block, *at, room.width, field, fill)
        return block

    def glyph(self, char: str, style: Style, x: float, base: float, fill: RGB, align: str = "ls") -> None:
        """A single ornament on a base line; it is no text and has no box."""
        if not self.dry:
            from renderer_job.fonts import pick

            font = pick(char, style.family, style.weight, style.italic, style.language)
            self.pen.text((x, base), char, fill, font.at(style.size), anchor=align)

    def seen(self, x: float, width: float = 0) -> float:
        """The x at which a thing is seen: mirrored when the slide is."""
        return WIDTH - x - width if self.mirror else x

    def rect(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        fill: RGB,
        radius: int = 0,
        outline: RGB | None = None,
        stroke: int = 0,
    ) -> None:
        """A rectangle, rounded if wanted, with an outline inside its edge if wanted."""
        x = self.seen(x, width)
        if outline:
            self._fill(x, y, width, height, outline, radius)
            x, y, width, height = x + stroke, y + stroke, width - 2 * stroke, height - 2 * stroke
            radius = max(0, radius - stroke)
        self._fill(x, y, width, height, fill, radius)

    def _fill(self, x: float, y: float, width: float, height: float, fill: RGB, radius: int) -> None:
        left, top, w, h = round(x), round(y), round(width), round(height)
        if self.dry or w < 1 or h < 1:
            return
        radius = int(min(radius, w / 2, h / 2))
        if not radius:
            self.pen.rectangle((left, top, left + w - 1, top + h - 1), fill=fill)
            return
        mask, corner, turn = Image.new("L", (w, h), 255), _corner(radius), Image.Transpose
        mask.paste(corner, (0, 0))
        mask.paste(corner.transpose(turn.FLIP_LEFT_RIGHT), (w - radius, 0))
        mask.paste(corner.transpose(turn.ROTATE_180), (w - radius, h - radius))
        mask.paste(corner.transpose(turn.FLIP_TOP_BOTTOM), (0, h - radius))
        self.image.paste(fill, (left, top), mask)

    def rule(self, x: float, y: float, width: float, fill: RGB | None = None, stroke: int = 0) -> None:
        """A horizontal hairline."""
        self.rect(x, y, width, stroke or self.theme.stroke, fill or self.theme.line)

    def dot(self, x: float, y: float, radius: float, fill: RGB) -> None:
        self.rect(x - radius, y - radius, 2 * radius, 2 * radius, fill, round(radius))

    def polygon(self, points: Sequence[tuple[float, float]], fill: RGB, width: float = 0) -> None:
        """A filled polygon, or with a width a line along the points with round ends; anti-aliased."""
        if self.dry:
            return
        seen = [(self.seen(x), y) for x, y in points]
        pad = width + 4
        left, top = int(min(x for x, _ in seen) - pad), int(min(y for _, y in seen) - pad)
        w, h = int(max(x for x, _ in seen) + pad) - left, int(max(y for _, y in seen) + pad) - top
        mask = Image.new("L", (w * FINE, h * FINE), 0)
        pen = ImageDraw.Draw(mask)
        fine = [((x - left) * FINE, (y - top) * FINE) for x, y in seen]
        if width:
            pen.line(fine, fill=255, width=round(width * FINE), joint="curve")
            for x, y in (fine[0], fine[-1]):
                r = width * FINE / 2
                pen.ellipse((x - r, y - r, x + r, y + r), fill=255)
        else:
            pen.polygon(fine, fill=255)
        self.image.paste(fill, (left, top), mask.reduce(FINE))

    def arc(self, x: float, y: float, radius: float, degrees: tuple[float, float], fill: RGB, width: float) -> None:
        """Part of a circle, clockwise from the top."""
        start, end = (math.radians(d - 90) for d in degrees)
        angles = [start + (end - start) * i / 20 for i in range(21)]
        self.polygon([(x + radius * math.cos(a), y + radius * math.sin(a)) for a in angles], fill, width)
