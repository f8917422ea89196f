"""What an instructor's wish says about length, so that “shorter” is verified and any other wish keeps the length."""

from __future__ import annotations

import re
from typing import Literal

Length = Literal["shorter", "longer", "same"]

# In the languages that a brief offers. A wish that names neither is held to the length that stands; one that names both
# (“shorter, and add an example”, “explain why the shorter way works”) has the room of a longer one.
_SHORTER = re.compile(
    r"\b(?:shorten|shorter|make (?:it|this) (?:short|brief)|briefer|more briefly|concise(?:ly)?|condense|tighten|trim"
    r"|fewer words|less text|in half"
    r"|kürze[rn]?|knapper|plus court|raccourci\w*|más cort[oa]|acort\w*|più breve|accorcia\w*|korter|inkorten)\b",
    re.I,
)
_LONGER = re.compile(
    r"\b(?:longer|lengthen|expand|extend|elaborate|add|more|detail\w*|examples?|explain|länger|ausführlich\w*"
    r"|beispiele?|ergänz\w*|plus long|exemples?|ajout\w*|más largo|ejemplos?|añad\w*|più lung[oa]|esemp\w*"
    r"|aggiung\w*|langer|voorbeeld\w*|uitgebreid\w*)\b",
    re.I,
)
_MORE_OF_A_WAY = re.compile(r"\bmore (?:concise|brief|compact|simpl|formal|friendl|precise|direct)\w*\b", re.I)
KEPT = (0.6, 1.5)  # of the words that stood there, when the wish says nothing about length
ROOM_WORDS = 12  # that a short part may differ by all the same
MOST_TIMES = 4  # so much longer may a part become that is to be longer


def length_wished(wish: str) -> Length:
    """Whether the wish asks for fewer words, for more, or for neither."""
    if _LONGER.search(_MORE_OF_A_WAY.sub("", wish)):
        return "longer"
    return "shorter" if _SHORTER.search(wish) else "same"


def length_fault(before: str, after: str, wish: str) -> str:
    """What is wrong with the length of a part that was made anew, '' for nothing."""
    had, has = len(before.split()), len(after.split())
    match length_wished(wish):
        case "shorter" if has >= had:
            return f"It was to be shorter, and it has {has} words where {had} stood."
        case "longer" if has > had * MOST_TIMES + 4 * ROOM_WORDS:
            return f"It has {has} words where {had} stood: stay below {had * MOST_TIMES + 4 * ROOM_WORDS}."
        case "same":
            low, high = round(had * KEPT[0]) - ROOM_WORDS, round(had * KEPT[1]) + ROOM_WORDS
            if not low <= has <= high:
                return f"It has {has} words where {had} stood: keep the length, {max(1, low)} to {high} words."
    return ""
