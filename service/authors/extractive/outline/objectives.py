"""What learners can do after a lesson: the source's own objectives, or one by the shape of each heading."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence

from service.authors.extractive.language import patterns
from service.authors.extractive.language.headings import bare, by_heading, unlabelled
from service.authors.extractive.language.lexicon import ACTION_VERBS, BLOOM_LEVELS, MUTE_OBJECTIVE_VERBS
from service.authors.extractive.language.words import Casing, capitalized, overlap, shorten, stems
from service.authors.extractive.outline.objective_content import by_code, by_content, by_sentence
from service.authors.extractive.outline.packing import Draft
from service.authors.extractive.sources.code_kinds import is_code_heading, short_name
from service.authors.extractive.sources.material import Reading, Section
from service.domain.bloom import BLOOM
from service.domain.course import Bloom

MOST = 3
WORTH_OF_STEPS = 60  # words: what learners are to do is an objective before what they are to know
_PAGE = re.compile(
    r"(?:introduction|intro|overview|index|readme|home|about|summary|conclusion|lesson|page)\b", re.IGNORECASE
)
_LABEL = re.compile(
    r"\b(setting|option|flag|command|method|function|field|propert(?=ies)|variable|constant|event|attribute|key|macro|"
    r"lint|rule|profile|hook|argument|parameter)(?:s|ies)\b",
    re.IGNORECASE,
)
_OF_ITS_PARENT = re.compile(
    r"(?:(?:known |current |common )?(?:limitations?|requirements?|benefits?|drawbacks?|goals?|purpose|constants|"
    r"options|exceptions|advantages|disadvantages|scope|prerequisites|parameters|properties|caveats|structure|syntax|costs?))",
    re.IGNORECASE,
)


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
    taught = [text for other in siblings if other is not draft for text in other.objectives]
    readings = {reading.sha256: reading for reading in draft.readings}
    sections = draft.sections if len(draft.readings) == 1 else _pages(draft)
    for section in sorted(sections, key=lambda s: -s.words - WORTH_OF_STEPS * any(i.kind == "steps" for i in s.ideas)):
        if section.words < 60 and found:
            continue
        text = _objective(section, readings.get(section.source), casing)
        if not text and not found:
            text = f"Summarize the main points of {subject}"
        if text in taught and section is not sections[-1]:
            continue
        if text and not any(_alike(text, other) for other, _ in found):
            found.append((shorten(text, 180), section))
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
    for reading in (reading for reading in draft.readings if reading.objectives):
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


def _objective(section: Section, reading: Reading | None, casing: Casing) -> str:
    """The objective of one section; '' where neither its heading nor its sentences say what can be done with it."""
    heading = section.telling if section.is_vague else section
    if is_code_heading(heading, reading):
        return by_code(short_name(heading.title), section, _label(heading))
    topic = bare(_inside(heading, reading, casing))
    generic = patterns.GENERIC_HEADING.match(topic)
    if not topic or _PAGE.match(topic) or (generic and heading.parent is not None):
        return by_sentence(section, casing)
    if heading is not section and heading.parent is not None and patterns.PREPOSITIONAL_HEADING.match(section.title):
        way = _inside(section, reading, casing)
        topic = f"{topic} {way[:1].lower()}{way[1:]}"
    if re.match(r"(?:I|you|we|it|they) |.*\b(?:my|me)\b", topic):
        asks = "question" if heading.title.endswith("?") else "case"
        return f"Discuss the {asks} “{heading.title.strip('“”')}”"
    reasoned = any("cause" in unit.roles for unit in section.units())
    by_words = by_heading(topic, casing.is_named, reasoned)
    if by_words:
        return by_words
    topic = casing.with_article(topic)
    if heading is not section and _OF_ITS_PARENT.fullmatch(section.title):
        topic = f"the {casing.inside(section.title)} of {topic}"
    return by_content(topic, section, casing, _context(heading, casing))


def _inside(heading: Section, reading: Reading | None, casing: Casing) -> str:
    """The heading as it reads inside a sentence, with the letters of its code."""
    topic = casing.inside(heading.title)
    if reading is None or heading.start < 0:
        return topic
    for kind, start, end in reading.marks_between(heading.start, heading.start + len(heading.title) + 1):
        code = reading.source.text[start:end]
        if kind == "code" and code in heading.title:
            topic = re.sub(re.escape(code), lambda _, c=code: c, topic, flags=re.IGNORECASE)  # type: ignore[misc]
    return topic


def _label(heading: Section) -> str:
    """What the entries of a reference are, by the heading above them: "Config Settings" are settings."""
    above = heading.parent
    match = _LABEL.search(above.title) if above is not None else None
    return match[1].lower() if match else ""


def _context(heading: Section, casing: Casing) -> str:
    """What the heading is a part of, as far as a short name says it: its parent's heading, or the document's title."""
    above = heading.parent
    while above is not None and above.parent is not None and above.is_vague:
        above = above.parent
    title = unlabelled(casing.inside(above.title)) if above is not None else ""
    named = 0 < len(title.split()) <= 4 and not _PAGE.match(title) and not by_heading(title, casing.is_named)
    if not named or patterns.GENERIC_HEADING.match(title) or set(stems(title)) & set(stems(heading.title)):
        return ""
    return casing.with_article(title)
