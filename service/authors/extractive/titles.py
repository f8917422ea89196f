"""Titles of lessons, modules and the course, taken from the sources' own headings and words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise

from service.authors.extractive.lexicon import STOPWORDS
from service.authors.extractive.material import Reading, Section
from service.authors.extractive.packing import Draft
from service.authors.extractive.words import Casing, capitalized, content_words, shorten, stem, words

TITLE_LENGTH = 90
_FRONT_PAGE = re.compile(r"^(?:index|readme|_index|home|about|overview|intro(?:duction)?)\b", re.IGNORECASE)
_SUFFIX = re.compile(
    r"\s*(?:\b(?:cheat ?sheet|guide|tutorial|handbook|documentation)|[-|–—:]\s*home)\s*$", re.IGNORECASE
)


def clean_title(title: str) -> str:
    """A document's or heading's title without file endings, numbering and stray marks."""
    title = re.sub(r"\.(?:md|markdown|txt|html?|pdf|docx|pptx)$", "", title.strip(), flags=re.IGNORECASE)
    title = re.sub(
        r"^(?:\d+(?:\.\d+)*[.)]?\s+|(?:chapter|lesson|unit|part|supplemental)\s*\d*\s*[:.]\s*)", "", title, flags=re.I
    )
    if " " not in title and re.search(r"[-_]", title):
        title = re.sub(r"[-_]+", " ", title).strip()
    title = re.sub(r"[`*]", "", title).rstrip(":;,. ")
    return shorten(capitalized(title), TITLE_LENGTH) if title else ""


def lesson_title(draft: Draft, casing: Casing, used: set[str]) -> str:
    """What the lesson is about, by its largest headings; a second part of one heading gets its key term."""
    title = _joined_pages(draft, casing) if len(draft.readings) > 1 else _by_headings(draft.sections)
    title = clean_title(title) or "Lesson"
    if title in used or draft.sections[0].continued:
        term = next((term for term in key_terms(draft.sections) if term.lower() not in title.lower()), "")
        title = f"{title}: {term}" if term else f"{title}, continued"
    number = 2
    bare = title
    while title in used:
        title = f"{bare}, part {number}"
        number += 1
    used.add(title)
    return title


def _joined_pages(draft: Draft, casing: Casing) -> str:
    own = [(reading, sum(s.words for s in draft.sections if s.source == reading.sha256)) for reading in draft.readings]
    largest = sorted(own, key=lambda pair: -pair[1])[:3]
    names = [clean_title(reading.root.title) for reading, _ in own if any(reading is kept for kept, _ in largest)]
    return join_titles([names[0], *(casing.lowered(name) for name in names[1:])])


def _by_headings(sections: Sequence[Section]) -> str:
    tops = [s for s in sections if not any(s.parent is other for other in sections)] or list(sections[:1])
    if len(tops) == 1 and not tops[0].is_vague:
        return tops[0].title
    pool = tops if len(tops) < 4 else sections
    named = [s for s in pool if not s.is_vague and not s.continued]
    named = named or [s for s in sections if not s.is_vague and not s.continued]
    if not named:
        return tops[0].name
    size = {id(s): s.total if s in tops else s.words for s in named}
    largest = sorted(named, key=lambda s: -size[id(s)])[:2]
    pair = [s.title.rstrip(":?") for s in named if any(s is kept for kept in largest)]
    return join_titles(pair) if len(pair) == 2 and sum(map(len, pair)) < 60 else largest[0].title


def join_titles(titles: Sequence[str]) -> str:
    """Two or three titles as one: commas, and an "and" where none of them holds one already."""
    if len(titles) < 2:
        return "".join(titles)
    if any(re.search(r"\b(?:and|or)\b|,", title) for title in titles):
        return ", ".join(titles)
    return ", ".join(titles[:-1]) + " and " + titles[-1]


def key_terms(sections: Iterable[Section]) -> list[str]:
    """The terms that the sections mark or repeat most, best first."""
    counts: Counter[str] = Counter()
    for section in sections:
        for unit in section.units():
            for sentence in unit.sentences:
                for mark in sentence.marks:
                    text = sentence.text[mark.start : mark.end].strip(" :.,")
                    if mark.kind != "emphasis" and 2 < len(text) < 30 and len(text.split()) < 4:
                        counts[text] += 2
                counts.update(_pairs(sentence.text))
    return [term for term, n in counts.most_common(6) if n > 1]


def _pairs(text: str) -> list[str]:
    found = words(text)
    return [
        f"{one} {two}"
        for one, two in pairwise(found)
        if one.islower() and two.islower() and not {one, two} & STOPWORDS and not one.endswith("ly")
    ]


def module_title(drafts: Sequence[Draft], casing: Casing, course: str, only: bool) -> str:
    """The document's title when the module is one document; else its lessons' topics; the course's when alone."""
    readings = list({id(reading): reading for draft in drafts for reading in draft.readings}.values())
    if len(readings) == 1:
        return clean_title(readings[0].root.title) or "Module"
    if only:
        return course
    largest = sorted(drafts, key=lambda draft: -draft.words)[:3]
    names = [draft.title for draft in drafts if any(draft is kept for kept in largest)]
    short = [name.partition(":")[0].partition(",")[0] for name in names]
    return shorten(join_titles([short[0], *(casing.lowered(name) for name in short[1:])]), TITLE_LENGTH)


def course_title(readings: Sequence[Reading], casing: Casing) -> str:
    """The only document's title, the front page's, or the subject that all documents speak of."""
    if len(readings) == 1:
        return _SUFFIX.sub("", clean_title(readings[0].root.title)) or "Course"
    for reading in readings:
        title = clean_title(reading.root.title)
        if _FRONT_PAGE.match(reading.source.name) and not _FRONT_PAGE.match(title):
            return title
    subject = _subject(readings, casing)
    return f"Introduction to {subject}" if subject else f"{clean_title(readings[0].root.title)} and more"


def _subject(readings: Sequence[Reading], casing: Casing) -> str:
    """The word that most documents hold in headings and text, as they write it; '' when none stands out."""
    spread: Counter[str] = Counter()
    weight: Counter[str] = Counter()
    forms: dict[str, Counter[str]] = {}
    for reading in readings:
        headings = " ".join(section.title for section in reading.root.flat())
        body = [word for word in content_words(reading.source.text) if word.isalpha() and len(word) > 2]
        counts = Counter(stem(word) for word in body)
        for form in body:
            forms.setdefault(stem(form), Counter())[form] += 1
        spread.update(counts.keys())
        weight.update(counts)
        for found in {stem(word) for word in content_words(headings)}:
            weight[found] += 12
    common = [found for found, n in spread.items() if n >= 0.8 * len(readings) and found in forms]
    best = max(common, key=lambda found: (weight[found], found), default="")
    if not best or weight[best] < 5 * len(readings):
        return ""
    word = forms[best].most_common(1)[0][0]
    return capitalized(word) if casing.is_proper(word) else word
