"""A lesson as Markdown reads as it was written: nothing in a text turns into markup by accident."""

from __future__ import annotations

import pytest
from markdown_it import MarkdownIt

from service.domain.lesson import Claim, CodeBlock, ExerciseBlock, Lesson, NoteBlock, QuoteBlock
from service.pipeline.lesson_markdown import escaped, fenced, lesson_markdown
from tests.domain.handmade_course import HIVE, SHA, cite, claim


@pytest.mark.parametrize(
    "text",
    [
        "Use <b> and a[0] and snake_case_names.",
        "# not a heading",
        "- not a list",
        "1. not a list either",
        "2) nor this",
        "> no quote",
        "A * star * and a \\ backslash",
        "```",
    ],
)
def test_signs_stay_signs(text: str) -> None:
    html = MarkdownIt().render(escaped(text))
    shown = html.removeprefix("<p>").removesuffix("</p>\n").replace("&lt;", "<").replace("&gt;", ">")
    assert shown == text


def test_code_and_bold_stay_markup() -> None:
    assert MarkdownIt().render(escaped("The `a_b[0]` **must** run")) == (
        "<p>The <code>a_b[0]</code> <strong>must</strong> run</p>\n"
    )


def test_a_fence_is_longer_than_the_fences_in_the_code() -> None:
    assert fenced("```\nx\n```", "md").splitlines()[0] == "````md"


def test_equal_cites_share_a_number_and_code_names_its_source() -> None:
    blocks = (
        QuoteBlock(id="1", claims=(claim(HIVE),), by="A keeper"),
        NoteBlock(id="2", tone="warning", claims=(claim(HIVE),)),
        CodeBlock(id="3", code="bees --count", lang="bash", output="20000", cites=(cite("bees --count"),)),
        ExerciseBlock(id="4", title="Try", task=(Claim(text="Go.", factual=False),), solution=(claim(HIVE),)),
    )
    text = lesson_markdown(Lesson(id="x", title="T", blocks=blocks), {SHA: "bees.md"})
    assert text.count("[^1]: ") == 1
    assert "> — A keeper" in text
    assert "> **Warning.** " in text
    assert "Source: [^2]" in text
    assert text.count("[^1]") == 4
