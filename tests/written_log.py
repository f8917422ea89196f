"""The log as production writes it, at debug level, kept in memory for tests."""

from __future__ import annotations

import io
import json
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from typing import Any

from service.logs import configure_logging
from service.settings import Settings


class Lines:
    """What was written to the log since it was opened."""

    def __init__(self, stream: io.StringIO) -> None:
        self._stream = stream

    @property
    def text(self) -> str:
        return self._stream.getvalue()

    def all(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]

    def last(self) -> dict[str, Any]:
        return self.all()[-1]


@contextmanager
def written_log(settings: Settings) -> Iterator[Lines]:
    """Configure logging by these settings; at the end everything is put back."""
    root, hooks = logging.getLogger(), (sys.excepthook, threading.excepthook)
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    root.handlers = []  # or the configuration would close them
    try:
        with redirect_stderr(stream):
            configure_logging(settings)
        yield Lines(stream)
    finally:
        root.handlers, root.level = handlers, level
        sys.excepthook, threading.excepthook = hooks
        logging.captureWarnings(False)
