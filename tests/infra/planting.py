"""The program with one fault in it: a change of its text, served to Python in the place of the file."""

from __future__ import annotations

import importlib.abc
import importlib.util
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from types import ModuleType

from service.settings import ROOT


@dataclass(frozen=True)
class Fault:
    """A change of the program's text, and the rule that must notice it; `refusal` when the program itself does.

    `variant` is the smallest stack that has what the fault is in: each fault makes its whole graph anew.
    """

    what: str
    file: str
    old: str
    new: str
    caught_by: str = ""
    refusal: str = ""
    variant: str = "dev"


@dataclass
class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Serves the program's modules from text, one of them changed."""

    texts: dict[str, str]
    served: list[str] = field(default_factory=list)

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> importlib.machinery.ModuleSpec | None:
        """Python asks every finder this way; only the name matters here."""
        return importlib.util.spec_from_loader(fullname, self) if fullname in self.texts else None

    def exec_module(self, module: ModuleType) -> None:
        self.served.append(module.__name__)
        module.__file__ = str(ROOT / f"{module.__name__.replace('.', '/')}.py")  # where it would have come from
        exec(compile(self.texts[module.__name__], f"{module.__name__} with a fault", "exec"), module.__dict__)


@cache
def _program() -> dict[str, str]:
    names = [path.stem for path in (ROOT / "infra").glob("*.py") if not path.stem.startswith("__")]
    return {f"infra.{name}": (ROOT / "infra" / f"{name}.py").read_text(encoding="utf-8") for name in names}


@cache
def _needed_by(name: str) -> frozenset[str]:
    """The program's modules that this one imports, over all steps; the others need not be loaded anew for its sake."""
    direct = re.findall(r"^from (infra\.\w+) import", _program()[name], re.MULTILINE)
    return frozenset(direct).union(*map(_needed_by, direct))


@contextmanager
def broken(fault: Fault) -> Iterator[_Finder]:
    """The program with this fault is what `infra` imports, until the end of the block."""
    text = (ROOT / "infra" / fault.file).read_text(encoding="utf-8")
    assert text.count(fault.old) == 1, f"{fault.file} holds {text.count(fault.old)} of: {fault.old}"
    faulty = f"infra.{fault.file.removesuffix('.py')}"
    texts = {name: text for name, text in _program().items() if name == faulty or faulty in _needed_by(name)}
    texts[faulty] = text.replace(fault.old, fault.new)
    kept = {name: sys.modules.pop(name) for name in list(sys.modules) if name in texts}
    finder = _Finder(texts)
    sys.meta_path.insert(0, finder)
    try:
        yield finder
    finally:
        sys.meta_path.remove(finder)
        for name in texts:
            sys.modules.pop(name, None)
        sys.modules.update(kept)
