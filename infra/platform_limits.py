"""What the platform accepts: an instance's memory for its processors, a database's size and its clients.

It refuses late, in the middle of an update; here it is said before anything is made. The numbers are Google's, from the
pages of Cloud Run on memory limits and of Cloud SQL for PostgreSQL on machine types and on `max_connections`.
"""

from __future__ import annotations

import re

# What Cloud Run asks of an instance: (MiB from, processors), and (processors, MiB at least).
MEMORY_NEEDS_CPU = ((24577, 8), (16385, 6), (8193, 4), (4097, 2))
CPU_NEEDS_MEMORY = {4: 2048, 8: 4096}
LEAST_MEMORY_MIB = 512

SHARED_TIERS = ("db-f1-micro", "db-g1-small")
CUSTOM_TIER = re.compile(r"db-custom-(\d+)-(\d+)")
MOST_DATABASE_CPUS = 96
LEAST_DATABASE_MIB, DATABASE_MIB_STEP = 3840, 256
DATABASE_MIB_PER_CPU = (0.9 * 1024, 6.5 * 1024)

# The connections that a shared-core tier takes by default.
TIER_CONNECTIONS = {"db-f1-micro": 25, "db-g1-small": 50}
# For the others by memory: (GiB from, connections), as Cloud SQL sets max_connections when nobody does.
MEMORY_CONNECTIONS = ((60, 800), (30, 600), (15, 500), (7.5, 400), (6, 200), (3.75, 100), (0, 50))


def refuse_instance(cpu: int, memory_mib: int) -> None:
    """Raises ValueError when Cloud Run has no instance of this shape."""
    needed = next((cpus for least, cpus in MEMORY_NEEDS_CPU if memory_mib >= least), 1)
    least = CPU_NEEDS_MEMORY.get(cpu, LEAST_MEMORY_MIB)
    if cpu < needed:
        raise ValueError(f"memory_mib {memory_mib} needs {needed} processors or more; raise cpu or lower memory_mib")
    if memory_mib < least:
        raise ValueError(f"cpu {cpu} needs {least} MiB or more; raise memory_mib or lower cpu")


def refuse_tier(tier: str) -> str:
    """The tier itself; raises ValueError when Cloud SQL has none of this name, and says what is near."""
    if tier in SHARED_TIERS:
        return tier
    custom = CUSTOM_TIER.fullmatch(tier)
    if custom is None:
        raise ValueError(f"is {' or '.join(SHARED_TIERS)}, or db-custom-CPUS-MIB such as db-custom-2-7680")
    cpus, mib = int(custom[1]), int(custom[2])
    if cpus < 1 or cpus > MOST_DATABASE_CPUS or (cpus > 1 and cpus % 2):
        raise ValueError(f"a database has 1 processor or an even number up to {MOST_DATABASE_CPUS}, not {cpus}")
    least = max(LEAST_DATABASE_MIB, _up(cpus * DATABASE_MIB_PER_CPU[0]))
    most = int(cpus * DATABASE_MIB_PER_CPU[1]) // DATABASE_MIB_STEP * DATABASE_MIB_STEP
    if mib % DATABASE_MIB_STEP or not least <= mib <= most:
        raise ValueError(
            f"a database of {cpus} processor{'s' * (cpus > 1)} takes {least} to {most} MiB in steps of"
            f" {DATABASE_MIB_STEP}, not {mib}"
        )
    return tier


def _up(mib: float) -> int:
    return -int(-mib // DATABASE_MIB_STEP) * DATABASE_MIB_STEP


def database_connections(tier: str) -> int:
    """How many clients a tier takes when nobody sets max_connections."""
    if tier in TIER_CONNECTIONS:
        return TIER_CONNECTIONS[tier]
    gib = int(tier.rsplit("-", 1)[1]) / 1024
    return next(connections for least, connections in MEMORY_CONNECTIONS if gib >= least)
