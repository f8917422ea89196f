"""How much of a source's own structure a course keeps: its headings, and the things that it names.

The measures are STORM's (Shao et al. 2024, "Assisting in Writing Wikipedia-like Articles From Scratch", section 4), in
a form that needs no model. Words are compared by their stems and not by their meaning, so a heading in other words
counts as missing: the figures are lower bounds.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from service.authors.extractive.language.words import bag, cosine
from service.domain.lesson import CodeBlock, DefinitionBlock, HeadingBlock, NoteBlock, TableBlock
from service.domain.report import CourseDocuments
from service.domain.source import Block, Source

PROSE = ("paragraph", "item", "quote")
_NAME = re.compile(
    r"(?<=[a-z,;] )(?:[A-Z][\w’'-]*[a-z]\w*(?: [A-Z][\w’'-]*[a-z]\w*)*)"  # Names Like This, not at a sentence's start
    r"|\b[A-Z]{2,}[A-Z\d]*s?\b|\b\w*[a-z][A-Z]\w*\b"  # abbreviations, and names with capitals inside
)


def heading_recall(sources: Sequence[Source], course: CourseDocuments) -> float:
    """STORM's heading soft recall: of the sources' headings, counted by how different they are, the outline's share.

    A heading counts one, and n equal ones count one together (soft cardinality): the sum over a set of 1 / the sum of
    a member's likenesses to all members. Recall is what both sets share of the reference.
    """
    wanted = [heading for source in sources for heading in headings(source)]
    found = list(outline(course))
    if not wanted:
        return 1.0
    shared = _count(wanted) + _count(found) - _count([*wanted, *found])
    return max(0.0, min(1.0, shared / _count(wanted)))


def entity_recall(sources: Sequence[Source], course: CourseDocuments) -> float:
    """STORM's entity recall: of the names in the sources, the share that the lessons mention.

    An entity is a name in the middle of a sentence, an abbreviation, or a term that the source marks.
    """
    wanted = {one for source in sources for one in entities(source)}
    told = _flat(" ".join(taught_words(course)))
    return sum(f" {one} " in told for one in wanted) / len(wanted) if wanted else 1.0


def headings(source: Source) -> Iterator[str]:
    """The source's own headings, its title first; none that the reader took for the page's frame."""
    yield source.title or source.name
    for block in source.blocks:
        if block.kind == "heading" and block.role != "skip":
            yield source.text[block.start : block.end]


def outline(course: CourseDocuments) -> Iterator[str]:
    """What a learner can find by its heading: modules, lessons, their headings, and the titles of their parts."""
    for module in course.plan.modules:
        yield module.title
    for taught in course.lessons:
        yield taught.lesson.title
        for block in taught.lesson.blocks:
            match block:
                case HeadingBlock(text=text) | DefinitionBlock(term=text):
                    yield text
                case NoteBlock(title=text) if text:
                    yield text
                case _ if block.kind == "exercise":
                    yield block.title


def entities(source: Source) -> set[str]:
    """The names in the source's prose, flat."""
    found: set[str] = set()
    for block in source.blocks:
        if block.kind in PROSE and block.role != "skip":
            found |= {_flat(one[0]).strip() for one in _NAME.finditer(_written(source, block))}
            found |= {_flat(source.text[mark.start : mark.end]).strip() for mark in block.marks if mark.kind == "term"}
    return {one for one in found if len(one) > 1}


def taught_words(course: CourseDocuments) -> Iterator[str]:
    """All that the lessons' texts say."""
    for taught in course.lessons:
        yield taught.lesson.title
        yield from (claim.text for claim in taught.lesson.claims())
        for block in taught.lesson.blocks:
            match block:
                case HeadingBlock(text=text) | NoteBlock(title=text) | DefinitionBlock(term=text):
                    yield text
                case TableBlock():
                    yield from (cell for row in block.rows for cell in row)
                case CodeBlock():
                    yield f"{block.code} {block.output}"


def told_twice(course: CourseDocuments) -> list[str]:
    """Facts of four words or more that the texts of two lessons state, whatever their marks and case."""
    home: dict[str, str] = {}
    twice = []
    for taught in course.lessons:
        for claim in taught.lesson.claims():
            key = " ".join(re.findall(r"\w+", claim.text.lower()))
            if claim.factual and len(key.split()) > 3 and home.setdefault(key, taught.lesson.id) != taught.lesson.id:
                twice.append(claim.text)
    return twice


def share_told(sources: Sequence[Source], texts: Iterable[str]) -> float:
    """The share of the sources' prose, in runs of four words, that stands in the texts."""
    wanted = Counter(
        run
        for source in sources
        for block in source.blocks
        if block.kind in PROSE and block.role != "skip"
        for run in _runs(source.text[block.start : block.end])
    )
    told = {run for text in texts for run in _runs(text)}
    return sum(count for run, count in wanted.items() if run in told) / wanted.total() if wanted else 1.0


def uncited(course: CourseDocuments) -> tuple[int, list[str]]:
    """How many sentences of lessons and videos state a fact, and those without a cite.

    A claim says itself whether it states one. Of the videos, a sentence does that carries a cite, or that holds five
    words in a row of the prose of a source; what asks and what names a heading states nothing.
    """
    prose = {run for text in course.texts.values() for run in _runs(text, 5)}
    named = {run for text in outline(course) for run in _runs(text, 5)}
    named |= {run for _, objective in course.objectives() for run in _runs(objective.text, 5)}
    count, bare = 0, []
    for taught in course.lessons:
        for claim in taught.lesson.claims():
            count += claim.factual
            bare += [claim.text] if claim.factual and not claim.cites else []
        for cue in taught.storyboard.cues() if taught.storyboard else ():
            states = bool(cue.cites) or (
                not cue.text.rstrip().endswith("?") and any(run in prose for run in _runs(cue.text, 5) - named)
            )
            count += states
            bare += [cue.text] if states and not cue.cites else []
    return count, bare


def _runs(text: str, length: int = 4) -> set[tuple[str, ...]]:
    found = re.findall(r"\w+", text.lower())
    return {tuple(found[start : start + length]) for start in range(len(found) - length + 1)}


def _written(source: Source, block: Block) -> str:
    """The block's words without its code, in which capitals say nothing."""
    text = source.text[block.start : block.end]
    for mark in block.marks:
        if mark.kind == "code":
            left, right = mark.start - block.start, mark.end - block.start
            text = text[:left] + "." * (right - left) + text[right:]
    return text


def _count(titles: Sequence[str]) -> float:
    """Soft cardinality (Fränti and Mariescu-Istodor 2023): equal titles count once, unlike ones each."""
    bags = [bag([title]) or Counter(title.lower().split()) for title in titles]
    return sum(1 / sum(cosine(own, other) for other in bags) for own in bags if own)


def _flat(text: str) -> str:
    return " ".join(("", *re.findall(r"[^\W_]+", text.lower()), ""))
