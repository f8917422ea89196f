"""The author that asks a model: each of the port's wishes is a piece of work for a team, and its answer is read
by our code into the same documents that the author without a model makes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from service.authors.agents.boards import own_scenes, storyboard_of
from service.authors.agents.calls import Calls
from service.authors.agents.drafts import MOST_FAULTS, Draft, broken_rules
from service.authors.agents.lesson_page import LessonPage
from service.authors.agents.outlines import outline_of
from service.authors.agents.prompting import digest_of, marked, material_of, version
from service.authors.agents.questions import quiz_of
from service.authors.agents.recall import recalled
from service.authors.agents.scene_revision import SceneRevision
from service.authors.agents.shapes import (
    BlockRevisionShape,
    FindingsShape,
    LessonTextShape,
    OutlineShape,
    QuizShape,
    SceneRevisionShape,
    StoryboardShape,
)
from service.authors.agents.shelf import Passage, Shelf
from service.authors.agents.text_revision import TextRevision
from service.authors.agents.texts import Writing
from service.authors.agents.topics import topic_lesson, topic_plan
from service.authors.agents.work import ChatModel, Guard, Research, Work, unguarded
from service.authors.extractive.sources.library import ReadingCache
from service.authors.extractive.tutor import Tutor
from service.domain import pedagogy_video
from service.domain.answer import Answer
from service.domain.conventions import LESSON_MINUTES
from service.domain.course import Brief, CoursePlan, LessonPlan
from service.domain.lesson import Lesson
from service.domain.pedagogy import practice
from service.domain.quiz import Quiz
from service.domain.report import Check, CourseDocuments, Taught
from service.domain.revision import Change, LessonDocuments
from service.domain.storyboard import Storyboard
from service.errors import BadInput
from service.ports import UNPAID, Evidence, Report, Till

T = TypeVar("T")
LEAST_WORDS = 60  # of all passages together; below, a model would have to invent
FOUND_A_SEARCH, TAKEN_FROM_RESEARCH = 6, 8
BOARD_RULES = (
    pedagogy_video.slide_lines,
    pedagogy_video.slide_words,
    pedagogy_video.speech_on_slide,
    pedagogy_video.slide_pace,
    pedagogy_video.meaningful_visuals,
    pedagogy_video.retrieval_practice,
    pedagogy_video.segmenting,
    pedagogy_video.told_once,
)
NO_EXERCISE = "no exercise"


class AgentAuthor:
    """Implements `ports.Author` with a team of agents on a chat model. Each piece of work passes the guard, whose
    errors (such as Resting) come beside those that are named here.
    """

    def __init__(self, model: ChatModel, calls: Calls, guard: Guard = unguarded) -> None:
        self._model, self._calls, self._guard = model, calls, guard
        self._tutor = Tutor(ReadingCache())
        self.name = f"agents {model.name} {version()}"

    def plan(self, brief: Brief, evidence: Evidence, report: Report, till: Till = UNPAID) -> CoursePlan:
        """The outline; of a course without any source, from the title of its brief and what the model knows.

        Raises:
            BadInput: the sources hold too little to teach, or there is neither source nor title.
            Broken, Unavailable, Throttled, Paused: see `AgentManager.run`.
        """
        if not evidence.sources:
            return self._run(topic_plan(brief), brief, report, till)
        report("Reading the sources", 0.0)
        shelf = Shelf(evidence)
        if shelf.words < LEAST_WORDS:
            raise BadInput("The documents hold too little text to teach from. Add a document with more text.")
        task = f"Design the course{_titled(brief)} from these passages.\n\n{digest_of(shelf.passages)}"
        work = Work[CoursePlan](
            maker="designer",
            shape=OutlineShape,
            place="the outline",
            task=task,
            read=lambda shape: outline_of(shape, brief, shelf),
        )
        return self._run(work, brief, report, till)

    def write(
        self, brief: Brief, plan: CoursePlan, lesson_id: str, evidence: Evidence, report: Report, till: Till = UNPAID
    ) -> Lesson:
        """The text of one lesson; in a course without any source every fact of it is unsupported and says so.

        Raises:
            BadInput: the sources say nothing about the lesson.
            Broken, Unavailable, Throttled, Paused: see `AgentManager.run`.
        """
        shelf, planned = Shelf(evidence), plan.lesson(lesson_id)
        if not evidence.sources:
            return self._run(topic_lesson(plan, planned, shelf, _place(plan, planned)), brief, report, till)
        bench = _Bench(shelf, plan, planned)
        work = Work[Lesson](
            maker="writer",
            shape=LessonTextShape,
            place=_place(plan, planned),
            task=bench.task(),
            read=lambda shape: _practised(
                Writing(planned, bench.passages, shelf, shelf.told_before(plan, lesson_id)).lesson(shape), brief, plan
            ),
            research=Research(bench.search, bench.fetch),
        )
        return self._run(work, brief, report, till)

    def storyboard(
        self, brief: Brief, plan: CoursePlan, lesson: Lesson, evidence: Evidence, report: Report, till: Till = UNPAID
    ) -> Storyboard:
        """The lesson's video, from the lesson as it stands now. Raises what `AgentManager.run` raises."""
        shelf, page = Shelf(evidence), LessonPage(lesson)
        titles = {source.sha256: source.title or source.name for source in evidence.sources}

        def read(shape: StoryboardShape) -> Draft[Storyboard]:
            draft = storyboard_of(shape, plan, page, titles, shelf.text)
            if draft.document is None:
                return draft
            body = draft.document.model_copy(update={"scenes": own_scenes(draft.document)})
            taught = Taught(lesson.title, lesson, body)
            course = CourseDocuments(brief, plan, (taught,), {})
            faults = [*draft.faults, *broken_rules(check(course) for check in BOARD_RULES)]
            faults += broken_rules([_without(NO_EXERCISE, practice(course))])
            if taught.minutes > LESSON_MINUTES[1]:
                faults.insert(0, f"The video runs {taught.minutes:.0f} minutes; {LESSON_MINUTES[1]} are the most.")
            return Draft(draft.document, tuple(faults[:MOST_FAULTS]))

        work = Work[Storyboard](
            maker="storyboarder",
            shape=StoryboardShape,
            place=_place(plan, plan.lesson(lesson.id)),
            task=f"Plan the video of the lesson “{lesson.title}”.\n\n{_shown(page)}",
            read=read,
        )
        return self._run(work, brief, report, till)

    def quiz(
        self, brief: Brief, plan: CoursePlan, lesson: Lesson, evidence: Evidence, report: Report, till: Till = UNPAID
    ) -> Quiz:
        """The lesson's questions, from the lesson as it stands now. Raises what `AgentManager.run` raises."""
        shelf, page = Shelf(evidence), LessonPage(lesson)
        due = recalled(plan, lesson.id, shelf)
        again = marked("lesson", {"part": "earlier"}, "\n".join(one.render() for one in due)) if due else ""
        work = Work[Quiz](
            maker="quiz_master",
            shape=QuizShape,
            place=_place(plan, plan.lesson(lesson.id)),
            task=f"Set the questions of the lesson “{lesson.title}”.\n\n{_shown(page)}\n\n{again}",
            read=lambda shape: quiz_of(shape, page, due, shelf.text),
        )
        return self._run(work, brief, report, till)

    def revise(
        self,
        brief: Brief,
        plan: CoursePlan,
        documents: LessonDocuments,
        change: Change,
        evidence: Evidence,
        report: Report,
        till: Till = UNPAID,
    ) -> LessonDocuments:
        """See `ports.Author`. Who asks the same again gets another answer.

        Raises:
            BadInput: there is no such part, or nothing of it is made of sentences.
            Broken: no draft did what was wished; the message says what the last one lacked.
            Unavailable, Throttled, Paused: see `AgentManager.run`.
        """
        shelf = Shelf(evidence)
        work = self._revision(brief, plan, documents, change, shelf)
        work = replace(work, doing="Revising", variation=str(change.turn or ""))
        return self._run(work, brief, report, till)

    def _revision(
        self, brief: Brief, plan: CoursePlan, documents: LessonDocuments, change: Change, shelf: Shelf
    ) -> Work[LessonDocuments]:
        place = _place(plan, plan.lesson(documents.text.id))
        if change.part == "scene":
            scene = SceneRevision(brief, plan, documents, shelf, change)
            return Work(
                maker="storyboarder",
                shape=SceneRevisionShape,
                place=place,
                task=scene.task(),
                read=scene.read,
                prompt="storyboarder_revises",
            )
        text = TextRevision(plan, documents, shelf, change)
        return Work(
            maker="writer",
            shape=BlockRevisionShape if change.part == "block" else LessonTextShape,
            place=place,
            task=text.task(),
            read=text.read_block if change.part == "block" else text.read_lesson,
            prompt="writer_revises",
            rules="ground_rules" if shelf.passages else "topic_rules",
        )

    def answer(
        self,
        brief: Brief,  # noqa: ARG002 - part of the port; the sources alone answer
        question: str,
        evidence: Evidence,
        report: Report,
    ) -> Answer:
        """What the sources say about a learner's question, in their own sentences; no model is asked."""
        report("Looking in the sources", 0.0)
        return self._tutor.answer(question, evidence)

    def _run(self, work: Work[T], brief: Brief, report: Report, till: Till) -> T:
        from service.authors.agents.team import AgentManager  # AutoGen takes seconds to load and the site needs none

        return self._guard(lambda: AgentManager(self._model, self._calls).run(work, brief, report, till))


class _Bench:
    """The passages that one lesson is written from: the plan's, and what research adds that no other lesson teaches."""

    def __init__(self, shelf: Shelf, plan: CoursePlan, planned: LessonPlan) -> None:
        self._shelf, self._planned = shelf, planned
        self.passages: list[Passage] = shelf.covering(planned.passages)
        others = [span for lesson in plan.lessons if lesson.id != planned.id for span in lesson.passages]
        # A lesson that was added by hand has no passages of its own and may repeat what others teach.
        self._elsewhere = set(shelf.covering(others)) if planned.passages else set()

    def task(self) -> str:
        objectives = "\n".join(f"- {one.text} ({one.bloom})" for one in self._planned.objectives)
        given = ", ".join(passage.id for passage in self.passages)
        lines = [f"The lesson “{self._planned.title}”.", f"Objectives:\n{objectives or '- none yet'}"]
        lines.append(f"Its passages are {given}. Look for what they lack." if given else "Its passages are not known.")
        return "\n".join(lines)

    def search(self, query: str) -> str:
        """The researcher's tool: the course's own passages about a query, and nothing else in the world."""
        found = self._shelf.search(query[:400], FOUND_A_SEARCH)
        return digest_of(tuple(found)) or "No passage is about this."

    def fetch(self, findings: FindingsShape) -> str:
        """The passages to write from. Raises BadInput when there are none."""
        named = [passage for name in findings.passages if (passage := self._shelf.passage(name))]
        extra = [one for one in named if one not in self.passages and one not in self._elsewhere]
        self.passages += list(dict.fromkeys(extra))[:TAKEN_FROM_RESEARCH]
        if not self.passages:
            raise BadInput(
                f"The sources say nothing about “{self._planned.title}”. Add a document about it, or remove the lesson."
            )
        return f"These passages are the lesson's material.\n\n{material_of(self.passages)}"


def _practised(draft: Draft[Lesson], brief: Brief, plan: CoursePlan) -> Draft[Lesson]:
    """The draft with a word about what is missing, when it teaches a skill and lets nobody try."""
    if draft.document is None:
        return draft
    check = practice(CourseDocuments(brief, plan, (Taught("the lesson", draft.document),), {}))
    return Draft(draft.document, (*draft.faults, *broken_rules([check]))[:MOST_FAULTS])


def _without(fault: str, check: Check) -> Check:
    """The check without what its maker cannot mend: a video gives no exercise."""
    left = tuple(place.replace(f" and {fault}", "") for place in check.where if not place.endswith(f": {fault}"))
    return check.model_copy(update={"where": left, "outcome": check.outcome if left else "ok"})


def _shown(page: LessonPage) -> str:
    return marked("lesson", {"part": "text"}, page.render())


def _titled(brief: Brief) -> str:
    return f" “{brief.title}”" if brief.title else ""


def _place(plan: CoursePlan, planned: LessonPlan) -> str:
    """Where a lesson stands, in the instructor's words."""
    order: Sequence[str] = [lesson.id for lesson in plan.lessons]
    return f"lesson {order.index(planned.id) + 1} of {len(order)}: {planned.title}"
