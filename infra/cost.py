"""What a month will cost, from the same configuration that makes the resources, line by line with the free part off.

`python -m infra.cost STACK` prints it for a stack's file and for three sizes; the stack puts its sum among its outputs.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from infra.prices import AS_OF, FREE_STORAGE_REGIONS, HOURS, PRICES, SECONDS
from infra.stack_config import BadConfig, StackConfig
from infra.stack_file import of_stack

CONDITIONS = 7
# Compressed, in MB, measured in built images: Python, which both share, and what is ours of each, packages and code.
BASE_MB, SITE_MB, RENDER_MB = 45, 113, 202
MB, MIB, GIB = 10**6, 1024, 2**30


@dataclass(frozen=True)
class Usage:
    """A month's work. What one learner, course and release need is below, in `_Demand`."""

    learners: int
    courses: int
    releases: int = 10


@dataclass(frozen=True)
class Line:
    """One resource's month. `part` says whose bill it is: the database, the rest of the cloud, or the models."""

    what: str
    quantity: float
    unit: str
    free: float
    usd: float
    part: str = "cloud"


@dataclass(frozen=True)
class Size:
    """A size people ask about: its work, and what must be set for it; docs/deploy.md prints both."""

    name: str
    usage: Usage
    settings: dict[str, dict[str, object]]


# What `free_tier: strict` is asked with: the configuration is to be free, not a month of real teaching. A release a
# week; what each leaves in the bucket for a year is counted like any film.
TRIAL = Usage(learners=25, courses=1, releases=4)

SIZES = (
    Size("100 learners", Usage(learners=100, courses=4), {}),
    Size(
        "10,000 learners",
        Usage(learners=10_000, courses=60, releases=20),
        {
            "site": {"max_instances": 10, "concurrency": 80},
            "database": {
                "tier": "db-custom-1-3840",
                "disk_type": "PD_SSD",
                "disk_gb": 20,
                "point_in_time_recovery": True,
            },
            "jobs": {"author": {"tasks": 4}, "render": {"tasks": 8, "cpu": 2, "memory_mib": 4096, "scratch_mib": 1024}},
            "media": {"access": "cdn", "domain": "media.example.com"},
        },
    ),
    Size(
        "1,000,000 learners",
        Usage(learners=1_000_000, courses=1_500, releases=40),
        {
            "site": {"min_instances": 3, "max_instances": 60, "cpu": 2, "memory_mib": 2048, "concurrency": 120},
            "database": {
                # One large primary and no replicas: a learner's page shows what they answered a second ago.
                "tier": "db-custom-16-61440",
                "disk_type": "PD_SSD",
                "disk_gb": 500,
                "disk_limit_gb": 2000,
                "availability": "regional",
                "point_in_time_recovery": True,
            },
            "jobs": {
                # Nobody has to linger where there is always work.
                "author": {"tasks": 20, "linger_seconds": 0},
                "render": {"tasks": 60, "cpu": 2, "memory_mib": 4096, "scratch_mib": 1024, "linger_seconds": 0},
            },
            "media": {"access": "cdn", "domain": "media.example.com"},
            "models": {"vectors_url": "https://qdrant.example.com:6333"},
        },
    ),
)


class _Demand:
    """What a month's usage asks of the parts. The constants are assumptions; they stand here to be argued with."""

    requests_per_learner = 300.0
    seconds_per_request = 0.15
    minutes_watched = 25.0
    answer_kib = 10.0  # pages are larger, the many progress posts are smaller
    lessons_per_course, minutes_per_lesson = 10, 6.0
    minutes_per_smoke = 2.0  # a release makes a course of one lesson, with the models that are configured
    mib_per_minute = 4.4  # measured: 22 MB for five minutes of 1080p slides
    author_seconds_per_lesson = 90.0
    render_share = 0.2  # of the film's length, on two processors; filming alone was measured at 0.09
    builder_minutes_per_course = 60.0  # an editor's page holds a progress stream open, which keeps an instance busy
    revisions = 1.5  # a lesson's film is made this often, whole or in part
    input_tokens_per_lesson, output_tokens_per_lesson = 30_000, 6_000
    minutes_per_release = 12.0

    def __init__(self, config: StackConfig, usage: Usage) -> None:
        self.config, self.usage = config, usage
        self.lessons = usage.courses * self.lessons_per_course + usage.releases
        self.film_minutes = (
            usage.courses * self.lessons_per_course * self.minutes_per_lesson + usage.releases * self.minutes_per_smoke
        )
        self.sweeps = 43_800.0 if config.sweep_schedule == "* * * * *" else 8_760.0
        self.answers = usage.learners * self.requests_per_learner
        self.requests = self.answers + self.sweeps
        self.watched_gib = usage.learners * self.minutes_watched * self.mib_per_minute / MIB

    @property
    def busy_seconds(self) -> float:
        """Instance time: requests that overlap share it, more of them the busier the site is."""
        together = min(self.config.site.concurrency / 4, 1 + self.requests / SECONDS)
        streams = self.usage.courses * self.builder_minutes_per_course * 60
        return min(
            self.requests * self.seconds_per_request / together + streams, SECONDS * self.config.site.max_instances
        )

    @property
    def job_seconds(self) -> tuple[float, float]:
        """Instance time of the author and of the render lane, with the idle end of each execution, while an editor is
        still open: the worst case.
        """
        executions = (self.usage.courses + self.usage.releases) * 3
        author, render = self.config.jobs.author, self.config.jobs.render
        writing = self.lessons * self.author_seconds_per_lesson
        filming = self.film_minutes * 60 * self.render_share * self.revisions
        return (
            writing + executions * author.tasks * (author.idle_exit_seconds + author.linger_seconds),
            filming + executions * render.tasks * (render.idle_exit_seconds + render.linger_seconds),
        )


def estimate(config: StackConfig, usage: Usage = SIZES[0].usage) -> list[Line]:
    """The month's lines for this configuration and this much work."""
    demand = _Demand(config, usage)
    return [*_database(config), *_site(demand), *_jobs(demand), *_content(demand), *_around(demand), *_models(demand)]


def total(lines: list[Line]) -> float:
    return sum(line.usd for line in lines)


def summary(lines: list[Line]) -> str:
    """One line for people: the sum, and what it is made of."""
    paid = [line for line in lines if round(line.usd, 2) > 0]
    named = ", ".join(f"{line.what} {line.usd:.2f}" for line in sorted(paid, key=lambda line: -line.usd)[:4])
    return f"about {total(lines):.2f} USD a month at prices of {AS_OF}: {named}"


def refuse_paid_lines(config: StackConfig) -> None:
    """With `free_tier: strict`, nothing but the database may cost while the stack is tried out, and the models, which
    have a budget of their own.

    Raises:
        BadConfig: a line is not free; the message says which and what it would cost.
    """
    if config.free_tier != "strict":
        return
    paid = [line for line in estimate(config, TRIAL) if line.part == "cloud" and round(line.usd, 2) > 0]
    if paid:
        named = "; ".join(
            f"{line.what} would cost {line.usd:.2f} USD a month"
            f" ({line.quantity:,.0f} {line.unit}, {line.free:,.0f} free)"
            for line in paid
        )
        raise BadConfig(
            f"coursewright:free_tier is strict, and {named}. Change what the lines name, or set it to open."
        )


def sized(config: StackConfig, size: Size) -> StackConfig:
    """The configuration with what must change for this size, checked like any other."""
    raw = config.model_dump()
    for group, settings in size.settings.items():
        raw[group] = _merged(raw[group], settings)
    return StackConfig.model_validate(raw)


def _merged(base: dict[str, object], over: dict[str, object]) -> dict[str, object]:
    merged = dict(base)
    for name, value in over.items():
        old = merged.get(name)
        merged[name] = _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def _line(what: str, key: str, quantity: float, part: str = "cloud", free: float | None = None) -> Line:
    price = PRICES[key]
    off = price.free if free is None else free
    return Line(what, quantity, price.unit, off, max(0.0, quantity - off) * price.usd, part)


def _database(config: StackConfig) -> Iterator[Line]:
    wanted = config.database
    instances = (2 if wanted.availability == "regional" else 1) + wanted.read_replicas
    custom = re.fullmatch(r"db-custom-(\d+)-(\d+)", wanted.tier)
    if custom:
        cpus, gib = int(custom[1]), int(custom[2]) / MIB
        yield _line("database processors", "sql-vcpu", cpus * HOURS * instances, "database")
        yield _line("database memory", "sql-memory", gib * HOURS * instances, "database")
    else:
        yield _line("database instance", f"sql-{wanted.tier}", HOURS * instances, "database")
    yield _line("database disk", f"sql-{wanted.disk_type}", wanted.disk_gb * instances, "database")
    # A backup holds what changed since the one before; a tenth of the disk each is generous.
    kept = wanted.disk_gb * (0.3 + 0.02 * wanted.backups_kept + (0.2 if wanted.point_in_time_recovery else 0))
    yield _line("database backups", "sql-backup", kept, "database")


def _site(demand: _Demand) -> Iterator[Line]:
    site, gib = demand.config.site, demand.config.site.memory_mib / MIB
    yield _line("site processor", "run-vcpu", demand.busy_seconds * site.cpu)
    yield _line("site memory", "run-memory", demand.busy_seconds * gib)
    yield _line("site requests", "run-requests", demand.requests)
    yield _line("site egress", "run-egress", demand.answers * demand.answer_kib / MIB / MIB)
    resting = max(0.0, SECONDS * site.min_instances - demand.busy_seconds)
    if site.min_instances:
        yield _line("site kept warm, processor", "run-idle-vcpu", resting * site.cpu)
        yield _line("site kept warm, memory", "run-idle-memory", resting * gib)


def _jobs(demand: _Demand) -> Iterator[Line]:
    author, render = demand.config.jobs.author, demand.config.jobs.render
    writing, filming = demand.job_seconds
    yield _line("lanes, processor", "job-vcpu", writing * author.cpu + filming * render.cpu)
    gib = writing * author.memory_mib / MIB + filming * render.memory_mib / MIB
    yield _line("lanes, memory", "job-memory", gib)


def _content(demand: _Demand) -> Iterator[Line]:
    config = demand.config
    # A year's films, and the last three months' segments and speech that they were joined from.
    stored = demand.film_minutes * demand.mib_per_minute * (12 + 3 * 1.2) / MIB
    free = None if config.region in FREE_STORAGE_REGIONS else 0.0
    yield _line("content", "storage", stored, free=free)
    yield _line("content, writes", "storage-writes", demand.film_minutes * 40, free=free)
    reads = demand.usage.learners * demand.minutes_watched * 2
    if config.media.access == "cdn":
        yield _line("load balancer", "balancer", HOURS)
        yield _line("videos by CDN", "cdn-egress", demand.watched_gib)
        yield _line("videos into the CDN", "cdn-fill", demand.watched_gib * 0.1)
        yield _line("content, reads", "storage-reads", reads * 0.1, free=free)
    else:
        yield _line("videos", "storage-egress", demand.watched_gib, free=free)
        yield _line("content, reads", "storage-reads", reads, free=free)


def _around(demand: _Demand) -> Iterator[Line]:
    config, usage = demand.config, demand.usage
    yield _line("rings", "pubsub", demand.lessons * 4 / MIB / MIB)
    yield _line("images", "images", images_gib(config))
    yield _line("builds", "build", usage.releases * demand.minutes_per_release)
    yield _line("secrets", "secrets", len(config.secrets))
    yield _line("secret reads", "secret-reads", demand.busy_seconds / 600 + usage.courses * 30)
    yield _line("schedules", "scheduler", 1)
    yield _line("logs", "logs", demand.requests * 1.5 / MIB / MIB)
    if config.guard.alerts:
        yield _line("alerts", "alerts", CONDITIONS)
    yield _line("uptime checks", "uptime", 3 * SECONDS / 300)


def images_gib(config: StackConfig) -> float:
    """At the most: every version that is kept has packages of its own. While the locks stay the same, they share them,
    and a further version is little more than the code.
    """
    versions = 1 + config.delivery.image_versions_kept
    return (BASE_MB + versions * (SITE_MB + RENDER_MB)) * MB / GIB


def _models(demand: _Demand) -> Iterator[Line]:
    models, lessons = demand.config.models, demand.lessons
    if models.use_qdrant:
        yield _line("Qdrant Cloud", "qdrant", HOURS * max(1.0, demand.usage.courses / 200), "models")
    if models.llm.startswith("openai:"):
        yield _line("author, reading", "llm-input", lessons * demand.input_tokens_per_lesson, "models")
        yield _line("author, writing", "llm", lessons * demand.output_tokens_per_lesson, "models")
    if models.speech.startswith("openai:"):
        yield _line("voice", "voice", demand.film_minutes * 1.2, "models")


def table(lines: list[Line]) -> str:
    """The lines as a Markdown table, dearest first."""
    rows = [f"| {one.what} | {one.quantity:,.1f} {one.unit} | {one.free:,.1f} | {one.usd:,.2f} |" for one in lines]
    rows.sort(key=lambda row: -float(row.rsplit("|", 2)[1].replace(",", "")))
    head = ["| line | a month | free | USD |", "|---|--:|--:|--:|"]
    return "\n".join([*head, *rows, f"| **sum** | | | **{total(lines):,.2f}** |"])


def sizes_table(config: StackConfig) -> str:
    """The three sizes side by side, by part of the bill, with what must be set for each."""
    rows = ["| size | database | rest of the cloud | models | sum | what to set |", "|---|--:|--:|--:|--:|---|"]
    for size in SIZES:
        lines = estimate(sized(config, size), size.usage)
        parts = {part: sum(line.usd for line in lines if line.part == part) for part in ("database", "cloud", "models")}
        sums = " | ".join(f"{value:,.2f}" for value in (*parts.values(), total(lines)))
        told = "; ".join(_told(group, settings) for group, settings in size.settings.items()) or "as it comes"
        rows.append(f"| {size.name} | {sums} | {told} |")
    return "\n".join(rows)


def _told(group: str, settings: dict[str, object]) -> str:
    return ", ".join(
        _told(f"{group}.{name}", value) if isinstance(value, dict) else f"`{group}.{name}: {value}`"
        for name, value in settings.items()
    )


def main(arguments: list[str]) -> str:
    """The estimate of a stack, `prod` unless named, line by line; then the same stack grown to three sizes."""
    config = of_stack(arguments[0] if arguments else "prod")
    told = f"For 100 learners, 4 new courses and 10 releases a month, at prices of {AS_OF}; see infra/prices.py."
    return "\n\n".join([told, table(estimate(config)), sizes_table(config)])


if __name__ == "__main__":
    sys.stdout.write(main(sys.argv[1:]) + "\n")
