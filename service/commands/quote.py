"""`coursewright quote`: what a course from these documents will cost, before anything is begun; no model is asked."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from pydantic import BaseModel
from rich.console import Console
from rich.table import Table

from service.authors.extractive import ExtractiveAuthor
from service.commands.arguments import parser
from service.domain.course import Brief, CoursePlan
from service.domain.money import dollars
from service.domain.quote import Quote, Range
from service.domain.source import Chunk, Source
from service.errors import BadInput
from service.pipeline.quote import drafting_quote, generation_quote, paid_model, reading_quote
from service.ports import Evidence
from service.readers import Limits, read_documents
from service.readers.reading import check_file
from service.settings import Settings, load_settings


class Priced(BaseModel):
    """The answer as --json prints it; money in micro-dollars, a millionth of a dollar."""

    author: str
    voice: str
    lessons: int
    minutes: float
    micro_dollars: Range
    quote: Quote


def main(argv: list[str]) -> int:
    """Read the documents, and price what is to be made of them."""
    given = _options(argv)
    settings = load_settings()
    sources = _read(given.source)
    brief = Brief(title=given.title, minutes=_minutes(given.minutes))
    plan = ExtractiveAuthor().plan(brief, Evidence(sources=sources, search=_nothing), lambda *_: None)
    priced = price(settings, sources, plan, film=not given.no_video)
    if given.json:
        print(priced.model_dump_json(indent=1))
    else:
        _show(priced, Console())
    return 0


def price(settings: Settings, sources: tuple[Source, ...], plan: CoursePlan, *, film: bool) -> Priced:
    """What reading, drafting and making cost. The outline is the one that needs no model; a model's will differ a
    little, but teaches from the same passages."""
    characters = sum(len(source.text) for source in sources)
    quote = reading_quote(settings, characters) + drafting_quote(settings, characters)
    quote += generation_quote(settings, plan.lessons, film=film)
    return Priced(
        author=paid_model(settings) or "offline",
        voice=settings.speech if film else "",
        lessons=len(plan.lessons),
        minutes=round(plan.minutes, 1),
        micro_dollars=quote.micro_dollars,
        quote=quote,
    )


def _options(argv: list[str]) -> Namespace:
    options = parser("quote", "Say what a course from these documents will cost. Reads them, and asks no model.")
    options.add_argument("source", nargs="+", help="Markdown, text, HTML, PDF, DOCX or PPTX files, in teaching order")
    options.add_argument("--title", default="", help="the course's title; without it the sources give one")
    options.add_argument("--minutes", type=int, default=0, help="wished length of all videos; 0: what the sources hold")
    options.add_argument("--no-video", action="store_true", help="texts, storyboards and quizzes only")
    options.add_argument("--json", action="store_true", help="print the quote as JSON")
    return options.parse_args(argv)


def _minutes(given: int) -> int:
    if not 0 <= given <= 3000:
        raise BadInput("--minutes must be between 0 (as long as the sources carry) and 3000.")
    return given


def _read(names: list[str]) -> tuple[Source, ...]:
    paths = [Path(name) for name in names]
    for path in paths:
        if not path.is_file():
            raise BadInput(f"{path} is no file. Check the path, and name documents, not folders.")
        check_file(path, path.name, Limits())
    found = []
    for _, document in read_documents([(path, path.name) for path in paths]):
        if isinstance(document, BadInput):
            raise document
        found.append(document)
    return tuple(found)


def _nothing(query: str, limit: int) -> list[Chunk]:  # noqa: ARG001 - the planner reads everything and searches nothing
    return []


def _show(priced: Priced, console: Console) -> None:
    table = Table("what", "quantity", "dollars", box=None)
    for line in priced.quote.lines:
        table.add_row(line.what, f"{_span(line.quantity)} {line.unit}", _money(line.micro_dollars))
    if priced.quote.render_seconds.high:
        table.add_row("filmed", f"{_span(priced.quote.render_seconds)} processor seconds", "")
        table.add_row("stored", f"{_span(priced.quote.storage_bytes.times(1e-6))} MB", "")
    noun = "lesson" if priced.lessons == 1 else "lessons"
    console.print(f"{priced.lessons} {noun}, {priced.minutes:.0f} minutes of video", highlight=False)
    console.print(table)
    waited = priced.quote.seconds.times(1 / 60)
    if priced.quote.free:
        console.print(f"Free: written and spoken without a paid service, in {_span(waited)} minutes.", highlight=False)
        return
    likely = dollars(priced.micro_dollars.likely)
    console.print(
        f"{_money(priced.micro_dollars)}, most likely {likely}, in {_span(waited)} minutes",
        highlight=False,
        style="bold",
    )


def _span(given: Range) -> str:
    return f"{given.low:,}" if given.low == given.high else f"{given.low:,} to {given.high:,}"


def _money(given: Range) -> str:
    return dollars(given.low) if given.low == given.high else f"{dollars(given.low)} to {dollars(given.high)}"
