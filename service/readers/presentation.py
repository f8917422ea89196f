"""Presentations to a source: a slide's title is a heading, its bullets are items, its speaker notes are paragraphs.

The notes are usually the better text: they say in sentences what the slide only names.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import Any

from service.domain.source import MarkKind
from service.errors import BadInput
from service.readers.builder import OpenLists, Run, SourceBuilder

Shape = Any  # python-pptx's shapes share no typed base

_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_MONO = ("mono", "courier", "consol", "menlo", "code")


def read_presentation(data: bytes, name: str, into: SourceBuilder) -> int:
    """Append a presentation's content; its number of slides.

    Raises:
        BadInput: the file is damaged, or has too many slides.
    """
    from lxml import etree
    from pptx import Presentation
    from pptx.exc import PackageNotFoundError, PythonPptxError

    try:
        deck = Presentation(io.BytesIO(data))
        slides = list(deck.slides)
    except (
        PackageNotFoundError,
        PythonPptxError,
        KeyError,
        ValueError,
        AttributeError,
        etree.XMLSyntaxError,
        zipfile.BadZipFile,
    ) as error:
        raise BadInput(
            f"“{name}” is damaged and cannot be opened. Save it again in PowerPoint, then add it."
        ) from error
    if len(slides) > into.limits.pages:
        raise BadInput(f"“{name}” has {len(slides):,} slides; {into.limits.pages:,} is the most. Split it.")
    last_title = ""
    for number, slide in enumerate(slides, 1):
        into.page = number
        if slide.element.get("show") == "0":
            into.drop("hidden slide was", "hidden slides were")
        else:
            last_title = _slide(slide, into, last_title)
    return len(slides)


def _slide(slide: Any, into: SourceBuilder, last_title: str) -> str:
    """Append one slide; its title, or the one before when it goes on under it."""
    from pptx.enum.shapes import PP_PLACEHOLDER

    title = slide.shapes.title
    words = " ".join(title.text_frame.text.split()) if title is not None and title.has_text_frame else ""
    section = "section" in slide.slide_layout.name.lower()
    if words and words != last_title:
        into.add("heading", [Run(words)], level=1 if section or not into.blocks else 2)
    skipped = {
        PP_PLACEHOLDER.DATE, PP_PLACEHOLDER.FOOTER, PP_PLACEHOLDER.SLIDE_NUMBER, PP_PLACEHOLDER.HEADER,
        PP_PLACEHOLDER.TITLE, PP_PLACEHOLDER.CENTER_TITLE,
    }  # fmt: skip
    for shape in _in_reading_order(slide.shapes):
        if not (shape.is_placeholder and shape.placeholder_format.type in skipped):
            _shape(shape, into)
    if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
        for paragraph in slide.notes_slide.notes_text_frame.paragraphs:
            into.add("paragraph", list(_runs(paragraph)))
    return words or last_title


def _in_reading_order(shapes: Any) -> Iterator[Shape]:
    """Shapes from top to bottom and left to right, groups opened. Rows are a tenth of a slide's usual height."""
    flat = list(_flat(shapes))
    yield from sorted(flat, key=lambda shape: ((shape.top or 0) // 685_800, shape.left or 0))


def _flat(shapes: Any) -> Iterator[Shape]:
    from pptx.enum.shapes import MSO_SHAPE_TYPE

    for shape in shapes:
        if shape.shape_type == MSO_SHAPE_TYPE.GROUP:
            yield from _flat(shape.shapes)
        else:
            yield shape


def _shape(shape: Shape, into: SourceBuilder) -> None:
    from pptx.enum.shapes import MSO_SHAPE_TYPE

    if getattr(shape, "has_table", False) and shape.has_table:
        into.table([[cell.text_frame.text for cell in row.cells] for row in shape.table.rows])
    elif getattr(shape, "has_chart", False) and shape.has_chart:
        into.drop("chart was", "charts were")
    elif shape.has_text_frame and shape.text_frame.text.strip():
        _text(shape, into)
    elif shape.shape_type in (MSO_SHAPE_TYPE.PICTURE, MSO_SHAPE_TYPE.LINKED_PICTURE):
        into.drop("picture was", "pictures were")
    elif shape.shape_type == MSO_SHAPE_TYPE.MEDIA:
        into.drop("film or sound was", "films or sounds were")
    elif shape.element.tag.endswith("graphicFrame"):
        into.drop("diagram was", "diagrams were")


def _text(shape: Shape, into: SourceBuilder) -> None:
    """A text box: listing, items or paragraphs. Body placeholders have bullets unless a paragraph says otherwise."""
    paragraphs = [p for p in shape.text_frame.paragraphs if p.text.strip()]
    if all(_is_mono(run) for paragraph in paragraphs for run in paragraph.runs) and any(p.runs for p in paragraphs):
        into.add("code", [Run("\n".join(p.text.replace("\v", "\n") for p in shape.text_frame.paragraphs))])
        return
    listed = _has_bullets(shape) and len(paragraphs) > 1
    lists = OpenLists(into)
    for paragraph in paragraphs:
        bullet = _bullet(paragraph)
        if bullet or (listed and bullet is None):
            ordered = paragraph._p.find(f"{_A}pPr/{_A}buAutoNum") is not None
            level = paragraph.level + 1
            into.add("item", list(_runs(paragraph)), level=level, list_id=lists.at(level), ordered=ordered)
        else:
            into.add("paragraph", list(_runs(paragraph)))


def _has_bullets(shape: Shape) -> bool:
    from pptx.enum.shapes import PP_PLACEHOLDER

    return shape.is_placeholder and shape.placeholder_format.type in (
        PP_PLACEHOLDER.BODY, PP_PLACEHOLDER.OBJECT, PP_PLACEHOLDER.VERTICAL_BODY, PP_PLACEHOLDER.VERTICAL_OBJECT,
    )  # fmt: skip


def _bullet(paragraph: Any) -> bool | None:
    """Whether the paragraph itself asks for a bullet; None when it says nothing."""
    properties = paragraph._p.find(f"{_A}pPr")
    if properties is None:
        return None
    if properties.find(f"{_A}buNone") is not None:
        return False
    asked = (properties.find(f"{_A}{name}") for name in ("buChar", "buAutoNum", "buBlip"))
    return True if any(found is not None for found in asked) else None


def _runs(paragraph: Any) -> Iterator[Run]:
    """The paragraph's text with its marks; line breaks are spaces."""
    runs = iter(paragraph.runs)
    for child in paragraph._p:
        if child.tag == f"{_A}br":
            yield Run(" ")
        elif child.tag == f"{_A}fld":
            yield Run("".join(child.itertext()))
        elif child.tag == f"{_A}r":
            run = next(runs)
            yield Run(run.text, tuple(_marks(run)))


def _marks(run: Any) -> Iterator[tuple[MarkKind, str]]:
    if _is_mono(run):
        yield "code", ""
    if run.font.bold:
        yield "strong", ""
    if run.font.italic:
        yield "emphasis", ""
    address = run.hyperlink.address
    if address:
        yield "link", address


def _is_mono(run: Any) -> bool:
    font = (run.font.name or "").lower()
    return any(name in font for name in _MONO)
