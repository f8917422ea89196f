"""The bill, read from the ledger: for each run, lesson and agent how much of what, to the micro-dollar."""

from __future__ import annotations

import csv
import io
import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Text, cast, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session

from service.db.tables import Course, Errand, LedgerEntry, Run, RunKind
from service.domain.money import MICRO
from service.domain.quote import Range

KINDS: dict[str, str] = {
    RunKind.INGEST: "Reading documents",
    RunKind.PLAN: "Drafting the outline",
    RunKind.GENERATE: "Generating",
    RunKind.REVISE: "Revising",
    RunKind.REPAIR: "Repairing after a new version",
    Errand.ASK: "Questions of learners",
    Errand.REINDEX: "Embedding passages anew",
}
COLUMNS = ("time", "charged_on", "course", "run", "work", "lesson", "what", "quantity", "unit", "usd")
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


@dataclass(frozen=True)
class Item:
    """How much of one thing was paid for, and how often."""

    what: str
    unit: str
    quantity: int
    times: int
    micro_dollars: int


@dataclass(frozen=True)
class LessonBill:
    """What one run spent on one lesson; without a title: on the course. `again`: an earlier run had made it already."""

    title: str
    items: tuple[Item, ...]
    again: bool = False

    @property
    def micro_dollars(self) -> int:
        return sum(item.micro_dollars for item in self.items)


@dataclass(frozen=True)
class RunBill:
    """What one run spent, or all errands of a kind in one month. `quoted` and `cap` are what was said before a run;
    they fall with it when it is removed.
    """

    kind: str
    begun: datetime
    lessons: tuple[LessonBill, ...]
    quoted: Range | None = None
    cap: int | None = None

    @property
    def name(self) -> str:
        return KINDS[self.kind]

    @property
    def micro_dollars(self) -> int:
        return sum(lesson.micro_dollars for lesson in self.lessons)


@dataclass(frozen=True)
class CourseBill:
    """What one course cost in a stretch of time; `removed`: the course is not there any more, its books are."""

    course_id: uuid.UUID
    title: str
    removed: bool
    items: tuple[Item, ...]

    @property
    def micro_dollars(self) -> int:
        return sum(item.micro_dollars for item in self.items)


def course_invoice(session: Session, course_id: uuid.UUID) -> list[RunBill]:
    """Everything that was ever paid for the course, the newest run first."""
    month = func.to_char(LedgerEntry.charged_on, "YYYY-MM")
    bill = func.coalesce(cast(LedgerEntry.run_id, Text), LedgerEntry.run_kind + " " + month).label("bill")
    query = (
        select(
            bill,
            LedgerEntry.run_id,
            LedgerEntry.run_kind,
            LedgerEntry.lesson_id,
            *_sums(LedgerEntry.lesson_title),
        )
        .where(LedgerEntry.course_id == course_id)
        .group_by(
            "bill",
            LedgerEntry.run_id,
            LedgerEntry.run_kind,
            LedgerEntry.lesson_id,
            LedgerEntry.what,
            LedgerEntry.unit,
        )
    )
    rows = session.execute(query).all()
    runs = {run.id: run for run in session.scalars(select(Run).where(Run.course_id == course_id))}
    begun = {name: min(row.first for row in found) for name, found in _by(rows, "bill")}
    bills, made = [], set[uuid.UUID]()
    for name, found in sorted(_by(rows, "bill"), key=lambda one: begun[one[0]]):
        run = runs.get(found[0].run_id)
        lessons = sorted(_by(found, "lesson_id"), key=lambda one: min(row.first for row in one[1]))
        bills.append(
            RunBill(
                found[0].run_kind,
                begun[name],
                tuple(LessonBill(_newest(of), _items(of), lesson in made) for lesson, of in lessons),
                run.quote.micro_dollars if run is not None and run.quote is not None else None,
                run.cap_micro_dollars if run is not None else None,
            )
        )
        if found[0].run_kind == RunKind.GENERATE:
            made |= {lesson for lesson, _ in lessons if lesson is not None}
    return bills[::-1]


def month_bills(session: Session, owner_id: uuid.UUID, month: date) -> list[CourseBill]:
    """What was charged to this person's budgets in the month that begins on this day, the dearest course first."""
    query = (
        select(LedgerEntry.course_id, *_sums(LedgerEntry.course_title))
        .where(*_charged(owner_id, month))
        .group_by(LedgerEntry.course_id, LedgerEntry.what, LedgerEntry.unit)
    )
    found = _by(session.execute(query).all(), "course_id")
    there = set(session.scalars(select(Course.id).where(Course.id.in_([course_id for course_id, _ in found]))))
    bills = [CourseBill(key, _newest(rows), key not in there, _items(rows)) for key, rows in found]
    return sorted(bills, key=lambda bill: (-bill.micro_dollars, bill.title))


def months_with_bills(session: Session, owner_id: uuid.UUID) -> list[date]:
    """The first days of the months in which something was charged to this person, the newest first."""
    month = func.to_char(LedgerEntry.charged_on, "YYYY-MM-01").label("month")
    found = session.scalars(select(month).where(LedgerEntry.owner_id == owner_id).distinct())
    return sorted(map(date.fromisoformat, found), reverse=True)


def course_entries(session: Session, course_id: uuid.UUID) -> Sequence[LedgerEntry]:
    """Every line of the ledger that is about the course, in time."""
    return _entries(session, LedgerEntry.course_id == course_id)


def month_entries(session: Session, owner_id: uuid.UUID, month: date) -> Sequence[LedgerEntry]:
    """Every line that was charged to this person's budgets in the month."""
    return _entries(session, *_charged(owner_id, month))


def as_csv(entries: Iterable[LedgerEntry]) -> str:
    """One line for each entry. Dollars have six digits, so that sums stay exact."""
    out = io.StringIO(newline="")
    table = csv.writer(out)
    table.writerow(COLUMNS)
    for one in entries:
        texts = (one.course_title, str(one.run_id or ""), KINDS[one.run_kind], one.lesson_title, one.what)
        time = one.created_at.astimezone(UTC).isoformat(timespec="seconds")
        usd = f"{Decimal(one.micro_dollars) / MICRO:.6f}"
        table.writerow((time, one.charged_on.isoformat(), *map(_inert, texts), one.quantity, _inert(one.unit), usd))
    return out.getvalue()


def next_month(month: date) -> date:
    """The first day of the month after."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def _inert(text: str) -> str:
    """The text as a cell that no spreadsheet takes for a formula (OWASP, CSV injection)."""
    return f"'{text}" if text.startswith(FORMULA) else text


def _entries(session: Session, *where: ColumnElement[bool]) -> Sequence[LedgerEntry]:
    query = select(LedgerEntry).where(*where).order_by(LedgerEntry.created_at, LedgerEntry.key)
    return session.scalars(query).all()


def _charged(owner_id: uuid.UUID, month: date) -> tuple[ColumnElement[bool], ...]:
    day = LedgerEntry.charged_on
    return LedgerEntry.owner_id == owner_id, day >= month, day < next_month(month)


def _sums(title: Any) -> tuple[Any, ...]:
    """The sums of a group, when it began, and the newest name of what it is about."""
    titles = func.array_agg(aggregate_order_by(title, LedgerEntry.created_at.desc()), type_=ARRAY(Text))
    return (
        LedgerEntry.what,
        LedgerEntry.unit,
        func.sum(LedgerEntry.quantity).label("quantity"),
        func.count().label("times"),
        func.sum(LedgerEntry.micro_dollars).label("micro_dollars"),
        func.min(LedgerEntry.created_at).label("first"),
        func.max(LedgerEntry.created_at).label("last"),
        titles[1].label("title"),
    )


def _by(rows: Sequence[Any], name: str) -> list[tuple[Any, list[Any]]]:
    def key(row: Any) -> str:
        return str(getattr(row, name))

    groups = (list(found) for _, found in groupby(sorted(rows, key=key), key))
    return [(getattr(found[0], name), found) for found in groups]


def _newest(rows: Sequence[Any]) -> str:
    return str(max(rows, key=lambda row: row.last).title)


def _items(rows: Sequence[Any]) -> tuple[Item, ...]:
    """The dearest thing first, with its units together; what was paid and given back is nothing."""
    whole = Counter[str]()
    for row in rows:
        whole[row.what] += row.micro_dollars
    ordered = sorted(rows, key=lambda row: (-whole[row.what], row.what, -row.micro_dollars))
    paid = (row for row in ordered if row.quantity or row.micro_dollars)
    return tuple(Item(row.what, row.unit, int(row.quantity), row.times, int(row.micro_dollars)) for row in paid)
