"""Makes a lesson's quiz: every rule proposes, the proposals that check most objectives are kept, gaps are asked openly.

Then come questions on objectives of earlier lessons: retrieval after a while is what makes learning last.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field

from service.authors.extractive.lessons.compose import write_lesson
from service.authors.extractive.quizzes.code_items import command_items, gap_items
from service.authors.extractive.quizzes.facts import member_items, number_items
from service.authors.extractive.quizzes.judge import statement_items
from service.authors.extractive.quizzes.open_questions import asked_openly, more_open
from service.authors.extractive.quizzes.pairs import does_items, pair_items
from service.authors.extractive.quizzes.parts import Candidate, Exam, sound, to_item
from service.authors.extractive.quizzes.passages import choice_items, ending_items
from service.authors.extractive.quizzes.steps import step_items
from service.authors.extractive.quizzes.terms import match_items, meaning_items, name_gap_items, term_items
from service.authors.extractive.sources.library import Library
from service.authors.extractive.sources.rereading import sections_of_lesson
from service.authors.extractive.sources.scoring import score
from service.domain.conventions import ITEMS_PER_OBJECTIVE
from service.domain.course import CoursePlan
from service.domain.lesson import Lesson
from service.domain.quiz import Quiz, QuizItem

# In the order in which they are preferred, with the most of each in one quiz.
RULES = (
    (step_items, {"order": 2, "first": 1, "belonging": 1, "task": 1}),
    (term_items, {"term": 2}),
    (command_items, {"command": 3}),
    (pair_items, {"pairs": 1, "lookup": 2}),
    (match_items, {"match": 1}),
    (number_items, {"number": 2}),
    (gap_items, {"gap": 2}),
    (name_gap_items, {"name": 2}),
    (statement_items, {"judge": 2, "statement": 1}),
    (does_items, {"does": 2, "which": 2}),
    (choice_items, {f"choice-{form}": 2 for form in ("way", "do", "effect", "happens", "reason", "rule", "says")}),
    (ending_items, {"endings": 1}),
    (meaning_items, {"meaning": 1}),
    (member_items, {"member": 1}),
)
LIMITS = {form: most for _, limits in RULES for form, most in limits.items()}
PREFERENCE = {form: place for place, form in enumerate(LIMITS)}
MOST_CLOSED, MOST_AN_OBJECTIVE = 7, 3
LATER = 2  # lessons between an objective and its review; one where the course is short


@dataclass
class Chosen:
    """The questions of one lesson on its own objectives, and what was left over for a later lesson."""

    exam: Exam
    asked: list[tuple[str, Candidate]] = field(default_factory=list)
    left: list[tuple[str, Candidate]] = field(default_factory=list)

    def count(self, objective: str) -> int:
        return sum(one == objective for one, _ in self.asked)


def quiz_of(plan: CoursePlan, lesson: Lesson, library: Library) -> Quiz:
    """The quiz of one lesson: its own questions, then those that ask again what earlier lessons taught."""
    own = own_questions(plan, lesson, library)
    turn = _place(plan, lesson.id)
    items = _items(own, [("", objective, one) for objective, one in own.asked], turn)
    again = [
        (planned.id, objective, one)
        for planned in plan.lessons
        if planned.passages and reviewed_in(plan, planned.id) == lesson.id
        for objective, one in _reviews(plan, planned.id, library)
    ]
    items += _items(own, again, turn, after=len(items))
    return Quiz(lesson_id=lesson.id, items=tuple(items))


def reviewed_in(plan: CoursePlan, lesson_id: str) -> str:
    """The id of the later lesson that asks again for the objectives of this one; '' for the last lesson."""
    lessons = [planned.id for planned in plan.lessons]
    place = _place(plan, lesson_id)
    if not 0 <= place < len(lessons) - 1:
        return ""
    return lessons[place + LATER] if place + LATER < len(lessons) else lessons[-1]


def video_question(plan: CoursePlan, lesson: Lesson, library: Library) -> QuizItem | None:
    """The question that the video asks midway: one right option among a few that fit a slide."""
    own = own_questions(plan, lesson, library)
    for item in _items(own, [("", objective, one) for objective, one in own.asked], _place(plan, lesson.id)):
        short = len(item.stem) <= 220 and all(len(option.text) <= 90 for option in item.options)
        if item.kind in ("single", "cloze") and len(item.options) <= 5 and short:
            return item
    return None


def own_questions(plan: CoursePlan, lesson: Lesson, library: Library) -> Chosen:
    """What a lesson asks about itself: closed questions first, open ones for what they leave unchecked.

    Found once: the video, the quiz and the quiz of a later lesson ask for it.
    """
    return library.once(("questions", plan, lesson), lambda: _own_questions(plan, lesson, library))


def _own_questions(plan: CoursePlan, lesson: Lesson, library: Library) -> Chosen:
    sections, keypoints = sections_of_lesson(lesson, library)
    score(sections, lesson.title, [s.text for s in keypoints] + [o.text for o in lesson.objectives])
    questions = library.questions(plan, lesson.id)
    exam = Exam(sections, keypoints, lesson.objectives, plan.glossary, plan, library, lesson.id, questions)
    placed = [(exam.objective_for(one), one) for one in _proposals(exam)]
    chosen = Chosen(exam, left=[(objective, one) for objective, one in placed if objective or not lesson.objectives])
    _take_closed(chosen)
    wanted = 1 if reviewed_in(plan, lesson.id) else ITEMS_PER_OBJECTIVE
    taken = {cite.start for _, one in chosen.asked for cite in one.cites}
    for objective in lesson.objectives:
        missing = wanted - chosen.count(objective.id)
        chosen.asked += [(objective.id, one) for one in asked_openly(exam, objective, missing, taken)]
    if len(chosen.asked) < len(lesson.objectives) + 1:
        chosen.asked += [(of, one) for one in more_open(exam, taken) if (of := exam.objective_for(one))]
    return chosen


def _proposals(exam: Exam) -> list[Candidate]:
    found = sound(candidate for rule, _ in RULES for candidate in rule(exam))
    asked = {cite.start for one in found if one.form == "term" for cite in one.cites}
    return [c for c in found if c.form != "match" or sum(cite.start in asked for cite in c.cites) < len(c.cites)]


def _take_closed(chosen: Chosen) -> None:
    """Moves proposals from `left` to `asked`: the objective with the fewest questions first, then another form."""
    forms: Counter[str] = Counter()
    spans: set[tuple[str, int]] = set()
    while len(chosen.asked) < MOST_CLOSED:
        open_ = [
            (chosen.count(objective), forms[one.form], PREFERENCE[one.form], n)
            for n, (objective, one) in enumerate(chosen.left)
            if chosen.count(objective) < MOST_AN_OBJECTIVE
            and forms[one.form] < LIMITS[one.form]
            and not any((cite.source, cite.start) in spans for cite in one.cites)
        ]
        if not open_:
            return
        objective, one = chosen.left.pop(min(open_)[-1])
        chosen.asked.append((objective, one))
        forms[one.form] += 1
        spans.update((cite.source, cite.start) for cite in one.cites)


def _reviews(plan: CoursePlan, lesson_id: str, library: Library) -> list[tuple[str, Candidate]]:
    """One question for each objective of an earlier lesson: one that was left over, else one that was asked again."""
    earlier = own_questions(plan, write_lesson(plan, lesson_id, library), library)
    exam = copy(earlier.exam)  # what others look at stays as it is
    found: list[tuple[str, Candidate]] = []
    for objective in exam.objectives:
        left = [one for of, one in earlier.left if of == objective.id and not _shares(one, found)]
        used = {one.form for of, one in earlier.asked if of == objective.id}
        left.sort(key=lambda one: one.form in used)
        closed = [one for of, one in earlier.asked if of == objective.id and one.kind != "short"]
        exam.asked = set()
        again = left[:1] or closed[:1] or asked_openly(exam, objective, 1, set())
        found += [(objective.id, one) for one in again]
    return found


def _shares(candidate: Candidate, others: Sequence[tuple[str, Candidate]]) -> bool:
    """Whether it asks for a sentence that another one asks for already."""
    taken = {(cite.source, cite.start) for _, one in others for cite in one.cites}
    return any((cite.source, cite.start) in taken for cite in candidate.cites)


def _place(plan: CoursePlan, lesson_id: str) -> int:
    return next((n for n, planned in enumerate(plan.lessons) if planned.id == lesson_id), -1)


def _items(own: Chosen, asked: Sequence[tuple[str, str, Candidate]], turn: int, after: int = 0) -> list[QuizItem]:
    """Items with ids that say their lesson and number; the place of the key goes round within each kind."""
    items = []
    places: Counter[str] = Counter()
    for number, (reviews, objective, candidate) in enumerate(asked, start=after + 1):
        kind = "choice" if candidate.kind in ("single", "cloze") else candidate.kind
        place = turn + after + places[kind]
        places[kind] += 1
        items.append(to_item(candidate, f"{own.exam.lesson_id}-q{number}", place, objective, reviews))
    return items
