"""Word and PowerPoint documents keep what their styles, lists, tables and notes say."""

from __future__ import annotations

import io
from typing import Any

import docx
import pptx
import pytest
from docx.enum.style import WD_STYLE_TYPE
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from pptx.util import Inches

from service.errors import BadInput
from service.readers.limits import Limits
from tests.readers.results import check_spans, marked, outline, read, words_of
from tests.readers.writing import archive


def saved(document: Any) -> bytes:
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def handbook() -> Any:
    document = docx.Document()
    document.add_paragraph("Sailing handbook", style="Title")
    document.add_heading("Wind", 1)
    paragraph = document.add_paragraph("Wind is ")
    paragraph.add_run("moving").italic = True
    paragraph.add_run(" air, measured in ")
    paragraph.add_run("knots").bold = True
    paragraph.add_run(" by ")
    paragraph.add_run("wind.read()").font.name = "Courier New"
    paragraph.add_run(".")
    document.add_heading("Before you go", 2)
    document.add_paragraph("Read the forecast.", style="List Number")
    document.add_paragraph("Check the boat.", style="List Number")
    document.add_paragraph("The hull", style="List Bullet 2")
    document.add_paragraph("Then cast off.")
    document.add_paragraph("Take a map.", style="List Bullet")
    table = document.add_table(rows=2, cols=2)
    for cell, words in zip(
        (c for row in table.rows for c in row.cells), ("Force", "Sea", "3", "Small waves"), strict=True
    ):
        cell.text = words
    code = document.styles.add_style("Source Code", WD_STYLE_TYPE.PARAGRAPH)
    for line in ("def reef():", "    return 1", ""):
        document.add_paragraph(line, style=code)
    document.add_paragraph("The sea is never wrong.", style="Quote")
    return document


def test_word_styles_become_structure() -> None:
    source = read(saved(handbook()), "sailing.docx")
    assert source.title == "Sailing handbook"
    assert outline(source) == [
        ("heading", "Wind"),
        ("paragraph", "Wind is moving air, measured in knots by wind.read()."),
        ("heading", "Before you go"),
        ("item", "Read the forecast."),
        ("item", "Check the boat."),
        ("item", "The hull"),
        ("paragraph", "Then cast off."),
        ("item", "Take a map."),
        ("table", "Force\tSea\n3\tSmall waves"),
        ("code", "def reef():\n    return 1"),
        ("quote", "The sea is never wrong."),
    ]
    check_spans(source)


def test_word_levels_lists_and_marks() -> None:
    source = read(saved(handbook()), "sailing.docx")
    by_words = {words_of(source, block): block for block in source.blocks}
    first, second = by_words["Read the forecast."], by_words["Check the boat."]
    assert (by_words["Wind"].level, by_words["Before you go"].level) == (1, 2)
    assert first.ordered
    assert (by_words["The hull"].level, by_words["The hull"].ordered) == (2, False)
    assert first.list_id == second.list_id
    assert not by_words["Take a map."].ordered
    assert len({by_words[words].list_id for words in ("Check the boat.", "The hull", "Take a map.")}) == 3
    assert marked(source, "strong") == ["knots"]
    assert marked(source, "emphasis") == ["moving"]
    assert marked(source, "code") == ["wind.read()"]


def insert(document: Any, inner: str) -> None:
    xml = f"<w:p {nsdecls('w')}>{inner}</w:p>"
    document.element.body.insert(0, parse_xml(xml))


def test_tracked_changes_hidden_text_and_fields_read_as_the_author_sees_them() -> None:
    document = handbook()
    insert(
        document,
        "<w:r><w:t>Kept</w:t></w:r><w:ins><w:r><w:t xml:space='preserve'> and added</w:t></w:r></w:ins>"
        "<w:del><w:r><w:delText>removed</w:delText></w:r></w:del>"
        "<w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r>"
        "<w:r><w:instrText>PAGEREF x</w:instrText></w:r><w:r><w:footnoteReference w:id='2'/></w:r>"
        "<w:r><w:t>.</w:t></w:r>",
    )
    source = read(saved(document), "sailing.docx")
    assert outline(source)[0] == ("paragraph", "Kept and added.")
    assert source.notes == ("1 footnote was left out.",)


def test_a_table_of_contents_is_left_out_and_content_controls_are_read() -> None:
    document = handbook()
    for inner in (
        "<w:sdtPr><w:docPartObj><w:docPartGallery w:val='Table of Contents'/></w:docPartObj></w:sdtPr>"
        "<w:sdtContent><w:p><w:r><w:t>Wind 1</w:t></w:r></w:p></w:sdtContent>",
        "<w:sdtContent><w:p><w:r><w:t>In a control.</w:t></w:r></w:p></w:sdtContent>",
    ):
        document.element.body.insert(0, parse_xml(f"<w:sdt {nsdecls('w')}>{inner}</w:sdt>"))
    source = read(saved(document), "sailing.docx")
    assert outline(source)[0] == ("paragraph", "In a control.")
    assert "Wind 1" not in source.text


def test_a_word_document_without_heading_styles_is_read_by_look() -> None:
    document = docx.Document()
    document.add_paragraph().add_run("Mooring").bold = True
    document.add_paragraph("Come in slowly against the wind.")
    source = read(saved(document), "mooring.docx")
    assert source.title == "Mooring"


def test_a_damaged_word_document_is_refused() -> None:
    broken = archive({"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<w:document"})
    with pytest.raises(BadInput, match="damaged"):
        read(broken, "broken.docx")


def deck() -> Any:
    slides = pptx.Presentation()
    first = slides.slides.add_slide(slides.slide_layouts[0])
    first.shapes.title.text = "Mooring a boat"
    first.placeholders[1].text = "A course for beginners"
    second = slides.slides.add_slide(slides.slide_layouts[1])
    second.shapes.title.text = "Lines"
    frame = second.placeholders[1].text_frame
    frame.text = "Bow line"
    inner = frame.add_paragraph()
    inner.text, inner.level = "Made of nylon", 1
    last = frame.add_paragraph()
    last.text = "Stern line"
    last.runs[0].font.bold = True
    second.notes_slide.notes_text_frame.text = "The bow line keeps the front of the boat in place."
    third = slides.slides.add_slide(slides.slide_layouts[5])
    third.shapes.title.text = "Lines"
    table = third.shapes.add_table(2, 2, Inches(1), Inches(2), Inches(4), Inches(1)).table
    for row, words in enumerate((("Line", "Length"), ("Bow", "12 m"))):
        for column, word in enumerate(words):
            table.cell(row, column).text = word
    box = third.shapes.add_textbox(Inches(1), Inches(4), Inches(4), Inches(1))
    box.text_frame.text = "moor(boat)"
    box.text_frame.paragraphs[0].runs[0].font.name = "Courier New"
    hidden = slides.slides.add_slide(slides.slide_layouts[5])
    hidden.shapes.title.text = "Not shown"
    hidden.element.set("show", "0")
    return slides


def test_slides_become_headings_items_tables_and_notes() -> None:
    source = read(saved(deck()), "mooring.pptx")
    assert source.title == "Mooring a boat"
    assert outline(source) == [
        ("paragraph", "A course for beginners"),
        ("heading", "Lines"),
        ("item", "Bow line"),
        ("item", "Made of nylon"),
        ("item", "Stern line"),
        ("paragraph", "The bow line keeps the front of the boat in place."),
        ("table", "Line\tLength\nBow\t12 m"),
        ("code", "moor(boat)"),
    ]
    assert [block.level for block in source.blocks if block.kind == "item"] == [1, 2, 1]
    outer, inner, again = (block.list_id for block in source.blocks if block.kind == "item")
    assert outer == again != inner
    assert [block.page for block in source.blocks] == [1, 2, 2, 2, 2, 2, 3, 3]
    assert marked(source, "strong") == ["Stern line"]
    assert (source.pages, source.notes) == (4, ("1 hidden slide was left out.",))
    check_spans(source)


def test_too_many_slides_are_refused() -> None:
    with pytest.raises(BadInput, match="has 4 slides; 3 is the most"):
        read(saved(deck()), "mooring.pptx", Limits(pages=3))


def test_a_damaged_presentation_is_refused() -> None:
    broken = archive({"[Content_Types].xml": b"<Types/>", "ppt/presentation.xml": b"<p:presentation"})
    with pytest.raises(BadInput, match="damaged"):
        read(broken, "broken.pptx")
