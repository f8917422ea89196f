"""Takes a job at once from a worker that died on this very machine, instead of waiting for its lease to run out.

Only a fast path: it speaks about processes that this one can see, named so that no other machine, container or later
process is mistaken for them. Everywhere else, and whenever something is unclear, the lease decides.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import signal
import socket
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session

HELD = text("SELECT id, worker FROM jobs WHERE state = 'running' AND lease_until > now() AND worker LIKE :mine")
FREE = text("""
    UPDATE jobs SET lease_until = now() WHERE id = :job AND worker = :worker AND state = 'running' RETURNING id
""")


def worker_name() -> str:
    """A name for this process that no other one ever has: place, process, its start, and a token."""
    return f"{_place()}:{os.getpid()}:{_started(os.getpid())}:{secrets.token_hex(4)}"


def free_orphans(session: Session) -> int:
    """End the leases of workers that lived here and are dead; how many there were."""
    place = _place()
    if not place:
        return 0
    held = session.execute(HELD, {"mine": f"{place}:%"}).all()
    dead = [row for row in held if not _lives(row.worker)]
    freed = [session.scalar(FREE, {"job": row.id, "worker": row.worker}) for row in dead]
    return sum(job is not None for job in freed)


def _place() -> str:
    """Names the machine and the process numbers in force on it; empty where the system does not tell."""
    with contextlib.suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        numbers = Path("/proc/self/ns/pid").readlink()
        return hashlib.sha256(f"{socket.gethostname()} {boot} {numbers}".encode()).hexdigest()[:16]
    return ""


def _started(pid: int) -> str:
    """When a living process started, in the kernel's ticks; empty when it is dead, or waits to be buried."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return "" if fields[0] in "ZX" else fields[19]
    return ""


def _lives(worker: str) -> bool:
    _, pid, started, _ = worker.split(":")
    return bool(started) and _started(int(pid)) == started


def end_process(code: int) -> None:
    """End this process at once, whatever its threads do, and every process under it: a hung encoder, a hung voice."""
    for pid in reversed(_descendants(os.getpid())):
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)
    os._exit(code)


def _descendants(root: int) -> list[int]:
    """The processes under this one, parents before children; none where the system does not tell."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError):
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(folder.name))
    found = [root]
    for pid in found:
        found.extend(children.get(pid, []))
    return found[1:]
