"""The question that a lesson opens with: the source's own, else what its first objectives answer.

An objective says what learners will do; asked the other way round it is a question that they cannot answer yet. One
that asks nothing in particular (“What do you need to know about…?”) wakes no curiosity, so it is asked last.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from service.authors.extractive.language.key_phrases import split_subject
from service.authors.extractive.language.lexicon import ACTION_VERBS
from service.authors.extractive.language.sentences import Sentence
from service.authors.extractive.language.verb_forms import base_verb, word_classes
from service.authors.extractive.language.words import Casing, capitalized, rank
from service.domain.course import Objective

_NOT_ASKED_HOW = frozenset(
    ("describe", "explain", "identify", "recognize", "discuss", "define", "apply", "list", "distinguish", "compare",
     "follow", "summarize", "show", "state", "name", "outline", "interpret")
)  # fmt: skip
_SAYS = r"(?:Explain|Describe|Discuss|Show|Identify|List|Summarize|State|Name|Outline)"
_SHAPES = tuple(
    (re.compile(pattern), question)
    for pattern, question in (
        (r"Explain what (?P<x>.+) (?P<be>is|are)$", "What exactly {be} {x}?"),
        (rf"{_SAYS} what (?P<x>[^,]+) (?P<be>is|are) and .+$", "What exactly {be} {x}?"),
        (r"Compare (?P<x>.+) with (?P<y>.+)$", "How do {x} and {y} differ, and why does it matter?"),
        (r"Distinguish between (?P<x>.+) and (?P<y>.+)$", "What sets {x} apart from {y}?"),
        (r"Distinguish (?P<x>.+) from (?P<y>.+)$", "What sets {x} apart from {y}?"),
        (r"Follow the steps (?:for|of) (?P<x>.+)$", "What are the steps of {x}?"),
        (r"Apply the rules for (?P<x>.+)$", "Which rules hold for {x}?"),
        (r"Define (?P<x>.+ and .+)$", "What do {x} mean?"),
        (r"Define (?P<x>.+)$", "What does {x} mean?"),
        (rf"{_SAYS} how to (?P<x>.+)$", "How do you {x}?"),
        (rf"{_SAYS} what to (?P<x>.+)$", "What should you {x}?"),
        (rf"{_SAYS} when to (?P<x>.+)$", "When should you {x}?"),
        (
            rf"{_SAYS} (?P<w>why|how) (?P<x>(?:(?!\b(?:that|which|who)\b).)+?) "
            r"(?P<be>is|are|can|must|should|may|will) (?P<y>.+)$",
            "{w} {be} {x} {y}?",
        ),
    )
)
_VERB_CLAUSE = re.compile(rf"{_SAYS} (?P<w>why|how) (?P<clause>.+)$")
_THE_THING = re.compile(rf"{_SAYS} (?P<x>the (?P<head>.+?)(?: (?:of|that|which|in|for|to|with|between|behind)\b.*)?)$")
_SENTENCE = re.compile(r"\b(?:is|are|was|were|do|does|can|should|must|you|we)\b")
_ABOUT = re.compile(r"^(?:an? |the )?(?:introduction to|overview of|basics of) ", re.IGNORECASE)
_OPEN = (
    "What would you tell somebody who asks about {topic}?",
    "What is worth knowing about {topic}?",
    "What do you know about {topic}, and what is missing?",
)


def hook_question(
    title: str, objectives: Sequence[Objective], own_questions: Sequence[Sentence], casing: Casing
) -> str:
    """The question that the lesson answers: the source's own, else one made of an objective, else of its title."""
    if own_questions:
        own = own_questions[0].text
        return own.rstrip(" .") if own.endswith("?") else own + "?"
    for objective in objectives:
        question = _asked(objective.text.rstrip("."), casing)
        if question:
            return question
    topic = casing.inside(title)
    if re.match(r"(?:why|how|what|when|are|is|do)\b", topic):
        return title.rstrip("?:. ") + "?"
    if _SENTENCE.search(topic):
        return f"What does it mean to say: “{title.rstrip('.')}”?"
    place = int(rank("hook", [title]), 16) % len(_OPEN)
    return _OPEN[place].format(topic=casing.with_article(_ABOUT.sub("", topic)))


def _asked(aim: str, casing: Casing) -> str:
    """The objective as a question; '' where its form allows none that is sure to be grammatical."""
    for pattern, question in _SHAPES:
        found = pattern.match(aim)
        if found:
            return capitalized(question.format(**found.groupdict()))
    clause = _VERB_CLAUSE.match(aim)
    if clause:
        return _of_clause(clause["w"], clause["clause"])
    thing = _THE_THING.match(aim)
    if thing:
        head = thing["head"].split()[-1].lower()
        plural = head.endswith("s") and not head.endswith(("ss", "us", "is")) and "NOUN" in word_classes(head)
        return f"What {'are' if plural else 'is'} {thing['x']}?"
    verb = aim.split(" ", maxsplit=1)[0].lower()
    if verb in ACTION_VERBS | {"resolve", "test"} and verb not in _NOT_ASKED_HOW:
        return f"How do you {casing.lowered(aim)}?"
    return ""


def _of_clause(asks: str, clause: str) -> str:
    """“why yeast makes gas” → “Why does yeast make gas?”; '' where the verb is not sure."""
    parts = split_subject(capitalized(clause))
    if parts is None:
        return ""
    subject = clause[: len(parts[0])]
    verb, _, rest = parts[1].partition(" ")
    base = base_verb(verb)
    if not base or not clause.startswith(f"{subject} {verb}"):
        return ""
    return f"{capitalized(asks)} {'do' if base == verb else 'does'} {subject} {base} {rest}?"
