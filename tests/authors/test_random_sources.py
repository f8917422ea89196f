"""Whatever a source is made of, the author never breaks and never gives a cite that is not exact."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from service.authors.extractive import ExtractiveAuthor
from service.domain.source import Block, Mark, Source
from service.errors import BadInput
from tests.authors.test_author_contract import made
from tests.authors.texts import evidence

PIECES = (
    "Yeast turns sugar into gas because it is alive.",
    "A starter is a mixture of flour and water that lives for years.",
    "However, this needs at least 12 hours.",
    "Never close the jar!",
    "It rises.",
    "The following steps are needed:",
    "Open the oven and put the loaf on the stone.",
    "What is a starter?",
    "As shown above, see Figure 3 at https://example.org.",
    "Der Teig ruht über Nacht.",
    "生地は一晩休ませる。パンは焼く。",
    "العجين يرتاح طوال الليل.",
    "x",
    "…",
    "(an open bracket",
    "**stars** and `ticks` & <tags>",
    "Salt: the one thing that no dough should ever be without, e.g. at night.",
    "keep init makes a store; keep prune does not.",
)
KINDS = ("heading", "paragraph", "item", "code", "output", "table", "quote")
ROLES = ("", "", "", "", "objectives", "questions", "keypoints", "exercise", "solution", "note", "warning", "skip")


@st.composite
def sources(draw: st.DrawFn) -> Source:
    """A source of up to forty blocks of any kind in any order."""
    text = ""
    blocks: list[Block] = []
    for _ in range(draw(st.integers(1, 40))):
        kind = draw(st.sampled_from(KINDS))
        sentences = draw(st.lists(st.sampled_from(PIECES) | st.text(max_size=40), min_size=1, max_size=5))
        body = " ".join(sentences).replace("\x00", "")
        start = len(text)
        rows = ()
        if kind == "table":
            rows, body = _table(start, draw(st.integers(1, 4)), draw(st.integers(1, 4)))
        text += body + "\n\n"
        at = draw(st.integers(0, max(0, len(body) - 1)))
        mark = Mark(
            kind=draw(st.sampled_from(("code", "strong", "term", "link"))), start=start + at, end=start + len(body)
        )
        in_list = kind == "item" or (kind in ("paragraph", "code") and draw(st.booleans()))
        blocks.append(
            Block(
                kind=kind,
                start=start,
                end=start + len(body),
                level=draw(st.integers(1, 6)),
                role=draw(st.sampled_from(ROLES)),
                list_id=draw(st.integers(1, 2)) if in_list else 0,
                ordered=draw(st.booleans()),
                marks=(mark,) if draw(st.booleans()) and body else (),
                rows=rows,
            )
        )
    title = draw(st.sampled_from(("Bread", "", "index.md", "パン", "1. Introduction")))
    return Source(name="page.md", title=title, media_type="text/plain", text=text, blocks=tuple(blocks))


def _table(start: int, height: int, width: int) -> tuple[tuple[tuple[tuple[int, int], ...], ...], str]:
    body, rows = "", []
    for row in range(height):
        line = []
        for column in range(width):
            cell = f"cell {row}.{column}"
            line.append((start + len(body), start + len(body) + len(cell)))
            body += cell + "\t"
        rows.append(tuple(line))
        body += "\n"
    return tuple(rows), body


# Shrinking a whole course takes minutes and says little: the failing source is printed as it is.
@settings(
    max_examples=60,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(st.lists(sources(), min_size=1, max_size=3, unique_by=lambda source: source.sha256))
def test_no_source_breaks_the_author_or_its_cites(given_sources: list[Source]) -> None:
    try:
        course = made(ExtractiveAuthor(), evidence(*given_sources))
    except BadInput:
        return
    texts = {source.sha256: source.text for source in given_sources}
    for cite in course.cites():
        assert cite.exact(texts[cite.source])
    for lesson in course.lessons:
        for claim in lesson.claims():
            assert claim.cites or not claim.factual
