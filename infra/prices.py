"""What Google and the others ask, in one dated table with its sources.

No price page could be read when this was written: the pages draw their tables by script. `QUOTED` means that public
repositories quoted the page within days of the date; `REMEMBERED` means nobody could be asked. Compare the rows with
the pages before trusting a sum; `scripts/deploy` prints this date beside every estimate.
"""

from __future__ import annotations

from dataclasses import dataclass

AS_OF = "2026-10-07"
QUOTED = "quoted by public repositories"
REMEMBERED = "from memory, not checked"

HOURS = 730.0
SECONDS = HOURS * 3600


@dataclass(frozen=True)
class Price:
    """US dollars for one unit beyond what is free each month."""

    usd: float
    unit: str
    free: float
    page: str
    source: str


PRICES = {
    # Request-based Cloud Run service, tier-1 regions; free amounts are for a billing account
    "run-vcpu": Price(0.000024, "vCPU-second", 180_000, "cloud.google.com/run/pricing", QUOTED),
    "run-memory": Price(0.0000025, "GiB-second", 360_000, "cloud.google.com/run/pricing", QUOTED),
    "run-requests": Price(0.40e-6, "request", 2_000_000, "cloud.google.com/run/pricing", QUOTED),
    "run-idle-vcpu": Price(0.0000025, "vCPU-second", 0, "cloud.google.com/run/pricing", REMEMBERED),
    "run-idle-memory": Price(0.0000025, "GiB-second", 0, "cloud.google.com/run/pricing", REMEMBERED),
    "run-egress": Price(0.12, "GiB", 1, "cloud.google.com/run/pricing", QUOTED),
    # Jobs are billed by instance
    "job-vcpu": Price(0.000018, "vCPU-second", 240_000, "cloud.google.com/run/pricing", REMEMBERED),
    "job-memory": Price(0.000002, "GiB-second", 450_000, "cloud.google.com/run/pricing", REMEMBERED),
    # Cloud SQL, us-central1, ENTERPRISE edition
    "sql-db-f1-micro": Price(0.0105, "hour", 0, "cloud.google.com/sql/pricing", REMEMBERED),
    "sql-db-g1-small": Price(0.0350, "hour", 0, "cloud.google.com/sql/pricing", REMEMBERED),
    "sql-vcpu": Price(0.0413, "vCPU-hour", 0, "cloud.google.com/sql/pricing", REMEMBERED),
    "sql-memory": Price(0.0070, "GiB-hour", 0, "cloud.google.com/sql/pricing", REMEMBERED),
    "sql-PD_SSD": Price(0.17, "GiB-month", 0, "cloud.google.com/sql/pricing", REMEMBERED),
    "sql-PD_HDD": Price(0.09, "GiB-month", 0, "cloud.google.com/sql/pricing", REMEMBERED),
    "sql-backup": Price(0.08, "GiB-month", 0, "cloud.google.com/sql/pricing", REMEMBERED),
    # Cloud Storage; free in three US regions only
    "storage": Price(0.020, "GiB-month", 5, "cloud.google.com/storage/pricing", REMEMBERED),
    "storage-writes": Price(0.05e-4, "operation", 5_000, "cloud.google.com/storage/pricing", REMEMBERED),
    "storage-reads": Price(0.004e-4, "operation", 50_000, "cloud.google.com/storage/pricing", REMEMBERED),
    "storage-egress": Price(0.12, "GiB", 100, "cloud.google.com/storage/pricing", QUOTED),
    # Cloud CDN before the bucket
    "balancer": Price(0.025, "hour", 0, "cloud.google.com/vpc/network-pricing", QUOTED),
    "cdn-egress": Price(0.08, "GiB", 0, "cloud.google.com/cdn/pricing", REMEMBERED),
    "cdn-fill": Price(0.01, "GiB", 0, "cloud.google.com/cdn/pricing", REMEMBERED),
    # The rest
    "pubsub": Price(0.04, "GiB", 10, "cloud.google.com/pubsub/pricing", QUOTED),
    "images": Price(0.10, "GiB-month", 0.5, "cloud.google.com/artifact-registry/pricing", QUOTED),
    "build": Price(0.006, "minute", 2_500, "cloud.google.com/build/pricing", QUOTED),
    "secrets": Price(0.06, "active version", 6, "cloud.google.com/secret-manager/pricing", QUOTED),
    "secret-reads": Price(0.03e-4, "access", 10_000, "cloud.google.com/secret-manager/pricing", QUOTED),
    "scheduler": Price(0.10, "job", 3, "cloud.google.com/scheduler/pricing", QUOTED),
    "logs": Price(0.50, "GiB", 50, "cloud.google.com/stackdriver/pricing", QUOTED),
    "alerts": Price(0.10, "condition", 0, "cloud.google.com/stackdriver/pricing", REMEMBERED),
    "uptime": Price(0.30e-3, "execution", 1_000_000, "cloud.google.com/stackdriver/pricing", REMEMBERED),
    # Others' bills
    "qdrant": Price(0.034, "GiB-hour of memory", HOURS, "qdrant.tech/pricing", REMEMBERED),
    "llm": Price(0.60e-6, "output token", 0, "openai.com/api/pricing", REMEMBERED),
    "llm-input": Price(0.15e-6, "input token", 0, "openai.com/api/pricing", REMEMBERED),
    "voice": Price(0.015, "minute of speech", 0, "openai.com/api/pricing", REMEMBERED),
}

FREE_STORAGE_REGIONS = ("us-central1", "us-east1", "us-west1")
