"""What alerts and charts ask for exists: somebody writes the metric, and it is of a kind that can be asked so.

Cloud Monitoring accepts a query for a metric that nobody writes, and stays silent for ever.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from tests.infra.finding import rule
from tests.infra.graph import Graph

TOLD_WITHIN_SECONDS = 600


class Written(NamedTuple):
    """Which resource writes a metric, and what its points are."""

    by: str
    kind: str


# From Google's lists of metrics (cloud.google.com/monitoring/api/metrics_gcp).
GOOGLES = {
    "run.googleapis.com/request_count": Written("cloud_run_revision", "DELTA"),
    "run.googleapis.com/request_latencies": Written("cloud_run_revision", "DISTRIBUTION"),
    "run.googleapis.com/container/instance_count": Written("cloud_run_revision", "GAUGE"),
    "run.googleapis.com/job/running_executions": Written("cloud_run_job", "GAUGE"),
    "cloudsql.googleapis.com/database/cpu/utilization": Written("cloudsql_database", "GAUGE"),
    "cloudsql.googleapis.com/database/postgresql/num_backends": Written("cloudsql_database", "GAUGE"),
    "pubsub.googleapis.com/subscription/num_undelivered_messages": Written("pubsub_subscription", "GAUGE"),
    "monitoring.googleapis.com/uptime_check/check_passed": Written("uptime_url", "GAUGE"),
}
ALIGNERS = {
    "DELTA": {"ALIGN_DELTA", "ALIGN_RATE"},
    "DISTRIBUTION": {"ALIGN_DELTA", "ALIGN_PERCENTILE_99"},
    "GAUGE": {"ALIGN_MAX", "ALIGN_MEAN", "ALIGN_NEXT_OLDER"},
}
EQUALS = re.compile(r'([\w.]+)="([^"]*)"')


def queries(graph: Graph) -> Iterator[tuple[str, str, str]]:
    """Who asks, the filter, and the aligner; without what a preview does not know."""
    for node in graph.of("monitoring:AlertPolicy"):
        for condition in node.inputs["conditions"]:
            threshold = condition["conditionThreshold"]
            yield node.label, threshold["filter"], threshold["aggregations"][0]["perSeriesAligner"]
    [dashboard] = graph.of("monitoring:Dashboard")
    for widget in json.loads(dashboard.inputs["dashboardJson"])["gridLayout"]["widgets"]:
        asked: dict[str, Any] = widget["xyChart"]["dataSets"][0]["timeSeriesQuery"]["timeSeriesFilter"]
        yield f"chart {widget['title']}", asked["filter"], asked["aggregation"]["perSeriesAligner"]


@rule
def every_query_asks_for_something_that_is_written(graph: Graph) -> list[str]:
    site = graph.one("cloudrunv2:Service", "site").inputs["name"]
    ours = {
        f"logging.googleapis.com/user/{n.inputs['name']}": Written("cloud_run_revision", "DISTRIBUTION")
        for n in graph.of("logging:Metric")
    }
    offences = []
    for asker, text, aligner in queries(graph):
        if not isinstance(text, str):
            continue
        said = dict(EQUALS.findall(text))
        written = (GOOGLES | ours).get(said.get("metric.type", ""))
        alive = (
            written is not None
            and said.get("resource.type") == written.by
            and aligner in ALIGNERS[written.kind]
            and said.get("resource.labels.service_name", site) == site
        )
        offences += [] if alive else [f"{asker}: {text} by {aligner}"]
    return offences


@rule
def alerts_come_when_their_metrics_are_known(graph: Graph) -> list[str]:
    """For ten minutes a new metric may be unknown to alerts; the site takes about as long, for its database."""
    return [
        node.label
        for node in graph.of("monitoring:AlertPolicy")
        if "site" not in graph.named(graph.after(node), "cloudrunv2:Service")
    ] + [n.label for n in graph.of("logging:Metric") if graph.named(graph.after(n), "cloudrunv2:Service")]


@rule
def alerts_speak_within_ten_minutes(graph: Graph) -> list[str]:
    return [
        node.label
        for node in graph.of("monitoring:AlertPolicy")
        for condition in node.inputs["conditions"]
        if int(condition["conditionThreshold"]["duration"].removesuffix("s")) > TOLD_WITHIN_SECONDS
    ]
