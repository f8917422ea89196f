"""What one sentence can be asked for: a reason, a way, what to do or what holds in a case, an effect, a rule, a term.

A sentence that fits one of these shapes answers its own question, so that the question is asked openly with the
sentence as model answer, or as a choice among the answers of other sentences of the same shape.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Literal

from service.authors.extractive.language.lexicon import ACTION_VERBS, NO_SUBJECTS, STOPWORDS
from service.authors.extractive.language.sentences import Sentence
from service.authors.extractive.language.slide_lines import has_finite_verb
from service.authors.extractive.language.verb_forms import base_verb, is_imperative, word_classes
from service.authors.extractive.language.words import Casing, capitalized, is_plural, words
from service.authors.extractive.outline.objective_content import is_good_definition
from service.domain.bloom import VAGUE_VERBS

Form = Literal["way", "do", "reason", "happens", "rule", "effect"]
WORTH: dict[Form | Literal["term"], float] = {
    "way": 1.0, "do": 0.95, "reason": 0.95, "happens": 0.85, "rule": 0.75, "effect": 0.8, "term": 0.8,
}  # fmt: skip
SHORTEST, LONGEST = 7, 42  # words of a sentence that is asked for
LONGEST_SUBJECT = 8

_UNFIT = re.compile(
    r"\b(?:Listing|Figure|Table|Chapter|Section|Appendix|Step) \d|\b(?:following|above|below|aforementioned)\b|"
    r"\b(?:so far|at this point|at the moment|just now|earlier|later on|recall|notice|suppose|imagine|today|tomorrow|"
    r"yesterday|even if|he|she|his|her|him)\b|[:…]$|\betc\b|e\.g\.$",
    re.IGNORECASE,
)
HANGS = re.compile(
    r"\b(?:(?i:this|these|those|such|it|its|they|them|their|also|here|there|another|same|other|else|again|instead|so|"
    r"now|still|too|former|latter|further)|I|my|that (?:is|was|the)|(?:in|of|to|for|with|from|by|on|after|before|about|"
    r"as|at|do|use|compare|see|set|change|add|remove|take|make|get|give|call|run|read|write|put|delete|replace|like) "
    r"that)\b|"
    r"(?:moving|going) (?:forward|on)\b|\b(?:continuing|proceeding|ready to continue|have problems)$|"
    r"(?<![’'\w./-])(?!a\b)[a-z]\d?(?![\w’'.-])"
)
FIRST_PERSON = re.compile(r"\b(we|us|our|ours|ourselves|let[’']s)\b", re.IGNORECASE)
_YOU = {"we": "you", "us": "you", "our": "your", "ours": "yours", "ourselves": "yourself"}
_ADVERBIAL = re.compile(
    r"^(?:In general|In practice|Generally|Usually|Typically|Comparatively|Additionally|Also|Currently|By default|"
    r"Of course|Unfortunately|Fortunately|Luckily|On the other hand|Note that),? "
)
_CASE = re.compile(
    r"^(?P<when>If|When|Whenever|Once|As soon as|After|Before) (?P<case>[^,:;()“”\"]{8,110}), (?:then )?"
    r"(?P<then>.{8,})$"
)
_TAIL_CASE = re.compile(r"^(?P<then>.{8,}?),? (?P<when>if|when|whenever|after|before) (?P<case>[^,:;()“”\"]{8,110})$")
_WAY = re.compile(r"^To (?P<goal>[a-z]+ [^,:;()]{6,100}), (?P<how>.{6,})$")
_USED = re.compile(
    r"^(?:(?:You|We) can |You |We )?(?P<how>(?:[Uu]se|[Rr]un|[Tt]ype|[Cc]all|[Pp]ass|[Pp]ress) .{2,60}?) to "
    r"(?P<goal>[a-z]+ .{8,110})$"
)
_CAN_BY = re.compile(r"^(?:You|We) can (?P<goal>[a-z]+ [^,;:]{6,100}?) by (?P<how>[a-z]+ing .{8,})$")
_REASON = re.compile(r"^(?P<claim>[A-Z“`].{18,160}?),? (?:because|so that) (?!of\b)(?P<why>.{10,160})$")
_BECAUSE = re.compile(r"^Because (?!of\b)(?P<why>[^,]{10,120}), (?P<claim>.{18,160})$")
_RULE = re.compile(
    r"^(?P<who>[A-Z“`].{2,80}?) (?P<modal>must(?: not)?|should(?: not| never)?|cannot|can only|may not|may only|"
    r"is required to|are required to) (?P<rest>.{12,150})$"
)
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
# "Breaking changes to the core can occur": what looked like the verb is a noun.
_OTHER_VERB = re.compile(r"(?:[\w-]+ ){0,5}(?:can|may|might|must|should|will|is|are|was|were)\b")
_NO_SUBJECT = re.compile(
    r"\b(?:and|or|but|because|since|as|so|that|which|who|when|if|while|to|is|are|was|were|be|can|will|may|must|should|you|we|i|not|what|how|"
    r"there|some|many|most|more|all|any|both|one|two|three|does|do|has|have|would|could|next|first|second|last)\b",
    re.IGNORECASE,
)
_OBJECT = re.compile(
    r"(?:the|an?|your|all|each|every|any|both|only|to|it|them|as|for|from|in|on|out|up|with|whether|that|what|how|when|"
    r"if|no|not|one|two|more|most|some|half|enough|[`“\"*-]|[A-Z]|\w+s\b)"
)
# "Page titles are important" only begins with a word that can be a verb.
_SUBJECT_AND_VERB = re.compile(
    r"\w+(?: (?!that|which|whether|if|what|how|where|who|when|as)[\w-]+){1,3} "
    r"(?:is|are|was|were|has|have|can|must|should|will)\b"
)
_NO_CASE = re.compile(r"(?:at|in|on|for|with|by|from|inside|outside|within|used|given|needed|set|possible|necessary)\b")
_PREPOSITION = re.compile(r"(?:to|for|of|from|in|on|with|as)\b")  # "impact to the system" is no order
_DUTY = re.compile(
    r"^(?:please |then |first |always |never |do not |don[’']t |"
    r"you (?:must|should|need to|have to|will need to|can|may) )",
    re.IGNORECASE,
)
_LOOSE = re.compile(
    r"\b(?:might|would|slightly|probably|perhaps|really|in some sense|won[’']t|more|less|fewer|better|worse|easier|"
    r"faster|larger|smaller|\w+er (?=and ))\b(?!.*\bthan\b)",
    re.IGNORECASE,
)
_EMPTY = re.compile(
    r"(?:it(?:[’']s| is| can be| may be)|there (?:is|are|may)) (?:an? )?"
    r"(?:easy|good|time|chance|important|possible|best|useful|hard|fine)\b"
)
# What is meant can only be seen where it stands: "The output is cryptic because …".
_AT_HAND = re.compile(
    r"(?:the|a) (?:\w+ed |\w+ing )?(?:output|result|message|program|code|example|function|line|script|error|listing|"
    r"field|value|index|parameter|argument|property|list|string|step|"
    r"paper|scientist|person|man|woman|author|page|picture|screen|button|menu|panel|symbol|diagram|game|player)\b"
    r"(?! (?:of|that|which|for)\b)",
    re.IGNORECASE,
)
_REQUIRED = re.compile(r"\b(?:must|should|needs? to|ha(?:s|ve) to)\b")
_STATIVE = re.compile(r"\b(?:is|are|has|have|can|cannot|may|must|should|needs?|do(?:es)? not)\b")


@dataclass(frozen=True)
class Asked:
    """A question that a sentence answers. `given` stands in the question, `answer` is what is asked for."""

    form: Form
    question: str
    given: str
    answer: str


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
    for shape in (_way, _case, _reason, _rule, _effect):
        found = shape(text, keeps_capital)
        if found and _stands(found.given) and not _AT_HAND.match(found.given):
            return Asked(found.form, _to_you(found.question), found.given, found.answer)
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
        or first in ("be", "do", "make", "say", "see", "start", "begin", "recap", "illustrate")
    ):
        return None
    return Asked("way", f"How {verb} you {goal}?", goal, how)


def _case(text: str, named: bool) -> Asked | None:
    match = _CASE.match(text)
    if match:
        when, case, then = match["when"].lower(), match["case"], match["then"]
    elif not named and (match := _TAIL_CASE.match(text)) and _is_plain_order(match["then"]):
        when, case, then = match["when"], match["case"], match["then"]
    else:
        return None
    if _NO_CASE.match(case) or re.match(r"\d", then):
        return None
    if (
        not _has_verb(case)
        or re.search(r"\b(?:see|refer to|consult) ", then)
        or re.search(r"\b(?:that|which|who) (?:is|are) \w+$", then)
    ):
        return None
    if _DUTY.match(then) or (is_order(then) and (then[:1].islower() or match.re is _TAIL_CASE)):
        can = "can" if re.match(r"you (?:can|may) ", then, re.IGNORECASE) else "should"
        return Asked("do", f"What {can} you do {when} {case}?", case, then)
    if when == "before" or re.match(r"(?:we|I|let[’']s)\b", then):
        return None
    if _EMPTY.match(then) or _LOOSE.search(then[:50]):
        return None
    asks = "is required" if _REQUIRED.search(then[:60]) else "is true" if _STATIVE.search(then[:60]) else "happens"
    return Asked("happens", f"What {asks} {when} {case}?", case, then)


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
    return bool(_OBJECT.match(rest)) and (first.lower() in ACTION_VERBS or not _PREPOSITION.match(rest))


def _is_plain_order(text: str) -> bool:
    return is_order(text) and not HANGS.search(text) and not re.search(r" [–—-] ", text)


def _has_verb(case: str) -> bool:
    """Whether it is a clause or opens with a gerund: not "a binary", not "ten years of work"."""
    first, *rest = case.split()
    if first.endswith("ing") or _STATIVE.search(case):
        return True
    classes = [(word, word_classes(word.lower())) for word in rest]
    return first.lower() in ("you", "we") or any(
        "VERB" in kinds and ("NOUN" not in kinds or word.endswith(("s", "ed"))) for word, kinds in classes
    )


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
    if claim.startswith("You ") or _LOOSE.search(claim):
        return None
    if not states(claim) or re.match(r"\w+(?:ing|s) (?:the|an?|to|in|on|with|all) ", claim):
        return None
    if re.search(
        r"\b(?:not (?:only|just|simply)|either|is|are|was|simply|mainly|partly|only|just|that[’']s|it[’']s)$", claim
    ):
        return None
    return Asked("reason", f"{asks} “{claim}.”", claim, match["why"])


def states(text: str) -> bool:
    """Whether a verb says something of a subject: not "the age of the cache, in seconds"."""
    if has_finite_verb(text):
        return True
    for before, word in pairwise(words(text)):
        ends = word.endswith(("s", "ed")) and base_verb(word) != word and before.lower() not in STOPWORDS
        if "VERB" in word_classes(word) and (ends or (is_plural(before) and base_verb(word) == word)):
            return True
    return False


def _rule(text: str, _: bool) -> Asked | None:
    match = _RULE.match(text)
    if (
        not match
        or " " not in match["who"]
        or len(words(match["who"])) > LONGEST_SUBJECT
        or _NO_SUBJECT.search(match["who"])
    ):
        return None
    if FIRST_PERSON.search(text) or re.match(r"(?:You|Please)\b", text) or not _is_noun_phrase(match["who"]):
        return None
    said = f"{match['who']} {match['modal']}"
    return Asked("rule", f"Complete the rule: “{said} …”", said, match["rest"])


def _effect(text: str, named: bool) -> Asked | None:
    match = _EFFECT.match(text)
    if not match or not _is_named_subject(match["who"]) or FIRST_PERSON.search(text):
        return None
    who, verb, rest = match["who"], match["verb"], match["rest"]
    if _OTHER_VERB.match(rest) or (rest.startswith("to ") and " used " not in verb):
        return None
    name = who if named else who[:1].lower() + who[1:]
    question = _asks_of_use(name, verb) if " used " in verb else _asks_of_deed(name, verb)
    return Asked("effect", question, who, f"{verb} {rest}") if question else None


def _is_named_subject(who: str) -> bool:
    """Whether it names something of which little enough is said: not "Git", not "the returned object"."""
    if len(words(who)) > LONGEST_SUBJECT or _NO_SUBJECT.search(who) or not _is_noun_phrase(who):
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


def _is_noun_phrase(text: str) -> bool:
    """Whether it may be a subject: it opens with an article, a name, a plural or a noun, and no verb stands in it."""
    first, *rest = text.strip("“`").split()
    if first.lower() in NO_SUBJECTS:
        return False
    if first.lower() in ("the", "a", "an", "each", "every"):
        return bool(rest)
    if is_imperative(text) and not word_classes(first.lower()) & {"NOUN"}:
        return False
    return not first.lower().endswith("ly") and (not is_imperative(text) or not rest)


def term_asked(sentence: Sentence, casing: Casing) -> str:
    """The question for the term that the sentence defines; '' when it defines none well."""
    if not sentence.defines or not sentence.alone or not sentence.cites or not is_good_definition(sentence):
        return ""
    if _UNFIT.search(sentence.text) or FIRST_PERSON.search(sentence.text) or sentence.roles & {"example", "narrative"}:
        return ""
    name, meaning = re.sub(r"^(?:the|an?) ", "", sentence.defines[0], flags=re.IGNORECASE), sentence.defines[1]
    if re.match(r"\w+ed\b", meaning):
        return ""  # "Version: raised to 2": what was done, not what it is
    term = name if any(word[:1].isupper() for word in name.split()[1:]) else casing.inside(name)
    article = re.match(r"(An?|The) ", sentence.text)
    many = is_plural(term) and f"{name.lower()} is " not in sentence.text.lower()
    said = f"{article[1].lower()} {term}" if article and not many else term
    return f"In your own words: what {'are' if many else 'is'} {said}?"
