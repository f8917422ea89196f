"""What a heading by itself asks of learners: an objective for questions, comparisons, claims and headings with a verb.

A heading that only names a thing says nothing about what is done with it; that is read from its section.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

from service.authors.extractive.language.lexicon import ACTION_VERBS, STOPWORDS
from service.authors.extractive.language.patterns import KEYWORD_HEADING, PREPOSITIONAL_HEADING
from service.authors.extractive.language.verb_forms import base_verb, third_person, word_classes
from service.authors.extractive.language.words import capitalized, is_plural
from service.domain.bloom import BLOOM_VERBS, VAGUE_VERBS

NounTest = Callable[[str], bool]

_OPENING = re.compile(
    r"^(?:(?:an? )?(?:brief |short |quick )?(?:introduction to|intro to|overview of|guide to|look at|note on|"
    r"primer on)|about|meet|all about|more (?:about|on)) (?=\w)|^introducing (?=\S+$)",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    r" (?:step by step|explained|in depth|in detail|in a nutshell|at a glance|overview)$", re.IGNORECASE
)
_PERSON = r"(?:I|i|we|you|one|people)"
_TO_DO = re.compile(rf"how (?:to|(?:do|can|should|would|could|might) {_PERSON}(?: best)?) (?P<deed>.+)")
_WHETHER = re.compile(rf"(?:(?:should|do|must|can) {_PERSON}) (?P<deed>.+)")
_ASKED_TO_DO = re.compile(
    rf"(?P<asks>when|where|why|what|which .+?|who) (?:to|(?:should|can|must) {_PERSON}) (?P<deed>.+)"
)
_ASKED = re.compile(
    r"(?P<asks>(?:what|which|whose)(?: kinds? of)?(?: [\w-]+){0,2}|how(?: often| long| much| many [\w-]+| many)?|why|"
    r"when|where|who) (?P<verb>is|are|was|were|do|does|did|can|could|should|must|will|would|has|have)(?:n[’']t)? "
    r"(?P<rest>.+)"
)
_CLAUSE = re.compile(r"(?P<asks>why|when|how|what|where|which|who|whom|whose) (?P<rest>.+)")
_VERSUS = re.compile(r"(?:comparison:? )?(?P<one>.+?) (?:vs\.?|versus|compared (?:to|with)|or) (?P<other>.+)")
_COMPARISON = re.compile(
    r"(?:(?:an? )?comparison (?:of|between)|comparing|(?:the )?differences? between|choosing between|choose between) "
    r"(?P<one>.+?) (?:with|and|to|or) (?P<other>.+)"
)
_EVENT = re.compile(r"(?:between|before|after|during|when|while|until|once) ")
_MODAL = re.compile(
    r"\b(?:is|are|isn[’']t|aren[’']t|was|were|must|should|can|cannot|can[’']t|will|won[’']t|has|have)\b"
)
_RELATIVE = re.compile(r"\b(?:that|which|who|where|when|how|what|if|as|to) (?:\w+ )?$")
_DENIED = re.compile(r"(?:don[’']t|do not|never|always|please|only|be|no|know|think|remember|respect|mind) ")
_POINTER = re.compile(
    r"(?:the|an?|your|all|each|every|any|some|it|its|up|out|on|off|with|from|to|for|as|only|no|new|more|in|this|these|"
    r"that|those|between|before|after)\b"
)
_TWO_DEEDS = re.compile(r"and (\w+) (?:the|an?|your|all|its)\b")
_NO_OBJECT = re.compile(r"(?:and|or) .*|\w+ing")
# After a gerund these show that it is a noun: "testing is …", "baking of bread", "hashing algorithms".
_AFTER_A_NOUN = re.compile(
    r"(?:is|of|in|and|or|vs|at|method|guideline|process|practice|algorithm|thing|guide|style|skill|plan|session|"
    r"group|material|condition|tool|strateg|technique|polic|rule|standard|environment|mode|option|system|time|model|"
    r"schedule|structure|cost|point|framework|convention|order|principle|error|language|table|page|list|step|"
    r"requirement|pattern|license|department|platform|instruction|conversion|block|room|machine|board)(?:s|es|ies|y)?\b"
)
# What a text gives of a matter, and nobody does anything to: "vacuuming basics" are basics, no thing to be vacuumed.
_ASPECT = re.compile(
    r"(?:[\w-]+ )?(?:basics|fundamentals|essentials|internals|mechanics|caveats|considerations|specifics)"
)
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    r"nov(?:ember)?|dec(?:ember)?)\.?"
)
_YEAR = r"(?:1[1-9]\d|20[0-3])\d"
_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
# A date that the heading is, or that a mark sets off from what happened then; "May 2013 release notes" are notes.
_DATED = re.compile(
    rf"(?P<on>{_DAY} {_MONTH}(?: {_YEAR})?|{_MONTH} {_DAY},? {_YEAR}|{_YEAR}-\d\d-\d\d)(?: ?[:.–—]| -|$).*|"
    rf"(?P<in>(?:(?:early|mid|late)[ -])?(?:{_MONTH} )?{_YEAR}(?:[-–]{_YEAR}|s)?)(?: ?[:.–—]| -|$).*",
    re.IGNORECASE,
)
# "Chapter 3: Clean the hive" says "Clean the hive", and "Figure 4" says nothing that anybody could do.
_LABELLED = re.compile(
    r"^(?:step|part|stage|phase|chapter|section|unit|module|lesson|equation|eq\.|formula|figure|fig\.|table|listing|"
    r"box|scheme|exercise|theorem|lemma|proposition|corollary|appendix|volume|act|scene) "
    r"(?:(?:\(?\d+(?:[.-]\d+)*[a-z]?\)?|[ivxlc]+|[a-h])(?:(?: ?[:.–—](?!\d)| -)\s*|$)|\d+(?:\.\d+)+\s+(?=\w))[….]*",
    re.IGNORECASE,
)
_STARTING = re.compile(r"(?:getting|get) started(?: with| on| using)? ?(?P<rest>.*)")


def by_heading(topic: str, is_noun: NounTest, reasoned: bool = False) -> str:
    """The objective of a heading as it reads inside a sentence; '' for one that only names a thing.

    `is_noun` tells of two words such as "build script" whether the sources use them as a name. `reasoned`: the section
    gives reasons.
    """
    topic = bare(topic)
    if re.match(r"[A-Z][a-z]+ing ", topic):
        topic = topic[:1].lower() + topic[1:]
    if match := _VERSUS.fullmatch(topic) or _COMPARISON.fullmatch(topic):
        return _compared(match["one"], match["other"], " or " in topic)
    if match := _DATED.fullmatch(topic):
        return f"Describe what happened {'on' if match['on'] else 'in'} {_as_a_date(match['on'] or match['in'])}"
    return _from_question(topic) or _from_claim(topic, reasoned) or _from_verb(topic, is_noun)


def bare(topic: str) -> str:
    """The heading without the words that only say that a text follows."""
    topic = _CLOSING.sub("", _OPENING.sub("", unlabelled(topic).rstrip(":?!. ")))
    return re.sub(r"^the (?=\w+ed\b)", "", topic)


def unlabelled(topic: str) -> str:
    """The heading without "Chapter 3: " or "Figure 4" before what it says; '' when it says no more than that."""
    return _LABELLED.sub("", topic.strip(), count=1).strip()


def _as_a_date(text: str) -> str:
    """With the capital of its month."""
    return re.sub(rf"\b{_MONTH}(?= |$)", lambda month: capitalized(month[0]), text, flags=re.IGNORECASE)


def _compared(one: str, other: str, choice: bool) -> str:
    if choice and len(one.split()) + len(other.split()) > 6:
        return ""
    one = re.sub(r"^(?:either|choosing|choose|whether|the|an?) ", "", one)
    return f"Choose between {one} and {other}" if choice else f"Compare {one} with {other}"


def to_do(deed: str) -> str:
    """What is to be done as an objective: by its own verb where that can be observed, else "Show how to …"."""
    verb, _, rest = deed.partition(" ")
    if verb in ("use", "work") and not rest:
        return ""
    if verb in VAGUE_VERBS:
        return f"Explain {re.sub('^(?:about|how) ', '', rest)}" if rest else ""
    return capitalized(deed) if verb in BLOOM_VERBS else f"Show how to {deed}"


def _from_question(topic: str) -> str:
    if match := _TO_DO.fullmatch(topic):
        return to_do(match["deed"])
    if match := _WHETHER.fullmatch(topic):
        deed = re.sub("^(?:need|have|want) to ", "", match["deed"])
        needed = re.match(r"(?:still |really |ever )?(?:need|have|want) ", deed)
        return f"Decide whether {'you' if needed else 'to'} {deed}"
    if match := _ASKED_TO_DO.fullmatch(topic):
        return f"{_verb_for(match['asks'])} {match['asks']} to {match['deed']}"
    if match := _ASKED.fullmatch(topic):
        told = _told(match["asks"], match["verb"], match["rest"])
        return f"{_verb_for(match['asks'])} {told}" if told else f"Discuss the question “{capitalized(topic)}?”"
    if match := _CLAUSE.fullmatch(topic):
        return _from_clause(match["asks"], match["rest"])
    if re.match(r"(?:is|are|does|do|can|should|will|did|has|have) \w+ \w+", topic):
        return f"Discuss the question “{capitalized(topic)}?”"
    happens = _EVENT.match(topic) and not KEYWORD_HEADING.match(topic)
    return f"Explain what happens {topic}" if happens else ""


def _verb_for(asks: str) -> str:
    first = asks.split(maxsplit=1)[0]
    if first == "when":
        return "Decide" if asks == "when" else "State"
    return {"which": "Choose", "who": "State", "where": "State"}.get(first, "Explain")


def _told(asks: str, verb: str, rest: str) -> str:
    """The question as a clause: "how does it work" → "how it works"; '' where its verb is not found."""
    if asks.split(maxsplit=1)[0] == "which":
        return ""
    if verb in ("is", "are", "was", "were") and asks == "what":
        return _what_is(verb, rest)
    parts = rest.split()
    if (
        asks == "what"
        and verb in ("can", "could", "should", "must", "will", "would")
        and base_verb(parts[0]) == parts[0]
    ):
        return f"what {verb} {rest}"
    at = _place_of_verb(parts, verb)
    if not at:
        return ""
    subject, deed = " ".join(parts[:at]), parts[at:]
    if verb in ("do", "did"):
        return f"{asks} {subject} {' '.join(deed)}"
    if verb == "does":
        return f"{asks} {subject} {' '.join([third_person(deed[0]), *deed[1:]])}"
    return f"{asks} {subject} {verb} {' '.join(deed)}"


def _what_is(verb: str, rest: str) -> str:
    """ "What are locks and why do they matter?" asks two things: "what locks are and why they matter"."""
    subject, also, more = re.match(r"(.+?)(?:( (?:and|or) (?:why|how|when|where)) (.+))?$", rest).groups()  # type: ignore[union-attr]
    if not also:
        return f"what {subject} {verb}"
    more = re.sub(r"^do (they|it) ", r"\1 ", more)
    more = re.sub(r"^does it (\w+)", lambda m: f"it {third_person(m[1])}", more)
    more = re.sub(r"^(are|is|can|should) (they|it) ", r"\2 \1 ", more)
    return f"what {subject} {verb}{also} {more}"


def _place_of_verb(parts: list[str], verb: str) -> int:
    """Where the subject ends and what is said of it begins; 0 when unsure."""
    passive = verb in ("is", "are", "was", "were", "has", "have")
    for place, word in enumerate(parts[1:], start=1):
        classes = word_classes(word)
        if passive and (word.endswith(("ed", "ing", "en")) or word in ("made", "set", "built", "kept", "sent", "ADJ")):
            return place
        if (
            not passive
            and "VERB" in classes
            and base_verb(word) == word
            and (place > 1 or parts[0] not in ("the", "a"))
        ):
            return place
    if passive and len(parts) > 1 and "ADJ" in word_classes(parts[-1]):
        return len(parts) - 1
    return 0


def _from_clause(asks: str, rest: str) -> str:
    first = rest.split(maxsplit=1)[0]
    if asks == "why" and " " in rest and (first == "use" or (base_verb(first) == first and _only_verb(first))):
        return f"Give reasons to {rest}"
    if asks == "why" and not _is_clause(rest):
        return f"Explain the reasons for {rest}"
    if asks in ("how", "when", "where") and not _is_clause(rest):
        return ""
    return f"{'State' if asks in ('who', 'where') else 'Explain'} {asks} {rest}"


def _only_verb(word: str) -> bool:
    return word not in STOPWORDS and word_classes(word) <= {"VERB", "AUX"}


def _is_clause(text: str) -> bool:
    """Whether a verb stands behind a subject: "Cargo exists", not "version control"."""
    parts = text.split()
    if _MODAL.search(text) or any(word in ("do", "does", "did", "not") for word in parts):
        return True
    for before, word in pairwise(parts):
        classes = word_classes(word.lower())
        if "VERB" not in classes or word.endswith("ing") or before in ("the", "a", "an", "of", "for", "to"):
            continue
        agrees = word == parts[-1] and is_plural(word) != is_plural(before)  # "caching matters", "bees swarm"
        if "NOUN" not in classes or agrees:
            return True
    return False


def _from_claim(topic: str, reasoned: bool) -> str:
    match = _MODAL.search(topic)
    if not match or not match.start() or _RELATIVE.search(topic[: match.start()]) or _DENIED.match(topic):
        return ""
    if match.end() == len(topic) or topic.split(maxsplit=1)[0] in ("using", "making"):
        return ""
    return f"Explain why {topic}" if reasoned else f"Explain what it means that {topic}"


def _from_verb(topic: str, is_noun: NounTest) -> str:
    first, _, rest = topic.partition(" ")
    if _DENIED.match(topic) and rest and not re.match(r"no \w+$", topic):
        return f"Apply the rule “{capitalized(topic)}”"
    if match := _STARTING.fullmatch(topic):
        return f"Start using {match['rest']}" if match["rest"] else ""
    if not rest or not first.isalpha():
        return ""
    if first.endswith("ing"):
        return _from_gerund(topic, is_noun)
    return to_do(topic) if _is_instruction(first, rest, is_noun) else ""


def _is_instruction(first: str, rest: str, is_noun: NounTest) -> bool:
    """Whether a verb opens it, and no noun: not "color and contrast", "type casting", "test plan", "use cases"."""
    if base_verb(first) != first or "VERB" not in word_classes(first) or _commands_nothing(first):
        return False
    if (also := _TWO_DEEDS.match(rest)) and base_verb(also[1]) == also[1]:
        return True  # "tag and sign the release"
    if _NO_OBJECT.fullmatch(rest) or _ASPECT.fullmatch(rest) or len(rest) == 1:
        return False
    if _POINTER.match(rest):
        return True
    one_noun = " " not in rest and rest.islower() and not is_plural(rest)
    if (one_noun and "NOUN" in word_classes(first)) or (first, rest) == ("use", "cases"):
        return False
    known = first in BLOOM_VERBS or first in ACTION_VERBS or _only_verb(first)
    return known and "ADJ" not in word_classes(first) and not is_noun(f"{first} {rest.split(maxsplit=1)[0]}")


def _commands_nothing(word: str) -> bool:
    """Whether it opens no instruction though it may be a verb: "may" and "can", "over" and "like"; not "do", "have"."""
    helps = "AUX" in word_classes(word) and word not in ("be", "do", "have")
    return helps or bool(PREPOSITIONAL_HEADING.match(f"{word} it"))


def _from_gerund(topic: str, is_noun: NounTest) -> str:
    first, _, rest = topic.partition(" ")
    joined = re.match(r"(and|or) (\w+ing) (?=\w)", rest)
    base = _base(first)
    if not base or (_AFTER_A_NOUN.match(rest) and not joined):
        return ""
    if _ASPECT.fullmatch(rest) and base not in VAGUE_VERBS:
        return ""
    if " " not in rest and is_noun(f"{first} {rest}"):
        return ""  # "the dangling reference"
    if joined and not _base(joined[2]):
        return ""
    governs = base in VAGUE_VERBS or "NOUN" not in word_classes(first) or _takes_object(rest)
    return to_do(f"{base} {_and_bases(rest)}") if governs else ""


def _takes_object(rest: str) -> bool:
    """Whether a gerund before this governs it: an article, a plural, several words; one singular noun makes a name."""
    words_ = rest.split()
    return bool(_POINTER.match(rest)) or len(words_) > 1 or is_plural(rest) or not words_[0].isalpha()


def _and_bases(rest: str) -> str:
    def turned(match: re.Match[str]) -> str:
        base = _base(match[2])
        return f"{match[1]} {base}" if base else match[0]

    return re.sub(r"(\b(?:and|or)|,) (\w+ing)\b(?= [\w“`])", turned, rest)


def _base(gerund: str) -> str:
    base = base_verb(gerund)
    return base if base and base != gerund and "VERB" in word_classes(base) else ""
