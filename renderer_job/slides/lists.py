"""Slides that reveal a list item by item: bullets, steps, a process, the recap."""

from __future__ import annotations

import math

from renderer_job.canvas import Canvas, DoesNotFit, Room
from renderer_job.layout import Block
from renderer_job.slides.anatomy import Page, head, shown, side, stack, tone
from renderer_job.theme import BODY, FULL, LEFT, column
from service.domain.storyboard import BulletsScene, ProcessScene, RecapScene, StepsScene

LONE = 76  # size of a statement that has the slide for itself


def bullets(c: Canvas, page: Page, scene: BulletsScene, state: int) -> None:
    """Title left, items right; a bar marks where the voice is, a tick what is still to come."""
    x, width = column(5, 7)
    count = len(scene.items)
    blocks, gap = stack(c, "items", scene.items, Room(width - 64, BODY - 136, 40), LONE if count == 1 else 60, (24, 52))
    y = _start(blocks, gap)
    side(c, page, y - 4)
    for i, block in enumerate(blocks):
        middle = y + block.pitch / 2 + 2
        if not shown(i, state, count):
            c.rect(x, middle - 3, 10, 6, c.theme.line, 3)
        elif i == state - 1:
            c.rect(x, middle - 22, 10, 44, c.theme.accent, 5)
        else:
            c.rect(x, middle - 4, 24 if state > count else 10, 8, c.theme.accent if state > count else c.theme.muted, 4)
        if shown(i, state, count):
            c.put(block, x + 64, y, width - 64, f"item {i + 1}", tone(c, i, state, count))
        y += block.row + gap


def _start(blocks: list[Block], gap: float) -> float:
    """Where a list begins so that it hangs a third down its free height."""
    total = sum(block.row for block in blocks) + gap * (len(blocks) - 1)
    return 128 + max(0, BODY - 128 - total - 8) * 0.32 // 8 * 8


def steps(c: Canvas, page: Page, scene: StepsScene, state: int) -> None:
    """A procedure: as bullets, with serif numerals that go on over split slides."""
    x, width = column(5, 7)
    count = len(scene.items)
    blocks, gap = stack(c, "items", scene.items, Room(width - 104, BODY - 136, 40), 56, (24, 48))
    y = _start(blocks, gap)
    side(c, page, y - 4)
    for i, block in enumerate(blocks):
        if shown(i, state, count):
            lit = i == state - 1 or state > count
            nth = str(i + page.first + scene.first - 1)
            number = c.block(nth, c.serif(block.style.size + 4, leading=1.28), 96)
            top = y + (block.pitch - number.pitch) / 2
            c.put(number, x, top, 96, f"number {i + 1}", c.theme.accent if lit else c.theme.muted)
            c.put(block, x + 104, y, width - 104, f"item {i + 1}", tone(c, i, state, count))
        else:
            c.rect(x, y + block.pitch / 2 - 1, 10, 6, c.theme.line, 3)
        y += block.row + gap


def process(c: Canvas, page: Page, scene: ProcessScene, state: int) -> None:
    """At most six stages in one row or two, each with numeral, name and what happens."""
    top, count = head(c, page), len(scene.items)
    per_row = count if count <= 4 else math.ceil(count / 2)
    rows = math.ceil(count / per_row)
    width = (FULL - 48 * (per_row - 1)) // per_row
    height = (BODY - top - 40 * (rows - 1)) // rows
    numeral = 112 if rows == 1 else 72
    blocks = _stages(c, scene, Room(width - 8, height - numeral * 1.1 - 60, 36), 52 if rows == 1 else 44)
    if rows == 1:
        top += (height - max(a.height + b.height for a, b in blocks) - numeral * 1.1 - 60) * 0.3
    for i, (name, text) in enumerate(blocks):
        x, y = LEFT + i % per_row * (width + 48), top + i // per_row * (height + 40)
        now, on = i == state - 1, shown(i, state, count)
        c.rule(x, y, width, c.theme.accent if on else c.theme.line, 6 if now else 4)
        if not on:
            continue
        lit = now or state > count
        number = c.block(str(i + page.first), c.serif(numeral, leading=1.1), width)
        ink = tone(c, i, state, count)
        c.put(number, x, y + 20, width, f"number {i + 1}", c.theme.accent if lit else c.theme.muted)
        c.put(name, x, y + 24 + number.height, width - 8, f"name {i + 1}", ink)
        c.put(text, x, y + 36 + number.height + name.height, width - 8, f"text {i + 1}", ink)


def _stages(c: Canvas, scene: ProcessScene, room: Room, size: int) -> list[tuple[Block, Block]]:
    """Name and text of every stage at one size. Raises DoesNotFit on a strict canvas."""
    for tried in c.sizes(size, room.floor):
        blocks = [
            (
                c.block(name, c.sans(tried + 2, 600, 1.2), room.width, heading=True),
                c.block(text, c.sans(max(36, tried - 2)), room.width),
            )
            for name, text in scene.items
        ]
        cut = any(a.chopped or b.chopped for a, b in blocks) and tried - 2 >= room.floor
        if not cut and max(a.height + b.height for a, b in blocks) <= room.height:
            return blocks
    if c.strict:
        raise DoesNotFit("items")
    floor = room.floor
    return [
        (
            c.cut("name", name, c.sans(floor + 2, 600, 1.2), room._replace(height=room.height * 0.4), heading=True),
            c.cut("text", text, c.sans(floor), room._replace(height=room.height * 0.6)),
        )
        for name, text in scene.items
    ]


def recap(c: Canvas, page: Page, scene: RecapScene, state: int) -> None:
    """What the learner can say now, in two columns with numerals."""
    top, count = head(c, page, 72), len(scene.items)
    per_row = 2 if count > 2 else 1
    width = (FULL - 96 * (per_row - 1)) // per_row
    rows = math.ceil(count / per_row)
    blocks = _cells(c, scene, Room(width - 104, BODY - top - 56 * rows, 38), per_row)
    heights = [max(70, *(b.height for b in blocks[r * per_row : (r + 1) * per_row])) for r in range(rows)]
    free = max(0.0, BODY - top - sum(heights))
    pad = min(52.0, free / rows / 2)
    y = top + (free - 2 * pad * rows) * 0.3
    for i, block in enumerate(blocks):
        x = LEFT + i % per_row * (width + 96)
        c.rule(x, y, width)
        if shown(i, state, count):
            number = c.block(str(i + page.first), c.serif(64, leading=1.1), 96)
            c.put(number, x, y + pad - 6, 96, f"number {i + 1}", c.theme.accent)
            c.put(block, x + 104, y + pad, width - 104, f"item {i + 1}", tone(c, i, state, count))
        if i % per_row == per_row - 1:
            y += heights[i // per_row] + 2 * pad


def _cells(c: Canvas, scene: RecapScene, room: Room, per_row: int) -> list[Block]:
    rows = math.ceil(len(scene.items) / per_row)
    for tried in c.sizes(64, room.floor):
        blocks = [c.block(item, c.sans(tried), room.width) for item in scene.items]
        used = sum(max(b.height for b in blocks[r * per_row : (r + 1) * per_row]) for r in range(rows))
        cut = any(block.chopped for block in blocks) and tried - 2 >= room.floor
        if used <= room.height and not cut:
            return blocks
    if c.strict:
        raise DoesNotFit("items")
    part = room._replace(height=room.height / rows)
    return [c.cut("item", item, c.sans(room.floor), part) for item in scene.items]
