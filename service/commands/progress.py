"""Progress on a terminal: a bar that follows the run's own event rows, or plain lines where there is no terminal."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from service.db.engine import session_scope
from service.db.events import events_after
from service.db.tables import Run
from service.pipeline.produce import advance
from service.ports import Services

Say = Callable[[str, int], None]
POLL_SECONDS, LINE_SECONDS = 0.3, 5.0


@contextmanager
def shown(title: str, console: Console) -> Iterator[Say]:
    """Show progress while the block runs: call the yielded function with a sentence and a percentage."""
    if not console.is_terminal:
        yield _lines(title, console)
        return
    columns = (
        TextColumn("{task.fields[title]}"),
        BarColumn(bar_width=24),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("[dim]{task.description}"),
    )
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("starting", total=100, title=title)
        yield lambda what, percent: progress.update(bar, description=what, completed=percent)


def _lines(title: str, console: Console) -> Say:
    """Progress for a log: a line every few seconds, and the last one."""
    said_at = 0.0

    def say(what: str, percent: int) -> None:
        nonlocal said_at
        if percent == 100 or time.monotonic() - said_at >= LINE_SECONDS:
            said_at = time.monotonic()
            console.print(f"{title}: {percent:3d} %  {what}", highlight=False, soft_wrap=True)

    return say


def follow(
    services: Services,
    course_id: uuid.UUID,
    say: Say,
    stopped: Callable[[], bool] = lambda: False,
    *,
    film: bool = True,
    hold: bool = True,
) -> None:
    """Carry the course to its end, telling every event, until it is finished or `stopped()`.

    Without `hold` nothing is held in the budgets beforehand: the work goes on until a cap is reached.

    Raises:
        BadInput: the sources cannot be used.
        Broken: a run failed for good.
        OverBudget, Paused: money is at its end, before or while something is made.
    """
    seen: dict[uuid.UUID, int] = {}
    while not stopped():
        with session_scope(services.engine) as session:
            run = advance(session, course_id, film=film, settings=services.settings, hold=hold)
            if run is None:
                return
            run_id = run.id
        _tell_new(services, run_id, seen, say)
        time.sleep(POLL_SECONDS)


def _tell_new(services: Services, run_id: uuid.UUID, seen: dict[uuid.UUID, int], say: Say) -> None:
    with session_scope(services.engine) as session:
        if session.get(Run, run_id) is None:
            return
        new = events_after(session, run_id, seen.get(run_id, 0), 200)
        told = [(event.seq, event.data) for event in new]
    for seq, data in told:
        seen[run_id] = seq
        say(str(data.get("what", "")), int(data.get("percent", 0)))
