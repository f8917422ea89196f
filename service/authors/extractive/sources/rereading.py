"""Reads a written lesson back into sections of ideas, so that video and quiz follow the text as people edited it."""

from __future__ import annotations

from collections.abc import Sequence

from service.authors.extractive.language.sentences import Inline, Sentence
from service.authors.extractive.sources.library import Library
from service.authors.extractive.sources.material import Idea, Section, Unit
from service.authors.extractive.sources.structure import regroup
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

KEY_POINTS = "Key points"


def sections_of_lesson(lesson: Lesson, library: Library) -> tuple[list[Section], list[Sentence]]:
    """The lesson's sections, and the key points that close it."""
    root = Section(lesson.title, 1)
    sections = [root]
    stack = [root]
    keypoints: list[Sentence] = []
    closing = False
    for block in lesson.blocks:
        if isinstance(block, HeadingBlock):
            closing = block.text == KEY_POINTS
            if not closing:
                sections.append(_opened(block, stack))
        elif closing and isinstance(block, ListBlock):
            keypoints += [_sentence(claim, library, "paragraph") for item in block.items for claim in item]
        else:
            stack[-1].ideas.append(_idea(block, library))
    for section in sections:
        _name_source(section, library)
        _regroup(section)
    return [section for section in sections if section.ideas], keypoints


def _opened(block: HeadingBlock, stack: list[Section]) -> Section:
    level = max(2, block.level)
    while len(stack) > 1 and stack[-1].level >= level:
        stack.pop()
    section = Section(block.text, level, parent=stack[-1])
    stack[-1].children.append(section)
    stack.append(section)
    return section


def _name_source(section: Section, library: Library) -> None:
    cite = next((cite for idea in section.ideas for cite in idea.cites), None)
    cite = cite or next((s.cites[0] for idea in section.ideas for s in idea.all_sentences() if s.cites), None)
    reading = library.reading(cite.source) if cite else None
    if reading is not None:
        section.source, section.source_title = reading.sha256, reading.root.title


def _regroup(section: Section) -> None:
    """Units as in the source; a definition that was written as one stays one unit."""
    definitions = {id(idea): idea.units for idea in section.ideas if idea.kind == "definition"}
    regroup(section)
    for idea in section.ideas:
        idea.units = definitions.get(id(idea), idea.units)


def _idea(block: LessonBlock, library: Library) -> Idea:
    match block:
        case ParagraphBlock() | NoteBlock() | QuoteBlock() | DefinitionBlock():
            return _prose(block, library)
        case ListBlock():
            items = [_sentences(item, library, "item", block.ordered) for item in block.items]
            return Idea("steps" if block.ordered else "list", items=items, first_number=block.first_number)
        case CodeBlock():
            return Idea("code", code=block.code, lang=block.lang, output=block.output, cites=block.cites)
        case TableBlock():
            return Idea("table", rows=block.rows, cites=block.cites[:1], row_cites=block.cites[1:])
        case ExerciseBlock():
            return _exercise(block, library)
        case _:
            return Idea("text")


def _prose(block: ParagraphBlock | NoteBlock | QuoteBlock | DefinitionBlock, library: Library) -> Idea:
    sentences = _sentences(block.claims, library)
    match block:
        case NoteBlock():
            return Idea("text", sentences=sentences, tone=block.tone, label=block.title)
        case QuoteBlock():
            return Idea("quote", sentences=sentences, label=block.by)
        case DefinitionBlock():
            return Idea("definition", sentences=sentences, label=block.term, units=[Unit(sentences)])
        case _:
            return Idea("text", sentences=sentences)


def _exercise(block: ExerciseBlock, library: Library) -> Idea:
    return Idea(
        "exercise",
        label=block.title,
        sentences=_sentences(block.task, library),
        solution=_sentences(block.solution, library),
        code=block.code,
        solution_code=block.solution_code,
        cites=block.cites,
    )


def _sentences(
    claims: Sequence[Claim], library: Library, kind: str = "paragraph", ordered: bool = False
) -> list[Sentence]:
    return [_sentence(claim, library, kind, ordered) for claim in claims if claim.text.strip()]


def _sentence(claim: Claim, library: Library, kind: str, ordered: bool = False) -> Sentence:
    return Sentence(claim.text, claim.cites, _marks(claim, library), kind, ordered)


def _marks(claim: Claim, library: Library) -> tuple[Inline, ...]:
    """The marks that the source has at the claim's words; none when the words were changed."""
    if not claim.cites:
        return ()
    cite = claim.cites[0]
    reading = library.reading(cite.source)
    text = claim.text if claim.text[1:] in cite.quote else claim.text.removesuffix(".")
    shift = cite.quote.find(text[1:]) - 1 if len(text) > 1 else -2
    if reading is None or shift < -1:
        return ()
    left = cite.start + max(shift, 0)
    right = left + len(text)
    return tuple(
        Inline(kind, max(start, left) - left, min(end, right) - left)
        for kind, start, end in reading.marks_between(left, right)
    )
