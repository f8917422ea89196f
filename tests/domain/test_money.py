"""Money is counted in integers, rounded up, and a budget message says which month it is about."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from service.domain.money import (
    BudgetAlertMessage,
    dollars,
    embedding_micro_dollars,
    micro_dollars,
    speech_micro_dollars,
    task_micro_dollars,
)


@pytest.mark.parametrize(
    ("usd", "micro"), [("0", 0), ("20", 20_000_000), ("0.0000001", 1), ("0.000018", 18), ("1.9999999", 2_000_000)]
)
def test_a_fraction_of_a_micro_dollar_is_never_free(usd: str, micro: int) -> None:
    assert micro_dollars(Decimal(usd)) == micro


@pytest.mark.parametrize(
    ("micro", "read"), [(0, "$0.00"), (1_250_000, "$1.25"), (400, "$0.0004"), (10_000, "$0.01"), (20_000_000, "$20.00")]
)
def test_people_read_dollars(micro: int, read: str) -> None:
    assert dollars(micro) == read


def test_a_task_costs_its_processors_and_its_memory_by_the_second() -> None:
    assert task_micro_dollars(100.0, 2.0, 4096) == 100 * (2 * 18 + 4 * 2)
    assert task_micro_dollars(100.0, 0.0, 0) == 0


@pytest.mark.parametrize(
    ("voice", "micro"),
    [
        ("openai:gpt-4o-mini-tts/coral", 20),
        ("openai:tts-1", 15),
        ("openai:not-known-yet", 30),
        ("piper:joe 1.8", 0),
        ("silent:150", 0),
    ],
)
def test_only_a_providers_voice_costs_and_an_unknown_one_counts_as_the_dearest(voice: str, micro: int) -> None:
    assert speech_micro_dollars(voice, 1) == micro


def test_only_a_providers_embedder_costs() -> None:
    assert embedding_micro_dollars("openai-text-embedding-3-small", 3_000_000) == 20_000
    assert embedding_micro_dollars("multilingual-e5-small-q4", 3_000_000) == 0


def test_a_month_after_the_start_of_the_interval_the_next_month_begins() -> None:
    def message(start: datetime) -> BudgetAlertMessage:
        return BudgetAlertMessage(cost_interval_start=start, cost_amount=1.0, budget_amount=2.0)

    assert message(datetime(2026, 11, 1, 7, tzinfo=UTC)).next_month == datetime(2026, 12, 1, 7, tzinfo=UTC)
    assert message(datetime(2026, 12, 1, 8, tzinfo=UTC)).next_month == datetime(2027, 1, 1, 8, tzinfo=UTC)
    assert message(datetime(2027, 1, 31, 8, tzinfo=UTC)).next_month == datetime(2027, 2, 1, 8, tzinfo=UTC)
