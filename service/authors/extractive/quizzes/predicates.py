"""A statement split before its verb: who it is about stands in the question, what is said of it is the answer."""

from __future__ import annotations

import re

from service.authors.extractive.language.clauses import FIRST_PERSON, HANGS, HANGS_IN_ANSWER, LOOSE, is_noun_phrase
from service.authors.extractive.language.key_phrases import split_subject
from service.authors.extractive.language.sentences import Sentence
from service.authors.extractive.language.verb_forms import base_verb
from service.authors.extractive.language.words import stems, words
from service.authors.extractive.quizzes.asked import Asked

SHORTEST, LONGEST = 8, 34  # words of a sentence that is asked for
LEAST_SAID = 5  # words of what it says
_AUXILIARY = re.compile(r"(?:is|are|was|were|has|have|can|cannot|may|must|should|will|does|do)\b")
_UNFIT = re.compile(
    r"\b(?:following|above|below|earlier|later|so far|recall|notice|suppose|imagine|today|now|currently|examples?|"
    r"figure|table|listing|section|chapter|lesson|page|document|guide|he|she|his|her|him)\b|[:…“”\"]|\be\.g\.|"
    r"\b(?:1[4-9]|20)\d\d\b",
    re.IGNORECASE,
)
# What somebody thinks of it, what it is for the moment, or an aim whose holder is the sentence before.
_WEAK = re.compile(
    r"(?:is|are|was|were) (?:\d|(?:(?:very|rather|quite|also|often|not|always|usually) )*(?:to|for|up to|"
    r"(?:an? |the |one of the )?"
    r"(?:interesting|important|tricky|special|nice|good|great|bad|fine|key|common|simple|easy|hard|difficult|"
    r"complicated|useful|powerful|similar|different|same|first|only|next|best|most|following))\b)"
)
_IS = re.compile(r"(?:is|are|was|were) ")
# What it is or what is done with it, not how it is: "is free to choose", "is fairly compact".
_IS_WHAT = re.compile(
    r"(?:is|are|was|were) (?:\w+ly |also |often |always |never |not )?"
    r"(?:an?|the|any|one|\w+ed|\w+en|\w+wn|made|set|built|"
    r"kept|sent|held|read|meant|found|told)\b"
)
_NO_SUBJECT = re.compile(
    r"\w+ing \w|(?:an? |the )?(?:first|second|third|fourth|final|last|other|next|only|main) ", re.IGNORECASE
)


def predicate_asked(sentence: Sentence) -> Asked | None:
    """What the sentence says of its subject; None where it is unsure what that is, or means nothing by itself."""
    if not sentence.cites or not sentence.usable or not sentence.alone or not SHORTEST <= sentence.length <= LONGEST:
        return None
    if sentence.roles & {"narrative", "question", "example", "step", "warning"} or _UNFIT.search(sentence.plain):
        return None
    found = split_subject(sentence.plain.rstrip(".! "))
    if found is None or not sentence.text.endswith("."):
        return None
    subject, said = found
    if HANGS.search(subject) or not is_noun_phrase(subject) or len(words(said)) < LEAST_SAID:
        return None
    if _IS.match(said) and not _IS_WHAT.match(said):
        return None
    if _NO_SUBJECT.match(subject) or _WEAK.match(said) or _AUXILIARY.match(said.partition(" ")[2]):
        return None
    if HANGS_IN_ANSWER.search(said) or FIRST_PERSON.search(sentence.text) or LOOSE.search(said[:40]):
        return None
    return Asked("says", f"What does the lesson say of {subject}?", subject, said, subject)


def mood(said: str) -> str:
    """What fits the same subjects: an auxiliary, else the number of the verb."""
    first = words(said)[0].lower()
    if found := _AUXILIARY.match(said):
        return found[0]
    return "plural" if base_verb(first) == first else "past" if first.endswith("ed") else "singular"


def about_one(one: Asked, other: Asked) -> bool:
    """Whether two statements may be about one thing, so that what is said of the one may hold for the other."""
    return bool(set(stems(one.given)) & set(stems(other.given)))
