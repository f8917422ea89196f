"""Reads documents in child processes that may die: parsers meet hostile files, and the site must not notice.

One child per document, with limits on memory, processor time, files and output, an empty environment, and a session
of its own so that it is killed whole. A child that dies means that the file is refused; it is never tried again.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

from service.domain.source import Source
from service.errors import BadInput, Broken
from service.readers.limits import Limits
from service.readers.reading import check_file

_ROOT = Path(__file__).resolve().parents[2]
_AT_ONCE = 2
_COMPLAINT_BYTES = 8_000
log = logging.getLogger(__name__)


def read_document(path: Path, name: str, limits: Limits | None = None) -> Source:
    """The document at `path` as a source called `name`, read by a child process in at most `limits.wall_seconds`.

    Raises:
        BadInput: it cannot be read; the message says why and what to do.
        Broken: the reader itself is at fault; its complaint is in the log.
    """
    limits = limits or Limits()
    check_file(path, name, limits)
    with path.open("rb") as file:
        child = subprocess.Popen(
            _command(name, limits),
            stdin=file,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=_ROOT,
            env={"PYTHONUTF8": "1"},
            start_new_session=True,
        )
    try:
        answer, complaint = _drain(child, name, limits)
    finally:
        _kill(child)
    return _source(child.returncode, answer, complaint, name)


def read_documents(
    documents: Iterable[tuple[Path, str]], limits: Limits | None = None
) -> Iterator[tuple[str, Source | BadInput]]:
    """Each document's name with its source, or with why it was refused; two at a time, in the order given."""

    def read(document: tuple[Path, str]) -> tuple[str, Source | BadInput]:
        path, name = document
        try:
            return name, read_document(path, name, limits)
        except BadInput as refusal:
            return name, refusal

    with ThreadPoolExecutor(max_workers=_AT_ONCE, thread_name_prefix="read") as pool:
        yield from pool.map(read, documents)


def _command(name: str, limits: Limits) -> list[str]:
    return [sys.executable, "-m", "service.readers", json.dumps({"name": name, **asdict(limits)})]


def _drain(child: subprocess.Popen[bytes], name: str, limits: Limits) -> tuple[bytes, bytes]:
    """What the child wrote to both pipes until it closed them. Raises BadInput when it wrote too much or too long."""
    assert child.stdout and child.stderr
    deadline = time.monotonic() + limits.wall_seconds
    answer, complaint = bytearray(), bytearray()
    with child.stdout, child.stderr, selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ, answer)
        selector.register(child.stderr, selectors.EVENT_READ, complaint)
        while selector.get_map():
            ready = selector.select(deadline - time.monotonic())
            if time.monotonic() >= deadline:
                raise BadInput(_too_long(name))
            for key, _ in ready:
                piece = os.read(key.fd, 1 << 16)
                if not piece:
                    selector.unregister(key.fileobj)
                key.data.extend(piece)
            if len(answer) > limits.answer_bytes:
                raise BadInput(f"“{name}” holds far more than a document does. Split it, then add the parts.")
            del complaint[:-_COMPLAINT_BYTES]
    try:
        child.wait(max(0.1, deadline - time.monotonic()))
    except subprocess.TimeoutExpired as error:
        raise BadInput(_too_long(name)) from error
    return bytes(answer), bytes(complaint)


def _kill(child: subprocess.Popen[bytes]) -> None:
    """End the child and whatever it started. Its group outlives it only when something of it still runs."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _source(status: int, answer: bytes, complaint: bytes, name: str) -> Source:
    if status == 0:
        said = json.loads(answer)
        if "refused" in said:
            raise BadInput(said["refused"])
        return Source.model_validate(said["source"])
    words = complaint.decode("utf-8", "replace").strip()
    log.warning("the reader of %s died with status %s: %s", name, status, words)
    if status == -signal.SIGXCPU:
        raise BadInput(_too_long(name))
    if status < 0 or "MemoryError" in words:
        raise BadInput(f"“{name}” is damaged or too complicated to be read. Export it again, or save it as text.")
    raise Broken(
        f"“{name}” could not be read: the reader failed, and the log says why. Save it as text, then add that."
    )


def _too_long(name: str) -> str:
    return f"“{name}” takes too long to be read. Split it, or save it in a simpler form."
