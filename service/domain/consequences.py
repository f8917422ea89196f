"""What a changed text means for its video and its questions: which of them still say what the text no longer says.

Text, video and questions of a lesson meet in the spans of the sources that they cite, so spans are compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from service.domain.lesson import Lesson
from service.domain.quiz import Quiz, QuizItem
from service.domain.source import Cite
from service.domain.storyboard import Scene, Storyboard


@dataclass(frozen=True)
class Gone:
    """The passages that the text cited before and does not cite any more."""

    before: tuple[Cite, ...]
    after: tuple[Cite, ...]

    @classmethod
    def between(cls, before: Lesson, after: Lesson) -> Gone:
        return cls(tuple(before.cites()), tuple(after.cites()))

    def holds(self, cite: Cite) -> bool:
        """Whether the text said this before, and says nothing of it now."""
        return meets(cite, self.before) and not meets(cite, self.after)


def meets(cite: Cite, others: Iterable[Cite]) -> bool:
    """Whether it shares at least a character with one of the others."""
    return any(cite.source == one.source and cite.start < one.end and one.start < cite.end for one in others)


def cites_of(scene: Scene) -> tuple[Cite, ...]:
    """What the scene shows and what it says."""
    return (*scene.cites, *(cite for cue in scene.cues for cite in cue.cites))


def emptied_scenes(storyboard: Storyboard, gone: Gone) -> tuple[str, ...]:
    """The ids of the scenes that are about nothing else than what is gone."""
    return tuple(scene.id for scene in storyboard.scenes if (cites := cites_of(scene)) and all(map(gone.holds, cites)))


def touched_scenes(storyboard: Storyboard, gone: Gone) -> tuple[str, ...]:
    """The ids of the scenes that show or say something that is gone, beside what still stands."""
    empty = emptied_scenes(storyboard, gone)
    return tuple(
        scene.id for scene in storyboard.scenes if scene.id not in empty and any(map(gone.holds, cites_of(scene)))
    )


def without_scenes(storyboard: Storyboard, ids: Sequence[str]) -> Storyboard:
    """The storyboard without these scenes; a storyboard keeps at least one."""
    kept = tuple(scene for scene in storyboard.scenes if scene.id not in ids)
    return storyboard.model_copy(update={"scenes": kept or storyboard.scenes[:1]})


def untold(before: Lesson, after: Lesson, storyboard: Storyboard) -> bool:
    """Whether the text says something new that the video neither shows nor says."""
    told = [cite for scene in storyboard.scenes for cite in cites_of(scene)]
    known = tuple(before.cites())
    return any(not meets(cite, known) and not meets(cite, told) for cite in after.cites())


def touched_questions(quiz: Quiz, gone: Gone) -> tuple[str, ...]:
    """The ids of the questions that ask for something that is gone."""
    return tuple(item.id for item in quiz.items if any(map(gone.holds, item.cites)))


def with_questions_replaced(quiz: Quiz, touched: Sequence[str], fresh: Quiz, mark: str) -> Quiz:
    """The quiz with a question of `fresh` about the same objective in the place of each touched one.

    Every other question stays, id and all. A new one's id ends with `mark`, so that it is nobody else's. Where nothing
    is left to ask the question goes without another.
    """
    kept = [item for item in quiz.items if item.id not in touched]
    spare = [item for item in fresh.items if not item.reviews and not _asks_again(item, kept)]
    items: list[QuizItem] = []
    for item in quiz.items:
        if item.id not in touched:
            items.append(item)
            continue
        instead = next((one for one in spare if one.objective == item.objective), None)
        if instead is not None:
            spare.remove(instead)
            spare = [one for one in spare if not _asks_again(one, [instead])]
            items.append(instead.model_copy(update={"id": f"{instead.id}-{mark}"}))
    return quiz.model_copy(update={"items": tuple(items)})


def _asks_again(item: QuizItem, others: Iterable[QuizItem]) -> bool:
    """Whether another question has the same words, or asks in the same way for the same passage."""
    return any(
        item.stem == other.stem or (item.kind == other.kind and any(meets(cite, other.cites) for cite in item.cites))
        for other in others
    )
