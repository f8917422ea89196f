"""From the writer's answer to a lesson: every sentence that states a fact gets its exact cite, or it does not stay."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from service.authors.agents.drafts import MOST_FAULTS, Draft
from service.authors.agents.quotes import resolve
from service.authors.agents.shapes import BlockShape, LessonTextShape, SentenceShape
from service.authors.agents.shelf import Passage, Shelf, same
from service.authors.agents.wording import clean, objections, only_asks, states_a_fact
from service.domain.course import LessonPlan
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
    TableBlock,
)
from service.domain.support import judged

_ID = re.compile(r"^\[S\d+\] ?")  # of a sentence that stood in the lesson and was copied with its mark


@dataclass
class Writing:
    """One lesson's text in the making: what it may cite, and what was said already, here or in a lesson before.

    `kept` are sentences that stand already and stay as they are when they are repeated word for word. In a course
    without sources nothing can be quoted: every sentence that is no question is taken for a fact without a proof.
    """

    planned: LessonPlan
    passages: Sequence[Passage]
    shelf: Shelf
    told: frozenset[str] = frozenset()
    kept: Mapping[str, Claim] = field(default_factory=dict)
    said: set[str] = field(default_factory=set)
    shown: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)

    def lesson(self, shape: LessonTextShape) -> Draft[Lesson]:
        """The lesson, and what the writer should change; None when no sentence of it has a proof."""
        blocks: list[LessonBlock] = []
        for number, block in enumerate(shape.blocks, start=1):
            made = self.block(block, f"b{number}")
            if made is not None:
                blocks.append(made)
        lesson = Lesson(
            id=self.planned.id,
            title=self.planned.title,
            objectives=self.planned.objectives,
            blocks=tuple(_without_empty_headings(blocks)),
        )
        self.faults += self._not_shown()
        if not any(claim.factual and (claim.cites or not self.shelf.passages) for claim in lesson.claims()):
            return Draft(None, (*self.faults[:MOST_FAULTS], "No sentence quotes a passage that was given."))
        return Draft(lesson, tuple(self.faults[:MOST_FAULTS]))

    def block(self, shape: BlockShape, block_id: str) -> LessonBlock | None:
        """The block; None when nothing of it can be used."""
        title = clean(shape.title, self.shelf.text)
        if shape.kind == "heading":
            return HeadingBlock(id=block_id, text=title) if title else None
        if shape.kind == "exhibit":
            return self._exhibit(shape.exhibit, block_id)
        if shape.kind in ("steps", "bullets"):
            items = tuple((claim,) for claim in self._claims(shape.sentences))
            return ListBlock(id=block_id, items=items, ordered=shape.kind == "steps") if items else None
        claims = tuple(self._claims(shape.sentences))
        if not claims:
            return None
        match shape.kind:
            case "definition" if title:
                return DefinitionBlock(id=block_id, term=title, claims=claims)
            case "warning" | "note":
                return NoteBlock(id=block_id, title=title, tone=shape.kind, claims=claims)
            case "exercise":
                solution = tuple(self._claims(shape.solution))
                return ExerciseBlock(id=block_id, title=title or "Practice", task=claims, solution=solution)
        return ParagraphBlock(id=block_id, claims=claims)

    def _claims(self, shapes: Iterable[SentenceShape]) -> Iterator[Claim]:
        for shape in shapes:
            claim = self._claim(shape)
            if claim is None or same(claim.text) in self.said:
                continue
            self.said.add(same(claim.text))
            yield claim

    def _claim(self, shape: SentenceShape) -> Claim | None:
        """The sentence as it stood; without a proof where there are no sources; else with the proof that it needs."""
        text = _ID.sub("", clean(shape.text, self.shelf.text))
        if not text or same(text) in self.kept:
            return self.kept.get(same(text))
        if self.shelf.passages:
            return self._proven(shape, text)
        return Claim(text=text, factual=False) if only_asks(text) else Claim(text=text, state="unsupported")

    def _proven(self, shape: SentenceShape, text: str) -> Claim | None:
        """The sentence with its proof; one that needs none as it is; None when it has none and needs one."""
        if not shape.quote.strip():
            if not states_a_fact(text):
                return Claim(text=text, factual=False)
            self.faults.append(f"“{text[:120]}” states a fact and quotes nothing: quote its proof or leave it out.")
            return None
        named = self.shelf.passage(shape.passage)
        where = [passage for passage in self.passages if passage is named] + list(self.passages)
        cite = resolve(shape.quote, where)
        if cite is None:
            self.faults.append(f"“{text[:120]}”: no passage that was given holds “{clean(shape.quote, '')[:120]}”.")
            return None
        if same(cite.quote) in self.told:
            return None
        for objection in objections(text, [cite.quote])[:1]:
            self.faults.append(f"“{text[:120]}” says something else than its quote: {objection.rstrip('.')}.")
        return judged(Claim(text=text, cites=(cite,)))

    def _exhibit(self, name: str, block_id: str) -> LessonBlock | None:
        exhibit = self.shelf.exhibit(name)
        if exhibit is None or not any(exhibit in passage.exhibits for passage in self.passages):
            self.faults.append(f"There is no exhibit {clean(name, '')[:20]} in the passages of this lesson.")
            return None
        if exhibit.id in self.shown:
            return None
        self.shown.add(exhibit.id)
        if exhibit.block.kind == "table":
            return TableBlock(id=block_id, rows=exhibit.rows, cites=exhibit.cites)
        return CodeBlock(
            id=block_id, code=exhibit.text, lang=exhibit.block.lang, output=exhibit.output, cites=exhibit.cites
        )

    def _not_shown(self) -> Iterator[str]:
        missing = [x.id for passage in self.passages for x in passage.exhibits if x.id not in self.shown]
        if missing:
            yield f"The exhibits {', '.join(missing)} are shown nowhere: show each where it is explained."


def _without_empty_headings(blocks: Sequence[LessonBlock]) -> Iterator[LessonBlock]:
    for block, following in zip(blocks, [*blocks[1:], None], strict=True):
        if not isinstance(block, HeadingBlock) or (following and not isinstance(following, HeadingBlock)):
            yield block
