"""What a model wrote, made fit to stand in a document; and whether the words that it cites carry it.

The documents hold plain text: markup, addresses and signs that no source holds do not survive.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from service.domain.chunks import sentences_of
from service.domain.lesson import Claim
from service.domain.source import Block
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


def only_asks(text: str) -> bool:
    """Whether it is a question and nothing besides: “It boils at 90 °C. Did you know?” is also a claim."""
    spans = sentences_of(text, Block(kind="paragraph", start=0, end=len(text)))
    return bool(spans) and all(text[start:end].rstrip("\"'”’) ").endswith("?") for start, end in spans)


def states_a_fact(text: str) -> bool:
    """Whether a sentence that claims to be a signpost tells something that needs a proof."""
    return not only_asks(text) and (bool(_FACT.search(text)) or len(text.split()) > 24)


def words_behind(claims: Iterable[Claim]) -> tuple[str, ...]:
    """What sentences stand on: the words that they cite, or their own where they cite nothing."""
    return tuple(text for claim in claims for text in [cite.quote for cite in claim.cites] or [claim.text])


def invents_figures(text: str, proofs: Iterable[str]) -> bool:
    """Whether the text has a figure that none of its proofs has."""
    return not set(_NUMBER.findall(text)) <= {number for proof in proofs for number in _NUMBER.findall(proof)}


def objections(text: str, proofs: Iterable[str]) -> tuple[str, ...]:
    """What speaks against the sentence in what it stands on; nothing when that carries it, or nearly does."""
    verdict = judge(text, proofs)
    return (verdict.faults or ("hardly a word of it stands there",)) if verdict.state == "unsupported" else ()
