"""Where finished pieces of a film wait for the next filming: spoken sentences, encoded segments, the sound track.

Every key names its content, so an entry is never out of date; at worst it is gone, and is made again.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path
from typing import Protocol

from service.errors import NotFound
from service.ports import StorageService

KEEP_BYTES = 4 << 30


class Cache(Protocol):
    """Bytes by content key (hexadecimal). Both calls may be made from several processes at once."""

    def get(self, key: str) -> bytes | None:
        """What was put under this key, None when there is nothing (or nothing sound)."""
        ...

    def put(self, key: str, body: bytes) -> None:
        """Keep the body; a second put of the same key changes nothing."""
        ...


def default_folder() -> Path:
    """The user's own cache folder, `~/.cache/coursewright`."""
    return Path.home() / ".cache" / "coursewright"


class FolderCache:
    """A cache in a local folder. Entries carry their digest: a file cut short by a full disk reads as missing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, key: str) -> bytes | None:
        path = self._path(key)
        try:
            stored = path.read_bytes()
        except FileNotFoundError:
            return None
        digest, body = stored[:32], stored[32:]
        if hashlib.sha256(body).digest() != digest:
            path.unlink(missing_ok=True)
            return None
        with contextlib.suppress(OSError):  # a read-only cache still serves; only its age stands still
            os.utime(path)
        return body

    def put(self, key: str, body: bytes) -> None:
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(hashlib.sha256(body).digest())
                file.write(body)
            Path(name).replace(path)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise

    def prune(self, keep_bytes: int = KEEP_BYTES) -> int:
        """Remove the entries unused for longest until at most `keep_bytes` are left; says how many went."""
        entries = sorted(((s.st_mtime, s.st_size, p) for p, s in self._entries()), reverse=True)
        total, gone = 0, 0
        for _, size, path in entries:
            total += size
            if total > keep_bytes:
                path.unlink(missing_ok=True)
                gone += 1
        return gone

    def _entries(self) -> list[tuple[Path, os.stat_result]]:
        found = []
        for path in self._folder.glob("??/*.bin"):
            with contextlib.suppress(FileNotFoundError):  # another process prunes too
                found.append((path, path.stat()))
        return found

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key}.bin"


class StorageCache:
    """A cache in the product's own storage, shared by every worker."""

    def __init__(self, storage: StorageService, prefix: str = "render") -> None:
        self._storage = storage
        self._prefix = prefix

    def get(self, key: str) -> bytes | None:
        try:
            return self._storage.get(self._name(key))
        except NotFound:
            return None

    def put(self, key: str, body: bytes) -> None:
        self._storage.put(self._name(key), body, "application/octet-stream")

    def _name(self, key: str) -> str:
        return f"{self._prefix}/{key}.bin"


class MemoryCache:
    """A cache that lives as long as its process, for one filming that shall leave nothing behind."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def get(self, key: str) -> bytes | None:
        return self._kept.get(key)

    def put(self, key: str, body: bytes) -> None:
        self._kept.setdefault(key, body)
