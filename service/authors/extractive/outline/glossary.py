"""The terms of a course, each with the sentence that defines it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from service.authors.extractive.language.sentences import Sentence, split
from service.authors.extractive.language.slide_lines import compress
from service.authors.extractive.language.words import Casing, stem
from service.authors.extractive.sources.material import Section
from service.domain.course import GlossaryEntry
from service.domain.source import Span

MOST = 80


def glossary_of(lessons: Sequence[Sequence[Section]], casing: Casing) -> tuple[GlossaryEntry, ...]:
    """The entries in teaching order; the first definition of a term counts."""
    entries: dict[str, GlossaryEntry] = {}
    for sections in lessons:
        for section in sections:
            for unit in (unit for idea in section.ideas if idea.kind != "quote" for unit in idea.units):
                entry = _entry(unit.head, casing)
                if entry and stem(entry.term) not in entries:
                    entries[stem(entry.term)] = entry
    return tuple(entries.values())[:MOST]


def _entry(sentence: Sentence, casing: Casing) -> GlossaryEntry | None:
    found = sentence.defines
    if not found or not found[1] or len(found[0]) < 3 or not sentence.alone or not sentence.cites:
        return None
    if re.search(r"\b(?:this|these|those|such|it|we|our|you)\b", found[1].split(",")[0], re.IGNORECASE):
        return None
    start, end = split(found[1])[0]
    meaning = found[1][start:end].rstrip(". ")
    short = compress(meaning[:1].upper() + meaning[1:], 24) or meaning
    cite = sentence.cites[0]
    return GlossaryEntry(
        term=found[0],
        meaning=casing.lowered(short),
        cite=Span(source=cite.source, start=cite.start, end=cite.end),
    )
