"""Items about code: which command or option does something, and marked names taken out of a sentence."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from service.authors.extractive.language.sentences import Sentence
from service.authors.extractive.language.verb_forms import word_classes
from service.authors.extractive.language.words import is_plural, rank, stems, words
from service.authors.extractive.quizzes.parts import CHOICES, Candidate, Exam, gives_away, source_says
from service.authors.extractive.sources.code_kinds import kind_of
from service.authors.extractive.sources.material import Section
from service.domain.quiz import Option

_DOES = re.compile(
    r"^(?:The |We use |You use |Use |Running )?(?P<code>\S.{1,40}?)"
    r"(?: command| flag| option| attribute| tag| element| file| directory| function| module)? "
    r"(?P<verb>is used to|allows you to|lets you|can be used to|[a-z]+s) (?P<purpose>.{10,160})$"
)
_NOUN = r"(?: (?:command|flag|option|function|statement|method))?"
_USE = re.compile(
    r"^(?:Use|Run|Type|Call|(?:[Ww]e|[Yy]ou)(?: can| could| may)?(?: then| also)? (?:use|run|type|call)) (?:the )?"
    rf"(?P<code>\S.{{0,38}}?){_NOUN} to (?P<purpose>[a-z]+ .{{9,110}}?)[.:;]?$"
)
_TO_USE = re.compile(
    r"^To (?P<purpose>[a-z]+ .{9,110}?), (?:(?:we|you)(?: can| could| may| need to| have to)? )?"
    rf"(?:use|run|type|call) (?:the )?(?P<code>\S.{{0,38}}?){_NOUN}[.:;]?$"
)
_LOOSE_PURPOSE = re.compile(r"\b(?:this|these|those|it|they|them|our|my|we|do so|above|below|following|example)\b")
_KIND_OF_CODE = re.compile(r"\s(command|flag|option|attribute|tag|element|file|directory|function|module|method)\b")
_KINDS_OF_CODE = re.compile(_KIND_OF_CODE.pattern.removesuffix(r"\b") + r"s?\b")
_KIND_IS_ENOUGH = frozenset(("flag", "call", "file", "constant", "command"))
MOST_USES = 0.06  # of a marked name, for each sentence of the course: more often said, it is the course's matter
_NOT_ASKED_FOR = frozenset(("operator", "literal", "expression"))
_COMMAND_LINE = re.compile(
    r"(?:git|docker|npm|npx|node|make|cargo|rustup|rustc|pip|kubectl|cd|ls|mkdir|uv|curl|ssh|sudo|python3?|brew|apt)\b"
)
_SENDS_AWAY = re.compile(r"\b(?:refer to|see|manual page|documentation for|check out)\b", re.IGNORECASE)
_FRAGMENT = re.compile(
    r"(?:Returns?|Allows?|Lets?|Sets?|Specifies|Enables?|Controls?|Contains?|Defaults?|Once \w+ed,|For full)\b"
)
_NOT_FOR_A_GAP = re.compile(
    r"\b(?:this|these|those|such|we|our|us|he|she|his|her|now|newly|today|notice)\b|^(?:\w+,? ){0,3}(?:it|they)\b",
    re.IGNORECASE,
)


def command_items(exam: Exam) -> list[Candidate]:
    """ "`git pull` updates …" becomes "Which command updates …?", with other code of the same kind."""
    everywhere = exam.once("code", lambda: _all_code(exam))
    nouns = exam.once("nouns of code", lambda: _nouns_of_code(exam))
    found: list[Candidate] = []
    for sentence in exam.statements():
        asked = _asks_for_code(sentence)
        if asked is None:
            continue
        code, stem, purpose = asked
        if gives_away(code, purpose) or kind_of(code) in _NOT_ASKED_FOR:
            continue
        others = [o for o in everywhere if o != code and _beside(o, code, nouns) and o not in purpose and len(o) < 40]
        family = code.split()[0]
        others.sort(key=lambda o: (o.split()[0] != family, ("[" in o) != ("[" in code), len(o), rank(sentence.text, o)))
        others = _distinct(code, others)[: CHOICES - 1]
        if len(others) < CHOICES - 1:
            continue
        options = [Option(text=code, rationale=source_says(sentence.text))]
        options += [Option(text=o, rationale=_why_not(exam, o, code, sentence)) for o in others]
        found.append(Candidate("command", "single", stem, options, [code], sentence.cites))
    return found


def _beside(other: str, code: str, nouns: dict[str, set[str]]) -> bool:
    """Whether two pieces of code are of one kind; of a plain word only its noun tells: "the `repl` command"."""
    kind = kind_of(code)
    if kind_of(other) != kind or len(other) < 2:
        return False
    if kind == "command":
        programs = other.split(maxsplit=1)[0], code.split(maxsplit=1)[0]
        return programs[0] == programs[1] or all(map(_COMMAND_LINE.match, programs))
    if kind == "file" and other.rpartition(".")[2] != code.rpartition(".")[2]:
        return False
    return kind in _KIND_IS_ENOUGH or bool(nouns.get(other, set()) & nouns.get(code, set()))


def _nouns_of_code(exam: Exam) -> dict[str, set[str]]:
    """What the sources call each piece of code: command, flag, method."""
    found: dict[str, set[str]] = {}
    for sentence in exam.sayings():
        for mark in sentence.marks:
            if mark.kind == "code" and (noun := _KINDS_OF_CODE.match(sentence.text[mark.end :])):
                found.setdefault(sentence.text[mark.start : mark.end], set()).add(noun[1])
    return found


def _asks_for_code(sentence: Sentence) -> tuple[str, str, str] | None:
    """The code, the question and the purpose; None when the sentence does not say what the code does."""
    codes = sentence.code()
    use = _USE.match(sentence.text) or _TO_USE.match(sentence.text)
    if use and use["code"].strip("`") in codes and not _LOOSE_PURPOSE.search(use["purpose"]):
        return use["code"].strip("`"), f"What do you use to {use['purpose']}?", use["purpose"]
    does = _DOES.match(sentence.text.rstrip("."))
    first = next((mark for mark in sentence.marks if mark.kind == "code" and mark.start <= 5), None)
    if not does or not first or sentence.text[first.start : first.end] != does["code"].strip("`"):
        return None
    code, verb, purpose = does["code"].strip("`"), does["verb"], does["purpose"]
    noun = _KIND_OF_CODE.match(sentence.text[first.end :])
    if not (noun or _COMMAND_LINE.match(code)) or not _is_verb(verb) or code in purpose:
        return None
    if (
        re.search(r", (?:so|but|while|and|which)\b", purpose)
        or len(words(purpose)) > 24
        or "this" in purpose.split()[:3]
    ):
        return None
    kind = noun[1] if noun else "command"
    return code, re.sub(r"\s*\([^)]*\)", "", f"Which {kind} {verb} {purpose}") + "?", purpose


def _is_verb(verb: str) -> bool:
    return " " in verb or (verb not in ("is", "was", "has") and "VERB" in word_classes(verb))


def _all_code(exam: Exam) -> list[str]:
    """Code that the course's sources mark in their text, the lesson's own sources first."""
    own = exam.sources()
    found: Counter[str] = Counter()
    for reading in sorted(exam.library.readings, key=lambda reading: reading.sha256 not in own):
        for block in reading.source.blocks:
            found.update(reading.source.text[m.start : m.end] for m in block.marks if m.kind == "code")
    return list(found)


def _why_not(exam: Exam, other: str, code: str, sentence: Sentence) -> str:
    """What the source says the other code does, else what it says of the right one."""
    for said in exam.sayings():
        asked = _asks_for_code(said)
        if asked and asked[0] == other and said is not sentence:
            return f"No. {source_says(said.text)}"
    return f"No, it is `{code}`. {source_says(sentence.text)}"


def _distinct(key: str, others: Sequence[str]) -> list[str]:
    """No option may be the key with other arguments, nor its prefix: both would be right."""
    kept: list[str] = []
    for other in others:
        a, b = _core(key), _core(other)
        if a != b and not a.startswith(b) and not b.startswith(a) and all(b != _core(o) for o in kept):
            kept.append(other)
    return kept


def _core(code: str) -> str:
    bare = re.sub(r"\[.*?\]|<.*?>", "", code).split()
    return " ".join(bare[: 3 if code.startswith("git remote") else 2])


def gap_items(exam: Exam) -> list[Candidate]:
    """A marked term is taken out of a sentence that says something about it; siblings are marked terms of its shape."""
    pool = exam.once("marked", lambda: _marked_terms(exam.siblings()))
    told = exam.once("told", lambda: sum(1 for _ in exam.sayings()))
    sources = exam.sources()
    nouns = exam.once("nouns of code", lambda: _nouns_of_code(exam))
    own = exam.once(
        "own marked", lambda: {text for _, text in _marked_terms([s for s in exam.siblings() if s.source in sources])}
    )
    found: list[Candidate] = []
    for _, sentence in exam.facts():
        if not good_for_gap(sentence):
            continue
        for mark in sentence.marks:
            kind = _mark_kind(mark.kind)
            term = sentence.text[mark.start : mark.end].rstrip(" :.,")
            leans = re.search(r"\b(?:it|they)\b", sentence.text[: mark.start], re.IGNORECASE)
            others = _gap_options(sentence, kind, term, pool, own) if mark.start >= 4 and not leans else []
            if noun := _KINDS_OF_CODE.match(sentence.text[mark.start + len(term) :]):
                others = [other for other in others if noun[1] in nouns.get(other, ())]  # "the _____ command"
            if pool[(kind, term)] > MOST_USES * told:
                continue  # what the whole course is about is no gap to fill
            stated = sentence.text[0].isupper() or sentence.marks[0].start == 0
            if not stated or _FRAGMENT.match(sentence.text) or len(others) < CHOICES - 1 or pool[(kind, term)] < 2:
                continue
            stem = f"Fill the gap: {sentence.text[: mark.start]}_____{sentence.text[mark.start + len(term) :]}"
            reason = source_says(sentence.text)
            options = [Option(text=term, rationale=reason)]
            options += [Option(text=o, rationale=f"No, it is “{term}”. {reason}") for o in others[: CHOICES - 1]]
            found.append(Candidate("gap", "cloze", stem, options, [term], sentence.cites))
            break
    return found


def _mark_kind(kind: str) -> str:
    return "term" if kind == "strong" else kind


def _marked_terms(sections: Iterable[Section]) -> Counter[tuple[str, str]]:
    pool: Counter[tuple[str, str]] = Counter()
    for section in sections:
        for unit in section.units():
            for sentence in unit.sentences:
                for mark in sentence.marks:
                    text = sentence.text[mark.start : mark.end].rstrip(" :.,")
                    if mark.kind != "emphasis" and 2 < len(text) < 28:
                        pool[(_mark_kind(mark.kind), text)] += 1
    return pool


def good_for_gap(sentence: Sentence) -> bool:
    telling = {"rule", "cause", "contrast", "warning", "number", "definition"}
    if not 8 <= sentence.length <= 32 or sentence.roles & {"narrative", "example", "question"}:
        return False
    if _SENDS_AWAY.search(sentence.text):
        return False
    coded = any(mark.kind == "code" for mark in sentence.marks)
    return bool(coded or sentence.roles & telling) and not _NOT_FOR_A_GAP.search(sentence.text)


def _gap_options(sentence: Sentence, kind: str, term: str, pool: Counter[tuple[str, str]], own: set[str]) -> list[str]:
    text = sentence.text.lower()
    marked = {sentence.text[m.start : m.end].rstrip(" :.,") for m in sentence.marks if _mark_kind(m.kind) == kind}
    unfit = kind == "code" and kind_of(term) not in _KIND_IS_ENOUGH
    if unfit or len(term.split()) > 3 or text.count(term.lower()) != 1 or len(marked) > 1:
        return []
    others = [
        other
        for (other_kind, other), n in pool.items()
        if other_kind == kind and n > 1 and other.lower() not in text and _like(term, other, kind)
    ]
    at_home = sum(other in own for other in others)
    return sorted(others, key=lambda other: (other not in own, rank(sentence.text, other))) if at_home > 1 else []


def _like(term: str, other: str, kind: str) -> bool:
    if other.lower() == term.lower() or (kind == "code" and _outline(other) != _outline(term)):
        return False
    if len(other.split()) != len(term.split()) or other[:1].isupper() != term[:1].isupper():
        return False
    return is_plural(other) == is_plural(term) and not set(stems(other)) & set(stems(term)) - {"git"}


def _outline(code: str) -> tuple[str, bool, bool, bool]:
    """The kind of code, and what tells calls and constants apart at a glance: dots, underscores, arguments."""
    return kind_of(code), "." in code.strip("."), code.startswith("."), "_" in code or bool(re.search(r"\(.+\)", code))
