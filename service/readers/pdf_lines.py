"""PDF pages as lines of text with their place and their look; PDFium infers reading order, spaces and line ends."""

from __future__ import annotations

import ctypes
import itertools
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from service.errors import BadInput
from service.readers.builder import clean
from service.readers.limits import Limits

_FIXED_PITCH = 1
_BOLD_NAME = re.compile(r"bold|black|heavy|semibold|demi", re.I)
_MONO_NAME = re.compile(r"mono|courier|consol|menlo|typewriter|cmtt|\bcode", re.I)
_MOST_SHAPES = 5_000  # of a page; drawings and maps have more, and no list
_LINE_END = re.compile(r"\r\n|\r|\n")
# PDFium marks a hyphen at a line's end with one of these, so that the halves can be joined.
_SOFT_HYPHEN = re.compile("[\xad\ufffe\x02]")


@dataclass
class Line:
    """A line of a page. `x`, `right` and `y` (from the top) in points; `at` is y as a part of the page's height.

    `dot` says that a bullet is drawn before the line: printed web pages draw them instead of writing them.
    """

    text: str
    page: int
    at: float
    x: float
    right: float
    y: float
    size: float
    bold: bool
    mono: bool
    dot: bool = False


@dataclass
class Pages:
    """What a PDF holds: its lines, how many pages, and how many of them carry no text."""

    lines: list[Line]
    count: int
    without_text: int
    title: str


def read_pages(data: bytes, name: str, limits: Limits) -> Pages:
    """All lines of a PDF.

    Raises:
        BadInput: it is locked, broken, too long, or only pictures of text.
    """
    import pypdfium2

    try:
        pdf = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        raise BadInput(_refusal(name, str(error))) from error
    count = len(pdf)
    if count > limits.pages:
        raise BadInput(f"“{name}” has {count:,} pages; {limits.pages:,} is the most. Split it, then add the parts.")
    lines: list[Line] = []
    without_text = characters = 0
    for number in range(count):
        try:
            found = list(_page_lines(pdf[number], number + 1))
        except pypdfium2.PdfiumError:
            found = []  # one damaged page; the others are worth having
        without_text += not found
        lines += found
        characters += sum(len(line.text) for line in found)
        if characters > limits.characters:
            raise BadInput(f"“{name}” holds more than {limits.characters:,} characters. Split it, then add the parts.")
    if not lines:
        raise BadInput(
            f"“{name}”: These pages are pictures without text. "
            "Run text recognition (OCR) on the file, then add it again."
        )
    return Pages(lines, count, without_text, str(pdf.get_metadata_value("Title") or ""))


def _refusal(name: str, error: str) -> str:
    if "password" in error.lower() or "security" in error.lower():
        return f"“{name}” is locked with a password. Save a copy without the password, then add that."
    return f"“{name}” is damaged and cannot be opened as a PDF. Export it again from where it was made, then add it."


def _page_lines(page: Any, number: int) -> Iterator[Line]:
    textpage, height = page.get_textpage(), page.get_height() or 1.0
    text, dots = _characters(textpage), _dots(page)
    start = 0
    for end, after in [*(m.span() for m in _LINE_END.finditer(text)), (len(text), len(text))]:
        raw = text[start:end]
        visible = _with_soft_hyphens(raw)
        if visible.strip():
            first, last = start + len(raw) - len(raw.lstrip()), start + len(raw.rstrip()) - 1
            line = _line(textpage, height, number, visible, first, last)
            line.dot = any(_before(dot, line, height) for dot in dots)
            yield line
        start = after


def _dots(page: Any) -> list[tuple[float, float, float]]:
    """Small drawn shapes, about as wide as high: right edge, middle from below, and size in points."""
    import pypdfium2.raw as pdfium

    found: list[tuple[float, float, float]] = []
    for shape in itertools.islice(page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_PATH], max_depth=4), _MOST_SHAPES):
        left, bottom, right, top = shape.get_bounds()
        wide, high = right - left, top - bottom
        if 1 < wide < 10 and 0.7 < wide / max(high, 0.1) < 1.4:
            found.append((right, (bottom + top) / 2, wide))
    return found


def _before(dot: tuple[float, float, float], line: Line, height: float) -> bool:
    right, middle, size = dot
    beside = 0 < line.x - right < line.size * 2 and size < line.size * 0.6
    return beside and 0 < (height - middle) - line.y < line.size * 1.3


def _with_soft_hyphens(raw: str) -> str:
    """The line's words with one space between them; soft hyphens survive the cleaning."""
    parts = _SOFT_HYPHEN.split(raw)
    return re.sub(r"\s+", " ", "\xad".join(clean(part) for part in parts)).strip()


def _characters(textpage: Any) -> str:
    """One character for each of PDFium's, so that an index into the text is an index into the page's glyphs."""
    import pypdfium2.raw as pdfium

    count = textpage.count_chars()
    text: str = textpage.get_text_range() if count else ""
    if len(text) == count:
        return text
    codes = (pdfium.FPDFText_GetUnicode(textpage.raw, index) for index in range(count))
    return "".join(chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else " " for code in codes)


def _line(textpage: Any, height: float, number: int, text: str, first: int, last: int) -> Line:
    middle = (first + last) // 2
    x, *_ = textpage.get_charbox(first)
    right = textpage.get_charbox(last)[2]
    _, bottom, _, top = textpage.get_charbox(middle, loose=True)
    looks = [_look(textpage, index) for index in (first, middle, last)]
    size = max(size for size, _, _ in looks)
    size = size if size > 3 else top - bottom
    return Line(
        text=text,
        page=number,
        at=(height - top) / height,
        x=x,
        right=right,
        y=height - top,
        size=round(size, 1),
        bold=all(bold for _, bold, _ in looks),
        mono=all(mono for _, _, mono in looks),
    )


def _look(textpage: Any, index: int) -> tuple[float, bool, bool]:
    """Font size in points as drawn, whether bold, whether of fixed pitch."""
    import pypdfium2.raw as pdfium

    flags, name, matrix = ctypes.c_int(), ctypes.create_string_buffer(128), pdfium.FS_MATRIX()
    pdfium.FPDFText_GetFontInfo(textpage.raw, index, name, 128, ctypes.byref(flags))
    family = name.value.decode("latin-1")
    bold = bool(_BOLD_NAME.search(family)) or pdfium.FPDFText_GetFontWeight(textpage.raw, index) >= 600
    mono = bool(flags.value & _FIXED_PITCH) or bool(_MONO_NAME.search(family))
    scale = math.hypot(matrix.c, matrix.d) if pdfium.FPDFText_GetMatrix(textpage.raw, index, matrix) else 1.0
    return float(pdfium.FPDFText_GetFontSize(textpage.raw, index)) * scale, bold, mono
