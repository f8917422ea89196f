"""What a stretch of a sentence is by its grammar: an order, a statement, a case, a subject; and what it hangs on."""

from __future__ import annotations

import re
from itertools import pairwise

from service.authors.extractive.language.lexicon import ACTION_VERBS, NO_SUBJECTS, STOPWORDS
from service.authors.extractive.language.slide_lines import has_finite_verb
from service.authors.extractive.language.verb_forms import base_verb, is_imperative, word_classes
from service.authors.extractive.language.words import is_plural, words

# Words that stand for something said elsewhere; a clause with one of them cannot be asked for by itself.
HANGS = re.compile(
    r"\b(?:(?i:this|these|those|such|it|its|they|them|their|also|here|there|another|same|other|else|again|instead|so|"
    r"now|still|too|former|latter|further|either one|each one|the two)|I|my|that (?:is|was|the)|(?:in|of|to|for|with|"
    r"from|by|on|after|before|about|as|at|do|use|compare|see|set|change|add|remove|take|make|get|give|call|run|read|"
    r"write|put|delete|replace|like) that)\b|"
    r"(?:moving|going) (?:forward|on)\b|\b(?:continuing|proceeding|ready to continue|have problems)$|"
    r"(?<![’'\w./-])(?!a\b)[a-z]\d?(?![\w’'.-])"
)
# The same for a clause that is an answer: a pronoun behind its noun is its own, "the level of the parent is its".
HANGS_IN_ANSWER = re.compile(
    r"\b(?:(?i:this|these|those|here|another|instead|again|too|former|latter|further|either one|each one|the two|"
    r"(?:the|that) (?:same|other))|I|my)\b|"
    r"^(?i:\W*(?:\w+ )?(?:it|its|they|them|their|there|that|also|so|such|other|else|now|still)\b)|"
    r"(?:moving|going) (?:forward|on)\b|(?<![’'\w./-])(?!a\b)[a-z]\d?(?![\w’'.-])"
)
FIRST_PERSON = re.compile(r"\b(we|us|our|ours|ourselves|let[’']s)\b", re.IGNORECASE)
# A statement that holds more or less is nothing to ask for.
LOOSE = re.compile(
    r"\b(?:might|would|slightly|probably|presumably|perhaps|really|in some sense|won[’']t|more|less|fewer|better|worse|"
    r"easier|faster|larger|smaller|\w+er (?=and ))\b(?!.*\bthan\b)",
    re.IGNORECASE,
)
STATIVE = re.compile(r"\b(?:is|are|has|have|can|cannot|may|must|should|needs?|do(?:es)? not)\b")
_PARTICIPLE = (
    r"(?:\w+(?:ed|en|wn|orn|ung|ght|pt)|made|set|put|sent|built|read|run|lost|cut|left|found|held|told|done|shown)"
)
_PASSIVE = re.compile(rf"(?:is|are|has|have)(?: been)?(?: (?:\w+ly|also|then|not|no longer|first))* {_PARTICIPLE}\b")
_SUBORDINATE = re.compile(r"\b(?:so that|such that|because|which|who|that|if|when|while|until|unless|to) .*$")
_OBJECT = re.compile(
    r"(?:the|an?|your|all|each|every|any|both|only|to|it|them|as|for|from|in|on|out|up|with|whether|that|what|how|when|"
    r"if|no|not|one|two|more|most|some|half|enough|sure|certain|aware|careful|[`“\"*-]|[A-Z]|\w+s\b)"
)
# "Page titles are important", "VACUUM stores …" and "Package A breaks …" only begin with a word that can be a verb.
_SUBJECT_AND_VERB = re.compile(
    r"[A-Z]{2,} |\w+ [A-Z] [a-z]+s\b|"
    r"\w+(?: (?!that|which|whether|if|what|how|where|who|when|as)[\w-]+){1,3} "
    r"(?:is|are|was|were|has|have|can|must|should|will)\b"
)
_PREPOSITION = re.compile(r"(?:to|for|of|from|in|on|with|as)\b")  # "impact to the system" is no order
# What was done to nobody knows what: "if the container contained", "after the project decided".
_CUT_SHORT = re.compile(r" \w+ed$")
_HELPED = re.compile(r"\b(?:is|are|was|were|be|been|being|has|have|had|gets?|got)\b")


def is_order(text: str) -> bool:
    """Whether it tells to do something: "commit message which …" only begins with a word that can be a verb."""
    first, _, rest = text.partition(" ")
    if (
        not is_imperative(text)
        or not rest
        or _SUBJECT_AND_VERB.match(text)
        or first.lower() in ("even", "only", "like", "just", "still", "then")
        or re.match(r"(?:see|refer|recall|note) ", text, re.IGNORECASE)
    ):
        return False
    if not word_classes(first.lower()) & {"NOUN", "ADJ", "ADV"}:
        return True
    if _is_s_form(rest.split(maxsplit=1)[0]):
        return False  # "match goes on to the next block"
    return bool(_OBJECT.match(rest)) and (first.lower() in ACTION_VERBS or not _PREPOSITION.match(rest))


def _is_s_form(word: str) -> bool:
    return word.endswith("s") and word_classes(word) == {"VERB"} and base_verb(word) != word


def states(text: str) -> bool:
    """Whether a verb says something of a subject: not "the age of the cache, in seconds"."""
    if has_finite_verb(text):
        return True
    for before, word in pairwise(words(text)):
        ends = word.endswith(("s", "ed")) and base_verb(word) != word and before.lower() not in STOPWORDS
        if "VERB" in word_classes(word) and (ends or (is_plural(before) and base_verb(word) == word)):
            return True
    return False


def states_by_itself(text: str) -> bool:
    """Whether its main clause does: not "the 29th of July, to adopt freezes so that releases would be published"."""
    return states(_SUBORDINATE.sub("", text))


def is_passive(text: str) -> bool:
    """Whether its first auxiliary tells what is done to something: "the level of its parent is used"."""
    found = STATIVE.search(text)
    return found is not None and _PASSIVE.match(text[found.start() :]) is not None


def is_case(text: str, after: str) -> bool:
    """Whether it can follow "if" or "when": a clause or a gerund, not "a binary", not "ten years of work".

    `after` is the word that it follows: "after" and "before" are prepositions too, so that only a sure verb counts.
    """
    first, *rest = text.split()
    if first.endswith("ing") or STATIVE.search(text):
        return True
    if _CUT_SHORT.search(text) and not _HELPED.search(text):
        return False
    if first.lower() in ("you", "we"):
        return True
    classes = [(word, word_classes(word.lower())) for word in rest]
    if after in ("after", "before"):
        return any(kinds == {"VERB"} and word.endswith("s") for word, kinds in classes)
    return any("VERB" in kinds and ("NOUN" not in kinds or word.endswith(("s", "ed"))) for word, kinds in classes)


def is_noun_phrase(text: str) -> bool:
    """Whether it may be a subject: it opens with an article, a name, a plural or a noun, and no verb stands in it."""
    first, *rest = text.strip("“`").split()
    if first.lower() in NO_SUBJECTS:
        return False
    if first.lower() in ("the", "a", "an", "each", "every"):
        return bool(rest)
    if is_imperative(text) and not word_classes(first.lower()) & {"NOUN"}:
        return False
    return not first.lower().endswith("ly") and (not is_imperative(text) or not rest)
