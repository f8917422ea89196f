"""What one document may cost: a hostile or hopeless file must end as a clear refusal, never as a stuck worker."""

from __future__ import annotations

from dataclasses import dataclass

MEGABYTE = 1_000_000
MEBIBYTE = 1 << 20


@dataclass(frozen=True)
class Limits:
    """Bounds on one file before, while and after it is read. Sizes in bytes, times in seconds, text in characters."""

    file_bytes: int = 50 * MEGABYTE
    characters: int = 5_000_000
    pages: int = 2_000
    archive_entries: int = 2_000
    archive_bytes: int = 200 * MEGABYTE
    archive_ratio: int = 100
    memory_bytes: int = 1024 * MEBIBYTE
    cpu_seconds: int = 30
    wall_seconds: float = 45.0
    answer_bytes: int = 64 * MEGABYTE
