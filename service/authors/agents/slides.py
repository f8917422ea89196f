"""What a slide shows, from the fields of the storyboarder's answer that its kind uses; and the states of its cues."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from service.authors.agents.drafts import shortened
from service.authors.agents.shapes import CueShape, SceneShape
from service.domain import storyboard as board
from service.domain.lesson import CodeBlock, TableBlock

LIST_LINES, WORKED_LINES = 6, 6
Content = tuple[type[Any], dict[str, Any]]


class LineReader(Protocol):
    """Makes one line of a slide fit and plain; '' when it must not stand there."""

    def __call__(self, line: str, words: int = ..., characters: int = ...) -> str: ...


def content_of(shape: SceneShape, exhibit: CodeBlock | TableBlock | None, read: LineReader) -> Content | str:
    """The scene's class and its fields; or, as text, what is missing for a scene of this kind."""
    missing = f"a slide of the kind {shape.kind} needs more than it was given."
    if shape.kind == "exhibit":
        return _exhibit(exhibit) if exhibit is not None else missing
    if shape.kind == "comparison":
        return _comparison(shape, read)
    items = tuple(line for item in shape.items if (line := read(item)))
    if shape.kind == "map" and len(items) >= 2:
        branches = tuple(_stage(item) for item in items[:LIST_LINES])
        return board.MapScene, {"text": read(shape.text, 40, board.TEXT), "items": branches}
    if shape.kind in ("bullets", "steps", "process"):
        return _list(shape.kind, items) or missing
    text = read(shape.text, 60, board.TEXT)
    return (_card(shape, items, text, read) if text else None) or missing


def _list(kind: str, items: tuple[str, ...]) -> Content | None:
    if kind == "process" and len(items) >= 2:
        return board.ProcessScene, {"items": tuple(_stage(item) for item in items[:LIST_LINES])}
    if kind == "process" or not items:
        return None
    return (board.StepsScene if kind == "steps" else board.BulletsScene), {"items": items[:LIST_LINES]}


def _card(shape: SceneShape, items: tuple[str, ...], text: str, read: LineReader) -> Content | str | None:
    """A slide of one statement."""
    term = read(shape.term, 12, 120)
    match shape.kind:
        case "definition" if term:
            return board.DefinitionScene, {"term": term, "text": text}
        case "warning":
            return board.WarningScene, {"text": text}
        case "figure" if 0 < len(term) <= 24:
            return board.FigureScene, {"figure": term, "text": text}
        case "worked" if items:
            answer = read(shape.answer, 40, board.TEXT)
            return board.WorkedScene, {"problem": text, "items": items[:WORKED_LINES], "answer": answer}
        case "question":
            return _question(shape, items, text, read)
    return None


def plain_lines(cues: Sequence[board.Cue]) -> Content:
    """What a slide shows whose own content is no good: what is said on it, in short lines."""
    lines = [shortened(cue.text.rstrip(".!?"), 9, board.LINE) for cue in cues if cue.cites or len(cues) == 1]
    return board.BulletsScene, {"items": tuple((lines or [cues[0].text[: board.LINE]])[:LIST_LINES])}


def built(
    content: Content, frame: dict[str, Any], cues: Sequence[board.Cue], shapes: Sequence[CueShape]
) -> board.Scene:
    """The scene with its cues, whose states follow the lines that the agent says they speak of, and never run back."""
    kind, fields = content
    wished = {cue.text.strip(): cue.item for cue in shapes}
    states = _states(kind, fields, cues, wished)
    told = tuple(cue.model_copy(update={"state": state}) for cue, state in zip(cues, states, strict=True))
    scene: board.Scene = kind(**frame, **fields, cues=told)
    return scene


def _states(
    kind: type[Any], fields: dict[str, Any], cues: Sequence[board.Cue], wished: dict[str, int]
) -> list[int | None]:
    if kind is board.QuestionScene:
        return [0] + [None] * (len(cues) - 2) + [1] if len(cues) > 1 else [1]
    if kind not in (board.BulletsScene, board.StepsScene, board.WorkedScene, board.ProcessScene, board.MapScene):
        return [None] * len(cues)
    last, reached = len(fields["items"]), 0
    states: list[int | None] = []
    for place, cue in enumerate(cues):
        spread = round((place + 1) * last / len(cues))
        wish = wished.get(cue.text.strip(), 0) or spread
        reached = max(reached, min(wish, last))
        if place == len(cues) - 1:
            reached = last
        states.append(reached)
    return states


def _stage(item: str) -> tuple[str, str]:
    name, _, rest = item.partition(":")
    return name.strip()[:60], rest.strip()[:120]


def _question(shape: SceneShape, items: tuple[str, ...], text: str, read: LineReader) -> Content | str:
    answer = read(shape.answer, 40, board.TEXT)
    if items and not 1 <= shape.correct <= len(items):
        return "a question with options says which of them is right, from 1."
    if items and len(items) < len(shape.items):
        return "an option of the question states a figure that the lesson does not have."
    options, correct = items[:6], max(0, shape.correct - 1)
    if not options and not answer:
        return "a question needs options or an answer."
    if correct >= max(1, len(options)):
        return "a question has at most six options."
    return board.QuestionScene, {
        "text": text,
        "options": options,
        "correct": correct,
        "answer": answer or options[correct],
        "pause": 6,
    }


def _exhibit(exhibit: CodeBlock | TableBlock) -> Content | str:
    if isinstance(exhibit, TableBlock):
        header, *rows = exhibit.rows
        if not rows or len(header) > 8 or len(rows) > 24 or any(len(cell) > board.LINE for row in rows for cell in row):
            return "this table is too large for a slide: tell what it shows in lines."
        return board.TableScene, {"header": header, "rows": tuple(rows)}
    lines = exhibit.code.rstrip("\n").split("\n")
    if len(lines) > 60 or any(len(line) > 400 for line in lines):
        return "this code is too long for a slide: tell what it does in lines."
    output = exhibit.output.rstrip("\n").split("\n") if exhibit.output else []
    fits = len(lines) + len(output) <= 24 and all(len(line) <= 400 for line in output)
    return board.CodeScene, {"lines": tuple(lines), "lang": exhibit.lang, "output": tuple(output) if fits else ()}


def _comparison(shape: SceneShape, read: LineReader) -> Content | str:
    heads = tuple(read(head, 6, 60) for head in shape.heads)
    rows = [tuple(read(cell, 14, 160) for cell in row) for row in shape.rows if len(row) == 3]
    if len(heads) != 2 or not all(heads) or not rows:
        return "a comparison needs two heads, and rows of label, left and right."
    return board.ComparisonScene, {"heads": heads, "rows": tuple(rows[:8])}
