"""Scenes from prose: bullets, definitions, figures, warnings and quotations, in the order of the text."""

from __future__ import annotations

import re
from collections.abc import Iterable

from service.authors.extractive.language import patterns
from service.authors.extractive.language.sentences import Sentence
from service.authors.extractive.language.slide_lines import LINE_WORDS, as_shown, compress, set_code, slide_line
from service.authors.extractive.language.words import bag, capitalized, overlap, words
from service.authors.extractive.lessons.pretraining import HEADING
from service.authors.extractive.scenes.draft import Line, Said, SceneDraft, say, signpost
from service.authors.extractive.scenes.signposts import Signposts
from service.authors.extractive.sources.material import Idea, Section, Unit

BEFORE_IT_IS_EXPLAINED = (
    "One word comes up here before the course explains it.",
    "Some words come up here before the course explains them.",
)
FIGURES_IN_A_LESSON = 2
WARNINGS_IN_A_LESSON = 3
QUOTED = (8, 32)  # words of a quotation that is shown
_ARTICLE = re.compile(r"^(?:The|An?)\b")
_TAIL_OF_MEANING = re.compile(r",? (?:which|such as|including|because|so that|for example|e\.g\.)\b.*$", re.DOTALL)


class TextScenes:
    """Turns the units of one section's prose into scenes; units wait until a slide is full."""

    def __init__(self, section: Section, signposts: Signposts, scenes: list[SceneDraft]) -> None:
        self.section = section
        self.signposts = signposts
        self.scenes = scenes
        self.opened = len(scenes)
        self.waiting: list[Unit] = []

    def add(self, unit: Unit) -> None:
        """Puts the unit where it is shown best; special scenes first, else with the waiting ones."""
        if self._as_definition(unit) or self._with_definition(unit) or self._as_figure(unit) or self._as_warning(unit):
            return
        shown = sum(bool(slide_line(waiting.head)) for waiting in self.waiting)
        length = sum(waiting.words for waiting in self.waiting)
        full = shown >= 3 or (shown and (len(self.waiting) >= 3 or length + unit.words > 95))
        if self.waiting and (full or len(self.waiting) > 4 or length + unit.words > 150):
            self.flush()
        self.waiting.append(unit)

    def flush(self) -> None:
        """Makes a scene of what waits."""
        units, self.waiting = self.waiting, []
        if not units:
            return
        scene = SceneDraft("bullets", self.section.name)
        limit = LINE_WORDS if sum(bool(slide_line(unit.head)) for unit in units) > 1 else LINE_WORDS + 3
        previous: Unit | None = None
        for unit in units:
            line = _line_of(unit, limit) if len(scene.lines) < 4 else None
            said = tell(unit, bare=not (previous and unit.head.follows(previous.sentences[-1])))
            if line:
                scene.lines.append(line)
                said[0].shows = line
            scene.said += said
            previous = unit
        if scene.lines or not self._joins_last(scene):
            self.scenes.append(scene)

    def _joins_last(self, scene: SceneDraft) -> bool:
        if len(self.scenes) <= self.opened:
            return False
        last = self.scenes[-1]
        if last.kind not in ("bullets", "definition", "code", "warning") or last.words + scene.words > 150:
            return False
        last.said += scene.said
        return True

    def _as_definition(self, unit: Unit) -> bool:
        found = unit.head.defines
        return bool(found and found[1]) and self.define(unit, found[0] if found else "")

    def define(self, unit: Unit, term: str) -> bool:
        """A definition card, if the meaning gets short enough to be shown."""
        found = unit.head.defines
        meaning = found[1] if found and found[1] else ""
        short = _short_meaning(meaning) if meaning else slide_line(unit.head, 20)
        if not short:
            return False
        self.flush()
        scene = SceneDraft("definition", capitalized(term))
        example = next((s for s in unit.sentences[1:] if "example" in s.roles), None)
        scene.fields = {
            "term": capitalized(term),
            "text": set_code(short, unit.head),
            "example": (slide_line(example) if example else "") or "",
        }
        scene.cites = unit.head.cites + (example.cites if example and scene.fields["example"] else ())
        sign = self._sign_of_a_term()
        scene.said = ([signpost(sign)] if sign else []) + tell(unit)
        if not found:
            told = scene.said[-len(unit.sentences)]
            told.speech = f"{term}: {_ARTICLE.sub(lambda found: found[0].lower(), told.speech or told.text)}"
        self.scenes.append(scene)
        return True

    def _sign_of_a_term(self) -> str:
        if self.section.title == HEADING:
            said = BEFORE_IT_IS_EXPLAINED[len(self.section.ideas) > 1]
            return "" if len(self.scenes) > self.opened else said
        return self.signposts.sign("definition")

    def _with_definition(self, unit: Unit) -> bool:
        """What explains a term right after its definition stays on the card."""
        if self.waiting or len(self.scenes) <= self.opened:
            return False
        last = self.scenes[-1]
        facts = last.facts()
        if last.kind != "definition" or not facts or last.words + unit.words > 75:
            return False
        gap = unit.head.cites and 0 <= unit.head.start - facts[-1].cites[0].end <= 3
        if not gap:
            return False
        last.said += tell(unit, bare=False)
        return True

    def _as_figure(self, unit: Unit) -> bool:
        figure = figure_of(unit.head)
        if not figure or sum(scene.kind == "figure" for scene in self.scenes) >= FIGURES_IN_A_LESSON:
            return False
        line = slide_line(unit.head, 20)
        if not line or figure not in line:
            return False
        self.flush()
        scene = SceneDraft("figure", self.section.name, said=tell(unit), cites=unit.head.cites)
        scene.fields = {"figure": figure, "text": line}
        self.scenes.append(scene)
        return True

    def _as_warning(self, unit: Unit) -> bool:
        taken = sum(scene.kind == "warning" for scene in self.scenes)
        just_now = bool(self.scenes) and self.scenes[-1].kind == "warning"
        if taken >= WARNINGS_IN_A_LESSON or just_now or not patterns.STRONG_WARNING.search(unit.head.text):
            return False
        if unit.roles & {"narrative"} or unit.head.length > 32:
            return False
        return self.warn([unit])

    def warn(self, units: list[Unit], title: str = "") -> bool:
        """A warning card with the first unit's statement."""
        head = units[0].head
        line = slide_line(head, 22) or (as_shown(head.plain.rstrip("."), head) if head.length <= LINE_WORDS else "")
        if not line:
            return False
        self.flush()
        scene = SceneDraft("warning", title or self.section.name, cites=units[0].head.cites)
        scene.fields = {"text": line}
        sign = self.signposts.sign("warning")
        scene.said = [signpost(sign)] if sign else []
        for unit in units:
            scene.said += tell(unit)
        self.scenes.append(scene)
        return True

    def note(self, idea: Idea, units: list[Unit]) -> None:
        """A call-out has its own scene, under its own heading."""
        self.flush()
        if not units:
            return
        title = idea.label or self.section.name
        if idea.tone == "warning" and sum(unit.words for unit in units) < 150 and self.warn(units, title):
            return
        before = len(self.scenes)
        for unit in units:
            self.add(unit)
        self.flush()
        for scene in self.scenes[before:]:
            if scene.kind in ("bullets", "figure", "warning"):
                scene.title, scene.kicker = title, "Note" if idea.tone == "note" else "Warning"

    def quote(self, idea: Idea, units: list[Unit]) -> None:
        """A quotation of a sentence or two is shown whole; a snatch of words or a long one is told like any text."""
        length = sum(unit.words for unit in units)
        if not units or not QUOTED[0] <= length <= QUOTED[1]:
            for unit in units:
                self.add(unit)
            return
        self.flush()
        sentences = [sentence for unit in units for sentence in unit.sentences]
        scene = SceneDraft("quote", self.section.name)
        scene.cites = tuple(cite for sentence in sentences for cite in sentence.cites)
        scene.fields = {"text": " ".join(sentence.text for sentence in sentences), "by": idea.label}
        scene.said = [said for unit in units for said in tell(unit)]
        self.scenes.append(scene)


def tell(unit: Unit, bare: bool = True) -> list[Said]:
    """The unit's sentences as cues; `bare`: nothing goes before it, so a leading connective is left out."""
    return [say(sentence, bare=bare and place == 0) for place, sentence in enumerate(unit.sentences)]


def figure_of(sentence: Sentence) -> str:
    """The one number with a unit, or the ratio, that the sentence turns on; '' when there is none or more."""
    found = [m for m in patterns.NUMBER.finditer(sentence.text) if m["to"] or m["unit"]]
    if len(found) != 1 or not 5 <= sentence.length <= 16 or sentence.roles & {"narrative", "example"}:
        return ""
    if len(patterns.NUMBER.findall(sentence.text)) > 1 or len(found[0][0]) > 20:
        return ""
    value = found[0]["value"]
    return "" if value in ("0", "1", "2") and not found[0]["to"] else found[0][0].strip()


def _short_meaning(meaning: str) -> str:
    short = compress(capitalized(meaning), 16)
    if short:
        return _without_article(short)
    cut = _TAIL_OF_MEANING.sub("", meaning).rstrip(" .,")
    return _without_article(cut) if 2 <= len(words(cut)) <= 18 else ""


def _without_article(meaning: str) -> str:
    """A meaning is read word by word: only the article that it opens with goes."""
    return capitalized(re.sub(r"^(?:the|an?) ", "", meaning, flags=re.IGNORECASE))


def _line_of(unit: Unit, limit: int) -> Line | None:
    """The unit's first sentence that has a short form and does not lean on another."""
    for place, sentence in enumerate(unit.sentences):
        if place == 0 or not sentence.leans:
            text = slide_line(sentence, limit)
            if text:
                return Line(text, sentence.cites)
    return None


def fill_empty(scenes: Iterable[SceneDraft]) -> None:
    """Where no sentence gets short enough: a longer line, else the first sentence as a quotation of the source."""
    for scene in scenes:
        if scene.kind == "bullets" and not scene.lines:
            _fill(scene)


def _fill(scene: SceneDraft) -> None:
    sentences = [said.sentence for said in scene.said if said.sentence is not None]
    for limit in (20, 26):
        for said in scene.said:
            text = slide_line(said.sentence, limit) if said.sentence else ""
            if text:
                said.shows = Line(text, said.cites)
                scene.lines = [said.shows]
                return
    best = min(sentences, key=lambda one: (-overlap(scene.title, bag([one.text])), one.length))
    scene.kind, scene.cites = "quote", best.cites
    scene.fields = {"text": best.plain}
