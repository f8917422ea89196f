"""What a model wrote, made fit to stand in a document; and whether the words that it cites carry it.

The documents hold plain text: markup, addresses and signs that no source holds do not survive.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from service.domain.source import Cite
from service.domain.support import judge

_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_ADDRESS = re.compile(r"(?:\b[a-z][a-z0-9+.-]*://|\bwww\.|\b(?:javascript|data|mailto):)[^\s'\"<>]+", re.I)
_TAG = re.compile(r"<[/!]?[a-z][^>]*>", re.I)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]|[\U000e0000-\U000e007f]")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_FACT = re.compile(r"\d|\b(?:because|means that|is an?|are called|causes?|therefore|according to)\b", re.I)


def clean(text: str, evidence: str) -> str:
    """One line of plain text. A link keeps its words; an address or a tag stays only when the evidence holds it."""
    plain, before = " ".join(_CONTROL.sub("", text).split()), ""
    while plain != before:  # what is taken out may have held two halves of something apart; each round is shorter
        before = plain
        plain = _LINK.sub(r"\1", plain)
        plain = _TAG.sub(lambda found: found[0] if found[0] in evidence else "", plain)
        plain = _ADDRESS.sub(lambda found: found[0] if found[0].rstrip(".,;)?") in evidence else "", plain)
    return " ".join(plain.split())


def states_a_fact(text: str) -> bool:
    """Whether a sentence that claims to be a signpost tells something that needs a proof."""
    return not text.rstrip().endswith("?") and (bool(_FACT.search(text)) or len(text.split()) > 24)


def invents_figures(text: str, cites: Sequence[Cite]) -> bool:
    """Whether the text has a figure that none of the quotes has."""
    return not set(_NUMBER.findall(text)) <= {n for cite in cites for n in _NUMBER.findall(cite.quote)}


def objections(text: str, cites: Sequence[Cite]) -> tuple[str, ...]:
    """What speaks against the sentence in the quotes that it names; nothing when they carry it, or nearly do."""
    verdict = judge(text, [cite.quote for cite in cites])
    return (verdict.faults or ("hardly a word of it stands there",)) if verdict.state == "unsupported" else ()
