"""A test of faults that no sabotaged engine fails is blind: each of these engines has to be caught."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from service.settings import Settings
from tests.engine.desk import Desk
from tests.faults import exams, mutants
from tests.faults.exams import Exam
from tests.faults.mutants import Sabotage

CAUGHT_BY: list[tuple[Sabotage, Exam]] = [
    (mutants.no_epoch_in_checkpoint, exams.a_late_checkpoint_is_refused),
    (mutants.no_epoch_in_finish, exams.a_late_finish_is_refused),
    (mutants.no_epoch_in_failure, exams.a_late_failure_and_a_late_return_are_refused),
    (mutants.no_guard_in_commit, exams.what_a_late_worker_commits_is_refused),
    (mutants.reap_by_select_then_update, exams.a_job_that_ends_while_it_is_reaped_stays_ended),
    (mutants.claim_without_a_lock, exams.two_workers_that_claim_at_once_do_not_meet),
    (mutants.claim_only_what_is_queued, exams.an_abandoned_job_is_taken_up),
    (mutants.attempts_counted_at_failure, exams.a_job_that_kills_its_worker_stops_after_three),
    (mutants.handing_back_counts, exams.a_job_that_is_handed_back_loses_no_attempt),
    (mutants.ring_after_commit, exams.a_job_and_its_ring_are_one_transaction),
    (mutants.lease_not_renewed, exams.the_lease_is_renewed_while_the_handler_works),
    (mutants.saved_before_it_is_paid, exams.a_step_is_saved_only_when_it_is_done),
    (mutants.charged_under_a_new_key, exams.a_checkpoint_that_is_run_again_is_charged_once),
    (mutants.charged_in_its_own_transaction, exams.a_step_and_its_charge_are_one_transaction),
    (mutants.stopping_loses_to_a_retry, exams.a_stopped_run_ends_although_its_job_may_be_tried_again),
    (mutants.numbered_by_the_last_event, exams.events_are_numbered_in_the_order_of_their_commits),
]


@pytest.fixture
def desk(engine: Engine) -> Desk:
    return Desk(engine)


@pytest.mark.parametrize("exam", [exam for _, exam in CAUGHT_BY], ids=lambda exam: exam.__name__)
def test_the_engine_passes(exam: Exam, desk: Desk, settings: Settings) -> None:
    exam(desk, settings)


@pytest.mark.parametrize(("mutant", "exam"), CAUGHT_BY, ids=[mutant.__name__ for mutant, _ in CAUGHT_BY])
def test_the_mutant_is_caught(
    mutant: Sabotage, exam: Exam, desk: Desk, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for patch in mutant():
        monkeypatch.setattr(patch.where, patch.name, patch.value)
    with pytest.raises(AssertionError):  # any other error would be the mutant's own clumsiness
        exam(desk, settings)


def test_no_mutant_is_forgotten() -> None:
    assert {*mutants.MUTANTS} == {mutant for mutant, _ in CAUGHT_BY} | {mutants.no_fence_at_all}
