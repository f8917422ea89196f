"""What a child process must be told between fork and exec: die with its parent, and who to be.

A killed site must leave no database server and no worker behind. Linux can promise that (`PR_SET_PDEATHSIG`);
elsewhere the next start finds the leftovers and ends them. PostgreSQL refuses to run as root, so root becomes another
user for it, and keeps only the right to pass through folders such as a private home.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PR_SET_PDEATHSIG, PR_SET_KEEPCAPS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 1, 8, 47, 2
CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_KILL, CAP_SETGID, CAP_SETUID = 0, 1, 2, 5, 6, 7
CAPSET_VERSION_3 = 0x20080522
LINUX = sys.platform == "linux"

_LIBC = ctypes.CDLL(None, use_errno=True) if LINUX else None


@dataclass(frozen=True)
class Identity:
    """The user that a child process becomes."""

    uid: int
    gid: int
    name: str


def effective_capabilities() -> int:
    """This process's effective capabilities as the kernel's bit mask; all of them where nothing tells."""
    status = Path("/proc/self/status")
    if LINUX and status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("CapEff:"):
                return int(line.split()[1], 16)
    return (1 << 64) - 1


def lacks(*capabilities: int) -> bool:
    """Whether this process misses one of the capabilities."""
    held = effective_capabilities()
    return any(not held >> capability & 1 for capability in capabilities)


def before_exec(
    *, identity: Identity | None = None, dies_with_parent: int = 0, niceness: int = 0
) -> Callable[[], None]:
    """A `preexec_fn`: become `identity`, be nicer, and get the signal `dies_with_parent` when the parent is gone.

    The kernel sends that signal when the forking *thread* ends, so fork from the main thread or from one that lives as
    long as the child should.
    """
    parent = os.getpid()
    passes = effective_capabilities() & (1 << CAP_DAC_OVERRIDE | 1 << CAP_DAC_READ_SEARCH)

    def prepare() -> None:
        if niceness:
            os.nice(niceness)
        if identity is not None:
            _become(identity, passes)
        if dies_with_parent and _LIBC is not None:
            # After the change of user, which clears it. The parent may have died since the fork: then nobody signals.
            _LIBC.prctl(PR_SET_PDEATHSIG, dies_with_parent, 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)

    return prepare


def _become(identity: Identity, passes: int) -> None:
    """Change the user for good; keep `passes`, and nothing else, over the exec as ambient capabilities."""
    if _LIBC is not None:
        _LIBC.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setresgid(identity.gid, identity.gid, identity.gid)
    os.setresuid(identity.uid, identity.uid, identity.uid)
    os.umask(0o077)
    if _LIBC is None or not passes:
        return
    header = (ctypes.c_uint32 * 2)(CAPSET_VERSION_3, 0)
    sets = (ctypes.c_uint32 * 6)(passes, passes, passes, 0, 0, 0)
    if _LIBC.capset(header, sets) == 0:
        for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
            if passes >> capability & 1:
                _LIBC.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0)
