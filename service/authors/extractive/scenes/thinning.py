"""Thins slides until they are no script of the speech: key words to look at, whole sentences to listen to.

Reading and hearing the same words at once hinders (redundancy principle, Mayer 2009), so a slide may hold at most a
third of the runs of four words that are spoken over it.
"""

from __future__ import annotations

import re

from service.authors.extractive.language.key_phrases import orders, phrases
from service.authors.extractive.language.sentences import Sentence
from service.authors.extractive.language.slide_lines import compress, set_code
from service.authors.extractive.language.words import fourgrams, words
from service.authors.extractive.scenes.draft import BUILT, Line, SceneDraft
from service.authors.extractive.scenes.map import SHORT_NAME
from service.authors.extractive.scenes.recall import PROCEDURES
from service.domain.conventions import SLIDE_WORDS, SPEECH_ON_SLIDE

LINE_TEXT = 12  # words that a line says of its subject
_TILL = re.compile(
    r" (?:until|till|as long as|as soon as|once) .*$"
)  # how long a step takes is said, if there is no room
_NUMBER = re.compile(r"\d+\. ")  # of a step on a second slide
NO_GAIN = (0, 0, 0)


def thin(scene: SceneDraft) -> None:
    """Shortens, then drops lines until the slide holds few words, and few runs of four words of the speech."""
    if scene.kind in ("warning", "figure", "definition", "map", "quote"):
        _shorten_text(scene)
    if scene.kind in ("bullets", "list", "steps", "worked"):
        _find_shorter_lines(scene)
    if scene.kind not in (*BUILT, "recap") or not scene.lines:
        return
    spoken = fourgrams(" ".join(said.text for said in scene.said)) if scene.kind != "recap" and scene.facts() else set()
    while _too_full(scene, spoken):
        best = max(scene.lines, key=lambda line: _gain(line, spoken))
        if _gain(best, spoken) > NO_GAIN:
            _shorten_line(scene, best)
        elif not _drop_line(scene, spoken):
            break
    if (
        scene.kind == "map"
        and scene.fields["text"]
        and len(scene.lines) == 1
        and not _about(scene.lines[0], scene.title)
    ):
        _back_to_card(scene)


def _about(line: Line, term: str) -> bool:
    return not line.name or term.lower() in line.name.lower()


def _back_to_card(scene: SceneDraft) -> None:
    """A term with one thing beside it that is not said of it is clearer as a card."""
    scene.kind, scene.lines = "definition", []
    scene.fields = {"term": scene.title, "text": scene.fields["text"], "example": ""}


def _find_shorter_lines(scene: SceneDraft) -> None:
    for said in scene.facts():
        if said.shows is not None and said.sentence is not None and not said.shows.forms:
            number = _NUMBER.match(said.shows.text)
            text = said.shows.text[number.end() :] if number else said.shows.text
            forms = _line_forms(text, said.sentence, scene.kind in ("steps", "worked") or number is not None)
            said.shows.forms = [(name, f"{number[0] if number else ''}{form}") for name, form in forms]


def _shorten_line(scene: SceneDraft, best: Line) -> None:
    """The line takes its next shorter wording, and so do those that are told in the same breath."""
    for line in scene.lines:
        if line is best or (best.group and line.group == best.group):
            line.forms = line.forms[1:] or line.forms
            line.name, line.text = line.forms[0]


def _drop_line(scene: SceneDraft, spoken: set[tuple[str, ...]]) -> bool:
    """Drops the line that copies most, if the slide can do without one."""
    if scene.kind in PROCEDURES or len(scene.lines) <= (2 if scene.kind == "recap" else 1):
        return False
    may_go = [line for line in scene.lines if line.cites and not line.keep]
    if may_go:
        gone = max(may_go, key=lambda line: (len(fourgrams(line.shown) & spoken), len(line.shown)))
        left = [line for line in scene.lines if line is not gone and not (gone.group and line.group == gone.group)]
        if not left:
            return False
        scene.lines = left
    return bool(may_go)


def _shorten_text(scene: SceneDraft) -> None:
    """A card's statement in the fullest wording that is no copy of the speech; else in its shortest."""
    text = str(scene.fields.get("text", ""))
    source = next((s.sentence for s in scene.facts() if s.sentence and s.cites[:1] == scene.cites[:1]), None)
    spoken = fourgrams(" ".join(said.text for said in scene.said))
    if not text or len(fourgrams(text) & spoken) <= SPEECH_ON_SLIDE * len(spoken):
        return
    forms = [text, *(compress(text, limit) for limit in (12, 10, 8))]
    first, colon, _ = text.partition(": ")
    forms += [first] if colon and len(words(first)) > SHORT_NAME else []
    if source is not None and scene.kind in ("warning", "figure", "quote"):
        forms += [form for _, form in _line_forms(text, source, step=False)]
    figure = str(scene.fields.get("figure", ""))
    kept = [form for form in dict.fromkeys(forms) if form and figure in form]
    kept.sort(key=lambda form: -len(words(form)))
    short = (form for form in kept if len(fourgrams(form) & spoken) <= SPEECH_ON_SLIDE * len(spoken))
    scene.fields["text"] = next(short, kept[-1])


def _line_forms(text: str, sentence: Sentence, step: bool) -> list[tuple[str, str]]:
    """What the line may be shortened to, its own wording first."""
    told = phrases(sentence, most=LINE_TEXT)
    found = [compress(sentence.text, 8), *orders(sentence, step), *(phrase.line for phrase in told)]
    found += [_TILL.sub("", text)] if step and len(words(_TILL.sub("", text))) > SHORT_NAME else []
    shorter = {set_code(form, sentence): None for form in found if form}
    kept = sorted((form for form in shorter if len(words(form)) < len(words(text))), key=lambda form: -len(words(form)))
    return [("", text), *(("", form) for form in kept)]


def _too_full(scene: SceneDraft, spoken: set[tuple[str, ...]]) -> bool:
    stated = str(scene.fields.get("text") or scene.fields.get("problem") or "")
    shown = " ".join((stated, *(line.shown for line in scene.lines)))
    if len(words(shown)) > SLIDE_WORDS:
        return True
    return bool(spoken) and len(fourgrams(shown) & spoken) > SPEECH_ON_SLIDE * len(spoken)


def _gain(line: Line, spoken: set[tuple[str, ...]]) -> tuple[int, int, int]:
    """What the line's next shorter wording saves: whether it still says something, copied runs, and words."""
    if len(line.forms) < 2:
        return NO_GAIN
    shorter = " ".join(line.forms[1]).strip()
    saved = len(fourgrams(line.shown) & spoken) - len(fourgrams(shorter) & spoken)
    fewer = len(words(line.shown)) - len(words(shorter))
    if fewer <= 0:
        return NO_GAIN
    return (int(bool(line.forms[1][1]) and saved > 0), max(0, saved), fewer)
