"""Names and limits that the cloud takes literally: projects, accounts of Google's, conditions, deadlines."""

from __future__ import annotations

from tests.infra.finding import containers, environment_of, rule
from tests.infra.graph import PROJECT_NUMBER, Graph

LONGEST_BACKOFF_SECONDS = 600  # Pub/Sub takes no longer one
SWEEP_TAKES_SECONDS = 50  # at the most: service/pipeline/sweep.py


def seconds(said: str) -> float:
    return float(said.removesuffix("s"))


@rule
def everything_is_in_the_project(graph: Graph) -> list[str]:
    project = graph.config.project
    return [n.label for n in graph.nodes if n.inputs.get("project", project) != project]


@rule
def conditions_are_on_the_bucket_that_they_grant(graph: Graph) -> list[str]:
    """An expression is text to the cloud: on another bucket it is never true, and the grant gives nothing."""
    if graph.preview:
        return []
    return [
        n.label
        for n in graph.of("storage:BucketIAMMember")
        if (condition := n.inputs.get("condition"))
        and f"projects/_/buckets/{n.inputs['bucket']}/objects/" not in condition["expression"]
    ]


@rule
def googles_accounts_are_those_of_this_project(graph: Graph) -> list[str]:
    [agent] = graph.of("projects:ServiceIdentity")
    offences = [agent.label] if agent.inputs["service"] != "pubsub.googleapis.com" else []
    wanted = f"serviceAccount:service-{PROJECT_NUMBER}@gcp-sa-cloudbuild.iam.gserviceaccount.com"
    return offences + [
        n.label
        for n in graph.of("secretmanager:SecretIamMember")
        if n.name.startswith("cloudbuild-") and not graph.preview and n.inputs["member"] != wanted
    ]


@rule
def each_container_signs_in_to_the_database_as_itself(graph: Graph) -> list[str]:
    if graph.preview:
        return []
    users = {n.name.removeprefix("database-"): n.inputs["name"] for n in graph.of("sql:User")}
    return [n.label for n, _, _ in containers(graph) if environment_of(graph, n.name)["DATABASE_USER"] != users[n.name]]


@rule
def callers_wait_long_enough_and_try_as_often_as_they_may(graph: Graph) -> list[str]:
    offences = [
        n.label
        for n in graph.of("cloudscheduler:Job")
        # The next minute is the retry; two sweeps at once would wait for each other.
        if seconds(n.inputs["attemptDeadline"]) <= SWEEP_TAKES_SECONDS or n.inputs["retryConfig"] != {"retryCount": 0}
    ]
    return offences + [
        n.label
        for n in graph.of("pubsub:Subscription")
        if "pushConfig" in n.inputs and seconds(n.inputs["retryPolicy"]["maximumBackoff"]) > LONGEST_BACKOFF_SECONDS
    ]


@rule
def probes_end_before_they_begin_again(graph: Graph) -> list[str]:
    """Cloud Run refuses a probe whose timeout is longer than its period."""
    container = graph.one("cloudrunv2:Service", "site").inputs["template"]["containers"][0]
    probes = ("startupProbe", "livenessProbe")
    return [name for name in probes if container[name]["timeoutSeconds"] > container[name]["periodSeconds"]]


@rule
def messages_to_people_and_to_the_site_are_of_the_kind_that_they_read(graph: Graph) -> list[str]:
    offences = [n.label for n in graph.of("monitoring:NotificationChannel") if n.inputs["type"] != "email"]
    return offences + [
        n.label for n in graph.of("billing:Budget") if n.inputs["allUpdatesRule"].get("schemaVersion") != "1.0"
    ]


@rule
def a_replica_is_one_instance_of_what_the_primary_is(graph: Graph) -> list[str]:
    """Backups are taken of the primary, and the estimate counts a replica once."""
    primary = graph.one("sql:DatabaseInstance", "database").inputs
    offences = []
    for node in graph.of("sql:DatabaseInstance"):
        settings = node.inputs["settings"]
        same = (settings["tier"], settings["edition"]) == (primary["settings"]["tier"], primary["settings"]["edition"])
        alone = settings["availabilityType"] == "ZONAL" and "backupConfiguration" not in settings
        if node.name != "database" and not (same and alone):
            offences.append(node.label)
    return offences
