"""Cuts documents into lessons of three to six minutes, and groups lessons into modules."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from service.authors.extractive.language.words import bag, cosine
from service.authors.extractive.sources.material import Idea, Reading, Section

CAP = 1150
LONGEST = 1500  # with a crumb that is no lesson by itself
SMALL = 330
TINY = 120
PAGES_IN_A_LESSON = 5
LESSONS_IN_A_MODULE = 5


@dataclass
class Draft:
    """A lesson in the making: its sections, and the documents that they come from."""

    sections: list[Section]
    readings: list[Reading]
    alone: bool = True
    title: str = ""
    objectives: list[str] = field(default_factory=list)

    @property
    def words(self) -> int:
        return sum(section.words for section in self.sections)

    @property
    def bag(self) -> Counter[str]:
        return sum((section.bag for section in self.sections), Counter())


def lessons_of(readings: Sequence[Reading]) -> list[Draft]:
    """The lessons of all documents, in order; small pages share one."""
    drafts: list[Draft] = []
    for reading in readings:
        groups = [group for group in _pack(reading.root) if sum(section.words for section in group) > 25]
        drafts += [Draft(group, [reading], alone=len(groups) == 1) for group in groups]
    return _merge_small(drafts)


def modules_of(drafts: Sequence[Draft]) -> list[list[Draft]]:
    """A document of two or more lessons is a module; runs of one-lesson documents share modules."""
    groups: list[list[Draft]] = []
    for draft in drafts:
        last = groups[-1][-1] if groups else None
        same_document = last is not None and not draft.alone and last.readings[-1] is draft.readings[0]
        both_alone = last is not None and draft.alone and last.alone
        if same_document or both_alone:
            groups[-1].append(draft)
        else:
            groups.append([draft])
    return [part for group in groups for part in (_evenly(group) if group[0].alone else [group])]


def _evenly(group: list[Draft]) -> list[list[Draft]]:
    if len(group) <= LESSONS_IN_A_MODULE + 1:
        return [group]
    parts = math.ceil(len(group) / LESSONS_IN_A_MODULE)
    size = math.ceil(len(group) / parts)
    return [group[n : n + size] for n in range(0, len(group), size)]


def _pack(node: Section) -> list[list[Section]]:
    """Lists of sections, each one lesson: split at headings from the top, small neighbours joined."""
    if node.total <= CAP:
        return [[section for section in node.flat() if section.ideas]]
    groups: list[list[Section]] = []
    if node.ideas:
        groups = [[part] for part in split_section(node)] if node.words > CAP else [[node]]
    for child in node.children:
        groups += _pack(child)
    return _join_neighbours(groups)


def _join_neighbours(groups: list[list[Section]]) -> list[list[Section]]:
    joined: list[list[Section]] = []
    before = 0
    for group in groups:
        size = sum(section.words for section in group)
        smaller = min(size, before)
        most = LONGEST if smaller < TINY else CAP if smaller < SMALL else 0
        if joined and before + size <= most:
            joined[-1] += group
            before += size
        else:
            joined.append(list(group))
            before = size
    if len(joined) > 1 and before < TINY:
        joined[-2] += joined.pop()
    return joined


def split_section(section: Section) -> list[Section]:
    """A long section in parts of about equal length, cut where the ideas before and after share least words."""
    count = math.ceil(section.words / (CAP * 0.8))
    target = section.words / count
    bags = [bag(sentence.text for sentence in idea.all_sentences()) for idea in section.ideas]
    lengths: list[int] = []
    for idea in section.ideas:
        lengths.append((lengths[-1] if lengths else 0) + idea.words)
    cuts = set()
    for part in range(1, count):
        near = [
            n
            for n in range(1, len(section.ideas))
            if abs(lengths[n - 1] - part * target) < target * 0.3 and _may_open(section.ideas[n])
        ]
        if near:
            cuts.add(min(near, key=lambda n: _likeness(bags, n)))
    edges = [0, *sorted(cuts), len(section.ideas)]
    return [
        dataclasses.replace(section, ideas=section.ideas[a:b], children=[], continued=a > 0) for a, b in pairwise(edges)
    ]


def _may_open(idea: Idea) -> bool:
    if idea.lead is not None or idea.kind not in ("text", "list", "steps") or idea.tone:
        return False
    return not idea.sentences or idea.sentences[0].alone


def _likeness(bags: list[Counter[str]], at: int) -> float:
    before: Counter[str] = sum(bags[max(0, at - 3) : at], Counter())
    return cosine(before, sum(bags[at : at + 3], Counter()))


def _merge_small(drafts: list[Draft]) -> list[Draft]:
    merged: list[Draft] = []
    for draft in drafts:
        if merged and _belong_together(merged[-1], draft):
            last = merged[-1]
            merged[-1] = Draft(last.sections + draft.sections, last.readings + draft.readings, alone=True)
        else:
            merged.append(draft)
    return merged


def _belong_together(one: Draft, other: Draft) -> bool:
    if not (one.alone and other.alone):
        return False
    smaller, together = min(one.words, other.words), one.words + other.words
    if smaller < TINY // 2:
        return together <= CAP
    return smaller < SMALL and together <= 0.7 * CAP and len(one.readings) + len(other.readings) <= PAGES_IN_A_LESSON
