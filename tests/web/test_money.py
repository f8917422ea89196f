"""Money on the site: the quote before, the cap, the meter during, the invoice after, and books that nothing removes."""

from __future__ import annotations

import csv
import io
import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, func, select, text

from service.db import jobs, money, steps
from service.db.engine import session_scope, transaction
from service.db.steps import Finished
from service.db.tables import Course, LedgerEntry, Run
from service.domain.money import Spending, dollars
from service.errors import Paused
from service.settings import Settings
from tests.web.conftest import Browser
from tests.web.world import World

Browsers = Callable[..., tuple[Browser, uuid.UUID]]
WRITER, VOICE = "quiz_master (gpt-4o-mini)", "openai:gpt-4o-mini-tts"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A site that pays for its author and its voice; nothing here asks either."""
    paid = {"llm": "openai:gpt-4o-mini", "openai_api_key": SecretStr("k"), "speech": VOICE}
    return settings.model_copy(update=paid)


class Books:
    """A course that is being generated, by whose worker money is spent."""

    def __init__(self, engine: Engine, course: uuid.UUID, settings: Settings) -> None:
        self.engine, self.course, self.settings = engine, course, settings
        self.claim = transaction(engine, lambda session: jobs.claim(session, "author", "w", 60.0))

    def spend(self, micro: int, what: str = WRITER, key: str = "one") -> None:
        assert self.claim is not None
        held, spent = self.claim, (Spending(what, 1200, "tokens", micro),)
        transaction(self.engine, lambda session: steps.book(session, held, key, spent, 60.0))

    def pause_where_it_may_not_spend(self) -> str:
        """What a worker does before its next step; why it may not go on."""
        assert self.claim is not None
        held, caps = self.claim, self.settings.caps
        with pytest.raises(Paused) as refused:
            transaction(self.engine, lambda session: money.may_spend(session, held.run_id, caps))
        transaction(self.engine, lambda session: jobs.set_aside(session, held, str(refused.value)))
        return str(refused.value)

    @property
    def run(self) -> Run:
        with session_scope(self.engine) as session:
            found = session.scalars(select(Run).where(Run.course_id == self.course, Run.kind == "generate")).one()
            session.expunge(found)
            return found


@pytest.fixture
def generating(browser_of: Browsers, world: World, engine: Engine, settings: Settings) -> tuple[Browser, Books]:
    """A generation that stops at ten cents, with its first job in a worker's hands."""
    browser, me = browser_of()
    course = world.course(me, "planned", made=False)
    assert browser.submit(f"/courses/{course}/generate", cap="0.10").status_code == 303
    return browser, Books(engine, course, settings)


def ledger(engine: Engine) -> int:
    with session_scope(engine) as session:
        return session.scalar(select(func.coalesce(func.sum(LedgerEntry.micro_dollars), 0))) or 0


def rows_of(answer_text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer_text)))


# --- before ---


def test_the_outline_says_what_generating_will_cost_and_asks_where_to_stop(
    browser_of: Browsers, world: World, engine: Engine
) -> None:
    browser, me = browser_of()
    course = world.course(me, "planned", made=False)
    page = browser.get(f"/courses/{course}/outline").text
    assert re.search(r'class="price num">\$\d+\.\d\d–\$\d+\.\d\d<', page)
    for said in ("Read by the agents (gpt-4o-mini)", "Spoken", "processor time", "Storage", "your budget for today"):
        assert said in page, said
    proposed = re.search(r'name="cap"[^>]* value="([\d.]+)"', page)
    assert proposed
    assert browser.submit(f"/courses/{course}/generate", cap=proposed[1]).status_code == 303
    with session_scope(engine) as session:
        run = session.scalars(select(Run).where(Run.course_id == course)).one()
        assert run.quote is not None
        assert run.reserved_micro_dollars == run.estimated_micro_dollars == run.quote.micro_dollars.high > 0
        beyond = (run.cap_micro_dollars or 0) - run.estimated_micro_dollars
        assert 12_000 <= beyond < 22_000, "room for one more answer, in whole cents"


def test_what_is_free_says_so_in_one_line_and_asks_nothing(browser_of: Browsers, world: World, engine: Engine) -> None:
    browser, me = browser_of()
    course = world.course(me, "planned", made=False)
    with session_scope(engine) as session:
        session.get_one(Course, course).sample = True  # is written without a model whatever the settings say
    site = browser.app.state.site  # type: ignore[attr-defined]
    object.__setattr__(site, "settings", site.settings.model_copy(update={"speech": "silent:"}))
    page = browser.get(f"/courses/{course}/outline").text
    assert "Free" in page
    assert 'name="cap"' not in page
    assert "$" not in page
    assert browser.submit(f"/courses/{course}/generate").status_code == 303
    going = browser.get(f"/courses/{course}/generating").text
    assert "Free" in going
    assert 'data-live="meter"' not in going


@pytest.mark.parametrize("cap", ["a lot", "-1", "0", "nan", "1e99"])
def test_a_cap_that_is_no_sum_of_money_begins_nothing(
    browser_of: Browsers, world: World, engine: Engine, cap: str
) -> None:
    browser, me = browser_of()
    course = world.course(me, "planned", made=False)
    refused = browser.submit(f"/courses/{course}/generate", cap=cap)
    assert refused.status_code == 422
    assert "such as 0.50" in refused.text
    with session_scope(engine) as session:
        assert session.scalar(select(func.count()).select_from(Run)) == 0


def test_a_budget_that_is_too_small_is_named_and_a_lower_cap_fits_into_it(
    browser_of: Browsers, world: World, engine: Engine
) -> None:
    browser, me = browser_of()
    course = world.course(me, "planned", made=False)
    with engine.begin() as connection:
        spent = text(
            "INSERT INTO budgets (scope, period, spent_micro_dollars)"
            " VALUES (:who, to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD'), 4950000)"
        )
        connection.execute(spent, {"who": f"user:{me}"})
    page = browser.get(f"/courses/{course}/outline").text
    assert "has $0.05 left" in page
    refused = browser.submit(f"/courses/{course}/generate", cap="1.00")
    assert refused.status_code == 402
    assert "your budget for today has $0.05 left" in refused.text
    assert browser.submit(f"/courses/{course}/generate", cap="0.05").status_code == 303


def test_an_edit_of_the_outline_brings_the_new_price_with_it(browser_of: Browsers, world: World) -> None:
    browser, me = browser_of()
    course = world.course(me, "planned", made=False)
    page = browser.get(f"/courses/{course}/outline").text
    version = re.search(r'data-version="(\d+)"', page)
    assert version
    headers = {"X-CSRF": browser.token(), "If-Match": f'"{version[1]}"'}
    edit = {"edits": [{"do": "remove_lesson", "id": str(world.lessons[2])}]}
    answer = browser.patch(f"/courses/{course}/outline", json=edit, headers=headers)
    assert answer.status_code == 200, answer.text
    before, after = (re.search(r'class="price num">([$][^<]+)<', one) for one in (page, answer.json()["to_generate"]))
    assert before and after
    assert before[1] != after[1]


# --- during ---


def test_the_meter_is_right_after_a_reload_and_in_the_events_and_counts_a_retry_once(
    generating: tuple[Browser, Books],
) -> None:
    browser, books = generating
    books.spend(30_000)
    books.spend(30_000)  # the same call again, by whoever continued the job
    books.spend(10_000, key="two")
    page = browser.get(f"/courses/{books.course}/generating").text
    assert 'data-live="spent">$0.04<' in page
    assert "stops at $0.10" in page
    held = books.claim
    assert held is not None
    step = Finished("write", "key", "1", 1, (Spending(WRITER, 1, "tokens", 2_000),))
    transaction(books.engine, lambda session: steps.checkpoint(session, held, step, 60.0, {"what": "Writing"}))
    events = browser.get(f"/courses/{books.course}/runs/{held.run_id}/events?poll=1").json()
    assert events[-1]["spent"] == 42_000 == ledger(books.engine)


def test_a_run_stops_at_its_cap_and_goes_on_with_a_higher_one(generating: tuple[Browser, Books]) -> None:
    browser, books = generating
    assert books.run.reserved_micro_dollars == 100_000
    books.spend(101_000)
    assert "the cap of $0.10 for this work is reached" in books.pause_where_it_may_not_spend()
    page = f"/courses/{books.course}/generating"
    assert "Go on with a higher cap" in browser.get(page).text
    refused = browser.submit(f"/courses/{books.course}/resume", cap="0.10")
    assert refused.status_code == 422
    assert "is spent already" in refused.text
    assert 'name="cap"' in refused.text, "who is refused can try again at once"
    refused = browser.submit(f"/courses/{books.course}/resume", cap="900")
    assert refused.status_code == 402
    assert books.run.paused_because, "a cap that no budget has room for changes nothing"
    assert browser.submit(f"/courses/{books.course}/resume", cap="0.30").status_code == 303
    run = books.run
    assert (run.paused_because, run.cap_micro_dollars, run.reserved_micro_dollars) == ("", 300_000, 199_000)
    again = Books(books.engine, books.course, books.settings)
    assert again.claim is not None
    again.spend(199_000, key="three")
    assert "the cap of $0.30" in again.pause_where_it_may_not_spend()


def test_a_run_that_waits_before_its_cap_says_the_least_that_it_needs_and_asks_for_it(
    generating: tuple[Browser, Books],
) -> None:
    browser, books = generating
    books.spend(90_000)
    assert books.claim is not None
    claim, caps = books.claim, books.settings.caps
    with pytest.raises(Paused) as why:
        transaction(books.engine, lambda session: steps.hold(session, claim, 11_700, caps, 60.0))
    transaction(books.engine, lambda session: jobs.set_aside(session, claim, str(why.value)))
    page = browser.get(f"/courses/{books.course}/generating").text
    assert "has $0.0100 left, and the next calls may cost up to $0.0117. Go on with a cap of $0.11 or more." in page
    proposed = re.search(r'name="cap"[^>]* value="([\d.]+)"', page)
    assert proposed, "there is a field for the higher cap"
    assert browser.submit(f"/courses/{books.course}/resume", cap=proposed[1]).status_code == 303
    again = Books(books.engine, books.course, books.settings)
    assert again.claim is not None
    held = again.claim
    transaction(books.engine, lambda session: steps.hold(session, held, 11_700, caps, 60.0))


# --- after ---


def test_the_invoice_is_the_ledger_to_the_micro_dollar(generating: tuple[Browser, Books]) -> None:
    browser, books = generating
    for number, (what, micro) in enumerate(((WRITER, 12_345), (WRITER, 1), (VOICE, 20_007))):
        books.spend(micro, what, f"call {number}")
    page = browser.get(f"/courses/{books.course}/invoice").text
    for said in ("Generating", "Quiz master (gpt-4o-mini)", "$0.012346", "Voice (gpt-4o-mini-tts)", "$0.032353"):
        assert said in page, said
    table = browser.get(f"/courses/{books.course}/invoice.csv")
    assert table.headers["content-type"].startswith("text/csv")
    rows = rows_of(table.text)
    assert len(rows) == 3
    assert sum(Decimal(row["usd"]) for row in rows) * 1_000_000 == 32_353 == ledger(books.engine)
    assert len({row["lesson"] for row in rows} - {""}) == 1, "every call was made for the same lesson"


def test_no_cell_of_a_table_is_a_formula(generating: tuple[Browser, Books]) -> None:
    browser, books = generating
    with books.engine.begin() as connection:
        connection.execute(text("UPDATE courses SET title = '=HYPERLINK(\"http://evil\")'"))
        connection.execute(text("UPDATE lessons SET title = '@SUM(A1)'"))
    books.spend(5)
    row = rows_of(browser.get(f"/courses/{books.course}/invoice.csv").text)[0]
    assert row["course"].startswith("'=")
    assert row["lesson"].startswith("'@")


def test_what_is_held_for_work_under_way_is_said_where_what_is_left_is(generating: tuple[Browser, Books]) -> None:
    browser, books = generating
    with session_scope(books.engine) as session:
        held = session.scalar(select(Run.reserved_micro_dollars))
    assert held
    said = f"{dollars(held)} is held for work under way"
    assert browser.get("/account/spending").text.count(said) == 3
    with session_scope(books.engine) as session:
        session.execute(text("UPDATE budgets SET reserved_micro_dollars = 0"))
    assert "held" not in browser.get("/account/spending").text


def test_a_removed_course_stays_in_the_books_of_whoever_paid(
    generating: tuple[Browser, Books], browser_of: Browsers
) -> None:
    browser, books = generating
    books.spend(70_000)
    browser.submit(f"/courses/{books.course}/stop")
    held = books.claim
    assert held is not None
    transaction(books.engine, lambda session: jobs.fail(session, held, "stopped", retryable=False))
    assert browser.submit(f"/courses/{books.course}/remove").status_code == 303
    assert browser.get(f"/courses/{books.course}/invoice").status_code == 404
    page = browser.get("/account/spending").text
    assert 'Reading a weather map <span class="hint">(removed)' in page
    assert "$0.070000" in page
    with session_scope(books.engine) as session:
        purse = "SELECT spent_micro_dollars FROM budgets WHERE scope LIKE 'user:%' AND length(period) = 7"
        assert session.scalar(text(purse)) == 70_000 == ledger(books.engine)
    month = f"{datetime.now(UTC):%Y-%m}"
    assert [row["usd"] for row in rows_of(browser.get(f"/account/spending.csv?month={month}").text)] == ["0.070000"]
    other, _ = browser_of("other@example.org")
    assert "weather" not in other.get("/account/spending").text
    assert rows_of(other.get("/account/spending.csv").text) == []


@pytest.mark.parametrize("month", ["2026-13", "next", "２０２６-11", "2026-11-01"])
def test_a_month_that_does_not_exist_is_nowhere(maren: Browser, month: str) -> None:
    assert maren.get("/account/spending", params={"month": month}).status_code == 404
