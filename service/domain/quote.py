"""What work will cost, said before it begins: money as a range, and what it is made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pydantic import Field

from service.domain.source import Document


class Range(Document):
    """From the least to the most that is to be expected, and what is most likely; whole units of something."""

    low: int = Field(default=0, ge=0)
    likely: int = Field(default=0, ge=0)
    high: int = Field(default=0, ge=0)

    def __add__(self, other: Range) -> Range:
        return Range(low=self.low + other.low, likely=self.likely + other.likely, high=self.high + other.high)

    def times(self, factor: float) -> Range:
        """The range of so many times as much."""
        return Range(low=round(self.low * factor), likely=round(self.likely * factor), high=round(self.high * factor))

    @classmethod
    def from_ends(cls, ends: Sequence[float]) -> Range:
        """From the low end, the likely amount and the high end."""
        low, likely, high = map(round, ends)
        return cls(low=low, likely=likely, high=high)

    @property
    def ends(self) -> tuple[int, int, int]:
        return self.low, self.likely, self.high

    @classmethod
    def of(cls, amount: float) -> Range:
        """An amount that is known."""
        return cls(low=round(amount), likely=round(amount), high=round(amount))


NOTHING = Range()


class QuoteLine(Document):
    """One thing that is paid for, or would be: how much of it, in tokens or characters, and its micro-dollars."""

    what: str
    unit: str
    quantity: Range
    micro_dollars: Range = NOTHING


class Quote(Document):
    """What a run will cost. Processor seconds and bytes are what videos take; `seconds` is how long one waits."""

    lines: tuple[QuoteLine, ...] = ()
    render_seconds: Range = NOTHING
    storage_bytes: Range = NOTHING
    seconds: Range = NOTHING

    @property
    def micro_dollars(self) -> Range:
        """The money in all."""
        return total(line.micro_dollars for line in self.lines)

    @property
    def free(self) -> bool:
        return self.micro_dollars.high == 0

    def __add__(self, other: Quote) -> Quote:
        """One after the other; lines of the same name become one."""
        lines = {(line.what, line.unit): line for line in self.lines}
        for line in other.lines:
            key = (line.what, line.unit)
            lines[key] = _merged(lines[key], line) if key in lines else line
        return Quote(
            lines=tuple(lines.values()),
            render_seconds=self.render_seconds + other.render_seconds,
            storage_bytes=self.storage_bytes + other.storage_bytes,
            seconds=self.seconds + other.seconds,
        )


def total(ranges: Iterable[Range]) -> Range:
    """All of them together."""
    return sum(ranges, NOTHING)


def _merged(one: QuoteLine, other: QuoteLine) -> QuoteLine:
    micro = one.micro_dollars + other.micro_dollars
    return QuoteLine(what=one.what, unit=one.unit, quantity=one.quantity + other.quantity, micro_dollars=micro)
