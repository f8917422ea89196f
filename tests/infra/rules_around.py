"""What stands around: APIs, releases, budget, alerts, and that the program wrote what the provider takes."""

from __future__ import annotations

import json

from tests.infra.finding import MEMBERS, environment_of, rule, who
from tests.infra.graph import Graph, short
from tests.infra.provider_types import arguments_of, misfits

API_OF = {
    "artifactregistry": "artifactregistry",
    "billing": "billingbudgets",
    "cloudbuild": "cloudbuild",
    "cloudbuildv2": "cloudbuild",
    "cloudrun": "run",
    "cloudrunv2": "run",
    "cloudscheduler": "cloudscheduler",
    "compute": "compute",
    "iam": "iam",
    "logging": "logging",
    "monitoring": "monitoring",
    "pubsub": "pubsub",
    "secretmanager": "secretmanager",
    "serviceaccount": "iam",
    "sql": "sqladmin",
    "storage": "storage",
}

ALARMING = ("oldest-unfinished-seconds", "outbox-lag-seconds", "dead-jobs", "budget-share")
SHOWN = ("render-seconds-per-video-minute",)


@rule
def every_name_is_used_once(graph: Graph) -> list[str]:
    return [node.label for node in graph.nodes if graph.by_urn[node.urn] is not node]


@rule
def every_resource_waits_for_its_api(graph: Graph) -> list[str]:
    """Grants too: over their target, or the project's API for those on the project itself."""
    late = []
    for node in graph.nodes:
        if not node.custom or short(node.kind) == "projects:Service":
            continue
        module = short(node.kind).split(":")[0]
        needed = API_OF.get(module, "cloudresourcemanager" if node.kind.endswith(MEMBERS) else "")
        enabled = graph.named(graph.after(node), "projects:Service")
        if (f"api-{needed}" not in enabled) if needed else not enabled:
            late.append(node.label)
    return late


@rule
def no_api_is_switched_off_with_the_stack(graph: Graph) -> list[str]:
    return [n.label for n in graph.of("projects:Service") if n.inputs.get("disableOnDestroy") is not False]


@rule
def only_the_branch_releases_and_as_the_builder(graph: Graph) -> list[str]:
    offences = []
    for node in graph.of("cloudbuild:Trigger"):
        event = node.inputs.get("github") or node.inputs.get("repositoryEventConfig") or {}
        if event.get("push", {}).get("branch") != f"^{graph.config.delivery.branch}$":
            offences.append(f"{node.label}: {event}")
        if who(graph, node, "serviceAccount") != {"builder"}:
            offences.append(f"{node.label} does not run as the builder")
    wanted = bool(graph.config.delivery.repository)
    return offences + ([] if bool(graph.of("cloudbuild:Trigger")) is wanted else ["trigger"])


@rule
def old_images_are_deleted(graph: Graph) -> list[str]:
    """What serves stays, and of the others at most as many as are configured; a failed release may be the newest."""
    kept = graph.config.delivery.image_versions_kept
    policies = graph.one("artifactregistry:Repository", "images").inputs.get("cleanupPolicies", [])
    keeping = [policy for policy in policies if policy["action"] == "KEEP"]
    newest = [policy["mostRecentVersions"]["keepCount"] for policy in keeping if "mostRecentVersions" in policy]
    by_tag = [policy["condition"] for policy in keeping if "condition" in policy]
    tags = ["live", "previous"] if kept else ["live"]
    right = (newest, by_tag) == (
        [kept - 1] if kept > 1 else [],
        [{"tagState": "TAGGED", "tagPrefixes": tags}],
    )
    return [] if right and any(policy["action"] == "DELETE" for policy in policies) else ["images"]


@rule
def the_budget_speaks_to_people_and_to_the_site(graph: Graph) -> list[str]:
    wanted = bool(graph.config.guard.billing_account)
    budgets = graph.of("billing:Budget")
    if len(budgets) != wanted:
        return [f"{len(budgets)} budgets"]
    offences = []
    for node in budgets:
        rules = {(r["thresholdPercent"], r["spendBasis"]) for r in node.inputs.get("thresholdRules", [])}
        spoken = {(0.5, "CURRENT_SPEND"), (0.8, "CURRENT_SPEND"), (1.0, "CURRENT_SPEND"), (1.0, "FORECASTED_SPEND")}
        told = node.of_property.get("allUpdatesRule", frozenset())
        topics = graph.named(told, "pubsub:Topic")
        pushed = {
            name
            for n in graph.of("pubsub:Subscription")
            if "pushConfig" in n.inputs
            for name in graph.named(n.of_property["topic"], "pubsub:Topic")
        }
        if (
            rules != spoken
            or not topics
            or not topics <= pushed
            or not graph.named(told, "monitoring:NotificationChannel")
        ):
            offences.append(node.label)
        if not node.inputs["budgetFilter"]["projects"][0].removeprefix("projects/").isdigit():
            offences.append(f"{node.label} names the project, not its number")
    return offences


@rule
def spending_stops_at_an_alert_of_the_budget(graph: Graph) -> list[str]:
    """The site stops at the first alert of this share or more; between two alerts nobody tells it anything."""
    share = float(environment_of(graph, "site").get("BUDGET_STOP_SHARE", 0))
    return [
        f"{node.label} has no alert at {share}"
        for node in graph.of("billing:Budget")
        if share
        not in {r["thresholdPercent"] for r in node.inputs["thresholdRules"] if r["spendBasis"] == "CURRENT_SPEND"}
    ]


@rule
def every_alert_reaches_somebody_and_says_what_it_means(graph: Graph) -> list[str]:
    offences = []
    for node in graph.of("monitoring:AlertPolicy"):
        if not node.inputs.get("documentation", {}).get("content"):
            offences.append(f"{node.label} is not explained")
        if graph.config.guard.email and not node.of_property.get("notificationChannels"):
            offences.append(f"{node.label} reaches nobody")
    alerts = {node.name for node in graph.of("monitoring:AlertPolicy")}
    wanted = {"site-down", "site-errors", "dead-letters", *ALARMING} if graph.config.guard.alerts else set()
    return offences + [f"alerts {alerts}"] * (alerts != wanted)


@rule
def every_gauge_of_the_site_is_a_metric_and_a_chart(graph: Graph) -> list[str]:
    metrics = {node.inputs["name"]: node.name for node in graph.of("logging:Metric")}
    offences = [f"metrics {set(metrics.values())}"] * (set(metrics.values()) != {*ALARMING, *SHOWN})
    [dashboard] = graph.of("monitoring:Dashboard")
    widgets = json.loads(dashboard.inputs["dashboardJson"])["gridLayout"]["widgets"]
    series = [one["xyChart"]["dataSets"][0]["timeSeriesQuery"]["timeSeriesFilter"] for one in widgets]
    charted = {one["filter"].split('"')[1].removeprefix("logging.googleapis.com/user/"): one for one in series}
    # As exact as the alerts: the mean, because a percentile of a distribution is a guess.
    exact = {name for name, one in charted.items() if one["aggregation"].get("crossSeriesReducer") == "REDUCE_MEAN"}
    return offences + [f"{name} has no chart" for name in metrics if name not in exact]


@rule
def no_output_was_made_a_string(graph: Graph) -> list[str]:
    return [n.label for n in graph.nodes if "Calling __str__ on an Output" in graph.text(n.inputs)] + [
        name for name, value in graph.outputs.items() if "Calling __str__ on an Output" in graph.text(value)
    ]


@rule
def inputs_fit_the_providers_types(graph: Graph) -> list[str]:
    """Mocks take anything; the SDK's own input types say what each key is called and what it holds."""
    return [offence for n in graph.nodes if n.custom for offence in misfits(arguments_of(n.kind), n.inputs, n.label)]
