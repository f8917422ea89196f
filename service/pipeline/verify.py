"""The hard gate before anything is filmed: every cite equals its span, byte for byte."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from service.domain.lesson import Lesson
from service.domain.quiz import Quiz
from service.domain.revision import LessonDocuments
from service.domain.source import Cite, Source
from service.domain.storyboard import Storyboard
from service.errors import Broken

UNPROVEN = ("unsupported", "edited")


def check_cites(lesson: Lesson, storyboard: Storyboard | None, quiz: Quiz | None, sources: Sequence[Source]) -> int:
    """Compare every cite of the documents with its source and return how many there are.

    Raises:
        Broken: a cite points to an unknown source, or differs from its span; or a factual sentence has no cite, though
            the course has sources, or without saying that it is unsupported.
    """
    texts = {source.sha256: source.text for source in sources}
    count = 0
    for cite in _cites(lesson, storyboard, quiz):
        text = texts.get(cite.source)
        if text is None or not cite.exact(text):
            raise Broken(f"Lesson “{lesson.title}” holds a cite that does not equal its source: “{cite.quote[:80]}”.")
        count += 1
    for claim in lesson.claims():
        if claim.factual and not claim.cites and claim.state not in (("edited",) if sources else UNPROVEN):
            raise Broken(f"Lesson “{lesson.title}” states without a cite: “{claim.text[:80]}”.")
    return count


def check_documents(documents: LessonDocuments, sources: Sequence[Source]) -> int:
    """The same for what there is of a lesson. Raises what `check_cites` raises."""
    return check_cites(documents.text, documents.storyboard, documents.quiz, sources)


def _cites(lesson: Lesson, storyboard: Storyboard | None, quiz: Quiz | None) -> Iterator[Cite]:
    yield from lesson.cites()
    yield from storyboard.cites() if storyboard else ()
    for item in quiz.items if quiz else ():
        yield from item.cites
