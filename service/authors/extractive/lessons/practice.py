"""Own practice where the source has none: what was shown is to be done by the learner, and compared with it.

After a worked example and a step to fill in, a skill needs one try without help (worked → faded → open practice).
"""

from __future__ import annotations

from collections.abc import Sequence

from service.authors.extractive.language.words import Casing, overlap, stem, stems
from service.authors.extractive.sources.material import Section
from service.domain.course import Objective
from service.domain.lesson import Claim, ExerciseBlock

MOST = 2
SURE = 0.5  # of the objective's words: below, the heading is not named
TITLE = "Practice"
_TO_DO = ("apply", "create", "evaluate")
_LOOKED_AT = {"steps": "the steps", "code": "the code"}


def own_practice(objectives: Sequence[Objective], sections: Sequence[Section], casing: Casing) -> list[ExerciseBlock]:
    """An exercise for each objective to do something, if the lesson shows procedures or code; ids are the caller's.

    A task states nothing, so it has no cite; its answer is where the lesson shows how it is done.
    """
    shown = [(section, kind) for section in sections for kind in _showing(section)]
    if not shown:
        return []
    aims = [objective for objective in objectives if objective.bloom in _TO_DO][:MOST]
    return [_exercise(objective, shown, casing) for objective in aims]


def _showing(section: Section) -> list[str]:
    """What the section shows that can be done again: procedures, code."""
    kinds = {idea.kind for idea in section.ideas if idea.kind != "steps" or len(idea.items) > 1}
    return [kind for kind in _LOOKED_AT if kind in kinds]


def _exercise(objective: Objective, shown: Sequence[tuple[Section, str]], casing: Casing) -> ExerciseBlock:
    aim = casing.lowered(objective.text.rstrip("."))
    task = Claim(text=f"Now do it on your own, without looking back: {aim}.", factual=False)
    section, kind = max(shown, key=lambda one: _named(objective, one[0]))
    place = f"{_LOOKED_AT[kind]} under “{section.telling.title.rstrip(':')}”"
    sure = _named(objective, section) >= SURE
    answer = Claim(text=f"Compare what you did with {place if sure else 'what the lesson shows'}.", factual=False)
    return ExerciseBlock(id="", title=TITLE, task=(task,), solution=(answer,))


def _named(objective: Objective, section: Section) -> float:
    """The share of the objective's words that stand in the headings over the section."""
    return overlap(objective.text, {stem(word) for title in _path(section) for word in stems(title)})


def _path(section: Section) -> list[str]:
    """The section's heading and those above it."""
    return [section.title, *(_path(section.parent) if section.parent else [])]
