"""A course of two lessons, made by hand: every check passes on it until a test breaks something."""

from __future__ import annotations

from typing import Any

from service.domain.course import Brief, CoursePlan, GlossaryEntry, LessonPlan, ModulePlan, Objective
from service.domain.lesson import (
    Claim,
    CodeBlock,
    DefinitionBlock,
    ExerciseBlock,
    HeadingBlock,
    Lesson,
    ListBlock,
    ParagraphBlock,
    TableBlock,
)
from service.domain.quiz import Option, Quiz, QuizItem
from service.domain.report import CourseDocuments, Taught
from service.domain.source import Cite, Span, sha256_of
from service.domain.storyboard import (
    Cue,
    QuestionScene,
    RecapScene,
    StepsScene,
    Storyboard,
    TableScene,
    TitleScene,
)

# CRLF and characters outside ASCII on purpose: offsets count code points, and nothing may translate line ends.
SOURCE = (
    "Keeping bees – a primer\r\n\r\n"
    "A hive is a box that houses a colony of bees. A smoker is a can that blows cool smoke over the frames. "
    "A colony needs about 20 kilograms of honey to survive the winter.\r\n\r\n"
    "Light the smoker. Open the lid slowly. Lift out one frame.\r\n\r\n"
    "Never stand in front of the entrance, because guards defend it.\r\n\r\n"
    "bees --count\r\n"
)
SHA = sha256_of(SOURCE)
FIRST, SECOND = "aaaaaaaa-0000-4000-8000-000000000001", "aaaaaaaa-0000-4000-8000-000000000002"
STEPS = ("Light the smoker.", "Open the lid slowly.", "Lift out one frame.")
HIVE = "A hive is a box that houses a colony of bees."
SMOKER = "A smoker is a can that blows cool smoke over the frames."
HONEY = "A colony needs about 20 kilograms of honey to survive the winter."
GUARDS = "Never stand in front of the entrance, because guards defend it."
WORDS = (
    " and this sentence is here so that the slide stays up for as long as a slide should stay on the screen of a lesson"
)


def cite(quote: str) -> Cite:
    """The exact cite of words that stand in the source."""
    start = SOURCE.index(quote)
    return Cite(source=SHA, start=start, end=start + len(quote), quote=quote)


def claim(quote: str, **fields: Any) -> Claim:
    return Claim(text=quote, cites=(cite(quote),), **fields)


def cue(text: str, *quotes: str, state: int | None = None) -> Cue:
    return Cue(text=text, cites=tuple(cite(quote) for quote in quotes), state=state)


OBJECTIVES = {
    FIRST: (Objective(id="o1", text="Define hive and smoker", bloom="remember"),),
    SECOND: (Objective(id="o1", text="Open a hive step by step", bloom="apply"),),
}


def first_lesson() -> Lesson:
    return Lesson(
        id=FIRST,
        title="What a hive is",
        objectives=OBJECTIVES[FIRST],
        blocks=(
            HeadingBlock(id="b1", text="Words first"),
            DefinitionBlock(id="b2", term="Hive", claims=(claim(HIVE),)),
            ParagraphBlock(id="b3", claims=(claim(SMOKER), Claim(text="Ready?", factual=False))),
            TableBlock(id="b4", rows=(("Thing", "Use"), ("hive", "houses | bees")), cites=(cite(HIVE),)),
        ),
    )


def second_lesson() -> Lesson:
    return Lesson(
        id=SECOND,
        title="Opening the hive",
        objectives=OBJECTIVES[SECOND],
        blocks=(
            ListBlock(id="b1", items=tuple((claim(step),) for step in STEPS), ordered=True),
            ParagraphBlock(id="b2", claims=(claim(GUARDS), claim(HONEY))),
            CodeBlock(id="b3", code="bees --count", lang="bash", output="20000", cites=(cite("bees --count"),)),
            ExerciseBlock(
                id="b4", title="Try it", task=(claim(STEPS[0]),), solution=(Claim(text="Done.", factual=False),)
            ),
        ),
    )


def storyboard(lesson: Lesson) -> Storyboard:
    """A video of the recommended shape, filled up so that every slide stays long enough."""
    said = [HIVE, SMOKER, HONEY] if lesson.id == FIRST else [*STEPS]
    steps = StepsScene(
        id="s2",
        title="In order",
        items=tuple(" ".join(quote.split()[1:3]).rstrip(".") for quote in said),
        cues=tuple(cue(quote[:-1] + WORDS * 2 + ".", quote, state=n + 1) for n, quote in enumerate(said)),
    )
    table = TableScene(
        id="s3",
        title="Side by side",
        header=("Thing", "Use"),
        rows=(("hive", "home"),),
        cues=(cue("Compare the two" + WORDS * 6 + "."),),
    )
    return Storyboard(
        lesson_id=lesson.id,
        title=lesson.title,
        scenes=(
            TitleScene(id="s1", title=lesson.title, cues=(cue("What do your bees live in?"),)),
            steps,
            table,
            QuestionScene(
                id="s4", text="Which one?", options=("hive", "can"), cues=(cue("Think for yourself" + WORDS * 2 + "."),)
            ),
            RecapScene(id="s5", items=("Hives house bees",), cues=(cue("Can you say it?"),)),
        ),
    )


def item(item_id: str, stem: str, options: tuple[str, ...], key: int, quote: str) -> QuizItem:
    return QuizItem(
        id=item_id,
        kind="single",
        stem=stem,
        options=tuple(Option(text=text, rationale=f"The source says: {quote}") for text in options),
        key=(key,),
        objective="o1",
        cites=(cite(quote),),
    )


def quiz(lesson: Lesson) -> Quiz:
    items = {
        FIRST: (
            item("q1", "Which of these houses a colony of bees?", ("hive", "smoker", "frame", "lid"), 0, HIVE),
            item("q2", "What blows cool smoke?", ("lid", "smoker", "frame", "guard"), 1, SMOKER),
        ),
        SECOND: (
            item("q1", "What must be lit?", ("lid", "frame", "smoker", "honey"), 2, STEPS[0]),
            item(
                "q2",
                "How much honey does a colony need?",
                ("5 kilograms", "10 kilograms", "40 kilograms", "20 kilograms"),
                3,
                HONEY,
            ),
            item("q3", "What houses a colony?", ("hive", "smoker", "lid", "frame"), 0, HIVE).model_copy(
                update={"reviews": FIRST}
            ),
        ),
    }
    return Quiz(lesson_id=lesson.id, items=items[lesson.id])


def plan() -> CoursePlan:
    span = cite(HIVE)
    return CoursePlan(
        title="Keeping bees",
        summary="From the hive to the honey.",
        modules=(
            ModulePlan(
                id="bbbbbbbb-0000-4000-8000-000000000001",
                title="Hives",
                lessons=(
                    LessonPlan(id=FIRST, title="What a hive is", objectives=OBJECTIVES[FIRST]),
                    LessonPlan(
                        id=SECOND, title="Opening the hive", objectives=OBJECTIVES[SECOND], prerequisites=(FIRST,)
                    ),
                ),
            ),
        ),
        glossary=(
            GlossaryEntry(
                term="hive",
                meaning="a box that houses a colony of bees",
                cite=Span(source=SHA, start=span.start, end=span.end),
            ),
        ),
    )


def documents() -> CourseDocuments:
    """The whole course."""
    lessons = (first_lesson(), second_lesson())
    return CourseDocuments(
        brief=Brief(title="Keeping bees", audience="People with a garden"),
        plan=plan(),
        lessons=tuple(
            Taught(f"{n:02d}-lesson", lesson, storyboard(lesson), quiz(lesson), seconds=0.0)
            for n, lesson in enumerate(lessons, start=1)
        ),
        texts={SHA: SOURCE},
    )
