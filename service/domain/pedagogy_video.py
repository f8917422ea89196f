"""Pedagogy of the videos: how long they run, how they open and close, what their slides show while they speak.

Thresholds are rules of thumb from research on lesson videos; the checks warn and never block.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from math import ceil

from service.domain.conventions import (
    ADDRESSES_A_MINUTE,
    LESSON_MINUTES,
    MARK_EVERY_SECONDS,
    QUESTION_EVERY_MINUTES,
    SLIDE_LINES,
    SLIDE_SECONDS,
    SLIDE_WORDS,
    SPEECH_ON_SLIDE,
    VISUAL_SHARE,
)
from service.domain.course import CoursePlan
from service.domain.readability import fourgrams, words
from service.domain.report import WORDS_PER_MINUTE, Check, CourseDocuments, share, warning
from service.domain.slide_text import lines_on, shown_text
from service.domain.storyboard import (
    BulletsScene,
    CodeScene,
    ComparisonScene,
    FigureScene,
    MapScene,
    ProcessScene,
    QuestionScene,
    RecapScene,
    Scene,
    SectionScene,
    StepsScene,
    TableScene,
    TitleScene,
    WorkedScene,
)

VISUAL = (CodeScene, TableScene, ComparisonScene, ProcessScene, FigureScene, WorkedScene, StepsScene, MapScene)
ADDRESS = re.compile(r"\b(?:you|your|yours|yourself|let[’']?s)\b", re.IGNORECASE)
PERSONAL_WANTED = f"≥ {ADDRESSES_A_MINUTE} a minute"
ASKING = (QuestionScene, RecapScene)
FRAME = (TitleScene, SectionScene, *ASKING)


def lesson_length(course: CourseDocuments) -> Check:
    """P3: attention falls after about six minutes; under two there is hardly a lesson."""
    minutes = [(taught.name, taught.minutes) for taught in course.lessons if taught.storyboard]
    where = [
        f"{name}: {length:.1f} min" for name, length in minutes if not LESSON_MINUTES[0] <= length <= LESSON_MINUTES[1]
    ]
    lengths = [length for _, length in minutes]
    figure = f"{min(lengths):.1f}–{max(lengths):.1f} min" if lengths else "none"
    return warning("P3", "lesson length", figure, f"{LESSON_MINUTES[0]}–{LESSON_MINUTES[1]} min", where)


def opening_hook(course: CourseDocuments) -> Check:
    """A lesson opens with its title and a question that it will answer."""
    where = [
        f"{taught.name}: opens without a question"
        for taught in course.lessons
        if taught.storyboard
        and not (
            isinstance(taught.storyboard.scenes[0], TitleScene)
            and any(cue.text.rstrip().endswith("?") for cue in taught.storyboard.scenes[0].cues)
        )
    ]
    return warning("hook", "lessons open with a question", _lessons_but(course, where), "all", where)


def closing_recap(course: CourseDocuments) -> Check:
    """A lesson ends by asking its objectives back."""
    where = [
        f"{taught.name}: no recap"
        for taught in course.lessons
        if taught.storyboard and not any(isinstance(scene, RecapScene) for scene in taught.storyboard.scenes[-2:])
    ]
    return warning("recap", "lessons close with a recap", _lessons_but(course, where), "all", where)


def _lessons_but(course: CourseDocuments, where: Sequence[str]) -> str:
    count = sum(1 for taught in course.lessons if taught.storyboard)
    return f"{count - len(where)} of {count}"


def segmenting(course: CourseDocuments) -> Check:
    """P4: learners pause between ideas, so there is a mark at least every 90 seconds."""
    paces = [
        (taught.name, 60 * taught.minutes / len(taught.storyboard.scenes))
        for taught in course.lessons
        if taught.storyboard
    ]
    where = [f"{name}: a slide every {seconds:.0f} s" for name, seconds in paces if seconds > MARK_EVERY_SECONDS]
    figure = f"{max((seconds for _, seconds in paces), default=0):.0f} s"
    return warning("P4", "longest mean time per slide", figure, f"≤ {MARK_EVERY_SECONDS} s", where)


def slide_lines(course: CourseDocuments) -> Check:
    """P6: at most six lines on a slide."""
    counted = [(place, len(lines_on(scene))) for place, scene in course.slides() if lines_on(scene)]
    where = [f"{place}: {count} lines" for place, count in counted if count > SLIDE_LINES]
    return warning(
        "P6-lines", "most lines on a slide", str(max((n for _, n in counted), default=0)), f"≤ {SLIDE_LINES}", where
    )


def slide_words(course: CourseDocuments) -> Check:
    """P6: at most 40 words on a slide; code and tables are read, not listened to, and don't count."""
    counted = [
        (place, len(words(shown_text(scene))))
        for place, scene in course.slides()
        if not isinstance(scene, CodeScene | TableScene | ComparisonScene | QuestionScene)
    ]
    where = [f"{place}: {count} words" for place, count in counted if count > SLIDE_WORDS]
    return warning(
        "P6-words", "most words on a slide", str(max((n for _, n in counted), default=0)), f"≤ {SLIDE_WORDS}", where
    )


def speech_on_slide(course: CourseDocuments) -> Check:
    """P6: narration that is also read on the slide hinders; shares of runs of four words, slide by slide.

    What learners will be able to do is a promise, shown and read as it stands, and does not count.
    """
    where, worst = [], 0.0
    for place, scene in course.slides():
        spoken = fourgrams(" ".join(cue.text for cue in scene.cues))
        if isinstance(scene, ASKING) or not spoken or _promises(scene, course.plan):
            continue
        overlap = len(spoken & fourgrams(shown_text(scene))) / len(spoken)
        worst = max(worst, overlap)
        if overlap > SPEECH_ON_SLIDE:
            where.append(f"{place}: {overlap:.0%}")
    return warning(
        "P6-overlap",
        "speech that stands on its slide",
        f"at most {worst:.0%}",
        f"≤ {100 * SPEECH_ON_SLIDE:.0f} %",
        where,
    )


def told_once(course: CourseDocuments) -> Check:
    """P5: the same passage isn't told twice; asking and recapping are meant to repeat."""
    told: dict[tuple[str, int, int], str] = {}
    where, count = [], 0
    for place, scene in course.slides():
        for cue in () if isinstance(scene, ASKING) else scene.cues:
            for cite in cue.cites[:1]:
                count += 1
                span = (cite.source, cite.start, cite.end)
                if span in told:
                    where.append(f"{place}: “{cue.text[:60]}”, told before in {told[span]}")
                told.setdefault(span, place)
    return warning("twice", "passages told twice", share(len(where), count), "0", where)


def signaling(course: CourseDocuments) -> Check:
    """P7: what is being spoken of is revealed or set off as it is said."""
    built = [
        (place, scene)
        for place, scene in course.slides()
        if isinstance(scene, BulletsScene | StepsScene | MapScene | ProcessScene | WorkedScene)
    ]
    where = [
        place for place, scene in built if len(lines_on(scene)) > 1 and all(cue.state is None for cue in scene.cues)
    ]
    return warning(
        "P7", "lists that build up with the speech", share(len(built) - len(where), len(built)), "100 %", where
    )


def contiguity(course: CourseDocuments) -> Check:
    """P8: a line appears with the sentence that it stands for, and so shares a word with it (temporal contiguity)."""
    where, count = [], 0
    for place, scene in course.slides():
        lines = scene.items if isinstance(scene, BulletsScene | StepsScene | WorkedScene) else ()
        for cue in scene.cues:
            if cue.state and cue.state <= len(lines):
                count += 1
                shown, said = _stems(lines[cue.state - 1]), _stems(f"{cue.text} {cue.speech}")
                where += [] if shown & said or not shown else [f"{place}: “{lines[cue.state - 1]}”"]
    return warning("P8", "lines shown as they are said", share(count - len(where), count), "100 %", where)


def _stems(text: str) -> set[str]:
    """The first letters of each longer word: enough to see that two sentences speak of one thing."""
    return {word.lower()[:4] for word in words(text) if len(word) > 3}


def personal(course: CourseDocuments) -> Check:
    """P10: the voice speaks to the learner at least once a minute (personalisation; English only)."""
    if not course.plan.language.startswith("en"):
        return warning("P10", "speech to the learner", f"not measured for {course.plan.language}", PERSONAL_WANTED)
    rates = [
        (taught.name, sum(bool(ADDRESS.search(cue.text)) for cue in taught.storyboard.cues()) / taught.minutes)
        for taught in course.lessons
        if taught.storyboard and taught.minutes
    ]
    where = [f"{name}: {rate:.1f} times a minute" for name, rate in rates if rate < ADDRESSES_A_MINUTE]
    figure = f"at least {min(rate for _, rate in rates):.1f} a minute" if rates else "none"
    return warning("P10", "speech to the learner", figure, PERSONAL_WANTED, where)


def meaningful_visuals(course: CourseDocuments) -> Check:
    """P11: people learn better from words and pictures than from words: code, tables, steps, processes, figures.

    Of the slides that tell something; what the lesson is for, said before it begins, has no picture.
    """
    slides = (scene for _, scene in course.slides() if not isinstance(scene, FRAME))
    content = [scene for scene in slides if not _promises(scene, course.plan)]
    visual = sum(isinstance(scene, VISUAL) for scene in content)
    good = not content or visual / len(content) >= VISUAL_SHARE
    return warning(
        "P11",
        "slides that show, not only tell",
        share(visual, len(content)),
        f"≥ {100 * VISUAL_SHARE:.0f} %",
        good=good,
    )


def _promises(scene: Scene, plan: CoursePlan) -> bool:
    """Whether a slide only shows objectives of the plan, whole or cut to the room of a line."""
    aims = [aim.text for lesson in plan.lessons for aim in lesson.objectives]
    shown = scene.items if isinstance(scene, BulletsScene) else ()
    return bool(shown) and all(any(aim.startswith(item.rstrip("…")) for aim in aims) for item in shown)


def retrieval_practice(course: CourseDocuments) -> Check:
    """P12: a question to think about in every six minutes of video."""
    where = []
    for taught in course.lessons:
        if taught.storyboard:
            asked = sum(isinstance(scene, QuestionScene) for scene in taught.storyboard.scenes)
            if asked < max(1, ceil(taught.minutes / QUESTION_EVERY_MINUTES)):
                where.append(f"{taught.name}: {asked} questions in {taught.minutes:.1f} min")
    return warning("P12", "videos that stop to ask", _lessons_but(course, where), "all", where)


def slide_pace(course: CourseDocuments) -> Check:
    """P17: a slide stays 15 to 75 seconds: its narration at 150 words a minute, and its pauses."""
    timed = [(place, _seconds(scene)) for place, scene in course.slides() if not isinstance(scene, FRAME)]
    where = [
        f"{place}: {seconds:.0f} s" for place, seconds in timed if not SLIDE_SECONDS[0] <= seconds <= SLIDE_SECONDS[1]
    ]
    figure = f"{min(s for _, s in timed):.0f}–{max(s for _, s in timed):.0f} s" if timed else "none"
    return warning("P17-slides", "time on a slide", figure, f"{SLIDE_SECONDS[0]}–{SLIDE_SECONDS[1]} s", where)


def _seconds(scene: Scene) -> float:
    spoken = sum(len(words(cue.text)) for cue in scene.cues)
    return 60 * spoken / WORDS_PER_MINUTE + sum(cue.pause for cue in scene.cues)


VIDEO_CHECKS: tuple[Callable[[CourseDocuments], Check], ...] = (
    lesson_length,
    opening_hook,
    closing_recap,
    segmenting,
    slide_lines,
    slide_words,
    speech_on_slide,
    told_once,
    signaling,
    contiguity,
    personal,
    meaningful_visuals,
    retrieval_practice,
    slide_pace,
)
