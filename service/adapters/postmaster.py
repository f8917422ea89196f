"""What the folder of an embedded PostgreSQL tells about its server: whether one lives there, and how it is reached.

Its `postmaster.pid` says so line by line, as `miscadmin.h` of PostgreSQL has it: the process first, then among others
the folder of its socket and whether it takes connections yet.
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
from pathlib import Path
from urllib.parse import quote

from service.adapters.offspring import LINUX

SOCKET = ".s.PGSQL.5432"
SOCKET_LINE, STATE_LINE = 4, 7  # of postmaster.pid, from 0


def address(socket_dir: Path) -> str:
    """The address of the server whose socket lies there."""
    return f"postgresql+pg8000://app@/postgres?unix_sock={quote(str(socket_dir / SOCKET))}"


def running(data: Path) -> str:
    """The address of the living server over this folder; empty when there is none that takes connections."""
    pid = leftover(data)
    if not pid or not ready(data, pid):
        return ""
    socket_dir = Path("".join(_pid_file(data)[SOCKET_LINE : SOCKET_LINE + 1]).strip())  # gone when it ends just now
    return address(socket_dir) if answers(socket_dir / SOCKET) else ""


def ready(data: Path, pid: int) -> bool:
    """Whether the server of this process says that it takes connections."""
    lines = _pid_file(data)
    return len(lines) > STATE_LINE and lines[STATE_LINE].strip() == "ready" and lines[0].strip() == str(pid)


def _pid_file(data: Path) -> list[str]:
    with contextlib.suppress(OSError):
        return (data / "postmaster.pid").read_text().splitlines()
    return []


def leftover(data: Path) -> int:
    """The process of a living server over this data folder, 0 when there is none."""
    lines = _pid_file(data)
    if not lines or not lines[0].strip().isdigit():
        return 0
    command = f"{_command(int(lines[0]))} "
    return int(lines[0]) if f"postgres -D {data} " in command else 0


def _command(pid: int) -> str:
    """The command line of a living process, empty when there is none."""
    if LINUX:
        with contextlib.suppress(OSError):
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        return ""
    return subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout


def answers(path: Path) -> bool:
    """Whether somebody listens on this socket."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except OSError:
            return False
        return True
