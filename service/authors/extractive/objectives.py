"""What learners can do after a lesson: the source's own objectives, or one by the shape of each heading."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Sequence

from service.authors.extractive import patterns
from service.authors.extractive.lexicon import ACTION_VERBS, BLOOM_LEVELS, MUTE_OBJECTIVE_VERBS, NOUN_LIKE_VERBS
from service.authors.extractive.material import Section
from service.authors.extractive.packing import Draft
from service.authors.extractive.patterns import POOR_MEANING
from service.authors.extractive.verb_forms import base_verb, is_imperative, word_classes
from service.authors.extractive.words import Casing, capitalized, is_plural, overlap, shorten, stems
from service.domain.bloom import BLOOM, BLOOM_VERBS
from service.domain.course import Bloom

MOST = 3
WORTH_OF_STEPS = 60  # words: what learners are to do is an objective before what they are to know
_QUESTION = re.compile(r"(what|how|why|when|where) (is|are|do|does|did|can|should|to) (.+)")
_ASKING = re.compile(r"(why|when|how|what|where) (.+)")
_VERSUS = re.compile(r"(.+?) (?:vs\.?|versus) (.+)")
_COMPARISON = re.compile(r"(?:comparison of|comparing|differences? between) (.+?) (?:with|and|to) (.+)")
_GERUND_NOUNS = frozenset(
    (
        "is",
        "of",
        "for",
        "in",
        "and",
        "method",
        "methods",
        "guidelines",
        "process",
        "practices",
        "algorithm",
        "things",
        "guide",
        "guides",
        "style",
        "skills",
        "plan",
        "session",
        "sessions",
        "group",
        "groups",
        "material",
        "materials",
        "conditions",
    )
)
_TO_DO = re.compile(r"^To (?P<goal>[a-z]+ [^,]{6,90}), .*:$")
_LIKE_THIS = re.compile(
    r"^(?P<goal>[A-Z][a-z]+ .{6,90}?) (?:like this|as follows|(?:in|with) (?:these|\w+) steps)[.:]$"
)
_REASONED = re.compile(r"^(?P<claim>[A-Z][^,:;()]{14,70}),? because (?!of\b).{10,}")
_POINTS_BACK = re.compile(
    r"\b(?:this|these|those|such|it|they|them|its|their|he|she|we|our|you|your|also|here|now)\b", re.I
)
_SHELLS = frozenset(("bash", "sh", "shell", "console", "zsh", "powershell"))
_RULE_WORDS = re.compile(r"rules?|guidelines|practices|principle|requirements?")


def bloom_of(objective: str) -> Bloom:
    """The Bloom level of an objective, by its first verb."""
    verb = objective.partition(" ")[0].lower()
    if verb in BLOOM_LEVELS:
        return BLOOM_LEVELS[verb]
    known = next((level for level, verbs in BLOOM.items() if verb in verbs.split()), None)
    return known or ("apply" if verb in ACTION_VERBS else "understand")


def objectives_of(draft: Draft, siblings: Sequence[Draft], casing: Casing, subject: str) -> list[str]:
    """One to three objectives; `siblings` are the lessons of the same documents, which share their own objectives."""
    own = _own_objectives(draft, siblings)
    if own:
        return own[:MOST]
    found: list[tuple[str, Section]] = []
    sections = draft.sections if len(draft.readings) == 1 else _pages(draft)
    for section in sorted(sections, key=lambda s: -s.words - WORTH_OF_STEPS * any(i.kind == "steps" for i in s.ideas)):
        if section.words < 60 and found:
            continue
        text = shorten(_objective(section, casing) or f"Summarize the main points of {subject}", 180)
        if not any(_alike(text, other) for other, _ in found):
            found.append((text, section))
        if len(found) == MOST:
            break
    places = {id(section): n for n, section in enumerate(sections)}
    return [text for text, section in sorted(found, key=lambda pair: places[id(pair[1])])]


def _pages(draft: Draft) -> list[Section]:
    """One section for each document of the lesson, with all its ideas."""
    return [
        dataclasses.replace(
            reading.root,
            ideas=[idea for s in draft.sections if s.source == reading.sha256 for idea in s.ideas],
            children=[s for s in draft.sections if s.source == reading.sha256],
        )
        for reading in draft.readings
    ]


def _own_objectives(draft: Draft, siblings: Sequence[Draft]) -> list[str]:
    """The objectives that the documents state, each given to the lesson whose words it shares most."""
    taken: list[str] = []
    for reading in draft.readings:
        sharing = [other for other in siblings if any(own is reading for own in other.readings)] or [draft]
        bags = [other.bag for other in sharing]
        for sentence in reading.objectives:
            text = sentence.text.rstrip(". ;")
            verb = text.split()[0].lower() if text else ""
            if verb in MUTE_OBJECTIVE_VERBS or (verb not in BLOOM_LEVELS and verb not in ACTION_VERBS):
                continue
            best = max(range(len(sharing)), key=lambda n, t=text: (overlap(t, bags[n]), -n))  # type: ignore[misc]
            if sharing[best] is draft and len(text) <= 190:
                taken.append(capitalized(text))
    return taken


def _alike(one: str, other: str) -> bool:
    a, b = set(stems(one)), set(stems(other))
    return len(a & b) >= 0.75 * min(len(a), len(b))


def _objective(section: Section, casing: Casing) -> str:
    above = section.telling
    topic = casing.inside(above.title if section.is_vague else section.title).rstrip(":")
    topic = re.sub(r"^(?:an? )?(?:introduction to|overview of|about) ", "", topic)
    topic = re.sub(r"^the (?=\w+ed\b)| step by step$", "", topic)
    if not topic or patterns.GENERIC_HEADING.match(topic):
        return ""
    if re.match(r"(?:between|before|after|during|when|while|until) ", topic):
        return f"Explain what happens {topic}"
    return _by_heading(topic, section) or _by_content(casing.with_article(topic), section, casing)


def _by_heading(topic: str, section: Section) -> str:
    match = _QUESTION.match(topic)
    if match:
        return _from_question(match[1], match[2], match[3])
    if match := _ASKING.match(topic):
        short = match[1] == "why" and len(match[2].split()) < 3
        return f"Explain the reasons for {match[2]}" if short else f"Explain {topic}"
    if match := _VERSUS.match(topic) or _COMPARISON.match(topic):
        return f"Compare {match[1]} with {match[2]}"
    if re.match(r"(?:are|is|do|does|can|should)\b", topic):
        return f"Discuss the question “{section.title.rstrip('?')}?”"
    if re.search(r"\b(?:is|are|isn[’']t|aren[’']t|was|were|which|must|should|can)\b", topic):
        return f"Explain the claim “{section.title.strip('“”.')}”"
    return _from_verb(topic)


def _from_question(asks: str, verb: str, rest: str) -> str:
    if verb in ("is", "are"):
        return f"Explain {asks} {rest} {verb}" if asks == "what" else f"Explain {asks} {rest}"
    if verb == "to":
        return f"Explain {asks} {verb} {rest}"
    if verb in ("do", "did", "does"):
        return f"Explain {asks} {rest}"
    subject, _, tail = rest.partition(" ")
    return f"Explain {asks} {subject} {verb} {tail}".rstrip()


def _from_verb(topic: str) -> str:
    parts = topic.split()
    first = parts[0]
    if len(parts) < 2:
        return ""
    if first in ACTION_VERBS and not is_plural(first) and first not in NOUN_LIKE_VERBS:
        return capitalized(topic)
    if first in BLOOM_VERBS and word_classes(first) == {"VERB"}:
        return capitalized(topic)
    if first.endswith("ing") and parts[1] not in _GERUND_NOUNS:
        base = base_verb(first)
        if base and base != first and (base in ACTION_VERBS or base in BLOOM_LEVELS):
            return f"{base.capitalize()} {' '.join(parts[1:])}"
    return ""


def _by_content(topic: str, section: Section, casing: Casing) -> str:
    kinds = Counter(idea.kind for idea in section.ideas)
    defined = _defined(section, casing)
    if section.is_vague and re.match(r"(?:failure|fail|pass|example|correct|incorrect)", section.title, re.IGNORECASE):
        return f"Recognize good and bad examples of {topic}"
    if kinds["steps"]:
        return _from_lead(section) or (f"Test {topic}" if _is_test(section) else f"Follow the steps for {topic}")
    if kinds["code"] >= 2:
        return _with_code(topic, section)
    if any(set(stems(term)) & set(stems(topic)) for term in defined) and len(topic.split()) < 5 and len(defined) < 2:
        return f"Explain what {topic} {'are' if is_plural(topic) or ' and ' in topic else 'is'}"
    return _from_table(section, casing) or _by_terms(defined) or _by_roles(topic, section, casing)


def _from_lead(section: Section) -> str:
    """What the procedure is for, as the sentence that announces it says: "To check a copy, follow these steps:"."""
    for idea in section.ideas:
        if idea.kind != "steps" or idea.lead is None:
            continue
        match = _TO_DO.match(idea.lead.text) or _LIKE_THIS.match(idea.lead.text)
        verb = match["goal"].split()[0].lower() if match else ""
        if match and verb in BLOOM_VERBS and not _POINTS_BACK.search(match["goal"]):
            return capitalized(match["goal"])
    return ""


def _with_code(topic: str, section: Section) -> str:
    languages = {idea.lang.lower() for idea in section.ideas if idea.kind == "code"}
    if languages & _SHELLS:
        return f"Run the commands for {topic}"
    return f"Write the code for {topic}"


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
    ):
        return ""
    return f"Match each {casing.inside(label)} with its {casing.inside(columns[0])}"


def _defined(section: Section, casing: Casing) -> list[str]:
    """The terms that the section defines, in source order, as they read inside a sentence."""
    found: dict[str, str] = {}
    for unit in section.units():
        for sentence in unit.sentences:
            if sentence.defines and not POOR_MEANING.search(sentence.defines[1]):
                term = casing.inside(re.sub(r"\s*\([^)]*\)", "", sentence.defines[0]))
                if re.match(r"(?:its|their|our|your|my)\b", term) or (" " in term and is_imperative(term)):
                    continue
                article = re.match(r"(An?|The) ", sentence.text)
                found.setdefault(term, f"{article[1].lower()} {term}" if article else term)
    return list(found.values())


def _by_terms(defined: Sequence[str]) -> str:
    if len(defined) < 2:
        return ""
    if len(defined) == 2:
        return f"Distinguish {defined[0]} from {defined[1]}"
    names = [re.sub(r"^(?:an?|the) ", "", term) for term in defined][:3]
    return f"Define {', '.join(names[:-1])} and {names[-1]}"


def _is_test(section: Section) -> bool:
    """Whether its steps, or those of a part of it, stand under a heading like "Testing"."""
    parts = [section, *(child for child in section.children if any(idea.kind == "steps" for idea in child.ideas))]
    return any(
        re.match(r"test", heading.title, re.IGNORECASE)
        for part in parts
        for heading in (part, part.parent)
        if heading is not None
    )


def _by_roles(topic: str, section: Section, casing: Casing) -> str:
    roles = Counter(role for unit in section.units() for role in unit.roles)
    if topic.endswith("checklist"):
        return f"Use {topic if topic.startswith('the ') else f'the {topic}'}"
    if roles["rule"] >= 3:
        return f"Apply {topic}" if _RULE_WORDS.search(topic) else f"Apply the rules for {topic}"
    if is_plural(topic) and any(idea.kind == "list" and len(idea.items) >= 3 for idea in section.ideas):
        return f"List {topic}"
    if _advises(section):
        return f"Follow the advice on {topic}"
    return _from_reason(section, casing) or _by_weight(topic, roles)


def _advises(section: Section) -> bool:
    """Whether a list of it tells what to do."""
    lists = [idea for idea in section.ideas if idea.kind == "list" and len(idea.items) >= 3]
    return any(
        sum(is_imperative(item[0].text) for item in idea.items if item) >= 0.9 * len(idea.items) for idea in lists
    )


def _from_reason(section: Section, casing: Casing) -> str:
    """Something of which the section gives the reason, if it is said in a few words."""
    for unit in section.units():
        match = _REASONED.match(unit.head.text)
        if match and unit.head.alone and "step" not in unit.roles and not _POINTS_BACK.search(match["claim"]):
            return f"Explain why {casing.lowered(match['claim']).rstrip(',')}"
    return ""


def _by_weight(topic: str, roles: Counter[str]) -> str:
    if roles["cause"] >= 2 and len(topic.split()) <= 2:
        return f"Explain how {topic} {'work' if is_plural(topic) else 'works'}"
    if roles["cause"] >= 2:
        return f"Explain {topic}"
    return f"Discuss {topic}" if roles["contrast"] >= 2 else f"Describe {topic}"
