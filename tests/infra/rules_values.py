"""Values that one part of the program writes and another part, or the product, relies on: addresses, doors, shares."""

from __future__ import annotations

from typing import Any

from infra.compute import ALIVE_PATH, READY_PATH
from infra.data import DATABASE_NAME
from infra.guard import GAUGES, UPTIME_PATH
from infra.messaging import BUDGET_PATH, PUSH_PATH, SWEEP_PATH
from tests.infra.finding import containers, environment_of, rule, who
from tests.infra.graph import PROJECT_NUMBER, Graph

CLEARLY_DIFFERENT_SECRETS = {"COOKIE_KEYS": "cookie-keys", "MAIL_URL": "mail-url", "OPENAI_API_KEY": "openai-key"}
# Two of three continents, any dead letter, more than five errors.
ABOVE = {"site-down": 1, "dead-letters": 0, "site-errors": 5}
NEVER_DELETED = {"content": [["segments/"]], "builds": [None], "media": []}
# A segment of a lesson that somebody edits after two months is not filmed anew; what was built is of no use after days.
DELETED_AFTER_DAYS = {"content": range(60, 400), "builds": range(1, 8)}
# The sweep rings anew within a minute; dead rings wait for a person, and what was spent for a site that is down.
RETAINED = {"doorbell-push": "3600s", "doorbell-dead": "604800s", "budget-push": "604800s"}
# Role, target's kind and target of those who touch content; the rest is in the inventories.
CONTENT = {
    ("site", "roles/storage.objectViewer"),
    ("site", "roles/storage.objectCreator"),
    ("author", "roles/storage.objectViewer"),
    ("author", "roles/storage.objectCreator"),
    ("author", "roles/storage.objectUser"),
    ("render", "roles/storage.objectViewer"),
    ("render", "roles/storage.objectCreator"),
}


@rule
def each_caller_knocks_at_its_own_door(graph: Graph) -> list[str]:
    site = graph.outputs["site_url"]
    wanted: dict[str, tuple[str, ...]] = {"doorbell-push": (f"{site}{PUSH_PATH}", "doorbell")}
    if graph.config.guard.billing_account:
        wanted["budget-push"] = (f"{site}{BUDGET_PATH}", "budget")
    found = {
        n.name: (n.inputs["pushConfig"]["pushEndpoint"], *graph.named(n.of_property["topic"], "pubsub:Topic"))
        for n in graph.of("pubsub:Subscription")
        if "pushConfig" in n.inputs
    }
    offences = [] if found == wanted else [str(found)]
    for node in graph.of("cloudscheduler:Job"):
        target = node.inputs["httpTarget"]
        said = (node.inputs["schedule"], target["httpMethod"], target["uri"])
        # Alerts, leases and what pages promise count on a sweep each minute; who sets another has decided so.
        schedule = graph.config.sweep_schedule if "sweep_schedule" in graph.config.model_fields_set else "* * * * *"
        if said != (schedule, "POST", f"{site}{SWEEP_PATH}"):
            offences.append(f"{node.label}: {said}")
    return offences


@rule
def the_site_listens_and_is_asked_where_it_answers(graph: Graph) -> list[str]:
    service = graph.one("cloudrunv2:Service", "site").inputs
    container = service["template"]["containers"][0]
    found = (
        service["ingress"],
        container["image"].rpartition("/")[2],
        container["ports"]["containerPort"],
        container["startupProbe"]["httpGet"]["path"],
        container["livenessProbe"]["httpGet"]["path"],
        container["resources"]["limits"],
    )
    wanted = graph.config.site
    limits = {"cpu": str(wanted.cpu), "memory": f"{wanted.memory_mib}Mi"}
    right = ("INGRESS_TRAFFIC_ALL", "hello:latest", 8080, READY_PATH, ALIVE_PATH, limits)
    public = [n for n in graph.of("cloudrunv2:ServiceIamMember") if n.inputs.get("member") == "allUsers"]
    return [str(found)] * (found != right) + ["nobody may see the site"] * (not public)


@rule
def jobs_do_what_they_are_named_for(graph: Graph) -> list[str]:
    offences = []
    for node, template, container in containers(graph):
        if node.kind.endswith(":Service"):
            continue
        migrates = node.name == "migrate"
        said = (container["args"], template["maxRetries"], template["executionEnvironment"])
        right = (["migrate"] if migrates else ["work"], 0 if migrates else 1, "EXECUTION_ENVIRONMENT_GEN2")
        if said != right:
            offences.append(f"{node.label}: {said}")
    return offences


@rule
def rings_go_to_the_topic_that_is_pushed(graph: Graph) -> list[str]:
    topic = f"pubsub://{graph.config.project}/{graph.one('pubsub:Topic', 'doorbell').inputs['name']}"
    return [name for name in ("site", "author") if environment_of(graph, name).get("QUEUE_URL") != topic]


@rule
def each_variable_reads_its_own_secret(graph: Graph) -> list[str]:
    return [
        f"{node.label}: {variable} reads {secret}"
        for node, _, _ in containers(graph)
        for variable, secret in environment_of(graph, node.name).items()
        if variable in CLEARLY_DIFFERENT_SECRETS and secret != CLEARLY_DIFFERENT_SECRETS[variable]
    ]


@rule
def what_is_configured_is_what_is_told(graph: Graph) -> list[str]:
    site = environment_of(graph, "site")
    offences = [] if site["SIGNUP"] == graph.config.site.signup else ["SIGNUP"]
    for name, lane in (("author", graph.config.jobs.author), ("render", graph.config.jobs.render)):
        if environment_of(graph, name).get("LINGER_SECONDS") != str(lane.linger_seconds):
            offences.append(f"{name}: LINGER_SECONDS")
    for node, _, _ in containers(graph):
        said = (environment_of(graph, node.name)["LOG_LEVEL"], environment_of(graph, node.name)["TRACES_URL"])
        if said != (graph.config.site.log_level, f"gcp://{graph.config.project}"):
            offences.append(f"{node.label}: {said}")
    if not graph.preview and not str(site["DATABASE_URL"]).endswith(f"/{DATABASE_NAME}"):
        offences.append(str(site["DATABASE_URL"]))
    public = f"gs://{graph.config.project}-media"
    return offences + ["MEDIA_URL"] * (site.get("MEDIA_URL", public) != public)


@rule
def lifecycles_delete_what_can_be_made_again_and_nothing_else(graph: Graph) -> list[str]:
    offences = []
    for node in graph.of("storage:Bucket"):
        deleting = [r["condition"] for r in node.inputs["lifecycleRules"] if r["action"]["type"] == "Delete"]
        prefixes = [condition.get("matchesPrefixes") for condition in deleting]
        untimely = [c for c in deleting if c["age"] not in DELETED_AFTER_DAYS.get(node.name, ())]
        if prefixes != NEVER_DELETED[node.name] or untimely:
            offences.append(f"{node.label}: {deleting}")
    return offences


@rule
def content_is_touched_as_the_table_says(graph: Graph) -> list[str]:
    """A lane may take back what it wrote below `calls/`, and nothing else."""
    on = [
        n
        for n in graph.of("storage:BucketIAMMember")
        if "content" in graph.named(n.of_property["bucket"], "storage:Bucket")
    ]
    found = {(role, n.inputs["role"]) for n in on for role in who(graph, n)}
    wide = [
        n.label
        for n in on
        if n.inputs["role"] == "roles/storage.objectUser"
        and "author" in who(graph, n)
        and not graph.preview
        and '/objects/calls/")' not in str(n.inputs.get("condition", {}).get("expression"))
    ]
    return wide + [str(found ^ CONTENT)] * (found != CONTENT)


@rule
def images_are_really_deleted_and_soon(graph: Graph) -> list[str]:
    registry = graph.one("artifactregistry:Repository", "images").inputs
    rest = [p["condition"] for p in registry["cleanupPolicies"] if p["action"] == "DELETE"]
    good = rest == [{"olderThan": "86400s", "tagState": "ANY"}] and registry["cleanupPolicyDryRun"] is False
    told = graph.outputs["registry"] == f"{registry['location']}-docker.pkg.dev/{registry['project']}/images"
    return [] if good and told else ["images"]


@rule
def releases_are_started_by_the_product_and_approved_as_configured(graph: Graph) -> list[str]:
    harmless = {"docs/**", "*.md", "infra/**", "Pulumi*.yaml"}
    return [
        n.label
        for n in graph.of("cloudbuild:Trigger")
        if n.inputs["approvalConfig"] != {"approvalRequired": graph.config.delivery.approval}
        or not set(n.inputs["ignoredFiles"]) <= harmless
    ]


@rule
def github_speaks_for_one_repository_and_branch(graph: Graph) -> list[str]:
    wanted = graph.config.delivery
    condition = f"assertion.repository == '{wanted.repository}' && assertion.ref == 'refs/heads/{wanted.branch}'"
    offences = [
        n.label
        for n in graph.of("iam:WorkloadIdentityPoolProvider")
        if n.inputs["attributeCondition"] != condition
        or n.inputs["oidc"] != {"issuerUri": "https://token.actions.githubusercontent.com"}
    ]
    return offences + [
        n.label
        for n in graph.of("serviceaccount:IAMMember")
        if n.inputs["role"] == "roles/iam.workloadIdentityUser"
        and not graph.preview
        and not str(n.inputs["member"]).endswith(f"/attribute.repository/{wanted.repository}")
    ]


@rule
def the_budget_is_this_projects_and_as_large_as_configured(graph: Graph) -> list[str]:
    guard = graph.config.guard
    amount = {"specifiedAmount": {"currencyCode": guard.currency, "units": str(guard.budget)}}
    return [
        n.label
        for n in graph.of("billing:Budget")
        if n.inputs["amount"] != amount
        or n.inputs["budgetFilter"].get("projects") != [f"projects/{PROJECT_NUMBER}"]
        or n.inputs["budgetFilter"].get("calendarPeriod") != "MONTH"
    ]


@rule
def the_budget_also_writes_to_those_who_pay(graph: Graph) -> list[str]:
    """The billing account's administrators, by default; whoever runs the stack is not always who pays for it."""
    return [
        n.label
        for n in graph.of("billing:Budget")
        if n.inputs["allUpdatesRule"].get("disableDefaultIamRecipients") is not False
    ]


@rule
def messages_wait_as_long_as_somebody_wants_them(graph: Graph) -> list[str]:
    offences = []
    for node in graph.of("pubsub:Subscription"):
        kept = node.inputs.get("messageRetentionDuration")
        if kept != RETAINED[node.name] or ("pushConfig" in node.inputs and node.inputs["ackDeadlineSeconds"] != 60):
            offences.append(f"{node.label}: {kept}")
    # The alert says “ten times”, and so does docs/deploy.md.
    letters = graph.one("pubsub:Subscription", "doorbell-push").inputs["deadLetterPolicy"]
    return offences + ["dead letters"] * (letters["maxDeliveryAttempts"] != 10)


def _threshold(graph: Graph, name: str) -> dict[str, Any]:
    [condition] = graph.one("monitoring:AlertPolicy", name).inputs["conditions"]
    threshold: dict[str, Any] = condition["conditionThreshold"]
    return threshold


@rule
def alerts_look_at_what_they_are_named_for(graph: Graph) -> list[str]:
    """Exactly, too: a percentile of a distribution is a guess within a bucket, and a gauge's threshold is none."""
    if not graph.config.guard.alerts:
        return []
    names = [node.name for node in graph.of("monitoring:AlertPolicy")]
    offences = [name for name in names if _threshold(graph, name)["comparison"] != "COMPARISON_GT"]
    for gauge in GAUGES:
        if gauge.above is None:
            continue
        threshold = _threshold(graph, gauge.field.replace("_", "-"))
        [how] = threshold["aggregations"]
        exact = (how["perSeriesAligner"], how.get("crossSeriesReducer")) == ("ALIGN_DELTA", "REDUCE_MEAN")
        if threshold["thresholdValue"] != gauge.above or not exact:
            offences.append(gauge.field)
    kept = graph.one("pubsub:Subscription", "doorbell-dead").inputs["name"]
    if f'subscription_id="{kept}"' not in _threshold(graph, "dead-letters")["filter"]:
        offences.append("dead-letters")
    limits = {name: _threshold(graph, name)["thresholdValue"] for name in ABOVE}
    [counted] = _threshold(graph, "site-down")["aggregations"]
    if limits != ABOVE or counted["crossSeriesReducer"] != "REDUCE_COUNT_FALSE":
        offences.append(f"{limits}, {counted}")
    if 'response_code_class="5xx"' not in _threshold(graph, "site-errors")["filter"]:
        offences.append("site-errors")
    return offences


@rule
def what_looks_from_outside_looks_at_the_site_and_writes_to_the_operator(graph: Graph) -> list[str]:
    host = str(graph.outputs["site_url"]).removeprefix("https://")
    offences = [
        n.label
        for n in graph.of("monitoring:UptimeCheckConfig")
        if n.inputs["monitoredResource"]["labels"] != {"project_id": graph.config.project, "host": host}
        # The alert counts places, and means continents; three are the least that the API takes.
        or n.inputs["selectedRegions"] != ["USA_VIRGINIA", "EUROPE", "ASIA_PACIFIC"]
        or n.inputs["httpCheck"] != {"path": UPTIME_PATH, "port": 443, "useSsl": True, "validateSsl": True}
    ]
    return offences + [
        n.label
        for n in graph.of("monitoring:NotificationChannel")
        if n.inputs["labels"] != {"email_address": graph.config.guard.email}
    ]


@rule
def the_database_is_of_the_size_and_in_the_places_that_were_asked_for(graph: Graph) -> list[str]:
    wanted = graph.config.database
    said = graph.one("sql:DatabaseInstance", "database").inputs["settings"]
    found = (said["availabilityType"], said["tier"], said["diskSize"], said["diskAutoresizeLimit"])
    right = (wanted.availability.upper(), wanted.tier, wanted.disk_gb, wanted.disk_limit_gb)
    replicas = [n for n in graph.of("sql:DatabaseInstance") if n.name != "database"]
    alone = [n.label for n in replicas if "database" not in graph.named(n.waits_for, "sql:DatabaseInstance")]
    return alone + [str(found)] * (found != right)


@rule
def the_cdn_caches_and_speaks_tls(graph: Graph) -> list[str]:
    open_ports = [n.label for n in graph.of("compute:GlobalForwardingRule") if n.inputs["portRange"] != "443"]
    return open_ports + [
        n.label
        for n in graph.of("compute:BackendBucket")
        if n.inputs.get("enableCdn") is not True
        or graph.named(n.of_property["bucketName"], "storage:Bucket") != {"media"}
    ]


@rule
def googles_accounts_are_granted_something_once_they_are_there(graph: Graph) -> list[str]:
    late = [n for n in graph.of("secretmanager:SecretIamMember") if n.name.startswith("cloudbuild-")]
    offences = [n.label for n in late if "api-cloudbuild" not in graph.named(graph.after(n), "projects:Service")]
    return offences + ["cloudbuild"] * (bool(late) is not graph.config.delivery.second_generation)


@rule
def a_replaced_secret_is_not_left_behind_and_billed(graph: Graph) -> list[str]:
    return [n.label for n in graph.of("secretmanager:SecretVersion") if n.inputs.get("deletionPolicy") != "DELETE"]
