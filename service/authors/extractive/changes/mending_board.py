"""A lesson's video follows its source: the cues and slide lines of changed passages are worded anew, those of lost
ones go. A scene that is left with nothing to show or to say goes too.

A slide says which passages it is made from, but not which line from which; a line belongs to the passage whose words
it holds most of.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from service.authors.extractive.changes.mending import Mending, listing, mended_rows
from service.authors.extractive.changes.mending_quiz import mended_item
from service.authors.extractive.changes.rewording import reworded
from service.authors.extractive.language.narration import speech_of
from service.authors.extractive.language.sentences import Sentence
from service.authors.extractive.language.slide_lines import LINE_WORDS, slide_line
from service.authors.extractive.language.words import bag, overlap, shorten
from service.authors.extractive.scenes.prose import figure_of
from service.domain import storyboard as board
from service.domain.outdated import Replaced
from service.domain.quiz import Option, QuizItem
from service.domain.source import Cite
from service.domain.support import judge

MADE_FROM = 0.5  # share of a line's stems that a passage holds from which on the line was made from it


@dataclass(frozen=True)
class _Face:
    """What a scene shows: its kind and the fields of that kind; `lost` are the lines that went, counted from 1."""

    scene: Callable[..., board.Scene]
    fields: dict[str, Any]
    lost: tuple[int, ...] = ()
    first_state: int = 0


def mended_board(storyboard: board.Storyboard, mending: Mending) -> board.Storyboard | None:
    """The storyboard with every scene that cites a changed passage following it; None when no scene is left."""
    scenes = tuple(made for scene in storyboard.scenes if (made := _scene(scene, mending)) is not None)
    return storyboard.model_copy(update={"scenes": scenes}) if scenes else None


def _scene(scene: board.Scene, mending: Mending) -> board.Scene | None:
    cites = [*scene.cites, *(cite for cue in scene.cues for cite in cue.cites)]
    if not mending.of(cites):
        return scene
    cues = [made for cue in scene.cues if (made := _cue(cue, mending)) is not None]
    proven = any(cue.cites for cue in scene.cues)
    face = _face(scene, _Owners(cites, mending))
    if face is None or not cues or (proven and not any(cue.cites for cue in cues)):
        mending.notes.append(f"The slide “{scene.title or scene.kind}” goes from the video.")
        return None
    if face.first_state:
        cues[0] = cues[0].model_copy(update={"state": face.first_state})
    kept = mending.cites(scene.cites)
    common = {
        "id": scene.id,
        "title": scene.title,
        "kicker": scene.kicker,
        "cues": tuple(_restated(cue, face) for cue in cues),
        "cites": kept,
        "cite_label": scene.cite_label if kept else "",
    }
    return face.scene(**common, **face.fields)


def _cue(cue: board.Cue, mending: Mending) -> board.Cue | None:
    if not mending.of(cue.cites):
        return cue
    text, cites = shorten(mending.wording(cue.text, cue.cites), 1200), mending.cites(cue.cites)
    if not text or not cites:
        return None
    speech = cue.speech if text == cue.text else _speech(cue, text, mending)
    return cue.model_copy(update={"text": text, "speech": shorten(speech, 1400), "cites": cites})


def _speech(cue: board.Cue, text: str, mending: Mending) -> str:
    """What the voice reads of the new sentence; an opening that only the voice has is kept."""
    now = mending.cites(cue.cites)[0]
    said = mending.sentence(now) if text == now.quote else Sentence(text, (now,))
    spoken = speech_of(said) or text
    before = speech_of(Sentence(cue.text, cue.cites)) or cue.text
    if cue.speech and cue.speech != before and cue.speech.endswith(before):
        spoken = cue.speech[: -len(before)] + spoken
    return "" if spoken == text else spoken


def _restated(cue: board.Cue, face: _Face) -> board.Cue:
    """The cue with its state counted without the lines that went; one that showed such a line shows nothing new."""
    if cue.state is None or not face.lost:
        return cue
    if cue.state in face.lost:
        return cue.model_copy(update={"state": None})
    return cue.model_copy(update={"state": cue.state - sum(line < cue.state for line in face.lost)})


class _Owners:
    """Knows which passage each line of one scene was made from, and words it anew."""

    def __init__(self, cites: Sequence[Cite], mending: Mending) -> None:
        self.mending = mending
        self.cites = tuple(dict.fromkeys(cites))
        self._bags = [(bag([cite.quote]), cite) for cite in self.cites]

    def change(self, line: str) -> Replaced | None:
        """What became of the passage that the line was made from; None when that did not change.

        Of several that hold as many of its words it is the shortest, which is the nearest.
        """
        if not self._bags:
            return None
        share, _, cite = max(
            ((overlap(line, stems), -len(stems), cite) for stems, cite in self._bags), key=lambda one: one[:2]
        )
        found = self.mending.of([cite])
        return found[0] if share >= MADE_FROM and found else None

    def listing(self, lines: tuple[str, ...]) -> tuple[str, ...]:
        """The lines of code as the source has them now."""
        if not lines:
            return lines
        made = listing("\n".join(lines), self.cites, self.mending)
        return tuple(line[:400] for line in made.split("\n"))

    def rows(self, rows: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
        """The rows of a table as the source has them now."""
        return mended_rows(rows, self.cites, self.mending)

    def line(self, line: str, limit: int) -> str:
        """The line as it is to be; '' when the passage that it was made from is gone."""
        change = self.change(line)
        if change is None or not line.strip():
            return line
        if change.new is None:
            return ""
        made = reworded(line, change.old.quote, change.new.quote)
        state, before = judge(made, [change.new.quote]).state, judge(line, [change.old.quote]).state
        if len(made) <= limit and state in ("supported", before):
            return made
        sentence = self.mending.sentence(change.new)
        short = (slide_line(sentence, words) for words in (LINE_WORDS, LINE_WORDS + 5, LINE_WORDS + 11))
        return shorten(next((one for one in short if one), sentence.plain.rstrip(".")), limit)


def _face(scene: board.Scene, owners: _Owners) -> _Face | None:
    """What the scene is to show; None when nothing of it is left."""
    return _FACES.get(scene.kind, _unchanged)(scene, owners)


def _unchanged(scene: board.Scene, owners: _Owners) -> _Face:  # noqa: ARG001 - one of `_FACES`
    return _Face(type(scene), _own(scene))


def _own(scene: board.Scene) -> dict[str, Any]:
    """The fields that only this kind of scene has."""
    common = ("id", "title", "kicker", "cues", "cites", "cite_label", "kind")
    return {name: getattr(scene, name) for name in type(scene).model_fields if name not in common}


def _listed(scene: board.BulletsScene | board.StepsScene | board.RecapScene, owners: _Owners) -> _Face | None:
    lines = [owners.line(item, board.LINE) for item in scene.items]
    lost = tuple(place for place, line in enumerate(lines, start=1) if not line)
    kept = tuple(line for line in lines if line)
    return _Face(type(scene), {"items": kept}, lost) if kept else None


def _paired(scene: board.MapScene | board.ProcessScene, owners: _Owners) -> _Face | None:
    """Named parts: the name stays while the part does, because it is a heading or a term."""
    lines = [owners.line(f"{name} {text}", board.LINE) for name, text in scene.items]
    made: list[tuple[str, str]] = []
    for (name, text), line in zip(scene.items, lines, strict=True):
        if line == f"{name} {text}":
            made.append((name, text))
        elif line:
            made.append((name, line.removeprefix(name).lstrip(" :")))
    lost = tuple(place for place, line in enumerate(lines, start=1) if not line)
    if not made or (isinstance(scene, board.ProcessScene) and len(made) < 2):
        return None
    return _Face(type(scene), {**_own(scene), "items": tuple(made)}, lost)


def _worked(scene: board.WorkedScene, owners: _Owners) -> _Face | None:
    items = tuple(line for item in scene.items if (line := owners.line(item, board.LINE)))
    problem, answer = owners.line(scene.problem, board.TEXT), owners.line(scene.answer, board.TEXT)
    if not items or not problem:
        return None
    return _Face(type(scene), {"problem": problem, "items": items, "answer": answer})


def _code(scene: board.CodeScene, owners: _Owners) -> _Face | None:
    lines, output = owners.listing(scene.lines), owners.listing(scene.output)
    if not any(line.strip() for line in lines):
        return None
    fields = {"lines": lines[:60], "lang": scene.lang, "output": output, "focus": _focus(scene, lines[:60])}
    return _Face(type(scene), fields)


def _focus(scene: board.CodeScene, lines: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """The ranges that are set off, where their lines stand now; as many as before, because cues count them."""
    codes = SequenceMatcher(None, scene.lines, lines, autojunk=False).get_opcodes()

    def now(line: int, *, last: bool) -> int:
        for kind, a, b, c, d in codes:
            if a < line <= b:
                place = c + line - a if kind == "equal" else d if last else c + 1
                return min(max(1, place), len(lines))
        return len(lines)

    ranges = [(now(first, last=False), now(end, last=True)) for first, end in scene.focus]
    return tuple((min(first, end), end) for first, end in ranges)


def _table(scene: board.TableScene | board.ComparisonScene, owners: _Owners) -> _Face | None:
    if isinstance(scene, board.TableScene):
        rows = owners.rows((scene.header, *scene.rows))[: len(scene.rows) + 1]
        focus = scene.focus if scene.focus is not None and scene.focus < len(rows) - 1 else None
        fields = {"header": rows[0], "rows": rows[1:], "focus": focus} if len(rows) > 1 else {}
        return _Face(type(scene), fields) if fields else None
    rows = owners.rows(scene.rows)[:8]
    lost = tuple(range(len(rows) + 1, len(scene.rows) + 1))
    return _Face(type(scene), {"heads": scene.heads, "rows": rows}, lost) if rows else None


def _question(scene: board.QuestionScene, owners: _Owners) -> _Face | None:
    """The question, if the quiz would keep it too."""
    options = tuple(Option(text=option, rationale="") for option in scene.options)
    kind, key = ("single", (scene.correct,)) if options else ("short", ())
    item = QuizItem(
        id=scene.id, kind=kind, stem=scene.text, options=options, key=key, model_answer=scene.answer, cites=owners.cites
    )
    made = mended_item(item, owners.mending)
    if made is None:
        return None
    fields = {
        "text": shorten(made.stem, board.TEXT),
        "options": tuple(shorten(option.text, board.LINE) for option in made.options),
        "answer": shorten(made.model_answer, board.TEXT),
        "correct": scene.correct,
        "pause": scene.pause,
    }
    return _Face(type(scene), fields)


def _figure(scene: board.FigureScene, owners: _Owners) -> _Face | None:
    """The big number as it is now; a plain line where the new sentence turns on no number."""
    text = owners.line(scene.text, board.TEXT)
    change = owners.change(scene.text)
    if not text:
        return None
    figure = scene.figure
    if change is not None and change.new is not None:
        figure = figure_of(owners.mending.sentence(change.new)) or reworded(figure, change.old.quote, change.new.quote)
    if figure in text and len(figure) <= 24:
        return _Face(type(scene), {"figure": figure, "text": text, "note": owners.line(scene.note, board.LINE)})
    return _Face(board.BulletsScene, {"items": (shorten(text, board.LINE),)}, first_state=1)


def _card(scene: board.DefinitionScene | board.QuoteScene | board.WarningScene, owners: _Owners) -> _Face | None:
    text = owners.line(scene.text, board.TEXT)
    fields = {**_own(scene), "text": text}
    if isinstance(scene, board.DefinitionScene):
        fields["example"] = owners.line(scene.example, board.LINE)
    return _Face(type(scene), fields) if text else None


_FACES: dict[str, Callable[[Any, _Owners], _Face | None]] = {
    "bullets": _listed,
    "steps": _listed,
    "recap": _listed,
    "map": _paired,
    "process": _paired,
    "worked": _worked,
    "code": _code,
    "table": _table,
    "comparison": _table,
    "question": _question,
    "figure": _figure,
    "definition": _card,
    "quote": _card,
    "warning": _card,
}
