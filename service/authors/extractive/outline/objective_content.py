"""What a section that only names its matter asks of learners: told by its steps, code, terms, tables and sentences."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from service.authors.extractive.language.lexicon import NO_TERMS
from service.authors.extractive.language.patterns import POOR_MEANING
from service.authors.extractive.language.sentences import Sentence
from service.authors.extractive.language.verb_forms import is_imperative, word_classes
from service.authors.extractive.language.words import Casing, capitalized, is_plural, stems
from service.authors.extractive.sources.code_kinds import kind_of
from service.authors.extractive.sources.material import Section, Unit
from service.domain.bloom import BLOOM_VERBS, VAGUE_VERBS

_TO_DO = re.compile(r"^To (?P<goal>[a-z]+ [^,:]{6,90}?)(?:, .*)?[:.]$")
_LIKE_THIS = re.compile(
    r"^(?P<goal>[A-Z][a-z]+ .{6,90}?) (?:like this|as follows|(?:in|with) (?:these|\w+) steps)[.:]$"
)
_REASONED = re.compile(r"^(?P<claim>[A-Z][^,:;()]{14,70}),? because (?!of\b).{10,}")
_CONDITION = re.compile(r"^(?:If|When|Whenever|As soon as) (?P<case>[^,:;()“”]{10,80}), (?P<then>.{10,})")
_DUTY = re.compile(
    r"^(?:please )?(?:you |we )?(?:must|should|need to|have to|do not|don[’']t|never|always)\b", re.IGNORECASE
)
_OF_USE = re.compile(
    r"(?: (?:command|method|function|attribute|option|flag|tool|module|file))? (?:is|are) "
    r"(?:mainly |mostly |often |also )?(?:used|useful|meant|there|designed|intended) (?:to|for|when)\b|"
    r" (?:lets?|allows?|helps?|enables?|makes? it (?:possible|easy|easier)) "
)
POINTS_BACK = re.compile(
    r"\b(?:this|these|those|such|it|they|them|its|their|he|she|we|us|our|your|also|here|now|above|below|following|"
    r"another|same|other|earlier|later)\b",
    re.IGNORECASE,
)
_SHELLS = frozenset(("bash", "sh", "shell", "console", "zsh", "powershell"))
_NO_LANGUAGE = frozenset(("", "text", "output", "toml", "yaml", "json", "ini"))
_RULE_WORDS = re.compile(r"rules?|guidelines|practices|principle|requirements?|polic(?:y|ies)|conventions?|style")
_OF_A_LIST = re.compile(r"the (?:[a-z]+ )?(?:requirements|limitations|benefits|exceptions|prerequisites|caveats) of ")
_DEEDS = re.compile(
    r"(?:\w+(?:tion|ment|sis|ing)|setup|release|backup|restore|review|removal|transfer|update|upgrade|process|procedure)$"
)
_WAY = re.compile(r" (?=(?:via|through|per|as|with|without|on|by|in) )")
LEAST_LISTED = 0.5  # of a section's words stand in its list, if the list is what the heading names
LONGEST_ENTRY = 22  # words of an entry that is one of several things, not a statement about them
LONGEST_CLAUSE = 13  # words


def by_code(name: str, section: Section, label: str = "") -> str:
    """The objective of an entry of a reference: to use it where code shows how, else to say what it does.

    `label`: what the entries of the reference are ("setting"), '' for unknown.
    """
    kind = kind_of(name)
    if kind == "file":
        return f"Explain what {name} is for"
    said = f"the {name} {label}" if label and kind in ("word", "hyphened") else name
    used = kind not in ("word", "hyphened") and any(idea.kind == "code" for idea in section.ideas)
    return f"Use {said}" if used else f"Explain what {said} does"


def by_content(topic: str, section: Section, casing: Casing, context: str) -> str:
    """The objective of a section whose heading is a noun; `context`: what its matter is a part of, '' for unknown."""
    kinds = Counter(idea.kind for idea in section.ideas)
    if section.is_vague and re.match(r"(?:failure|fail|pass|example|correct|incorrect)", section.title, re.IGNORECASE):
        return f"Recognize good and bad examples of {topic}"
    if kinds["steps"]:
        return _goal(section, topic) or _by_steps(topic, section)
    if re.search(r"\bexamples?\b|\bcase study\b", topic):
        return f"Trace {topic}" if kinds["code"] else f"Discuss {topic}"
    if kinds["code"] >= 2:
        return _goal(section, topic) or _with_code(topic, section)
    made: Sequence[Callable[[], str]] = (
        lambda: _by_definition(topic, section, casing),
        lambda: _from_table(section, casing),
        lambda: _by_terms(_defined(section, casing)),
        lambda: _by_rules(topic, section),
        lambda: _by_list(topic, section),
        lambda: _for_what(topic, section),
        lambda: by_sentence(section, casing, set(stems(topic)) | set(stems(context))),
        lambda: _by_weight(topic, section, context),
    )
    return next(text for make in made if (text := make()))


def by_sentence(section: Section, casing: Casing, about: set[str] | None = None) -> str:
    """Something of which the section gives the reason, or what it says happens in a case; '' when it says neither.

    `about`: stems of which the sentence must hold one.
    """
    for unit in _plain_units(section):
        match = _REASONED.match(unit.head.text)
        if match and _clause(match["claim"], about):
            return f"Explain why {casing.lowered(match['claim']).rstrip(',')}"
    for unit in _plain_units(section):
        match = _CONDITION.match(unit.head.text)
        if match and _clause(match["case"], about):
            case = f"{unit.head.text.split()[0].lower()} {match['case']}"
            doing = _DUTY.match(match["then"]) or is_imperative(match["then"])
            return f"State what to do {case}" if doing else f"Predict what happens {case}"
    return ""


def _plain_units(section: Section) -> Iterator[Unit]:
    """Units in running text that stand alone and belong to no walk-through."""
    for idea in section.ideas:
        for unit in idea.units if idea.kind in ("text", "definition") else ():
            if unit.head.alone and unit.head.usable and not unit.roles & {"step", "narrative", "example"}:
                yield unit


def _clause(text: str, about: set[str] | None) -> bool:
    if re.match(r"(?:at|in|on|for|with|by|from|inside|outside|within|used|given|needed|possible|necessary)\b", text):
        return False
    if POINTS_BACK.search(text) or len(text.split()) > LONGEST_CLAUSE:
        return False
    return about is None or bool(about & set(stems(text)))


def _goal(section: Section, topic: str) -> str:
    """What its steps or code are for, as the sentence that announces them says: "To check a copy, follow these:"."""
    for idea in section.ideas:
        if idea.kind not in ("steps", "code") or idea.lead is None:
            continue
        match = _TO_DO.match(idea.lead.text) or _LIKE_THIS.match(idea.lead.text)
        verb = match["goal"].split()[0].lower() if match else ""
        if not match or verb not in BLOOM_VERBS or verb in VAGUE_VERBS or POINTS_BACK.search(match["goal"]):
            continue
        near = idea.kind == "steps" or set(stems(match["goal"])) & set(stems(topic))
        if near and len(match["goal"].split()) <= LONGEST_CLAUSE:
            return capitalized(match["goal"])
    return ""


def _by_steps(topic: str, section: Section) -> str:
    if _is_test(section):
        return f"Test {topic}"
    return f"Perform {topic}" if _DEEDS.search(topic) else f"Follow the steps for {topic}"


def _is_test(section: Section) -> bool:
    """Whether its steps, or those of a part of it, stand under a heading like "Testing"."""
    parts = [section, *(child for child in section.children if any(idea.kind == "steps" for idea in child.ideas))]
    return any(
        re.match(r"test", heading.title, re.IGNORECASE)
        for part in parts
        for heading in (part, part.parent)
        if heading is not None
    )


def _with_code(topic: str, section: Section) -> str:
    languages = {idea.lang.lower() for idea in section.ideas if idea.kind == "code"}
    at_shell = bool(languages & _SHELLS) and languages <= _SHELLS | _NO_LANGUAGE
    head = _WAY.split(topic, maxsplit=1)[0]
    verb = "Use" if not _DEEDS.search(head) else "Perform" if at_shell else "Apply"
    if head != topic:
        return f"{verb} {topic}"  # the heading says already how or where
    return f"{verb} {topic} {'on the command line' if at_shell else 'in code'}"


def _by_definition(topic: str, section: Section, casing: Casing) -> str:
    defined = _defined(section, casing)
    named = any(set(stems(term)) & set(stems(topic)) for term in defined)
    if named and len(topic.split()) < 5 and len(defined) < 2:
        return f"Explain what {topic} {'are' if is_plural(topic) or ' and ' in topic else 'is'}"
    return ""


def _from_table(section: Section, casing: Casing) -> str:
    """What a table lets learners do: compare its two columns, or find the row that fits."""
    table = next((idea for idea in section.ideas if idea.kind == "table" and len(idea.rows) >= 3), None)
    if table is None or len(table.rows[0]) < 2 or not all(table.rows[0]):
        return ""
    label, *columns = table.rows[0]
    if len(columns) == 2 and all(casing.is_proper(word) for column in columns for word in column.split()[:1]):
        return f"Compare {columns[0]} with {columns[1]}"
    if re.match(r"(?:what|how|when|where|why|used?) ", columns[0], re.IGNORECASE):
        return f"Match each {casing.inside(label)} with {casing.inside(columns[0])}"
    if (
        re.match(r"(?:an?|the) ", columns[0], re.IGNORECASE)
        or is_plural(label)
        or is_plural(columns[0])
        or len(columns[0].split()) > 3
        or "NOUN" not in word_classes(columns[0].split()[-1].lower())
    ):
        return ""
    return f"Match each {casing.inside(label)} with its {casing.inside(columns[0])}"


def _defined(section: Section, casing: Casing) -> list[str]:
    """The terms that the section defines, in source order, as they read inside a sentence."""
    found: dict[str, str] = {}
    for unit in section.units():
        for sentence in unit.sentences:
            if is_good_definition(sentence):
                term = casing.inside(re.sub(r"\s*\([^)]*\)", "", sentence.defines[0]))  # type: ignore[index]
                article = re.match(r"(An?|The) ", sentence.text)
                found.setdefault(term, f"{article[1].lower()} {term}" if article else term)
    return list(found.values())


def is_good_definition(sentence: Sentence) -> bool:
    """Whether a sentence tells what a term means: no "five minutes is …", "variable s refers to …"."""
    if not sentence.defines or not sentence.defines[1] or POOR_MEANING.search(sentence.defines[1]):
        return False
    term, meaning = sentence.defines
    first, last = term.split()[0].lower(), term.split()[-1]
    if re.match(
        r"(?:most|some|all|many|any) of\b|(?:the|an?) (?:default|same|only|first|last|best|most|main|rest)\b", meaning
    ):
        return False
    if first in NO_TERMS or re.match(r"\d", meaning) or (len(last) == 1 and " " in term):
        return False
    marked = any(mark.start <= 5 and mark.kind in ("strong", "term", "code") for mark in sentence.marks)
    if sentence.text.startswith("The ") and " " not in term and not marked:
        return False  # "The output is a list": this one, not what an output is
    return not (" " in term and is_imperative(term))


def _by_terms(defined: Sequence[str]) -> str:
    if len(defined) < 2:
        return ""
    if len(defined) == 2:
        return f"Distinguish {defined[0]} from {defined[1]}"
    names = [re.sub(r"^(?:an?|the) ", "", term) for term in defined][:3]
    return f"Define {', '.join(names[:-1])} and {names[-1]}"


def _by_rules(topic: str, section: Section) -> str:
    roles = Counter(role for unit in section.units() for role in unit.roles)
    if topic.endswith("checklist"):
        return f"Use {topic if topic.startswith('the ') else f'the {topic}'}"
    if roles["rule"] >= 3:
        if _OF_A_LIST.match(topic):
            return f"List {topic}"
        return f"Apply {topic}" if _RULE_WORDS.search(topic) else f"Apply the rules for {topic}"
    return f"Avoid mistakes with {topic}" if roles["warning"] >= 3 else ""


def _by_list(topic: str, section: Section) -> str:
    lists = [idea for idea in section.ideas if idea.kind == "list" and len(idea.items) >= 3]
    if section.parent is None or sum(idea.words for idea in lists) < LEAST_LISTED * section.words:
        return ""
    if any(_advises([item[0].text for item in idea.items if item]) for idea in lists):
        return f"Follow the advice on {topic}"
    listed = is_plural(topic.split(" of ", maxsplit=1)[0]) and not re.match(r"(?:the|using|your) ", topic)
    longest = max((item[0].length for idea in lists for item in idea.items if item), default=0)
    if (
        longest <= LONGEST_ENTRY
        and lists
        and (listed or " of " in topic)
        and is_plural(topic.split(" of ", maxsplit=1)[0])
    ):
        return f"List {topic if topic.startswith('the ') else f'the {topic}'}"
    return ""


def _advises(heads: Sequence[str]) -> bool:
    """Whether these list entries tell what to do; "Type: Boolean" only looks like it."""
    fields = sum(bool(re.match(r"[\w ]{2,20}: ", head)) for head in heads)
    return fields * 2 < len(heads) and sum(map(is_imperative, heads)) >= 0.9 * len(heads)


def _for_what(topic: str, section: Section) -> str:
    """That the section says what its matter is used for."""
    name = re.escape(re.sub(r"^the ", "", topic))
    for unit in section.units():
        if re.match(rf"(?:The |An? )?{name}(?:{_OF_USE.pattern})", unit.head.text, re.IGNORECASE):
            return f"Explain what {topic} {'are' if is_plural(topic) else 'is'} for"
    return ""


def _by_weight(topic: str, section: Section, context: str) -> str:
    roles = Counter(role for unit in section.units() for role in unit.roles)
    if roles["cause"] >= 2 and len(topic.split()) <= 2 and not _DEEDS.search(topic) and not context:
        return f"Explain how {topic} {'work' if is_plural(topic) else 'works'}"
    if context and len(topic.split()) <= 4:
        return f"Explain the role of {topic} in {context}"
    return f"Discuss {topic}" if roles["contrast"] >= 2 else f"Explain {topic}"
