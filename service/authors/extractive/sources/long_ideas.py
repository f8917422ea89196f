"""Cuts what is too long for one lesson (an endless paragraph, list or procedure) into parts that lessons can share."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from service.authors.extractive.language.sentences import Sentence
from service.authors.extractive.sources.material import Idea

LONGEST = 700  # words: more than half of a lesson
PART = 350


def in_parts(idea: Idea) -> list[Idea]:
    """The idea itself if it fits; else parts of about equal length, a list between entries, text before a sentence
    that stands alone. Entries keep their numbers."""
    if idea.kind in ("list", "steps"):
        return _list_parts(idea) if sum(_words(item) for item in idea.items) > LONGEST else [idea]
    if idea.kind == "text" and not idea.tone and _words(idea.sentences) > LONGEST:
        return _text_parts(idea)
    return [idea]


def _words(sentences: Sequence[Sentence]) -> int:
    return sum(sentence.length for sentence in sentences)


def _list_parts(idea: Idea) -> list[Idea]:
    parts: list[Idea] = []
    number = idea.first_number
    for items in _runs(idea.items):
        parts.append(dataclasses.replace(idea, items=list(items), first_number=number))
        number += len(items)
    return _placed(idea, parts)


def _text_parts(idea: Idea) -> list[Idea]:
    together: list[list[Sentence]] = []
    for sentence in idea.sentences:
        if sentence.alone or not together:
            together.append([])
        together[-1].append(sentence)
    runs = ([sentence for group in run for sentence in group] for run in _runs(together))
    return _placed(idea, [dataclasses.replace(idea, sentences=sentences) for sentences in runs])


def _runs(groups: Sequence[list[Sentence]]) -> Iterator[Sequence[list[Sentence]]]:
    """Neighbours together until they have the words of a part; what is left over stays with the last."""
    left = sum(map(_words, groups))
    first, words = 0, 0
    for place, group in enumerate(groups):
        if words >= PART and left >= PART:
            yield groups[first:place]
            first, words = place, 0
        words += _words(group)
        left -= _words(group)
    yield groups[first:]


def _placed(whole: Idea, parts: list[Idea]) -> list[Idea]:
    """Each part with its own span; together they take the place of the whole."""
    for part in parts:
        part.start, part.end = (
            (part.items[0] if part.items else part.sentences)[0].start,
            [*part.all_sentences()][-1].end,
        )
    parts[0].start, parts[-1].end = whole.start, whole.end
    return parts
