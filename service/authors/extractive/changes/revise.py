"""Changes without a model: a short list of wishes, granted by choosing again among the source's own sentences.

Each wish has several ways to be granted, the best first; whoever asks for the same again gets the next one. A way
counts only when it keeps the rules that every author keeps (`domain.wishes`), so what is returned is never a near miss.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from service.authors.extractive.changes.scene_revision import SceneChanges
from service.authors.extractive.changes.text_revision import TextChanges
from service.authors.extractive.sources.library import Library
from service.domain.course import CoursePlan
from service.domain.lesson import Lesson
from service.domain.revision import Change, LessonDocuments
from service.domain.storyboard import Storyboard
from service.domain.wishes import Wish, broken_rule, understood
from service.errors import BadInput

MOST_WAYS = 12
NOT_UNDERSTOOD = (
    "Without a model only “shorter”, “longer”, “add an example” and, with no wish at all, the same again can be made. "
    "Wish for one of these, or set OPENAI_API_KEY for others."
)
NOTHING: dict[Wish, str] = {
    "shorter": "Nothing of it can be left out without breaking it: what is quoted whole stays whole. Choose another "
    "part, or the whole lesson.",
    "longer": "The sources say nothing more about it that the course does not say already. Add a source "
    "that does; a short text of your own will do.",
    "example": "The sources hold no example of it that the course does not use already. Add a source with one; a short "
    "text of your own will do.",
    "again": "The same sources give the same again. Wish for “shorter”, “longer” or “add an example” instead.",
}


def revised(
    plan: CoursePlan,
    documents: LessonDocuments,
    change: Change,
    library: Library,
    draw: Callable[[Lesson], Storyboard],
) -> LessonDocuments:
    """The documents with the wish granted; `draw` makes the whole storyboard of a text.

    Raises:
        BadInput: the wish is none of the four, or the sources do not give what it needs; there is no such part.
    """
    wish = understood(change.wish)
    if wish is None:
        raise BadInput(NOT_UNDERSTOOD)
    ways: list[LessonDocuments] = []
    for way in _ways(plan, documents, change, wish, library, draw):
        if way not in ways and not broken_rule(documents, way, change):
            ways.append(way)
        if len(ways) > min(change.turn, MOST_WAYS):
            break
    if not ways:
        raise BadInput(NOTHING[wish])
    return ways[change.turn % len(ways)]


def _ways(
    plan: CoursePlan,
    documents: LessonDocuments,
    change: Change,
    wish: Wish,
    library: Library,
    draw: Callable[[Lesson], Storyboard],
) -> Iterator[LessonDocuments]:
    if change.part == "scene":
        if documents.storyboard is None or change.id not in {scene.id for scene in documents.storyboard.scenes}:
            raise BadInput("The video has no such scene. Reload the page and choose again.")
        scenes = SceneChanges(documents.text, documents.storyboard, change.id, draw)
        for scene in scenes.ways(wish):
            found = tuple(scene if one.id == change.id else one for one in documents.storyboard.scenes)
            board = documents.storyboard.model_copy(update={"scenes": found})
            yield documents.model_copy(update={"storyboard": board})
        return
    chosen = {block.id for block in documents.text.blocks if change.part == "lesson" or block.id == change.id}
    if not chosen:
        raise BadInput("The lesson has no such part. Reload the page and choose again.")
    for text in TextChanges(plan, documents.text, frozenset(chosen), library).ways(wish):
        yield documents.model_copy(update={"text": text})
