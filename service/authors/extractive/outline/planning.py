"""Plans a course: documents into modules, lessons, objectives, glossary, within the minutes that were asked for."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence

from service.authors.extractive.language.words import clean_title, overlap, shorten, stem, stems
from service.authors.extractive.outline.glossary import glossary_of
from service.authors.extractive.outline.objectives import bloom_of, objectives_of
from service.authors.extractive.outline.packing import Draft, lessons_of, modules_of
from service.authors.extractive.outline.titles import (
    course_title,
    in_a_row,
    is_front_page,
    join_titles,
    lesson_title,
    module_title,
)
from service.authors.extractive.sources.library import Library, same
from service.authors.extractive.sources.material import Reading, Section
from service.authors.extractive.sources.scoring import score
from service.domain.course import Brief, CoursePlan, GlossaryEntry, LessonPlan, ModulePlan, Objective
from service.domain.source import Span
from service.errors import BadInput

LEAST_WORDS = 120
Timing = Callable[[CoursePlan, str], float]


def plan_course(brief: Brief, library: Library, minutes_of: Timing) -> CoursePlan:
    """The outline; `minutes_of` measures a planned lesson's video.

    Raises:
        BadInput: the sources hold too little to teach.
    """
    drafts = _fresh(lessons_of(sorted(library.readings, key=lambda reading: not is_front_page(reading))))
    usable = sum(draft.words for draft in drafts)
    if usable < LEAST_WORDS:
        raise BadInput(
            f"The sources hold only {usable} words that can be taught, and a course needs {LEAST_WORDS} or more. "
            "Add a document with whole sentences."
        )
    title = shorten(clean_title(brief.title) or course_title(library.readings, library.casing), 160)
    _weigh(drafts, title)
    _name(drafts, library, title)
    plan = _timed(_plan(brief, title, drafts, library), minutes_of)
    if brief.minutes and plan.minutes > brief.minutes * 1.1:
        drafts = _within(drafts, plan, brief.minutes)
        plan = _timed(_plan(brief, title, drafts, library), minutes_of)
    return plan


def _fresh(drafts: Sequence[Draft]) -> list[Draft]:
    """Those that say something new: of two versions of a document a lesson that both have is planned once."""
    told: set[str] = set()
    fresh: list[Draft] = []
    for draft in drafts:
        sentences = {same(s.text) for section in draft.sections for i in section.ideas for s in i.all_sentences()}
        shown = any(idea.kind in ("code", "table") for section in draft.sections for idea in section.ideas)
        if shown or sentences - told:
            fresh.append(draft)
        told |= sentences
    return fresh


def _weigh(drafts: Sequence[Draft], title: str) -> None:
    for draft in drafts:
        key = [s.text for reading in draft.readings for s in reading.keypoints + reading.objectives]
        score(draft.sections, title, key)


def _name(drafts: Sequence[Draft], library: Library, title: str) -> None:
    used: set[str] = set()
    subject = library.casing.inside(re.sub(r"^(?:an? )?introduction to ", "", title, flags=re.IGNORECASE))
    for draft in drafts:
        draft.title = lesson_title(draft, library.casing, used, subject)
        siblings = [other for other in drafts if {id(r) for r in other.readings} & {id(r) for r in draft.readings}]
        draft.objectives = objectives_of(draft, siblings, library.casing, subject)


def _plan(brief: Brief, title: str, drafts: Sequence[Draft], library: Library) -> CoursePlan:
    groups = modules_of(drafts)
    modules: list[ModulePlan] = []
    number = 0
    used: set[str] = set()
    for place, group in enumerate(groups):
        lessons = []
        for draft in group:
            number += 1
            lessons.append(_lesson(number, draft))
        name = module_title(group, library.casing, title, len(groups) == 1)
        if name in used:
            name = f"{name}, part {place + 1}"
        used.add(name)
        modules.append(ModulePlan(id=f"m{place + 1}", title=name, lessons=tuple(lessons)))
    glossary = glossary_of([draft.sections for draft in drafts], library.casing)
    plan = CoursePlan(
        title=title,
        summary=_summary(title, [lesson.title for module in modules for lesson in module.lessons], library),
        language=brief.language,
        modules=tuple(modules),
        glossary=glossary,
    )
    return _with_prerequisites(plan, glossary, library)


def _lesson(number: int, draft: Draft) -> LessonPlan:
    objectives = tuple(
        Objective(id=f"l{number}o{n}", text=text, bloom=bloom_of(text))
        for n, text in enumerate(draft.objectives, start=1)
    )
    return LessonPlan(
        id=f"l{number}-{slug(draft.title)}".rstrip("-"),
        title=draft.title,
        objectives=objectives,
        passages=_passages(draft),
    )


def slug(title: str) -> str:
    """The title in lower-case ASCII words joined by hyphens, short enough for a file's name; may be empty."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:40].rstrip("-")


def _passages(draft: Draft) -> tuple[Span, ...]:
    """One span for each run of sections that follow each other in their document."""
    readings = {reading.sha256: reading for reading in draft.readings}
    spans: list[tuple[Span, int]] = []
    for section in draft.sections:
        ideas = section.ideas
        start = ideas[0].start if section.continued or section.level == 0 else min(section.start, ideas[0].start)
        first, last = (readings[section.source].place_of(idea) for idea in (ideas[0], ideas[-1]))
        end = ideas[-1].end
        if spans and spans[-1][0].source == section.source and spans[-1][1] + 1 == first:
            start = spans.pop()[0].start
        spans.append((Span(source=section.source, start=start, end=end), last))
    return tuple(span for span, _ in spans)


def _with_prerequisites(plan: CoursePlan, glossary: Sequence[GlossaryEntry], library: Library) -> CoursePlan:
    """A lesson that leans on a term of an earlier one names that lesson, at most two."""
    homes = _homes(plan, glossary)
    counts = {lesson.id: _stem_counts(library.sections(lesson) if lesson.passages else []) for lesson in plan.lessons}
    order = [lesson.id for lesson in plan.lessons]
    needs: dict[str, list[str]] = {lesson_id: [] for lesson_id in order}
    for term, home in homes.items():
        for lesson_id in order[order.index(home) + 1 :]:
            if home not in needs[lesson_id] and all(counts[lesson_id].get(part, 0) >= 3 for part in stems(term)):
                needs[lesson_id].append(home)
    modules = tuple(
        module.model_copy(
            update={
                "lessons": tuple(
                    lesson.model_copy(update={"prerequisites": tuple(needs[lesson.id][-2:])})
                    for lesson in module.lessons
                )
            }
        )
        for module in plan.modules
    )
    return plan.model_copy(update={"modules": modules})


def _homes(plan: CoursePlan, glossary: Sequence[GlossaryEntry]) -> dict[str, str]:
    homes: dict[str, str] = {}
    for entry in glossary:
        if not stems(entry.term):
            continue
        for lesson in plan.lessons:
            inside = any(
                span.source == entry.cite.source and span.start <= entry.cite.start < span.end
                for span in lesson.passages
            )
            if inside:
                homes.setdefault(entry.term, lesson.id)
    return homes


def _stem_counts(sections: Sequence[Section]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for section in sections:
        for found, n in section.bag.items():
            counts[found] = counts.get(found, 0) + n
    return counts


def _timed(plan: CoursePlan, minutes_of: Timing) -> CoursePlan:
    modules = tuple(
        module.model_copy(
            update={
                "lessons": tuple(
                    lesson.model_copy(update={"minutes": round(minutes_of(plan, lesson.id), 1)})
                    for lesson in module.lessons
                )
            }
        )
        for module in plan.modules
    )
    return plan.model_copy(update={"modules": modules})


def _within(drafts: list[Draft], plan: CoursePlan, minutes: int) -> list[Draft]:
    """The most important lessons that fit; one lesson that is too long by itself keeps its best sections."""
    lengths = {id(draft): lesson.minutes for draft, lesson in zip(drafts, plan.lessons, strict=True)}
    kept = list(drafts)
    weakest_first = sorted(reversed(drafts), key=lambda draft: _importance(draft, plan.title))
    for draft in weakest_first[:-1]:
        if sum(lengths[id(one)] for one in kept) <= minutes * 1.1:
            break
        kept = [one for one in kept if one is not draft]
    if len(kept) == 1 and lengths[id(kept[0])] > minutes * 1.1:
        _trim(kept[0], minutes / lengths[id(kept[0])])
    return kept


def _importance(draft: Draft, title: str) -> float:
    """Mean score of its units, plus its likeness to the course's title; an opening page counts a little more."""
    scores = [unit.score for section in draft.sections for unit in section.units()]
    mean = sum(scores) / len(scores) if scores else 0.0
    return mean + overlap(title, set(stems(draft.title)) | {stem(draft.title)})


def _trim(draft: Draft, share: float) -> None:
    def worth(section: Section) -> float:
        return max((unit.score for unit in section.units()), default=0.0)

    budget = draft.words * share
    kept: list[Section] = []
    for section in sorted(draft.sections, key=lambda s: (-worth(s), draft.sections.index(s))):
        if not kept or sum(s.words for s in kept) + section.words <= budget:
            kept.append(section)
    draft.sections = [section for section in draft.sections if any(section is keep for keep in kept)]


def _summary(title: str, lessons: Sequence[str], library: Library) -> str:
    """One sentence about what the course holds; every part of it is counted, none is claimed."""
    names = [re.split(r"[:,]", name)[0] for name in lessons]
    topics = join_titles(in_a_row(names[:3], library.casing))
    more = ", and more" if len(names) > 3 else ""
    count = f"{len(lessons)} lesson{'s' if len(lessons) != 1 else ''}"
    return f"{title} in {count}, from {_documents(library.readings)}: {library.casing.lowered(topics)}{more}."


def _documents(readings: Sequence[Reading]) -> str:
    return "one document" if len(readings) == 1 else f"{len(readings)} documents"
