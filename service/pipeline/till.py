"""The till of a job: every call of a model is booked in the ledger the moment it is answered, once."""

from __future__ import annotations

from service.db.steps import Spending
from service.db.task import Task


class TaskTill:
    """A task as the author's till (see `ports.Till`); its job is the payer, whichever worker holds it."""

    def __init__(self, task: Task) -> None:
        self._task = task

    @property
    def payer(self) -> str:
        return str(self._task.claim.job_id)

    def may_spend(self) -> None:
        """Raises Paused when the run waits, or no more money may be spent."""
        self._task.may_spend()

    def book(self, key: str, what: str, quantity: int, unit: str, micro_dollars: int) -> None:
        """Enter the price; the same key is entered once."""
        self._task.book(key, Spending(what, quantity, unit, micro_dollars))
