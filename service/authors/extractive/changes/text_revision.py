"""Shorter, longer, with an example, or again: the ways in which blocks of a lesson can be written from its sources."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from service.authors.extractive.changes.unused import Found, Unused
from service.authors.extractive.language.sentences import Sentence
from service.authors.extractive.language.words import bag, cosine, overlap
from service.authors.extractive.lessons.compose import claim_of, write_lesson
from service.authors.extractive.sources.library import Library
from service.domain.consequences import meets
from service.domain.course import CoursePlan
from service.domain.lesson import (
    Claim,
    CodeBlock,
    DefinitionBlock,
    HeadingBlock,
    Lesson,
    LessonBlock,
    ListBlock,
    NoteBlock,
    ParagraphBlock,
    QuoteBlock,
)
from service.domain.source import Cite
from service.domain.wishes import Wish, words_of

PROSE = (ParagraphBlock, NoteBlock, QuoteBlock, DefinitionBlock)
MUCH_SHORTER, MUCH_LONGER = 0.8, 1.3
FEWEST_ENTRIES, FEWEST_LISTED = 2, 3
OTHER_WAYS = 3
OPENS = 0.3  # what opens a block is what the rest hangs on


@dataclass(frozen=True)
class Group:
    """Sentences of one block that are understood together; of a list, one entry."""

    block: str
    place: int
    claims: tuple[Claim, ...]
    worth: float

    @property
    def words(self) -> int:
        return sum(len(claim.text.split()) for claim in self.claims)


class TextChanges:
    """The ways to change the chosen blocks of a lesson, all of them or one."""

    def __init__(self, plan: CoursePlan, lesson: Lesson, chosen: frozenset[str], library: Library) -> None:
        self._plan, self._lesson, self._chosen, self._library = plan, lesson, chosen, library
        self._unused = Unused(plan, lesson, library)
        texts = [claim.text for block in lesson.blocks if block.id in chosen for claim in _claims(block)]
        self._centre = bag(texts)
        self._key = set(bag([lesson.title, *(objective.text for objective in lesson.objectives)]))

    def ways(self, wish: Wish) -> Iterator[Lesson]:
        """The lesson with the wish granted, the best way first."""
        match wish:
            case "shorter":
                yield from self._shorter()
            case "longer":
                yield from self._longer()
            case "example":
                yield from self._with_example()
            case "again":
                yield from self._again()

    # --- shorter ---

    def _shorter(self) -> Iterator[Lesson]:
        """The least central sentences go until a fifth is gone; each further way starts with another one."""
        pool = sorted(self._groups(), key=lambda group: (group.worth, group.block, group.place))
        for first in range(min(len(pool), OTHER_WAYS)):
            gone = self._enough([*pool[first:], *pool[:first]])
            lesson = self._with(
                lambda block, gone=gone: _of_groups(  # type: ignore[misc]
                    block, [claims for n, claims in enumerate(_groups_of(block)) if (block.id, n) not in gone]
                )
            )
            kept = tuple(block for block in lesson.blocks if not _is_empty(block))
            yield lesson.model_copy(update={"blocks": kept})

    def _groups(self) -> list[Group]:
        return [
            Group(block.id, place, claims, self._worth(claims) + (0 if place else OPENS))
            for block in self._lesson.blocks
            if block.id in self._chosen
            for place, claims in enumerate(_groups_of(block))
            if not _leads(claims) and (place or not isinstance(block, DefinitionBlock))  # its first sentence is it
        ]

    def _worth(self, claims: Sequence[Claim]) -> float:
        texts = [claim.text for claim in claims]
        return cosine(bag(texts), self._centre) + 0.5 * overlap(" ".join(texts), self._key)

    def _enough(self, pool: Sequence[Group]) -> set[tuple[str, int]]:
        """So many groups that a fifth is gone. A block keeps one, a list two; of the whole lesson a paragraph may go
        where its section has another block of sentences."""
        left = {block.id: len(_groups_of(block)) for block in self._lesson.blocks}
        kinds = {block.id: block for block in self._lesson.blocks}
        sections = _sections(self._lesson)
        words = self._words()
        goal, gone = MUCH_SHORTER * words, set[tuple[str, int]]()
        for group in pool:
            block = kinds[group.block]
            fewest = FEWEST_ENTRIES if isinstance(block, ListBlock) else 1
            last = left[group.block] <= fewest
            others = [one for one in sections[group.block] if one != group.block and left[one]]
            droppable = len(self._chosen) > 1 and isinstance(block, ParagraphBlock) and bool(others)
            if words > goal and (not last or droppable):
                gone.add((group.block, group.place))
                left[group.block] -= 1
                words -= group.words
        return gone

    def _words(self) -> int:
        return sum(words_of(block) for block in self._lesson.blocks if block.id in self._chosen)

    # --- longer ---

    def _longer(self) -> Iterator[Lesson]:
        """A sentence that nobody told yet joins each block that it fits; a third more at the most."""
        room = (MUCH_LONGER - 1) * self._words() if len(self._chosen) > 1 else 0.0
        for skip in range(OTHER_WAYS):
            lesson, added, taken = self._lesson, 0, set[int]()
            for block in self._lesson.blocks:
                found = self._fitting(block, taken)[skip:]
                if block.id in self._chosen and found and (not added or added < room):
                    taken.add(found[0].cites[0].start)
                    lesson = _put(lesson, block.id, _extended(block, found[0], _new_id(lesson)))
                    added += found[0].words
            yield lesson

    def _fitting(self, block: LessonBlock, taken: set[int]) -> list[Found]:
        claims = _claims(block)
        if not isinstance(block, (*PROSE, ListBlock)) or not claims:
            return []
        texts, cites = [claim.text for claim in claims], [cite for claim in claims for cite in claim.cites]
        return [one for one in self._unused.about(texts, cites) if one.cites[0].start not in taken]

    # --- an example ---

    def _with_example(self) -> Iterator[Lesson]:
        """A sentence that gives an example, else code, after the block that it fits best."""
        blocks = [block for block in self._lesson.blocks if block.id in self._chosen and _claims(block)]
        fitting = [(found, block) for block in blocks for found in self._examples(block)]
        for found, block in sorted(fitting, key=lambda one: -one[0].fit)[:OTHER_WAYS]:
            yield _put(self._lesson, block.id, _extended(block, found, _new_id(self._lesson)))

    def _examples(self, block: LessonBlock) -> list[Found]:
        texts = [claim.text for claim in _claims(block)]
        cites = [cite for claim in _claims(block) for cite in claim.cites]
        return self._unused.about(texts, cites, ("example",)) or self._unused.code_about(texts, cites)

    # --- again ---

    def _again(self) -> Iterator[Lesson]:
        """As the sources have it now, where people changed it; else with another sentence for the least central one;
        else the same sentences as a list."""
        fresh = write_lesson(self._plan, self._lesson.id, self._library)
        if len(self._chosen) == len(self._lesson.blocks):
            yield self._lesson.model_copy(update={"blocks": fresh.blocks})
        else:
            yield self._with(lambda block: _counterpart(block, self._lesson, fresh))
        for group in sorted(self._groups(), key=lambda one: (one.worth, one.block, one.place))[:OTHER_WAYS]:
            block = next(one for one in self._lesson.blocks if one.id == group.block)
            found = self._fitting(block, set())
            if found and isinstance(block, PROSE):
                swapped = list(_groups_of(block))
                swapped[group.place] = tuple(map(claim_of, found[0].sentences))
                yield _put(self._lesson, block.id, (_of_groups(block, swapped),))
        if len(self._chosen) == 1:
            yield self._with(_in_another_form)

    def _with(self, change: Callable[[LessonBlock], LessonBlock]) -> Lesson:
        blocks = tuple(change(block) if block.id in self._chosen else block for block in self._lesson.blocks)
        return self._lesson.model_copy(update={"blocks": blocks})


def _claims(block: LessonBlock) -> tuple[Claim, ...]:
    return tuple(Lesson(id="", title="", blocks=(block,)).claims())


def _groups_of(block: LessonBlock) -> list[tuple[Claim, ...]]:
    """What of the block can be left out as one: the entries of a list, in prose a sentence with those that lean on it.

    The steps of a procedure cannot, nor an exercise, nor what is quoted whole.
    """
    if isinstance(block, ListBlock):
        return [] if block.ordered else list(block.items)
    if not isinstance(block, PROSE):
        return []
    groups: list[tuple[Claim, ...]] = []
    for claim in block.claims:
        if groups and not Sentence(claim.text, claim.cites).alone:
            groups[-1] = (*groups[-1], claim)
        else:
            groups.append((claim,))
    return groups


def _of_groups(block: LessonBlock, groups: Sequence[tuple[Claim, ...]]) -> LessonBlock:
    if isinstance(block, ListBlock):
        return block if block.ordered else block.model_copy(update={"items": tuple(groups)})
    if not isinstance(block, PROSE):
        return block
    return block.model_copy(update={"claims": tuple(claim for group in groups for claim in group)})


def _in_another_form(block: LessonBlock) -> LessonBlock:
    """A paragraph of several statements as a list; anything else as it is."""
    groups = _groups_of(block)
    if isinstance(block, ParagraphBlock) and len(groups) >= FEWEST_LISTED and not any(map(_leads, groups)):
        return ListBlock(id=block.id, items=tuple(groups))
    return block


def _leads(group: Sequence[Claim]) -> bool:
    """Whether it announces what comes behind its block."""
    return group[-1].text.rstrip().endswith(":")


def _is_empty(block: LessonBlock) -> bool:
    return isinstance(block, ParagraphBlock) and not block.claims


def _sections(lesson: Lesson) -> dict[str, list[str]]:
    """For each block the blocks of sentences under the same heading."""
    found: dict[str, list[str]] = {}
    section: list[str] = []
    for block in lesson.blocks:
        if isinstance(block, HeadingBlock):
            section = []
        elif isinstance(block, (*PROSE, ListBlock)):
            section.append(block.id)
        found[block.id] = section
    return found


def _put(lesson: Lesson, block_id: str, blocks: Sequence[LessonBlock]) -> Lesson:
    """The lesson with these blocks in the place of one."""
    place = next(n for n, block in enumerate(lesson.blocks) if block.id == block_id)
    return lesson.model_copy(update={"blocks": (*lesson.blocks[:place], *blocks, *lesson.blocks[place + 1 :])})


def _extended(block: LessonBlock, found: Found, new_id: str) -> tuple[LessonBlock, ...]:
    """The block with what was found: inside where it is prose, else behind it. A quotation is nobody else's words."""
    if not found.sentences:
        idea = found.idea
        return block, CodeBlock(id=new_id, code=idea.code, lang=idea.lang, output=idea.output, cites=idea.cites)
    claims = tuple(map(claim_of, found.sentences))
    if not isinstance(block, ParagraphBlock | NoteBlock | DefinitionBlock):
        return block, ParagraphBlock(id=new_id, claims=claims)
    groups = _groups_of(block)
    place = next((n for n, group in enumerate(groups) if n and _is_behind(group, found.cites[0])), len(groups))
    return (_of_groups(block, [*groups[:place], claims, *groups[place:]]),)


def _is_behind(group: Sequence[Claim], cite: Cite) -> bool:
    """Whether the group stands behind the cite in the same source."""
    return any(one.source == cite.source and one.start > cite.start for claim in group for one in claim.cites)


def _new_id(lesson: Lesson) -> str:
    numbers = [int(block.id[1:]) for block in lesson.blocks if block.id[:1] == "b" and block.id[1:].isdigit()]
    return f"b{max(numbers, default=len(lesson.blocks)) + 1}"


def _counterpart(block: LessonBlock, lesson: Lesson, fresh: Lesson) -> LessonBlock:
    """The block as it is written from the sources now; itself where it is of our own making, or would repeat others."""
    cites = tuple(Lesson(id="", title="", blocks=(block,)).cites())
    others = {claim.text for one in lesson.blocks if one.id != block.id for claim in _claims(one)}
    shared = [
        (sum(meets(cite, cites) for cite in Lesson(id="", title="", blocks=(one,)).cites()), -n, one)
        for n, one in enumerate(fresh.blocks)
        if one.kind == block.kind
    ]
    count, _, best = max(shared, key=lambda one: one[:2], default=(0, 0, block))
    repeats = any(claim.text in others for claim in _claims(best))
    return block if not count or repeats else best.model_copy(update={"id": block.id})
