"""Questions between showing and free practice: the next step of a procedure, and what was told from memory."""

from __future__ import annotations

from collections.abc import Sequence

from service.authors.extractive.language.narration import speak
from service.authors.extractive.language.words import Casing, rank
from service.authors.extractive.scenes.draft import Line, Said, SceneDraft, signpost
from service.domain.course import Objective
from service.domain.source import Cite

FADED_FROM = 4  # steps; of three the order is hardly worth asking
PROCEDURES = ("steps", "process", "worked")
PAUSE_FOR_A_STEP = 6
PAUSE_FOR_MEMORY = 10


def faded_scene(steps: SceneDraft) -> SceneDraft | None:
    """The procedure with one step taken away, between watching it and doing it alone; None for a short one.

    Fading from worked to open is the worked-example effect's guidance (Renkl and Atkinson 2003).
    """
    if steps.kind not in PROCEDURES or len(steps.lines) < FADED_FROM:
        return None
    texts = [line.name or line.text for line in steps.lines]
    missing = 1 + int(rank(steps.title, texts), 16) % (len(texts) - 1)
    told = next((said for said in steps.facts() if said.shows is steps.lines[missing]), None)
    if told is None or len(set(texts)) < len(texts):
        return None
    scene = SceneDraft("question", steps.title, kicker="From memory", cites=told.cites)
    scene.fields = {
        "text": f"What comes right after “{texts[missing - 1]}”?",
        "answer": texts[missing],
        "pause": PAUSE_FOR_A_STEP,
    }
    before = texts[missing - 1].replace("`", "")
    asked = _asked(f"From memory: which step comes after “{before}”?")
    asked.speech = f"From memory: which step comes after this one? {speak(before)}"
    scene.said = [asked, _answer(f"Step {missing + 1}: {texts[missing].replace('`', '')}.", told.cites)]
    return scene


def recall_scene(scenes: Sequence[SceneDraft]) -> SceneDraft | None:
    """Asks for the fullest of the slides from memory, where the lesson has no better question; None without one."""
    full = [scene for scene in scenes if scene.kind in ("map", "bullets", "list", "steps") and len(scene.lines) > 1]
    if not full:
        return None
    best = max(full, key=lambda scene: (len(scene.lines), len(scene.facts())))
    cites = tuple(cite for line in best.lines for cite in line.cites)
    points = [line.point for line in best.lines]
    scene = SceneDraft("question", best.title, kicker="From memory", cites=cites)
    scene.fields = {
        "text": f"What do you remember about “{best.title}”?",
        "answer": "; ".join(points),
        "pause": PAUSE_FOR_MEMORY,
    }
    compared = _answer("Compare what you remember with the points on screen.", cites)
    scene.said = [_asked(f"Look away from the screen: what do you remember about “{best.title}”?"), compared]
    return scene


def objective_scene(objective: Objective, points: Sequence[Line], casing: Casing) -> SceneDraft | None:
    """Asks for what the lesson was for, where it has no better question; None without a point to compare with."""
    cited = [line for line in points if line.cites][:2]
    if not cited:
        return None
    aim = casing.lowered(objective.text.rstrip("."))
    how = "say how you" if objective.bloom in ("apply", "create", "analyze", "evaluate") else "in your own words,"
    text = f"Before you go on: {how} {aim}."
    scene = SceneDraft("question", "Stop and think", kicker="From memory", cites=cited[0].cites)
    scene.fields = {"text": text, "answer": "; ".join(line.text for line in cited), "pause": PAUSE_FOR_MEMORY}
    scene.said = [_asked(text), _answer("Compare it with what stands on screen.", cited[0].cites)]
    return scene


def _asked(text: str) -> Said:
    said = signpost(text)
    said.speech, said.state = _heard(text), 0
    return said


def _answer(text: str, cites: tuple[Cite, ...]) -> Said:
    return Said(text, _heard(text), cites, state=1)


def _heard(text: str) -> str:
    spoken = speak(text)
    return "" if spoken == text else spoken
