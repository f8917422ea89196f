"""From the curriculum designer's answer to an outline: ids become spans, and the wished length is kept."""

from __future__ import annotations

from collections.abc import Iterator

from service.authors.agents.drafts import MOST_FAULTS, Draft, shortened
from service.authors.agents.quotes import resolve
from service.authors.agents.shapes import LessonShape, ObjectiveShape, OutlineShape, TermShape
from service.authors.agents.shelf import Passage, Shelf
from service.authors.agents.wording import clean
from service.domain.conventions import LESSON_MINUTES, OBJECTIVES_A_LESSON
from service.domain.course import Brief, CoursePlan, GlossaryEntry, LessonPlan, ModulePlan, Objective
from service.domain.pedagogy import objective_fault
from service.domain.report import WORDS_PER_MINUTE
from service.domain.source import Span

# Of a passage's words so many are spoken: a video explains, leaves out what only a reader needs, and shows the rest.
TOLD_SHARE = 0.8
OVER_THE_WISH = 1.25  # an outline may be so much longer than the brief asks for
LEFT_OUT_SHARE = 0.15  # an outline may leave so many of the sources' words untaught


def outline_of(shape: OutlineShape, brief: Brief, shelf: Shelf) -> Draft[CoursePlan]:
    """The outline, and what the designer should change."""
    reading = Reading(shelf)
    modules = tuple(reading.modules(shape))
    glossary = tuple(entry for term in shape.glossary if (entry := _entry(term, shelf)))
    if not modules:
        return Draft(None, (*reading.faults, "No lesson names a passage that exists. Use the ids that are given."))
    plan = CoursePlan(
        title=brief.title or clean(shape.title, shelf.text)[:160] or modules[0].title,
        summary=clean(shape.summary, shelf.text),
        language=brief.language,
        modules=modules,
        glossary=glossary,
    )
    faults = [*reading.faults, *_left_out(plan, shelf, brief), *_lengths(plan, brief)]
    return Draft(trimmed(plan, brief.minutes), tuple(faults[:MOST_FAULTS]))


def trimmed(plan: CoursePlan, minutes: float) -> CoursePlan:
    """The plan without the lessons at its end that the brief's minutes have no room for; the first one stays."""
    if not minutes:
        return plan
    room, kept = minutes * OVER_THE_WISH, 0.0
    modules = []
    for module in plan.modules:
        lessons = []
        for lesson in module.lessons:
            if kept + lesson.minutes <= room or kept == 0:
                lessons.append(lesson)
            kept += lesson.minutes
        if lessons:
            modules.append(module.model_copy(update={"lessons": tuple(lessons)}))
    return plan.model_copy(update={"modules": tuple(modules)})


def minutes_of(passages: list[Passage]) -> float:
    """How long a video about these passages runs, as far as their words tell."""
    words = sum(passage.words for passage in passages)
    return round(max(0.5, words * TOLD_SHARE / WORDS_PER_MINUTE), 2)


class Reading:
    """Reads the modules in order: a passage is taught by the first lesson that names it.

    Where there are no passages at all a lesson needs none, and runs as long as `minutes` says.
    """

    def __init__(self, shelf: Shelf, minutes: float = 0.0) -> None:
        self._shelf, self._minutes = shelf, minutes
        self._taken: set[str] = set()
        self._lessons = self._modules = 0
        self.faults: list[str] = []

    def modules(self, shape: OutlineShape) -> Iterator[ModulePlan]:
        """The modules that have a lesson."""
        for module in shape.modules:
            lessons: list[LessonPlan] = []
            for wanted in module.lessons:
                lesson = self._lesson(wanted, lessons[-1].id if lessons else "")
                if lesson is not None:
                    lessons.append(lesson)
            title = clean(module.title, self._shelf.text)[:160]
            if lessons:
                self._modules += 1
                yield ModulePlan(id=f"m{self._modules}", title=title or lessons[0].title, lessons=tuple(lessons))

    def _lesson(self, shape: LessonShape, before: str) -> LessonPlan | None:
        title = clean(shape.title, self._shelf.text)[:160]
        passages = self._passages(shape, title)
        if not title or (self._shelf.passages and not passages):
            self.faults.append(f"Lesson “{title}” names no passage of its own. Give it one, or leave it out.")
            return None
        self._lessons += 1
        lesson_id = f"l{self._lessons}"
        return LessonPlan(
            id=lesson_id,
            title=title,
            objectives=tuple(self._objectives(shape.objectives, lesson_id, title)),
            passages=tuple(passage.span for passage in passages),
            minutes=minutes_of(passages) if passages else self._minutes,
            prerequisites=(before,) if before else (),
        )

    def _passages(self, shape: LessonShape, title: str) -> list[Passage]:
        found = []
        for name in shape.passages:
            passage = self._shelf.passage(name)
            if passage is None:
                self.faults.append(f"Lesson “{title}”: there is no passage {clean(name, '')[:20]}.")
            elif passage.id not in self._taken:
                self._taken.add(passage.id)
                found.append(passage)
        return found

    def _objectives(self, shapes: list[ObjectiveShape], lesson_id: str, title: str) -> Iterator[Objective]:
        kept = 0
        for shape in shapes[:OBJECTIVES_A_LESSON]:
            text = clean(shape.text, self._shelf.text).rstrip(".")
            if not text:
                continue
            text = shortened(text[0].upper() + text[1:], 30, 200)
            fault = objective_fault(text)
            if fault:
                self.faults.append(f"Lesson “{title}”: the objective “{text}” {fault}.")
            kept += 1
            yield Objective(id=f"{lesson_id}-o{kept}", text=text, bloom=shape.bloom)
        if not kept:
            self.faults.append(f"Lesson “{title}” has no objective.")
            yield Objective(id=f"{lesson_id}-o1", text=f"Explain {title}"[:200], bloom="understand")


def _entry(shape: TermShape, shelf: Shelf) -> GlossaryEntry | None:
    passage = shelf.passage(shape.passage)
    cite = resolve(shape.quote, [passage]) if passage else None
    term = clean(shape.term, shelf.text)
    if cite is None or not term or term.lower() not in cite.quote.lower():
        return None
    return GlossaryEntry(term=term, meaning=cite.quote, cite=Span(source=cite.source, start=cite.start, end=cite.end))


def _left_out(plan: CoursePlan, shelf: Shelf, brief: Brief) -> Iterator[str]:
    """Passages that nobody teaches, when the brief does not ask for a shorter course than the sources carry."""
    taught = {passage.id for lesson in plan.lessons for passage in shelf.covering(lesson.passages)}
    untaught = [passage for passage in shelf.passages if passage.id not in taught]
    if not brief.minutes and sum(passage.words for passage in untaught) > LEFT_OUT_SHARE * shelf.words:
        yield f"No lesson teaches {', '.join(passage.id for passage in untaught[:20])}."


def _lengths(plan: CoursePlan, brief: Brief) -> Iterator[str]:
    _, most = LESSON_MINUTES
    for lesson in plan.lessons:
        if lesson.minutes > most and len(lesson.passages) > 1:
            yield f"Lesson “{lesson.title}” would run {lesson.minutes:.0f} minutes: split it, {most} are the most."
    if brief.minutes and plan.minutes > brief.minutes * OVER_THE_WISH:
        yield f"The outline runs {plan.minutes:.0f} minutes and {brief.minutes} are wanted: choose what matters most."
