"""What a newer version of a source touches, exactly: every planted edit is found, and nothing else is."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.drift import Drift
from service.domain.source import Block, Source

RECIPE = (
    ("heading", "Baking"),
    ("paragraph", "Bake the loaf for 40 minutes. Steam keeps the crust soft. Let the loaf cool for two hours."),
    ("heading", "Storing"),
    ("paragraph", "Keep the loaf in linen. Steam keeps the crust soft. Bread in plastic goes mouldy within days."),
    ("code", "weigh flour\nadd water\nstir"),
)  # fmt: skip
WORDS = re.findall(r"\w+", "river stone lamp garden winter copper letter bridge candle forest mirror thunder silver")


def source(blocks: Sequence[tuple[str, str]]) -> Source:
    body, found = "", []
    for kind, text in blocks:
        found.append(Block(kind=kind, start=len(body), end=len(body) + len(text)))  # type: ignore[arg-type]
        body += text + "\n\n"
    return Source(name="a.md", title="A", media_type="text/markdown", text=body, blocks=tuple(found))


def fate(blocks: Sequence[tuple[str, str]], quote: str, before: Sequence[tuple[str, str]] = RECIPE) -> tuple[str, str]:
    """What became of the quote, and what stands there now."""
    old, new = source(before), source(blocks)
    start = old.text.index(quote)
    found = Drift(old, new).of(start, start + len(quote))
    return found.state, new.text[found.start : found.end]


def with_text(old: str, new: str) -> list[tuple[str, str]]:
    return [(kind, text.replace(old, new)) for kind, text in RECIPE]


@pytest.mark.parametrize(
    ("blocks", "quote", "expected"),
    [
        (with_text("40", "45"), "Bake the loaf for 40 minutes.", ("changed", "Bake the loaf for 45 minutes.")),
        (with_text("40", "45"), "Let the loaf cool for two hours.", ("kept", "Let the loaf cool for two hours.")),
        (with_text("40", "45"), "Bake the loaf", ("kept", "Bake the loaf")),
        (with_text(" Let the loaf cool for two hours.", ""), "Let the loaf cool for two hours.", ("gone", "")),
        (RECIPE[2:] + RECIPE[:2], "Keep the loaf in linen.", ("kept", "Keep the loaf in linen.")),
        (RECIPE[:2], "Keep the loaf in linen.", ("gone", "")),
        (with_text("the loaf", "the\n  loaf"), "Keep the loaf in linen.", ("kept", "Keep the\n  loaf in linen.")),
        (with_text("add water", "add warm water"), RECIPE[4][1], ("changed", "weigh flour\nadd warm water\nstir")),
        (with_text("add water", "add water\nsalt"), RECIPE[4][1], ("changed", "weigh flour\nadd water\nsalt\nstir")),
        (with_text("40 minutes. Steam", "40 minutes, and steam"), "Bake the loaf for 40 minutes.",
         ("changed", "Bake the loaf for 40 minutes, and steam keeps the crust soft.")),
        (with_text("Bread in plastic goes", "Bread in plastic: it goes"), "goes mouldy within days",
         ("kept", "goes mouldy within days")),
    ],
)  # fmt: skip
def test_a_quote_is_kept_changed_or_gone(
    blocks: Sequence[tuple[str, str]], quote: str, expected: tuple[str, str]
) -> None:
    assert fate(blocks, quote) == expected


def test_of_a_sentence_that_stands_twice_only_the_one_that_changed_is_touched() -> None:
    blocks = [*RECIPE]
    blocks[3] = ("paragraph", RECIPE[3][1].replace("Steam keeps", "Steam never keeps"))
    old, new = source(RECIPE), source(blocks)
    first, second = (match.start() for match in re.finditer("Steam keeps", old.text))
    length = len("Steam keeps the crust soft.")
    drift = Drift(old, new)
    assert drift.of(first, first + length).state == "kept"
    found = drift.of(second, second + length)
    assert (found.state, new.text[found.start : found.end]) == ("changed", "Steam never keeps the crust soft.")


def test_a_sentence_that_opens_two_sections_goes_with_its_own_when_they_change_places() -> None:
    sections = [("paragraph", "Wash your hands. Take flour."), ("paragraph", "Wash your hands. Take the bees out.")]
    old = source(sections)
    new = source([sections[1], ("paragraph", "Wash your hands twice. Take flour.")])
    drift, length = Drift(old, new), len("Wash your hands.")
    first, second = (match.start() for match in re.finditer("Wash", old.text))
    assert drift.of(first, first + length).state == "changed"
    assert drift.of(second, second + length).start == 0


def test_quotation_marks_and_dashes_of_another_look_are_no_change() -> None:
    before = [("paragraph", "She said “stop” – and it’s over.")]
    after = [("paragraph", 'She said "stop" - and it\'s over.')]
    assert fate(after, before[0][1], before) == ("kept", after[0][1])


def test_a_planned_passage_follows_its_sections_and_takes_in_what_is_put_between() -> None:
    old = source(RECIPE)
    added = source([*RECIPE[:1], ("paragraph", "This is new."), *RECIPE[1:]])
    [(start, end)] = Drift(old, added).spans(0, old.text.index("Storing"))
    assert added.text[start:end].startswith("Baking\n\nThis is new.\n\nBake")
    assert added.text[start:end].endswith("two hours.")
    apart = source([*RECIPE[1:2], *RECIPE[2:], *RECIPE[:1]])
    assert len(Drift(old, apart).spans(0, old.text.index("Storing"))) == 2


@dataclass(frozen=True)
class Edit:
    """An edit of one sentence of a text: another number, a word more, or the sentence taken out."""

    place: int
    kind: str


@st.composite
def edited(draw: st.DrawFn) -> tuple[list[list[str]], list[Edit]]:
    """Sections of sentences that are all different, some of them alike, and edits of different ones."""
    seed, sections = draw(st.integers(0, 10_000)), draw(st.integers(2, 6))
    rng = random.Random(seed)
    text = [
        [
            f"{' '.join(rng.sample(WORDS, 5)).capitalize()} {number}x{section} holds {rng.randint(2, 99)} units."
            for number in range(rng.randint(2, 6))
        ]
        for section in range(sections)
    ]
    count = sum(map(len, text))
    places = draw(st.lists(st.integers(0, count - 1), unique=True, max_size=count // 3))
    kinds = draw(st.lists(st.sampled_from(["number", "word", "gone"]), min_size=len(places), max_size=len(places)))
    return text, [Edit(place, kind) for place, kind in zip(places, kinds, strict=True)]


def rewritten(sentence: str, kind: str) -> str:
    if kind == "number":
        return re.sub(r"holds \d+", "holds 100", sentence)
    return sentence.replace("holds", "hardly holds") if kind == "word" else ""


@settings(max_examples=80, deadline=None)
@given(edited(), st.integers(0, 10_000))
def test_exactly_the_edited_sentences_are_touched_whatever_moves_around_them(
    given_text: tuple[list[list[str]], list[Edit]], seed: int
) -> None:
    text, edits = given_text
    rng = random.Random(seed)
    flat = [sentence for section in text for sentence in section]
    now = list(flat)
    for edit in edits:
        now[edit.place] = rewritten(flat[edit.place], edit.kind)
    sections, at = [], 0
    for section in text:
        sections.append([one for one in now[at : at + len(section)] if one])
        at += len(section)
    rng.shuffle(sections)
    sections.insert(rng.randint(0, len(sections)), ["A section of its own is put in.", "Nothing was made from it."])
    space = rng.choice([" ", "  ", "\n"])
    old = source([("paragraph", " ".join(section)) for section in text])
    new = source([("paragraph", space.join(section)) for section in sections if section])
    drift = Drift(old, new)
    touched = {edit.place: edit for edit in edits}
    for place, sentence in enumerate(flat):
        start = old.text.index(sentence)
        found = drift.of(start, start + len(sentence))
        stands = " ".join(new.text[found.start : found.end].split())
        if place not in touched:
            assert (found.state, stands) == ("kept", sentence)
        elif any(edit.kind == "gone" for edit in edits):
            assert found.state != "kept"  # of several, one may look like a new wording of another
        elif touched[place].kind == "gone":
            assert found.state == "gone"
        else:
            assert (found.state, stands) == ("changed", rewritten(sentence, touched[place].kind))


def test_a_text_of_100_000_words_is_compared_without_comparing_each_sentence_with_each() -> None:
    """Each with each would be fifty million pairs, and no test would wait for them."""
    rng = random.Random(1)
    vocabulary = [f"word{number}" for number in range(3_000)]
    flat = [f"{' '.join(rng.choices(vocabulary, k=14))}." for _ in range(7_000)]  # about 100,000 words
    now = [one.replace(" ", " another ", 1) if place % 9 == 0 else one for place, one in enumerate(flat)]
    old = source([("paragraph", " ".join(flat[at : at + 7])) for at in range(0, len(flat), 7)])
    new = source([("paragraph", " ".join(now[at : at + 7])) for at in range(0, len(now), 7)])
    drift = Drift(old, new)
    start = old.text.index(flat[9])
    assert drift.of(start, start + len(flat[9])).state == "changed"
