"""Makes a lesson's quiz: every rule proposes, the best proposals are kept, and what no rule checks is asked openly."""

from __future__ import annotations

from collections.abc import Sequence

from service.authors.extractive.library import Library
from service.authors.extractive.quiz_facts import member_items, number_items, order_items, statement_items
from service.authors.extractive.quiz_open import open_items
from service.authors.extractive.quiz_parts import Candidate, Exam, spread, to_item
from service.authors.extractive.quiz_terms import command_items, gap_items, match_items, term_items
from service.authors.extractive.rereading import sections_of_lesson
from service.authors.extractive.scoring import score
from service.domain.course import CoursePlan
from service.domain.lesson import Lesson
from service.domain.quiz import Quiz, QuizItem

_LIMITS = {
    "term": 3,
    "command": 4,
    "order": 1,
    "gap": 2,
    "member": 1,
    "number": 2,
    "statement": 1,
    "judge": 2,
    "match": 1,
}
MOST_ITEMS = 8


def quiz_of(plan: CoursePlan, lesson: Lesson, library: Library) -> Quiz:
    """The quiz of one lesson."""
    sections, keypoints = sections_of_lesson(lesson, library)
    score(sections, lesson.title, [s.text for s in keypoints] + [o.text for o in lesson.objectives])
    questions = library.questions(plan, lesson.id)
    exam = Exam(sections, keypoints, lesson.objectives, plan.glossary, plan, library, lesson.id, questions)
    closed = spread(_proposals(exam), _LIMITS)[: MOST_ITEMS - 1]
    covered = {exam.objective_for(_words_of(candidate, exam)) for candidate in closed}
    asked = {cite.start for candidate in closed for cite in candidate.cites}
    chosen = closed + spread(open_items(exam, covered, asked), {})
    return Quiz(lesson_id=lesson.id, items=tuple(_numbered(chosen, exam)))


def check_question(quiz: Quiz) -> QuizItem | None:
    """The item that a video can ask midway: one right option among a few that fit a slide."""
    for item in quiz.items:
        if item.kind in ("single", "cloze") and len(item.options) <= 5 and len(item.stem) <= 220:
            return item
    return None


def _proposals(exam: Exam) -> list[Candidate]:
    found: list[Candidate] = []
    for rule in (term_items, command_items, order_items, gap_items, member_items, number_items, statement_items):
        found += rule(exam)
    asked = {cite.start for candidate in found if candidate.form == "term" for cite in candidate.cites}
    return found + [c for c in match_items(exam) if sum(cite.start in asked for cite in c.cites) < len(c.cites)]


def _words_of(candidate: Candidate, exam: Exam) -> str:
    """What an item is about: its own words, the sentences that it cites, and the headings that these stand under."""
    headings = [exam.headings.get((cite.source, cite.start), "") for cite in candidate.cites]
    return " ".join([candidate.stem, candidate.model_answer, *(cite.quote for cite in candidate.cites), *headings])


def _numbered(candidates: Sequence[Candidate], exam: Exam) -> list[QuizItem]:
    """Items with ids that say their lesson and place; the place of the key goes round."""
    items = []
    turn = sum(map(ord, exam.lesson_id))
    for number, candidate in enumerate(candidates, start=1):
        objective = exam.objective_for(_words_of(candidate, exam))
        items.append(to_item(candidate, f"{exam.lesson_id}-q{number}", turn + number, objective))
    return items
