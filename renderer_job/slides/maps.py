"""The slide of a concept map: a term with its meaning on a card, and what belongs to it on branches."""

from __future__ import annotations

from renderer_job.canvas import Canvas, DoesNotFit, Room
from renderer_job.layout import Block
from renderer_job.slides.anatomy import Page, chip, footer, kicker, shown, tone
from renderer_job.theme import BODY, LEFT, RIGHT
from service.domain.storyboard import MapScene

CARD, PAD, TRUNK, STUB = 640, 44, 64, 56  # the card's width, its padding, from the card to the trunk, from there on
TOP, NAME_GAP = 152, 4


def concept_map(c: Canvas, page: Page, scene: MapScene, state: int) -> None:
    """State k has grown k branches; the newest is in ink and its line in the accent."""
    kicker(c, page, width=1240 if scene.cite_label else 1582)
    chip(c, page)
    footer(c, page)
    x = LEFT + CARD + TRUNK + STUB + 24
    width = RIGHT - x
    blocks = _branches(c, scene, Room(width, BODY - TOP, 36))
    heights = [_height(name, text) for name, text in blocks]
    free = BODY - TOP - sum(heights)
    gap = min(64.0, free / max(1, len(blocks) - 1))
    top = TOP + (free - gap * (len(blocks) - 1)) * 0.4
    middles = _middles(top, heights, gap)
    centre = _card(c, scene, (middles[0] + middles[-1]) / 2)
    grown = [i for i in range(len(blocks)) if shown(i, state, len(blocks))]
    _lines(c, centre, middles, grown, state)
    for i in grown:
        (name, text), y = blocks[i], middles[i] - heights[i] / 2
        ink = tone(c, i, state, len(blocks))
        c.put(name, x, y, width, f"name {i + 1}", ink)
        c.put(text, x, y + (name.height + NAME_GAP if name.lines else 0), width, f"text {i + 1}", ink)


def _branches(c: Canvas, scene: MapScene, room: Room) -> list[tuple[Block, Block]]:
    """Name and text of every branch at one size. Raises DoesNotFit on a strict canvas."""
    gap = 28 * (len(scene.items) - 1)
    for size in c.sizes(54, room.floor):
        blocks = [
            (c.block(name, c.sans(size, 600, 1.24), room.width), c.block(text, c.sans(size, 400, 1.26), room.width))
            for name, text in scene.items
        ]
        cut = any(a.chopped or b.chopped for a, b in blocks) and size - 2 >= room.floor
        if not cut and sum(_height(a, b) for a, b in blocks) + gap <= room.height:
            return blocks
    if c.strict:
        raise DoesNotFit("items")
    part = (room.height - gap) / len(scene.items)
    floor = room.floor
    return [
        (
            c.cut("name", name, c.sans(floor, 600, 1.24), room._replace(height=part * 0.35)),
            c.cut("text", text, c.sans(floor, 400, 1.26), room._replace(height=part * 0.6)),
        )
        for name, text in scene.items
    ]


def _height(name: Block, text: Block) -> float:
    gap = NAME_GAP if name.lines and text.lines else 0
    return max(40.0, name.height + gap + text.height)


def _middles(top: float, heights: list[float], gap: float) -> list[float]:
    found, y = [], top
    for height in heights:
        found.append(y + height / 2)
        y += height + gap
    return found


def _card(c: Canvas, scene: MapScene, middle: float) -> float:
    """The card, as near to `middle` as the slide allows; gives the height of its own middle."""
    inner = CARD - 2 * PAD
    term = c.fitted("title", scene.title, c.serif(72, leading=1.12), Room(inner, 300, 40, 4), heading=True)
    rest = BODY - TOP - 2 * PAD - term.height - 28
    text = c.fitted("text", scene.text, c.sans(44, 400, 1.32), Room(inner, rest, 32))
    height = 2 * PAD + term.height + (28 + text.height if text.lines else 0)
    y = min(max(TOP, middle - height / 2), BODY - height)
    outline = c.theme.line if c.theme.outlined else None
    c.rect(LEFT, y, CARD, height, c.theme.surface, 20, outline, 3)
    c.rect(LEFT, y, 10, height, c.theme.accent, 5)
    c.put(term, LEFT + PAD, y + PAD, inner, "title")
    c.put(text, LEFT + PAD, y + PAD + term.height + 28, inner, "text", c.theme.ink)
    return y + height / 2


def _lines(c: Canvas, centre: float, middles: list[float], grown: list[int], state: int) -> None:
    """The trunk out of the card, and a stub with a dot for each branch that has grown."""
    edge, trunk = LEFT + CARD, LEFT + CARD + TRUNK
    ends = [centre, *(middles[i] for i in grown)] if grown else [centre]
    if grown:
        c.rect(edge, centre - 2, TRUNK + 2, 4, c.theme.muted)
        c.rect(trunk - 2, min(ends) - 2, 4, max(ends) - min(ends) + 4, c.theme.muted)
    for i in range(len(middles)):
        newest = i == state - 1
        if i in grown:
            c.rect(trunk, middles[i] - (3 if newest else 2), STUB, 6 if newest else 4, _ink(c, i, state, len(middles)))
            c.dot(trunk + STUB, middles[i], 9 if newest else 7, _ink(c, i, state, len(middles)))
        else:
            c.dot(trunk + STUB, middles[i], 5, c.theme.line)


def _ink(c: Canvas, item: int, state: int, count: int) -> tuple[int, int, int]:
    return c.theme.accent if state > count or item == state - 1 else c.theme.muted
