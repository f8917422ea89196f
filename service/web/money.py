"""Money as people meet it: the quote before, the meter during, the invoice after, and what a month has cost them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from service.db import money
from service.db.listing import plans_to_make
from service.db.purses import Purse, purses
from service.db.queries import sources_of
from service.db.tables import Course, Run, SourceState
from service.domain.money import CENT, cents_up, dollars, micro_dollars
from service.domain.quote import Quote, Range
from service.errors import BadInput, NotFound
from service.pipeline import invoice
from service.pipeline.authoring import settings_for
from service.pipeline.quote import drafting_quote, generation_quote, next_call
from service.pipeline.runs import characters_to_read
from service.settings import Settings
from service.web.deps import CourseInPath, Database, Person
from service.web.site import render, site_of
from service.web.sums import price_range

router = APIRouter()
DEAREST_CAP = Decimal(100_000)


@dataclass(frozen=True)
class Offer:
    """A quote as its page shows it, with what is left in the budgets that it would be charged to."""

    quote: Quote
    purses: tuple[Purse, ...] = ()
    here: bool = True
    next_call: int = 0

    @property
    def free(self) -> bool:
        return self.quote.free

    @property
    def price(self) -> str:
        return price_range(self.quote.micro_dollars)

    @property
    def likely(self) -> str:
        return dollars(self.quote.micro_dollars.likely)

    @property
    def most(self) -> str:
        """Where to stop, as proposed: the high end and what one more call may cost, in whole cents, because a call is
        made only while its dearest price fits."""
        return plain_dollars(cents_up(self.quote.micro_dollars.high + self.next_call))

    @property
    def minutes(self) -> float:
        """How long one waits, likely; a minute at least, because nobody counts seconds here."""
        return max(1.0, self.quote.seconds.likely / 60)

    @property
    def short(self) -> Purse | None:
        """The narrowest budget, when it has less left than this may cost."""
        narrowest = self.purses[0] if self.purses else None
        return narrowest if narrowest and narrowest.left < self.quote.micro_dollars.high else None


@dataclass(frozen=True)
class Meter:
    """What a run has spent, against its quote and where it stops; places are hundredths of the drawing's width."""

    spent: int
    quoted: Range
    stops: int
    next_call: int
    at_cap: bool

    @property
    def scale(self) -> int:
        return max(self.spent, self.quoted.high, self.stops, 1) * 21 // 20 + 1

    def place(self, micro: int) -> float:
        return round(100 * micro / self.scale, 2)

    @property
    def price(self) -> str:
        return price_range(self.quoted)

    @property
    def next_stop(self) -> str:
        """A higher cap to propose: what the quote's high end leaves, a tenth more at least, and room for one call."""
        return plain_dollars(cents_up(max(self.quoted.high, self.spent * 11 // 10 + CENT) + self.next_call))


def generation_offer(settings: Settings, database: Session, course: Course) -> Offer | None:
    """What generating everything that is not completed will cost; None when nothing is to be made."""
    lessons = plans_to_make(database, course.id)
    if not lessons:
        return None
    return _offer(settings, database, course, generation_quote(settings_for(settings, course), lessons, film=True))


def drafting_offer(settings: Settings, database: Session, course: Course) -> Offer:
    """What drafting the outline will cost."""
    usable = [source for source in sources_of(database, course.id) if source.state != SourceState.REFUSED]
    quote = drafting_quote(settings_for(settings, course), characters_to_read(usable))
    return _offer(settings, database, course, quote)


def meter_of(run: Run) -> Meter | None:
    """The run's meter; None where nothing is paid for."""
    quoted = run.quote.micro_dollars if run.quote is not None else Range.of(run.estimated_micro_dollars)
    if not quoted.high and not run.spent_micro_dollars:
        return None
    stops = run.cap_micro_dollars if run.cap_micro_dollars is not None else quoted.high
    return Meter(run.spent_micro_dollars, quoted, stops, money.next_calls(run.paused_because), money.at_own_cap(run))


def cap_of(given: str) -> int | None:
    """The cap that somebody typed, in micro-dollars; None for an empty field.

    Raises:
        BadInput: it is no sum of money.
    """
    typed = given.strip().removeprefix("$").strip()
    if not typed:
        return None
    try:
        usd = Decimal(typed.replace(",", "."))
    except InvalidOperation:
        usd = Decimal(-1)
    if not usd.is_finite() or not 0 < usd <= DEAREST_CAP:
        raise BadInput("Enter the most that this may cost in dollars, such as 0.50.")
    return micro_dollars(usd)


def plain_dollars(micro: int) -> str:
    """A sum as it is typed: 0.12."""
    return f"{Decimal(micro) / 1_000_000:.2f}"


@router.get("/courses/{course_id:uuid}/invoice")
def invoice_page(request: Request, course: CourseInPath, database: Database) -> Response:
    """Everything that was ever paid for the course."""
    bills = invoice.course_invoice(database, course.id)
    total = sum(bill.micro_dollars for bill in bills)
    return render(request, "invoice.html", course=course, bills=bills, total=total)


@router.get("/courses/{course_id:uuid}/invoice.csv")
def invoice_csv(course: CourseInPath, database: Database) -> Response:
    """The same, entry by entry."""
    return _table(invoice.as_csv(invoice.course_entries(database, course.id)), f"invoice-{course.id}.csv")


@router.get("/account/spending")
def spending_page(request: Request, database: Database, person: Person, month: str = "") -> Response:
    """What this person's work has cost in a month, course by course, removed ones too."""
    first = _month(month)
    bills = invoice.month_bills(database, person.id, first)
    return render(
        request,
        "spending.html",
        month=first,
        months=invoice.months_with_bills(database, person.id),
        bills=bills,
        total=sum(bill.micro_dollars for bill in bills),
        purses=purses(database, person.id, site_of(request).settings.caps),
        now=_month(""),
    )


@router.get("/account/spending.csv")
def spending_csv(database: Database, person: Person, month: str = "") -> Response:
    """The same, entry by entry."""
    first = _month(month)
    entries = invoice.month_entries(database, person.id, first)
    return _table(invoice.as_csv(entries), f"spending-{first:%Y-%m}.csv")


def _offer(settings: Settings, database: Session, course: Course, quote: Quote) -> Offer:
    here = settings.jobs_url.startswith("local")
    if quote.free:
        return Offer(quote, here=here)
    left = tuple(purses(database, course.owner_id, settings.caps))
    return Offer(quote, left, here, next_call(settings_for(settings, course)))


def _month(given: str) -> date:
    """The first day of a month like 2026-11; of this one (UTC) when none is given."""
    if not given:
        return datetime.now(UTC).date().replace(day=1)
    found = re.fullmatch(r"(20\d\d)-(0[1-9]|1[0-2])", given, re.ASCII)
    if found is None:
        raise NotFound("There is no such month. Choose one on the page of your spending.")
    return date(int(found[1]), int(found[2]), 1)


def _table(body: str, name: str) -> Response:
    disposition = f'attachment; filename="{name}"'
    return Response(body, media_type="text/csv; charset=utf-8", headers={"Content-Disposition": disposition})
