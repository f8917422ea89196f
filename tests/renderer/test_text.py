"""Text: marks, direction, line breaks, fallback fonts, and what no font covers."""

from __future__ import annotations

import pytest

from renderer_job import fonts, layout, text
from renderer_job.text import Style


def test_marks_become_looks_and_lonely_marks_stay() -> None:
    spans = text.inline("a **bold *both*** `x*y*` 2 * 3 and snake_case_name **open")
    assert [(s.text, s.bold, s.italic, s.code) for s in spans] == [
        ("a ", False, False, False),
        ("bold ", True, False, False),
        ("both", True, True, False),
        (" ", False, False, False),
        ("x*y*", False, False, True),
        (" 2 * 3 and snake_case_name **open", False, False, False),
    ]


def test_captions_and_voices_get_the_words_without_marks_and_addresses() -> None:
    assert (
        text.plain("See [the **manual**](https://example.org/x) for `git`\n now\u202e.")
        == "See the manual for git now ."
    )


def test_numbers_in_arabic_keep_their_order() -> None:
    line = "يحتوي 1,250 إيداع (2019)"
    levels = text.levels(line, rtl=True)
    assert {levels[i] for i, char in enumerate(line) if char.isdigit() or char == ","} == {2}
    assert {levels[i] for i, char in enumerate(line) if "\u0600" <= char <= "\u06ff"} == {1}
    block = layout.lay_out(line, Style(), 2000)
    seen = [piece.text for piece, _ in block.lines[0].pieces]
    assert seen.index("1,250") > seen.index("2019"), "read from the right, 1,250 comes first"


WIDEST_WORD = 450  # a narrower line cuts the address itself


def rows(words: str, width: int) -> list[str]:
    block = layout.lay_out(words, Style(), width)
    return ["".join(piece.text for piece, _ in line.pieces) for line in block.lines]


def test_a_slash_that_opens_a_word_ends_no_line_and_two_stay_together() -> None:
    for width in range(WIDEST_WORD, 900, 25):
        assert not any(row.endswith("/") for row in rows("the path is /start", width))
        assert not any(row.endswith("https:/") for row in rows("see https://docs.example.net", width))


def test_a_compound_is_parted_only_when_nothing_else_fits() -> None:
    whole = "Define non-functional requirements, unit tests"
    assert not any(row.endswith("-") for width in range(700, 1400, 50) for row in rows(whole, width))
    assert rows("long-standing-and-well-known-differences", 420)[0].endswith("-")


def test_lines_never_exceed_their_width_and_nothing_is_lost() -> None:
    said = "Understanding **how** a `commit --amend` rewrites 日本語の文章 and Donaudampfschifffahrtsgesellschaft " * 3
    for width in (180, 333, 900):
        block = layout.lay_out(said, Style(size=40), width)
        assert all(line.width <= width + 0.5 for line in block.lines)
        shown = "".join(piece.text for line in block.lines for piece, _ in line.pieces)
        assert shown.replace(" ", "") == text.plain(said).replace(" ", "")


def test_a_heading_does_not_leave_a_lonely_word() -> None:
    block = layout.lay_out("Everything that can go wrong on a branch", Style("serif", 76, 600), 1400, heading=True)
    widths = [line.width for line in block.lines]
    assert len(widths) == 2
    assert min(widths) > 0.6 * max(widths)


def test_fit_takes_the_largest_size_that_fits() -> None:
    found = layout.fit("one two three four five six seven", Style(size=60), 300, 200, 20)
    assert found
    assert found.height <= 200
    larger = layout.lay_out("one two three four five six seven", Style(size=found.style.size + 2), 300)
    assert larger.height > 200


def test_shortening_ends_at_a_word_and_says_so() -> None:
    said = "Seven words are more than this box holds"
    block, left_out = layout.shorten(said, Style(size=40), 320, 60)
    shown = "".join(piece.text for line in block.lines for piece, _ in line.pieces)
    assert left_out
    assert shown.endswith("…")
    assert said.replace(" ", "").startswith(shown[:-1])
    assert any(said.replace(" ", "")[: len(shown) - 1] == "".join(said.split()[:n]) for n in range(1, 8))
    assert layout.shorten("Short", Style(size=40), 320, 60)[1] is False


@pytest.mark.parametrize(
    ("char", "script"), [("a", ""), ("я", ""), ("ع", "arab"), ("ש", "hebr"), ("न", "deva"), ("∑", ""), ("🚀", "emoji")]
)
def test_each_script_finds_its_font(char: str, script: str) -> None:
    assert fonts.pick(char, "sans", 400, False, "en").script == script
    assert not fonts.missing(char)


def test_what_no_font_covers_is_named_once() -> None:
    assert fonts.missing("a \U0001f14b \U0001f14b b \u0378") == (
        "U+1F14B SQUARED MV",
        "U+0378 unnamed",
    )
