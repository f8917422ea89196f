"""The slide of source code: coloured, numbered, softly wrapped, with the lines in focus set off; and its output."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import regex
from pygments import lex
from pygments.lexers import get_lexer_by_name
from pygments.token import Token
from pygments.util import ClassNotFound

from renderer_job import fonts
from renderer_job.canvas import Box, Canvas, DoesNotFit
from renderer_job.slides.anatomy import Page, head
from renderer_job.text import CONTROL, clean
from renderer_job.theme import BODY, FULL, LEFT
from service.domain.storyboard import CodeScene

PAD, LABEL = 28, 60  # inside a panel; above the output
FEW = 6  # lines that may be set larger
USES = (
    (Token.Comment, "comment"),
    (Token.Keyword, "keyword"),
    (Token.Operator.Word, "keyword"),
    (Token.String, "string"),
    (Token.Number, "number"),
    (Token.Name.Function, "name"),
    (Token.Name.Class, "name"),
    (Token.Name.Decorator, "name"),
    (Token.Name.Builtin, "name"),
    (Token.Name.Tag, "keyword"),
)

Tokens = tuple[tuple[str, str], ...]  # a line as (text, use of colour)


@dataclass(frozen=True)
class Cell:
    """A run of characters of one use and one font, from a column on."""

    column: int
    text: str
    use: str
    font: fonts.Font
    width: int


@dataclass(frozen=True)
class Row:
    """A visible row: the source line it belongs to (0-based), whether that line begins here, and its cells."""

    line: int
    starts: bool
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Listing:
    """Code and output set at one size, in pixels."""

    size: int
    pitch: int
    advance: float
    gutter: int
    code: tuple[Row, ...]
    output: tuple[Row, ...]

    @property
    def height(self) -> int:
        code = len(self.code) * self.pitch + 2 * PAD if self.code else 0
        return code + self.output_height

    @property
    def output_height(self) -> int:
        return len(self.output) * self.pitch + LABEL + PAD if self.output else 0


def code(c: Canvas, page: Page, scene: CodeScene, state: int) -> None:
    """State k sets off the range `focus[k - 1]`; a state past the last range sets off nothing."""
    top = head(c, page, 56)
    listing = _listing(c, page, scene, BODY - top)
    top += min(80.0, (BODY - top - listing.height) * 0.2)  # a few lines do not stick to the title
    hot = range(0)
    if 1 <= state <= len(scene.focus):
        first, last = scene.focus[state - 1]
        hot = range(first, last + 1)
    if listing.code:
        _panel(c, top, len(listing.code) * listing.pitch + 2 * PAD)
        _rows(c, listing, listing.code, top + PAD, page.first, hot)
        top += len(listing.code) * listing.pitch + 2 * PAD
    if listing.output:
        label = c.block(page.say("output"), c.sans(30, 600), 600)
        c.put(label, LEFT, top + 14, 600, "label", c.theme.accent)
        c.rect(LEFT, top + LABEL, 6, len(listing.output) * listing.pitch + 8, c.theme.line, 3)
        _rows(c, listing, listing.output, top + LABEL + 4, 0, range(0))


def _panel(c: Canvas, top: float, height: float) -> None:
    c.rect(LEFT, top, FULL, height, c.theme.surface, 16, c.theme.line if c.theme.outlined else None, 3)


def _listing(c: Canvas, page: Page, scene: CodeScene, room: float) -> Listing:
    """The listing at the largest size that fits; cut by rows at the last on a canvas that is not strict."""
    tokens = _tokens(scene.lines, scene.lang)
    few = len(scene.lines) + len(scene.output) <= FEW
    largest = 38 if page.parts > 1 else 56 if few else 44  # pages of one listing look alike
    fitting = None
    for size in c.sizes(largest, 34):
        listing = _wrapped(c, page, scene, tokens, size)
        if listing.height <= room:
            fitting = fitting or listing
            if len(listing.code) + len(listing.output) == len(scene.lines) + len(scene.output):
                return listing  # better a little smaller than wrapped
    if fitting:
        return fitting
    if c.strict:
        raise DoesNotFit("lines")
    c.shortened.append("lines" if listing.code else "output")
    keep = int((room - 2 * PAD - LABEL) / listing.pitch)
    code_rows = listing.code[:keep]
    output = listing.output[: max(0, keep - len(code_rows) - 1)]
    return Listing(listing.size, listing.pitch, listing.advance, listing.gutter, code_rows, output)


def _wrapped(c: Canvas, page: Page, scene: CodeScene, tokens: Sequence[Tokens], size: int) -> Listing:
    advance = fonts.face("mono", 400).at(size).getlength("0")
    digits = len(str(page.first + max(1, len(scene.lines)) - 1))
    gutter = round(advance * digits) + 40
    columns = int((FULL - 80 - gutter) / advance)
    output: list[Tokens] = [((_printable(line), ""),) for line in scene.output]
    code_rows, said = (_numbered(lines, columns, c.language) for lines in (tokens, output))
    return Listing(size, round(size * 1.46), advance, gutter, code_rows, said)


def _numbered(lines: Sequence[Tokens], columns: int, language: str) -> tuple[Row, ...]:
    rows = []
    for number, line in enumerate(lines):
        wrapped = _wrap(line, columns, language)
        rows += [Row(number, i == 0, cells) for i, cells in enumerate(wrapped)]
    return tuple(rows)


@lru_cache(maxsize=8192)  # a listing is wrapped again for every size and every way to split it
def _wrap(line: Tokens, columns: int, language: str) -> tuple[tuple[Cell, ...], ...]:
    """A line as rows of at most `columns` cells; what goes on is indented four deeper; wide characters take two."""
    text = "".join(part for part, _ in line)
    indent = min(12, len(text) - len(text.lstrip())) + 4
    rows: list[list[Cell]] = [[]]
    x = 0
    for part, use in line:
        for cluster in regex.findall(r"\X", part):
            char = " " if cluster.isspace() else cluster
            wide = unicodedata.east_asian_width(char[0]) in "WF" or fonts.EMOJI.search(char)
            width = 2 if wide else 1
            if x + width > columns:
                rows.append([])
                x = indent
            _append(rows[-1], Cell(x, char, use, fonts.pick(char, "mono", 400, False, language), width))
            x += width
    return tuple(tuple(cells) for cells in rows)


def _append(cells: list[Cell], cell: Cell) -> None:
    """Add a cell, to the run before it when both are plain and alike."""
    before = cells[-1] if cells else None
    if before and before.use == cell.use and before.font == cell.font and not cell.font.script:
        cells[-1] = Cell(before.column, before.text + cell.text, cell.use, cell.font, before.width + cell.width)
    else:
        cells.append(cell)


def _rows(c: Canvas, listing: Listing, rows: Sequence[Row], top: float, first: int, hot: range) -> None:
    """Draw rows; `first` is the number of the first line, 0 for output, which has no numbers."""
    own = fonts.face("mono", 400).at(listing.size)
    left = LEFT + 40 + (listing.gutter if first else 0)
    for i, row in enumerate(rows):
        y = round(top + i * listing.pitch)
        number = row.line + first
        on = not hot or number in hot
        if hot and on:
            edge = 3 if c.theme.outlined else 0
            c.rect(LEFT + edge, y, FULL - 2 * edge, listing.pitch, c.theme.band)
            c.rect(LEFT, y, 8, listing.pitch, c.theme.accent)
        width = sum(cell.width for cell in row.cells) * listing.advance
        c.boxes.append(Box(f"row {i}" if first else f"output {i}", left, y, width, listing.pitch))
        if c.dry:
            continue
        base = y + round(listing.pitch * 0.5 + listing.size * 0.35)
        if row.starts and first:
            ink = c.theme.accent if hot and on else c.theme.muted
            c.pen.text((left - 48, base), str(number), ink, own, anchor="rs")
        _cells(c, listing, row, (left, base), on)


def _cells(c: Canvas, listing: Listing, row: Row, at: tuple[float, float], on: bool) -> None:
    left, base = at
    for cell in row.cells:
        ink = c.theme.code.get(cell.use, c.theme.ink) if on else c.theme.muted
        x = left + cell.column * listing.advance
        if cell.font.script:
            middle, font = x + cell.width / 2 * listing.advance, cell.font.at(round(listing.size * 0.92))
            c.pen.text((middle, base), cell.text, ink, font, anchor="ms")
        else:
            font = cell.font.at(listing.size)
            c.pen.text(
                (x, base), cell.text, ink, font, anchor="ls", features=["-liga", "-calt"] if fonts.SHAPES else None
            )


def _printable(line: str) -> str:
    return str(CONTROL.sub(" ", line.replace("\t", "    "))).rstrip()


@lru_cache(maxsize=64)
def _tokens(scene_lines: tuple[str, ...], language: str) -> tuple[Tokens, ...]:
    """Each line as (text, use of colour)."""
    lines = [_printable(line) if clean(line) else "" for line in scene_lines]
    try:
        lexer = get_lexer_by_name(language or "text", stripnl=False)
    except ClassNotFound:
        lexer = get_lexer_by_name("text", stripnl=False)
    out: list[list[tuple[str, str]]] = [[]]
    for kind, value in lex("\n".join(lines), lexer):
        use = next((name for group, name in USES if kind[: len(group)] == group), "")
        for i, part in enumerate(value.split("\n")):
            if i:
                out.append([])
            if part:
                out[-1].append((part, use))
    return tuple(tuple(line) for line in out[: len(lines)])
