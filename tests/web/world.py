"""A small world of rows for the site's tests: two people, and one course in whatever state a test needs."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from sqlalchemy import Engine

from service.db.engine import session_scope
from service.db.queries import source_document
from service.db.tables import (
    Chunk,
    Course,
    CourseState,
    Lesson,
    LessonState,
    Media,
    Module,
    QuizItem,
    Source,
    SourceState,
    User,
)
from service.domain.chunks import chunks_of
from service.domain.course import Brief, LessonPlan, Objective
from service.domain.lesson import (
    Claim,
    CodeBlock,
    DefinitionBlock,
    ExerciseBlock,
    HeadingBlock,
    ListBlock,
    NoteBlock,
    ParagraphBlock,
    QuoteBlock,
    TableBlock,
)
from service.domain.lesson import Lesson as Text
from service.domain.quiz import Option
from service.domain.quiz import QuizItem as Item
from service.domain.source import Block, Cite, Span, sha256_of
from service.domain.storyboard import CueTime, Film
from service.ports import StorageService
from service.web.passwords import hash_password

PASSWORD = "a lighthouse in thick fog"
HASH = hash_password(PASSWORD)

PARAGRAPHS = (
    ("heading", "What the chart draws"),
    ("paragraph", "A surface chart shows the pressure of the air at sea level, drawn as closed lines."),
    ("paragraph", "An isobar is a line that joins places of equal pressure. Most charts draw one every 4 hPa."),
    ("paragraph", "Where isobars lie close together, the wind is strong; where they lie far apart, it is light."),
    ("heading", "Which way it blows"),
    ("paragraph", "In the north the wind goes anticlockwise round a low, a little inwards, if x<y and 3<5."),
    ("code", "gust = 1.5 * mean_wind\nprint(gust)"),
    ("paragraph", "A gust may be half as strong again as the mean wind, so reef for the gust."),
)  # fmt: skip


def build_source() -> tuple[str, list[Block]]:
    """The extracted text of the world's one document, and its structure."""
    body, blocks = "", []
    for kind, text in PARAGRAPHS:
        blocks.append(Block(kind=kind, start=len(body), end=len(body) + len(text), level=2, page=31))  # type: ignore[arg-type]
        body += text + "\n\n"
    return body, blocks


BODY, BLOCKS = build_source()
SHA = sha256_of(BODY)


def cite(quote: str) -> Cite:
    """The exact cite of words of the document."""
    start = BODY.index(quote)
    return Cite(source=SHA, start=start, end=start + len(quote), quote=quote)


CLOSE = cite("Where isobars lie close together, the wind is strong")
ISOBAR = cite("An isobar is a line that joins places of equal pressure.")
ROUND = cite("the wind goes anticlockwise round a low")
RULE = cite("if x<y and 3<5")
CODE = cite("gust = 1.5 * mean_wind\nprint(gust)")
GUST = cite("A gust may be half as strong again as the mean wind")


def lesson_text(lesson_id: str) -> Text:
    """A lesson that holds every kind of block once."""
    return Text(
        id=lesson_id,
        title="Fronts and pressure",
        blocks=(
            HeadingBlock(id="b1", text="Lines on the map"),
            ParagraphBlock(
                id="b2",
                claims=(
                    Claim(text="Open any surface chart and look at the curved lines.", factual=False),
                    Claim(text="**Isobars** join places of equal pressure, if `x<y` and 3<5.", cites=(ISOBAR, RULE)),
                    Claim(text="Where they lie close together, the wind is strong.", cites=(CLOSE, ISOBAR)),
                    Claim(text="Where lines lie close, expect a gale.", cites=(CLOSE,), state="weak"),
                ),
            ),
            DefinitionBlock(id="b3", term="Isobar", claims=(Claim(text="A line of equal pressure.", cites=(ISOBAR,)),)),
            ListBlock(
                id="b4",
                ordered=True,
                items=(
                    (Claim(text="Find the low.", factual=False),),
                    (Claim(text="The wind goes anticlockwise round it.", cites=(ROUND,)),),
                ),
            ),
            CodeBlock(id="b5", code="gust = 1.5 * mean_wind\nprint(gust)", lang="python", output="30.0", cites=(CODE,)),
            TableBlock(id="b6", rows=(("Spacing", "Wind"), ("close", "strong"), ("wide", "light")), cites=(CLOSE,)),
            QuoteBlock(
                id="b7", claims=(Claim(text="Reef for the gust.", cites=(cite("reef for the gust"),)),), by="A skipper"
            ),
            NoteBlock(
                id="b8", tone="warning", claims=(Claim(text="A gust may be half as strong again.", cites=(GUST,)),)
            ),
            ExerciseBlock(
                id="b9",
                title="Try it",
                task=(Claim(text="Lay a pencil between two lines.", factual=False),),
                solution=(Claim(text="If it does not fit, stay in harbour.", factual=False),),
            ),
        ),
    )


def film(lesson_id: str) -> Film:
    """A film of 200 seconds with four cues, two chapters, and evidence at two places."""
    return Film(
        lesson_id=lesson_id,
        seconds=200.0,
        cues=(
            CueTime(scene="s1", text="Look at the lines around the low.", start=0.0, end=50.0),
            CueTime(
                scene="s2", text="Each one joins places of equal pressure.", start=50.0, end=100.0, cites=(ISOBAR,)
            ),
            CueTime(scene="s2", text="Close lines mean strong wind.", start=100.0, end=134.0, cites=(CLOSE,)),
            CueTime(scene="s3", text="And that is how to read them.", start=134.0, end=200.0),
        ),
        chapters=((0.0, "Lines"), (100.0, "Wind")),
        voice="silent",
    )


def option(text: str, why: str, match: str = "") -> Option:
    return Option(text=text, rationale=why, match=match)


ITEMS = (
    Item(
        id="q-single",
        kind="single",
        stem="Two charts use the same scale. On which is the wind stronger?",
        options=(
            option("The one with isobars farther apart", "Wide spacing means light wind."),
            option("The one with the lower centre", "The value in the centre does not set the wind."),
            option("The one with isobars closer together", "Closer lines mean more wind."),
        ),
        key=(2,),
        cites=(CLOSE,),
    ),
    Item(
        id="q-true",
        kind="true_false",
        stem="An isobar joins places of equal pressure.",
        options=(option("True", "The source defines it so."), option("False", "It is what the word means.")),
        key=(0,),
        cites=(ISOBAR,),
    ),
    Item(
        id="q-multiple",
        kind="multiple",
        stem="Which of these does a surface chart show?",
        options=(option("Pressure", "As lines."), option("Price", "No chart does."), option("Lows", "As rings.")),
        key=(0, 2),
    ),
    Item(
        id="q-order",
        kind="ordering",
        stem="Put the steps in order.",
        options=(option("Reef", "Last."), option("Find the low", "First."), option("Read the spacing", "Then.")),
        key=(1, 2, 0),
    ),
    Item(
        id="q-match",
        kind="matching",
        stem="What belongs together?",
        options=(
            option("Close lines", "Steep pressure.", "strong wind"),
            option("Wide lines", "Flat pressure.", "light wind"),
            option("A gust", "Half as strong again.", "one and a half times"),
        ),
        key=(0, 1, 2),
    ),
    Item(
        id="q-cloze",
        kind="cloze",
        stem="Round a low the wind goes ____.",
        options=(option("clockwise", "That is a high."), option("anticlockwise", "As the source says.")),
        key=(1,),
        cites=(ROUND,),
    ),
    Item(
        id="q-short",
        kind="short",
        stem="Why reef for the gust?",
        model_answer="Because a gust may be half as strong again as the mean wind.",
        cites=(GUST,),
    ),
)  # fmt: skip


@dataclass
class World:
    """Makes rows, each in its own transaction, and remembers their ids."""

    engine: Engine
    storage: StorageService
    lessons: list[uuid.UUID] = field(default_factory=list)
    modules: list[uuid.UUID] = field(default_factory=list)

    def person(self, email: str, name: str = "Maren Okafor", role: str = "instructor") -> uuid.UUID:
        person = User(id=uuid.uuid4(), email=email, name=name, password_hash=HASH, role=role)
        with session_scope(self.engine) as session:
            session.add(person)
        return person.id

    def draft(self, owner: uuid.UUID, title: str = "Untitled course") -> uuid.UUID:
        course = Course(id=uuid.uuid4(), owner_id=owner, title=title, brief=Brief())
        with session_scope(self.engine) as session:
            session.add(course)
        return course.id

    def source(
        self, course: uuid.UUID, name: str = "weather.md", state: str = SourceState.READY, error: str = ""
    ) -> uuid.UUID:
        ready = state == SourceState.READY
        source = Source(
            id=uuid.uuid4(),
            course_id=course,
            name=name,
            upload_key="uploads/x",
            upload_bytes=4_100,
            state=state,
            error=error,
            sha256=SHA if ready else None,
            title="Weather for sailors" if ready else "",
            body=BODY if ready else None,
            blocks=[block.model_dump(mode="json") for block in BLOCKS] if ready else None,
            words=len(BODY.split()) * 200 if ready else 0,
            pages=212 if ready else 0,
        )
        with session_scope(self.engine) as session:
            session.add(source)
            session.flush()
            if ready:
                session.add_all(_chunks(source))
        return source.id

    def course(
        self,
        owner: uuid.UUID,
        state: str = CourseState.READY,
        *,
        title: str = "Reading a weather map",
        made: bool = True,
    ) -> uuid.UUID:
        """A course of two units and three lessons with one source; `made`: written, filmed and with quizzes."""
        course = Course(
            id=uuid.uuid4(),
            owner_id=owner,
            title=title,
            summary="Decide for yourself whether to leave harbour tomorrow.",
            brief=Brief(title=title, audience="People new to sailing", minutes=10),
            state=state,
            accent="#1f50b2",
        )
        with session_scope(self.engine) as session:
            session.add(course)
        self.source(course.id)
        self._rows(course.id, made)
        return course.id

    def _rows(self, course: uuid.UUID, made: bool) -> None:
        units = [Module(id=uuid.uuid4(), course_id=course, position=n, title=t) for n, t in enumerate(UNITS, start=1)]
        self.modules = [unit.id for unit in units]
        self.lessons = []
        with session_scope(self.engine) as session:
            session.add_all(units)
            session.flush()
            for position, (unit, title, goal) in enumerate(LESSONS, start=1):
                lesson = Lesson(
                    id=uuid.uuid4(), course_id=course, module_id=units[unit].id, position=position, title=title
                )
                length = 40 if position == 1 else 200
                lesson.plan = LessonPlan(
                    id=str(lesson.id),
                    title=title,
                    objectives=(Objective(id=f"o{position}", text=goal, bloom="apply"),),
                    passages=tuple(Span(source=SHA, start=0, end=length) for _ in range(position)),
                    minutes=4.0,
                )
                if made:
                    lesson.text, lesson.state = lesson_text(str(lesson.id)), LessonState.COMPLETED
                session.add(lesson)
                session.flush()
                self.lessons.append(lesson.id)
                if made:
                    self._made(session, lesson)

    def _made(self, session: object, lesson: Lesson) -> None:
        keys = {}
        for name, body, kind in FILES:
            keys[name] = f"films/{lesson.id}-{name}"
            self.storage.put(keys[name], body, kind)
        media = Media(
            lesson_id=lesson.id,
            storyboard_sha256="0" * 64,
            film=film(str(lesson.id)),
            video_key=keys["video.mp4"],
            captions_key=keys["captions.vtt"],
            chapters_key=keys["chapters.vtt"],
            transcript_key=keys["transcript.md"],
            poster_key=keys["poster.jpg"],
        )
        session.add(media)  # type: ignore[attr-defined]
        for position, item in enumerate(ITEMS, start=1):
            session.add(QuizItem(lesson_id=lesson.id, position=position, document=item))  # type: ignore[attr-defined]


def _chunks(row: Source) -> list[Chunk]:
    """The source's passages, as they are stored when it is read; nothing has embedded them."""
    return [
        Chunk(
            course_id=row.course_id,
            source_id=row.id,
            position=position,
            start=chunk.start,
            end=chunk.end,
            heading=chunk.heading,
            body=chunk.text,
        )
        for position, chunk in enumerate(chunks_of(source_document(row)))
    ]


UNITS = ("The air above the map", "Deciding to go")
LESSONS = (
    (0, "Fronts and pressure", "Estimate wind strength from the spacing of isobars"),
    (0, "The Beaufort scale", "Choose a Beaufort number from a description of the sea"),
    (1, "Go, wait or change the plan", "Judge whether a passage is safe from one chart"),
)
FILES = (
    ("video.mp4", bytes(range(256)) * 40, "video/mp4"),
    ("captions.vtt", b"WEBVTT\n\n00:00.000 --> 00:50.000\nLook at the lines around the low.\n", "text/vtt"),
    ("chapters.vtt", b"WEBVTT\n", "text/vtt"),
    ("transcript.md", b"Look at the lines.", "text/markdown"),
    ("poster.jpg", b"\xff\xd8\xff\xe0poster", "image/jpeg"),
)
