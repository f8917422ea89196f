"""The alerts' metrics against the line that the site's sweep really writes: what infra filters for, the logger says."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any, cast

import pytest
from sqlalchemy import Engine, text

from infra.guard import GAUGES, Gauge
from infra.stack_config import BadConfig
from service.db import jobs
from service.pipeline.sweep import sweep
from service.ports import Services, StorageService
from service.settings import Settings
from tests.engine.desk import Desk
from tests.infra.conftest import variant
from tests.infra.finding import environment_of
from tests.infra.graph import synthesize
from tests.pipeline.cloud import Bell, Platform
from tests.written_log import written_log

METRICS = {node.name: node.inputs for node in variant("prod", False).of("logging:Metric")}
SPENT = text("""
    INSERT INTO budgets (scope, period, spent_micro_dollars)
    VALUES ('site', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM'), 900000)
""")
COMPARISON = re.compile(r'([\w.]+)="([^"]*)"')


def entry(line: Mapping[str, Any], service: str = "site") -> dict[str, Any]:
    """What Cloud Logging makes of a line of JSON that a container of the service writes."""
    resource = {"type": "cloud_run_revision", "labels": {"service_name": service}}
    return {"resource": resource, "severity": line["severity"], "jsonPayload": line}


def at(found: Any, path: str) -> Any:
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def passes(filter_: str, log_entry: Mapping[str, Any]) -> bool:
    """Cloud Logging's filter, as far as ours use it: comparisons for equality, all of which must hold."""
    comparisons = [COMPARISON.fullmatch(part) for part in filter_.split(" AND ")]
    assert all(comparisons), f"this filter says more than the test understands: {filter_}"
    return all(at(log_entry, found[1]) == found[2] for found in comparisons if found)


def extracted(metric: Mapping[str, Any], log_entry: Mapping[str, Any]) -> float | None:
    """What the metric reads from the entry; None when it does not count it."""
    path = re.fullmatch(r"EXTRACT\(([\w.]+)\)", str(metric["valueExtractor"]))
    assert path
    return float(at(log_entry, path[1])) if passes(str(metric["filter"]), log_entry) else None


@pytest.fixture
def desk(engine: Engine) -> Desk:
    return Desk(engine)


@pytest.fixture
def line(desk: Desk, settings: Settings, storage: StorageService) -> dict[str, Any]:
    """The gauges' line of a sweep in production, at the level that the site's container is told, when all is wrong."""
    late = desk.run()
    desk.enqueue(late)
    desk.do(lambda session: session.execute(text("UPDATE jobs SET run_after = now() - interval '20 minutes'")))
    dead = desk.enqueue(desk.run(), lane="render")
    claim = desk.claimed(lane="render")
    assert claim.job_id == dead
    desk.do(lambda session: jobs.fail(session, claim, "It broke.", retryable=False))
    desk.do(lambda session: session.execute(text("UPDATE outbox SET created_at = now() - interval '10 minutes'")))
    desk.do(lambda session: session.execute(SPENT))
    unused = cast(Any, None)
    deaf = Bell()
    deaf.deaf_to = {"author", "render"}
    services = Services(
        settings=settings.model_copy(update={"site_month_usd": 1}),
        engine=desk.engine,
        storage=storage,
        doorbell=deaf,
        launcher=Platform(),
        author=unused,
        vectors=unused,
        embedder=None,
        speech=unused,
        stills=unused,
        mailer=unused,
    )
    level = str(environment_of(variant("prod", False), "site")["LOG_LEVEL"])
    production = settings.model_copy(update={"environment": "production", "log_level": level})
    with written_log(production) as lines:
        sweep(services)
        [found] = [one for one in lines.all() if one.get("event") == "gauges"]
    return found


@pytest.mark.parametrize("gauge", [one for one in GAUGES if one.above is not None], ids=lambda gauge: gauge.field)
def test_what_is_wrong_reaches_its_alert(gauge: Gauge, line: dict[str, Any]) -> None:
    metric = METRICS[gauge.field.replace("_", "-")]
    value = extracted(metric, entry(line))
    assert value is not None, f"{metric['filter']} passes over {line}"
    assert gauge.above is not None
    assert value > gauge.above
    assert extracted(metric, entry(line, service="another")) is None


def test_what_a_film_took_reaches_its_chart(line: dict[str, Any]) -> None:
    metric = METRICS["render-seconds-per-video-minute"]
    assert extracted(metric, entry({**line, "render_seconds_per_video_minute": 6.5})) == 6.5


def test_other_lines_of_the_site_are_no_gauges(settings: Settings) -> None:
    production = settings.model_copy(update={"environment": "production", "log_level": "info"})
    with written_log(production) as lines:
        logging.getLogger("service.web").warning("gauges of another kind", extra={"dead_jobs": 7})
        other = lines.last()
    assert other["dead_jobs"] == 7
    assert not [name for name, metric in METRICS.items() if extracted(metric, entry(other)) is not None]


def test_the_level_that_would_blind_the_alerts_is_refused() -> None:
    with pytest.raises(BadConfig, match=r"coursewright:site\.log_level"):
        synthesize("prod", over={"coursewright:site": {"log_level": "warning"}})
