"""What one sentence can be asked for: a reason, a way, what to do or what holds in a case, an effect, a rule, a term.

A sentence that fits one of these shapes answers its own question, so that the question is asked openly with the
sentence as model answer, or as a choice among the answers of other sentences of the same shape.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache

from service.authors.extractive.language.clauses import FIRST_PERSON, HANGS, LOOSE, is_noun_phrase, is_order, states
from service.authors.extractive.language.lexicon import STOPWORDS
from service.authors.extractive.language.sentences import Sentence
from service.authors.extractive.language.verb_forms import base_verb, word_classes
from service.authors.extractive.language.words import Casing, capitalized, is_plural, stems, words
from service.authors.extractive.outline.objective_content import is_good_definition
from service.authors.extractive.quizzes.asked import Asked
from service.authors.extractive.quizzes.cases import case_asked
from service.domain.bloom import VAGUE_VERBS

SHORTEST, LONGEST = 7, 42  # words of a sentence that is asked for
LONGEST_SUBJECT = 8
LEAST_NEW = 2  # telling words that an answer adds to its question

_UNFIT = re.compile(
    r"\b(?:Listing|Figure|Table|Chapter|Section|Appendix|Step) \d|\b(?:following|above|below|aforementioned)\b|"
    r"\b(?:so far|at this point|at the moment|just now|earlier|later on|recall|notice|suppose|imagine|today|tomorrow|"
    r"yesterday|(?:a few|several|some) (?:\w+ )?(?:things|steps|ways|options)|even if|"
    r"he|she|his|her|him)\b|[:…]$|\betc\b|e\.g\.$",
    re.IGNORECASE,
)
_YOU = {"we": "you", "us": "you", "our": "your", "ours": "yours", "ourselves": "yourself"}
_ADVERBIAL = re.compile(
    r"^(?:In general|In practice|Generally|Usually|Typically|Comparatively|Additionally|Also|Currently|By default|"
    r"Of course|Unfortunately|Fortunately|Luckily|On the other hand|Note that),? "
)
_WAY = re.compile(r"^To (?P<goal>[a-z]+ [^,:;()]{6,100}), (?P<how>.{6,})$")
_USED = re.compile(
    r"^(?:(?:You|We) can |You |We )?(?P<how>(?:[Uu]se|[Rr]un|[Tt]ype|[Cc]all|[Pp]ass|[Pp]ress) .{2,60}?)"
    r"(?: in order)? to (?P<goal>[a-z]+ .{8,110})$"
)
_CAN_BY = re.compile(r"^(?:You|We) can (?P<goal>[a-z]+ [^,;:]{6,100}?) by (?P<how>[a-z]+ing .{8,})$")
_REASON = re.compile(
    r"^(?P<claim>[A-Z“`].{18,160}?),? (?:because|so that(?! (?:any|no|every|\w+ (?:might|would))\b)) (?!of\b)"
    r"(?P<why>.{10,160})$"
)
_BECAUSE = re.compile(r"^Because (?!of\b)(?P<why>[^,]{10,120}), (?!and\b)(?P<claim>.{18,160})$")
_OPINION = re.compile(
    r"\b(?:is|are) (?:an? )?(?:very |rather |quite )?(?:interesting|tricky|special|nice|good|bad|fine)\b"
)
_POINTS = re.compile(r"\b(?:this|these|those)\b")
_RULE = re.compile(
    r"^(?P<who>[A-Z“`].{2,80}?) (?P<modal>must(?: not)?|should(?: not| never)?|cannot|can only|may not(?! be\b)|"
    r"may only|is required to|are required to) (?P<rest>.{12,150})$"
)
_NO_HOLDER = re.compile(r"(?:You|Please|\w+ly)\b|[^`]*,")  # of a rule
_ASKED_BY_NAME = (
    "require|return|contain|hold|provide|include|mean|need|show|display|produce|control|determine|specify|describe|"
    "represent|define|generate|consist of|depend on|store"
)
_DONE = (
    "let|allow|enable|help|prevent|ensure|cause|make|tell|set|create|convert|protect|send|check|remove|keep|turn|read|"
    "write|add|run|block|start|stop|encrypt|hide|give|update|install|load|copy|move|delete|list|print|match|limit|"
    "record|track|measure|change|replace|save|sort|split|wait|decide|handle|manage|compare|act|serve|work"
)
_EFFECT = re.compile(
    rf"^(?P<who>(?:The |An? |Each |Every )?[\w`“][^,;:()]{{1,60}}?) (?:also |then |only )?"
    rf"(?P<verb>(?:is|are) used (?:to|for|as|by)|(?:{_ASKED_BY_NAME}|{_DONE})(?:e?s)?|specifies|relies on|rely on|"
    r"carries|identifies|applies) (?P<rest>.{10,})$"
)
# "Breaking changes to the core can occur": what looked like the verb is a noun. "Works in the same way": as what?
_OTHER_VERB = re.compile(r"in the same way\b|(?:[\w-]+ ){0,5}(?:can|may|might|must|should|will|is|are|was|were)\b")
_NO_SUBJECT = re.compile(
    r"\b(?:and|or|but|because|since|as|so|that|which|who|when|if|while|to|is|are|was|were|be|can|will|may|must|should|you|we|i|not|what|how|"
    r"there|some|many|most|more|all|any|both|one|two|three|does|do|has|have|would|could|next|first|second|last)\b",
    re.IGNORECASE,
)
# What is meant can only be seen where it stands: "The output is cryptic because …".
_AT_HAND = re.compile(
    r"(?:the|a) (?:\w+ed |\w+ing )?(?:output|result|message|program|code|example|function|line|script|error|listing|"
    r"field|value|index|parameter|argument|property|list|string|step|"
    r"paper|scientist|person|man|woman|author|page|picture|screen|button|menu|panel|symbol|diagram|game|player)\b"
    r"(?! (?:of|that|which|for)\b)",
    re.IGNORECASE,
)


def asked_of(sentence: Sentence, casing: Casing) -> Asked | None:
    """The question that the sentence answers; None where it has no such shape or needs what stands around it."""
    if not sentence.cites or not sentence.usable or not sentence.alone or not SHORTEST <= sentence.length <= LONGEST:
        return None
    if sentence.roles & {"narrative", "question", "example"} or not sentence.text.rstrip('”"’)').endswith((".", "!")):
        return None
    return _asked(sentence.plain, casing.lowered(sentence.plain) == sentence.plain)


@lru_cache(maxsize=20_000)
def _asked(text: str, keeps_capital: bool) -> Asked | None:
    if _UNFIT.search(text) or text.count("“") != text.count("”"):
        return None
    text = text.rstrip(".! ")
    for shape in (_way, case_asked, _reason, _rule, _effect):
        found = shape(text, keeps_capital)
        if found and _stands(found.given) and not _AT_HAND.match(found.given):
            return replace(found, question=_to_you(found.question), opening=_to_you(found.opening))
    return None


def _stands(text: str) -> bool:
    return not HANGS.search(text) and text.count("(") == text.count(")") and len(words(text)) >= 1


def _to_you(question: str) -> str:
    if "“" in question:
        return question
    return FIRST_PERSON.sub(lambda match: _YOU.get(match[1].lower(), "you"), question)


def _way(text: str, _: bool) -> Asked | None:
    match = _WAY.match(text)
    if match and (is_order(match["how"]) or re.match(r"(?:you|we) ", match["how"])):
        return _how(match["goal"], match["how"], "do")
    if (match := _USED.match(text)) and not HANGS.search(match["how"]):
        return _how(match["goal"], match["how"], "do")
    if match := _CAN_BY.match(text):
        return _how(match["goal"], match["how"], "can")
    return None


def _how(goal: str, how: str, verb: str) -> Asked | None:
    first = goal.split(maxsplit=1)[0]
    if (
        base_verb(first) != first
        or "VERB" not in word_classes(first)
        or first in VAGUE_VERBS
        or len(stems(goal)) < LEAST_NEW  # "decide what to do"
        or first in ("be", "do", "make", "say", "see", "start", "begin", "recap", "illustrate")
    ):
        return None
    return Asked("way", f"How {verb} you {goal}?", goal, how)


def _reason(text: str, named: bool) -> Asked | None:
    match = _REASON.match(text) or _BECAUSE.match(text)
    if (
        not match
        or len(words(match["claim"])) < 4
        or FIRST_PERSON.search(match["claim"])
        or match["claim"].count("“") % 2
    ):
        return None
    asks = "What is the purpose of this?" if " so that " in text else "Why is this so?"
    claim = capitalized(_ADVERBIAL.sub("", match["claim"].rstrip(",")))
    if is_order(claim) and not named:
        deed = claim[:1].lower() + claim[1:]
        return Asked("reason", f"Why should you {deed}?", claim, match["why"])
    if claim.startswith("You ") or LOOSE.search(claim) or _OPINION.search(claim) or _POINTS.search(match["why"]):
        return None
    if not states(claim) or re.match(r"\w+(?:ing|s) (?:the|an?|to|in|on|with|all) ", claim):
        return None
    if re.search(
        r"\b(?:not (?:only|just|simply)|either|is|are|was|simply|mainly|partly|only|just|that[’']s|it[’']s)$", claim
    ):
        return None
    return Asked("reason", f"{asks} “{claim}.”", claim, match["why"])


def _rule(text: str, _: bool) -> Asked | None:
    match = _RULE.match(text)
    if (
        not match
        or " " not in match["who"]
        or len(words(match["who"])) > LONGEST_SUBJECT
        or _NO_SUBJECT.search(match["who"])
    ):
        return None
    if (
        FIRST_PERSON.search(text)
        or re.match(r"(?:You|Please|\w+ly)\b|[^`]*,", match["who"])
        or not is_noun_phrase(match["who"])
    ):
        return None
    said = f"{match['who']} {match['modal']}"
    return Asked("rule", f"Complete the rule: “{said} …”", said, match["rest"])


def _effect(text: str, named: bool) -> Asked | None:
    match = _EFFECT.match(text)
    if not match or not _is_named_subject(match["who"]) or FIRST_PERSON.search(text):
        return None
    who, verb, rest = match["who"], match["verb"], match["rest"]
    if (
        _OTHER_VERB.match(rest)
        or rest.startswith("in the same way")
        or (rest.startswith("to ") and " used " not in verb)
    ):
        return None
    if len(set(stems(rest)) - set(stems(who))) < LEAST_NEW:
        return None  # "The Package field gives the package name"
    name = who if named else who[:1].lower() + who[1:]
    question = _asks_of_use(name, verb) if " used " in verb else _asks_of_deed(name, verb)
    return Asked("effect", question, who, f"{verb} {rest}") if question else None


def _is_named_subject(who: str) -> bool:
    """Whether it names something of which little enough is said: not "Git", not "the returned object"."""
    if len(words(who)) > LONGEST_SUBJECT or _NO_SUBJECT.search(who) or not is_noun_phrase(who):
        return False
    if len(who.split()) == 1 and not re.search(r"\W|\d|[a-z][A-Z]", who):
        return False
    if who.rsplit(maxsplit=1)[-1].lower() in STOPWORDS:
        return False
    return not re.search(r"(?:ly|\b(?:examples?|object|output|result|program|code))$", who)


def _asks_of_use(name: str, verb: str) -> str:
    is_, _, how = verb.split()
    if is_plural(name) != (is_ == "are"):
        return ""
    return f"What {is_} {name} used {'for' if how == 'to' else how}?"


def _asks_of_deed(name: str, verb: str) -> str:
    base, _, particle = verb.partition(" ")
    singular = base_verb(base) != base
    if singular == is_plural(name):
        return ""
    asked = f"{base_verb(base)} {particle}".strip()
    told = base_verb(base) in _ASKED_BY_NAME.split("|") or particle
    return f"What {'does' if singular else 'do'} {name} {asked if told else 'do'}?"


def _names(term: str) -> bool:
    """Whether it names a thing: not "preferred", "the 1.1", "including files", "the crate in turn"."""
    first, last = term.split(maxsplit=1)[0].lower(), term.rsplit(maxsplit=1)[-1].lower()
    if "(" in term:
        return False
    if not first[:1].isalpha() and not first.startswith(("`", ".", "#", "-")):
        return False
    if " " in term and ((first.endswith("ing") and is_plural(term)) or re.search(r" in (?:turn|general|fact)$", term)):
        return False
    return not (word_classes(last) and not word_classes(last) & {"NOUN", "PROPN"})


def term_asked(sentence: Sentence, casing: Casing) -> str:
    """The question for the term that the sentence defines; '' when it defines none well."""
    if not sentence.defines or not sentence.alone or not sentence.cites or not is_good_definition(sentence):
        return ""
    if _UNFIT.search(sentence.text) or FIRST_PERSON.search(sentence.text) or sentence.roles & {"example", "narrative"}:
        return ""
    name, meaning = re.sub(r"^(?:the|an?) ", "", sentence.defines[0], flags=re.IGNORECASE), sentence.defines[1]
    if re.match(r"\w+ed\b|\W", meaning) or is_order(meaning) or not _names(name):
        return ""  # "Version: raised to 2", "Preferred: Add the file": what was or is to be done, not what it is
    term = name if any(word[:1].isupper() for word in name.split()[1:]) else casing.inside(name)
    article = re.match(r"(An?|The) ", sentence.text)
    many = is_plural(term) and f"{name.lower()} is " not in sentence.text.lower()
    said = f"{article[1].lower()} {term}" if article and not many else term
    return f"In your own words: what {'are' if many else 'is'} {said}?"
