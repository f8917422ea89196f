"""The storyboard: what a lesson's video shows and says. The one contract between the authors and the renderer.

A scene is a slide with settled states: state k of a list shows its first k items. Cues are spoken in order; a cue with
`state` moves the slide to that state when its first word begins. Text fields may hold `**bold**`, `*italic*` and
`` `code` ``; nothing else is markup.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from service.domain.source import Cite, Document, sha256_of

LINE, TEXT = 240, 900


class Cue(Document):
    """One spoken sentence. `speech` is what the voice reads when that differs from the caption in `text`."""

    text: str = Field(min_length=1, max_length=1200)
    speech: str = Field(default="", max_length=1400)
    state: int | None = Field(default=None, ge=0, description="settled state of the slide from this cue on")
    cites: tuple[Cite, ...] = ()
    pause: float = Field(default=0.0, ge=0, le=20, description="seconds of silence after it")


class _Scene(Document):
    id: str
    title: str = Field(default="", max_length=LINE)
    kicker: str = Field(default="", max_length=80)
    cues: tuple[Cue, ...] = Field(min_length=1)
    cites: tuple[Cite, ...] = ()
    cite_label: str = Field(default="", max_length=LINE, description="the chip: which source this slide shows")


class TitleScene(_Scene):
    kind: Literal["title"] = "title"
    subtitle: str = Field(default="", max_length=LINE)
    number: int = 0
    by: str = Field(default="", max_length=LINE)


class SectionScene(_Scene):
    kind: Literal["section"] = "section"
    number: int = 1
    of: int = 1


class BulletsScene(_Scene):
    """State k shows k items, the newest in ink; the last state (n + 1 for n items) restores all."""

    kind: Literal["bullets"] = "bullets"
    items: tuple[Annotated[str, Field(max_length=LINE)], ...] = Field(min_length=1, max_length=8)


class StepsScene(_Scene):
    """A procedure: numbered steps, revealed one by one."""

    kind: Literal["steps"] = "steps"
    items: tuple[Annotated[str, Field(max_length=LINE)], ...] = Field(min_length=1, max_length=12)
    first: int = Field(default=1, ge=1, description="number of its first step, where a slide before it shows others")


class DefinitionScene(_Scene):
    kind: Literal["definition"] = "definition"
    term: str = Field(max_length=120)
    text: str = Field(max_length=TEXT)
    example: str = Field(default="", max_length=LINE)


class FigureScene(_Scene):
    """One big number and what it says."""

    kind: Literal["figure"] = "figure"
    figure: str = Field(max_length=24)
    text: str = Field(max_length=TEXT)
    note: str = Field(default="", max_length=LINE)


class QuoteScene(_Scene):
    kind: Literal["quote"] = "quote"
    text: str = Field(max_length=TEXT)
    by: str = Field(default="", max_length=LINE)
    role: str = Field(default="", max_length=LINE)


class WarningScene(_Scene):
    kind: Literal["warning"] = "warning"
    text: str = Field(max_length=TEXT)


class ComparisonScene(_Scene):
    """Two things side by side: each row is (label, left, right)."""

    kind: Literal["comparison"] = "comparison"
    heads: tuple[str, str]
    rows: tuple[tuple[str, str, str], ...] = Field(min_length=1, max_length=8)


class TableScene(_Scene):
    """A table, header first; `focus` is the row (0-based, below the header) that state 1 sets off."""

    kind: Literal["table"] = "table"
    header: tuple[Annotated[str, Field(max_length=LINE)], ...] = Field(min_length=1, max_length=8)
    rows: tuple[tuple[Annotated[str, Field(max_length=LINE)], ...], ...] = Field(min_length=1, max_length=24)
    focus: int | None = None


class CodeScene(_Scene):
    """Source code; state k (k ≥ 1) sets off the line range `focus[k - 1]`, 1-based and inclusive."""

    kind: Literal["code"] = "code"
    lines: tuple[Annotated[str, Field(max_length=400)], ...] = Field(min_length=1, max_length=60)
    lang: str = ""
    focus: tuple[tuple[int, int], ...] = ()
    output: tuple[Annotated[str, Field(max_length=400)], ...] = ()


class ProcessScene(_Scene):
    """At most six named stages in a row."""

    kind: Literal["process"] = "process"
    items: tuple[tuple[str, str], ...] = Field(min_length=2, max_length=6)


class MapScene(_Scene):
    """A concept map: the title and its meaning on a card, and what belongs to it as branches (name, text).

    State k shows k branches, the newest in ink; the last state (n + 1 for n branches) restores all.
    """

    kind: Literal["map"] = "map"
    text: str = Field(default="", max_length=TEXT)
    items: tuple[tuple[str, str], ...] = Field(min_length=1, max_length=6)


class WorkedScene(_Scene):
    """A worked example: the problem, its steps, the answer."""

    kind: Literal["worked"] = "worked"
    problem: str = Field(max_length=TEXT)
    items: tuple[Annotated[str, Field(max_length=LINE)], ...] = Field(min_length=1, max_length=8)
    answer: str = Field(default="", max_length=TEXT)


class QuestionScene(_Scene):
    """Pause and think: state 0 asks while the ring runs for `pause` seconds, state 1 shows answer and reason."""

    kind: Literal["question"] = "question"
    text: str = Field(max_length=TEXT)
    options: tuple[Annotated[str, Field(max_length=LINE)], ...] = Field(default=(), max_length=6)
    correct: int = 0
    answer: str = Field(default="", max_length=TEXT)
    pause: int = Field(default=5, ge=1, le=15)


class RecapScene(_Scene):
    kind: Literal["recap"] = "recap"
    items: tuple[Annotated[str, Field(max_length=LINE)], ...] = Field(min_length=1, max_length=8)


Scene = Annotated[
    TitleScene
    | SectionScene
    | BulletsScene
    | StepsScene
    | DefinitionScene
    | FigureScene
    | QuoteScene
    | WarningScene
    | ComparisonScene
    | TableScene
    | CodeScene
    | ProcessScene
    | MapScene
    | WorkedScene
    | QuestionScene
    | RecapScene,
    Field(discriminator="kind"),
]


class Storyboard(Document):
    """A lesson's video before it is filmed."""

    version: Literal[1] = 1
    lesson_id: str
    course: str = Field(default="", max_length=LINE, description="the course's title, in the footer")
    title: str = Field(max_length=LINE)
    language: str = "en"
    theme: Literal["light", "dark", "contrast"] = "light"
    accent: str = Field(default="#1f5c57", pattern=r"^#[0-9a-fA-F]{6}$", description="the course's brand colour")
    scenes: tuple[Scene, ...] = Field(min_length=1)

    @property
    def sha256(self) -> str:
        """The name of its content: equal hashes, equal films."""
        return sha256_of(self.model_dump_json())

    def cues(self) -> Iterator[Cue]:
        """Every spoken sentence, in order."""
        for scene in self.scenes:
            yield from scene.cues

    def cites(self) -> Iterator[Cite]:
        """Every cite of the video: of its slides and of its narration."""
        for scene in self.scenes:
            yield from scene.cites
            for cue in scene.cues:
                yield from cue.cites


class CueTime(Document):
    """When a cue is heard, in seconds of the finished video."""

    scene: str
    text: str
    start: float
    end: float
    cites: tuple[Cite, ...] = ()


class Film(Document):
    """What filming a storyboard gave: durations, times and the names of the files, as the site and the player need."""

    version: Literal[1] = 1
    lesson_id: str
    seconds: float
    width: int = 1920
    height: int = 1080
    cues: tuple[CueTime, ...] = ()
    chapters: tuple[tuple[float, str], ...] = ()
    voice: str = ""
    segments: int = 0
    segments_reused: int = 0
    notes: tuple[str, ...] = Field(default=(), description="what the slides could not show as written, for the editor")
