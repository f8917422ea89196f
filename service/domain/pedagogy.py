"""Pedagogy as checks: what research on courses asks for, measured on the documents. The checks warn and never block.

The ids are those of the conventions that the checks stand for; each docstring names the reason. A threshold is a
rule of thumb: a good lesson may break one, and its author should know.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise

from service.domain.bloom import BLOOM_VERBS, VAGUE_VERBS
from service.domain.conventions import ITEMS_PER_OBJECTIVE, OBJECTIVE_WORDS
from service.domain.item_flaws import absolute_terms, flaws
from service.domain.item_support import support_faults
from service.domain.pedagogy_video import VIDEO_CHECKS
from service.domain.readability import grade_level, words
from service.domain.report import Check, CourseDocuments, Taught, share, warning
from service.domain.source import Span
from service.domain.storyboard import CodeScene, Cue, ProcessScene, QuestionScene, StepsScene, WorkedScene

CHI_SQUARE = {1: 3.84, 2: 5.99, 3: 7.81, 4: 9.49, 5: 11.07}  # 5 % limits by degrees of freedom


def pedagogy(course: CourseDocuments) -> tuple[Check, ...]:
    """Every pedagogy check that documents alone can answer."""
    return tuple(check(course) for check in (*COURSE_CHECKS, *VIDEO_CHECKS))


def measurable_objectives(course: CourseDocuments) -> Check:
    """P1: an objective names something that can be observed, in one sentence (Bloom; Quality Matters)."""
    where = []
    for taught, objective in course.objectives():
        fault = objective_fault(objective.text)
        if fault:
            where.append(f"{taught.name}: “{objective.text}” {fault}")
    where += [f"{taught.name}: no objective" for taught in course.lessons if not taught.lesson.objectives]
    count = sum(1 for _ in course.objectives())
    faulty = sum(1 for _, objective in course.objectives() if objective_fault(objective.text))
    return warning("P1", "objectives are measurable", share(count - faulty, count), "100 %", where)


def objective_fault(text: str) -> str:
    """What keeps an objective from being measurable, in plain words; '' for nothing."""
    found = words(text)
    verb = found[0].lower() if found else ""
    if verb in VAGUE_VERBS:
        return f"begins with “{verb}”, which nobody can observe"
    if verb not in BLOOM_VERBS:
        return f"begins with “{verb}”, which is no verb of Bloom's levels"
    if len(found) > OBJECTIVE_WORDS:
        return f"is longer than {OBJECTIVE_WORDS} words"
    return ""


def assessed_objectives(course: CourseDocuments) -> Check:
    """P2: each objective is checked by at least two questions, in its own lesson or asked again in a later one."""
    asked = Counter(
        (item.reviews or taught.lesson.id, item.objective)
        for taught in course.lessons
        for item in (taught.quiz.items if taught.quiz else ())
    )
    short = [
        f"{taught.name}: “{objective.text}” has {asked[taught.lesson.id, objective.id]}"
        for taught, objective in course.objectives()
        if asked[taught.lesson.id, objective.id] < ITEMS_PER_OBJECTIVE
    ]
    count = sum(1 for _ in course.objectives())
    return warning(
        "P2", f"objectives with {ITEMS_PER_OBJECTIVE} questions", share(count - len(short), count), "100 %", short
    )


def no_orphan_questions(course: CourseDocuments) -> Check:
    """P2: a question checks an objective of its own lesson, or of the earlier lesson that it reviews."""
    orphans, count = [], 0
    before: dict[str, set[str]] = {}
    for taught in course.lessons:
        own = {objective.id for objective in taught.lesson.objectives}
        for item in taught.quiz.items if taught.quiz else ():
            count += 1
            if item.objective not in (before.get(item.reviews, set()) if item.reviews else own):
                orphans.append(f"{taught.name}, question {item.id}")
        before[taught.lesson.id] = own
    return warning("P2-orphans", "questions without objective", share(len(orphans), count), "0", orphans)


def delayed_retrieval(course: CourseDocuments) -> Check:
    """P12: an objective is asked again in a later lesson; those of the last lesson have none (spaced retrieval)."""
    again = {(item.reviews, item.objective) for _, item in course.items() if item.reviews}
    last = course.lessons[-1].lesson.id if course.lessons else ""
    wanted = [(taught, one) for taught, one in course.objectives() if taught.lesson.id != last]
    where = [f"{taught.name}: “{one.text}”" for taught, one in wanted if (taught.lesson.id, one.id) not in again]
    return warning(
        "P12-later", "objectives asked again later", share(len(wanted) - len(where), len(wanted)), "100 %", where
    )


def pre_training(course: CourseDocuments) -> Check:
    """P9: a term is defined before, or in the lesson where, it is first used."""
    late, count = [], 0
    for entry in course.plan.glossary:
        defined = [n for n, taught in enumerate(course.lessons) if _cites_span(taught, entry.cite)]
        if not defined:
            continue
        count += 1
        term = re.compile(rf"\b{re.escape(entry.term)}s?\b", re.I)
        used = [n for n, taught in enumerate(course.lessons) if _mentions(taught, term)]
        if used and used[0] < defined[0]:
            first, then = course.lessons[used[0]].name, course.lessons[defined[0]].name
            late.append(f"“{entry.term}” is used in {first}, defined in {then}")
    good = not count or (count - len(late)) / count >= 0.95
    return warning(
        "P9", "terms defined before they are used", share(count - len(late), count), "≥ 95 %", late, good=good
    )


def _mentions(taught: Taught, term: re.Pattern[str]) -> bool:
    return any(term.search(claim.text) for claim in taught.lesson.claims())


def _cites_span(taught: Taught, span: Span) -> bool:
    return any(
        cite.source == span.source and cite.start < span.end and cite.end > span.start for cite in taught.lesson.cites()
    )


def cited_items(course: CourseDocuments) -> Check:
    """P13: feedback on a question points to the source."""
    items = list(course.items())
    where = [place for place, item in items if not item.cites]
    return warning("P13", "questions with a cite", share(len(items) - len(where), len(items)), "100 %", where)


def entailed_keys(course: CourseDocuments) -> Check:
    """P15: the cited words support the right option put into the question, and no wrong one."""
    items = list(course.items())
    where = [f"{place}: {fault}" for place, item in items for fault in support_faults(item)]
    faulty = len({place.partition(": ")[0] for place in where})
    return warning(
        "P15-support", "questions whose cite proves the key", share(len(items) - faulty, len(items)), "100 %", where
    )


def practice(course: CourseDocuments) -> Check:
    """P14: a lesson that teaches how to do something shows it, asks for a part of it, and lets the learner try."""
    doing = [taught for taught in course.lessons if any(one.bloom == "apply" for one in taught.lesson.objectives)]
    where = [f"{taught.name}: {missing}" for taught in doing if (missing := _missing_practice(taught))]
    return warning("P14", "skills shown and practised", share(len(doing) - len(where), len(doing)), "100 %", where)


def _missing_practice(taught: Taught) -> str:
    scenes = taught.storyboard.scenes if taught.storyboard else ()
    shown = not scenes or any(isinstance(one, StepsScene | WorkedScene | CodeScene | ProcessScene) for one in scenes)
    helped = not scenes or any(isinstance(one, QuestionScene) for one in scenes)
    tried = any(block.kind == "exercise" for block in taught.lesson.blocks)
    parts = (("no worked example", shown), ("no question that helps along", helped), ("no exercise", tried))
    return " and ".join(part for part, there in parts if not there)


def item_writing(course: CourseDocuments) -> Check:
    """P15: flaws by which a question can be answered, or missed, without knowing."""
    items = list(course.items())
    where = [f"{place}: {flaw}" for place, item in items for flaw in flaws(item)]
    faulty = len({place.partition(": ")[0] for place in where})
    return warning("P15", "questions without writing flaws", share(len(items) - faulty, len(items)), "100 %", where)


def absolute_distractors(course: CourseDocuments) -> Check:
    """P15: "always" and "never" in wrong options give them away."""
    items = list(course.items())
    where = [place for place, item in items if absolute_terms(item)]
    return warning("P15-absolute", "questions with absolute wrong options", share(len(where), len(items)), "0", where)


def key_positions(course: CourseDocuments) -> Check:
    """P15: the right option stands in every position about equally often (chi-square, 5 %)."""
    where, figures = [], []
    by_width = Counter(
        (len(item.options), item.key[0]) for _, item in course.items() if item.kind in ("single", "cloze")
    )
    for width in sorted({width for width, _ in by_width}):
        counts = [by_width[width, position] for position in range(width)]
        total = sum(counts)
        if width - 1 not in CHI_SQUARE or total < 4 * width:
            continue
        squares = sum((count - total / width) ** 2 / (total / width) for count in counts)
        figures.append(f"{'/'.join(map(str, counts))}")
        if squares > CHI_SQUARE[width - 1]:
            where.append(f"{width} options: keys at {'/'.join(map(str, counts))}, chi-square {squares:.1f}")
    return warning("P15-positions", "positions of the key", ", ".join(figures) or "too few to judge", "even", where)


def reading_level(course: CourseDocuments) -> Check:
    """P16: neighbouring lessons of a module differ by at most two school grades (Flesch-Kincaid; English only)."""
    if not course.plan.language.startswith("en"):
        return warning("P16", "reading level", f"not measured for {course.plan.language}", "no jump > 2 grades")
    grades = {
        taught.lesson.id: grade_level([claim.text for claim in taught.lesson.claims()]) for taught in course.lessons
    }
    where = []
    for module in course.plan.modules:
        known = [(one.title, grades[one.id]) for one in module.lessons if one.id in grades]
        for (before, low), (after, high) in pairwise(known):
            if abs(high - low) > 2:
                where.append(f"{before} → {after}: grade {low:.1f} → {high:.1f}")
    figure = f"grade {min(grades.values()):.1f}–{max(grades.values()):.1f}" if grades else "none"
    return warning("P16", "reading level", figure, "no jump > 2 grades", where)


def designed(course: CourseDocuments) -> Check:
    """P18: a designed course names its audience, objectives, prerequisites and assessment."""
    lessons = course.lessons
    parts = {
        "audience": bool(course.brief.audience),
        "objectives in every lesson": all(taught.lesson.objectives for taught in lessons),
        "a quiz in every lesson": all(taught.quiz and taught.quiz.items for taught in lessons),
        "prerequisites": len(lessons) < 2 or any(lesson.prerequisites for lesson in course.plan.lessons),
        "a glossary": bool(course.plan.glossary),
    }
    where = [
        f"missing: {name}" if name != "audience" else "the brief names no audience: say there for whom the course is"
        for name, there in parts.items()
        if not there
    ]
    return warning("P18", "parts of a designed course", f"{len(parts) - len(where)} of {len(parts)}", "all", where)


def course_standards(course: CourseDocuments) -> Check:
    """P19: evidence in each of the eight fields that Quality Matters reviews a course by, in words of our own."""
    lessons = course.lessons
    evidence = {
        "an overview": bool(course.plan.summary),
        "objectives": all(taught.lesson.objectives for taught in lessons),
        "assessment": all(taught.quiz and taught.quiz.items for taught in lessons),
        "materials with their source": all(any(True for _ in taught.lesson.cites()) for taught in lessons),
        "activities": any(_is_active(taught) for taught in lessons),
        "a video beside the text": all(taught.storyboard for taught in lessons),
        "help with words": bool(course.plan.glossary),
        "words for all that is heard": all(cue.text for taught in lessons for cue in _cues(taught)),
    }
    where = [f"no evidence for {name}" for name, there in evidence.items() if not there]
    return warning("P19", "fields of a course review", f"{len(evidence) - len(where)} of {len(evidence)}", "all", where)


def _is_active(taught: Taught) -> bool:
    return any(block.kind == "exercise" for block in taught.lesson.blocks)


def _cues(taught: Taught) -> Iterator[Cue]:
    return taught.storyboard.cues() if taught.storyboard else iter(())


COURSE_CHECKS: tuple[Callable[[CourseDocuments], Check], ...] = (
    measurable_objectives,
    assessed_objectives,
    no_orphan_questions,
    delayed_retrieval,
    pre_training,
    cited_items,
    practice,
    item_writing,
    entailed_keys,
    absolute_distractors,
    key_positions,
    reading_level,
    designed,
    course_standards,
)
