"""From the storyboarder's answer to a storyboard: slides that fit, speech that is cited, and states that follow it.

Opening, objectives and recap are the same in every lesson and are made here; the agent fills what lies between.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from service.authors.agents import slides
from service.authors.agents.drafts import MOST_FAULTS, Draft, shortened
from service.authors.agents.lesson_page import LessonPage
from service.authors.agents.shapes import CueShape, SceneShape, StoryboardShape
from service.authors.agents.shelf import same
from service.authors.agents.wording import clean, invents_figures, objections, states_a_fact, words_behind
from service.authors.extractive.language.narration import speak
from service.domain.course import CoursePlan, Objective
from service.domain.storyboard import LINE, BulletsScene, Cue, RecapScene, Scene, Storyboard, TitleScene

MOST_SPOKEN_WORDS = 190  # on one slide: at 150 words a minute, the 75 s that a slide may stay
LINE_WORDS = 20
AIMS = "s2"


def storyboard_of(
    shape: StoryboardShape, plan: CoursePlan, page: LessonPage, titles: dict[str, str], evidence: str
) -> Draft[Storyboard]:
    """The storyboard, and what the storyboarder should change; `titles` names each source for the slide's chip."""
    drawing = Drawing(page, titles, evidence)
    body = [scene for number, one in enumerate(shape.scenes, start=3) if (scene := drawing.scene(one, f"s{number}"))]
    if not body:
        return Draft(None, (*drawing.faults[:MOST_FAULTS], "No slide tells a sentence of the lesson. Name its ids."))
    faults = drawing.faults + list(drawing.untold())
    lesson = page.lesson
    scenes: list[Scene] = [
        _opening(plan, page, clean(shape.hook, evidence)),
        *_aims(lesson.objectives, lesson.title),
        *body,
        *drawing.recap(shape.recap, lesson.objectives, f"s{len(shape.scenes) + 3}"),
    ]
    board = Storyboard(
        lesson_id=lesson.id,
        course=plan.title[:LINE],
        title=lesson.title[:LINE],
        language=plan.language,
        scenes=tuple(scenes),
    )
    return Draft(board, tuple(faults[:MOST_FAULTS]))


def own_scenes(board: Storyboard) -> tuple[Scene, ...]:
    """The slides that the storyboarder planned, without those that are made here: what can be asked of it."""
    return tuple(scene for scene in board.scenes if scene.kind not in ("title", "recap") and scene.id != AIMS)


class Drawing:
    """Draws scene by scene and remembers what was said.

    `said` holds what other slides say already; a cue of `kept` that is repeated word for word stays as it is.
    """

    def __init__(
        self,
        page: LessonPage,
        titles: dict[str, str],
        evidence: str,
        said: Iterable[str] = (),
        kept: Mapping[str, Cue] | None = None,
    ) -> None:
        self._page, self._titles, self._evidence = page, titles, evidence
        self._said, self._kept = set(said), kept or {}
        self._told: set[int] = set()
        self.faults: list[str] = []

    def scene(self, shape: SceneShape, scene_id: str) -> Scene | None:
        """The slide; None when it tells nothing of the lesson."""
        title = shortened(clean(shape.title, self._evidence), LINE_WORDS, LINE)
        cues = list(self._cues(shape.cues, title))
        told = [claim for cue in shape.cues for claim in self._page.told_by(cue.sentences)]
        proof = tuple(dict.fromkeys(cite for cue in cues for cite in cue.cites))
        exhibit = self._page.exhibit(shape.exhibit) if shape.kind == "exhibit" else None
        if exhibit is not None:
            proof = tuple(dict.fromkeys((*exhibit.cites, *proof)))
        if not cues or not (proof or told):
            self.faults.append(f"Slide “{title}” tells no sentence of the lesson: name the ids that its cues tell.")
            return None
        frame = {
            "id": scene_id,
            "title": title,
            "kicker": self._page.lesson.title[:80],
            "cites": proof,
            "cite_label": self._titles.get(proof[0].source, "")[:LINE] if proof else "",
        }
        shown = (*(cite.quote for cite in proof), *words_behind(claim for claim in told if not claim.cites))
        content = _ungrounded(shape, shown) or slides.content_of(shape, exhibit, self._line_reader(shown, title))
        if isinstance(content, str):
            self.faults.append(f"Slide “{title}”: {content}")
            content = slides.plain_lines(cues)
        return slides.built(content, frame, cues, shape.cues)

    def untold(self) -> Iterator[str]:
        """Sentences that an instructor wrote must be heard; of the others the video chooses."""
        for name, claim in self._page.claims.items():
            if claim.state == "edited" and id(claim) not in self._told:
                yield f"{name} is the instructor's own sentence and is not told: tell it."

    def recap(self, lines: Sequence[str], objectives: Sequence[Objective], scene_id: str) -> list[RecapScene]:
        """The points to remember, each proved by the sentence nearest to it, and the objectives asked back."""
        kept = [(text, claim) for line in lines if (text := self._short(line)) and (claim := self._page.nearest(text))]
        points = [(text, claim) for text, claim in kept if not invents_figures(text, words_behind([claim]))]
        if not points:
            points = [(shortened(c.text, 12, LINE), c) for c in self._page.claims.values() if c.factual][:3]
        cites = tuple(dict.fromkeys(cite for _, claim in points for cite in claim.cites))
        asks = [f"Can you {_lowered(one.text)}?" for one in objectives[:3]]
        cues = [Cue(text="Look back: can you do these from memory?")]
        cues += [Cue(text=ask, pause=1.5) for ask in asks]
        cues.append(Cue(text="Now check yourself against the points on screen."))
        recap = RecapScene(
            id=scene_id,
            title="What to remember",
            kicker=self._page.lesson.title[:80],
            items=tuple(text for text, _ in points[:5]),
            cues=tuple(cues),
            cites=cites,
            cite_label=self._titles.get(cites[0].source, "")[:LINE] if cites else "",
        )
        return [recap] if points else []

    def _short(self, line: str) -> str:
        return shortened(clean(line, self._evidence), LINE_WORDS, LINE)

    def _line_reader(self, proofs: Sequence[str], title: str) -> slides.LineReader:
        """Reads a line of a slide; one with a figure that nothing told on the slide has stays off it."""

        def read(line: str, words: int = LINE_WORDS, characters: int = LINE) -> str:
            text = clean(line, self._evidence)
            if invents_figures(text, proofs):
                self.faults.append(f"Slide “{title}”: no sentence told there has the figure in “{text[:80]}”.")
                return ""
            return shortened(text, words, characters)

        return read

    def _cues(self, shapes: Iterable[CueShape], title: str) -> Iterator[Cue]:
        spoken = 0
        for shape in shapes:
            cue = self._cue(shape, title)
            if cue is None or same(cue.text) in self._said:
                continue
            spoken += len((cue.speech or cue.text).split())
            if spoken > MOST_SPOKEN_WORDS:
                self.faults.append(f"Slide “{title}” is spoken of for too long: make two of it.")
                return
            self._said.add(same(cue.text))
            self._told.update(id(claim) for claim in self._page.told_by(shape.sentences))
            yield cue

    def _cue(self, shape: CueShape, title: str) -> Cue | None:
        """A cue that tells sentences of the lesson carries their cites; one that tells none may state nothing."""
        text = _closed(clean(shape.text, self._evidence))
        if same(text) in self._kept:
            return self._kept[same(text)].model_copy(update={"state": None})
        told = self._page.told_by(shape.sentences)
        if not text or (not told and states_a_fact(text)):
            if text:
                self.faults.append(f"Slide “{title}”: “{text[:100]}” states a fact; name the sentence that it tells.")
            return None
        cites = tuple(dict.fromkeys(cite for claim in told for cite in claim.cites))
        against = objections(text, words_behind(told)) if told else ()
        if against and not any(same(text) == same(claim.text) for claim in told):
            self.faults.append(
                f"Slide “{title}”: “{text[:100]}” is not what the lesson says: {against[0].rstrip('.')}."
            )
            text = _closed(told[0].text)
        text = text[:1200]
        spoken = speak(text)
        return Cue(text=text, speech="" if spoken == text else spoken[:1400], cites=cites)


def _ungrounded(shape: SceneShape, proofs: Iterable[str]) -> str:
    """Why a big figure may not stand there, '' when it may: nobody checks its words by ear."""
    figure = " ".join(shape.term.lower().split())
    if shape.kind != "figure" or any(figure in " ".join(proof.lower().split()) for proof in proofs):
        return ""
    return f"the figure “{shape.term[:24]}” stands in no sentence that the slide tells."


def asks(hook: str) -> bool:
    """Whether a hook is a question that fits the opening slide, and tells nothing: no cite stands behind it."""
    return hook.endswith("?") and len(hook) <= 200 and not states_a_fact(hook)


def _opening(plan: CoursePlan, page: LessonPage, hook: str) -> TitleScene:
    title = page.lesson.title
    number = [lesson.id for lesson in plan.lessons].index(page.lesson.id) + 1
    question = hook if asks(hook) else f"What do you need to know about {title}?"
    module = plan.module_of(page.lesson.id).title
    return TitleScene(
        id="s1", title=title[:LINE], kicker=module[:80], number=number, subtitle=question, cues=(Cue(text=question),)
    )


def _aims(objectives: Sequence[Objective], title: str) -> list[Scene]:
    if not objectives:
        return []
    starts = ("When you finish this lesson, you can", "You can also", "And you can")
    cues = tuple(
        Cue(text=f"{starts[min(place, 2)]} {_lowered(one.text)}.", state=place + 1)
        for place, one in enumerate(objectives[:5])
    )
    items = tuple(shortened(one.text, LINE_WORDS, LINE) for one in objectives[:5])
    return [BulletsScene(id=AIMS, title="What you will be able to do", kicker=title[:80], items=items, cues=cues)]


def _lowered(text: str) -> str:
    plain = text.rstrip(".")
    return plain[:1].lower() + plain[1:]


def _closed(text: str) -> str:
    return text if not text or text.endswith((".", "?", "!")) else text.rstrip(" :;,–-") + "."
