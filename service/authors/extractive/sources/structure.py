"""Reads a source's blocks into a tree of sections: headings become structure, everything else becomes ideas."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from service.authors.extractive.language import patterns
from service.authors.extractive.language.sentences import Inline, Sentence, split
from service.authors.extractive.language.words import clean_title
from service.authors.extractive.sources.long_ideas import in_parts
from service.authors.extractive.sources.material import (
    Idea,
    IdeaKind,
    Reading,
    Section,
    is_procedure,
    item_unit,
    units_of,
)
from service.domain.source import Block, Source

WORDS_IN_AN_ITEM = 60
WORDS_IN_A_REMARK = 9
_IN_LIST = ("item", "paragraph", "code", "output", "quote")
_NUMBERING = re.compile(r"^(?:\d+(?:\.\d+)*[.)]?|[A-Z][.)]|[A-Z] [-–—]|\(\d+\))\s+(?=\S)")
_ATTRIBUTES = re.compile(r"\{[^{}]*\}\.?")  # of a picture that was left out
_FIRST_PERSON = re.compile(r"\b(?:I|my|me)\b")


def read(source: Source) -> Reading:
    """The source as sections of ideas, in its own order."""
    sha256 = source.sha256
    title = clean_title(source.title or source.name) or source.name
    root = Section(title, 0, sha256, title, 0)
    reading = Reading(source, sha256, root)
    _Walk(reading).run()
    for section in root.flat():
        section.ideas = [part for idea in section.ideas for part in in_parts(idea)]
        keep_readable(section)
    return reading


def sentences_of(reading: Reading, block: Block) -> list[Sentence]:
    """The sentences of one block with their exact cites and marks."""
    text = reading.source.text[block.start : block.end]
    code = tuple((m.start - block.start, m.end - block.start) for m in block.marks if m.kind == "code")
    return [_sentence(reading, block, start, end) for start, end in split(text, code)]


def _sentence(reading: Reading, block: Block, start: int, end: int) -> Sentence:
    left, right = block.start + start, block.start + end
    marks = tuple(
        Inline(mark.kind, max(mark.start, left) - left, min(mark.end, right) - left)
        for mark in block.marks
        if mark.end > left and mark.start < right and mark.kind != "link"
    )
    cite = reading.cite(left, right)
    return Sentence(cite.quote, (cite,), marks, "item" if block.kind == "item" else "paragraph", block.ordered)


class _Walk:
    """One pass over the blocks of a source; `at` is the block it stands on."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        # An empty block, such as a fence around nothing, has no words that a cite could quote.
        self.blocks = [block for block in reading.source.blocks if reading.source.text[block.start : block.end].strip()]
        self.at = 0
        self.here = reading.root
        self.stack = [reading.root]
        self.callout = ""

    def run(self) -> None:
        while self.at < len(self.blocks):
            block = self.blocks[self.at]
            if block.role not in ("note", "warning"):
                self.callout = ""
            self._step(block)

    def _step(self, block: Block) -> None:
        if block.role == "skip" or not self._text(block).strip():
            self.at += 1
        elif block.role in ("objectives", "questions", "keypoints"):
            self._aims(block)
        elif block.role in ("exercise", "solution"):
            self._exercise()
        elif block.kind == "heading" or self._is_heading(block):
            self._heading(block)
        elif block.list_id and block.kind in _IN_LIST:
            self._list()
        elif block.kind == "code":
            self._code()
        else:
            self._prose(block)

    def _text(self, block: Block) -> str:
        return self.reading.source.text[block.start : block.end]

    def _add(self, idea: Idea) -> None:
        block = self.blocks[min(self.at, len(self.blocks) - 1)]
        tone: Literal["", "note", "warning"] = "warning" if block.role == "warning" else "note"
        if block.role in ("note", "warning"):
            idea.tone, idea.label, self.callout = tone, self.callout, ""
        idea.source = self.reading.sha256
        self.here.ideas.append(idea)

    def _aims(self, block: Block) -> None:
        if block.kind in ("item", "paragraph") and not self._text(block).endswith(":"):
            found = sentences_of(self.reading, block)
            aims = {
                "objectives": self.reading.objectives,
                "questions": self.reading.questions,
                "keypoints": self.reading.keypoints,
            }[block.role]
            aims += found[:1] if block.role != "keypoints" else found
        self.at += 1

    def _is_heading(self, block: Block) -> bool:
        """A short paragraph all in bold is a heading that its writer did not mark as one."""
        if block.kind != "paragraph" or block.list_id or not block.marks or block.role:
            return False
        text = self._text(block)
        strong = sum(mark.end - mark.start for mark in block.marks if mark.kind == "strong")
        return strong >= len(text) - 1 and len(text.split()) <= 8 and not re.search(r"[.,;]$", text)

    def _heading(self, block: Block) -> None:
        text = _NUMBERING.sub("", self._text(block)).strip()
        self.at += 1
        if block.role in ("note", "warning"):
            self.callout = text.rstrip(":")
            return
        if patterns.SKIPPED_HEADING.match(text.rstrip(":")):
            self._skip(block.level or 6)
            return
        level = block.level or min(6, self.here.level + 1)
        if block.kind != "heading" and self.here.start >= 0 and self.here.level == 6:
            level = 6
        while len(self.stack) > 1 and self.stack[-1].level >= level:
            self.stack.pop()
        parent = self.stack[-1]
        self.here = Section(
            text.rstrip(":"), level, self.reading.sha256, self.reading.root.title, block.start, parent=parent
        )
        parent.children.append(self.here)
        self.stack.append(self.here)

    def _skip(self, level: int) -> None:
        while self.at < len(self.blocks):
            block = self.blocks[self.at]
            if block.kind == "heading" and block.level <= level:
                return
            self.at += 1

    def _prose(self, block: Block) -> None:
        if block.kind == "table":
            self._table(block)
        elif block.kind != "output":
            sentences = sentences_of(self.reading, block)
            quoted = block.kind == "quote" and not _FIRST_PERSON.search(self._text(block))
            if block.kind != "quote" or quoted:
                kind: IdeaKind = "quote" if quoted else "text"
                self._add(Idea(kind, start=block.start, end=block.end, sentences=sentences))
        self.at += 1

    def _table(self, block: Block) -> None:
        text = self.reading.source.text
        rows = [row for row in block.rows if any(end > start for start, end in row)]
        if len(rows) < 2:
            return
        width = max(len(row) for row in rows)
        cells = tuple(tuple(text[a:b] for a, b in row) + ("",) * (width - len(row)) for row in rows)
        cites = tuple(self.reading.cite(row[0][0], row[-1][1]) for row in rows)
        whole = self.reading.cite(rows[0][0][0], rows[-1][-1][1])
        self._add(
            Idea("table", start=block.start, end=block.end, rows=cells, row_cites=cites, cites=(whole,)),
        )

    def _code(self) -> None:
        block = self.blocks[self.at]
        idea = Idea("code", start=block.start, end=block.end, code=self._text(block), lang=block.lang)
        idea.cites = (self.reading.cite(block.start, block.end),)
        self._add(idea)
        self.at += 1
        while self.at < len(self.blocks) and self.blocks[self.at].kind == "output":
            output = self.blocks[self.at]
            if not idea.output and self._text(output).strip():
                idea.output = self._text(output)
                idea.cites += (self.reading.cite(output.start, output.end),)
            idea.end = output.end
            self.at += 1

    def _list(self) -> None:
        """A run of list blocks; code inside it cuts it into parts that keep counting."""
        first = self.blocks[self.at]
        items: list[list[Sentence]] = []
        start, told, numbers, level = first.start, 0, first.ordered, first.level
        while self.at < len(self.blocks):
            block = self.blocks[self.at]
            if not block.list_id or block.role != first.role or block.kind not in _IN_LIST:
                break
            if block.kind in ("code", "output"):
                told += self._close_list(items, start, numbers, told)
                items = []
                self._code() if block.kind == "code" else self._advance()
                start = self.blocks[self.at].start if self.at < len(self.blocks) else start
                continue
            if not items:
                level = block.level
            sentences = sentences_of(self.reading, block)
            below = block.kind != "item" or block.level > level
            fits = numbers or sum(s.length for s in (items or [[]])[-1] + sentences) <= WORDS_IN_AN_ITEM
            if items and below and fits:
                items[-1] += sentences
            else:
                items.append(sentences)
            self.at += 1
        self._close_list(items, start, numbers, told)

    def _advance(self) -> None:
        self.at += 1

    def _close_list(self, items: list[list[Sentence]], start: int, ordered: bool, told: int) -> int:
        items = [item for item in items if item]
        if not items:
            return 0
        idea = Idea("steps" if ordered else "list", start=start, items=items, first_number=told + 1)
        idea.end = items[-1][-1].end
        at, self.at = self.at, self.at - 1
        self._add(idea)
        self.at = at
        return len(items)

    def _exercise(self) -> None:
        idea = Idea("exercise", label="", start=self.blocks[self.at].start)
        solved = False
        while self.at < len(self.blocks):
            block = self.blocks[self.at]
            starts_anew = block.role == "exercise" and (solved or (block.kind == "heading" and idea.label))
            if block.role not in ("exercise", "solution") or starts_anew:
                break
            solved = solved or block.role == "solution"
            self._exercise_block(idea, block)
            self.at += 1
        if idea.sentences:
            idea.source = self.reading.sha256
            self.here.ideas.append(idea)

    def _exercise_block(self, idea: Idea, block: Block) -> None:
        idea.end = block.end
        text = self._text(block)
        if not text.strip():
            return
        if block.kind == "heading":
            idea.label = idea.label or (text.rstrip(":") if block.role == "exercise" else "")
        elif block.kind in ("code", "output"):
            field = "code" if block.role == "exercise" else "solution_code"
            setattr(idea, field, (getattr(idea, field) + "\n\n" + text).strip("\n"))
            idea.cites += (self.reading.cite(block.start, block.end),)
        elif block.kind in ("paragraph", "item", "quote"):
            (idea.sentences if block.role == "exercise" else idea.solution).extend(sentences_of(self.reading, block))


def keep_readable(section: Section) -> None:
    """Leaves in a section what reads well on a page, and groups it into units.

    Dropped: sentences that point at things that are not there, or lean on a sentence that was dropped.
    """
    kept_last = True
    for place, idea in enumerate(section.ideas):
        if idea.kind == "exercise":
            idea.sentences = [s for s in idea.sentences if not s.points_away]
            idea.solution = [s for s in idea.solution if not s.points_away]
        following = section.ideas[place + 1].kind if place + 1 < len(section.ideas) else ""
        if idea.kind in ("text", "quote"):
            leads = following in ("list", "steps", "code", "table")
            idea.sentences, kept_last = _readable(idea.sentences, kept_last and idea.kind == "text", leads)
        elif idea.kind in ("list", "steps"):
            idea.items = [kept for item in idea.items if (kept := _readable(item, True, bool(following))[0])]
            kept_last = True
        else:
            kept_last = True
    section.ideas = [idea for idea in section.ideas if _is_left(idea)]
    if _is_lost_example(section):
        section.ideas = []
    regroup(section)


def _is_left(idea: Idea) -> bool:
    """Whether there is anything left of it; a solution without its task is nothing."""
    if idea.kind == "exercise":
        return bool(idea.sentences or idea.code)
    return idea.kind in ("code", "table") or any(idea.all_sentences())


def _is_lost_example(section: Section) -> bool:
    """Whether only remarks are left of an example: what they are about was a picture, or a piece of the page itself."""
    sentences = [sentence for idea in section.ideas for sentence in idea.all_sentences()]
    return (
        bool(sentences)
        and patterns.VERDICT_HEADING.fullmatch(section.title.rstrip(": ")) is not None
        and all(idea.kind in ("text", "quote") for idea in section.ideas)
        and all(sentence.length <= WORDS_IN_A_REMARK for sentence in sentences)
    )


def _readable(sentences: Sequence[Sentence], before: bool, leads: bool) -> tuple[list[Sentence], bool]:
    """The sentences to keep, and whether the last one is among them. `leads`: a list, table or code comes next."""
    kept: list[Sentence] = []
    for place, sentence in enumerate(sentences):
        last = place == len(sentences) - 1
        before = _keeps(sentence, before, leads and last)
        if before:
            kept.append(sentence)
    while kept and "question" in kept[-1].roles and kept[-1].kind != "item" and len(kept) == len(sentences):
        kept.pop()
    return kept, bool(kept) and bool(sentences) and kept[-1] is sentences[-1]


def _keeps(sentence: Sentence, before: bool, leads: bool) -> bool:
    text = sentence.text
    if sentence.points_away or patterns.TALKS_TO_TEACHER.search(text):
        return False
    if not re.search(r"\w{2}", text) or _ATTRIBUTES.fullmatch(text):
        return False
    if "lead" in sentence.roles and sentence.kind != "item":
        return leads and (before or not sentence.leans)
    if "pointing" in sentence.roles and patterns.TOWARDS_NEXT.search(text):
        return leads or sentence.kind == "item"
    return before or sentence.alone or sentence.kind == "item"


def regroup(section: Section) -> None:
    """Sets the units and leads of a section's ideas from their sentences."""
    for place, idea in enumerate(section.ideas):
        before = section.ideas[place - 1] if place else None
        if idea.kind in ("text", "quote"):
            named = place == 0 and section.level > 0 and not section.is_vague
            idea.units = units_of(idea.sentences, named)
        elif idea.kind in ("list", "steps"):
            idea.kind = "steps" if is_procedure(idea.items) else "list"
            idea.units = [unit for item in idea.items for unit in item_unit(item)]
        if idea.kind in ("list", "steps", "code", "table") and before is not None:
            idea.lead = _lead(before, idea.kind == "code")


def _lead(before: Idea, for_code: bool) -> Sentence | None:
    if before.kind == "text" and before.sentences and not before.tone:
        last = before.sentences[-1]
        announces = "lead" in last.roles or patterns.TOWARDS_NEXT.search(last.text)
        return last if announces or for_code else None
    if before.kind in ("list", "steps") and len(before.items) == 1:
        return before.items[0][-1]
    return None
