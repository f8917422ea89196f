"""Titles of lessons, modules and the course, taken from the sources' own headings and words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from service.authors.extractive.language import patterns
from service.authors.extractive.language.sentences import Sentence
from service.authors.extractive.language.words import (
    TITLE_LENGTH,
    Casing,
    capitalized,
    clean_title,
    content_words,
    shorten,
    stem,
)
from service.authors.extractive.outline.packing import Draft
from service.authors.extractive.sources.material import Reading, Section

_FRONT_PAGE = re.compile(r"^(?:index|readme|_index|home|about|overview|intro(?:duction)?)\b", re.IGNORECASE)
_ABSTRACT = re.compile(r"(?:ity|ics|logy|ance|ence|ism|ing|ture|phy|ship)$")
MODULE_LENGTH = 60
# A form that the sources rarely use is no name for their subject: "answering" beside thirty times "answer".
LEAST_SHARE = 0.25
_SUFFIX = re.compile(
    r"\s*(?:\b(?:cheat ?sheet|guide|tutorial|handbook|documentation)|[-|–—:]\s*home)\s*$", re.IGNORECASE
)


def lesson_title(draft: Draft, casing: Casing, used: set[str], subject: str) -> str:
    """What the lesson is about, by its largest headings; a second part of one heading gets its key term."""
    if len(draft.readings) > 1:
        title = _joined_pages(draft, casing)
    else:
        title = draft.readings[0].root.title if draft.alone else _by_headings(draft.sections)
    title = casing.in_sentence_case(clean_title(title) or "Lesson")
    if re.fullmatch(r"introduction|overview|index|readme|about|home", title, re.IGNORECASE):
        title = f"Introduction to {subject}"
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
    pages = [reading for reading in draft.readings if not _FRONT_PAGE.match(reading.root.title)] or draft.readings
    own = [(reading, sum(s.words for s in draft.sections if s.source == reading.sha256)) for reading in pages]
    largest = sorted(own, key=lambda pair: -pair[1])[:3]
    while len(largest) > 2 and sum(len(reading.root.title) + 2 for reading, _ in largest) > 64:
        largest.pop()
    if len(largest) == 2 and sum(len(reading.root.title) + 5 for reading, _ in largest) > 90:
        largest.pop()
    names = [reading.root.title for reading, _ in own if any(reading is kept for kept, _ in largest)]
    return join_titles(in_a_row(names, casing))


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


def in_a_row(titles: Sequence[str], casing: Casing) -> list[str]:
    """Titles as parts of one: in sentence case, only the first with a capital."""
    return [capitalized(casing.inside(titles[0])), *(casing.inside(title) for title in titles[1:])] if titles else []


def join_titles(titles: Sequence[str]) -> str:
    """Two or three titles as one: commas, and an "and" where none of them holds one already."""
    if len(titles) < 2:
        return "".join(titles)
    if any(re.search(r"\b(?:and|or)\b|,", title) for title in titles):
        return ", ".join(titles)
    return ", ".join(titles[:-1]) + " and " + titles[-1]


def key_terms(sections: Iterable[Section]) -> list[str]:
    """The terms that the sections mark or define, most frequent first."""
    counts: Counter[str] = Counter()
    for section in sections:
        for unit in section.units():
            for sentence in unit.sentences:
                counts.update(_marked(sentence))
    return [term for term, n in counts.most_common(8) if n > 1]


def _marked(sentence: Sentence) -> list[str]:
    found = []
    for mark in sentence.marks:
        text = sentence.text[mark.start : mark.end].strip(' :.,“”"')
        word_like = re.fullmatch(r"[\w][\w .-]{1,28}", text) and len(text.split()) < 4
        if mark.kind in ("strong", "term", "code") and word_like and not patterns.LABEL.match(text + ": x"):
            found.append(text)
    return found


def module_title(drafts: Sequence[Draft], casing: Casing, course: str, only: bool) -> str:
    """The document's title when the module is one document; else its lessons' topics; the course's when alone."""
    readings = list({id(reading): reading for draft in drafts for reading in draft.readings}.values())
    if len(readings) == 1:
        return casing.in_sentence_case(clean_title(readings[0].root.title) or "Module")
    if only:
        return course
    largest = sorted(drafts, key=lambda draft: -draft.words)[:3]
    while len(largest) > 1 and sum(len(_topic(draft)) + 3 for draft in largest) > MODULE_LENGTH:
        largest.pop()
    short = [_topic(draft) for draft in drafts if any(draft is kept for kept in largest)]
    return shorten(join_titles(in_a_row(short, casing)), TITLE_LENGTH)


def _topic(draft: Draft) -> str:
    """The first of the things that a lesson's title names."""
    return re.split(r"[:,]|\band\b", draft.title)[0].strip()


def course_title(readings: Sequence[Reading], casing: Casing) -> str:
    """The only document's title, the front page's, or the subject that most documents speak of."""
    if len(readings) == 1:
        return _SUFFIX.sub("", readings[0].root.title) or "Course"
    for reading in readings:
        if is_front_page(reading) and not _FRONT_PAGE.match(reading.root.title):
            return reading.root.title
    subject = _subject(readings, casing)
    if subject:
        return f"Introduction to {subject}"
    titles = [reading.root.title for reading in readings]
    return join_titles(in_a_row(titles, casing)) if len(titles) <= 3 else f"{titles[0]} and more"


def is_front_page(reading: Reading) -> bool:
    """Whether the document opens a set: an index, a readme, an introduction."""
    return bool(_FRONT_PAGE.match(reading.source.name) or _FRONT_PAGE.match(reading.root.title))


def _subject(readings: Sequence[Reading], casing: Casing) -> str:
    """The name or abstract noun that most documents hold in headings and text; '' when none stands out."""
    spread: Counter[str] = Counter()
    weight: Counter[str] = Counter()
    headed: Counter[str] = Counter()
    forms: dict[str, Counter[str]] = {}
    for reading in readings:
        body = [word for word in content_words(reading.source.text) if word.isalpha() and len(word) > 2]
        for word in body:
            forms.setdefault(_family(word), Counter())[word] += 1
        found = Counter(map(_family, body))
        spread.update(found.keys())
        weight.update({family: min(n, 12) for family, n in found.items()})
        headings = " ".join(s.title for s in reading.root.flat() if not patterns.GENERIC_HEADING.match(s.title))
        headed.update({_family(word) for word in content_words(headings)})
    often = [f for f, n in spread.items() if n >= max(0.5 * len(readings), min(3, len(readings))) and headed[f]]
    for family in sorted(often, key=lambda f: (-spread[f] * weight[f] * (1 + headed[f]), f)):
        for word, n in forms[family].most_common():
            if casing.is_proper(word):
                return capitalized(casing.spelled(word))
            if _ABSTRACT.search(word) and n >= LEAST_SHARE * forms[family].total():
                return word
    return ""


def _family(word: str) -> str:
    """What "accessible" and "accessibility" share."""
    return stem(word)[:7]
