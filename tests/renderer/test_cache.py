"""Caches: one contract for all of them, and what a folder does about damage and growth."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from renderer_job.cache import Cache, FolderCache, MemoryCache, StorageCache
from service.ports import StorageService

KEY, OTHER = "ab" * 32, "cd" * 32


@pytest.fixture(params=["folder", "memory", "storage"])
def cache(request: pytest.FixtureRequest, tmp_path: Path) -> Cache:
    made: dict[str, Callable[[], Cache]] = {
        "folder": lambda: FolderCache(tmp_path / "cache"),
        "memory": MemoryCache,
        "storage": lambda: StorageCache(request.getfixturevalue("storage")),
    }
    return made[request.param]()


def test_what_is_put_is_got_and_nothing_else(cache: Cache) -> None:
    assert cache.get(KEY) is None
    cache.put(KEY, b"body\0")
    cache.put(OTHER, b"")
    assert cache.get(KEY) == b"body\0"
    assert cache.get(OTHER) == b""
    cache.put(KEY, b"body\0")
    assert cache.get(KEY) == b"body\0"


def test_workers_share_one_storage(storage: StorageService) -> None:
    StorageCache(storage).put(KEY, b"shared")
    assert StorageCache(storage).get(KEY) == b"shared"


@pytest.mark.parametrize("damage", [lambda b: b[:-1], lambda b: b[:10], lambda b: b[:0], lambda b: b[:-1] + b"x"])
def test_a_damaged_entry_reads_as_missing_and_is_made_again(damage: Callable[[bytes], bytes], tmp_path: Path) -> None:
    cache = FolderCache(tmp_path)
    cache.put(KEY, b"body")
    (entry,) = tmp_path.rglob("*.bin")
    entry.write_bytes(damage(entry.read_bytes()))
    assert cache.get(KEY) is None
    cache.put(KEY, b"body")
    assert cache.get(KEY) == b"body"


def test_pruning_keeps_what_was_used_last(tmp_path: Path) -> None:
    cache = FolderCache(tmp_path)
    keys = [f"{n:064x}" for n in range(4)]
    for age, key in enumerate(reversed(keys)):
        cache.put(key, bytes(1000))
        os.utime(tmp_path / key[:2] / f"{key}.bin", (1_000_000 + age, 1_000_000 + age))
    assert cache.get(keys[3]) is not None, "reading makes the oldest the newest"
    assert cache.prune(keep_bytes=2 * 1032) == 2
    assert [key for key in keys if cache.get(key) is not None] == [keys[0], keys[3]]
