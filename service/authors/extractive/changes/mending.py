"""The smallest change of a lesson by which it follows its source: what cites a changed passage is worded anew from it.

A word or a number that changed in the source changes in the sentence, the slide and the question that hold it; where
that cannot be done, the source's new sentence takes the place of the old one. What cites a passage that is gone goes.
Everything else stays, character for character. No model is asked: a person who wants another wording asks for one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import SequenceMatcher

from service.authors.extractive.changes.rewording import like, reworded, verbatim
from service.authors.extractive.language.sentences import Inline, Sentence
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
from service.domain.outdated import Replaced
from service.domain.source import Cite, Source
from service.domain.support import judge, judged

Place = tuple[str, int, int]


class Mending:
    """What is known of every cited passage that changed, and how words follow it."""

    def __init__(self, replaced: Iterable[Replaced], source: Source) -> None:
        self._source = source
        self._known: Mapping[Place, Replaced] = {_place(one.old): one for one in replaced}
        self.notes: list[str] = []

    def of(self, cites: Iterable[Cite]) -> list[Replaced]:
        """What changed of these passages."""
        return [found for cite in cites if (found := self._known.get(_place(cite))) is not None]

    def cites(self, cites: Iterable[Cite]) -> tuple[Cite, ...]:
        """The cites as they are to be: of the new version, without those of what is gone."""
        found: dict[Place, Cite] = {}
        for cite in cites:
            change = self._known.get(_place(cite))
            now = cite if change is None else change.new
            if now is not None:
                found.setdefault(_place(now), now)
        return tuple(found.values())

    def sentence(self, cite: Cite) -> Sentence:
        """What the new version says there, with the marks of code and emphasis that it has."""
        blocks = [block for block in self._source.blocks if block.start < cite.end and block.end > cite.start]
        marks = tuple(
            Inline(mark.kind, max(mark.start, cite.start) - cite.start, min(mark.end, cite.end) - cite.start)
            for block in blocks
            for mark in block.marks
            if mark.end > cite.start and mark.start < cite.end and mark.kind != "link"
        )
        kind = "item" if blocks and blocks[0].kind == "item" else "paragraph"
        return Sentence(cite.quote, (cite,), marks, kind, bool(blocks and blocks[0].ordered))

    def text(self, text: str, cites: Iterable[Cite]) -> str:
        """The text with every word changed in it that changed in the passages."""
        for change in self.of(cites):
            if text and change.new is not None:
                text = reworded(text, change.old.quote, change.new.quote)
        return text

    def wording(self, text: str, cites: Sequence[Cite]) -> str:
        """The sentence as the new passages have it; '' when none of what it said stands there any more.

        `cites` are those that it had. The words that changed are changed in it, if the new passages then support it;
        else it becomes what stands there now, made to stand alone. A sentence that did not say what its passages say,
        such as “Compare it with the points on screen”, is kept beside that.
        """
        changes = self.of(cites)
        now = [cite.quote for cite in self.cites(cites)]
        there = [(change.old, change.new) for change in changes if change.new is not None]
        if not now:
            return ""
        if len(cites) == 1 and there and verbatim(text, there[0][0].quote):
            return like(text, there[0][1].quote)
        made = self.text(text, cites)
        if judge(made, now).state == "supported":
            return made
        if judge(text, (cite.quote for cite in cites)).state != "supported":
            return made
        return " ".join(self.alone(new) for _, new in there)

    def alone(self, cite: Cite) -> str:
        """What stands there now as a sentence that needs none before it, as far as rules can do that."""
        if "\t" in cite.quote:
            label, *cells = (cell.strip() for cell in cite.quote.split("\t"))
            return f"{label}: {'; '.join(cell for cell in cells if cell)}."
        sentence = self.sentence(cite)
        return sentence.closed if sentence.alone else Sentence(sentence.plain, sentence.cites).closed


def _place(cite: Cite) -> Place:
    return cite.source, cite.start, cite.end


def mended_lesson(lesson: Lesson, mending: Mending) -> Lesson:
    """The text with every block that cites a changed passage following it; headings over nothing go."""
    blocks: list[LessonBlock] = []
    shift: dict[int, int] = {}
    for block in lesson.blocks:
        made = _block(block, mending)
        if isinstance(block, ListBlock) and block.ordered:
            made = _renumbered(block, made, shift)
        if made is not None:
            blocks.append(made)
    return lesson.model_copy(update={"blocks": tuple(_without_bare_headings(lesson.blocks, blocks))})


def _block(block: LessonBlock, mending: Mending) -> LessonBlock | None:
    match block:
        case ParagraphBlock() | DefinitionBlock() | QuoteBlock() | NoteBlock():
            claims = _claims(block.claims, mending)
            return _same_or(block, claims=claims) if claims else None
        case ListBlock():
            items = tuple(kept for item in block.items if (kept := _claims(item, mending)))
            return _same_or(block, items=items) if items else None
        case CodeBlock():
            return _code(block, mending)
        case TableBlock():
            return _table(block, mending)
        case ExerciseBlock():
            return _exercise(block, mending)
    return block


def _same_or(block: LessonBlock, **fields: object) -> LessonBlock:
    """The block itself when nothing of it changes."""
    if all(getattr(block, name) == value for name, value in fields.items()):
        return block
    return block.model_copy(update=fields)


def _claims(claims: Sequence[Claim], mending: Mending) -> tuple[Claim, ...]:
    kept: list[Claim] = []
    lost = False
    for claim in claims:
        made = _claim(claim, mending)
        if made is None:
            lost = True
            continue
        if lost and Sentence(made.text, ()).leans:
            mending.notes.append(f"A sentence went before “{_short(made.text)}”. Look at what that refers to now.")
        lost = False
        kept.append(made)
    return tuple(kept)


def _claim(claim: Claim, mending: Mending) -> Claim | None:
    if not mending.of(claim.cites):
        return claim
    text, cites = mending.wording(claim.text, claim.cites), mending.cites(claim.cites)
    return judged(Claim(text=text, cites=cites, factual=claim.factual)) if text and cites else None


def _code(block: CodeBlock, mending: Mending) -> CodeBlock | None:
    if not mending.of(block.cites):
        return block
    cites = mending.cites(block.cites)
    code, output = listing(block.code, block.cites, mending), listing(block.output, block.cites, mending)
    return block.model_copy(update={"code": code, "output": output, "cites": cites}) if code and cites else None


def listing(code: str, cites: Sequence[Cite], mending: Mending) -> str:
    """Code as the source has it now: a whole listing, or the first lines of one."""
    for change in mending.of(cites):
        old, new = change.old.quote.strip("\n"), change.new.quote.strip("\n") if change.new else ""
        if old and old in code:
            code = code.replace(old, new)
            continue
        shown = _opening(code, old)
        if shown:
            code = code.replace("\n".join(old.split("\n")[:shown]), "\n".join(new.split("\n")[:shown]))
    return code


def _opening(code: str, old: str) -> int:
    """How many of the first lines of a longer listing the code shows before it breaks off; 0: it is another one."""
    lines = old.split("\n")
    for count in range(len(lines) - 1, 0, -1):
        if "\n".join(lines[:count]) + "\n…" in code:
            return count
    return 0


def _table(block: TableBlock, mending: Mending) -> TableBlock | None:
    changes = mending.of(block.cites)
    if not changes:
        return block
    rows, cites = mended_rows(block.rows, block.cites, mending), mending.cites(block.cites)
    return block.model_copy(update={"rows": rows, "cites": cites}) if len(rows) > 1 and cites else None


def mended_rows(
    rows: tuple[tuple[str, ...], ...], cites: Sequence[Cite], mending: Mending
) -> tuple[tuple[str, ...], ...]:
    """The rows of a table, or the first of them, as the source has them now; a cell that stays is kept as it is set.

    The cite of the whole table says all; the cites of its rows are asked only where that one did not change.
    """
    changes = mending.of(cites)
    whole = [change for change in changes if "\n" in change.old.quote]
    for change in whole[:1] or changes:
        rows = _rows(rows, change.old.quote, change.new.quote if change.new else "")
    return rows


def _rows(rows: tuple[tuple[str, ...], ...], old: str, new: str) -> tuple[tuple[str, ...], ...]:
    width = len(rows[0])
    before = [_cells(line, width) for line in old.split("\n")]
    after = [_cells(line, width) for line in new.split("\n") if line.strip()]
    plain = [tuple(cell.strip() for cell in row) for row in rows]
    for skipped in (0, 1):  # a slide may show the rows without their header
        found = _shown(plain, before[skipped:])
        if found is not None:
            at, count = found
            before, after = before[skipped : skipped + count], after[skipped:]
            made: list[tuple[str, ...]] = []
            for kind, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
                made += rows[at + a : at + b] if kind == "equal" else after[c:d]
            return (*rows[:at], *made, *rows[at + count :])
    return rows


def _shown(plain: Sequence[tuple[str, ...]], before: Sequence[tuple[str, ...]]) -> tuple[int, int] | None:
    """Where the rows of the passage begin among those that are shown, and how many of them are."""
    for at in range(len(plain)):
        count = min(len(before), len(plain) - at)
        if count and list(plain[at : at + count]) == list(before[:count]):
            return at, count
    return None


def _cells(line: str, width: int) -> tuple[str, ...]:
    cells = [cell.strip() for cell in line.split("\t")]
    return tuple((cells + [""] * width)[:width])


def _exercise(block: ExerciseBlock, mending: Mending) -> ExerciseBlock | None:
    task, solution = _claims(block.task, mending), _claims(block.solution, mending)
    if block.task and not task and not block.code:
        return None
    fields: dict[str, object] = {"task": task, "solution": solution}
    if mending.of(block.cites):
        fields["code"] = listing(block.code, block.cites, mending)
        fields["solution_code"] = listing(block.solution_code, block.cites, mending)
        fields["cites"] = mending.cites(block.cites)
    made = _same_or(block, **fields)
    return made if isinstance(made, ExerciseBlock) else None


def _renumbered(block: ListBlock, made: LessonBlock | None, shift: dict[int, int]) -> LessonBlock | None:
    """A list that goes on counting after code starts with the number that comes next now."""
    moved = shift.pop(block.first_number, 0)
    count = len(made.items) if isinstance(made, ListBlock) else 0
    lost = moved + len(block.items) - count
    if lost:
        shift[block.first_number + len(block.items)] = lost
    if moved and isinstance(made, ListBlock):
        return made.model_copy(update={"first_number": made.first_number - moved})
    return made


def _without_bare_headings(before: Sequence[LessonBlock], after: Sequence[LessonBlock]) -> list[LessonBlock]:
    """Headings that stand over nothing now, but did not before, go with what stood under them."""
    bare = _bare(after) - _bare(before)
    return [block for block in after if block.id not in bare]


def _bare(blocks: Sequence[LessonBlock]) -> set[str]:
    found: set[str] = set()
    over: list[HeadingBlock] = []
    for block in blocks:
        if not isinstance(block, HeadingBlock):
            over = []
            continue
        found.update(heading.id for heading in over if heading.level >= block.level)
        over = [heading for heading in over if heading.level < block.level] + [block]
    return found | {heading.id for heading in over}


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "…"
