"""Writes the text of a lesson: the passages of its plan as headings, paragraphs, lists, code, tables and exercises."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from service.authors.extractive.language.sentences import Sentence
from service.authors.extractive.lessons.practice import own_practice
from service.authors.extractive.lessons.pretraining import HEADING, words_to_know
from service.authors.extractive.sources.library import Library, same
from service.authors.extractive.sources.material import Idea, Section
from service.domain.course import CoursePlan
from service.domain.lesson import (
    Claim,
    CodeBlock,
    DefinitionBlock,
    ExerciseBlock,
    HeadingBlock,
    Lesson,
    LessonBlock,
    ListBlock,
    NoteBlock,
    ParagraphBlock,
    QuoteBlock,
    TableBlock,
)

_HALF = re.compile(r"(?:If|When|Where|Once) [^,:;]+$")  # a condition whose consequence is the next sentence


def write_lesson(plan: CoursePlan, lesson_id: str, library: Library) -> Lesson:
    """The lesson as the plan has it now."""
    planned = plan.lesson(lesson_id)
    sections = library.sections(planned)
    page = Page(planned.title, library.taught_before(plan, lesson_id))
    page.first(words_to_know(plan, lesson_id, library))
    page.body(sections)
    page.practice(own_practice(planned.objectives, sections, library.casing))
    page.keypoints(library.keypoints(plan, lesson_id))
    return Lesson(id=planned.id, title=planned.title, objectives=planned.objectives, blocks=tuple(page.blocks))


class Page:
    """The blocks of a lesson, in the order in which they are added. `told`: sentences of earlier lessons (`same`)."""

    def __init__(self, title: str, told: set[str]) -> None:
        self.title = title
        self.told = set(told)
        self.blocks: list[LessonBlock] = []
        self.path: list[tuple[str, int, str]] = []
        self.under_own_heading = False

    def _id(self) -> str:
        return f"b{len(self.blocks) + 1}"

    def first(self, terms: Sequence[DefinitionBlock]) -> None:
        """Words that the lesson uses and a later one explains."""
        if terms:
            self.blocks.append(HeadingBlock(id=self._id(), text=HEADING, level=2))
        for term in terms:
            self.blocks.append(term.model_copy(update={"id": self._id()}))
        self.under_own_heading = bool(terms)

    def body(self, sections: Sequence[Section]) -> None:
        """What the sources say, section by section."""
        several = len({section.source for section in sections}) > 1
        for section in sections:
            self._section(section, several)

    def practice(self, exercises: Sequence[ExerciseBlock]) -> None:
        """Own practice, where the sources have none."""
        if any(isinstance(block, ExerciseBlock) for block in self.blocks):
            return
        for exercise in exercises:
            self.blocks.append(exercise.model_copy(update={"id": self._id()}))

    def _section(self, section: Section, several: bool) -> None:
        count = len(self.blocks)
        self._headings(section, several)
        if self.under_own_heading and len(self.blocks) == count:
            self.blocks.append(HeadingBlock(id=self._id(), text=self.title, level=2))
        self.under_own_heading = False
        for idea in section.ideas:
            self._idea(idea)

    def _headings(self, section: Section, several: bool) -> None:
        """The heading of the section, and those above it that have not been written yet."""
        chain: list[Section] = []
        node: Section | None = section
        while node is not None and (node.parent is not None or several):
            chain.insert(0, node)
            node = node.parent
        path = [(node.source, node.start, node.title) for node in chain]
        known = 0
        while known < min(len(path), len(self.path)) and path[known] == self.path[known]:
            known += 1
        self.path = path
        for depth, node in enumerate(chain[known:], start=known):
            if same(node.title) != same(self.title) or depth:
                self.blocks.append(HeadingBlock(id=self._id(), text=node.title, level=min(2 + depth, 4)))

    def _idea(self, idea: Idea) -> None:
        match idea.kind:
            case "text":
                self._text(idea)
            case "quote":
                claims = self._claims(idea.sentences)
                if claims:
                    self.blocks.append(QuoteBlock(id=self._id(), claims=claims))
            case "list" | "steps":
                self._list(idea)
            case "code":
                block = CodeBlock(id=self._id(), code=idea.code, lang=idea.lang, output=idea.output, cites=idea.cites)
                self.blocks.append(block)
            case "table":
                self.blocks.append(TableBlock(id=self._id(), rows=idea.rows, cites=idea.cites + idea.row_cites))
            case "exercise":
                self._exercise(idea)

    def _text(self, idea: Idea) -> None:
        sentences = self._fresh(idea.sentences)
        if not sentences:
            return
        if idea.tone:
            self.blocks.append(
                NoteBlock(id=self._id(), title=idea.label, tone=idea.tone, claims=self._claims(sentences, False))
            )
            return
        first = next((unit for unit in idea.units if unit.head is sentences[0]), None)
        term = first.head.defines if first else None
        if first and term and term[1] and all(sentence in sentences for sentence in first.sentences):
            count = len(first.sentences)
            claims = self._claims(sentences[:count], False)
            self.blocks.append(DefinitionBlock(id=self._id(), term=term[0], claims=claims))
            sentences = sentences[count:]
        if sentences:
            self.blocks.append(ParagraphBlock(id=self._id(), claims=self._claims(sentences, False)))

    def _list(self, idea: Idea) -> None:
        fresh = idea.kind == "list"
        items = [claims for item in idea.items if (claims := _closed(self._claims(item, fresh)))]
        if items:
            if idea.label:
                self.blocks.append(HeadingBlock(id=self._id(), text=idea.label, level=4))
            self.blocks.append(
                ListBlock(
                    id=self._id(),
                    items=tuple(items),
                    ordered=idea.items[0][0].ordered,
                    first_number=idea.first_number,
                )
            )

    def _exercise(self, idea: Idea) -> None:
        self.blocks.append(
            ExerciseBlock(
                id=self._id(),
                title=idea.label or "Practice",
                task=self._claims(idea.sentences, False),
                solution=self._claims(idea.solution, False),
                code=idea.code,
                solution_code=idea.solution_code,
                cites=idea.cites,
            )
        )

    def keypoints(self, sentences: Sequence[Sentence]) -> None:
        """The points that the sources themselves call the key ones close the lesson."""
        items = tuple(claims for sentence in sentences if (claims := self._claims([sentence])))
        if len(items) > 1:
            self.blocks.append(HeadingBlock(id=self._id(), text="Key points", level=2))
            self.blocks.append(ListBlock(id=self._id(), items=items))

    def _fresh(self, sentences: Iterable[Sentence]) -> list[Sentence]:
        """The sentences that were not told before; what leans on a dropped one goes with it."""
        kept: list[Sentence] = []
        dropped = False
        for sentence in sentences:
            key = same(sentence.text)
            repeated = key in self.told and len(key.split()) > 3
            if repeated or (dropped and not sentence.alone):
                dropped = True
                continue
            dropped = False
            self.told.add(key)
            kept.append(sentence)
        return kept

    def _claims(self, sentences: Sequence[Sentence], fresh: bool = True) -> tuple[Claim, ...]:
        return tuple(claim_of(sentence) for sentence in (self._fresh(sentences) if fresh else sentences))


def _closed(claims: tuple[Claim, ...]) -> tuple[Claim, ...]:
    """An entry of several sentences gets the full stops that list entries lack."""
    if len(claims) < 2:
        return claims
    return tuple(
        claim
        if re.search(r"[.!?…:;,。！？][\"”’')\]]*$", claim.text)
        else claim.model_copy(update={"text": claim.text + (":" if _HALF.match(claim.text) else ".")})
        for claim in claims
    )


def claim_of(sentence: Sentence) -> Claim:
    """The sentence as a claim of the lesson; a question states nothing, so it needs no proof."""
    if "question" in sentence.roles:
        return Claim(text=sentence.text, factual=False)
    return Claim(text=sentence.text, cites=sentence.cites)
