"""What a team of agents will cost is told well enough before, for models that differ in words and in obstinacy."""

from __future__ import annotations

from statistics import median

import pytest

from service.domain.agent_tokens import MOST_DIGEST_CHARACTERS, lesson_lines, outline_lines
from service.domain.course import LessonPlan
from service.domain.quote import Quote, QuoteLine, Range, total
from service.domain.revision import Part
from service.domain.source import Span
from service.pipeline.quote import generation_quote, revision_quote
from service.settings import Settings
from tests.authors.chat_server import MODEL
from tests.bench.quote import WANTED_ERROR, Taken, measured


def planned(*lengths: int) -> LessonPlan:
    spans = tuple(Span(source="a", start=0, end=length) for length in lengths)
    return LessonPlan(id="l", title="T", passages=spans, minutes=3.0)


def money(*lessons: LessonPlan) -> Range:
    return total(line.micro_dollars for line in lesson_lines(MODEL, lessons))


@pytest.fixture(scope="module")
def runs() -> list[Taken]:
    """Ten courses over real HTTP, of texts and with reply lengths that no constant of the quote was fitted to."""
    return measured("measure")


def test_what_is_likely_is_off_by_15_percent_at_most_in_half_of_the_runs(runs: list[Taken]) -> None:
    assert len(runs) >= 10
    assert median(run.generation.error for run in runs) <= WANTED_ERROR


def test_what_is_paid_lies_in_the_quoted_range(runs: list[Taken]) -> None:
    stretches = [stretch for run in runs for stretch in (run.outline, run.lessons, run.speech)]
    assert [stretch for stretch in stretches if not stretch.within] == []


def test_the_range_is_of_use(runs: list[Taken]) -> None:
    """Neither end is far from what happens: the low one within a third of it, the high one within five times of it."""
    assert median(run.lessons.quoted.low / run.lessons.paid for run in runs) > 1 / 3
    assert median(run.lessons.quoted.high / run.lessons.paid for run in runs) < 5


def test_a_lesson_without_passages_is_quoted_too_and_longer_ones_cost_more() -> None:
    assert money().high == 0
    assert 0 < money(planned()).low < money(planned()).likely < money(planned()).high
    assert money(planned(2000)).high < money(planned(2000, 2000)).high
    assert money(planned(2000), planned(3000)) == money(planned(2000)) + money(planned(3000))


def test_a_library_costs_no_more_to_plan_from_than_the_designer_sees_of_it() -> None:
    assert outline_lines(MODEL, 1000) != outline_lines(MODEL, 2000)
    assert outline_lines(MODEL, MOST_DIGEST_CHARACTERS) == outline_lines(MODEL, 50 * MOST_DIGEST_CHARACTERS)


def test_without_a_paid_service_nothing_costs_money_and_the_rest_is_said(settings: Settings) -> None:
    quote = generation_quote(settings, [planned(4000)], film=True)
    assert quote.free
    assert [line.what for line in quote.lines] == ["spoken"]
    assert 0 < quote.render_seconds.low < quote.render_seconds.likely < quote.render_seconds.high
    assert 0 < quote.storage_bytes.low < quote.storage_bytes.likely < quote.storage_bytes.high
    assert generation_quote(settings, [], film=True) == Quote()


def test_a_paid_author_and_a_paid_voice_are_counted_each_by_itself(settings: Settings) -> None:
    agents = settings.model_copy(update={"llm": "openai:gpt-4o-mini"})
    both = agents.model_copy(update={"speech": "openai:gpt-4o-mini-tts"})
    written = generation_quote(agents, [planned(4000)], film=False)
    spoken = generation_quote(both, [planned(4000)], film=True)
    assert written.micro_dollars == money(planned(4000))
    assert spoken.micro_dollars.high > written.micro_dollars.high
    parts: tuple[Part, ...] = ("block", "scene", "lesson")
    block, scene, whole = (revision_quote(agents, planned(4000), part).micro_dollars.high for part in parts)
    assert 0 < block < whole
    assert 0 < scene < whole
    assert revision_quote(settings, planned(4000), "lesson").free


def test_quotes_of_two_parts_are_one_with_a_line_for_each_thing() -> None:
    one = QuoteLine(what="spoken", unit="characters", quantity=Range.of(3), micro_dollars=Range.of(7))
    other = one.model_copy(update={"what": "embedded"})
    both = Quote(lines=(one,), seconds=Range.of(2)) + Quote(lines=(other, one), seconds=Range.of(3))
    assert [(line.what, line.quantity.high) for line in both.lines] == [("spoken", 6), ("embedded", 3)]
    assert both.micro_dollars == Range.of(21)
    assert both.seconds == Range.of(5)
