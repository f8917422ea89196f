"""Finds the term that a sentence defines, by the shape of the sentence; strict, because a wrong term embarrasses."""

from __future__ import annotations

import re

Marks = tuple[tuple[str, int, int], ...]

_I = re.IGNORECASE
_IS_A = re.compile(
    r"^(?:An?\s+|The\s+)?(?P<term>[A-Za-z][\w’'+#.-]*(?: [\w’'+#.()-]+){0,4}?),?(?: \([A-Z][\w-]{1,9}\))? "
    r"(?P<verb>is|are|refers? to|means|describes|denotes|is defined as|consists? of) "
    r"(?P<meaning>(?:an?|the|any|when|how|one|to|where|our|simply|used|called)\b.{18,})",
    re.DOTALL,
)
_CALLED = re.compile(
    r"\b(?:(?:is|are) (?:often |sometimes |usually |also )?(?:called|known as|referred to as|termed)|called|known as) "
    r"(?:an? |the )?[“\"]?(?P<term>[A-Za-z][\w’'-]+(?: [\w’'-]+){0,2})[”\"]?"
    r"(?=[.,;)]|$| (?:and|which|that|because)\b)"
)
_COLON = re.compile(r"^(?P<term>[A-Z`“\"][\w’'“”\"()/&+. -]{1,48}?)\s*(?::|\s[-–—])\s+(?P<meaning>.{20,})", re.DOTALL)
_NOT_A_TERM = re.compile(
    r"^(?:however|exercises?|this|that|these|those|it|they|there|here|what|which|who|he|she|we|you|i|one|each|some|many|most|another|other|"
    r"such|example|note|answer|goal|purpose|result|problem|reason|idea|way|thing|first|second|only|following|key|step|"
    r"important|next|question|point|case|if|when|while|for|in|on|at|as|because|although|not|to|by|with|from|all|any|"
    r"every|no|both|even|since|above|below|last|best|main|rest|advantage|drawback)\b|"
    r"\b(?:this|these|that|which|it|is|are|was|who|can|will|not|very|if|when|you|we|most|following|also|only|main|and|"
    r"your|our|my|reads?|says)\b|\bas$",
    _I,
)
_DOING = re.compile(r"\w+ing (?:the|an?|one|each|every|all|its|their|his|her|any|some)\b", _I)  # an act, not a term
_LABEL = re.compile(
    r"^(?:failures?|pass(?:es)?|success|notes?|tips?|disclaimer|name|examples?|warning|important|answers?|questions?|"
    r"solution|step \w+|figure.*|table.*|hint|caution|pros|cons|update|further information|bad|good|correct|incorrect|"
    r"output|input|usage|when|why|how|what|who|do|don.t|recommendation|title|date|time|yes|no)$",
    _I,
)
_WEAK_GENUS = re.compile(
    r"(?:a number of|(?:an? |the )?(?:\w+ ){0,2}(?:failure|way|good|great|common|important|fundamental|essential|"
    r"specialized|different|brand-new|lot|few|example|result|most|same|first|only|next|best|problem|mistake|error|reason|"
    r"responsib\w*|key|simple|easy|tricky|interesting|idea|answer|must|right|wrong|perfect|bit|better|little|matter|"
    r"place to|thing)\b)"
)
_WEAK_OPENING = re.compile(r"(?:to|how|when|where|one|our|used|simply|called|any)\b")
_TELLING_OPENING = ("the need", "to see", "when ")


def definition(text: str, marks: Marks = ()) -> tuple[str, str] | None:
    """The term and its meaning, or None. The meaning is empty when the sentence only names the term."""
    return _by_colon(text, marks) or _by_copula(text, marks) or _by_name(text, marks)


def _by_colon(text: str, marks: Marks) -> tuple[str, str] | None:
    match = _COLON.match(text)
    if not match or not any(kind in ("strong", "term") and start <= 2 for kind, start, _ in marks):
        return None
    term, meaning = match["term"], match["meaning"]
    if _NOT_A_TERM.search(term) or _LABEL.match(_bare(term)) or len(term.split()) > 6:
        return None
    if re.match(r"[\"“]|http|(?:there|either|if|when|on|in|at|for|by|to|as)\b", meaning, _I):
        return None
    return _bare(term), meaning


def _by_copula(text: str, marks: Marks) -> tuple[str, str] | None:
    match = _IS_A.match(text)
    if not match:
        return None
    term, meaning = match["term"], match["meaning"]
    if _bad_term(term) or _WEAK_GENUS.match(meaning) or "because" in meaning or meaning.startswith("to be abl"):
        return None
    if re.match(r"(?:called\b|\S+ \S+ and (?:is|are)\b|(?:\S+ ){2}as well as\b)", meaning):
        return None
    marked = any(kind in ("term", "strong") for kind, _, _ in marks)
    vague = match["verb"] in ("is", "are") and _WEAK_OPENING.match(meaning) and not meaning.startswith(_TELLING_OPENING)
    return None if vague and not marked else (_bare(term), meaning)


def _by_name(text: str, marks: Marks) -> tuple[str, str] | None:
    match = _CALLED.search(text)
    if not match or _NOT_A_TERM.search(match["term"]):
        return None
    term = match["term"].lower()
    for kind, start, end in marks:
        if kind in ("term", "strong", "emphasis") and text[start:end].strip(" .,").lower() in term:
            return _bare(match["term"]), ""
    return None


def _bad_term(term: str) -> bool:
    if _NOT_A_TERM.search(term) or _DOING.match(term) or len(term.split()) > 4 or len(term) < 3:
        return True
    return bool(re.search(r"ly$|’s$", term)) or "'s " in term or "’s " in term


def _bare(term: str) -> str:
    return re.sub(r"^[“\"`]|[”\"`]$", "", term.strip(' .,:*“”"')).strip()
