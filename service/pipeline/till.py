"""The till of a job: every call of a model is booked in the ledger the moment it is answered, once."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from service.db.task import Task
from service.domain.money import Spending
from service.domain.source import Document
from service.ports import Till


class TaskTill:
    """A task as the author's till (see `ports.Till`); its job is the payer, whichever worker holds it."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._used: dict[str, None] = {}

    @property
    def payer(self) -> str:
        return str(self._task.claim.job_id)

    @property
    def calls(self) -> list[str]:
        """The names of the recorded calls that were used so far, each once, in order."""
        return list(self._used)

    def may_spend(self, most: int) -> None:
        """Raises Paused when the run waits, or so many micro-dollars may not be spent."""
        self._task.may_spend(most)

    def book(self, key: str, *spent: Spending) -> None:
        """Enter the price; the same key is entered once."""
        self._task.book(key, *spent)

    def used(self, key: str) -> None:
        """Remember the call's name until the step is saved."""
        self._used[key] = None


def authored(
    task: Task,
    name: str,
    in_key: str,
    work: Callable[[Till], Document],
    *,
    what: str,
    lesson_id: uuid.UUID | None = None,
) -> Any:
    """The JSON of the document that an author makes as one step (see `Task.step`).

    It is saved together with the names of the recorded calls that it was made from, findings of searches among them:
    whoever builds the course again without a model needs exactly these. `findings` says that these are recorded.
    """
    till = TaskTill(task)

    def make() -> dict[str, Any]:
        document = work(till).model_dump(mode="json")
        return {"document": document, "calls": till.calls, "findings": True}

    return task.step(name, in_key, make, what=what, lesson_id=lesson_id)["document"]
