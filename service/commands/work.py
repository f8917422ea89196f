"""`coursewright work`: one author worker; the launcher and the cloud's job both start it."""

from __future__ import annotations

from service.commands.arguments import parser
from service.settings import load_settings


def main(argv: list[str]) -> int:
    parser("work", "Read, plan and write until nothing is left, or until stopped.").parse_args(argv)
    from service.worker import main as work

    return work(load_settings())
