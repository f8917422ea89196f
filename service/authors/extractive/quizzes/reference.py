"""Entries of a reference: the sections of a list of options, settings or functions, each with what it says it does."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from service.authors.extractive.language.sentences import Sentence
from service.authors.extractive.language.slide_lines import compress
from service.authors.extractive.language.verb_forms import base_verb, is_imperative, word_classes
from service.authors.extractive.language.words import capitalized, words
from service.authors.extractive.sources.code_kinds import is_code_heading, short_name
from service.authors.extractive.sources.library import Library
from service.authors.extractive.sources.material import Section
from service.domain.source import Cite

LONGEST = 20
_HANGS = re.compile(
    r"\b(?:this|these|those|such|it|its|they|them|their|above|below|following|same|also|either|previous|here|example|"
    r"deprecated|otherwise|alias)\b",
    re.IGNORECASE,
)
_NOUNS = (
    r"(?: (?:method|function|property|option|setting|flag|command|event|module|class|instruction|attribute|key|field))?"
)


@dataclass(frozen=True)
class Pair:
    """Two things that belong together, and the sentence that says so. `does`: it is said by a verb, "Returns …"."""

    name: str
    says: str
    reason: str
    cites: tuple[Cite, ...]
    does: bool = True


def entries(sections: Iterable[Section], library: Library) -> Iterator[Pair]:
    """The sections whose heading is a piece of code, with what their first sentence says of it."""
    for section in sections:
        reading = library.reading(section.source)
        if reading is None or section.parent is None or section.start < 0 or not is_code_heading(section, reading):
            continue
        first = next(
            (unit.head for idea in section.ideas if idea.kind in ("text", "definition") for unit in idea.units), None
        )
        name = short_name(section.title)
        said = _said(first, name) if first is not None and first.cites else ""
        if first is not None and said:
            heading = reading.cite(section.start, section.start + len(section.title))
            yield Pair(
                name if name.startswith("the ") else f"`{name}`",
                said,
                first.text,
                (*first.cites, heading),
                _is_deed(said),
            )


def _said(sentence: Sentence, name: str) -> str:
    """What the sentence says of the entry, without its name; '' when it says something else."""
    bare = re.escape(name.removesuffix("()"))
    text = re.sub(
        rf"^(?:The |An? )?[`“\"']?(?:[\w.]*\.)?{bare}(?:\([^)]*\))?[`”\"']?{_NOUNS}(?=\s)", "", sentence.text
    ).strip()
    named = text != sentence.text.strip()
    text = re.sub(
        r"^(?:is used to|can be used to|allows you to|lets you) ",
        lambda m: "Used to " if "used" in m[0] else "Lets you ",
        text,
    )
    if named and not re.match(r"(?:Used to|Lets you|[a-z]+s\b)", text):
        return ""
    if named and re.match(r"(?:is|are|was|has) (?!an? |the )", text):
        return ""
    text = re.sub(r"^is (?=an? |the )", "", text)
    cut = compress(capitalized(re.split(r"(?<=\w)\. |; ", text)[0]), LONGEST)
    if not cut or not 3 <= len(words(cut)) <= LONGEST or _HANGS.search(cut) or name in cut:
        return ""
    return cut if _is_deed(cut) or re.match(r"(?:An?|Whether|Used to|Lets you)\b", cut) or _is_order(cut) else ""


def _is_deed(text: str) -> bool:
    first = text.split(maxsplit=1)[0].lower()
    return first.endswith("s") and base_verb(first) != first and "VERB" in word_classes(first) and not re.search(
        r"^\w+ (?:is|are|can|may|must|should|will)\b", text
    )  # fmt: skip


def _is_order(text: str) -> bool:
    return is_imperative(text) and bool(re.match(r"\w+ (?:the|an?|all|any|each|only|whether|to|that|npm|\w+s)\b", text))
