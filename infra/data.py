"""What must not be lost: the database, the content, and the secrets."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from infra.apis import Apis
from infra.identity import Grants
from infra.stack_config import StackConfig, secret_value

DATABASE_NAME = "coursewright"
DATABASE_USERS = ("site", "author", "render", "migrate")
UPLOAD_REMAINS_DAYS = 1
SEGMENTS_DAYS = 90
BUILD_SOURCES_DAYS = 3
CONTENT_TYPES_FOR_PLAYERS = ["Content-Type", "Content-Length", "Content-Range", "Accept-Ranges", "ETag"]


@dataclass(frozen=True)
class Database:
    """The instance's address as the site takes it, and what must exist before anything connects."""

    url: pulumi.Output[str]
    users: Mapping[str, pulumi.Output[str]]
    ready: list[pulumi.Resource]


@dataclass(frozen=True)
class Buckets:
    """`content` holds sources, texts, segments and videos, `media` public copies; `builds` waits for builds."""

    content: gcp.storage.Bucket
    builds: gcp.storage.Bucket
    media: gcp.storage.Bucket | None
    ready: list[pulumi.Resource]


@dataclass(frozen=True)
class Secrets:
    """Secret ids by name, and what must exist before anything reads them."""

    ids: Mapping[str, pulumi.Output[str]]
    versions: Mapping[str, gcp.secretmanager.SecretVersion]
    ready: list[pulumi.Resource]


def make_database(
    config: StackConfig,
    apis: Apis,
    accounts: Mapping[str, gcp.serviceaccount.Account],
    may_sign_in: list[pulumi.Resource],
) -> Database:
    """PostgreSQL that only connectors reach and that knows no password."""
    wanted = config.database
    instance = gcp.sql.DatabaseInstance(
        # Named by Pulumi with a random end: a name cannot be used again for a week after its instance is gone.
        "database",
        project=config.project,
        region=config.region,
        database_version=wanted.version,
        deletion_protection=config.protect,
        settings=_instance_settings(config, deletion_protection=config.protect),
        opts=apis.after("sqladmin", protect=config.protect),
    )
    for number in range(1, wanted.read_replicas + 1):
        _make_replica(config, apis, instance, number)
    database = gcp.sql.Database(
        "coursewright",
        project=config.project,
        instance=instance.name,
        name=DATABASE_NAME,
        # An owner of tables cannot be dropped while they exist; they go with the instance.
        deletion_policy="ABANDON",
        opts=apis.after("sqladmin", protect=config.protect),
    )
    users = {role: _make_user(config, apis, instance, role, accounts[role]) for role in DATABASE_USERS}
    return Database(
        url=instance.connection_name.apply(lambda name: f"cloudsql://{name}/{DATABASE_NAME}"),
        users={role: user.name for role, user in users.items()},
        ready=[database, *users.values(), *may_sign_in],
    )


def _instance_settings(config: StackConfig, *, deletion_protection: bool) -> dict[str, object]:
    wanted = config.database
    return {
        "tier": wanted.tier,
        # Version 16 and later default to an edition that has no shared-core tier.
        "edition": "ENTERPRISE",
        "availability_type": wanted.availability.upper(),
        "disk_type": wanted.disk_type,
        "disk_size": wanted.disk_gb,
        "disk_autoresize": True,
        "disk_autoresize_limit": wanted.disk_limit_gb,
        "deletion_protection_enabled": deletion_protection,
        # A public address that no network is let through to: connectors alone open it, with certificate and IAM.
        "connector_enforcement": "REQUIRED",
        "ip_configuration": {"ipv4_enabled": True, "ssl_mode": "ENCRYPTED_ONLY"},
        "database_flags": [
            {"name": "cloudsql.iam_authentication", "value": "on"},
            {"name": "log_min_duration_statement", "value": "1000"},
            {"name": "log_lock_waits", "value": "on"},
        ],
        "backup_configuration": {
            "enabled": True,
            "start_time": "03:00",
            "point_in_time_recovery_enabled": wanted.point_in_time_recovery,
            "transaction_log_retention_days": 7,
            "backup_retention_settings": {"retained_backups": wanted.backups_kept, "retention_unit": "COUNT"},
        },
        "maintenance_window": {"day": 7, "hour": 4, "update_track": "stable"},
        "insights_config": {"query_insights_enabled": True},
    }


def _make_replica(config: StackConfig, apis: Apis, primary: gcp.sql.DatabaseInstance, number: int) -> None:
    settings = _instance_settings(config, deletion_protection=False)
    for of_the_primary in ("backup_configuration", "maintenance_window"):
        del settings[of_the_primary]
    settings["availability_type"] = "ZONAL"
    gcp.sql.DatabaseInstance(
        f"database-replica-{number}",
        project=config.project,
        region=config.region,
        database_version=config.database.version,
        master_instance_name=primary.name,
        deletion_protection=False,
        settings=settings,
        opts=apis.after("sqladmin"),
    )


def _make_user(
    config: StackConfig,
    apis: Apis,
    instance: gcp.sql.DatabaseInstance,
    role: str,
    account: gcp.serviceaccount.Account,
) -> gcp.sql.User:
    return gcp.sql.User(
        f"database-{role}",
        project=config.project,
        instance=instance.name,
        # PostgreSQL's names are short: the account's address without its common end.
        name=account.email.apply(lambda email: email.removesuffix(".gserviceaccount.com")),
        type="CLOUD_IAM_SERVICE_ACCOUNT",
        # IAM users start without any privilege. The migration makes the roles of the others and grants them.
        database_roles=["cloudsqlsuperuser"] if role == "migrate" else None,
        deletion_policy="ABANDON",
        opts=apis.after("sqladmin"),
    )


def make_buckets(config: StackConfig, apis: Apis, grants: Grants, site_url: str) -> Buckets:
    """The content, what builds wait in and, where configured, the public videos."""
    content = _make_bucket(
        config,
        apis,
        "content",
        cors=_cors(site_url),
        lifecycle_rules=[
            _delete_after(SEGMENTS_DAYS, prefixes=["segments/"]),  # a segment is made again from its storyboard
            _abort_uploads(),
        ],
    )
    builds = _make_bucket(config, apis, "builds", lifecycle_rules=[_delete_after(BUILD_SOURCES_DAYS), _abort_uploads()])
    ready = [*grants.attach("bucket:content", content, apis.after("storage"))]
    grants.attach("bucket:builds", builds, apis.after("storage"))
    media = None
    if config.media.access != "signed":
        media = _make_bucket(
            config, apis, "media", public=True, cors=_cors(site_url), lifecycle_rules=[_abort_uploads()]
        )
        ready += grants.attach("bucket:media", media, apis.after("storage"))
    return Buckets(content=content, builds=builds, media=media, ready=ready)


def _make_bucket(
    config: StackConfig,
    apis: Apis,
    name: str,
    *,
    lifecycle_rules: list[dict[str, object]],
    cors: list[dict[str, object]] | None = None,
    public: bool = False,
) -> gcp.storage.Bucket:
    kept = config.protect and name != "builds"
    return gcp.storage.Bucket(
        name,
        project=config.project,
        name=f"{config.project}-{name}",
        location=config.region,
        storage_class="STANDARD",
        uniform_bucket_level_access=True,
        public_access_prevention="inherited" if public else "enforced",
        # Objects are never overwritten, so keeping deleted ones for a week would only be billed.
        soft_delete_policy={"retention_duration_seconds": 0},
        cors=cors,
        lifecycle_rules=lifecycle_rules,
        force_destroy=not kept,
        opts=apis.after("storage", protect=kept),
    )


def _cors(origin: str) -> list[dict[str, object]]:
    return [
        {
            "origins": [origin],
            "methods": ["GET", "HEAD"],
            "response_headers": CONTENT_TYPES_FOR_PLAYERS,
            "max_age_seconds": 3600,
        }
    ]


def _delete_after(days: int, prefixes: list[str] | None = None) -> dict[str, object]:
    return {"action": {"type": "Delete"}, "condition": {"age": days, "matches_prefixes": prefixes}}


def _abort_uploads() -> dict[str, object]:
    return {"action": {"type": "AbortIncompleteMultipartUpload"}, "condition": {"age": UPLOAD_REMAINS_DAYS}}


def make_secrets(config: StackConfig, apis: Apis, grants: Grants) -> Secrets:
    """The secrets with one version each. A replaced version is destroyed: a disabled one would still be counted."""
    ids: dict[str, pulumi.Output[str]] = {}
    versions: dict[str, gcp.secretmanager.SecretVersion] = {}
    ready: list[pulumi.Resource] = []
    for name in config.secrets:
        secret = gcp.secretmanager.Secret(
            name,
            project=config.project,
            secret_id=name,
            replication={"auto": {}},
            deletion_protection=False,
            opts=apis.after("secretmanager"),
        )
        value = secret_value(name)
        version = gcp.secretmanager.SecretVersion(
            name,
            secret=secret.id,
            secret_data_wo=value,
            # The value itself is written and never read back, so this number is what tells that it changed.
            secret_data_wo_version=value.apply(fingerprint),
            deletion_policy="DELETE",
            opts=apis.after("secretmanager"),
        )
        ids[name], versions[name] = secret.secret_id, version
        ready += [version, *grants.attach(f"secret:{name}", secret, apis.after("secretmanager"))]
    return Secrets(ids=ids, versions=versions, ready=ready)


def fingerprint(value: str) -> int:
    """A number that changes with the value; 31 bits, so it says nothing about a value that was drawn by chance."""
    return int.from_bytes(hashlib.sha256(value.encode()).digest()[:4], "big") >> 1
