"""Money and quantities as templates write them."""

from __future__ import annotations

from decimal import Decimal

from service.domain.money import MICRO, dollars
from service.domain.quote import Range

UNITS = {"character": "characters"}


def price_range(price: Range) -> str:
    """A range of money: “$0.04–$0.11”, or one sum when both ends read alike."""
    low, high = dollars(price.low), dollars(price.high)
    return low if low == high else f"{low}–{high}"


def exact(micro: int) -> str:
    """A sum of a bill to the micro-dollar: “$0.001234”."""
    return f"${Decimal(micro) / MICRO:.6f}"


def amount(number: int) -> str:
    """A quantity: “12,400”."""
    return f"{number:,}"


def units(unit: str) -> str:
    """The ledger's unit in the plural."""
    return UNITS.get(unit, unit)


def paid_for(what: str) -> str:
    """The ledger's entry as people call it: an agent with its model, a voice, or an embedder."""
    if what.startswith("openai:"):
        return f"Voice ({what.removeprefix('openai:')})"
    if what.startswith("openai-"):
        return f"Vectors for search ({what.removeprefix('openai-')})"
    agent, _, model = what.partition(" (")
    named = agent.replace("_", " ")
    return f"{named[:1].upper()}{named[1:]}" + (f" ({model}" if model else "")
