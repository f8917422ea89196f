"""From a field of a slide to measured words: cleaning, inline marks, writing direction, fonts.

The marks are `**bold**`, `*italic*` and `` `code` ``; a mark without its partner stays as it is written. Direction
follows UAX 9 without its explicit controls, which cleaning removes. Lines are broken in `layout`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache

import regex

from renderer_job import fonts
from renderer_job.fonts import EMOJI, TUNING, Font

# Controls, unassigned and private characters, direction overrides, invisible marks: nothing of them can be read.
CONTROL = regex.compile(r"[\p{Cc}\p{Cs}\p{Co}\p{Cn}\u202a-\u202e\u2066-\u2069\u200e\u200f\ufeff\u00ad\u200b]")
INLINE = re.compile(r"`([^`\n]+)`|\*\*(.+?)\*\*(?!\*)|(?<![\w*])(?!__)[*_](?=\S)(.+?)(?<=\S)[*_](?![\w*])")
PICTURE_LINK, LINK = re.compile(r"!\[[^\]]*\]\([^)]*\)"), re.compile(r"\[([^\]]+)\]\([^)\s]*\)")
# Japanese and Chinese typography: what may not begin a line, and what may not end one.
NO_START = frozenset("、。，．：；？！）」』】〉》”’ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ%‰℃)]}!?,.:;…")
NO_END = frozenset("（「『【〈《“‘([{")
STRONG = frozenset({"L", "R", "EN", "AN"})


@dataclass(frozen=True)
class Style:
    """How a text is set; `size` in pixels of the 1080-line picture, `leading` is the line height against the size."""

    family: str = "sans"
    size: int = 46
    weight: int = 400
    italic: bool = False
    leading: float = 1.34
    language: str = "en"


@dataclass(frozen=True)
class Piece:
    """A run of one font, one direction and one look; `width` in pixels."""

    text: str
    font: Font
    size: float
    width: float
    code: bool = False
    bold: bool = False
    level: int = 0

    @property
    def direction(self) -> str:
        return "rtl" if self.level % 2 else "ltr"

    @property
    def drawn_direction(self) -> str | None:
        """What Pillow is told; it takes no direction where it cannot shape."""
        return self.direction if fonts.SHAPES else None


@dataclass(frozen=True)
class Word:
    """What a line break cannot part, with the width of the space after it (0 where the text has none)."""

    pieces: tuple[Piece, ...]
    space: float = 0.0

    @property
    def width(self) -> float:
        return sum(piece.width for piece in self.pieces)

    @property
    def text(self) -> str:
        return "".join(piece.text for piece in self.pieces)


@dataclass(frozen=True)
class Words:
    """A measured text: `rtl` is its base direction, `tall` what its scripts add to the line height."""

    words: tuple[Word, ...]
    rtl: bool = False
    tall: float = 1.0


@dataclass(frozen=True)
class Span:
    text: str
    bold: bool = False
    italic: bool = False
    code: bool = False


def clean(text: str) -> str:
    """One line of readable characters: links keep their words only, white space becomes single spaces."""
    text = LINK.sub(r"\1", PICTURE_LINK.sub("", text))
    return re.sub(r"\s+", " ", CONTROL.sub(" ", unicodedata.normalize("NFC", text))).strip()


def plain(text: str) -> str:
    """The text without its marks, as a caption shows it and a voice reads it."""
    return "".join(span.text for span in inline(clean(text)))


def inline(text: str, bold: bool = False, italic: bool = False) -> list[Span]:
    """The text's spans, marks resolved."""
    spans, at = [], 0
    for match in INLINE.finditer(text):
        spans.append(Span(text[at : match.start()], bold, italic))
        code, strong, slanted = match.groups()
        if code is not None:
            spans.append(Span(code, bold, italic, code=True))
        elif strong is not None:
            spans += inline(strong, True, italic)
        else:
            spans += inline(slanted, bold, True)
        at = match.end()
    spans.append(Span(text[at:], bold, italic))
    return [span for span in spans if span.text]


def is_rtl(text: str) -> bool:
    """Whether the first letter with a direction runs right to left."""
    for char in text:
        kind = unicodedata.bidirectional(char)
        if kind in ("L", "R", "AL"):
            return kind != "L"
    return False


def _weak_types(text: str, base: str) -> list[str]:
    """UAX 9, rules W1 to W7: what each character counts as, numbers and their separators resolved."""
    types, previous, strong = [], base, base
    for char in text:
        kind = unicodedata.bidirectional(char) or "L"
        kind = {"AL": "R", "NSM": previous, "BN": previous}.get(kind, kind)
        if kind in ("L", "R"):
            strong = kind
        if kind == "EN" and strong == "L":
            kind = "L"
        types.append(kind)
        previous = kind
    for i, kind in enumerate(types):
        before, after = types[i - 1] if i else "", types[i + 1] if i + 1 < len(types) else ""
        if kind in ("ES", "CS") and before == after and text[i - 1].isdigit():
            types[i] = before
        elif kind == "ET" and "EN" in (before, after):
            types[i] = "EN"
    return types


def levels(text: str, rtl: bool) -> list[int]:
    """The embedding level of every character: even levels run left to right, odd ones right to left."""
    base = "R" if rtl else "L"
    types = _weak_types(text, base)
    out: list[str] = []
    while len(out) < len(types):
        start = len(out)
        if types[start] in STRONG:
            out.append(types[start])
            continue
        end = next((i for i in range(start, len(types)) if types[i] in STRONG), len(types))
        before = ("L" if out[-1] == "L" else "R") if out else base
        after = ("L" if types[end] == "L" else "R") if end < len(types) else base
        out += [before if before == after else base] * (end - start)  # rules N1 and N2
    low = {"L": 2 if rtl else 0, "R": 1, "EN": 2, "AN": 2}
    return [low[kind] for kind in out]


@dataclass
class _Builder:
    """Gathers graphemes into pieces and pieces into words, in reading order."""

    style: Style
    space: float
    done: list[Word] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)
    run: str = ""
    font: Font | None = None
    level: int = 0
    tall: float = 1.0

    def add(self, cluster: str, font: Font, level: int, span: Span) -> None:
        if self.run and (font != self.font or level != self.level):
            self.close_run(span)
        self.run, self.font, self.level = self.run + cluster, font, level
        self.tall = max(self.tall, TUNING.get(font.script, (1, 1))[1])

    def close_run(self, span: Span) -> None:
        if self.run and self.font:
            size = round(self.style.size * (0.9 if span.code else 1) * TUNING.get(self.font.script, (1, 1))[0], 1)
            piece = Piece(self.run, self.font, size, 0, span.code, span.bold, self.level)
            self.pieces.append(_measured(piece, self.run))
        self.run = ""

    def close_word(self, space: float) -> None:
        if self.pieces:
            self.done.append(Word(tuple(self.pieces), space))
        elif space and self.done:
            self.done[-1] = replace(self.done[-1], space=space)
        self.pieces = []


def _measured(piece: Piece, text: str) -> Piece:
    width = piece.font.at(piece.size).getlength(text, direction=piece.drawn_direction)
    return replace(piece, text=text, width=width)


@lru_cache(maxsize=8192)
def measure(text: str, style: Style) -> Words:
    """The text's words in reading order, each with its exact width."""
    text = clean(text)
    rtl = is_rtl(text)
    spans = inline(text)
    depth = levels("".join(span.text for span in spans), rtl)
    space = fonts.face(style.family, style.weight).at(style.size).getlength(" ")
    build, at = _Builder(style, space), 0
    for span in spans:
        _feed(build, span, depth[at : at + len(span.text)])
        at += len(span.text)
    build.close_word(0)
    return Words(tuple(build.done), rtl, build.tall)


def _feed(build: _Builder, span: Span, depth: list[int]) -> None:
    style = build.style
    family, weight = style.family, max(style.weight, 600) if span.bold else style.weight
    if span.code:
        family, weight = "mono", 400
    italic = span.italic or style.italic
    previous, at, length = "", 0, 0
    for cluster in regex.findall(r"\X", span.text):
        level = depth[at]
        at += len(cluster)
        if cluster.isspace():
            build.close_run(span)
            build.close_word(build.space)
            previous, length = "", 0
            continue
        alone = length == 1 and previous in "-–—/"  # a dash or slash that a word begins with ends no line
        if previous and not alone and _may_break(previous, cluster, span.code):
            build.close_run(span)
            build.close_word(0)
            length = 0
        build.add(cluster, fonts.pick(cluster, family, weight, italic, style.language), level, span)
        previous, length = cluster, length + 1
    build.close_run(span)


def _wide(cluster: str) -> bool:
    return unicodedata.east_asian_width(cluster[0]) in "WF" and not EMOJI.search(cluster)


def _may_break(previous: str, cluster: str, code: bool) -> bool:
    if cluster[0] in NO_START or previous[-1] in NO_END:
        return False
    if _wide(cluster) or unicodedata.east_asian_width(previous[0]) in "WF":
        return True
    return previous in "-–—/" and not code and not cluster[0].isdigit() and cluster[0] != "/"


@lru_cache(maxsize=65536)
def _advance(cluster: str, font: Font, size: float) -> float:
    return font.at(size).getlength(cluster)


def chop(word: Word, width: float) -> list[Word]:
    """A word wider than the column, cut between graphemes: the last way out, linear in its length."""
    limit = width - 2
    while True:
        parts = _chopped(word, limit)
        over = max(part.width for part in parts) - width
        if over <= 0 or limit < width / 2:
            return parts
        limit -= over + 1  # letters that join are wider together than one by one


def _chopped(word: Word, limit: float) -> list[Word]:
    parts: list[Word] = []
    row: list[Piece] = []
    used = 0.0
    for piece, text in _graphemes(word):
        advance = _advance(text, piece.font, piece.size)
        if row and used + advance > limit:
            parts.append(Word(tuple(_merged(row))))
            row, used = [], 0.0
        row.append(replace(piece, text=text))
        used += advance
    return [*parts, Word(tuple(_merged(row)), word.space)]


def _graphemes(word: Word) -> Iterator[tuple[Piece, str]]:
    for piece in word.pieces:
        for cluster in regex.findall(r"\X", piece.text):
            yield piece, cluster


def _merged(row: list[Piece]) -> list[Piece]:
    """Neighbours of one look become one piece again, so that their letters join."""
    out: list[Piece] = []
    for piece in row:
        if out and replace(out[-1], text="", width=0) == replace(piece, text="", width=0):
            out[-1] = replace(out[-1], text=out[-1].text + piece.text)
        else:
            out.append(piece)
    return [_measured(piece, piece.text) for piece in out]
