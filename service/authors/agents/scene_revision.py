"""One slide of a video made anew: the task for the storyboarder, and the reading of its answer.

The storyboarder sees the slide, what is said before and after it, the lesson's sentences that no other slide tells, and
the instructor's wish. A cue that it repeats word for word keeps its cites.
"""

from __future__ import annotations

from collections.abc import Iterator

from service.authors.agents.boards import AIMS, Drawing, asks
from service.authors.agents.drafts import MOST_FAULTS, Draft, broken_rules
from service.authors.agents.lesson_page import LessonPage
from service.authors.agents.prompting import marked
from service.authors.agents.shapes import SceneRevisionShape
from service.authors.agents.shelf import Shelf, same
from service.authors.agents.text_revision import wish_line
from service.authors.agents.wording import clean
from service.domain import pedagogy_video
from service.domain.course import Brief, CoursePlan
from service.domain.lesson import Claim
from service.domain.report import CourseDocuments, Taught
from service.domain.revision import Change, LessonDocuments
from service.domain.slide_text import lines_on
from service.domain.storyboard import Cue, RecapScene, Scene, SectionScene, Storyboard, TitleScene
from service.domain.wishes import broken_rule, names_a_wish
from service.errors import BadInput

SLIDE_RULES = (
    pedagogy_video.slide_lines,
    pedagogy_video.slide_words,
    pedagogy_video.speech_on_slide,
    pedagogy_video.slide_pace,
)


class SceneRevision:
    """One change of a slide.

    Raises:
        BadInput: there is no such slide, or it is made of the outline and not of sentences.
    """

    def __init__(
        self, brief: Brief, plan: CoursePlan, documents: LessonDocuments, shelf: Shelf, change: Change
    ) -> None:
        if documents.storyboard is None:
            raise BadInput("This lesson has no video yet. Generate it first, then change a slide.")
        self._brief, self._plan, self._documents, self._shelf = brief, plan, documents, shelf
        self._board, self._change = documents.storyboard, change
        self._page = LessonPage(documents.text)
        self._scene = scene_of(documents.storyboard, change.id)
        self._wish = " ".join(change.wish.split())
        if isinstance(self._scene, RecapScene) and names_a_wish(self._wish, "shorter"):
            raise BadInput("The closing slide says no more than it must. Wish for other lines on it instead.")

    def task(self) -> str:
        """What the storyboarder is asked: our words, the instructor's wish, and all else between marks."""
        scene, lesson = self._scene, self._page.lesson
        lines = [f"Revise one slide of the video of the lesson “{lesson.title}”.", wish_line(self._wish)]
        if isinstance(scene, TitleScene):
            lines.append("It opens the video: answer with `text`, the question that makes a learner want the answer.")
        elif isinstance(scene, RecapScene):
            lines.append("It closes the video: answer with `items`, the short lines to remember.")
        lines += [marked("slide", {"kind": scene.kind}, "\n".join(self._shown())), *self._neighbours()]
        free = self._untold_elsewhere()
        lines += ["What the slide may tell:", marked("lesson", {"part": "sentences"}, self._page.render(free))]
        return "\n\n".join(lines)

    def read(self, shape: SceneRevisionShape) -> Draft[LessonDocuments]:
        """The documents with the one slide replaced."""
        drawing = self._drawing()
        made = self._made(shape, drawing)
        if made is None:
            return Draft(None, (*drawing.faults[:MOST_FAULTS], "The slide tells no sentence of the lesson."))
        scenes = tuple(made if scene is self._scene else scene for scene in self._board.scenes)
        board = self._board.model_copy(update={"scenes": scenes})
        after = self._documents.model_copy(update={"storyboard": board})
        broken = broken_rule(self._documents, after, self._change)
        if broken:
            return Draft(None, (*drawing.faults[:MOST_FAULTS], broken))
        return Draft(after, (*drawing.faults, *self._broken(made))[:MOST_FAULTS])

    def _made(self, shape: SceneRevisionShape, drawing: Drawing) -> Scene | None:
        scene = self._scene
        if isinstance(scene, TitleScene):
            hook = clean(shape.scene.text, self._shelf.text)
            said = {"subtitle": hook, "cues": (Cue(text=hook),)} if asks(hook) else {}
            return scene.model_copy(update=said)
        if isinstance(scene, RecapScene):
            recap = drawing.recap(shape.scene.items, self._page.lesson.objectives, scene.id)
            return scene.model_copy(update={"items": recap[0].items, "cites": recap[0].cites}) if recap else None
        made = drawing.scene(shape.scene, scene.id)
        return made.model_copy(update={"kicker": scene.kicker}) if made else None

    def _drawing(self) -> Drawing:
        titles = {scene.cites[0].source: scene.cite_label for scene in self._board.scenes if scene.cites}
        said = [same(cue.text) for scene in self._others() for cue in scene.cues]
        kept = {same(cue.text): cue for cue in self._scene.cues}
        return Drawing(self._page, titles, self._shelf.text, said, kept)

    def _others(self) -> Iterator[Scene]:
        return (scene for scene in self._board.scenes if scene is not self._scene)

    def _untold_elsewhere(self) -> set[str]:
        """The ids of the sentences and exhibits that no other slide tells; asking and recapping may repeat."""
        others = [one for one in self._others() if one.kind not in ("question", "recap")]
        told = {same(cue.text) for scene in others for cue in scene.cues}
        cited = {cite for scene in others for cite in (*scene.cites, *(c for cue in scene.cues for c in cue.cites))}
        free = {name for name, one in self._page.exhibits.items() if not cited & set(one.cites)}
        for name, claim in self._page.claims.items():
            if same(claim.text) not in told and not cited & set(claim.cites):
                free.add(name)
        return free | {name for cue in self._scene.cues for name in self._ids(cue)}

    def _ids(self, cue: Cue) -> list[str]:
        """The sentences that a cue tells."""

        def told(claim: Claim) -> bool:
            return same(claim.text) == same(cue.text) or bool(claim.cites and set(claim.cites) <= set(cue.cites))

        return [name for name, claim in self._page.claims.items() if claim.factual and told(claim)]

    def _shown(self) -> Iterator[str]:
        yield f"title: {self._scene.title}"
        for number, line in enumerate(lines_on(self._scene), start=1):
            yield f"line {number}: {line}"
        for cue in self._scene.cues:
            yield f"cue {''.join(f'[{name}]' for name in self._ids(cue))}: {cue.text}"

    def _neighbours(self) -> Iterator[str]:
        scenes = self._board.scenes
        place = scenes.index(self._scene)
        if place > 0:
            yield marked("slide", {"part": "before"}, scenes[place - 1].cues[-1].text)
        if place + 1 < len(scenes):
            yield marked("slide", {"part": "after"}, scenes[place + 1].cues[0].text)

    def _broken(self, scene: Scene) -> list[str]:
        board = self._board.model_copy(update={"scenes": (scene,)})
        course = CourseDocuments(self._brief, self._plan, (Taught("The slide", self._page.lesson, board),), {})
        return broken_rules(check(course) for check in SLIDE_RULES)


def scene_of(board: Storyboard, scene_id: str) -> Scene:
    """The slide that is to be made anew. Raises BadInput: there is none, or it tells nothing by itself."""
    found = next((scene for scene in board.scenes if scene.id == scene_id), None)
    if found is None:
        raise BadInput("This slide is not in the video any more. Reload the page and choose again.")
    tells = found.cites or any(cue.cites for cue in found.cues) or found.kind in ("title", "question")
    if isinstance(found, SectionScene) or (found.id == AIMS and not tells):
        raise BadInput("This slide says what the outline says. Change the lesson's title or objectives in the outline.")
    return found
