"""A scene while it is put together: lines and spoken sentences that still move between scenes, then the finished scene.

A cue knows the line that it reveals; the state numbers of the storyboard are counted only at the end, when no line
moves any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from service.authors.extractive.language.key_phrases import split_subject
from service.authors.extractive.language.narration import speech_of
from service.authors.extractive.language.sentences import Sentence
from service.authors.extractive.language.words import shorten, words
from service.domain import storyboard as board
from service.domain.source import Cite

DraftKind = Literal[
    "title", "section", "bullets", "list", "steps", "definition", "figure", "quote", "warning", "comparison", "table",
    "code", "question", "recap", "map", "process", "worked",
]  # fmt: skip
BUILT = ("bullets", "list", "steps", "map", "process", "worked")  # their lines appear one by one
MOST_WORDS = 190
_OF_LINES: dict[str, type[Any]] = {
    "bullets": board.BulletsScene,
    "list": board.BulletsScene,
    "steps": board.StepsScene,
    "recap": board.RecapScene,
    "worked": board.WorkedScene,
}
_OF_PAIRS: dict[str, type[Any]] = {"map": board.MapScene, "process": board.ProcessScene}
_OF_CELLS: dict[str, type[Any]] = {
    "table": board.TableScene,
    "comparison": board.ComparisonScene,
    "code": board.CodeScene,
}
AFTER_ALL = 99  # the state in which everything that a slide reveals one by one is shown again


@dataclass(eq=False)
class Line:
    """One line of a slide and what proves it. On a map `name` stands above the text; `forms` are shorter wordings.

    Lines of one `group` (not 0) are shortened or dropped together; one that is to `keep` is never dropped.
    """

    text: str
    cites: tuple[Cite, ...] = ()
    name: str = ""
    forms: list[tuple[str, str]] = field(default_factory=list)
    group: int = 0
    keep: bool = False

    @property
    def shown(self) -> str:
        return f"{self.name} {self.text}".strip()

    @property
    def point(self) -> str:
        """As one phrase: a subject stands before its verb, a name is set off from what it is."""
        if not (self.name and self.text) or split_subject(self.shown):
            return self.shown
        return f"{self.name}: {self.text}"


@dataclass(eq=False)
class Said:
    """One spoken sentence; `shows` is the line that appears with it."""

    text: str
    speech: str = ""
    cites: tuple[Cite, ...] = ()
    shows: Line | None = None
    state: int | None = None
    pause: float = 0.0
    sentence: Sentence | None = None

    @property
    def words(self) -> int:
        return len(words(self.speech or self.text))


@dataclass(eq=False)
class SceneDraft:
    kind: DraftKind
    title: str
    lines: list[Line] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    kicker: str = ""
    heading: str = ""
    source_title: str = ""
    cites: tuple[Cite, ...] = ()
    fields: dict[str, Any] = field(default_factory=dict)
    section: int = -1
    leads_on: bool = False  # the next section lies below this scene's

    @property
    def words(self) -> int:
        return sum(said.words for said in self.said)

    def facts(self) -> list[Said]:
        """The spoken sentences that carry a cite."""
        return [said for said in self.said if said.cites]


def say(sentence: Sentence, prefix: str = "", shows: Line | None = None, bare: bool = False) -> Said:
    """The sentence as a cue; `bare` leaves out a leading connective that has nothing to connect to."""
    text = sentence.plain if bare else sentence.text
    if text != sentence.text:
        shift = len(sentence.text) - len(text)
        marks = tuple(
            type(mark)(mark.kind, mark.start - shift, mark.end - shift)
            for mark in sentence.marks
            if mark.start >= shift
        )
        sentence = Sentence(text, sentence.cites, marks, sentence.kind, sentence.ordered)
    return Said(text, speech_of(sentence, prefix), sentence.cites, shows, sentence=sentence)


def signpost(text: str) -> Said:
    """A spoken sentence that asserts nothing."""
    return Said(text)


def finish(draft: SceneDraft, scene_id: str) -> board.Scene:
    """The scene of the storyboard, every field within its limit."""
    cites = _unique([cite for line in draft.lines for cite in line.cites] + list(draft.cites))
    common: dict[str, Any] = {
        "id": scene_id,
        "title": shorten(draft.title, board.LINE),
        "kicker": shorten(draft.kicker, 80),
        "cues": tuple(_cue(draft, said) for said in draft.said),
        "cites": cites,
        "cite_label": shorten(draft.source_title, 120) if cites else "",
    }
    if draft.kind in _OF_LINES:
        items = tuple(shorten(line.text, board.LINE) for line in draft.lines)
        scene: board.Scene = _OF_LINES[draft.kind](**common, **draft.fields, items=items)
    elif draft.kind in _OF_PAIRS:
        pairs = tuple((line.name, line.text) for line in draft.lines)
        scene = _OF_PAIRS[draft.kind](**common, **draft.fields, items=pairs)
    elif draft.kind in _OF_CELLS:
        scene = _OF_CELLS[draft.kind](**common, **draft.fields)
    else:
        scene = _card(draft, common)
    return scene


def _card(draft: SceneDraft, common: dict[str, Any]) -> board.Scene:
    """The scenes of one statement."""
    fields = {name: _within(name, value) for name, value in draft.fields.items()}
    scenes: dict[str, type[Any]] = {
        "title": board.TitleScene,
        "section": board.SectionScene,
        "definition": board.DefinitionScene,
        "figure": board.FigureScene,
        "quote": board.QuoteScene,
        "warning": board.WarningScene,
        "question": board.QuestionScene,
    }
    scene: board.Scene = scenes[draft.kind](**common, **fields)
    return scene


def _within(name: str, value: Any) -> Any:
    limits = {"term": 120, "text": board.TEXT, "answer": board.TEXT}
    if name == "options":
        return tuple(shorten(option, board.LINE) for option in value)
    return shorten(value, limits.get(name, board.LINE)) if isinstance(value, str) else value


def _cue(draft: SceneDraft, said: Said) -> board.Cue:
    state = said.state
    if said.shows is not None and said.shows in draft.lines and draft.kind in BUILT:
        state = draft.lines.index(said.shows) + 1
    if state == AFTER_ALL:
        state = len(draft.lines or draft.fields.get("rows", ())) + 1
    return board.Cue(
        text=shorten(said.text, 1200),
        speech=shorten(said.speech, 1400),
        state=state,
        cites=said.cites,
        pause=said.pause,
    )


def _unique(cites: Sequence[Cite]) -> tuple[Cite, ...]:
    return tuple({(cite.source, cite.start, cite.end): cite for cite in cites}.values())
