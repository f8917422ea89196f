"""Money: held before, settled once, given back, stopped; never more than the cap."""

from __future__ import annotations

import random
import threading
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from service.db import jobs, money, steps
from service.db.errands import ErrandPurse
from service.db.guarded import paid_embedder
from service.db.jobs import Claim
from service.db.money import BudgetAlertMessage, Caps
from service.db.steps import Finished
from service.db.tables import Errand, JobState, Run, RunKind, RunState
from service.db.task import Task
from service.domain.money import Spending, embedding_micro_dollars
from service.errors import Conflict, Fenced, OverBudget, Paused, Unavailable
from service.pipeline.invoice import as_csv, course_entries, course_invoice
from tests.engine.desk import Desk
from tests.engine.test_breaker import Vectorizer

PLENTY = Caps(1_000_000, 1_000_000, 1_000_000)


def reserved(desk: Desk, micro: int, caps: Caps = PLENTY) -> uuid.UUID:
    run_id = desk.run()

    def hold(session: Session) -> None:
        run = session.get_one(Run, run_id)
        run.estimated_micro_dollars = micro
        money.reserve(session, run, micro, caps)

    desk.do(hold)
    return run_id


def paid(desk: Desk, held: Claim, micro: int, name: str = "one") -> None:
    step = Finished(name, "key", "1", 1, (Spending("tokens", 1, "token", micro),))
    desk.do(lambda session: steps.checkpoint(session, held, step, 60.0))


def purses(desk: Desk) -> set[tuple[int, int]]:
    """What the three purses hold and have spent; one pair when they agree."""
    query = text("SELECT reserved_micro_dollars, spent_micro_dollars FROM budgets")
    rows = desk.do(lambda session: session.execute(query).all())
    assert len(rows) in (0, 3)
    return {(row[0], row[1]) for row in rows}


def stopped_because(desk: Desk, run_id: uuid.UUID, caps: Caps) -> str:
    with pytest.raises(Paused) as refused:
        desk.do(lambda session: money.may_spend(session, run_id, caps))
    return str(refused.value)


# --- holding and settling ---


def test_a_run_holds_its_worst_case_in_three_purses_of_today(desk: Desk) -> None:
    run_id = reserved(desk, 700)
    rows = desk.do(lambda session: session.execute(text("SELECT scope, period FROM budgets ORDER BY 1, 2")).all())
    today = desk.scalar("SELECT CAST(now() AT TIME ZONE 'UTC' AS date)")
    mine = f"user:{desk.owner_id}"
    assert [tuple(row) for row in rows] == [("site", f"{today:%Y-%m}"), (mine, f"{today:%Y-%m}"), (mine, f"{today}")]
    assert purses(desk) == {(700, 0)}
    run = desk.run_row(run_id)
    assert (run.reserved_micro_dollars, run.reserved_on) == (700, today)


def test_what_costs_nothing_touches_no_purse(desk: Desk) -> None:
    run_id = reserved(desk, 0, Caps(0, 0, 0))
    desk.enqueue(run_id)
    desk.do(lambda session: money.may_spend(session, run_id, Caps(0, 0, 0)))
    desk.do(lambda session: jobs.finish(session, desk.claimed()))
    assert purses(desk) == set()


def test_a_run_without_an_estimate_pays_only_while_its_purses_have_room(desk: Desk) -> None:
    caps = Caps(9999, 9999, 100)
    for room in (True, True, False):
        run_id = desk.run(RunKind.INGEST)
        desk.enqueue(run_id)
        held = desk.claimed()
        task = Task(desk.engine, held, 60.0, caps)
        if room:
            task.may_spend()
            task.book("vectors", Spending("vectors", 1, "character", 50))
        else:
            with pytest.raises(Paused, match="budget for today is spent"):
                task.may_spend()
        desk.do(lambda session, held=held: jobs.finish(session, held))
    assert purses(desk) == {(0, 100)}


@pytest.mark.parametrize(
    ("caps", "sentence"),
    [
        (Caps(800, 9999, 9999), "the site's budget for this month has $0.0003 left. Try again next month"),
        (Caps(9999, 800, 9999), "your budget for this month has $0.0003 left. Try again next month"),
        (Caps(9999, 9999, 800), "your budget for today has $0.0003 left. Try again tomorrow"),
        (Caps(9999, 9999, 500), "your budget for today has nothing left. Try again tomorrow"),
    ],
)
def test_a_refusal_says_which_cap_how_much_is_left_and_the_way_out_and_holds_nothing(
    desk: Desk, caps: Caps, sentence: str
) -> None:
    reserved(desk, 500)
    with pytest.raises(OverBudget, match=r"may cost up to \$0\.0004") as refused:
        reserved(desk, 400, caps)
    assert sentence in str(refused.value)
    assert purses(desk) == {(500, 0)}


def test_a_refusal_holds_nothing_even_when_its_transaction_is_committed(desk: Desk) -> None:
    reserved(desk, 500)
    run_id = desk.run()

    def shows_the_reason(session: Session) -> None:
        with pytest.raises(OverBudget):
            money.reserve(session, session.get_one(Run, run_id), 400, Caps(9999, 9999, 800))

    desk.do(shows_the_reason)
    assert purses(desk) == {(500, 0)}
    assert desk.run_row(run_id).reserved_micro_dollars == 0


def test_a_step_is_settled_once_with_its_line_in_the_ledger(desk: Desk) -> None:
    run_id = reserved(desk, 700)
    desk.enqueue(run_id, units=2)
    held = desk.claimed()
    for _ in range(3):
        paid(desk, held, 100)
    assert purses(desk) == {(600, 100)}
    run = desk.run_row(run_id)
    assert (run.reserved_micro_dollars, run.spent_micro_dollars) == (600, 100)


def test_a_step_that_costs_more_than_is_held_is_booked_as_it_is(desk: Desk) -> None:
    run_id = reserved(desk, 100, Caps(100, 100, 100))
    desk.enqueue(run_id)
    paid(desk, desk.claimed(), 250)
    assert purses(desk) == {(0, 250)}
    assert desk.run_row(run_id).reserved_micro_dollars == 0


def test_a_run_that_held_nothing_is_charged_to_today(desk: Desk) -> None:
    run_id = desk.run()
    desk.enqueue(run_id)
    paid(desk, desk.claimed(), 30)
    assert purses(desk) == {(0, 30)}
    assert desk.run_row(run_id).reserved_on is not None


@pytest.mark.parametrize("end", ["succeeded", "failed", "canceled"])
def test_what_is_left_is_given_back_however_the_run_ends(desk: Desk, end: str) -> None:
    run_id = reserved(desk, 700)
    desk.enqueue(run_id)
    held = desk.claimed()
    paid(desk, held, 100)
    if end == "canceled":
        desk.do(lambda session: jobs.request_cancel(session, run_id))
    if end == "succeeded":
        desk.do(lambda session: jobs.finish(session, held))
    else:
        desk.do(lambda session: jobs.fail(session, held, "broken", retryable=False))
    assert desk.run_row(run_id).state == end
    assert purses(desk) == {(0, 100)}


def test_runs_that_end_while_others_are_claimed_give_back_too(desk: Desk) -> None:
    for _ in range(3):
        run_id = reserved(desk, 100)
        desk.enqueue(run_id)
        desk.claimed()
        desk.do(lambda session, run_id=run_id: jobs.request_cancel(session, run_id))
    desk.lease_runs_out()
    assert desk.claim() is None
    assert purses(desk) == {(0, 0)}


def test_a_run_that_is_tried_again_holds_what_is_left_of_its_estimate_again(desk: Desk) -> None:
    run_id = reserved(desk, 700)
    job_id = desk.enqueue(run_id)
    held = desk.claimed()
    paid(desk, held, 100)
    desk.do(lambda session: jobs.fail(session, held, "broken", retryable=False))
    with pytest.raises(OverBudget):
        desk.do(lambda session: jobs.redrive(session, job_id, Caps(9999, 9999, 699)))
    assert desk.job(job_id).state == JobState.DEAD
    desk.do(lambda session: jobs.redrive(session, job_id, Caps(700, 700, 700)))
    assert purses(desk) == {(600, 100)}
    with pytest.raises(Conflict):
        desk.do(lambda session: jobs.redrive(session, job_id, PLENTY))
    assert purses(desk) == {(600, 100)}


def test_a_job_tried_again_in_a_run_that_goes_on_holds_nothing_more(desk: Desk) -> None:
    run_id = reserved(desk, 700)
    desk.enqueue(run_id)
    dead = desk.claimed()
    desk.enqueue(run_id)
    desk.do(lambda session: jobs.fail(session, dead, "broken", retryable=False))
    desk.do(lambda session: jobs.redrive(session, dead.job_id, PLENTY))
    assert purses(desk) == {(700, 0)}


def test_what_a_removed_course_held_is_found_and_given_back(desk: Desk) -> None:
    reserved(desk, 700)
    desk.do(lambda session: session.execute(text("DELETE FROM runs")))
    stays = reserved(desk, 50)
    assert purses(desk) == {(750, 0)}
    assert desk.do(money.reconcile) == 3
    assert purses(desk) == {(50, 0)}
    assert desk.do(money.reconcile) == 0
    assert desk.run_row(stays).reserved_micro_dollars == 50


def test_a_question_to_a_paid_embedder_is_booked_once_and_a_local_one_costs_nothing(desk: Desk) -> None:
    desk.enqueue(desk.run())
    task = Task(desk.engine, desk.claimed(), 60.0, PLENTY)
    paying, free = (paid_embedder(Vectorizer(name), task.pay) for name in ("openai-text-embedding-3-large", "local"))
    assert paying is not None
    assert free is not None
    free.query("how many knots")
    for _ in range(2):  # whoever continues the job asks again
        paying.query("how many knots")
    assert desk.scalar("SELECT sum(micro_dollars) FROM ledger") == embedding_micro_dollars(paying.name, 14) > 0


# --- pausing ---


def test_a_run_beyond_its_reservation_goes_on_while_its_purses_have_room(desk: Desk) -> None:
    run_id = reserved(desk, 100)
    desk.enqueue(run_id)
    paid(desk, desk.claimed(), 150)
    desk.do(lambda session: money.may_spend(session, run_id, Caps(151, 151, 151)))
    assert "its owner's budget for today is spent" in stopped_because(desk, run_id, Caps(151, 151, 150))


def test_what_is_held_for_others_is_no_room_for_a_run_beyond_its_reservation(desk: Desk) -> None:
    run_id = reserved(desk, 100)
    reserved(desk, 500)
    desk.enqueue(run_id)
    paid(desk, desk.claimed(), 150)
    assert "the site's budget" in stopped_because(desk, run_id, Caps(650, 9999, 9999))
    desk.do(lambda session: money.may_spend(session, run_id, Caps(651, 9999, 9999)))


def test_a_run_within_its_reservation_stops_when_a_purse_is_spent_to_the_cap(desk: Desk) -> None:
    within, beyond = reserved(desk, 100), reserved(desk, 100)
    desk.enqueue(beyond)
    paid(desk, desk.claimed(), 250)
    desk.do(lambda session: money.may_spend(session, within, Caps(251, 251, 251)))
    assert "its owner's budget" in stopped_because(desk, within, Caps(9999, 250, 9999))


def test_a_paused_run_waits_and_goes_on_when_it_is_resumed(desk: Desk) -> None:
    run_id = desk.run()
    job_id = desk.enqueue(run_id)
    assert desk.do(lambda session: jobs.pause(session, run_id, "Paused: the key is used up."))
    assert not desk.do(lambda session: jobs.pause(session, run_id, "Paused: the key is used up."))
    assert desk.claim() is None
    assert desk.job(job_id).state == JobState.QUEUED
    assert desk.run_row(run_id).state == RunState.ACCEPTED
    rings = desk.scalar("SELECT count(*) FROM outbox")
    assert desk.do(lambda session: jobs.resume(session, run_id))
    assert desk.scalar("SELECT count(*) FROM outbox") == rings + 1
    assert not desk.do(lambda session: jobs.resume(session, run_id))
    assert desk.claimed().job_id == job_id
    assert [event.data["what"] for event in desk.events(run_id)] == ["Paused: the key is used up.", "Going on."]


def test_a_pause_reaches_a_running_worker_which_loses_no_attempt(desk: Desk) -> None:
    run_id = desk.run()
    job_id = desk.enqueue(run_id)
    held = desk.claimed()
    desk.do(lambda session: jobs.pause(session, run_id, "Paused by Ada."))
    assert isinstance(desk.do(lambda session: jobs.renew(session, held, 60.0)), Paused)
    desk.do(lambda session: jobs.set_aside(session, held, "Paused by Ada."))
    assert (desk.job(job_id).state, desk.job(job_id).attempt) == (JobState.QUEUED, 0)
    assert desk.claim() is None


def test_a_paused_run_can_be_canceled(desk: Desk) -> None:
    run_id = reserved(desk, 100)
    desk.enqueue(run_id)
    held = desk.claimed()
    desk.enqueue(run_id)
    desk.do(lambda session: jobs.pause(session, run_id, "Paused."))
    desk.do(lambda session: jobs.request_cancel(session, run_id))
    desk.do(lambda session: jobs.set_aside(session, held, "Paused."))
    assert desk.run_row(run_id).state == RunState.CANCELED
    assert desk.run_row(run_id).paused_because == ""
    assert purses(desk) == {(0, 0)}


def test_a_run_paused_yesterday_is_charged_to_the_day_it_goes_on(desk: Desk) -> None:
    run_id = reserved(desk, 100)
    desk.enqueue(run_id)
    held = desk.claimed()
    paid(desk, held, 100)
    yesterday = text("UPDATE runs SET reserved_on = reserved_on - 1")
    desk.do(lambda session: session.execute(yesterday))
    desk.do(lambda session: jobs.pause(session, run_id, "Paused."))
    desk.do(lambda session: jobs.resume(session, run_id))
    paid(desk, held, 5, "two")
    assert purses(desk) == {(0, 105)}


# --- the kill switch ---


def test_while_spending_is_stopped_nothing_is_claimed_and_what_runs_hands_back(desk: Desk) -> None:
    run_id = desk.run()
    job_id = desk.enqueue(run_id)
    held = desk.claimed()
    desk.do(lambda session: money.stop_spending(session, "The bill looks wrong."))
    asked = desk.do(lambda session: jobs.renew(session, held, 60.0))
    assert isinstance(asked, Paused)
    assert "The bill looks wrong" in str(asked)
    assert "The bill looks wrong" in stopped_because(desk, run_id, PLENTY)
    desk.do(lambda session: jobs.set_aside(session, held, str(asked)))
    assert (desk.job(job_id).attempt, desk.run_row(run_id).paused_because) == (0, "")
    assert desk.claim() is None
    assert desk.do(money.allow_spending)
    assert not desk.do(money.allow_spending)
    assert desk.claimed().job_id == job_id


def test_a_stop_is_off_by_itself_when_its_time_is_over_and_is_never_shortened(desk: Desk) -> None:
    def ends_in(seconds: float | None) -> datetime | None:
        until = "now() + make_interval(secs => CAST(:s AS float8))"
        moment: datetime | None = None if seconds is None else desk.scalar(f"SELECT {until}", s=seconds)
        return moment

    desk.enqueue(desk.run())
    for seconds, stopped in ((-1.0, False), (3600.0, True), (-1.0, True), (None, True), (-1.0, True)):
        until = ends_in(seconds)
        desk.do(lambda session, until=until: money.stop_spending(session, "Enough.", until))
        assert (desk.do(money.spending_stopped) is not None) is stopped
    desk.do(lambda session: session.execute(text("UPDATE switches SET until = now() - interval '1 s'")))
    assert desk.do(money.spending_stopped) is None
    assert desk.claim() is not None


def alert(passed: float | None, month: datetime | None = None, **more: object) -> BudgetAlertMessage:
    start = month or datetime.now(UTC).replace(day=1, hour=8, minute=0, second=0, microsecond=0)
    told = {
        "budgetDisplayName": "Courses",
        "costAmount": 14.2,
        "costIntervalStart": start.isoformat(),
        "budgetAmount": 14.0,
        "budgetAmountType": "SPECIFIED_AMOUNT",
        "currencyCode": "USD",
        **({} if passed is None else {"alertThresholdExceeded": passed}),
        **more,
    }
    return BudgetAlertMessage.model_validate(told)


@pytest.mark.parametrize(
    "harmless", [alert(None), alert(0.5), alert(0.999), alert(None, forecastThresholdExceeded=1.5)]
)
def test_a_message_below_the_share_and_a_forecast_stop_nothing(desk: Desk, harmless: BudgetAlertMessage) -> None:
    assert not desk.do(lambda session: money.budget_alert(session, "b", harmless, 1.0))
    assert desk.do(money.spending_stopped) is None
    assert desk.scalar("SELECT count(*) FROM budget_alerts") == 0


def test_an_alert_stops_all_spending_until_the_next_month_once_for_each_budget_and_month(desk: Desk) -> None:
    assert desk.do(lambda session: money.budget_alert(session, "b", alert(1.0), 1.0))
    assert "Courses" in (desk.do(money.spending_stopped) or "")
    until = desk.scalar("SELECT until FROM switches")
    assert (until.day, until.hour) == (1, 8)
    assert until > datetime.now(UTC)
    desk.do(money.allow_spending)
    for repeated in (alert(1.0), alert(1.2)):
        assert not desk.do(lambda session, again=repeated: money.budget_alert(session, "b", again, 1.0))
    assert desk.do(money.spending_stopped) is None
    assert desk.do(lambda session: money.budget_alert(session, "another", alert(1.0), 1.0))


def test_a_late_message_about_a_month_that_is_over_stops_nothing(desk: Desk) -> None:
    late = alert(1.0, datetime(2020, 1, 1, 8, tzinfo=UTC))
    assert not desk.do(lambda session: money.budget_alert(session, "b", late, 1.0))
    assert desk.do(money.spending_stopped) is None


# --- many at once ---


def people(engine: Engine, count: int) -> Sequence[Desk]:
    made = []
    with Session(engine) as session, session.begin():
        session.execute(text("UPDATE users SET email = id || email"))
    for _ in range(count):
        made.append(Desk(engine))
        with Session(engine) as session, session.begin():
            session.execute(text("UPDATE users SET email = id || '@x' WHERE email = 'ada@example.org'"))
    return made


def test_fifty_reservations_at_once_never_pass_a_cap_and_never_lock_each_other_out(engine: Engine) -> None:
    desks = people(engine, 5)
    caps = Caps(site_month=2_000, user_month=600, user_day=500)
    ready = threading.Barrier(25)

    def begin(number: int) -> bool:
        if number < 25:
            ready.wait(30)
        try:
            reserved(desks[number % 5], 100, caps)
        except OverBudget:
            return False
        return True

    with ThreadPoolExecutor(25) as pool:
        granted = list(pool.map(begin, range(50)))
    assert sum(granted) == 20, "the site's cap is used up exactly"
    held = desks[0].do(lambda session: session.execute(text("SELECT scope, reserved_micro_dollars FROM budgets")).all())
    assert {row[1] for row in held if row[0] == "site"} == {2_000}
    assert all(row[1] <= 500 for row in held if row[0] != "site")


def works_until_nothing_is_left(desk: Desk, caps: Caps, seed: int, dearest: int) -> tuple[int, int]:
    """A worker whose steps cost what they cost; how many it did, and how often it was told to wait."""
    dice = random.Random(seed)
    done = paused = 0
    while (held := desk.claim(f"w{seed}")) is not None:
        try:
            for name in "abcd":
                desk.do(lambda session, held=held: money.may_spend(session, held.run_id, caps))
                paid(desk, held, dice.randint(1, dearest), name)
                done += 1
            desk.do(lambda session, held=held: jobs.finish(session, held))
        except Paused as why:
            desk.do(lambda session, held=held, why=str(why): jobs.set_aside(session, held, why))
            paused += 1
    return done, paused


def begins(desk: Desk, micro: int, caps: Caps) -> bool:
    """Begin a run; one whose reservation is refused begins all the same, with nothing held: it may not run wild."""
    try:
        run_id = reserved(desk, micro, caps)
    except OverBudget:
        run_id = desk.run()
        wild = text("UPDATE runs SET estimated_micro_dollars = 1 WHERE id = :run")
        desk.do(lambda session: session.execute(wild, {"run": run_id}))
        desk.enqueue(run_id, units=3)
        return False
    desk.enqueue(run_id, units=3)
    return True


@pytest.mark.parametrize("seed", range(3))
def test_any_interleaving_spends_at_most_the_cap_and_one_step_for_each_worker(engine: Engine, seed: int) -> None:
    """Steps cost more than was thought, and runs begin while others are under way; all that was paid is counted."""
    workers, runs, dearest = 8, 50, 90
    caps = Caps(site_month=2_500, user_month=1_500, user_day=1_200)
    desks = people(engine, 3)
    with ThreadPoolExecutor(workers + 4) as pool:
        begun = [pool.submit(begins, desks[number % 3], 120, caps) for number in range(runs)]
        while not all(run.done() for run in begun[:4]):
            threading.Event().wait(0.01)
        at_work = [pool.submit(works_until_nothing_is_left, desks[0], caps, seed * 100 + n, dearest) for n in range(8)]
        granted = [run.result() for run in begun]
        told = [work.result() for work in at_work]
    told.append(works_until_nothing_is_left(desks[0], caps, seed, dearest))
    done, paused = (sum(count) for count in zip(*told, strict=True))
    print(f"seed {seed}: {done} steps, {granted.count(False)} reservations refused, {paused} runs paused")
    assert granted.count(False) >= 5, "hardly any reservation was refused: the test is blind"
    assert paused >= 5, "hardly any run was paused: the test is blind"
    look = text("SELECT scope, period, spent_micro_dollars FROM budgets")
    for scope, period, spent in desks[0].do(lambda session: session.execute(look).all()):
        cap = caps.site_month if scope == "site" else caps.user_month if len(period) == 7 else caps.user_day
        assert spent <= cap + workers * dearest
    total = desks[0].scalar("SELECT sum(spent_micro_dollars) FROM budgets WHERE scope = 'site'")
    assert total == desks[0].scalar("SELECT sum(micro_dollars) FROM ledger")
    assert total == desks[0].scalar("SELECT sum(spent_micro_dollars) FROM runs")
    assert desks[0].do(money.reconcile) == 0, "the purses hold exactly what the runs hold"


# --- the most that a call may cost ---


def in_hand(desk: Desk, run_id: uuid.UUID, caps: Caps = PLENTY) -> Task:
    desk.enqueue(run_id)
    return Task(desk.engine, desk.claimed(), 60.0, caps, patience=0.0)


def capped(desk: Desk, micro: int, caps: Caps = PLENTY) -> uuid.UUID:
    run_id = reserved(desk, micro, caps)
    desk.do(lambda session: setattr(session.get_one(Run, run_id), "cap_micro_dollars", micro))
    return run_id


def test_a_call_that_might_pass_the_cap_is_not_made_while_another_worker_is_paying(desk: Desk) -> None:
    run_id = capped(desk, 100)
    one, other = in_hand(desk, run_id), in_hand(desk, run_id)
    one.may_spend(60)
    with pytest.raises(Paused, match=r"the cap of \$0.0001 for this work has \$0.0001 left, and .* up to \$0.0002\."):
        other.may_spend(41)
    other.may_spend(40)
    one.book("one", Spending("writer", 1, "tokens", 20))
    other.book("two", Spending("writer", 1, "tokens", 40))
    one.may_spend(40)
    assert purses(desk) == {(40, 60)}


def test_a_call_waits_while_only_calls_of_its_own_run_hold_the_rest_of_the_money(desk: Desk) -> None:
    caps = Caps(9999, 9999, 100)
    run_id = capped(desk, 100, caps)
    one = in_hand(desk, run_id, caps)
    other = Task(desk.engine, in_hand(desk, run_id, caps).claim, 60.0, caps, patience=60.0)
    one.may_spend(60)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(other.may_spend, 70)
        with pytest.raises(TimeoutError):
            waiting.result(1.0)
        one.book("one", Spending("writer", 1, "tokens", 30))
        waiting.result(30.0)
    assert purses(desk) == {(70, 30)}
    with pytest.raises(Paused, match=r"Go on with a cap of \$0.01 or more"):
        other.may_spend(71)  # no other call stands in the way of it: it does not wait


def test_what_a_call_held_that_failed_stands_in_nobodys_way_once_its_job_is_handed_back(desk: Desk) -> None:
    run_id = capped(desk, 100)
    one, other = in_hand(desk, run_id), in_hand(desk, run_id)
    one.may_spend(80)
    desk.do(lambda session: jobs.release(session, one.claim))
    desk.claimed()
    other.may_spend(100)


def test_what_a_vanished_worker_may_have_paid_stays_held_for_whoever_takes_over(desk: Desk) -> None:
    run_id = capped(desk, 100)
    one, other = in_hand(desk, run_id), in_hand(desk, run_id)
    one.may_spend(80)
    desk.do(lambda session: session.execute(LEASE_OUT, {"job": one.claim.job_id}))
    successor = Task(desk.engine, desk.claimed(), 60.0, PLENTY)
    with pytest.raises(Paused):
        other.may_spend(21)
    successor.book("found", Spending("writer", 1, "tokens", 20))
    other.may_spend(80)


LEASE_OUT = text("UPDATE jobs SET lease_until = now() - interval '1 second' WHERE id = :job")


def test_what_a_call_may_cost_beyond_the_estimate_is_held_in_the_purses_first(desk: Desk) -> None:
    caps = Caps(9999, 9999, 300)
    task, others = in_hand(desk, reserved(desk, 100, caps), caps), reserved(desk, 50, caps)
    task.may_spend(250)
    assert purses(desk) == {(300, 0)}
    with pytest.raises(Paused, match=r"its owner's budget for today has \$0.0002 left, .* Go on tomorrow"):
        task.may_spend(251)
    task.book("dear", Spending("writer", 1, "tokens", 250))
    assert purses(desk) == {(50, 250)}
    with pytest.raises(Paused, match="its owner's budget for today"):
        task.may_spend(1)
    assert desk.run_row(others).reserved_micro_dollars == 50


def test_what_was_held_for_a_call_that_failed_is_free_for_the_next(desk: Desk) -> None:
    task = in_hand(desk, capped(desk, 100))

    def breaks() -> None:
        raise Unavailable("Nobody answers.")

    for _ in range(3):
        with pytest.raises(Unavailable):
            task.pay("call", Spending("voice", 1, "character", 100), breaks)
    task.pay("call", Spending("voice", 1, "character", 100), lambda: None)
    assert purses(desk) == {(0, 100)}


def test_a_worker_without_its_lease_may_not_pay(desk: Desk) -> None:
    late = in_hand(desk, reserved(desk, 100))
    desk.lease_runs_out()
    desk.claimed("another")
    with pytest.raises(Fenced):
        late.may_spend(1)


def test_workers_of_one_run_that_pay_at_once_never_pass_its_cap(desk: Desk) -> None:
    """Calls cost what chance says, up to the most that was said before; the workers stop where the next might be too
    much, so what is spent stays under the cap, and comes near it."""
    cap, most = 2_000, 90
    run_id = capped(desk, cap)
    tasks = [in_hand(desk, run_id) for _ in range(4)]

    def work(number: int) -> None:
        draw, call = random.Random(number), 0
        with pytest.raises(Paused, match="the cap of"):
            while True:
                call += 1
                tasks[number].may_spend(most)
                tasks[number].book(f"call {call}", Spending("writer", 1, "tokens", draw.randint(1, most)))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    spent = desk.run_row(run_id).spent_micro_dollars
    assert cap - 4 * most <= spent <= cap
    assert purses(desk) == {(cap - spent, spent)}


# --- errands: what is paid for a course outside of any run ---

QUESTION = Spending("openai-text-embedding-3-small", 12, "character", 30)


def errand(desk: Desk, caps: Caps = PLENTY) -> ErrandPurse:
    return ErrandPurse(desk.engine, desk.course_id, Errand.ASK, caps)


def books(desk: Desk) -> list[tuple[str, int, bool]]:
    query = text("SELECT run_kind, micro_dollars, run_id IS NULL FROM ledger ORDER BY created_at, key")
    return [tuple(row) for row in desk.do(lambda session: session.execute(query).all())]


def test_an_errand_is_paid_before_it_is_run_and_booked_to_the_courses_owner(desk: Desk) -> None:
    seen: list[set[tuple[int, int]]] = []
    assert errand(desk)("any", QUESTION, lambda: seen.append(purses(desk)) or "done") == "done"
    assert seen == [{(0, 30)}] == [purses(desk)]
    assert books(desk) == [("ask", 30, True)]
    assert desk.scalar("SELECT owner_id FROM ledger") == desk.owner_id


def test_an_errand_that_would_pass_a_cap_is_refused_and_nothing_is_booked(desk: Desk) -> None:
    reserved(desk, 100, Caps(9999, 9999, 129))
    with pytest.raises(OverBudget, match="its owner's budget for today"):
        errand(desk, Caps(9999, 9999, 129))("any", QUESTION, lambda: pytest.fail("it was run"))
    assert books(desk) == []
    assert purses(desk) == {(100, 0)}


def test_an_errand_that_is_not_answered_is_given_back_and_both_lines_stay(desk: Desk) -> None:
    def breaks() -> None:
        raise Unavailable("Nobody answers.")

    with pytest.raises(Unavailable):
        errand(desk)("any", QUESTION, breaks)
    assert sorted(books(desk)) == [("ask", -30, True), ("ask", 30, True)]
    assert purses(desk) == {(0, 0)}
    assert desk.do(lambda session: course_invoice(session, desk.course_id))[0].lessons[0].items == ()


def test_no_errand_is_run_while_all_spending_is_stopped(desk: Desk) -> None:
    desk.do(lambda session: money.stop_spending(session, "enough"))
    with pytest.raises(Paused, match="All work is stopped: enough"):
        errand(desk)("any", QUESTION, lambda: pytest.fail("it was run"))
    assert books(desk) == []


def test_errands_are_billed_by_month_beside_the_runs(desk: Desk) -> None:
    for _ in range(2):
        errand(desk)("any", QUESTION, lambda: None)
    task = in_hand(desk, desk.run(RunKind.INGEST))
    task.pay("embed", QUESTION, lambda: None)
    bills = desk.do(lambda session: course_invoice(session, desk.course_id))
    assert [(bill.name, bill.micro_dollars) for bill in bills] == [
        ("Reading documents", 30),
        ("Questions of learners", 60),
    ]
    lines = as_csv(desk.do(lambda session: course_entries(session, desk.course_id))).splitlines()
    assert sum(",Questions of learners," in line for line in lines) == 2
