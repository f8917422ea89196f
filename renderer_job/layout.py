"""Setting a text into a box: lines of least raggedness, the largest size that fits, shortening as the last resort."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

from PIL import ImageDraw

from renderer_job import fonts
from renderer_job.text import Piece, Style, Word, chop, clean, measure

RGB = tuple[int, int, int]
# A heading does not end a line on one of these.
SMALL_WORDS = frozenset(
    {"a", "an", "the", "of", "to", "in", "on", "at", "by", "is", "and", "or", "for", "with"}
    | {"de", "la", "le", "el", "un", "une", "und", "der", "die", "das", "ein", "eine"}
)
STEP = 2  # pixels between the sizes that are tried


@dataclass(frozen=True)
class Line:
    """Pieces with their x, in the order in which they are seen from the left."""

    pieces: tuple[tuple[Piece, float], ...]
    width: float

    def code_runs(self) -> list[tuple[float, float, float]]:
        """Size, start and end of every stretch of code; words of one stretch share a chip."""
        runs: list[tuple[float, float, float]] = []
        previous: Piece | None = None
        for piece, at in self.pieces:
            if piece.code and previous and previous.code:
                size, start, _ = runs.pop()
                runs.append((max(size, piece.size), start, at + piece.width))
            elif piece.code:
                runs.append((piece.size, at, at + piece.width))
            previous = piece
        return runs


@dataclass(frozen=True)
class Block:
    """A text set into lines. `pitch` is the height of a line; `chopped` when a word had to be cut to fit the width."""

    lines: tuple[Line, ...]
    width: float
    height: int
    style: Style
    pitch: int
    rtl: bool
    chopped: bool

    @property
    def row(self) -> int:
        """The height that it takes in a list: an empty member still has its place."""
        return max(self.height, self.pitch)

    def draw(self, on: ImageDraw.ImageDraw, x: float, y: float, width: float, align: str, ink: Ink) -> None:
        """Draw into a column that begins at x and is `width` wide; `align` is left, right, center or start."""
        ascent, descent = fonts.face(self.style.family, self.style.weight).at(self.style.size).getmetrics()
        right = align == "right" or (align == "start" and self.rtl)
        for row, line in enumerate(self.lines):
            free = width - line.width
            left = x + (free if right else free / 2 if align == "center" else 0)
            base = round(y + row * self.pitch + (self.pitch - ascent - descent) / 2 + ascent)
            for size, at, end in line.code_runs() if ink.chip else ():
                ink.chip(left + at - 3, base - size * 0.86, end - at + 6, size * 1.2)  # type: ignore[misc]
            for piece, at in line.pieces:
                font = piece.font.at(piece.size)
                on.text((left + at, base), piece.text, ink.text, font, anchor="ls", direction=piece.drawn_direction)


@dataclass(frozen=True)
class Ink:
    """The colour of a text, and what draws the chip behind its code (x, y, width, height)."""

    text: RGB
    chip: Callable[[float, float, float, float], None] | None = None


@lru_cache(maxsize=8192)
def lay_out(text: str, style: Style, width: int, heading: bool = False) -> Block:
    """Set a text into lines no wider than `width`. A heading is also balanced: all lines about equally long."""
    measured = measure(text, style)
    pitch = round(style.size * style.leading * measured.tall)
    cut = any(word.width > width for word in measured.words)
    words = [part for word in measured.words for part in (chop(word, width) if word.width > width else [word])]
    if not words:
        return Block((), 0, 0, style, pitch, measured.rtl, False)
    use = _balanced(words, width) if heading else width
    lines = tuple(_line(words[a:b]) for a, b in _breaks(words, use, heading))
    return Block(lines, max(line.width for line in lines), pitch * len(lines), style, pitch, measured.rtl, cut)


def _breaks(words: list[Word], width: float, heading: bool) -> list[tuple[int, int]]:
    """Break points by dynamic programme: fewest lines first, then least raggedness."""
    worst = (10**9, 1e18, 0)
    best = [(0, 0.0, 0)] + [worst] * len(words)
    for end in range(1, len(words) + 1):
        used = 0.0
        for start in range(end - 1, -1, -1):
            used += words[start].width + (words[start].space if start < end - 1 else 0)
            if used > width and start < end - 1:
                break
            price = best[start][1] + _price(words, start, end, (width - used) / width, heading)
            best[end] = min(best[end], (best[start][0] + 1, price, start))
    cuts, end = [], len(words)
    while end:
        cuts.append((best[end][2], end))
        end = best[end][2]
    return cuts[::-1]


def _price(words: list[Word], start: int, end: int, slack: float, heading: bool) -> float:
    """What a line costs: its slack, a lonely last word, a heading that breaks against its sense."""
    last, single = end == len(words), end - start == 1
    price = slack**2 if heading or not last else max(0.0, slack - 0.6) ** 2 * 2
    if last and single and start:
        price += 0.5 + slack
    ending = words[end - 1].pieces[-1].text
    if not last:
        price += 0.12 if not words[end - 1].space and ending[-1:] == "-" else 0
        price += 0.06 if heading and ending.lower() in SMALL_WORDS else 0
        price -= 0.015 if ending[-1:] in ".,;:—" else 0
    if heading and start and not single and words[start].pieces[-1].text[-1:] in ".?!":
        price += 0.08  # the end of a sentence alone at the start of a line
    return price


def _balanced(words: list[Word], width: float) -> float:
    """The narrowest width that needs no more lines than the full one."""
    lines = len(_breaks(words, width, True))
    low, high = max(word.width for word in words), width
    while lines > 1 and high - low > 8:
        middle = (low + high) / 2
        if len(_breaks(words, middle, True)) <= lines:
            high = middle
        else:
            low = middle
    return high


def _line(words: list[Word]) -> Line:
    flat: list[Piece] = []
    for i, word in enumerate(words):
        flat += word.pieces
        if word.space and i < len(words) - 1:
            level = min(flat[-1].level, words[i + 1].pieces[0].level)
            flat.append(replace(flat[-1], text="", width=word.space, code=False, level=level))
    placed, x = [], 0.0
    for piece in _visual(flat):
        if piece.text:
            placed.append((piece, x))
        x += piece.width
    return Line(tuple(placed), x)


def _visual(flat: list[Piece]) -> list[Piece]:
    """UAX 9, rule L2: from the highest level down, every run at or above it is reversed."""
    for level in range(max((piece.level for piece in flat), default=0), 0, -1):
        i = 0
        while i < len(flat):
            end = i
            while end < len(flat) and flat[end].level >= level:
                end += 1
            flat[i:end] = flat[i:end][::-1]
            i = end + 1
    return flat


def fit(
    text: str, style: Style, width: float, height: float, floor: int, heading: bool = False, lines: int = 99
) -> Block | None:
    """The text at the largest size, from the style's down to `floor`, that fits the box; None when none does.

    A word is cut only at the floor.
    """
    for size in range(style.size, floor - 1, -STEP):
        block = lay_out(text, replace(style, size=size), int(width), heading)
        fits = block.height <= height and len(block.lines) <= lines and block.width <= width + 0.5
        if fits and (not block.chopped or size - STEP < floor):
            return block
    return None


def shorten(
    text: str, style: Style, width: float, height: float, heading: bool = False, lines: int = 99
) -> tuple[Block, bool]:
    """The longest beginning of the text that fits the box at the style's size, ended with `…` when it is cut.

    It ends at a word if it can. The second value says whether anything was left out. A box too low for one line
    gives an empty block.
    """
    text = clean(text)
    ends = [i for i, char in enumerate(text) if char == " "] or list(range(1, len(text)))

    def block(end: int) -> Block | None:
        return fit(text[:end].rstrip(" ,.;:–—") + "…", style, width, height, style.size, heading, lines)

    whole = fit(text, style, width, height, style.size, heading, lines)
    if whole:
        return whole, False
    if ends and not block(ends[0]):
        ends = list(range(1, ends[0]))  # not even the first word: cut inside it
    low, high = -1, len(ends) - 1
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if block(ends[middle]) else (low, middle - 1)
    found = block(ends[low]) if low >= 0 else None
    return found or lay_out("", style, int(width)), True
