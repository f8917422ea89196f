"""A block of a lesson's text, or all of them, made anew: the task for the writer, and the reading of its answer.

The writer sees the part, the sentences before and after it, the passages that it may cite, and the instructor's wish.
A sentence that it repeats word for word keeps its cites and its state; a new one earns its cite like any other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence

from service.authors.agents.drafts import MOST_FAULTS, Draft
from service.authors.agents.lesson_page import LessonPage
from service.authors.agents.prompting import marked, material_of
from service.authors.agents.shapes import BlockRevisionShape, LessonTextShape
from service.authors.agents.shelf import Exhibit, Passage, Shelf, same
from service.authors.agents.texts import Writing
from service.domain.course import CoursePlan
from service.domain.lesson import (
    CodeBlock,
    ExerciseBlock,
    HeadingBlock,
    Lesson,
    LessonBlock,
    ListBlock,
    TableBlock,
)
from service.domain.revision import Change, LessonDocuments
from service.domain.wishes import broken_rule
from service.errors import BadInput

MOST_PASSAGES, FOUND_FOR_A_WISH = 10, 6
ANEW = "Say the same in another way."


class TextRevision:
    """One change of a lesson's text: of one block, or of all of it.

    Raises:
        BadInput: there is no such block, or it holds nothing that can be rewritten.
    """

    def __init__(self, plan: CoursePlan, documents: LessonDocuments, shelf: Shelf, change: Change) -> None:
        lesson = documents.text
        self._plan, self._documents, self._lesson, self._shelf, self._change = plan, documents, lesson, shelf, change
        self._block = block_of(lesson, change.id) if change.part == "block" else None
        self._wish = " ".join(change.wish.split())
        self._part = lesson.model_copy(update={"blocks": (self._block,), "objectives": ()}) if self._block else lesson
        self._passages = self._citable()

    def task(self) -> str:
        """What the writer is asked: our words, the instructor's wish, and all else between marks."""
        lesson, block = self._lesson, self._block
        what = "one block" if block else "the whole text"
        lines = [f"Revise {what} of the lesson “{lesson.title}”.", wish_line(self._wish)]
        page = LessonPage(self._part, {block.id: one.id for block, one in self._exhibits(lesson.blocks)})
        lines += [marked("lesson", {"part": block.kind if block else "text"}, page.render())]
        if block:
            lines += self._neighbours(block)
        if self._passages:
            lines += ["The passages that you may cite:", material_of(self._passages)]
        return "\n\n".join(lines)

    def read_block(self, shape: BlockRevisionShape) -> Draft[LessonDocuments]:
        """The documents with the one block replaced."""
        block = self._block
        assert block is not None
        others = [one for one in self._lesson.blocks if one is not block]
        writing = self._writing(others)
        made = writing.block(shape.block, block.id)
        if made is None:
            return Draft(None, (*writing.faults[:MOST_FAULTS], "Nothing of the block can be used."))
        made = _with_its_code(made, block)
        blocks = tuple(made if one is block else one for one in self._lesson.blocks)
        return self._draft(blocks, [*writing.faults, *_lost_words([block], [made])])

    def read_lesson(self, shape: LessonTextShape) -> Draft[LessonDocuments]:
        """The documents with all of the text made anew; a block that stays keeps its id."""
        draft = self._writing([]).lesson(shape)
        if draft.document is None:
            return Draft(None, draft.faults)
        old, new = self._lesson.blocks, draft.document.blocks
        return self._draft(tuple(_identified(new, old)), [*draft.faults, *_lost_words(old, new)])

    def _draft(self, blocks: tuple[LessonBlock, ...], faults: Sequence[str]) -> Draft[LessonDocuments]:
        """The documents with these blocks, unless they break the rules that every change keeps."""
        lesson = self._lesson.model_copy(update={"blocks": blocks})
        after = self._documents.model_copy(update={"text": lesson})
        broken = broken_rule(self._documents, after, self._change)
        return Draft(None, (*faults[:MOST_FAULTS], broken)) if broken else Draft(after, tuple(faults[:MOST_FAULTS]))

    def _writing(self, others: Sequence[LessonBlock]) -> Writing:
        rest = self._lesson.model_copy(update={"blocks": tuple(others)})
        kept = {same(claim.text): claim for claim in self._part.claims()}
        return Writing(
            self._plan.lesson(self._lesson.id),
            self._passages,
            self._shelf,
            self._shelf.told_before(self._plan, self._lesson.id),
            kept=kept,
            said={same(claim.text) for claim in rest.claims()} - kept.keys(),
            shown={exhibit.id for _, exhibit in self._exhibits(others)},
        )

    def _exhibits(self, blocks: Iterable[LessonBlock]) -> Iterator[tuple[LessonBlock, Exhibit]]:
        """The code and the tables among the blocks, each with the exhibit that it shows."""
        known = [exhibit for passage in self._passages for exhibit in passage.exhibits]
        for block in blocks:
            cites = block.cites if isinstance(block, CodeBlock | TableBlock) else ()
            shown = next((one for one in known if any(one.holds(cite) for cite in cites)), None)
            if shown is not None:
                yield block, shown

    def _citable(self) -> list[Passage]:
        """The passages that the part cites, then those of its lesson that are about the wish."""
        own = self._shelf.covering(self._part.cites())
        if self._block is None or not self._shelf.passages:
            planned = self._shelf.covering(self._plan.lesson(self._lesson.id).passages)
            return list(dict.fromkeys((*own, *planned)))
        lesson = self._shelf.covering((*self._plan.lesson(self._lesson.id).passages, *self._lesson.cites()))
        words = " ".join(claim.text for claim in self._part.claims())
        found = self._shelf.search(f"{self._wish} {words}"[:400], FOUND_FOR_A_WISH)
        return list(dict.fromkeys((*own, *(one for one in found if one in lesson))))[:MOST_PASSAGES]

    def _neighbours(self, block: LessonBlock) -> Iterator[str]:
        place = self._lesson.blocks.index(block)
        for name, others, at in (
            ("before", reversed(self._lesson.blocks[:place]), -1),
            ("after", self._lesson.blocks[place + 1 :], 0),
        ):
            near = next((text for other in others if (text := _sentences(other))), None)
            if near:
                yield marked("lesson", {"part": name}, near[at])


def block_of(lesson: Lesson, block_id: str) -> LessonBlock:
    """The block that is to be rewritten. Raises BadInput: there is none, or it is not made of sentences."""
    found = next((block for block in lesson.blocks if block.id == block_id), None)
    if found is None:
        raise BadInput("This block is not in the lesson any more. Reload the page and choose again.")
    if isinstance(found, CodeBlock | TableBlock):
        raise BadInput(
            f"A {found.kind} block stands as its source has it, so it is not rewritten. Change the text beside it."
        )
    return found


def wish_line(wish: str) -> str:
    """The instructor's wish as the agents read it."""
    return f"The instructor's wish: {wish or ANEW}"


def _sentences(block: LessonBlock) -> list[str]:
    if isinstance(block, HeadingBlock):
        return [block.text]
    return [claim.text for claim in Lesson(id="", title="", blocks=(block,)).claims()]


def _bare(block: LessonBlock) -> LessonBlock:
    """The block without its name, as two of them compare."""
    return block.model_copy(update={"id": ""})


def _with_its_code(made: LessonBlock, old: LessonBlock) -> LessonBlock:
    """What the sentences do not say and the writer does not see: an exercise's code, the number a list begins with."""
    if isinstance(made, ExerciseBlock) and isinstance(old, ExerciseBlock):
        code = {"code": old.code, "solution_code": old.solution_code, "cites": old.cites}
        return made.model_copy(update=code if old.solution_code or old.code else {})
    if isinstance(made, ListBlock) and isinstance(old, ListBlock) and made.ordered:
        return made.model_copy(update={"first_number": old.first_number})
    return made


def _lost_words(old: Iterable[LessonBlock], new: Iterable[LessonBlock]) -> Iterator[str]:
    """Sentences that an instructor wrote stay, unless a passage proves what takes their place."""
    left = {same(text) for block in new for text in _sentences(block)}
    for claim in (claim for block in old for claim in Lesson(id="", title="", blocks=(block,)).claims()):
        if claim.state == "edited" and same(claim.text) not in left:
            yield f"“{claim.text[:120]}” is the instructor's own sentence: repeat it word for word."


def _identified(new: Sequence[LessonBlock], old: Sequence[LessonBlock]) -> Iterator[LessonBlock]:
    """The blocks with ids: of the block that they were, or whose sentence they keep; else new ones."""
    free = {block.id: block for block in old}
    for block in new:
        was = next((one for one in free.values() if _bare(one) == _bare(block)), None)
        was = was or next((one for one in free.values() if one.kind == block.kind and _share(one, block)), None)
        if was is not None:
            del free[was.id]
        yield block.model_copy(update={"id": was.id if was else f"r{_digest(block)}"})


def _share(one: LessonBlock, other: LessonBlock) -> bool:
    return bool({same(text) for text in _sentences(one)} & {same(text) for text in _sentences(other)})


def _digest(block: LessonBlock) -> str:
    return hashlib.sha256(_bare(block).model_dump_json().encode()).hexdigest()[:10]
