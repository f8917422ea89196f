"""Where things are and what leads where: regions, outputs, waiting, secrets that stay where they belong."""

from __future__ import annotations

import re

from service.settings import ROOT
from tests.infra.finding import containers, environment_of, rule, runs_as, who
from tests.infra.graph import PLACEHOLDER_SECRETS, Graph, Node, short


@rule
def everything_is_in_the_configured_region(graph: Graph) -> list[str]:
    """Content outside it costs egress, and a trigger or a job elsewhere is never found."""
    said = [(n, n.inputs[key]) for n in graph.nodes for key in ("location", "region") if key in n.inputs]
    return [f"{n.label}: {place}" for n, place in said if isinstance(place, str) and place != graph.config.region]


@rule
def what_runs_waits_for_what_it_works_with(graph: Graph) -> list[str]:
    """The database with every user, and each grant of its own account on the project and on buckets."""
    stands = {n.urn for n in graph.of("sql:Database", "sql:User")}
    return [
        f"{node.label} does not wait for {graph.by_urn[urn].label}"
        for node, _, _ in containers(graph)
        for urn in sorted((stands | _granted(graph, runs_as(graph, node))) - graph.after(node))
    ]


def _granted(graph: Graph, accounts: set[str]) -> set[str]:
    return {n.urn for n in graph.of("projects:IAMMember", "storage:BucketIAMMember") if who(graph, n) & accounts}


@rule
def outputs_name_what_was_made(graph: Graph) -> list[str]:
    told = graph.outputs
    buckets = {n.name: n.inputs["name"] for n in graph.of("storage:Bucket")}
    offences = [
        key
        for key, bucket in (("bucket", "content"), ("builds_bucket", "builds"))
        if graph.text(told[key]) != graph.text(buckets[bucket])
    ]
    if told["jobs"] != {n.name: n.inputs["name"] for n in graph.of("cloudrunv2:Job")}:
        offences.append("jobs")
    if not graph.preview and told["builder"] != f"coursewright-builder@{graph.config.project}.iam.gserviceaccount.com":
        offences.append("builder")
    media = {
        "signed": None,
        "public": f"https://storage.googleapis.com/{buckets.get('media')}",
        "cdn": f"https://{graph.config.media.domain}",
    }[graph.config.media.access]
    return offences + ["media_url"] * (told.get("media_url") != media)


@rule
def the_next_commands_can_be_typed(graph: Graph) -> list[str]:
    """They are scripts of this repository, with options that these know, and for this stack."""
    offences = []
    for output, must in (("next_command", "--release"), ("invite_command", "--role admin")):
        script, _, options = str(graph.outputs[output]).partition(" ")
        path = ROOT / script
        known = set(re.findall(r"^ +(--[a-z-]+)\)", path.read_text(), re.MULTILINE)) if path.is_file() else set()
        named = f"--stack {graph.stack} " in f"{options} " and must in options
        if not named or not set(re.findall(r"--[a-z-]+", options)) <= known:
            offences.append(f"{output}: {script} {options}")
    return offences


@rule
def secrets_are_in_their_versions_and_nowhere_else(graph: Graph) -> list[str]:
    """Neither in an output, which everybody who reads the state sees, nor in a plain variable."""
    said = [("outputs", graph.text(graph.outputs))]
    for node in graph.nodes:
        shown = {key: value for key, value in node.inputs.items() if key != "secretDataWo"}
        said.append((node.label, graph.text(shown)))
    return [where for where, text in said if any(secret in text for secret in PLACEHOLDER_SECRETS.values())]


@rule
def the_connection_is_to_the_repository_and_by_its_token(graph: Graph) -> list[str]:
    offences = [
        n.label
        for n in graph.of("cloudbuildv2:Connection")
        if graph.named(n.of_property["githubConfig"], "secretmanager:SecretVersion") != {"github-token"}
    ]
    remote = f"https://github.com/{graph.config.delivery.repository}.git"
    return offences + [n.label for n in graph.of("cloudbuildv2:Repository") if n.inputs["remoteUri"] != remote]


@rule
def releases_are_told_where_they_are(graph: Graph) -> list[str]:
    wanted = {
        "_REGION": graph.config.region,
        "_REGISTRY": graph.outputs["registry"],
        "_SITE_URL": graph.outputs["site_url"],
    }
    return [n.label for n in graph.of("cloudbuild:Trigger") if n.inputs["substitutions"] != wanted]


@rule
def the_site_starts_lanes_where_they_are(graph: Graph) -> list[str]:
    told = environment_of(graph, "site").get("JOBS_URL")
    return [] if told == f"cloudrun://{graph.config.project}/{graph.config.region}" else [str(told)]


@rule
def databases_go_with_their_instance(graph: Graph) -> list[str]:
    """PostgreSQL does not drop an owner of tables, nor a database that somebody uses: `scripts/destroy` would stop."""
    return [n.label for n in graph.of("sql:Database", "sql:User") if n.inputs.get("deletionPolicy") != "ABANDON"]


@rule
def the_cdn_is_one_chain(graph: Graph) -> list[str]:
    """From the address that the domain's record names to the bucket, with a certificate for that domain."""
    if graph.config.media.access != "cdn":
        return [n.label for n in graph.nodes if short(n.kind).startswith("compute:")]
    links = {
        ("GlobalForwardingRule", "ipAddress"): "GlobalAddress",
        ("GlobalForwardingRule", "target"): "TargetHttpsProxy",
        ("TargetHttpsProxy", "urlMap"): "URLMap",
        ("TargetHttpsProxy", "sslCertificates"): "ManagedSslCertificate",
        ("URLMap", "defaultService"): "BackendBucket",
    }
    offences = [
        f"{kind}.{key}"
        for (kind, key), target in links.items()
        if not graph.named(_compute(graph, kind).of_property.get(key, frozenset()), f"compute:{target}")
    ]
    domains = _compute(graph, "ManagedSslCertificate").inputs["managed"]["domains"]
    return offences + [str(domains)] * (domains != [graph.config.media.domain])


def _compute(graph: Graph, kind: str) -> Node:
    return graph.one(f"compute:{kind}", "media")
