"""Differences as people read them."""

from __future__ import annotations

import random

from service.domain.diff import Stretch, paired, text_of, word_changes
from service.domain.lesson import Claim, ListBlock


def test_a_changed_word_is_marked_inside_its_sentence() -> None:
    assert word_changes("Bake for 20 minutes.", "Bake for 25 minutes.") == (
        Stretch("same", "Bake for "),
        Stretch("gone", "20"),
        Stretch("new", "25"),
        Stretch("same", " minutes."),
    )


def test_neighbouring_changes_are_one_and_texts_that_share_nothing_are_shown_whole() -> None:
    changes = word_changes("The old red house stands here.", "The new blue house stands here.")
    assert [(one.kind, one.text) for one in changes if one.kind != "same"] == [("gone", "old red"), ("new", "new blue")]
    before, after = "Yeast lifts the dough.", "Steam keeps a crust soft while loaves expand"
    assert word_changes(before, after) == (Stretch("gone", before), Stretch("new", after))


def test_both_texts_can_be_read_back_from_the_difference() -> None:
    dice = random.Random(5)
    words = ["a", "b", "cc", "d.", "e,", "ff", "\n", "g’s"]
    for _ in range(300):
        before, after = (" ".join(dice.choices(words, k=dice.randrange(12))) for _ in range(2))
        found = word_changes(before, after)
        assert "".join(one.text for one in found if one.kind != "new") == before
        assert "".join(one.text for one in found if one.kind != "gone") == after


def test_pieces_are_paired_in_order_and_none_is_lost() -> None:
    pairs = paired(["a1", "b1", "c1"], ["a1", "x1", "b2", "d1"], lambda one, other: one[0] == other[0])
    assert [(pair.before, pair.after, pair.same) for pair in pairs] == [
        ("a1", "a1", True),
        (None, "x1", False),
        ("b1", "b2", False),
        ("c1", None, False),
        (None, "d1", False),
    ]


def test_a_list_is_read_entry_by_entry() -> None:
    items = ((Claim(text="Mix."), Claim(text="Wait.")), (Claim(text="Bake."),))
    assert text_of(ListBlock(id="b", items=items)) == "• Mix. Wait.\n• Bake."
    assert text_of(ListBlock(id="b", items=items, ordered=True, first_number=3)) == "3. Mix. Wait.\n4. Bake."
