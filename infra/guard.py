"""Who is told, when, and what stops the spending: budget, uptime, alerts, and one dashboard.

A budget of the cloud only speaks, hours late. What stops is the site, which is told over the budget topic and refuses
new work; its own ledger is the exact limit. So the amount here is a net below, not the floor.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import pulumi
import pulumi_gcp as gcp

from infra.apis import Apis
from infra.stack_config import StackConfig

THRESHOLDS = (
    {"threshold_percent": 0.5, "spend_basis": "CURRENT_SPEND"},
    {"threshold_percent": 0.8, "spend_basis": "CURRENT_SPEND"},
    {"threshold_percent": 1.0, "spend_basis": "CURRENT_SPEND"},
    {"threshold_percent": 1.0, "spend_basis": "FORECASTED_SPEND"},
)
UPTIME_PATH = "/"
METRICS = "coursewright"
SITE_LOGS = 'resource.type="cloud_run_revision" AND resource.labels.service_name="site"'


@dataclass(frozen=True)
class Gauge:
    """A number that the sweep logs each minute, and the value above which somebody should look; None: only a chart."""

    field: str
    unit: str
    above: float | None
    for_seconds: int
    means: str


GAUGES = (
    Gauge("oldest_unfinished_seconds", "s", 900, 300, "A job waits longer than any job should: workers do not start."),
    Gauge("outbox_lag_seconds", "s", 300, 300, "Rings stay in the outbox: the site cannot publish."),
    Gauge("dead_jobs", "1", 0, 0, "A job has used up its attempts; its course says why."),
    Gauge("budget_share", "1", 0.8, 0, "The month's own budget is nearly spent; at 1 new work is refused."),
    # What a film costs grows with its length and its machine, so there is no number that is wrong by itself.
    Gauge("render_seconds_per_video_minute", "s", None, 0, "How long a minute of video takes to film; tasks bill it."),
)


def make_channels(config: StackConfig, apis: Apis) -> list[pulumi.Output[str]]:
    """Where alerts go: one address, or nowhere but the console."""
    if not config.guard.email:
        return []
    channel = gcp.monitoring.NotificationChannel(
        "mail",
        project=config.project,
        type="email",
        display_name="Coursewright's operators",
        labels={"email_address": config.guard.email},
        opts=apis.after("monitoring"),
    )
    return [channel.name]


def make_budget(
    config: StackConfig, apis: Apis, number: str, topic: gcp.pubsub.Topic, channels: list[pulumi.Output[str]]
) -> None:
    """The month's budget for this project alone; needs a billing account and the right to make budgets in it."""
    gcp.billing.Budget(
        "month",
        billing_account=config.guard.billing_account,
        display_name=f"Coursewright in {config.project}",
        # By number: the API answers with it, and a name would look like a change every time.
        budget_filter={
            "projects": [f"projects/{number}"],
            "calendar_period": "MONTH",
            "credit_types_treatment": "INCLUDE_ALL_CREDITS",
        },
        amount={"specified_amount": {"currency_code": config.guard.currency, "units": str(config.guard.budget)}},
        threshold_rules=[dict(rule) for rule in THRESHOLDS],
        all_updates_rule={
            "pubsub_topic": topic.id,
            "schema_version": "1.0",
            "monitoring_notification_channels": channels,
            "disable_default_iam_recipients": False,
        },
        opts=apis.after("billingbudgets"),
    )


@dataclass(frozen=True)
class Alert:
    """One condition that somebody should be told about."""

    name: str
    means: str
    filter: pulumi.Input[str]
    above: float
    for_seconds: int
    aggregation: dict[str, object]


def make_watch(
    config: StackConfig,
    apis: Apis,
    site_url: str,
    channels: list[pulumi.Output[str]],
    site: list[pulumi.Resource],
) -> None:
    """The uptime check, the gauges, the alerts and the dashboard.

    An alert on a metric that was made within the last ten minutes may be refused with a 404. So alerts wait for the
    site, which waits for the database, which takes about as long.
    """
    uptime = _make_uptime_check(config, apis, site_url)
    metrics = {gauge: _make_gauge_metric(config, apis, gauge) for gauge in GAUGES}
    if config.guard.alerts:
        gauges = [
            _gauge_alert(gauge, metric, gauge.above) for gauge, metric in metrics.items() if gauge.above is not None
        ]
        for alert in (*gauges, _site_down(uptime), SITE_ERRORS, DEAD_LETTERS):
            _make_alert(config, apis, channels, alert, site)
    gcp.monitoring.Dashboard(
        "overview",
        project=config.project,
        dashboard_json=json.dumps(dashboard()),
        opts=apis.after("monitoring"),
    )


def _make_uptime_check(config: StackConfig, apis: Apis, site_url: str) -> gcp.monitoring.UptimeCheckConfig:
    return gcp.monitoring.UptimeCheckConfig(
        "front-page",
        project=config.project,
        display_name="Front page",
        period="300s",
        timeout="30s",  # the first visitor after a rest waits for a cold start, and so does this
        # One place each: "USA" would be three, and two of them could call the site down while the world reads it.
        selected_regions=["USA_VIRGINIA", "EUROPE", "ASIA_PACIFIC"],
        monitored_resource={
            "type": "uptime_url",
            "labels": {"project_id": config.project, "host": urlsplit(site_url).netloc},
        },
        http_check={"path": UPTIME_PATH, "port": 443, "use_ssl": True, "validate_ssl": True},
        opts=apis.after("monitoring"),
    )


def _aligned(aligner: str, seconds: int = 300) -> dict[str, object]:
    return {"alignment_period": f"{seconds}s", "per_series_aligner": aligner}


# The mean of a distribution is exact. A percentile is a guess within a bucket, and those double in width: 0.65 of a
# budget would be read as more than 0.8, and no dead job at all as a little more than none.
MEAN_OF_GAUGE = {**_aligned("ALIGN_DELTA"), "cross_series_reducer": "REDUCE_MEAN"}


def _gauge_filter(metric: str) -> str:
    return f'metric.type="logging.googleapis.com/user/{metric}" AND resource.type="cloud_run_revision"'


def _gauge_alert(gauge: Gauge, metric: gcp.logging.Metric, above: float) -> Alert:
    return Alert(
        name=gauge.field.replace("_", "-"),
        means=gauge.means,
        filter=metric.name.apply(_gauge_filter),
        above=above,
        for_seconds=gauge.for_seconds,
        aggregation=MEAN_OF_GAUGE,
    )


def _site_down(uptime: gcp.monitoring.UptimeCheckConfig) -> Alert:
    passed = 'metric.type="monitoring.googleapis.com/uptime_check/check_passed" AND resource.type="uptime_url"'
    return Alert(
        name="site-down",
        means="Two of three continents cannot read the front page.",
        filter=uptime.uptime_check_id.apply(lambda check: f'{passed} AND metric.labels.check_id="{check}"'),
        above=1,
        for_seconds=600,
        aggregation={**_aligned("ALIGN_NEXT_OLDER", 1200), "cross_series_reducer": "REDUCE_COUNT_FALSE"},
    )


SITE_ERRORS = Alert(
    name="site-errors",
    means="The site answers with 5xx; the log has the error with its request.",
    filter=(
        f'metric.type="run.googleapis.com/request_count" AND {SITE_LOGS} AND metric.labels.response_code_class="5xx"'
    ),
    above=5,
    for_seconds=0,
    aggregation={**_aligned("ALIGN_DELTA"), "cross_series_reducer": "REDUCE_SUM"},
)

DEAD_LETTERS = Alert(
    name="dead-letters",
    means="The site refused the same ring ten times: read the message in doorbell-dead.",
    filter=(
        'metric.type="pubsub.googleapis.com/subscription/num_undelivered_messages"'
        ' AND resource.type="pubsub_subscription" AND resource.labels.subscription_id="doorbell-dead"'
    ),
    above=0,
    for_seconds=0,
    aggregation=_aligned("ALIGN_MAX"),
)


def _make_gauge_metric(config: StackConfig, apis: Apis, gauge: Gauge) -> gcp.logging.Metric:
    return gcp.logging.Metric(
        gauge.field.replace("_", "-"),
        project=config.project,
        name=f"{METRICS}/{gauge.field}",
        description=gauge.means,
        filter=f'{SITE_LOGS} AND jsonPayload.event="gauges"',
        value_extractor=f"EXTRACT(jsonPayload.{gauge.field})",
        # A number taken out of a log line is always kept as a distribution.
        metric_descriptor={"metric_kind": "DELTA", "value_type": "DISTRIBUTION", "unit": gauge.unit},
        opts=apis.after("logging"),
    )


def _make_alert(
    config: StackConfig,
    apis: Apis,
    channels: list[pulumi.Output[str]],
    alert: Alert,
    site: list[pulumi.Resource],
) -> None:
    title = alert.name.replace("-", " ").capitalize()
    threshold = {
        "filter": alert.filter,
        "comparison": "COMPARISON_GT",
        "threshold_value": alert.above,
        "duration": f"{alert.for_seconds}s",
        "aggregations": [alert.aggregation],
    }
    gcp.monitoring.AlertPolicy(
        alert.name,
        project=config.project,
        display_name=title,
        combiner="OR",
        severity="WARNING",
        conditions=[{"display_name": title, "condition_threshold": threshold}],
        notification_channels=channels,
        documentation={"content": alert.means, "mime_type": "text/markdown"},
        alert_strategy={"auto_close": "86400s"},
        opts=apis.after("monitoring", also=site),
    )


CHARTS: tuple[tuple[str, str, dict[str, object]], ...] = (
    ("Requests by answer", f'metric.type="run.googleapis.com/request_count" AND {SITE_LOGS}', _aligned("ALIGN_RATE")),
    (
        "Slowest in a hundred",
        f'metric.type="run.googleapis.com/request_latencies" AND {SITE_LOGS}',
        _aligned("ALIGN_PERCENTILE_99"),
    ),
    ("Instances", f'metric.type="run.googleapis.com/container/instance_count" AND {SITE_LOGS}', _aligned("ALIGN_MAX")),
    (
        "Running executions",
        'metric.type="run.googleapis.com/job/running_executions" AND resource.type="cloud_run_job"',
        _aligned("ALIGN_MAX"),
    ),
    (
        "Database processor",
        'metric.type="cloudsql.googleapis.com/database/cpu/utilization" AND resource.type="cloudsql_database"',
        _aligned("ALIGN_MEAN"),
    ),
    (
        "Database connections",
        'metric.type="cloudsql.googleapis.com/database/postgresql/num_backends" AND resource.type="cloudsql_database"',
        _aligned("ALIGN_MAX"),
    ),
    *(
        (gauge.field.replace("_", " ").capitalize(), _gauge_filter(f"{METRICS}/{gauge.field}"), MEAN_OF_GAUGE)
        for gauge in GAUGES
    ),
)


def dashboard() -> dict[str, object]:
    """How the site answers, how the lanes run, how the database stands, and the gauges, in two columns."""
    return {"displayName": "Coursewright", "gridLayout": {"columns": "2", "widgets": [_chart(*one) for one in CHARTS]}}


def _chart(title: str, series: str, aggregation: Mapping[str, object]) -> dict[str, object]:
    """The dashboard is given as the API takes it, and not in the words of the provider."""
    words = {
        "".join([name.partition("_")[0], *map(str.capitalize, name.split("_")[1:])]): aggregation[name]
        for name in aggregation
    }
    query = {"timeSeriesFilter": {"filter": series, "aggregation": words}}
    return {"title": title, "xyChart": {"dataSets": [{"timeSeriesQuery": query, "plotType": "LINE"}]}}
