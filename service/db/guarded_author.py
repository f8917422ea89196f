"""An author that asks a model, behind the breaker of its provider: when the model is away, lessons wait untried."""

from __future__ import annotations

from sqlalchemy import Engine

from service.db.breaker import Breaker
from service.domain.answer import Answer
from service.domain.course import Brief, CoursePlan
from service.domain.lesson import Lesson
from service.domain.quiz import Quiz
from service.domain.revision import Change, LessonDocuments
from service.domain.storyboard import Storyboard
from service.ports import UNPAID, Author, Evidence, Report, Till

PROVIDER = "openai chat"


class GuardedAuthor:
    """Every wish is one call of the breaker: it fails when the author's own few tries have failed, and it counts as
    an answer when the model answered, whatever it said. Each method raises Resting beside what the author raises.
    """

    def __init__(self, author: Author, breaker: Breaker) -> None:
        self._author, self._breaker = author, breaker

    @property
    def name(self) -> str:
        return self._author.name

    def plan(self, brief: Brief, evidence: Evidence, report: Report, till: Till = UNPAID) -> CoursePlan:
        """The outline."""
        return self._breaker.call(lambda: self._author.plan(brief, evidence, report, till))

    def write(
        self, brief: Brief, plan: CoursePlan, lesson_id: str, evidence: Evidence, report: Report, till: Till = UNPAID
    ) -> Lesson:
        """The text of one lesson."""
        return self._breaker.call(lambda: self._author.write(brief, plan, lesson_id, evidence, report, till))

    def storyboard(
        self, brief: Brief, plan: CoursePlan, lesson: Lesson, evidence: Evidence, report: Report, till: Till = UNPAID
    ) -> Storyboard:
        """The lesson's video."""
        return self._breaker.call(lambda: self._author.storyboard(brief, plan, lesson, evidence, report, till))

    def quiz(
        self, brief: Brief, plan: CoursePlan, lesson: Lesson, evidence: Evidence, report: Report, till: Till = UNPAID
    ) -> Quiz:
        """The lesson's questions."""
        return self._breaker.call(lambda: self._author.quiz(brief, plan, lesson, evidence, report, till))

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
        """One part of a lesson made anew."""
        return self._breaker.call(lambda: self._author.revise(brief, plan, documents, change, evidence, report, till))

    def answer(self, brief: Brief, question: str, evidence: Evidence, report: Report) -> Answer:
        """What the sources say about a question. No author asks its model for that, so no breaker stands before it."""
        return self._author.answer(brief, question, evidence, report)


def guarded_author(author: Author, engine: Engine) -> Author:
    """The author, behind a breaker when it asks a model."""
    return GuardedAuthor(author, Breaker(engine, PROVIDER)) if author.name.startswith("agents ") else author
