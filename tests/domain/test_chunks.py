"""Passages: exact spans along the structure, never cutting what belongs together."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.chunks import LEAST_WORDS, MOST_WORDS, chunks_of
from service.domain.source import Block, BlockKind, BlockRole, Mark, Source

Piece = tuple[BlockKind, str, int, BlockRole]


def source_of(*pieces: Piece, title: str = "Rope") -> Source:
    text, blocks = "", []
    for kind, words, level, role in pieces:
        blocks.append(Block(kind=kind, start=len(text), end=len(text) + len(words), level=level, role=role))
        text += words + "\n\n"
    return Source(name="rope.md", title=title, media_type="text/markdown", text=text, blocks=tuple(blocks))


def prose(sentences: int, words: int = 15) -> Piece:
    sentence = "Every " + "strand " * (words - 3) + "carries load."
    return "paragraph", " ".join([sentence] * sentences), 0, ""


def test_every_passage_is_its_span_of_the_source() -> None:
    source = source_of(prose(30), ("heading", "Care", 2, ""), prose(8))
    for chunk in chunks_of(source):
        assert chunk.text == source.text[chunk.start : chunk.end]
        assert chunk.source == source.sha256


def test_a_passage_stays_under_its_heading_and_knows_the_path_to_it() -> None:
    headings: list[Piece] = [("heading", words, level, "") for words, level in (("Care", 2), ("Drying", 3), ("Use", 2))]
    source = source_of(prose(8), *(piece for heading in headings for piece in (heading, prose(8))))
    assert [chunk.heading for chunk in chunks_of(source)] == [
        "Rope",
        "Rope › Care",
        "Rope › Care › Drying",
        "Rope › Use",
    ]


def test_a_long_section_gives_even_passages_and_no_crumb() -> None:
    lengths = [len(chunk.text.split()) for chunk in chunks_of(source_of(prose(3), prose(20), prose(1)))]
    assert sum(lengths) == 24 * 15
    assert all(LEAST_WORDS <= length <= MOST_WORDS for length in lengths)


def test_sentences_are_not_cut_at_abbreviations_or_inside_code() -> None:
    words = "Use a knot, e.g. a bowline. Call rope.tie(). Now pull. " * 12
    start = words.index("rope.tie()")
    block = Block(
        kind="paragraph", start=0, end=len(words.rstrip()), marks=(Mark(kind="code", start=start, end=start + 10),)
    )
    source = Source(name="a.md", title="A", media_type="text/plain", text=words, blocks=(block,))
    for chunk in chunks_of(source):
        assert chunk.text.endswith(("bowline.", "tie().", "pull."))
        assert chunk.text.startswith(("Use", "Call", "Now"))


def test_a_listing_and_a_table_stay_whole_and_beside_what_announces_them() -> None:
    code = "\n".join(f"line {n} of the listing" for n in range(100))
    lead: Piece = ("paragraph", "Now run this listing:", 0, "")
    source = source_of(prose(12), lead, ("code", code, 0, ""), prose(12))
    [holder] = [chunk for chunk in chunks_of(source) if "line 0 " in chunk.text]
    assert code in holder.text
    assert "Now run this listing:\n\nline 0" in holder.text


def test_what_is_not_for_learners_is_in_no_passage() -> None:
    source = source_of(prose(3), ("paragraph", "Ask the tutor for the key.", 0, "skip"), prose(3))
    chunks = chunks_of(source)
    assert len(chunks) == 2
    assert not any("tutor" in chunk.text for chunk in chunks)


def test_no_blocks_are_no_passages() -> None:
    assert chunks_of(source_of()) == ()


KINDS = st.sampled_from(["paragraph", "item", "code", "table", "quote", "heading", "output"])
WORD = st.sampled_from(["rope", "knot.", "Every", "e.g.", "pull!", "Now", "“Hold.”", "3.5", "this:", "縄。"])
WORDS = st.lists(WORD, min_size=1, max_size=400)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(KINDS, WORDS.map(" ".join), st.integers(1, 4), st.sampled_from(["", "", "note", "skip"])), max_size=12
    )
)
def test_passages_hold_every_block_once_in_order_and_cut_only_between_sentences(pieces: list[Piece]) -> None:
    source = source_of(*pieces)
    chunks = chunks_of(source)
    end = 0
    for chunk in chunks:
        assert end <= chunk.start < chunk.end
        assert chunk.text == source.text[chunk.start : chunk.end] == chunk.text.strip()
        end = chunk.end
    for block in source.blocks:
        inside = [chunk for chunk in chunks if chunk.start < block.end and block.start < chunk.end]
        if block.kind == "heading" or block.role == "skip":
            assert not inside
        elif block.kind in ("code", "table", "output"):
            assert len(inside) == 1
        else:
            held = sum(len(source.text[max(c.start, block.start) : min(c.end, block.end)].split()) for c in inside)
            assert held == len(source.text[block.start : block.end].split())
