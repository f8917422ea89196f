"""One scene of a video made anew: a line less, a sentence more, or drawn again from the lesson as it stands now."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from service.authors.extractive.language.narration import speech_of
from service.authors.extractive.language.sentences import Sentence
from service.authors.extractive.language.words import bag, cosine
from service.authors.extractive.scenes.draft import MOST_WORDS
from service.authors.extractive.sources.library import same
from service.domain.consequences import cites_of, meets
from service.domain.lesson import Claim, Lesson
from service.domain.source import Cite
from service.domain.storyboard import BulletsScene, Cue, MapScene, RecapScene, Scene, Storyboard
from service.domain.wishes import Wish, spoken_words

BY_ITEMS = (BulletsScene, MapScene, RecapScene)
FRAME = ("title", "section", "question", "recap")  # scenes that say nothing of the lesson's own
FEWEST_ITEMS = 2
ENOUGH = 0.8
OTHER_WAYS = 3


class SceneChanges:
    """The ways to change one scene of a storyboard."""

    def __init__(
        self,
        text: Lesson,
        storyboard: Storyboard,
        scene_id: str,
        draw: Callable[[Lesson], Storyboard],
    ) -> None:
        self._text, self._draw = text, draw
        self._scene = next(scene for scene in storyboard.scenes if scene.id == scene_id)
        self._others = [scene for scene in storyboard.scenes if scene.id != scene_id]

    def ways(self, wish: Wish) -> Iterator[Scene]:
        """The scene with the wish granted, the best way first."""
        match wish:
            case "shorter":
                yield from self._shorter()
            case "longer":
                yield from self._with_untold(())
            case "example":
                yield from self._with_untold(("example",))
            case "again":
                yield from self._again()

    def _shorter(self) -> Iterator[Scene]:
        """The least central pieces go, one after the other, until a fifth is gone."""
        centre = bag(cue.text for cue in self._scene.cues)
        for turn in range(OTHER_WAYS):
            scene: Scene | None = self._scene
            while scene is not None and spoken_words(scene) > ENOUGH * spoken_words(self._scene):
                smaller = sorted(_smaller(scene), key=lambda one: -cosine(bag(cue.text for cue in one.cues), centre))
                scene = smaller[turn % len(smaller)] if smaller else None
                if scene is not None:
                    yield scene

    def _with_untold(self, roles: Sequence[str]) -> Iterator[Scene]:
        """With a sentence of the lesson's text that the video leaves out, spoken where it belongs."""
        if self._scene.kind in FRAME:
            return
        told = {same(cue.text) for scene in (*self._others, self._scene) for cue in scene.cues}
        shown = [cite for scene in (*self._others, self._scene) for cue in scene.cues for cite in cue.cites]
        centre = bag(cue.text for cue in self._scene.cues)
        fitting = []
        for claim in self._text.claims():
            sentence = Sentence(claim.text, claim.cites)
            fits = sentence.usable and sentence.alone and (not roles or bool(sentence.roles & set(roles)))
            if fits and claim.cites and same(claim.text) not in told and not meets(claim.cites[0], shown):
                fitting.append((cosine(bag([claim.text]), centre), claim, sentence))
        for _, claim, sentence in sorted(fitting, key=lambda one: (-one[0], one[1].cites[0].start))[:OTHER_WAYS]:
            scene = _saying(self._scene, claim, speech_of(sentence))
            if spoken_words(scene) <= MOST_WORDS:
                yield scene

    def _again(self) -> Iterator[Scene]:
        """Without what the text no longer says; else as the whole video would draw it now."""
        said = tuple(self._text.cites())
        pruned = _pruned(self._scene, said)
        if pruned is not None:
            yield pruned
        cites = cites_of(self._scene)
        told = [cite for scene in self._others for cue in scene.cues for cite in cue.cites]
        drawn = [
            (sum(meets(cite, cites) for cite in cites_of(scene)), -n, scene)
            for n, scene in enumerate(self._draw(self._text).scenes)
            if scene.kind not in FRAME and not any(meets(cite, told) for cue in scene.cues for cite in cue.cites)
        ]
        count, _, best = max(drawn, key=lambda one: one[:2], default=(0, 0, self._scene))
        if count and self._scene.kind not in FRAME:
            yield best.model_copy(update={"id": self._scene.id})


def _smaller(scene: Scene) -> list[Scene]:
    """The scene without each piece that can go alone: an item with what is said about it, or a sentence spoken only."""
    found = []
    if _items(scene) > FEWEST_ITEMS:  # what is cited nowhere is the lesson's own plan, such as its objectives
        cited = [n for n in range(1, _items(scene) + 1) if any(cue.cites for cue in _cues_of(scene, n))]
        found = [_without_item(scene, n) for n in cited]
    for place, cue in enumerate(scene.cues):
        if place and cue.cites and cue.state is None:
            found.append(_with_cues(scene, (*scene.cues[:place], *scene.cues[place + 1 :])))
    return [one for one in found if one.cues]


def _items(scene: Scene) -> int:
    return len(scene.items) if isinstance(scene, BY_ITEMS) else 0


def _without_item(scene: Scene, number: int) -> Scene:
    """Without the item that state `number` reveals, and what is said while it is the newest."""
    assert isinstance(scene, BY_ITEMS)
    cues: list[Cue] = []
    newest = 0
    for cue in scene.cues:
        newest = newest if cue.state is None else cue.state
        if newest != number or newest > len(scene.items):
            cues.append(cue if cue.state is None or cue.state <= number else _at(cue, cue.state - 1))
    items = (*scene.items[: number - 1], *scene.items[number:])
    return _with_cues(scene, tuple(cues), items=items)


def _at(cue: Cue, state: int) -> Cue:
    return cue.model_copy(update={"state": state})


def _with_cues(scene: Scene, cues: tuple[Cue, ...], **fields: Any) -> Scene:
    """The scene with these cues; it shows the sources of what is left."""
    gone = [cite for cue in scene.cues if cue not in cues for cite in cue.cites]
    left = [cite for cue in cues for cite in cue.cites]
    cites = tuple(cite for cite in scene.cites if not meets(cite, gone) or meets(cite, left))
    return scene.model_copy(update={"cues": cues, "cites": cites, **fields})


def _saying(scene: Scene, claim: Claim, speech: str) -> Scene:
    """The scene with one more sentence: behind the last one that stands before it in the source, never first or last
    where the slide shows everything again."""
    cue = Cue(text=claim.text, speech=speech, cites=claim.cites)
    before = [n for n, one in enumerate(scene.cues) if any(_precedes(cite, claim.cites[0]) for cite in one.cites)]
    place = max(before, default=0) + 1
    return scene.model_copy(update={"cues": (*scene.cues[:place], cue, *scene.cues[place:])})


def _precedes(one: Cite, other: Cite) -> bool:
    return one.source == other.source and one.start < other.start


def _pruned(scene: Scene, said: Sequence[Cite]) -> Scene | None:
    """The scene without the pieces of which the text says nothing any more; None when not all of them can go alone."""
    found = scene
    for number in range(_items(scene), 0, -1):
        about = _cues_of(found, number)
        if any(cue.cites for cue in about) and all(_is_gone(cue, said) or not cue.cites for cue in about):
            found = _without_item(found, number)
    kept = tuple(
        cue for place, cue in enumerate(found.cues) if not place or cue.state is not None or not _is_gone(cue, said)
    )
    found = _with_cues(found, kept)
    shown = tuple(cite for cite in found.cites if meets(cite, said))
    stuck = any(_is_gone(cue, said) for cue in kept) or (shown != found.cites and not _items(found))
    return None if stuck or not kept else found.model_copy(update={"cites": shown})


def _is_gone(cue: Cue, said: Sequence[Cite]) -> bool:
    return bool(cue.cites) and not any(meets(cite, said) for cite in cue.cites)


def _cues_of(scene: Scene, number: int) -> list[Cue]:
    """What is said while this item is the newest."""
    newest, found = 0, []
    for cue in scene.cues:
        newest = newest if cue.state is None else cue.state
        if newest == number:
            found.append(cue)
    return found
