"""What the doctor finds: one line for each part, and whether anything that is needed is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Finding:
    """One part: whether it works, and the way to it. A part that is not `needed` only adds something."""

    part: str
    works: bool
    says: str
    needed: bool = True


def show(findings: Sequence[Finding]) -> int:
    """Print the findings; the exit code: 1 when something that is needed does not work."""
    table = Table("", "part", "finding", box=None)
    for finding in findings:
        mark = "[green]ok[/]" if finding.works else "[red]missing[/]" if finding.needed else "[yellow]absent[/]"
        table.add_row(mark, finding.part, finding.says)
    Console().print(table)
    return int(any(finding.needed and not finding.works for finding in findings))
