"""Parts a list that is more than a slide should hold: entries that all count are shown on two slides, not cut."""

from __future__ import annotations

from service.authors.extractive.language.words import words
from service.authors.extractive.scenes.draft import Line, SceneDraft
from service.domain.conventions import SLIDE_WORDS

FEWEST = 4  # entries of a list that is parted; of three, one would stand alone


def split_full(scenes: list[SceneDraft]) -> None:
    """Puts the second half of each list and procedure with too many words on a slide of its own."""
    place = 0
    while place < len(scenes):
        scene = scenes[place]
        if scene.kind in ("list", "steps") and len(scene.lines) >= FEWEST and _shown(scene.lines) > SLIDE_WORDS:
            scenes.insert(place + 1, _second_half(scene))
        else:
            place += 1


def _shown(lines: list[Line]) -> int:
    return len(words(" ".join(line.shown for line in lines)))


def _second_half(scene: SceneDraft) -> SceneDraft:
    """Takes the second half from the scene; its steps go on counting."""
    half = (len(scene.lines) + 1) // 2
    moved = scene.lines[half:]
    at = next((n for n, said in enumerate(scene.said) if any(said.shows is line for line in moved)), len(scene.said))
    second = SceneDraft(
        scene.kind,
        scene.title,
        moved,
        scene.said[at:],
        scene.kicker,
        scene.heading,
        scene.source_title,
        section=scene.section,
    )
    if scene.kind == "steps":
        second.fields = {**scene.fields, "first": scene.fields.get("first", 1) + half}
    scene.lines, scene.said = scene.lines[:half], scene.said[:at]
    second.leads_on, scene.leads_on = scene.leads_on, False
    return second
