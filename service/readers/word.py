"""Word documents to a source, from the XML itself: text in tracked insertions, content controls and fields counts too.

Structure follows styles, because that is what people who write long documents use. Documents without any heading
style are read by look: a short bold paragraph is a heading there.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from service.domain.source import BlockKind, MarkKind
from service.errors import BadInput
from service.readers.builder import OpenLists, Run, SourceBuilder

Element = Any  # lxml's elements carry no types worth the name

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_MONO = re.compile(r"mono|courier|consol|menlo|code|typewriter|fixed", re.I)
_CODE_STYLE = re.compile(r"code|source|listing|preformatted|verbatim|macro|plain text", re.I)
_OUTPUT_STYLE = re.compile(r"output|console", re.I)
_SKIPPED_STYLE = re.compile(r"^(?:toc\b|table of|header|footer|footnote|endnote|caption|index|bibliography)", re.I)
_GONE = {f"{_W}del", f"{_W}moveFrom", f"{_MC}Fallback", f"{_W}instrText", f"{_W}delText"}

_SIGNS = {f"{_W}tab": "\t", f"{_W}br": "\n", f"{_W}cr": "\n", f"{_W}noBreakHyphen": "-"}
_LEFT_OUT = {
    **{f"{_W}{name}": ("picture was", "pictures were") for name in ("drawing", "pict", "object")},
    **{f"{_W}{name}Reference": ("footnote was", "footnotes were") for name in ("footnote", "endnote")},
    f"{_MC}AlternateContent": ("drawing was", "drawings were"),
}


def read_word(data: bytes, name: str, into: SourceBuilder) -> None:
    """Append a Word document's content.

    Raises:
        BadInput: the file is damaged.
    """
    import docx
    from docx.opc.exceptions import PackageNotFoundError
    from lxml import etree

    try:
        document = docx.Document(io.BytesIO(data))
        styles = _Styles.of(document)
        body = document.element.body
    except (
        PackageNotFoundError,
        KeyError,
        ValueError,
        AttributeError,
        etree.XMLSyntaxError,
        zipfile.BadZipFile,
    ) as error:
        raise BadInput(f"“{name}” is damaged and cannot be opened. Save it again in Word, then add it.") from error
    links = {key: part.target_ref for key, part in document.part.rels.items() if part.is_external}
    paragraphs = list(body.iter(f"{_W}p"))
    styled = any(styles.heading_level(paragraph) for paragraph in paragraphs)
    _Body(into, styles, links, styled).read(body)


@dataclass
class _Styles:
    """What the document's styles and numbering say about a paragraph, with what they inherit."""

    names: dict[str, str] = field(default_factory=dict)
    parents: dict[str, str] = field(default_factory=dict)
    outline: dict[str, int] = field(default_factory=dict)
    numbering: dict[str, tuple[str, int]] = field(default_factory=dict)
    fonts: dict[str, str] = field(default_factory=dict)
    bullets: set[tuple[str, int]] = field(default_factory=set)

    @classmethod
    def of(cls, document: Any) -> _Styles:
        styles = cls()
        for style in document.styles.element.iter(f"{_W}style"):
            styles._add(style)
        part = next(
            (rel.target_part for rel in document.part.rels.values() if rel.reltype.endswith("/numbering")), None
        )
        if part is not None:
            styles._read_numbering(part.element)
        return styles

    def _add(self, style: Element) -> None:
        key = style.get(f"{_W}styleId") or ""
        self.names[key] = _value(style, "name")
        self.parents[key] = _value(style, "basedOn")
        level = _value(style, f"pPr/{_W}outlineLvl")
        if level.isdigit():
            self.outline[key] = int(level)
        number = style.find(f"{_W}pPr/{_W}numPr")
        if number is not None:
            self.numbering[key] = (_value(number, "numId"), int(_value(number, "ilvl") or 0))
        font = style.find(f"{_W}rPr/{_W}rFonts")
        if font is not None:
            self.fonts[key] = font.get(f"{_W}ascii") or ""

    def _read_numbering(self, root: Element) -> None:
        kinds = {a.get(f"{_W}abstractNumId"): a for a in root.iter(f"{_W}abstractNum")}
        for number in root.iter(f"{_W}num"):
            kind = kinds.get(_value(number, "abstractNumId"))
            for level in kind.iter(f"{_W}lvl") if kind is not None else ():
                if _value(level, "numFmt") in ("bullet", "none", ""):
                    self.bullets.add((number.get(f"{_W}numId") or "", int(level.get(f"{_W}ilvl") or 0)))

    def chain(self, paragraph: Element) -> Iterator[str]:
        """The ids of the paragraph's style and of those it is based on, nearest first."""
        key = _value(paragraph, f"pPr/{_W}pStyle")
        for _ in range(12):
            if not key:
                return
            yield key
            key = self.parents.get(key, "")

    def name(self, paragraph: Element) -> str:
        return next((self.names.get(key, key) for key in self.chain(paragraph)), "")

    def heading_level(self, paragraph: Element) -> int:
        """1 to 6 for a heading, 0 for the document's title and all else."""
        own = _value(paragraph, f"pPr/{_W}outlineLvl")
        if own.isdigit() and int(own) < 9:
            return min(6, int(own) + 1)
        for key in self.chain(paragraph):
            match = re.match(r"heading (\d)", self.names.get(key, ""), re.I)
            if match or self.outline.get(key, 9) < 9:
                return min(6, int(match[1]) if match else self.outline[key] + 1)
        return 0

    def number_of(self, paragraph: Element) -> tuple[str, int] | None:
        """The list that the paragraph is an item of, and its level from 0; a number of 0 takes it out of its list."""
        own = paragraph.find(f"{_W}pPr/{_W}numPr")
        if own is not None:
            found: tuple[str, int] | None = (_value(own, "numId"), int(_value(own, "ilvl") or 0))
        else:
            found = next((self.numbering[key] for key in self.chain(paragraph) if key in self.numbering), None)
        return found if found and found[0] not in ("", "0") else None

    def mono(self, paragraph: Element) -> bool:
        return any(_MONO.search(self.fonts[key]) for key in self.chain(paragraph) if key in self.fonts)


@dataclass
class _Body:
    """The walk over paragraphs and tables; code grows over paragraphs, since Word has no other way to write it."""

    into: SourceBuilder
    styles: _Styles
    links: dict[str, str]
    styled: bool
    code: list[str] = field(default_factory=list)
    code_kind: BlockKind = "code"

    def __post_init__(self) -> None:
        self.lists = OpenLists(self.into)

    def read(self, body: Element) -> None:
        self._children(body)
        self._end_code()

    def _children(self, parent: Element) -> None:
        for child in parent:
            if child.tag == f"{_W}p":
                self._paragraph(child)
            elif child.tag == f"{_W}tbl":
                self._table(child)
            elif child.tag == f"{_W}sdt" and child.find(f".//{_W}docPartGallery") is None:
                self._children(child.find(f"{_W}sdtContent"))
            elif child.tag in (f"{_W}ins", f"{_W}customXml", f"{_W}smartTag"):
                self._children(child)

    def _paragraph(self, paragraph: Element) -> None:
        style = self.styles.name(paragraph)
        if _SKIPPED_STYLE.match(style):
            return
        runs = list(self._runs(paragraph, ()))
        text = "".join(run.text for run in runs)
        if not text.strip():
            if self.code:
                self.code.append("")
            return
        if _CODE_STYLE.search(style) or self.styles.mono(paragraph) or _all_code(runs):
            self._code_line(text, "output" if _OUTPUT_STYLE.search(style) else "code")
            return
        self._end_code()
        self._prose(paragraph, style, runs, text)

    def _prose(self, paragraph: Element, style: str, runs: list[Run], text: str) -> None:
        level = self.styles.heading_level(paragraph)
        if style.lower() == "title":
            if not self.into.title:
                self.into.title = text
                return
            level = 1
        number = self.styles.number_of(paragraph)
        if level or (not self.styled and not number and _looks_like_heading(runs, text)):
            self.lists.close()
            self.into.add("heading", [Run(run.text) for run in runs], level=level or 2)
        elif number:
            # Word's own "List Bullet 2" says its level by its name only.
            named = re.fullmatch(r"list (?:bullet|number) ([2-5])", style, re.I)
            depth = int(named[1]) if named else number[1] + 1
            list_id = self.lists.at(depth, number[0])
            ordered = number not in self.styles.bullets
            self.into.add("item", runs, level=depth, list_id=list_id, ordered=ordered)
        else:
            self.lists.close()
            self.into.add("quote" if "quote" in style.lower() else "paragraph", runs)

    def _code_line(self, text: str, kind: BlockKind) -> None:
        if kind != self.code_kind:
            self._end_code()
        self.code_kind = kind
        self.code.append(text)

    def _end_code(self) -> None:
        lines, self.code = self.code, []
        self.into.add(self.code_kind, [Run("\n".join(lines))])

    def _table(self, table: Element) -> None:
        """A table of data; a table with one cell is a box around paragraphs."""
        self._end_code()
        rows = [[cell for cell in row.iter(f"{_W}tc")] for row in table.findall(f"{_W}tr")]
        if sum(len(row) for row in rows) == 1:
            self._children(rows[0][0])
            self._end_code()
            return
        self.into.table([[self._cell(cell) for cell in row] for row in rows])

    def _cell(self, cell: Element) -> str:
        paragraphs = cell.iter(f"{_W}p")
        return " ".join("".join(run.text for run in self._runs(paragraph, ())) for paragraph in paragraphs)

    def _runs(self, parent: Element, marks: tuple[tuple[MarkKind, str], ...]) -> Iterator[Run]:
        """The inline text below an element. Deleted text, the code of fields and hidden text are nothing."""
        for child in parent:
            tag = child.tag
            if tag in _GONE or not isinstance(tag, str):
                continue
            if tag == f"{_W}r":
                yield from self._run(child, marks)
            elif tag == f"{_W}hyperlink":
                target = self.links.get(child.get(f"{_R}id") or "", "")
                yield from self._runs(child, (*marks, ("link", target)) if target else marks)
            elif tag == f"{_M}t":
                yield Run(child.text or "", marks)
            elif tag != f"{_W}pPr":
                yield from self._runs(child, marks)

    def _run(self, run: Element, marks: tuple[tuple[MarkKind, str], ...]) -> Iterator[Run]:
        look = run.find(f"{_W}rPr")
        if look is not None:
            if look.find(f"{_W}vanish") is not None:
                return
            marks = (*marks, *self._marks(look))
        for child in run:
            if child.tag == f"{_W}t":
                yield Run(child.text or "", marks)
            elif child.tag in _SIGNS:
                yield Run(_SIGNS[child.tag], marks)
            elif child.tag in _LEFT_OUT:
                self.into.drop(*_LEFT_OUT[child.tag])

    def _marks(self, look: Element) -> Iterator[tuple[MarkKind, str]]:
        style = self.styles.names.get(_value(look, "rStyle"), "")
        font = look.find(f"{_W}rFonts")
        if _CODE_STYLE.search(style) or (font is not None and _MONO.search(font.get(f"{_W}ascii") or "")):
            yield "code", ""
        if _on(look, "b") or style.lower() == "strong":
            yield "strong", ""
        if _on(look, "i") or style.lower() == "emphasis":
            yield "emphasis", ""


def _value(element: Element, path: str) -> str:
    """The `val` of a child, "" when there is none."""
    child = element.find(f"{_W}{path}")
    return (child.get(f"{_W}val") or "") if child is not None else ""


def _on(look: Element, name: str) -> bool:
    """Whether a property is set: its presence says yes unless its value says no."""
    found = look.find(f"{_W}{name}")
    return found is not None and found.get(f"{_W}val") not in ("0", "false", "none")


def _all_code(runs: list[Run]) -> bool:
    return all(("code", "") in run.marks for run in runs if run.text.strip())


def _looks_like_heading(runs: list[Run], text: str) -> bool:
    bold = all(("strong", "") in run.marks for run in runs if run.text.strip())
    return bold and len(text.split()) <= 12 and not re.search(r"[.,;:]\s*$", text)
