"""Slides with rows and columns: a comparison of two things, and a table."""

from __future__ import annotations

import re
from dataclasses import dataclass

from renderer_job.canvas import Canvas, DoesNotFit, Room
from renderer_job.layout import Block
from renderer_job.slides.anatomy import Page, head, shown, tone
from renderer_job.text import Style, measure
from renderer_job.theme import BODY, FULL, LEFT
from service.domain.storyboard import ComparisonScene, TableScene

NUMBER = re.compile(r"[-−+~<>≤≥]?[\d.,\u202f\u00a0 ]+\s?[%\w/°€$]{0,6}")
CELL_GAP, AFTER_NUMBER = 56, 56


def comparison(c: Canvas, page: Page, scene: ComparisonScene, state: int) -> None:
    """Two columns whose rows answer each other, with a label for each row if there are any."""
    y, count = head(c, page), len(scene.rows)
    label = 264 if any(row[0] for row in scene.rows) else 0
    width = (FULL - label - 96) // 2
    first, second = LEFT + label, LEFT + label + width + 96
    soft = c.theme.ink if c.theme.outlined else c.theme.muted
    for x, text, ink in ((first, scene.heads[0], soft), (second, scene.heads[1], c.theme.accent)):
        c.text("head", text, c.sans(42, 600), (x, y), Room(width, 64, 30, 1), ink)
    y += 72
    rows, pad = _pairs(c, scene, Room(width, BODY - y, 36), label - 24)
    for i, (name, left, right) in enumerate(rows):
        c.rule(LEFT, y, FULL)
        if shown(i, state, count):
            ink = tone(c, i, state, count)
            c.put(name, LEFT, y + pad + 6, max(1, label - 24), f"label {i + 1}", c.theme.muted)
            c.put(left, first, y + pad, width, f"left {i + 1}", ink)
            c.put(right, second, y + pad, width, f"right {i + 1}", ink)
        y += max(name.height + 6, left.height, right.height) + 2 * pad


def _pairs(
    c: Canvas, scene: ComparisonScene, room: Room, label: float
) -> tuple[list[tuple[Block, Block, Block]], float]:
    """All rows at one size with the padding above and below each. Raises DoesNotFit on a strict canvas."""
    count = len(scene.rows)
    name = c.sans(34, 500)
    for tried in c.sizes(50, room.floor):
        rows = [
            (
                c.block(n, name, max(1, label)),
                c.block(a, c.sans(tried), room.width),
                c.block(b, c.sans(tried), room.width),
            )
            for n, a, b in scene.rows
        ]
        used = sum(max(n.height + 6, a.height, b.height) for n, a, b in rows)
        cut = any(a.chopped or b.chopped for _, a, b in rows) and tried - 2 >= room.floor
        if used + 48 * count <= room.height and not cut:
            return rows, min(40, (room.height - used) / count / 2)
    if c.strict:
        raise DoesNotFit("rows")
    part = room._replace(height=room.height / count - 54)
    floor = c.sans(room.floor)
    return [
        (
            c.cut("label", n, name, part._replace(width=max(1, label))),
            c.cut("left", a, floor, part),
            c.cut("right", b, floor, part),
        )
        for n, a, b in scene.rows
    ], 24


@dataclass(frozen=True)
class _Grid:
    """A table set: column widths, the header and the rows as blocks, and the height of each line of cells.

    `numeric` columns stand right; `insets` keeps the column after one of them away from it.
    """

    numeric: list[bool]
    insets: list[int]
    widths: list[int]
    cells: list[list[Block]]
    heights: list[int]


def table(c: Canvas, page: Page, scene: TableScene, state: int) -> None:
    """Hairlines only; numbers stand right; state 1 sets off the focused row."""
    top = head(c, page)
    grid = _set(c, scene, BODY - top)
    total = sum(grid.widths)
    pad = min(26.0, (BODY - top - sum(grid.heights)) / len(grid.heights) / 2)
    focus = scene.focus if state == 1 else None
    y = top
    for i, (row, inner) in enumerate(zip(grid.cells, grid.heights, strict=True)):
        height = inner + 2 * pad
        if focus is not None and i - 1 == focus - (page.first - 1):
            outline = c.theme.accent if c.theme.outlined else None
            c.rect(LEFT - 24, y + 2, total + 24, height - 2, c.theme.tint, 8, outline, 4)
        x = LEFT
        for j, block in enumerate(row):
            align = "right" if grid.numeric[j] else "start"
            ink = c.theme.ink if i else c.theme.muted
            inset = grid.insets[j]
            c.put(block, x + inset, y + pad, grid.widths[j] - CELL_GAP - inset, f"cell {i},{j}", ink, align)
            x += grid.widths[j]
        y += height
        c.rule(LEFT, y, total - CELL_GAP, c.theme.line if i else c.theme.ink, 0 if i else 3)


def _is_numeric(scene: TableScene, j: int) -> bool:
    filled = [row[j] for row in scene.rows if j < len(row) and row[j].strip()]
    return bool(filled) and all(NUMBER.fullmatch(cell) for cell in filled)


def _set(c: Canvas, scene: TableScene, room: float) -> _Grid:
    """The table at its largest size, 46 to 34, that fits. Raises DoesNotFit on a strict canvas."""
    lines = [list(scene.header)] + [_filled(row, len(scene.header)) for row in scene.rows]
    numeric = [_is_numeric(scene, j) for j in range(len(scene.header))]
    insets = [AFTER_NUMBER if j and numeric[j - 1] and not here else 0 for j, here in enumerate(numeric)]
    for size in c.sizes(46, 34):
        widths = _widths(c, lines, insets, size)
        cells = [
            [
                c.block(text, _style(c, i, size), w - CELL_GAP - inset)
                for text, w, inset in zip(row, widths, insets, strict=True)
            ]
            for i, row in enumerate(lines)
        ]
        heights = [max(block.height for block in row) for row in cells]
        cut = any(block.chopped for row in cells for block in row) and size > 34
        if not cut and sum(heights) + 28 * len(heights) <= room:
            return _Grid(numeric, insets, widths, cells, heights)
    if c.strict:
        raise DoesNotFit("rows")
    share = room / len(lines) - 28
    cells = [
        [
            c.cut("cell", text, _style(c, i, 34), Room(w - CELL_GAP - inset, share, 34))
            for text, w, inset in zip(row, widths, insets, strict=True)
        ]
        for i, row in enumerate(lines)
    ]
    return _Grid(numeric, insets, widths, cells, [max(block.height for block in row) for row in cells])


def _filled(row: tuple[str, ...], count: int) -> list[str]:
    """A row with exactly as many cells as the header."""
    return [*row[:count], *[""] * (count - len(row))]


def _style(c: Canvas, row: int, size: int) -> Style:
    return c.sans(size) if row else c.sans(min(36, size), 600)


def _widths(c: Canvas, lines: list[list[str]], insets: list[int], size: int) -> list[int]:
    """Column widths: each at least its longest word, the rest shared by what the cells would like."""
    least, wish = [], []
    for j, inset in enumerate(insets):
        column = [(row[j], _style(c, i, size)) for i, row in enumerate(lines)]
        words = [word.width for text, style in column for word in measure(text, style).words]
        least.append(min(420.0, max(words, default=0) + CELL_GAP + inset + 4))
        whole = max(c.block(text, style, 4000).width for text, style in column)
        wish.append(min(760.0, whole + CELL_GAP + inset + 4))
    if sum(least) > FULL:
        least = [width * FULL / sum(least) for width in least]
    extra = FULL - sum(least)
    more = [max(0.0, want - low) for want, low in zip(wish, least, strict=True)]
    if sum(more) > extra:
        return [int(low + extra * m / sum(more)) for low, m in zip(least, more, strict=True)]
    widths = [max(want, low) for want, low in zip(wish, least, strict=True)]
    if sum(widths) > 1100:  # a nearly full table fills the width; a small one stays small
        widths = [width * FULL / sum(widths) for width in widths]
    return [int(width) for width in widths]
