"""Command-line parsing that keeps the promise of one clear line and exit code 2."""

from __future__ import annotations

import argparse
from typing import NoReturn

from service.errors import BadInput


class Arguments(argparse.ArgumentParser):
    """A parser whose errors are BadInput, so that the door prints them like every other refusal."""

    def error(self, message: str) -> NoReturn:
        raise BadInput(f"{message}. `{self.prog} --help` lists the options.")


def parser(name: str, about: str) -> Arguments:
    """The parser of one command; options are never guessed from a prefix."""
    return Arguments(prog=f"coursewright {name}", description=about, allow_abbrev=False)
