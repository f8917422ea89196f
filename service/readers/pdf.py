"""PDF to a source: lines become headings, paragraphs, items and code by size, weight, place and pitch.

Papers, guides and printed web pages come out well. Tables come out as lines of text, since a PDF does not say what a
table is; pages that are designed rather than written come out in pieces.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from service.readers.builder import OpenLists, Run, SourceBuilder
from service.readers.pdf_lines import Line, Pages, read_pages

_BULLET = re.compile(r"^(?:[•‣▪◦●○■□–—*\uf0b7\uf0a7-]|(\(?\d{1,2}[.)]))(?:\s+|$)")
_NOTHING = re.compile("")
_PAGE_NUMBER = re.compile(r"\W*(?:page\s+)?(?:\d{1,4}|[ivxlc]{1,6})(?:\s*(?:/|of)\s*\d{1,4})?\W*", re.I)
_SENTENCE_END = re.compile(r"[.!?:…。؟।][”’\"')\]]*$")
# Some PDFs leave a gap after the letters "fi": "speci\ufb01 c". Only a document that does so is repaired.
_LIGATURE_GAP = re.compile(r"\b(?<!-)(\w*f[fil]) ([a-z]{1,9})\b")
_BROKEN_LIGATURE = re.compile(r"\b(?<!-)\w*f[il] [a-z]")
_HALVES = {"ff", "eff", "aff", "suff", "diff"}
_LONGEST_HEADING = 3  # lines
_TOP, _BOTTOM = 0.08, 0.92


def read_pdf(data: bytes, name: str, into: SourceBuilder) -> int:
    """Append a PDF's content; its number of pages.

    Raises:
        BadInput: it is locked, broken, too long, or only pictures of text.
    """
    pages = read_pages(data, name, into.limits)
    if pages.without_text:
        one = pages.without_text == 1
        into.notes.append(
            f"{pages.without_text} of {pages.count} pages {'is a picture' if one else 'are pictures'} without text."
        )
    _repair_words(pages.lines)
    body = _body_size(pages.lines)
    kept = list(_content(pages, body, into))
    _Layout(into, body, _heading_sizes(kept, body), _leading(kept, body)).read(kept)
    return pages.count


def _repair_words(lines: list[Line]) -> None:
    """Join halves of hyphenated words and of broken ligatures, where the joined word is used elsewhere."""
    whole = re.sub(r"\w+\xad\w+", " ", " ".join(line.text for line in lines).lower())
    known = set(re.findall(r"[^\W\d_]{3,}", whole))

    def hyphen(match: re.Match[str]) -> str:
        left, right = match[1].rsplit("-")[-1].lower(), match[2].lower()
        compound = left + right not in known and left in known and right in known
        return match[1] + ("-" if compound else "") + match[2]

    def ligature(match: re.Match[str]) -> str:
        sure = match[1].lower().endswith(("fi", "fl")) or match[1].lower() in _HALVES
        return match[1] + match[2] if sure or (match[1] + match[2]).lower() in known else match[0]

    broken = sum(len(_BROKEN_LIGATURE.findall(line.text)) for line in lines) > 2
    for line in lines:
        line.text = re.sub(r"(\w+)\xad(\w+)", hyphen, line.text)
        if broken:
            line.text = _LIGATURE_GAP.sub(ligature, line.text)


def _body_size(lines: list[Line]) -> float:
    """The size that most characters have, in whole points; listings do not vote unless they are all there is."""
    sizes: Counter[float] = Counter()
    for line in [line for line in lines if not line.mono] or lines:
        sizes[round(line.size)] += len(line.text)
    return sizes.most_common(1)[0][0]


def _leading(lines: list[Line], body: float) -> float:
    """The usual distance from line to line, as a multiple of the font's size."""
    steps: Counter[float] = Counter()
    for above, below in itertools.pairwise(lines):
        if above.page == below.page and round(above.size) == round(below.size) == body and not below.mono:
            step = round((below.y - above.y) / below.size, 1)
            steps[step] += 0.9 < step < 3
    common = steps.most_common(1)
    return common[0][0] if common and common[0][1] > 2 else 1.3


def _content(pages: Pages, body: float, into: SourceBuilder) -> list[Line]:
    """The lines without running heads, page numbers and small print."""
    seen: defaultdict[str, set[int]] = defaultdict(set)
    for line in pages.lines:
        if not _TOP < line.at < _BOTTOM:
            seen[_shape(line.text)].add(line.page)
    often = 3 if pages.count > 4 else 2
    small: list[Line] = []
    kept: list[Line] = []
    for line in pages.lines:
        edge = not _TOP < line.at < _BOTTOM
        if edge and (_PAGE_NUMBER.fullmatch(line.text) or len(seen[_shape(line.text)]) >= often):
            continue
        tiny = line.size < body * 0.82 and not line.mono and not line.bold and len(line.text) > 3
        (small if tiny else kept).append(line)
    if small:
        into.drop("line of small print was", "lines of small print were", len(small))
    return kept or small


def _shape(text: str) -> str:
    return re.sub(r"\d+", "#", text)


def _heading_sizes(lines: list[Line], body: float) -> list[int]:
    """The sizes above the body's, largest first: their order gives the levels."""
    return sorted(
        {round(line.size) for line in lines if line.size > body * 1.15 and _may_head(line.text)}, reverse=True
    )


def _may_head(text: str) -> bool:
    """Whether the words could be a heading: few, with letters, and no end of a sentence."""
    return len(text.split()) <= 14 and bool(re.search(r"[^\W\d_]{2}", text)) and not re.search(r"[.,;:]$", text)


@dataclass
class _Layout:
    """Grows one block at a time out of lines."""

    into: SourceBuilder
    body: float
    sizes: list[int]
    leading: float
    words: str = ""
    kind: str = ""
    level: int = 0
    ordered: bool = False
    page: int = 0
    previous: Line | None = None
    code: list[Line] = field(default_factory=list)
    list_id: int = 0
    indents: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.lists = OpenLists(self.into)

    def read(self, lines: list[Line]) -> None:
        at = 0
        while at < len(lines):
            group = self._alike(lines[at:])
            level = self._heading_level(group)
            if level:
                self._title(group, level)
            else:
                for line in group:
                    self._listing(line) if line.mono else self._prose(line)
                    self.previous = line
            self.previous = group[-1]
            at += len(group)
        self._flush()

    def _alike(self, lines: list[Line]) -> list[Line]:
        """The first line, and those right below it that look the same, when it may be (part of) a heading."""
        first = lines[0]
        if not self._stands_out(first):
            return [first]
        group = [first]
        for line in lines[1 : _LONGEST_HEADING + 1]:
            near = line.page == first.page and 0 <= line.y - group[-1].y <= line.size * max(1.5, self.leading * 1.15)
            if not near or round(line.size) != round(first.size) or line.bold != first.bold or _BULLET.match(line.text):
                break
            group.append(line)
        return group

    def _stands_out(self, line: Line) -> bool:
        large = line.size > self.body * 1.15
        small = line.bold and line.size >= self.body * 0.75 and self._gap(line)
        return large or (line.bold and not line.mono and line.size >= self.body * 0.98) or (small and not line.mono)

    def _heading_level(self, group: list[Line]) -> int:
        """1 to 6 when the lines are clearly larger than the body, or short and bold, and no sentence; else 0."""
        first, text = group[0], " ".join(line.text for line in group)
        numbered = re.match(r"\d", text)
        if len(group) > _LONGEST_HEADING or not self._stands_out(first) or not _may_head(text):
            return 0
        if (_BULLET.match(text) and not numbered) or self._inside_sentence(first):
            return 0
        size = round(first.size)
        return min(6, 1 + (self.sizes.index(size) if size in self.sizes else len(self.sizes)))

    def _inside_sentence(self, line: Line) -> bool:
        """Whether a line of the body's size goes on with what stands above it: a bold phrase, not a heading."""
        if round(line.size) in self.sizes or not self._same_flow(line):
            return False
        return self.kind == "item" or (self.kind == "paragraph" and not _SENTENCE_END.search(self.words))

    def _same_flow(self, line: Line) -> bool:
        """Whether the line stands right below the previous one."""
        before = self.previous
        return before is not None and before.page == line.page and line.y - before.y >= 0 and not self._gap(line)

    def _gap(self, line: Line) -> bool:
        """Whether more than the usual distance lies between the line and the one before it."""
        before = self.previous
        if before is None or before.page != line.page:
            return True
        return line.y - before.y > max(line.size, before.size) * self.leading * 1.3

    def _title(self, group: list[Line], level: int) -> None:
        self._flush()
        self.kind, self.level, self.page = "heading", level, group[0].page
        for line in group:
            self.words = _joined(self.words, line.text)
        self._flush()
        self._end_list()

    def _listing(self, line: Line) -> None:
        if self.kind != "code":
            self._flush()
            self.kind, self.page = "code", line.page
        self.code.append(line)

    def _prose(self, line: Line) -> None:
        bullet = _BULLET.match(line.text) or (_NOTHING.match(line.text) if line.dot else None)
        if bullet or self.kind not in ("paragraph", "item") or self._parts(line):
            belongs = self.kind == "item" and not bullet and self._under_item(line)
            self._flush()
            self.page = line.page
            self.kind = "paragraph"
            if bullet:
                self._item(line, bullet.re is _BULLET and bool(bullet[1]))
            elif not belongs:
                self._end_list()
        text = line.text[bullet.end() :] if bullet else line.text
        self.words = _joined(self.words, text)

    def _parts(self, line: Line) -> bool:
        """Whether a new paragraph begins at the line: a gap, a new page or column, or an indent, after a full stop."""
        before = self.previous
        if before is None or not self.words:
            return False
        turned = before.page != line.page or line.y < before.y - 5
        gap = not turned and self._gap(line)
        indent = line.x > before.x + line.size * 0.8 and self.kind != "item"
        outdent = self.kind == "item" and line.x < self.indents[-1] + 1 and not turned
        ended = bool(_SENTENCE_END.search(self.words))
        other = not 0.85 < line.size / before.size < 1.18
        return outdent or gap or other or ((turned or indent) and ended)

    def _item(self, line: Line, ordered: bool) -> None:
        left = line.x - line.size if line.dot else line.x  # of the bullet
        while self.indents and left < self.indents[-1] - 3:
            self.indents.pop()
        if not self.indents or left > self.indents[-1] + 3:
            self.indents.append(left)
        self.kind, self.level, self.ordered = "item", len(self.indents), ordered
        self.list_id = self.lists.at(self.level)

    def _end_list(self) -> None:
        self.list_id, self.indents = 0, []
        self.lists.close()

    def _under_item(self, line: Line) -> bool:
        return bool(self.indents) and line.x > self.indents[-1] + 3

    def _flush(self) -> None:
        words, kind = self.words.replace("\xad", "-").strip(), self.kind
        self.into.page = self.page
        if kind == "code":
            self.into.add("code", [Run(_listing_text(self.code))])
        elif kind == "heading":
            self.into.add("heading", [Run(words)], level=self.level)
        elif kind == "item":
            self.into.add("item", [Run(words)], level=self.level, list_id=self.list_id, ordered=self.ordered)
        elif len(words.split()) > 2 or len(words) > 20:
            level = len(self.indents) if self.list_id else 0
            self.into.add("paragraph", [Run(words)], list_id=self.list_id, level=level)
        elif words:
            self.into.drop("line of one or two words was", "lines of one or two words were")
        self.words, self.kind, self.code = "", "", []


def _joined(words: str, text: str) -> str:
    """The paragraph with one more line; a hyphen at the line's end goes when the word goes on in small letters."""
    if words.endswith("\xad") or (re.search(r"[a-z]-$", words) and text[:1].islower()):
        return words[:-1] + text
    return f"{words} {text}".strip()


def _listing_text(lines: list[Line]) -> str:
    """A listing with its indents, which a PDF holds only as places on the page."""
    left = min(line.x for line in lines)
    out: list[str] = []
    for number, line in enumerate(lines):
        before = lines[number - 1] if number else line
        if before.page == line.page and line.y - before.y > line.size * 2.2:
            out.append("")
        out.append(" " * round((line.x - left) / (line.size * 0.6)) + line.text)
    return "\n".join(out)
