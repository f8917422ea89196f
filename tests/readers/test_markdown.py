"""Markdown becomes text and structure, and nothing of its markup."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.errors import BadInput
from tests.readers.results import check_spans, marked, outline, read, words_of

LESSON = """\
---
title: "Knots that hold"
layout: lesson
tags: [rope, safety]
---

::::::::: objectives

- Tie a bowline
- Name its parts

:::::::::::::::::::

::::: questions

- When does a knot slip?

:::

# Knots that hold

A **knot** is a *bend* in a rope[^1]. See [the manual](https://example.org/knots) and `man knot`.
{% include note.html %}

<!-- nobody reads this -->

![A bowline, drawn](bowline.png){alt='The rope goes through the loop' width="50%"}

## Tying it {#tying .unnumbered}

1. Make a loop.
  - Keep it small.
  - Keep it flat.
2. Pass the end through.

   It must come from below.

{: .no_toc}

::: challenge

### Try it

Tie one with your eyes closed.

:::: solution

Practise until `pull` holds.

| Pull | Holds |
|------|-------|
| 10 kg | yes  |

::::
:::

```{python}
print("{{ not a template }}")  # <!-- kept -->
```

```output
{{ not a template }}
```

[^1]: A footnote that is left out.
"""


def test_the_title_comes_from_the_front_matter_and_nothing_else_of_it_stays() -> None:
    source = read(LESSON)
    assert source.title == "Knots that hold"
    assert "layout" not in source.text
    assert "tags" not in source.text


def test_comments_templates_attributes_fences_and_pictures_do_not_leak_into_prose() -> None:
    source = read(LESSON)
    prose = " ".join(words for kind, words in outline(source) if kind not in ("code", "output"))
    assert not re.search(r":::|\{|\}|<!--|include|no_toc|bowline\.png|drawn|nobody reads", prose)
    assert source.notes == ("1 template tag was left out.", "1 footnote was left out.", "1 picture was left out.")


def test_code_keeps_what_looks_like_a_template_or_a_comment() -> None:
    source = read(LESSON)
    code, output = [block for block in source.blocks if block.kind in ("code", "output")]
    assert words_of(source, code) == 'print("{{ not a template }}")  # <!-- kept -->'
    assert (code.lang, output.kind, output.lang) == ("python", "output", "")


def test_blocks_carry_the_role_of_the_narrowest_box_around_them() -> None:
    source = read(LESSON)
    roles = {words_of(source, block): block.role for block in source.blocks}
    assert roles["Tie a bowline"] == "objectives"
    assert roles["When does a knot slip?"] == "questions"
    assert roles["Tie one with your eyes closed."] == "exercise"
    assert roles["Practise until pull holds."] == "solution"
    assert roles["Pull\tHolds\n10 kg\tyes"] == "solution"
    assert roles["Make a loop."] == ""


def test_lists_keep_their_order_nesting_and_what_belongs_to_an_item() -> None:
    source = read(LESSON)
    tying = {words_of(source, block): block for block in source.blocks if block.list_id and not block.role}
    loop, small, flat = tying["Make a loop."], tying["Keep it small."], tying["Keep it flat."]
    last, below = tying["Pass the end through."], tying["It must come from below."]
    assert (loop.kind, loop.level, loop.ordered) == ("item", 1, True)
    assert (small.level, small.ordered, small.list_id) == (2, False, flat.list_id)
    assert small.list_id != loop.list_id == last.list_id
    assert (below.kind, below.list_id) == ("paragraph", last.list_id)


def test_two_boxes_with_a_list_each_do_not_become_one_list() -> None:
    source = read(LESSON)
    lists = {block.role: block.list_id for block in source.blocks if block.kind == "item"}
    assert lists["objectives"] != lists["questions"]


def test_marks_name_links_code_and_emphasis_exactly() -> None:
    source = read(LESSON)
    assert marked(source, "strong") == ["knot"]
    assert marked(source, "emphasis") == ["bend"]
    assert marked(source, "code") == ["man knot", "pull"]
    [link] = [mark for block in source.blocks for mark in block.marks if mark.kind == "link"]
    assert (source.text[link.start : link.end], link.href) == ("the manual", "https://example.org/knots")


def test_bold_text_broken_by_a_link_is_one_mark_and_two_code_spans_are_two() -> None:
    source = read("**Use [salt](https://example.org) always** and `a` `b`.")
    assert marked(source, "strong") == ["Use salt always"]
    assert marked(source, "code") == ["a", "b"]


def test_table_cells_are_spans_of_the_text() -> None:
    source = read("| Name | Size |\n|---|---|\n| **Bow** `x` | 3 |\n")
    [table] = source.blocks
    cells = [[source.text[a:b] for a, b in row] for row in table.rows]
    assert cells == [["Name", "Size"], ["Bow x", "3"]]


def test_the_first_heading_is_the_title_and_no_section_of_its_own() -> None:
    source = read("# Rope\n\nSome words.\n\n## Care\n\nDry it.\n")
    assert source.title == "Rope"
    assert outline(source) == [("paragraph", "Some words."), ("heading", "Care"), ("paragraph", "Dry it.")]
    assert source.text.startswith("Rope\n\n")


def test_a_first_heading_among_equals_stays_a_section() -> None:
    source = read("# Rope\n\nSome words.\n\n# Care\n\nDry it.\n")
    assert [words for kind, words in outline(source) if kind == "heading"] == ["Rope", "Care"]


def test_without_title_and_heading_the_name_is_made_readable() -> None:
    assert read("Only words here.", "02-tying_a-bowline.md").title == "Tying a bowline"


def test_a_rendered_example_is_left_out_and_its_listing_stays() -> None:
    source = read(
        "Before.\n\n<div><h3>Shown</h3></div>\n\n<span style='color:red'>Red words</span>\n\n"
        "```html\n<div><h3>Shown</h3></div>\n```\n\n<table><tr><th>A</th><th>B</th></tr><tr><td>1</td>\n\n<td>2</td></tr></table>\n"
    )
    assert [kind for kind, _ in outline(source)] == ["paragraph", "code", "table"]
    assert "Red" not in source.text
    assert source.notes == ("2 pieces of embedded HTML were left out.",)


def test_definitions_mark_their_terms() -> None:
    source = read("[Bend]{#bend}\n: Joins two ropes.\n")
    assert outline(source) == [("paragraph", "Bend"), ("paragraph", "Joins two ropes.")]
    assert marked(source, "term") == ["Bend"]


@pytest.mark.parametrize(
    "box",
    [
        "> [!WARNING]\n> Gloves on.\n",
        "!!! warning\n    Gloves on.\n",
        ":::warning\nGloves on.\n:::\n",
        "::: {.callout-warning}\nGloves on.\n:::\n",
        "<div class='admonition warning'><p>Gloves on.</p></div>\n",
    ],
)
def test_boxes_of_the_common_generators_have_their_role(box: str) -> None:
    source = read(box + "\nAfter it.\n")
    assert [(words_of(source, b), b.role) for b in source.blocks] == [("Gloves on.", "warning"), ("After it.", "")]


def test_a_rule_between_paragraphs_is_no_front_matter() -> None:
    assert "kept" in read("---\nThis paragraph is kept.\n---\n\nAnd this.\n").text


def test_arabic_persian_joiners_and_emoji_survive() -> None:
    text = "مرحبا بالعالم. می‌خواهم. 👩‍🔬 works."
    assert text in read(text + "\n").text


def test_nul_and_invisible_characters_do_not() -> None:
    source = read("One\u200b word\u00ad here\U000e0041.\n")
    assert source.text == "One word here.\n\n"


def test_only_pictures_are_no_words() -> None:
    with pytest.raises(BadInput, match="holds no words"):
        read("![](a.png)\n\n![](b.png)\n")


PIECES = st.sampled_from(
    [
        "# Title", "## *Part* `two`", "- item", "  - inner", "1. first", "   1. deeper", "> quote", "> [!NOTE]",
        "```python", "```", "~~~", "::: challenge", ":::", ":::: solution", "| a | b |", "|---|---|", "| 1 | **2** |",
        "text with `code` here", "**bold** and [link](https://example.org)", "![alt](x.png)", "{: .class}",
        "{% include x %}", "<!-- open", "-->", "<b>html</b>", "<table><tr><td>1</td><td>2</td></tr></table>", "<div>",
        "</div>", "Term", ": definition", "[^1]: note", "a[^1]", "", "", "    code", "+---+---+", "---",
        "!!! note \"x\"", "    inside", "\u202eright to left", "word\x00nul", "&lt;b&gt; &amp;", "* * *", "\\*not\\*",
    ]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(PIECES, st.text(max_size=40)), max_size=30))
def test_every_span_lies_where_it_says(lines: list[str]) -> None:
    try:
        source = read("\n".join([*lines, "", "The end."]))
    except BadInput:
        return
    check_spans(source)
    assert "\x00" not in source.text
