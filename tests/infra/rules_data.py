"""What must not be lost or read by others: database, buckets, secrets."""

from __future__ import annotations

import re

from tests.infra.finding import containers, rule
from tests.infra.graph import Graph


@rule
def buckets_are_locked(graph: Graph) -> list[str]:
    return [
        node.label
        for node in graph.of("storage:Bucket")
        if node.inputs.get("uniformBucketLevelAccess") is not True
        or node.inputs.get("publicAccessPrevention") != ("inherited" if node.name == "media" else "enforced")
        or node.inputs.get("softDeletePolicy") != {"retentionDurationSeconds": 0}
        or not node.inputs.get("lifecycleRules")
    ]


@rule
def players_may_read_ranges_from_the_site_alone(graph: Graph) -> list[str]:
    offences = []
    for node in graph.of("storage:Bucket"):
        if node.name == "builds":
            continue
        cors = (node.inputs.get("cors") or [{}])[0]
        asked = (cors.get("origins"), cors.get("methods"))
        told = cors.get("responseHeaders", [])
        if asked != ([graph.outputs["site_url"]], ["GET", "HEAD"]) or "Content-Range" not in told:
            offences.append(node.label)
    return offences


@rule
def what_reads_a_secret_waits_for_its_version_and_its_grant(graph: Graph) -> list[str]:
    offences = []
    for node, _, container in containers(graph):
        before = graph.after(node)
        versions = graph.named(before, "secretmanager:SecretVersion")
        opened = graph.named(before, "secretmanager:SecretIamMember")
        for environment in container["envs"]:
            secret = environment.get("valueSource", {}).get("secretKeyRef", {}).get("secret")
            if secret and (secret not in versions or not any(f"on-secret-{secret}" in name for name in opened)):
                offences.append(f"{node.label} and {secret}")
    return offences


@rule
def secrets_are_read_in_their_newest_version(graph: Graph) -> list[str]:
    """A replaced version is destroyed: whoever names it cannot start again."""
    return [
        f"{node.label}: {environment['name']}"
        for node, _, container in containers(graph)
        for environment in container["envs"]
        if environment.get("valueSource", {}).get("secretKeyRef", {}).get("version", "latest") != "latest"
    ]


@rule
def secret_values_are_written_and_never_kept(graph: Graph) -> list[str]:
    return [
        node.label
        for node in graph.of("secretmanager:SecretVersion")
        if "secretData" in node.inputs or not {"secretDataWo", "secretDataWoVersion"} <= set(node.inputs)
    ]


@rule
def secrets_stay_within_six_versions(graph: Graph) -> list[str]:
    versions = graph.of("secretmanager:SecretVersion")
    return [f"{len(versions)} versions"] if len(versions) > 6 else []


@rule
def the_database_knows_no_password_and_no_network(graph: Graph) -> list[str]:
    offences = [n.label for n in graph.of("sql:User") if n.inputs.get("type") != "CLOUD_IAM_SERVICE_ACCOUNT"]
    offences += [
        n.label for n in graph.nodes if any(key.lower().startswith(("password", "rootpassword")) for key in n.inputs)
    ]
    for node in graph.of("sql:DatabaseInstance"):
        settings = node.inputs["settings"]
        network = settings.get("ipConfiguration", {})
        flags = {flag["name"]: flag["value"] for flag in settings.get("databaseFlags", [])}
        if (
            settings.get("connectorEnforcement") != "REQUIRED"
            or network.get("sslMode") != "ENCRYPTED_ONLY"
            or network.get("ipv4Enabled") is not True
            or network.get("authorizedNetworks")
            or flags.get("cloudsql.iam_authentication") != "on"
            or settings.get("edition") != "ENTERPRISE"
        ):
            offences.append(node.label)
    return offences


@rule
def the_database_is_backed_up(graph: Graph) -> list[str]:
    wanted = graph.config.database
    backup = graph.one("sql:DatabaseInstance", "database").inputs["settings"].get("backupConfiguration", {})
    kept = backup.get("backupRetentionSettings", {}).get("retainedBackups")
    days = backup.get("transactionLogRetentionDays")
    found = (backup.get("enabled"), backup.get("pointInTimeRecoveryEnabled"), kept, days)
    at = re.fullmatch(r"([01]\d|2[0-3]):00", str(backup.get("startTime")))
    return [] if at and found == (True, wanted.point_in_time_recovery, wanted.backups_kept, 7) else [str(backup)]


@rule
def what_must_not_be_lost_is_protected_twice(graph: Graph) -> list[str]:
    """By the engine, and by the cloud itself, in a stack that asks for it; both are always said."""
    keep = graph.config.protect
    offences = []
    database = graph.one("sql:DatabaseInstance", "database")
    said = (database.inputs.get("deletionProtection"), database.inputs["settings"].get("deletionProtectionEnabled"))
    if said != (keep, keep) or database.protected is not keep:
        offences.append(database.label)
    for node in graph.of("storage:Bucket"):
        kept = keep and node.name != "builds"
        if node.protected is not kept or node.inputs.get("forceDestroy") is kept:
            offences.append(node.label)
    site = graph.one("cloudrunv2:Service", "site")
    if site.inputs.get("deletionProtection") is not keep or site.protected is not keep:
        offences.append(site.label)
    return offences + [n.label for n in graph.of("cloudrunv2:Job") if n.inputs.get("deletionProtection") is not False]
