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
from service.authors.extractive.language.slide_lines import compress, has_finite_verb, set_code
from service.authors.extractive.language.verb_forms import base_verb, word_classes
from service.authors.extractive.language.words import capitalized, words

NAME_WORDS, TEXT_WORDS = 6, 9
_TOKEN = re.compile(r"\S+")
_AUXILIARY = re.compile(
    r"(?:is|are|was|were|has|have|can|could|may|might|must|shall|should|will|would|does|do|cannot|\w+n[’\']t)$"
)
_NO_SUBJECT = re.compile(
    r"^(?:this|that|these|those|it|they|there|here|what|which|who|he|she|we|you|i|its|their|such|if|when|while|for|in|"
    r"on|at|as|because|although|not|to|by|with|from|since|after|before|once|until|unless|how|why|where|both|"
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
        r" and (?:then )?(?:\w+s|on|in|at|by|with|to)\b (?!and\b).*$",
        r" (?:after|before|by \w+ing|to (?:find|see|get|make|send|show|read|reach|use|avoid|help|allow))\b.*$",
        r" (?:for|on|with|from|through|during|within|at|in) (?:the|an?|its|their|your|all|every|each|other|"
        r"many|most) .*$",
    )
)
_NEXT_CLAUSE = re.compile(r",? (?:and|so|but) (?P<rest>.+)$")
_CONSEQUENCE = re.compile(r", so (?:the|an?|it|they|we|you|every\w*|nobody) .*$")
_OWN_SENTENCE = re.compile(r"[;:] .*$")
_RELATIVE = re.compile(r"\b(?:that|which|who|whose|where|what|how|why|whether)\b")
_ADVERB = re.compile(
    r" (?P<adverb>therefore|usually|often|also|then|always|sometimes|generally|typically|now|"
    r"never|only|still|rarely)$"
)
_BETWEEN_CLAUSES = re.compile(r",? (?:and|but|whereas|while|so)(?: then)? |, |; |: ")
_APPOSITION = re.compile(r"^(?:The|An?) [^,.:;]{3,40}, (?P<name>[A-Z][\w’'-]*), ")
_SECOND_VERB = re.compile(r",? and (?:then )?(?P<verb>[a-z]+s) ")
_INCOMPLETE = re.compile(
    r"\b(?:either|both|between|(?:to|from|in|on) or)\b|^(?:[\w’']+ )?(?:be|is|are|was|needs?)(?: [\w-]+)?$"
)
_WHILE_DOING = re.compile(r"^When \w+ing [^,]{3,40}, (?=[a-z])")
_POINTS_BACK = re.compile(r"\b(?:this|that|these|those|it|them|they)\b", re.IGNORECASE)
_ASKS = re.compile(r"\b(?:what|how|why|whether)\b")
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


def phrases(sentence: Sentence, term: str = "") -> list[Phrase]:
    """The sentence's short forms, from the fullest to the shortest; empty when it has none that stays whole and true.

    `term`: what the slide is about; a sentence about it need not name it again.
    """
    found: dict[Phrase, None] = {}
    for name, text in _parts(sentence.text):
        own = term and _same(name, term)
        for rest in _shorter(text):
            shown = Phrase("" if own else _set(name, sentence), _set(rest, sentence))
            number = _NUMBER_RULE.sub("", rest)
            named = _IS.sub("", rest)
            if len(words(rest)) <= TEXT_WORDS and not _BROKEN_END.search(rest):
                is_noun = named != rest
                if is_noun and len(words(named)) < 3:
                    continue
                if is_noun and not own:
                    shown = Phrase(shown.name, _set(named, sentence), verbal=False)
                found[shown] = None
            if number != rest and len(words(number)) <= TEXT_WORDS:
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
            name, rest = text[: tokens[place].start()].strip(), text[tokens[place].start() :].strip()
            adverb = _ADVERB.search(name)
            if adverb:
                name = name[: adverb.start()]
                rest = (
                    rest if adverb["adverb"] in ("therefore", "also", "then", "now") else f"{adverb['adverb']} {rest}"
                )
            return (name, rest) if not _BROKEN_END.search(name) else None
        if _BREAKS_SUBJECT.match(word):
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
    if not re.fullmatch(r"[a-z]+", word) or "VERB" not in word_classes(word) or before.lower() in ("the", "a", "an"):
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


def _is_plural(word: str) -> bool:
    bare = word.rstrip(".,;:").lower()
    return bare.endswith("s") and not bare.endswith(("ss", "us", "is", "'s", "’s")) and "NOUN" in word_classes(bare)


def _shorter(text: str) -> Iterator[str]:
    """The predicate, and what is left of it when one tail after the other goes that changes nothing of the rest."""
    text = _OWN_SENTENCE.sub("", text)
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
        if not match or _KEEP.search(match[0]) or len(words(text[: match.start()])) < 2:
            continue
        if _RELATIVE.search(text[: match.start()]) and not match[0].startswith(","):
            continue
        shorter = text[: match.start()].rstrip(" ,;:")
        if re.match(r" (?:and|in|on|for|with|from|at)\b", match[0]) and re.search(r"\bbetween\b|\bfrom\b", shorter):
            continue
        if not _BROKEN_END.search(shorter) and not _INCOMPLETE.search(shorter):
            text = shorter
            yield text


def _same(name: str, term: str) -> bool:
    """Whether the subject is the term itself or its initials: not some of it, and in the number that its verb has."""
    bare = without_article(name).lower()
    initials = "".join(word[0] for word in term.split() if word[0].isupper())
    return bare == term.lower() or (len(initials) > 1 and name == initials)


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
    known = found and (found[0].lower() in ACTION_VERBS or (step and base_verb(found[0].lower()) == found[0].lower()))
    if not known or _KEEP.search(" ".join(found[:3])):
        return []
    kept: list[str] = []
    for cut in _DETAILS:
        match = cut.search(text, len(found[0]) + 3)
        if match and not (_KEEP.search(match[0]) and not match[0].startswith((" that", " which", ", so"))):
            shorter = text[: match.start()].rstrip(" ,;:")
            enough = len(words(shorter)) >= (4 if cut is _DETAILS[-1] else 3) and not _POINTS_BACK.search(shorter)
            enough = enough and not (_ASKS.search(shorter) and not match[0].startswith((",", ";", ":")))
            if enough and not _BROKEN_END.search(shorter) and not _INCOMPLETE.search(shorter):
                text = shorter
                kept.append(capitalized(text))
    return kept


_DETAILS = tuple(
    re.compile(pattern)
    for pattern in (
        r"[,;:] .*$",
        r" (?:that|which|who)\b.*$",
        r" (?:so that|because|and (?:then )?\w+)\b.*$",
        r" (?:before|after|by|using|through|with|for|on|from|in)\b.*$",
        r" (?:to (?=(?:the|an?|your|its|their|each|every|all|\d)\b)|and\b).*$",  # never inside “time to live”
        r"(?<!out)(?<!instead)(?<!because)(?<!ahead)(?<!front)(?<!outside)(?<!top)(?<!half) of\b.*$",
    )
)
