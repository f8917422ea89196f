"""Money without a database: caps and prices as integer micro-dollars, and the cloud's budget message.

A price is a constant with its source and its day, because providers change them and no machine tells us.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import accumulate

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

MICRO = 1_000_000
CENT = 10_000

# https://cloud.google.com/run/pricing, tier 1, jobs, as known in 2026-11; nobody could look it up while this was
# written, so compare before you rely on it. Dollars for a second of a vCPU, and of a GiB.
CLOUD_RUN_VCPU_SECOND = Decimal("0.000018")
CLOUD_RUN_GIB_SECOND = Decimal("0.000002")

# https://openai.com/api/pricing, dollars for a million characters of speech, as known in 2026-11; compare likewise.
# The newest model is sold by audio tokens, about $0.015 a minute; at 130 words of 6 characters a minute that is $19.3,
# so $20 at the worst.
SPEECH_MILLION_CHARACTERS = {
    "gpt-4o-mini-tts": Decimal(20),
    "tts-1": Decimal(15),
    "tts-1-hd": Decimal(30),
}
# The same page: dollars for a million tokens of text to embed.
EMBEDDING_MILLION_TOKENS = {
    "text-embedding-3-small": Decimal("0.02"),
    "text-embedding-3-large": Decimal("0.13"),
    "text-embedding-ada-002": Decimal("0.10"),
}
# The same page: dollars for a million tokens of chat: read, read again from the provider's cache, written.
CHAT_MILLION_TOKENS = {
    "gpt-4o-mini": (Decimal("0.15"), Decimal("0.075"), Decimal("0.60")),
    "gpt-4o": (Decimal("2.50"), Decimal("1.25"), Decimal(10)),
    "gpt-4.1-nano": (Decimal("0.10"), Decimal("0.025"), Decimal("0.40")),
    "gpt-4.1-mini": (Decimal("0.40"), Decimal("0.10"), Decimal("1.60")),
    "gpt-4.1": (Decimal(2), Decimal("0.50"), Decimal(8)),
}


@dataclass(frozen=True)
class Caps:
    """The most that may be spent, in micro-dollars: by the site in a month, by one person in a month and in a day."""

    site_month: int
    user_month: int
    user_day: int


@dataclass(frozen=True)
class Spending:
    """One thing that was paid for, or is to be: how much of what, in integer micro-dollars."""

    what: str
    quantity: int
    unit: str
    micro_dollars: int


class BudgetAlertMessage(BaseModel):
    """What Cloud Billing publishes about a budget, several times a day: field by field as documented at
    https://cloud.google.com/billing/docs/how-to/budgets-programmatic-notifications.
    """

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, frozen=True, extra="ignore")

    budget_display_name: str = ""
    cost_amount: float = Field(ge=0, allow_inf_nan=False)
    cost_interval_start: AwareDatetime = Field(gt=datetime(2000, 1, 1, tzinfo=UTC), lt=datetime(3000, 1, 1, tzinfo=UTC))
    budget_amount: float = Field(ge=0, allow_inf_nan=False)
    currency_code: str = ""
    alert_threshold_exceeded: float | None = Field(
        default=None, ge=0, allow_inf_nan=False, description="share of the budget that is spent; missing: below any"
    )
    forecast_threshold_exceeded: float | None = Field(default=None, description="a guess; it stops nothing")

    @property
    def next_month(self) -> datetime:
        """When the month after the interval's start begins: the same day and hour, one month on.

        The cloud counts months in the Pacific's time, so around a change of the clocks this is an hour off.
        """
        first = self.cost_interval_start.replace(day=1)
        return (first + timedelta(days=32)).replace(day=1)


def micro_dollars(usd: Decimal) -> int:
    """Dollars as integer micro-dollars; a fraction of one is rounded up, so that nothing paid counts as free."""
    return math.ceil(usd * MICRO)


def cents_up(micro: int) -> int:
    """Micro-dollars rounded up to whole cents, as people set caps."""
    return -(-micro // CENT) * CENT


def dollars(micro: int) -> str:
    """Micro-dollars as people read them: `$1.25`, and `$0.0004` where cents would show nothing."""
    usd = Decimal(micro) / MICRO
    return f"${usd:.2f}" if usd == 0 or abs(usd) >= Decimal("0.01") else f"${usd:.4f}"


def task_micro_dollars(seconds: float, cpu: float, memory_mib: int) -> int:
    """The price of a Cloud Run task of this size that ran for so long."""
    a_second = Decimal(str(cpu)) * CLOUD_RUN_VCPU_SECOND + Decimal(memory_mib) / 1024 * CLOUD_RUN_GIB_SECOND
    return micro_dollars(Decimal(str(round(seconds, 3))) * a_second)


def speech_micro_dollars(voice: str, characters: int) -> int:
    """The price of so many characters in the voice `openai:MODEL/NAME`; every other voice costs nothing.

    A model without a known price is counted as the dearest one.
    """
    engine, _, choice = voice.partition(":")
    if engine != "openai":
        return 0
    model = choice.partition("/")[0] or "gpt-4o-mini-tts"
    price = SPEECH_MILLION_CHARACTERS.get(model, max(SPEECH_MILLION_CHARACTERS.values()))
    return micro_dollars(price * characters / 1_000_000)


def embedding_micro_dollars(name: str, characters: int) -> int:
    """The price of embedding a text with the embedder `openai-MODEL`; every other embedder costs nothing.

    Counted by characters, three to a token: text in English has four and more, so this is not too little.
    """
    engine, _, model = name.partition("-")
    if engine != "openai":
        return 0
    price = EMBEDDING_MILLION_TOKENS.get(model, max(EMBEDDING_MILLION_TOKENS.values()))
    return micro_dollars(price * characters / 3 / 1_000_000)


def chat_micro_dollars(model: str, read: int, cached: int, written: int) -> int:
    """The price of one call of a chat model: `cached` of the tokens that it read came from the provider's cache.

    A dated name is priced as its model; a model without a known price is counted as the dearest one.
    """
    return sum(_chat_prices(model, read, cached, written))


def chat_spending(who: str, model: str, read: int, cached: int, written: int) -> tuple[Spending, ...]:
    """One call of a chat model as lines of the ledger, whose sum is its price: what was read, read again from the
    provider's cache, and written. A provider that reports nothing gets one line that says so.
    """
    units = ("tokens read", "tokens read from the cache", "tokens written")
    prices = _chat_prices(model, read, cached, written)
    lines = zip((read - cached, cached, written), units, prices, strict=True)
    found = tuple(Spending(who, count, unit, price) for count, unit, price in lines if count)
    return found or (Spending(who, 0, "tokens", 0),)


def _chat_prices(model: str, read: int, cached: int, written: int) -> tuple[int, int, int]:
    """What was read, read again and written, each in whole micro-dollars: the sum alone is rounded up."""
    plain = re.sub(r"-\d{4}-\d{2}-\d{2}$", "", model)
    fresh, again, out = CHAT_MILLION_TOKENS.get(plain, max(CHAT_MILLION_TOKENS.values()))
    parts = accumulate((fresh * (read - cached), again * cached, out * written))
    first, second, whole = (micro_dollars(part / 1_000_000) for part in parts)
    return first, second - first, whole - second
