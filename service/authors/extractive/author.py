"""The author that needs no model: structure from headings, content quoted from the sources, rules for the rest."""

from __future__ import annotations

from service.authors.extractive.changes.revise import revised
from service.authors.extractive.lessons.compose import write_lesson
from service.authors.extractive.outline.planning import Timing, plan_course
from service.authors.extractive.quizzes.quiz import quiz_of, video_question
from service.authors.extractive.scenes.video import storyboard_of
from service.authors.extractive.sources.library import Library, ReadingCache
from service.authors.extractive.tutor import Tutor
from service.domain.answer import Answer
from service.domain.course import Brief, CoursePlan
from service.domain.lesson import Lesson
from service.domain.quiz import Quiz
from service.domain.revision import Change, LessonDocuments
from service.domain.storyboard import Storyboard
from service.errors import BadInput
from service.ports import UNPAID, Evidence, Report, Till

WORDS_A_MINUTE = 150


class ExtractiveAuthor:
    """Implements `ports.Author` by rules: equal input gives equal documents, and nothing is said that is not quoted.

    The brief steers the plan only: what is written, shown and asked follows the plan and the sources.
    """

    name = "extractive"

    def __init__(self) -> None:
        self._readings = ReadingCache()
        self._tutor = Tutor(self._readings)

    def plan(
        self,
        brief: Brief,
        evidence: Evidence,
        report: Report,
        till: Till = UNPAID,  # noqa: ARG002 - rules cost nothing
    ) -> CoursePlan:
        """The outline.

        Raises:
            BadInput: the sources hold too little to teach.
        """
        report("Reading the sources", 0.0)
        library = Library(evidence, self._readings)
        report("Finding modules, lessons and objectives", 0.3)
        plan = plan_course(brief, library, self._timing(library, report))
        report("The outline is ready", 1.0)
        return plan

    def write(
        self,
        brief: Brief,  # noqa: ARG002 - part of the port; only the plan depends on it
        plan: CoursePlan,
        lesson_id: str,
        evidence: Evidence,
        report: Report,
        till: Till = UNPAID,  # noqa: ARG002 - rules cost nothing
    ) -> Lesson:
        """The text of one lesson.

        Raises:
            BadInput: the sources say nothing about the lesson.
        """
        report("Writing the lesson", 0.0)
        lesson = write_lesson(plan, lesson_id, Library(evidence, self._readings))
        if not any(claim.cites for claim in lesson.claims()) and not any(True for _ in lesson.cites()):
            raise BadInput(
                f"The sources say nothing about “{lesson.title}”. Add a document about it, or remove the lesson."
            )
        report("The lesson is written", 1.0)
        return lesson

    def storyboard(
        self,
        brief: Brief,  # noqa: ARG002 - part of the port; only the plan depends on it
        plan: CoursePlan,
        lesson: Lesson,
        evidence: Evidence,
        report: Report,
        till: Till = UNPAID,  # noqa: ARG002 - rules cost nothing
    ) -> Storyboard:
        """The lesson's video, from the lesson as it stands now."""
        report("Drawing the storyboard", 0.0)
        board = self._drawn(plan, lesson, Library(evidence, self._readings))
        report("The storyboard is ready", 1.0)
        return board

    def quiz(
        self,
        brief: Brief,  # noqa: ARG002 - part of the port; only the plan depends on it
        plan: CoursePlan,
        lesson: Lesson,
        evidence: Evidence,
        report: Report,
        till: Till = UNPAID,  # noqa: ARG002 - rules cost nothing
    ) -> Quiz:
        """The lesson's questions, from the lesson as it stands now."""
        report("Writing the quiz", 0.0)
        quiz = quiz_of(plan, lesson, Library(evidence, self._readings))
        report("The quiz is ready", 1.0)
        return quiz

    def revise(
        self,
        brief: Brief,  # noqa: ARG002 - part of the port; only the plan depends on it
        plan: CoursePlan,
        documents: LessonDocuments,
        change: Change,
        evidence: Evidence,
        report: Report,
        till: Till = UNPAID,  # noqa: ARG002 - rules cost nothing
    ) -> LessonDocuments:
        """One part made anew, for the few wishes that need no model.

        Raises:
            BadInput: it is another wish, or the sources do not give what it needs.
        """
        report("Looking for other sentences in the sources", 0.0)
        library = Library(evidence, self._readings)
        made = revised(plan, documents, change, library, lambda text: self._drawn(plan, text, library))
        report("The change is made", 1.0)
        return made

    def answer(
        self,
        brief: Brief,  # noqa: ARG002 - part of the port; only the plan depends on it
        question: str,
        evidence: Evidence,
        report: Report,
    ) -> Answer:
        """What the sources say about a learner's question, in their own sentences."""
        report("Looking in the sources", 0.0)
        return self._tutor.answer(question, evidence)

    def _drawn(self, plan: CoursePlan, lesson: Lesson, library: Library) -> Storyboard:
        return storyboard_of(plan, lesson, library, video_question(plan, lesson, library))

    def _timing(self, library: Library, report: Report) -> Timing:
        """Measures lessons and says which one it is at: of a long course this is minutes, and may be canceled."""
        told = 0.3

        def minutes_of(plan: CoursePlan, lesson_id: str) -> float:
            nonlocal told
            ids = [planned.id for planned in plan.lessons]
            place = ids.index(lesson_id)
            told = max(told, 0.3 + 0.6 * place / len(ids))
            report(f"Timing lesson {place + 1} of {len(ids)}", told)
            return self._minutes(plan, lesson_id, library)

        return minutes_of

    def _minutes(self, plan: CoursePlan, lesson_id: str, library: Library) -> float:
        """The length of the lesson's video: its words at the pace of a calm voice, and its pauses."""
        board = self._drawn(plan, write_lesson(plan, lesson_id, library), library)
        words = sum(len((cue.speech or cue.text).split()) for cue in board.cues())
        pauses = sum(cue.pause for cue in board.cues())
        pauses += sum(scene.pause for scene in board.scenes if scene.kind == "question")
        return words / WORDS_A_MINUTE + pauses / 60
