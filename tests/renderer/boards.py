"""Storyboards for the renderer's tests: one that uses every kind, and a short one that films in seconds."""

from __future__ import annotations

from typing import Any

from service.domain.storyboard import Storyboard


def cue(text: str, state: int | None = None, **more: Any) -> dict[str, Any]:
    return {"text": text, "state": state, **more}


def cues(states: int) -> list[dict[str, Any]]:
    return [cue(f"Sentence number {state} of this scene.", state) for state in range(states + 1)]


# The least that each kind needs beside its cues; tests replace fields of it.
KINDS: dict[str, dict[str, Any]] = {
    "title": {"title": "Why bread rises", "subtitle": "Yeast, gluten and heat", "number": 2, "by": "The mill"},
    "section": {"title": "What yeast eats", "number": 1, "of": 3},
    "bullets": {"title": "Three helpers", "items": ["**Yeast** makes gas.", "Gluten holds it.", "Heat sets it."]},
    "steps": {"title": "Feed a starter", "items": ["Weigh `50 g`.", "Add flour and water.", "Wait *one* night."]},
    "definition": {
        "title": "Proof",
        "term": "Proof",
        "text": "The last rise of a shaped loaf.",
        "example": "One hour.",
    },
    "figure": {"title": "Warmth", "figure": "24 °C", "text": "is where most starters are happiest."},
    "quote": {"title": "Said", "text": "Flour forgives; impatience does not.", "by": "A baker", "role": "Lyon"},
    "warning": {"title": "Do not hurry", "text": "A loaf cut hot turns to gum."},
    "comparison": {"title": "Two flours", "heads": ["Wheat", "Rye"], "rows": [["Gluten", "much", "little"]] * 3},
    "table": {"title": "Times", "header": ["Stage", "Minutes"], "rows": [["Rise", "90"], ["Bake", "45"]], "focus": 1},
    "code": {
        "title": "Baker's per cent",
        "lang": "python",
        "lines": ["def water(flour, hydration=0.7):", "    return flour * hydration"],
        "focus": [[1, 1], [2, 2]],
        "output": ["350.0"],
    },
    "process": {
        "title": "A loaf",
        "items": [["Mix", "Wet all flour."], ["Rise", "Wait."], ["Bake", "Hot, then less."]],
    },
    "map": {
        "title": "Starter",
        "text": "Flour and water in which yeast and bacteria live together.",
        "items": [["Yeast", "makes gas"], ["Bacteria", "make acid"], ["", "doubles in six hours"]],
    },
    "worked": {
        "title": "How much water?",
        "problem": "500 g of flour at 70 per cent.",
        "items": ["Multiply 500 by 0.7.", "Round to 5 g."],
        "answer": "350 g of water.",
    },
    "question": {
        "title": "Check",
        "text": "What holds the gas in a dough?",
        "options": ["Salt", "Gluten", "Crust"],
        "correct": 1,
        "answer": "Gluten stretches around the bubbles.",
        "pause": 2,
    },
    "recap": {"title": "What you can say now", "items": ["Yeast makes gas.", "Gluten holds it.", "Heat sets it."]},
}
STATES = {"title": 0, "section": 0, "definition": 0, "figure": 0, "quote": 0, "warning": 0, "table": 1, "question": 1}


def scene(kind: str, **fields: Any) -> dict[str, Any]:
    content = {**KINDS[kind], **fields}
    states = STATES.get(kind, len(content.get("items") or content.get("rows") or content.get("focus") or ()) + 1)
    return {"kind": kind, "id": f"{kind}-1", "cues": cues(states), **content}


def board(*scenes: dict[str, Any], **fields: Any) -> Storyboard:
    numbered = [{**one, "id": f"s{i}"} for i, one in enumerate(scenes)]
    whole = {"lesson_id": "lesson", "course": "Bread at home", "title": "Why bread rises", "scenes": numbered, **fields}
    return Storyboard.model_validate(whole)


def every_kind(**fields: Any) -> Storyboard:
    return board(*(scene(kind) for kind in KINDS), **fields)


def short() -> Storyboard:
    """Four scenes with a reveal, a focus, a ring and a rest of more than five seconds."""
    slow = scene("figure", cues=[cue("This sentence is followed by a long silence.", pause=6.0)])
    return board(scene("title"), scene("bullets"), slow, scene("question"))
