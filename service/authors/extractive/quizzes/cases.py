"""The question of a sentence that says what holds, happens or is to be done in a case: "If …, …", "…, when …"."""

from __future__ import annotations

import re

from service.authors.extractive.language.clauses import (
    HANGS,
    LOOSE,
    STATIVE,
    is_case,
    is_order,
    is_passive,
    states_by_itself,
)
from service.authors.extractive.quizzes.asked import Asked

_CASE = re.compile(
    r"^(?P<when>If|When|Whenever|Once|As soon as|After|Before) (?P<case>[^,:;()“”\"]{8,110}), (?:then )?"
    r"(?P<then>.{8,})$"
)
_TAIL_CASE = re.compile(r"^(?P<then>.{8,}?),? (?P<when>if|when|whenever|after|before) (?P<case>[^,:;()“”\"]{8,110})$")
_NO_CASE = re.compile(
    r"(?:at|in|on|for|with|by|from|inside|outside|within|used|given|needed|set|possible|necessary|and|or)\b"
)
# What is only imagined is the story of an example: "if we had several counters, they could …".
_IMAGINED = re.compile(r"\b(?:had|were|would|could)\b|\b(?:application|user|person|server|company|process) [A-Z]\b")
# A word to the reader, or the story's next turn, tells nothing of the matter: "if you don't believe me, try it".
_TO_READERS = re.compile(
    r"you(?:[’']re| are)? (?:don[’']t believe|believe|familiar|interested|wondering|curious|playing|lucky|done|ready)\b"
)
_TURN = re.compile(
    r"(?:the (?:next|only|first|other) \w+ (?:is|are)|you can be|this|these|that)\b|.{0,20}\b(?:this|these) "
)
# A comma may close a case or open an aside: "If you run a server, especially one that …, install stable".
_ASIDE = re.compile(
    r"(?:say|especially|particularly|in particular|including|such as|for (?:example|instance)|or|and|but|which|who|"
    r"whose|where|whether|with|without|like|as|i\.e\.|e\.g\.|that is|namely|not|even|rather than|instead of|except|"
    r"\w+ing)\b,?"
)
# "executes a break, continue or return, …", "unwrap a None, index out of bounds, or divide by 0, …"
_MORE_OF_A_LIST = re.compile(r"(?:[\w-]+ ){1,3}(?:or|and) [\w-]+(?: [\w-]+)?, |[^,]+, (?:or|and) [^,]+, ")
_NO_HOLDER = re.compile(r"[a-z]+s (?:the|an?|all|each) ")  # the description of an option: "gives the number of …"
_DUTY = re.compile(
    r"^(?:please |then |first |always |never |do not |don[’']t |"
    r"you (?:must|should|need to|have to|will need to|can|may) )",
    re.IGNORECASE,
)
_EMPTY = re.compile(
    r"(?:it(?:[’']s| is| can be| may be)|there (?:is|are|may)) (?:an? )?"
    r"(?:easy|good|time|chance|important|possible|best|useful|hard|fine|likely|unlikely)\b"
)
_REQUIRED = re.compile(r"\b(?:must|should|needs? to|ha(?:s|ve) to)\b")
_ALLOWED = re.compile(r"\b(?:can|may)\b(?! (?:not|only)\b)")


def case_asked(text: str, named: bool) -> Asked | None:
    """What is to be done or what happens in the case that the sentence names; `named`: it opens with a name."""
    match = _CASE.match(text)
    if match:
        when, case, then = match["when"].lower(), match["case"], match["then"]
    elif not named and (match := _TAIL_CASE.match(text)) and _is_plain_order(match["then"]):
        when, case, then = match["when"], match["case"], match["then"]
    else:
        return None
    if _is_unclear(case, then, when):
        return None
    if when == "if" and case.split(maxsplit=1)[0].endswith("ing"):
        when = "when"
    if _DUTY.match(then) or (is_order(then) and (then[:1].islower() or match.re is _TAIL_CASE)):
        can = "can" if re.match(r"you (?:can|may) ", then, re.IGNORECASE) else "should"
        return Asked("do", f"What {can} you do {when} {case}?", case, then, f"{when} {case}")
    if when == "before" or re.match(r"(?:we|I|let[’']s)\b", then) or not states_by_itself(then):
        return None
    if _EMPTY.match(then) or LOOSE.search(then[:50]):
        return None
    return Asked("happens", f"What {_asks(then)} {when} {case}?", case, then, f"{when} {case}")


def _is_unclear(case: str, then: str, when: str) -> bool:
    """Whether it is no case, or only imagined, or what follows is an aside or sends the reader elsewhere."""
    if _TO_READERS.match(case) or _TURN.match(then) or _NO_HOLDER.match(then):
        return True
    if _NO_CASE.match(case) or not is_case(case, when) or (when == "if" and _IMAGINED.search(case)):
        return True
    if (
        re.match(r"\d", then)
        or _ASIDE.match(then)
        or _MORE_OF_A_LIST.match(then)
        or re.search(r"\b(?:see|refer to|consult) ", then)
    ):
        return True
    return re.search(r"\b(?:that|which|who) (?:is|are) \w+$", then) is not None


def _asks(then: str) -> str:
    opening = then[:60]
    if _REQUIRED.search(opening):
        return "is required"
    first = STATIVE.search(opening)
    if first is None or is_passive(opening):
        return "happens"
    return "is possible" if _ALLOWED.match(opening[first.start() :]) else "is true"


def _is_plain_order(text: str) -> bool:
    return is_order(text) and not HANGS.search(text) and not re.search(r" [–—-] ", text)
