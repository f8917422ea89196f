"""A course about a topic that nobody gave a document for: planned and written from what the model knows, and marked so.

Nothing of it can be cited, so nothing of it is supported: every sentence that is no question is a claim without a cite,
and stands as unsupported until a person signs for it by name. As soon as a course has one source this way is closed:
then lessons are made of its sources, or refused.
"""

from __future__ import annotations

from service.authors.agents.drafts import MOST_FAULTS, Draft
from service.authors.agents.outlines import OVER_THE_WISH, Reading, trimmed
from service.authors.agents.shapes import LessonTextShape, OutlineShape
from service.authors.agents.shelf import Shelf
from service.authors.agents.texts import Writing
from service.authors.agents.wording import clean
from service.authors.agents.work import Work
from service.domain.conventions import LESSON_MINUTES
from service.domain.course import Brief, CoursePlan, LessonPlan
from service.domain.lesson import Lesson
from service.domain.report import WORDS_PER_MINUTE
from service.errors import BadInput
from service.ports import Evidence

MINUTES = sum(LESSON_MINUTES) / 2  # of a lesson, since no passage tells how long it will be
MOST_LESSONS = 12  # where the brief wishes no length: each sentence of each wants a signature
WORDS_KEPT = (0.5, 2.0)  # of the words that a lesson of this length has


def topic_plan(brief: Brief) -> Work[CoursePlan]:
    """The designer's work when there is only a title.

    Raises:
        BadInput: there is no title either.
    """
    title = " ".join(brief.title.split())
    if not title:
        raise BadInput("There is no document and no title. Add a document, or name the topic in the title.")
    return Work(
        maker="designer",
        shape=OutlineShape,
        place="the outline",
        task=f"Design the course “{title}” from what is generally known about it.",
        read=lambda shape: _outline(shape, brief),
        prompt="designer_topic",
        rules="topic_rules",
    )


def topic_lesson(plan: CoursePlan, planned: LessonPlan, shelf: Shelf, place: str) -> Work[Lesson]:
    """The writer's work when there are no passages."""
    others = "\n".join(f"- {lesson.title}" for lesson in plan.lessons if lesson.id != planned.id)
    objectives = "\n".join(f"- {one.text} ({one.bloom})" for one in planned.objectives)
    wanted = round((planned.minutes or MINUTES) * WORDS_PER_MINUTE)
    lines = [
        f"The lesson “{planned.title}” of the course “{plan.title}”, in about {wanted} words.",
        f"Objectives:\n{objectives or '- none yet'}",
        f"The other lessons teach:\n{others}" if others else "It is the only lesson.",
    ]

    def read(shape: LessonTextShape) -> Draft[Lesson]:
        draft = Writing(planned, (), shelf).lesson(shape)
        if draft.document is None:
            return Draft(None, (*draft.faults[:-1], "No sentence of it states anything."))
        count = sum(len(claim.text.split()) for claim in draft.document.claims())
        low, high = (round(wanted * share) for share in WORDS_KEPT)
        wrong = [] if low <= count <= high else [f"It has {count} words; about {wanted} are wanted."]
        return Draft(draft.document, (*draft.faults, *wrong)[:MOST_FAULTS])

    return Work(
        maker="writer",
        shape=LessonTextShape,
        place=place,
        task="\n".join(lines),
        read=read,
        prompt="writer_topic",
        rules="topic_rules",
    )


def _outline(shape: OutlineShape, brief: Brief) -> Draft[CoursePlan]:
    reading = Reading(Shelf(Evidence((), lambda _query, _limit: ())), MINUTES)
    modules = tuple(reading.modules(shape))
    if not modules:
        return Draft(None, (*reading.faults[:MOST_FAULTS], "There is no lesson with a title."))
    plan = CoursePlan(title=brief.title, summary=clean(shape.summary, ""), language=brief.language, modules=modules)
    kept = trimmed(plan, brief.minutes or MOST_LESSONS * MINUTES / OVER_THE_WISH)
    faults = list(reading.faults)
    if len(kept.lessons) < len(plan.lessons):
        faults.append(
            f"There are {len(plan.lessons)} lessons and room for {len(kept.lessons)}: choose what matters most."
        )
    return Draft(kept, tuple(faults[:MOST_FAULTS]))
