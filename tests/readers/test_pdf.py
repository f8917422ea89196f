"""A PDF gives its headings, paragraphs, items and listings back in order, and says why when it cannot."""

from __future__ import annotations

import pytest

from service.errors import BadInput
from service.readers.limits import Limits
from tests.readers.results import check_spans, outline, read, words_of
from tests.readers.writing import Text, pdf

BODY = (
    "A tide is the slow rise and fall of the sea. It comes twice a day on most coasts,",
    "because the Earth turns under two bulges of water that the Moon pulls up on both",
    "sides of the planet.",
)
SECOND = ("The Sun pulls too, though less than half as hard as the Moon does, which is why", "spring tides are higher.")
DOT = "0 0 0 rg 75 {y} 3 3 re f"


def lines(*words: str, y: float, x: float = 72, size: float = 11, font: int = 0) -> list[Text]:
    return [Text(line, x, y + 14 * n, size, font) for n, line in enumerate(words)]


def page(number: int, *content: Text) -> list[Text]:
    head = [Text("Tides and currents", 72, 30, 9), Text(str(number), 300, 815, 9)]
    return [*head, *content]


def guide() -> bytes:
    first = [
        Text("Tides", 72, 90, 22, 1),
        *lines(*BODY, y=130),
        *lines(*SECOND, y=190),
        Text("How to read a tide table", 72, 250, 15, 1),
        Text("1. Find your harbour.", 90, 280),
        Text("2. Take the time of high water", 90, 294),
        Text("from the second column.", 104, 308),
        Text("• Add an hour in summer.", 110, 322),
        Text("Careful", 72, 360, 11, 1),
        *lines("Wind moves the times by up to an hour.", y=380),
    ]
    second = [
        Text("for port in ports:", 72, 90, 10, 2),
        Text("print(port)", 96, 104, 10, 2),
        *lines("The listing prints all ports.", y=140),
        Text("Copyright of nobody at all", 72, 700, 6),
    ]
    third = [Text("Currents", 72, 90, 15, 1), *lines("Water that moves sideways is a current, not a tide.", y=120)]
    return pdf([page(1, *first), page(2, *second), page(3, *third)])


def test_size_and_weight_make_headings_and_places_make_the_rest() -> None:
    source = read(guide(), "tides.pdf")
    assert source.title == "Tides"
    assert outline(source) == [
        ("paragraph", " ".join(BODY)),
        ("paragraph", " ".join(SECOND)),
        ("heading", "How to read a tide table"),
        ("item", "Find your harbour."),
        ("item", "Take the time of high water from the second column."),
        ("item", "Add an hour in summer."),
        ("heading", "Careful"),
        ("paragraph", "Wind moves the times by up to an hour."),
        ("code", "for port in ports:\n    print(port)"),
        ("paragraph", "The listing prints all ports."),
        ("heading", "Currents"),
        ("paragraph", "Water that moves sideways is a current, not a tide."),
    ]
    check_spans(source)


def test_levels_pages_and_lists() -> None:
    source = read(guide(), "tides.pdf")
    by_words = {words_of(source, block): block for block in source.blocks}
    assert by_words["How to read a tide table"].level < by_words["Careful"].level
    assert (by_words["Find your harbour."].ordered, by_words["Find your harbour."].level) == (True, 1)
    assert (by_words["Add an hour in summer."].ordered, by_words["Add an hour in summer."].level) == (False, 2)
    assert by_words["Find your harbour."].list_id != by_words["Add an hour in summer."].list_id != 0
    assert [by_words[words].page for words in ("Careful", "The listing prints all ports.", "Currents")] == [1, 2, 3]
    assert source.pages == 3


def test_running_heads_page_numbers_and_small_print_go() -> None:
    source = read(guide(), "tides.pdf")
    assert "Tides and currents" not in source.text
    assert "Copyright" not in source.text
    assert source.notes == ("1 line of small print was left out.",)


def test_bullets_that_are_drawn_and_not_written_make_items() -> None:
    drawn = "\n".join(DOT.format(y=842 - y) for y in (117, 145))
    content = [
        Text("Pack these things before you go to the shore:", 72, 90),
        Text("a warm coat that keeps the wind and the", 84, 120),
        Text("rain away from you", 84, 134),
        Text("a tide table", 84, 148),
    ]
    source = read(pdf([content], drawn=drawn), "packing.pdf")
    assert outline(source)[1:] == [
        ("item", "a warm coat that keeps the wind and the rain away from you"),
        ("item", "a tide table"),
    ]


def test_words_broken_at_the_end_of_a_line_are_joined() -> None:
    content = lines(
        "Some harbours have four tides a day, and others only one, which is sur-", "prising to visitors.", y=90
    )
    assert "surprising to visitors" in read(pdf([content]), "tides.pdf").text


def test_a_sentence_goes_on_over_a_page() -> None:
    first = lines("The water rises for six hours and then it falls for", y=760)
    second = lines("another six hours.", y=90)
    source = read(pdf([first, second]), "tides.pdf")
    assert outline(source) == [("paragraph", "The water rises for six hours and then it falls for another six hours.")]


def test_pictures_of_pages_are_refused_with_the_way_out() -> None:
    with pytest.raises(
        BadInput, match=r"pictures without text\. Run text recognition \(OCR\) on the file, then add it"
    ):
        read(pdf([[], []], drawn="0 0 0 rg 50 50 400 600 re f"), "scan.pdf")


def test_some_pages_without_text_are_said() -> None:
    source = read(pdf([lines(*BODY, y=90), [], []]), "half.pdf")
    assert source.notes == ("2 of 3 pages are pictures without text.",)


def test_a_locked_pdf_is_refused() -> None:
    with pytest.raises(BadInput, match="locked with a password"):
        read(pdf([lines(*BODY, y=90)], locked=True), "locked.pdf")


def test_a_broken_pdf_is_refused() -> None:
    with pytest.raises(BadInput, match="damaged"):
        read(guide()[:200], "broken.pdf")


def test_too_many_pages_are_refused() -> None:
    with pytest.raises(BadInput, match=r"has 3 pages; 2 is the most"):
        read(guide(), "tides.pdf", Limits(pages=2))
