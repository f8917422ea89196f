"""Command-line parsing that keeps the promise of one clear line and exit code 2."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import NoReturn

from service.errors import BadInput


class Arguments(argparse.ArgumentParser):
    """A parser whose errors are BadInput, so that the door prints them like every other refusal."""

    def error(self, message: str) -> NoReturn:
        raise BadInput(f"{message}. `{self.prog} --help` lists the options.")


def parser(name: str, about: str) -> Arguments:
    """The parser of one command; options are never guessed from a prefix."""
    return Arguments(prog=f"coursewright {name}", description=about, allow_abbrev=False)


def new_folder(out: Path) -> Path:
    """The folder that `--out` names, which can be made and is not there yet.

    Raises:
        BadInput: it exists, or nothing can be written beside it.
    """
    if out.exists():
        raise BadInput(f"{out} exists already. Choose another --out, or remove it first.")
    parent = out.resolve().parent
    if not parent.is_dir():
        raise BadInput(f"The folder {parent} does not exist. Make it first, or choose another --out.")
    try:
        with tempfile.TemporaryFile(dir=parent):
            pass
    except OSError as error:
        raise BadInput(f"{parent} cannot be written: {error.strerror}. Choose another --out.") from error
    return out
