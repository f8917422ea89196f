"""What a slide keeps of a sentence that the voice says whole: who or what it is about, and the shortest true rest.

A sentence is split before its verb, and only where agreement leaves no doubt which word that is. Conditions, negations
and exceptions are never cut; a sentence that cannot be split or shortened is spoken and not shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from service.authors.extractive.language import patterns
from service.authors.extractive.language.lexicon import ACTION_VERBS, BLOOM_LEVELS
from service.authors.extractive.language.sentences import Sentence
from service.authors.extractive.language.slide_lines import NEGATION, compress, has_finite_verb, set_code
from service.authors.extractive.language.verb_forms import base_verb, is_imperative, word_classes
from service.authors.extractive.language.words import capitalized, words

NAME_WORDS, TEXT_WORDS = 6, 9
_TOKEN = re.compile(r"\S+")
_AUXILIARY = re.compile(
    r"(?:is|are|was|were|has|have|can|could|may|might|must|shall|should|will|would|does|do|cannot|\w+n[’\']t)$"
)
_NO_SUBJECT = re.compile(
    r"^(?:this|that|these|those|it|they|there|here|what|which|who|he|she|we|you|i|its|their|such|if|whether|when|"
    r"while|for|in|on|at|as|because|although|not|to|by|with|from|since|after|before|once|until|unless|how|why|where|both|"
    r"nobody|nothing|please|never|only|and|but|or|so|then|also|note|using|other|another|one|others)\b",
    re.IGNORECASE,
)
_BREAKS_SUBJECT = re.compile(r"(?:that|which|who|whose|if|when|because|while|and|or|but|than|as|to|not)$|.*[,;:()]")
_LINKS = ("of", "with", "in", "for", "from", "at", "on", "between")  # after the noun that the verb agrees with
_OPENS_OBJECT = re.compile(
    r"(?:the|an?|its|their|your|our|his|her|this|that|these|those|each|every|all|any|some|many|most|more|no|only|one|"
    r"two|three|four|five|six|what|how|why|whether|which|where|to|of|in|on|at|by|for|from|with|into|through|about|up|"
    r"down|out|off|over|between|under|as|like|it|them|you|us|users?|people|not|data|roughly|still)$|[\d`“\"A-Z]",
)
_DETERMINER = re.compile(r"(?:the|an?|my|your|his|her|its|our|their)$", re.IGNORECASE)
_PREPOSITION = re.compile(r"(?:as|to|of|in|on|at|by|for|from|with|into|through|about|over|between|under)$")
_MANY = re.compile(r"(?:most|many|some|all|both|few|these|those|several|two|three|four|five)$", re.IGNORECASE)
_SINGULAR = re.compile(r"(?:an?|each|every|this|one)$", re.IGNORECASE)
_ARTICLES = re.compile(r"^(?:an?|the|each|every)\s+", re.IGNORECASE)
_NUMBER_RULE = re.compile(
    r"^(?:(?:may|can|must|will|should) )?(?:have|has|uses?|runs?|holds?|takes?|costs?|lasts?|needs?|gives?|travels?|"
    r"is|are|be)(?: from)? (?=(?:(?:about|at most|at least|up to|around|roughly|exactly|more than|less than) )?\d)"
)
_IS = re.compile(r"^(?:is|are) (?=(?:an?|the)\b)")
_CUTS = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?:,| -| –) .*$",
        r",? (?:because|so that|which|such as|including|for example|as well as|whereas|in order to)\b.*$",
        r" and (?:then )?(?:\w+[^\Ws]s|on|in|at|by|with|to)\b (?!and\b).*$",
        r" (?:after|before|by \w+ing|to (?:find|see|get|make|send|show|read|reach|use|avoid|help|allow))\b.*$",
        r" (?:for|on|with|from|through|during|within|at|in) (?:the|an?|its|their|your|all|every|each|other|"
        r"many|most) .*$",
    )
)
_NEXT_CLAUSE = re.compile(r",? (?:and|so|but) (?P<rest>.+)$")
_CONSEQUENCE = re.compile(r", so (?:the|an?|it|they|we|you|every\w*|nobody) .*$")
_IF_NEED_BE = re.compile(r",? and,? (?:if|when|where) (?:necessary|needed|possible|required)\b.*$")
_OWN_SENTENCE = re.compile(r"[;:] .*$")
_RELATIVE = re.compile(r"\b(?:that|which|who|whose|where|what|how|why|whether)\b")
_ADVERB = re.compile(
    r" (?P<adverb>therefore|usually|often|also|then|always|sometimes|generally|typically|now|"
    r"never|only|still|rarely)$"
)
_BETWEEN_CLAUSES = re.compile(r",? (?:and|but|whereas|while|so)(?: then)? |, |; |: ")
_OPENING_ADVERB = re.compile(r"^(?:\w+ly|In (?:reality|fact|general|addition|particular)), (?=\w)")
_APPOSITION = re.compile(r"^(?:The|An?) [^,.:;]{3,40}, (?P<name>[A-Z][\w’'-]*), ")
_SECOND_VERB = re.compile(r",? and (?:then )?(?P<verb>[a-z]+[^\Ws]s) ")
_INCOMPLETE = re.compile(
    r"\b(?:either|both|between|(?:to|from|in|on) or)\b|^(?:[\w’']+ )?(?:be|is|are|was|needs?)(?: [\w-]+)?$"
)
_WHILE_DOING = re.compile(r"^When \w+ing [^,]{3,40}, (?=[a-z])")
_POINTS_BACK = re.compile(
    r"\b(?:this|these|those|it|them|they)\b|\b(?:of|in|on|with|for|to|do|does|like) that\b|\bthat$", re.IGNORECASE
)
_ASKS = re.compile(r"\b(?:what|how|why|whether|if)\b")
_HOLDER = re.compile(  # what it holds, or is a part of, is the point of it
    r"\b(?:list|collection|set|number|group|series|kind|type|sort|part|piece|range|variety|lot|pair|copy|result|rest|"
    r"name|value|amount|majority|member|version|goal|purpose)s?$",
    re.IGNORECASE,
)
_POINTED_AT = re.compile(r"\b(?:the|your|its|their|this|these) (?:[\w-]+ )?[\w-]+$", re.IGNORECASE)
_ONE_THING = re.compile(
    r"\b(?:the|your|its|their|this|these|an?|one|two|three|\d+)(?: [\w’'`-]+){1,3}$|[A-Z]\w*$", re.IGNORECASE
)
_NO_OBJECT = re.compile(r"\b(?:(?:can|must|will|should|may)|(?:how|able|need|easy|is) to)(?: \w+ly)? \w+$")
_CLAUSE = re.compile(r"\b(?:is|are|was|were|has|have|can|must|should|will|may|does|do)\b")
_SUBORDINATE = re.compile(
    r"\b(?:that|which|who|whose|if|when|where|because|so|and|while|until|as|whether|what|how|why)\b"
)
_NAMES_ITSELF = re.compile(r"\b[A-Z]{2,}[\w-]*(?: [\w-]+)?$")
_ALL_OF_A_KIND = re.compile(r"\b(?:all|every|each|any|no) (?:[\w-]+ )?[\w-]+$", re.IGNORECASE)
_PUTS = frozenset(("put", "place", "set", "move", "insert", "add", "mix", "replace", "connect", "attach"))
_GENUS = re.compile(r"(?:an?|any) |(?!the|each|every|no )(?:[\w-]+ ){0,3}?(?P<plural>[a-z]+s)\b", re.IGNORECASE)
_RELATIVE_CLAUSE = re.compile(r" (?:that|which|who|whose|where|when|during which)\b.*$")
_WHAT_KIND = (
    re.compile(r"(?:,|;|:| [-–—]) .*$"),
    _RELATIVE_CLAUSE,
    re.compile(
        r" (?:not )?(?:\w+ed|\w+ing|made|built|written|sent|given|meant|kept|held|shown|set) "
        r"(?:by|to|in|with|from|around|at|on|for|of|as|between|during)\b.*$"
    ),
    re.compile(r" (?:for|with|from|on|during|at|in|by|to|via|through|using)\b.*$"),
)
_ALLOWED = re.compile(r"^(?:You|We) (?:(?:can|should|must|may|need to|will|have to) )(?:now |also |then )?(?=[a-z]+\b)")
_KEEP = re.compile(
    r"\b(?:unless|except|only|not|never|without|until|no|if|when|cannot|less|more|most|least|between|either|neither|"
    r"nor|than|rather|instead|be|\w+n[’']t)\b",
    re.IGNORECASE,
)
_BROKEN_END = re.compile(
    r"\b(?:the|an?|of|to|and|or|is|are|be|with|by|for|in|on|that|as|from|at|not|most|more|so|also|than|if|when|your|"
    r"their|its|will|can|should|must|may|which|who|has|have|was|were|do|does|each|every|any|one|other|up|into|about|"
    r"between|both|how|what|such|some|many|all|this|these|those|us|them|very|first|last|only|own|same|able|likely|where|why|it|"
    r"you|we|they)$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Phrase:
    """A short form in two parts: `name` is the subject ('' when the slide's term is it), `text` what is said of it."""

    name: str
    text: str
    verbal: bool = True

    @property
    def line(self) -> str:
        """As one line of a list."""
        if not self.name:
            return capitalized(self.text)
        return f"{self.name} {self.text}" if self.verbal else f"{self.name}: {self.text}"


def phrases(sentence: Sentence, term: str = "", most: int = TEXT_WORDS) -> list[Phrase]:
    """The sentence's short forms, from the fullest to the shortest; empty when it has none that stays whole and true.

    `term`: what the slide is about; a sentence about it need not name it again. `most`: words beside the subject.
    """
    found: dict[Phrase, None] = {}
    for name, text in _parts(sentence.text):
        own = term and _same(name, term)
        for rest in _shorter(text):
            shown = Phrase("" if own else _set(name, sentence), _set(rest, sentence))
            number = _NUMBER_RULE.sub("", rest)
            named = _IS.sub("", rest)
            if len(words(rest)) <= most and not _BROKEN_END.search(rest):
                is_noun = named != rest
                if is_noun and len(words(named)) < 3:
                    continue
                if is_noun and not own:
                    shown = Phrase(shown.name, _set(named, sentence), verbal=False)
                found[shown] = None
            if number != rest and len(words(number)) <= most:
                found[Phrase(shown.name, _set(number, sentence), verbal=False)] = None
    return sorted(found, key=lambda phrase: -len(words(phrase.line)))


def clauses(sentence: Sentence, term: str = "") -> list[Phrase]:
    """The statements of a sentence that makes several, each about a subject of its own; empty when it makes one."""
    bare = re.sub(r"\s*\([^()]*\)", "", patterns.DROPPABLE.sub("", sentence.text)).rstrip(" .!;:")
    parts = [split_subject(capitalized(part)) for part in _BETWEEN_CLAUSES.split(bare)]
    if len(parts) < 2 or not all(parts):
        return []
    found = [(name, _short(text)) for name, text in filter(None, parts)]
    if any(not text or _BROKEN_END.search(text) for _, text in found):
        return []
    return [
        Phrase("" if term and _same(name, term) else _set(name, sentence), _set(_IS.sub("", text), sentence))
        for name, text in found
    ]


def _short(text: str) -> str:
    """The longest form of a predicate that leaves room for those of other clauses; '' for none."""
    return next((form for form in _shorter(text) if len(words(form)) <= TEXT_WORDS - 2), "")


def _set(text: str, sentence: Sentence) -> str:
    return set_code(text, sentence)


@lru_cache(maxsize=20_000)
def _parts(text: str) -> tuple[tuple[str, str], ...]:
    """Subject and predicate of the sentence and of its shorter form."""
    bare = patterns.DROPPABLE.sub("", patterns.LABEL.sub("", text.strip()))
    bare = capitalized(_OPENING_ADVERB.sub("", bare))
    bare = _APPOSITION.sub(r"\g<name> ", re.sub(r"\s*\([^()]*\)", "", bare))
    found = [split_subject(capitalized(form.rstrip(" .!;:"))) for form in (bare, compress(text, TEXT_WORDS)) if form]
    return tuple(dict.fromkeys(part for part in found if part))


def split_subject(text: str) -> tuple[str, str] | None:
    """The words before the main verb and the rest; None when it is not sure where that is."""
    tokens = [match for match in _TOKEN.finditer(text)]
    if len(tokens) < 3 or _NO_SUBJECT.match(text) or tokens[0][0].lower() in ACTION_VERBS | BLOOM_LEVELS.keys():
        return None
    for place in range(1, min(NAME_WORDS + 1, len(tokens) - 1)):
        word = tokens[place][0]
        if _is_verb([token[0] for token in tokens], place):
            if _may_have_been_the_verb([token[0] for token in tokens], place):
                return None
            name, rest = text[: tokens[place].start()].strip(), text[tokens[place].start() :].strip()
            adverb = _ADVERB.search(name)
            if adverb:
                name = name[: adverb.start()]
                rest = (
                    rest if adverb["adverb"] in ("therefore", "also", "then", "now") else f"{adverb['adverb']} {rest}"
                )
            return (name, rest) if not _BROKEN_END.search(name) else None
        if _BREAKS_SUBJECT.match(word) or (word in ("a", "an", "the") and tokens[place - 1][0] not in _LINKS):
            return None
    return None


def _is_verb(tokens: list[str], place: int) -> bool:
    """Whether this word is the finite verb: an auxiliary, or a form that agrees with the noun before it."""
    word, before, after = tokens[place], tokens[place - 1], tokens[place + 1]
    if place > 1 and _ADVERB.fullmatch(f" {before}"):
        before = tokens[place - 2]
    before = next((noun for noun, link in pairwise(tokens[:place]) if link in _LINKS), before)
    if _AUXILIARY.match(word):
        return True
    if not re.fullmatch(r"[a-z]+", word) or "VERB" not in word_classes(word) or _DETERMINER.match(before):
        return False
    if not (_OPENS_OBJECT.match(after) or _is_plural(after)):
        return False
    if place == 1 and "ADV" in word_classes(before.lower()):
        return False
    if has_finite_verb(before):
        return False
    if _is_plural(before) and not _SINGULAR.match(tokens[0]):
        return base_verb(word) == word and "ADV" not in word_classes(word)
    return word.endswith("s") and not word.endswith("ss") and not _is_plural(before) and before[-1].isalnum()


def _may_have_been_the_verb(tokens: list[str], place: int) -> bool:
    """Whether the word before could be the verb and this one its object: “Agile treats change as a part of it”."""
    word, before, after = tokens[place], tokens[place - 1], tokens[place + 1]
    if place < 2 or not before.endswith("s") or not {"NOUN", "VERB"} <= word_classes(word):
        return False
    if not _PREPOSITION.match(after) or any(token[:1].isdigit() for token in tokens[place + 2 : place + 3]):
        return False
    return "VERB" in word_classes(before) and not _MANY.match(tokens[0])


def _is_plural(word: str) -> bool:
    bare = word.rstrip(".,;:").lower()
    return bare.endswith("s") and not bare.endswith(("ss", "us", "is", "'s", "’s")) and "NOUN" in word_classes(bare)


def _shorter(text: str) -> Iterator[str]:
    """The predicate, and what is left of it when one tail after the other goes that changes nothing of the rest."""
    text = _IF_NEED_BE.sub("", _OWN_SENTENCE.sub("", text))
    text = _CONSEQUENCE.sub("", text)
    following = _NEXT_CLAUSE.search(text)
    if following and split_subject(capitalized(following["rest"])) and len(words(text[: following.start()])) > 1:
        text = text[: following.start()]
    yield text
    second = _SECOND_VERB.search(text)
    if second and "VERB" in word_classes(second["verb"]) and not _RELATIVE.search(text[: second.start()]):
        text = text[: second.start()]
        yield text
    for cut in _CUTS:
        match = cut.search(text)
        shorter = text[: match.start()].rstrip(" ,;:") if match else ""
        if match and _may_go(match[0], shorter):
            text = shorter
            yield text


def _may_go(tail: str, left: str) -> bool:
    """Whether the predicate that is left says the same without its tail, only less; what is denied stays whole."""
    if _KEEP.search(tail) or len(words(left)) < 2 or _BROKEN_END.search(left) or _INCOMPLETE.search(left):
        return False
    if (NEGATION.search(left) or _RELATIVE.search(left)) and not tail.startswith(","):
        return False
    return not (re.match(r" (?:and|in|on|for|with|from|at)\b", tail) and re.search(r"\bbetween\b|\bfrom\b", left))


def _same(name: str, term: str) -> bool:
    """Whether the subject is the term itself or its initials: not some of it, and in the number that its verb has."""
    bare = without_article(name).lower()
    initials = "".join(word[0] for word in term.split() if word[0].isupper())
    return bare == term.lower() or (len(initials) > 1 and name == initials)


def kinds(meaning: str) -> list[str]:
    """What kind of thing a term is, with less and less of what sets it apart: true of all that the meaning is true of.

    Only of a meaning that opens with “a” or in the plural: of “the portion of the code that is run” the first half is
    something else. For what is *said to be* the thing; in a list of what is needed, or forbidden, every word counts.
    """
    bare = re.sub(r"\s*\([^()]*\)", "", meaning).rstrip(" .;")
    genus = _GENUS.match(bare)
    if not genus or (genus["plural"] and not _is_plural(genus["plural"])):
        return []
    kept: list[str] = []
    for cut in _WHAT_KIND:
        match = cut.search(bare, genus.end())
        if not match:
            continue
        shorter = bare[: match.start()]
        if _is_kind(shorter):
            bare = shorter
            kept.append(bare)
        elif cut is _RELATIVE_CLAUSE:
            break  # what is cut later would leave half a clause
    return kept


def _is_kind(phrase: str) -> bool:
    """Whether the phrase ends with its noun and is no sentence."""
    found = words(_ARTICLES.sub("", phrase))
    classes = word_classes(found[-1].lower()) if found else frozenset()
    if len(found) < 2 or has_finite_verb(phrase) or _BROKEN_END.search(phrase):
        return False
    return not classes or ("NOUN" in classes and not ("ADJ" in classes and "," in phrase))


def without_article(name: str) -> str:
    """The subject as a label of its own."""
    return capitalized(_ARTICLES.sub("", name))


def orders(sentence: Sentence, step: bool = False) -> list[str]:
    """What is left of an instruction when its details go; a prohibition and a condition keep every word.

    `step`: it stands in a procedure, so that any verb that it opens with is an order.
    """
    text = re.sub(r"\s*\([^()]*\)", "", patterns.DROPPABLE.sub("", sentence.text)).rstrip(" .!;:")
    text = capitalized(_ALLOWED.sub("", _WHILE_DOING.sub("", text)))
    found = words(text)
    known = found and (found[0].lower() in ACTION_VERBS or (step and is_imperative(text) and not split_subject(text)))
    if not known or _KEEP.search(" ".join(found[:3])):
        return []
    kept: list[str] = []
    for place in _where_details_begin(text, len(found[0]) + 3):
        shorter = text[:place].rstrip(" ,;:")
        if len(shorter) < len(text) and _is_whole_order(shorter, text[place:], sentence):
            text = shorter
            kept.append(capitalized(text))
    return kept


def _where_details_begin(text: str, after: int) -> list[int]:
    """Where the order could end: at its first clause, then at one phrase after the other, from the last on."""
    clauses = [match.start() for cut in _CLAUSES for match in [cut.search(text, after)] if match]
    return clauses + [match.start() for match in _PHRASES.finditer(text, after)][::-1]


def _is_whole_order(order: str, rest: str, sentence: Sentence) -> bool:
    """Whether what is left of an order can be followed as it stands, and asks for nothing else than before."""
    if _KEEP.search(rest) and not rest.startswith((" that", " which", ", so")):
        return False
    if len(words(order)) < (4 if rest.startswith(" of ") else 3) or _POINTS_BACK.search(order):
        return False
    if _BROKEN_END.search(order) or _INCOMPLETE.search(order) or (re.search(r"\d", order) and re.search(r"\d", rest)):
        return False
    if _ASKS.search(order) and not rest.startswith((",", ";", ":")):
        return False
    return not _needs_rest(order, rest, sentence)


def _needs_rest(order: str, rest: str, sentence: Sentence) -> bool:
    """Whether the rest says which things are meant (“all people | on the team”), or where something goes."""
    if rest.startswith((" that", " which", " who")):
        return not (_POINTED_AT.search(order) or _NAMES_ITSELF.search(order))
    if rest[:1] in ",;:":
        return False
    found = [word.lower() for word in words(order)]
    if found[-1].endswith("ed") and "NOUN" not in word_classes(found[-1]):
        return True
    if _NO_OBJECT.search(order) or _CLAUSE.search(_SUBORDINATE.split(rest)[0]) or NEGATION.search(order):
        return True
    if rest.startswith(" of "):
        return bool(_HOLDER.search(order))
    if not re.match(r" (?:on|in|from|with|for|into|by|at|before|after|through|using)\b", rest):
        return False
    vague = _ALL_OF_A_KIND.search(order) or not _ONE_THING.search(order)
    names = any(code in rest for code in sentence.code())
    return bool(vague or names or (found[0] in _PUTS and len(found) < 5))


_CLAUSES = tuple(
    re.compile(pattern)
    for pattern in (r"[,;:] .*$", r" (?:that|which|who)\b.*$", r" (?:so that|because|and (?:then )?\w+)\b.*$")
)
_PHRASES = re.compile(
    r" (?:(?:before|after|by|using|through|with|for|on|from|in|and)|"
    r"to (?=(?:the|an?|your|its|their|each|every|all|\d)\b)|"  # never inside “time to live”
    r"(?<!out )(?<!instead )(?<!because )(?<!ahead )(?<!front )(?<!outside )(?<!top )(?<!half )of)\b"
)
