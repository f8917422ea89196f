"""Plain text and reStructuredText: structure from what people type."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from service.errors import BadInput
from tests.readers.results import check_spans, marked, outline, read, words_of

NOTES = """\
Keeping bees

A hive holds one queen and some thousands of workers. The workers
gather nectar from spring to autumn.

What you need
=============

- a veil
- a smoker
  that burns slowly

1. Wait for a warm day.
2. Open the hive.

WINTER

Feed them sugar water when the weather turns cold, and keep the entrance free of snow.
"""

RST = """\
.. _bees:

============
Keeping bees
============

A *hive* holds **one** queen, see :ref:`the queen <queen>` and ``bees.open()``
or `the guild <https://example.org>`_.

.. image:: hive.png
   :alt: A hive

.. warning:: Wear a veil.

Opening
-------

Run this::

    hive.open()

    hive.close()

.. code-block:: python

   hive = Hive()

Done.
"""


def test_underlines_capitals_and_lonely_short_lines_are_titles() -> None:
    source = read(NOTES, "bees.txt")
    assert source.title == "Keeping bees"
    assert outline(source) == [
        (
            "paragraph",
            "A hive holds one queen and some thousands of workers. The workers gather nectar from spring to autumn.",
        ),
        ("heading", "What you need"),
        ("item", "a veil"),
        ("item", "a smoker that burns slowly"),
        ("item", "Wait for a warm day."),
        ("item", "Open the hive."),
        ("heading", "WINTER"),
        ("paragraph", "Feed them sugar water when the weather turns cold, and keep the entrance free of snow."),
    ]


def test_restructuredtext_loses_its_markup_and_keeps_its_code() -> None:
    source = read(RST, "bees.rst")
    assert source.title == "Keeping bees"
    assert outline(source) == [
        ("paragraph", "A hive holds one queen, see the queen and bees.open() or the guild."),
        ("paragraph", "Wear a veil."),
        ("heading", "Opening"),
        ("paragraph", "Run this:"),
        ("code", "hive.open()\n\nhive.close()"),
        ("code", "hive = Hive()"),
        ("paragraph", "Done."),
    ]
    roles = {words_of(source, block): block.role for block in source.blocks}
    assert (roles["Wear a veil."], roles["Done."]) == ("warning", "")
    assert marked(source, "code") == ["bees.open()"]
    assert source.notes == ("1 picture was left out.",)


def test_a_text_file_full_of_markdown_is_read_as_markdown() -> None:
    source = read("# Bees\n\nSome **words** here.\n\n## Hives\n\nMore words.\n", "bees.txt")
    assert source.title == "Bees"
    assert "*" not in source.text


def test_an_old_windows_text_is_read_and_said() -> None:
    source = read("Café – naïve “quotes”".encode("cp1252"), "cafe.txt")
    assert source.text.startswith("Café – naïve “quotes”")
    assert "Windows-1252" in source.notes[0]


def test_byte_order_marks_choose_the_encoding() -> None:
    for encoding in ("utf-8-sig", "utf-16", "utf-32"):
        source = read("Żółw walks slowly.".encode(encoding), "turtle.txt")
        assert source.text == "Żółw walks slowly.\n\n", encoding
        assert source.notes == ()


LINES = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ["Title", "=====", "-----", "- item", "1. one", "  indented", "::", ".. note:: x", ".. code::", "", "", "So:::"]
    ),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(LINES, max_size=25), st.sampled_from(["a.txt", "a.rst"]))
def test_every_span_lies_where_it_says(lines: list[str], name: str) -> None:
    try:
        source = read("\n".join([*lines, "", "The end of it."]), name)
    except BadInput:
        return
    check_spans(source)
