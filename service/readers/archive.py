"""Looks an Office document over before any parser opens it: a zip archive can be a bomb, a trap or a ruin."""

from __future__ import annotations

import io
import re
import zipfile
import zlib

from service.errors import BadInput
from service.readers.limits import Limits

_DECLARATION = re.compile(
    rb"<!(?:DOCTYPE|ENTITY)|<\x00!\x00(?:D\x00O\x00C|E\x00N\x00T)|\x00<\x00!\x00(?:D\x00O|E\x00N)"
)


def check_archive(data: bytes, name: str, limits: Limits) -> None:
    """Pass when the archive is an honest Office document within the limits.

    Raises:
        BadInput: it is damaged, locked, unpacks to too much, or defines XML entities.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check_sizes(archive.infolist(), len(data), name, limits)
            for entry in archive.infolist():
                if entry.filename.lower().endswith((".xml", ".rels")) and _DECLARATION.search(archive.read(entry)):
                    raise BadInput(
                        f"“{name}” holds XML entity definitions, which no Office program writes. Save it again."
                    )
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise BadInput(f"“{name}” is damaged and cannot be unpacked. Save it again, then add it.") from error


def _check_sizes(entries: list[zipfile.ZipInfo], packed: int, name: str, limits: Limits) -> None:
    unpacked = sum(entry.file_size for entry in entries)
    honest = all(_honest_path(entry.filename) for entry in entries)
    if len(entries) > limits.archive_entries or unpacked > limits.archive_bytes:
        raise BadInput(f"“{name}” unpacks to far more than a document holds. Save it again in a smaller form.")
    if any(entry.file_size > limits.archive_ratio * max(entry.compress_size, 1000) for entry in entries):
        raise BadInput(f"“{name}” unpacks to far more than a document holds. Save it again in a smaller form.")
    if unpacked > limits.archive_ratio * packed or not honest:
        raise BadInput(f"“{name}” is no honest Office file: its parts point outside or repeat. Save it again.")


def _honest_path(path: str) -> bool:
    parts = path.replace("\\", "/").split("/")
    return not path.startswith(("/", "\\")) and ".." not in parts and not re.match(r"^[A-Za-z]:", path)
