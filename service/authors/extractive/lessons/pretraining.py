"""Words to know first: terms that a lesson uses and a later one defines, with that definition.

A learner who meets a word before its definition has to carry it along; naming the main words first frees attention
for how they work together (pre-training principle, Mayer 2009).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from service.authors.extractive.language.definitions import definition
from service.authors.extractive.language.words import capitalized, stems
from service.authors.extractive.sources.library import Library, carve
from service.authors.extractive.sources.material import Section
from service.domain.course import CoursePlan, GlossaryEntry
from service.domain.lesson import Claim, DefinitionBlock
from service.domain.source import Span

MOST = 3  # words to know first in one lesson: more would be a lesson of its own
HEADING = "Words to know first"


def words_to_know(plan: CoursePlan, lesson_id: str, library: Library) -> list[DefinitionBlock]:
    """Terms of the glossary that this lesson is the first to use and a later one defines; ids are the caller's."""
    ids = [lesson.id for lesson in plan.lessons]
    place = ids.index(lesson_id)
    uses = _first_uses(plan, library)
    later = [entry for entry in plan.glossary if place <= uses[entry.term] and place < _home(plan, entry)]
    if not later or not plan.lessons[place].passages:
        return []
    own = list(_sentences(carve(library, plan.lessons[place].passages)))
    found: dict[str, DefinitionBlock] = {}
    while len(found) < MOST:
        wanted = [entry for entry in later if entry.term not in found and _is_needed(entry, own, plan)]
        entry = max(wanted, key=lambda one: sum(_names(one.term, text) for text in own), default=None)
        if entry is None:
            break
        later.remove(entry)
        block = _block(entry, library)
        if block is not None:
            found[entry.term] = block
            own.append(block.claims[0].text)  # it may lean on another term
    return list(found.values())


def _is_needed(entry: GlossaryEntry, own: Sequence[str], plan: CoursePlan) -> bool:
    pattern = _naming(entry.term)
    uses = [text for text in own if pattern.search(text)]
    return bool(uses) and _is_this_word(entry, uses, plan.glossary)


def _home(plan: CoursePlan, entry: GlossaryEntry) -> int:
    """The place of the lesson that defines the term; -1 when none does."""
    for place, lesson in enumerate(plan.lessons):
        if any(_inside(entry.cite, span) for span in lesson.passages):
            return place
    return -1


def _inside(cite: Span, span: Span) -> bool:
    return span.source == cite.source and span.start <= cite.start < span.end


def _sentences(sections: Iterable[Section]) -> Iterator[str]:
    for section in sections:
        for idea in section.ideas:
            for sentence in idea.all_sentences():
                yield sentence.text


def _names(term: str, text: str) -> bool:
    return _naming(term).search(text) is not None


@lru_cache(maxsize=200)
def _naming(term: str) -> re.Pattern[str]:
    return re.compile(rf"\b{re.escape(term)}s?\b", re.IGNORECASE)


def _is_this_word(entry: GlossaryEntry, uses: Sequence[str], glossary: Sequence[GlossaryEntry]) -> bool:
    """Whether the sentences mean the term: one plain word may mean much else, unless another term stands beside it."""
    if " " in entry.term or not entry.term[1:].islower():
        return True
    meaning = set(stems(entry.meaning))
    beside = [other.term for other in glossary if other.term != entry.term and meaning.issuperset(stems(other.term))]
    return any(_names(term, text) for term in beside for text in uses)


def _first_uses(plan: CoursePlan, library: Library) -> dict[str, int]:
    """For each term of the glossary the place of the first lesson that names it; the number of lessons for none."""
    terms = tuple(entry.term for entry in plan.glossary)
    passages = tuple(lesson.passages for lesson in plan.lessons)

    def find() -> dict[str, int]:
        told = [list(_sentences(carve(library, spans))) for spans in passages]
        return {
            term: next(
                (place for place, texts in enumerate(told) if any(_names(term, text) for text in texts)), len(told)
            )
            for term in terms
        }

    return library.once(("first uses", terms, passages), find)


def _block(entry: GlossaryEntry, library: Library) -> DefinitionBlock | None:
    """The definition in the words of its source: only what follows the term, since the sentence itself comes later."""
    reading = library.reading(entry.cite.source)
    if reading is None:
        return None
    text = reading.source.text[entry.cite.start : entry.cite.end]
    marks = tuple(
        (kind, start - entry.cite.start, end - entry.cite.start)
        for kind, start, end in reading.marks_between(entry.cite.start, entry.cite.end)
    )
    told = definition(text, marks)
    at = text.find(told[1]) if told and told[1] else -1
    if told is None or at < 0:
        return None
    cite = reading.cite(entry.cite.start + at, entry.cite.start + at + len(told[1]))
    return DefinitionBlock(id="", term=capitalized(told[0]), claims=(Claim(text=capitalized(told[1]), cites=(cite,)),))
