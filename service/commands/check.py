"""`coursewright check`: the quality report of a course folder, for people and, with --json, for programs."""

from __future__ import annotations

import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from service.commands.arguments import parser
from service.domain.report import Check, Report
from service.pipeline.folder_check import as_json, check_folder

MARKS = {"ok": ("ok", "green"), "warn": ("warn", "yellow"), "fail": ("FAIL", "bold red"), "unchecked": ("?", "yellow")}
PLACES = 3
PIPED_COLUMNS = 120


def check(folder: Path) -> Report:
    """The quality report of a course folder.

    Raises:
        BadInput: it is no course folder.
    """
    return check_folder(folder)


def main(argv: list[str]) -> int:
    """Print the report; 1 when a hard gate fails, 0 when at most pedagogy warns."""
    options = parser("check", "The quality report of a course folder: gates fail, pedagogy warns.")
    options.add_argument("folder", help="a folder that `coursewright build` made")
    options.add_argument("--json", action="store_true", help="the whole report as JSON, with every place")
    options.add_argument("--all", action="store_true", help=f"every place that falls short, not the first {PLACES}")
    given = options.parse_args(argv)
    report = check(Path(given.folder))
    if given.json:
        sys.stdout.write(as_json(report))
    else:
        _show(report, Console(width=None if sys.stdout.isatty() else PIPED_COLUMNS), every=given.all)
    return int(bool(report.failed))


def _show(report: Report, console: Console, *, every: bool) -> None:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("", "id", "check", "found", "wanted"):
        table.add_column(heading, no_wrap=heading in ("", "id"))
    for one in report.checks:
        mark, style = MARKS[one.outcome]
        table.add_row(Text(mark, style), one.id, one.title, one.figure, one.wanted)
    console.print(table)
    for one in (*report.failed, *report.warned):
        _places(one, console, every=every)
    failed, warned = len(report.failed), len(report.warned)
    console.print(f"\n{len(report.checks)} checks: {failed} failed, {warned} warned", style="bold", highlight=False)


def _places(one: Check, console: Console, *, every: bool) -> None:
    """Where a check falls short; names of lessons and quoted words are shown as they are, never as markup."""
    mark, style = MARKS[one.outcome]
    console.print(Text.assemble("\n", (mark, style), f" {one.id}: {one.title}, {one.figure} (wanted {one.wanted})"))
    shown = one.where if every else one.where[:PLACES]
    for place in shown:
        console.print(Text(f"  {place}"), soft_wrap=True)
    if len(shown) < len(one.where):
        console.print(Text(f"  … and {len(one.where) - len(shown)} more: --all shows them"), style="dim")
