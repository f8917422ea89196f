"""What slides share: the page with its place in the lesson, and the parts that stand on many kinds of slides."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from renderer_job.canvas import Canvas, DoesNotFit, Room
from renderer_job.layout import RGB, Block, fit, shorten
from renderer_job.slides.words import say
from renderer_job.text import Style, clean
from renderer_job.theme import BODY, FOOT, FULL, HEIGHT, LEFT, RIGHT, TOP, mix
from service.domain.storyboard import Scene

Role = str  # "" the whole scene; worked examples also have pages for the "problem" and the "answer" alone


@dataclass(frozen=True)
class Deck:
    """What every slide of a lesson has in common."""

    course: str
    lesson: str
    language: str
    theme: str
    accent: str
    total: int


@dataclass(frozen=True)
class Page:
    """A scene, or the part of it that one slide can hold: then `scene` has only this part's items or text.

    `number` is the scene's place in the lesson (0-based), `first` the number of the part's first item or line
    (1-based), `items` how many the whole scene has.
    """

    scene: Scene
    deck: Deck
    number: int
    part: int = 1
    parts: int = 1
    first: int = 1
    items: int = 0
    role: Role = ""

    @property
    def last(self) -> bool:
        return self.part == self.parts

    def say(self, what: str, *numbers: int) -> str:
        return say(what, self.deck.language, *numbers)


def kicker(c: Canvas, page: Page, y: float = TOP, x: float = LEFT, width: float = 560, text: str = "") -> None:
    """The small line above the title, with the part's number when the scene is split."""
    parts = [page.scene.kicker or text]
    if page.parts > 1:
        parts.append(page.say("pages", page.part, page.parts))
    label = "  ·  ".join(part for part in parts if part)
    c.text("kicker", label, c.sans(30, 600), (x, y), Room(width, 44, 24, 1), c.theme.accent)


def head(c: Canvas, page: Page, size: int = 64) -> float:
    """A title across the slide with its kicker, chip and footer; gives the first free y."""
    scene = page.scene
    kicker(c, page, width=1240 if scene.cite_label else FULL)
    width = 1290 if scene.cite_label else 1582
    block = title_block(c, scene.title, c.serif(size), width)
    c.put(block, LEFT, 120, width, "title")
    chip(c, page)
    footer(c, page)
    return math.ceil((120 + block.height + 40) / 8) * 8 if block.lines else 136.0


def title_block(c: Canvas, text: str, style: Style, width: float) -> Block:
    """A title in two lines, in three smaller ones if it must be."""

    return fit(text, style, width, 176, 44, True, 2) or c.fitted(
        "title", text, c.serif(42), Room(width, 176, 36, 3), heading=True
    )


def side(c: Canvas, page: Page, y: float) -> Block:
    """A title in the left third beside a list, with its kicker, chip and footer."""
    block = c.fitted("title", page.scene.title, c.serif(76), Room(560, BODY - y, 44), heading=True)
    kicker(c, page, y - 56)
    chip(c, page, 640)
    footer(c, page)
    c.put(block, LEFT, y, 560, "title")
    return block


def chip(c: Canvas, page: Page, width: float = 414) -> None:
    """Which source the slide shows, top right, where captions never hide it."""
    text = page.scene.cite_label
    if not clean(text):
        return

    block, _ = shorten(text, c.sans(28, 500), width - 48, 60, lines=1)
    c.rect(RIGHT - block.width - 48, 64, block.width + 48, 48, c.theme.surface, 24, c.theme.line, c.theme.stroke)
    c.put(block, RIGHT - block.width - 24, 64 + 24 - block.height / 2, block.width, "cite", chip=c.theme.line)


def footer(c: Canvas, page: Page, on_panel: bool = False, ticks_only: bool = False) -> None:
    """Course and lesson on the left, one tick for each scene on the right."""
    theme = c.theme
    ink, off = (theme.soft_panel, mix(theme.panel, theme.on_panel, 0.35)) if on_panel else (theme.muted, theme.line)
    if not ticks_only:
        names = [name for name in (clean(page.deck.course), clean(page.deck.lesson)) if name]
        block, _ = shorten("  ·  ".join(dict.fromkeys(names)), c.sans(28), 1100, 60, lines=1)
        c.put(block, LEFT, FOOT + 20 - block.height / 2, 1100, "footer", ink)
    on, count = (theme.on_panel if on_panel else theme.accent), page.deck.total
    gap = 6 if count <= 40 else 2
    width = min(24.0, (480 - (count - 1) * gap) / count)
    x = RIGHT - count * width - (count - 1) * gap
    for i in range(count):
        now = i == page.number
        height = 8 if now else 6
        c.rect(
            x + i * (width + gap), FOOT + 20 - height / 2, max(2.0, width), height, on if i <= page.number else off, 3
        )


def panel(c: Canvas, x: float, width: float) -> None:
    """The coloured ground of an opener, full height."""
    outline = c.theme.accent if c.theme.outlined else None
    c.rect(x, 0, width, HEIGHT, c.theme.panel, outline=outline, stroke=6)


def shown(item: int, state: int, count: int) -> bool:
    """Whether item `item` (0-based) of `count` is on the slide in a state."""
    return item < state or state > count


def tone(c: Canvas, item: int, state: int, count: int) -> RGB:
    """Past items step back, the current one is in ink, and the last state restores them all."""
    return c.theme.ink if state > count or item == state - 1 else c.theme.muted


def stack(
    c: Canvas, field: str, items: Sequence[str], room: Room, size: int, gaps: tuple[float, float] = (24, 48)
) -> tuple[list[Block], float]:
    """Items one below the other at one size, the largest at which all fit; gives blocks and the gap between them.

    Raises:
        DoesNotFit: on a strict canvas, when they do not fit at the room's floor.
    """
    low, high = gaps
    for tried in c.sizes(size, room.floor):
        blocks = [c.block(item, c.sans(tried), room.width) for item in items]
        used = sum(block.row for block in blocks)
        cut = any(block.chopped for block in blocks) and tried - 2 >= room.floor
        if used + low * (len(blocks) - 1) <= room.height and not cut:
            return blocks, min(high, (room.height - used) / max(1, len(blocks) - 1))
    if c.strict:
        raise DoesNotFit(field)
    share = (room.height - low * (len(items) - 1)) / len(items)
    part = Room(room.width, share, room.floor)
    return [c.cut(field, item, c.sans(room.floor), part) for item in items], low
