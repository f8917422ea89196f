"""What each container is told: the names are fields of the product's Settings, and a test holds the two together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from infra.data import DATABASE_USERS, Buckets, Database, Secrets
from infra.identity import address_of
from infra.stack_config import SITE_POOL, WORKER_POOL, StackConfig

SCRATCH = "/scratch"
# A container is reached through the platform alone, which calls it from an address of these; what the platform wrote
# last into X-Forwarded-For is therefore the caller. Everybody else's word about it is not believed.
PLATFORM_NETWORKS = "169.254.0.0/16,127.0.0.0/8,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,::1/128,fc00::/7,fe80::/10"

Plain = dict[str, pulumi.Input[str]]


@dataclass(frozen=True)
class Ground:
    """What the containers stand on."""

    site_url: str
    database: Database
    buckets: Buckets
    secrets: Secrets
    accounts: Mapping[str, gcp.serviceaccount.Account]

    @property
    def ready(self) -> list[pulumi.Resource]:
        return [*self.database.ready, *self.buckets.ready, *self.secrets.ready]


def site_environment(config: StackConfig, ground: Ground) -> list[dict[str, object]]:
    """The site's environment."""
    return _environment(
        _everywhere(config, ground, "site", SITE_POOL)
        | _models(config)
        | _spending(config)
        | _media(config, ground)
        | {
            "PUBLIC_URL": ground.site_url,
            "TRUSTED_PROXIES": PLATFORM_NETWORKS,
            "QUEUE_URL": f"pubsub://{config.project}/doorbell",
            "JOBS_URL": f"cloudrun://{config.project}/{config.region}",
            "AUTHOR_TASKS": str(config.jobs.author.tasks),
            "RENDER_TASKS": str(config.jobs.render.tasks),
            "PUSH_ACCOUNT": address_of(config, "push"),
            "SCHEDULER_ACCOUNT": address_of(config, "scheduler"),
            "SWEEP_SECONDS": "0",  # the schedule sweeps: between requests an instance has no processor
            "BUDGET_STOP_SHARE": str(config.guard.stop_share),
            "SIGNUP": config.site.signup,
        },
        _read(ground, {"COOKIE_KEYS": "cookie-keys", "MAIL_URL": "mail-url", **_model_secrets(config, "site")}),
    )


def job_environment(config: StackConfig, ground: Ground, name: str) -> list[dict[str, object]]:
    """A job's environment. The lanes call the models; the migration calls nothing but the database."""
    plain = _everywhere(config, ground, name, WORKER_POOL) | {"JOBS_URL": "none:", "DATA_DIR": SCRATCH}
    plain |= _spending(config)
    if name == "migrate":  # and what an operator does by hand: `admin` runs in this job
        own = {"SPEECH": "silent:", "DATABASE_ROLE_MEMBERS": _role_members(ground.database)}
        return _environment(plain | own, {})
    plain |= _models(config) | _task(config, name)
    if name == "author":
        plain |= {"QUEUE_URL": f"pubsub://{config.project}/doorbell"}
    else:
        plain |= _media(config, ground)
    return _environment(plain, _read(ground, _model_secrets(config, name)))


def _everywhere(config: StackConfig, ground: Ground, name: str, pool: int) -> Plain:
    return {
        "ENVIRONMENT": "production",
        "LOG_LEVEL": config.site.log_level,
        "TRACES_URL": f"gcp://{config.project}",
        "DATABASE_URL": ground.database.url,
        "DATABASE_USER": ground.database.users[name],
        "DATABASE_POOL": str(pool),
        "DATABASE_OVERFLOW": "0",
        "STORAGE_URL": ground.buckets.content.name.apply(lambda bucket: f"gs://{bucket}"),
    }


def _role_members(database: Database) -> pulumi.Output[str]:
    """Who is made a member of which of the roles that the migration grants; the migration itself owns the tables."""
    members = [database.users[role].apply(f"{role}={{}}".format) for role in DATABASE_USERS if role != "migrate"]
    return pulumi.Output.all(*members).apply(";".join)


def _task(config: StackConfig, name: str) -> Plain:
    """What a task is told about itself: when it will be ended, what it is billed for, how long it waits for work."""
    lane = config.jobs.author if name == "author" else config.jobs.render
    return {
        "IDLE_EXIT_SECONDS": str(lane.idle_exit_seconds),
        "LINGER_SECONDS": str(lane.linger_seconds),
        "TASK_TIMEOUT_SECONDS": str(lane.timeout_seconds),
        "TASK_CPU": str(lane.cpu),
        "TASK_MEMORY_MIB": str(lane.memory_mib),
    }


def _spending(config: StackConfig) -> Plain:
    """The caps, equal wherever money is reserved or spent."""
    caps = config.spending
    return {
        "SITE_MONTH_USD": str(caps.site_month_usd),
        "USER_MONTH_USD": str(caps.user_month_usd),
        "USER_DAY_USD": str(caps.user_day_usd),
    }


def _media(config: StackConfig, ground: Ground) -> Plain:
    """Where finished videos are put for everybody to read; nothing where they stay private."""
    bucket = ground.buckets.media
    if bucket is None:
        return {}
    told: Plain = {"MEDIA_URL": bucket.name.apply("gs://{}".format)}
    if config.media.access == "cdn":
        told["MEDIA_PUBLIC_URL"] = f"https://{config.media.domain}"
    return told


def _models(config: StackConfig) -> Plain:
    models = config.models
    return {
        "LLM": models.llm,
        "SPEECH": models.speech,
        "EMBEDDINGS": models.embeddings,
        "VECTORS_URL": models.vectors_url,
    }


def _model_secrets(config: StackConfig, name: str) -> dict[str, str]:
    """The render lane speaks and films; it neither writes nor searches, and holds no key for that."""
    models, renders = config.models, name == "render"
    secrets = {}
    if models.speak_by_openai if renders else models.use_openai:
        secrets["OPENAI_API_KEY"] = "openai-key"
    if models.use_qdrant and not renders:
        secrets["VECTORS_API_KEY"] = "vectors-key"
    return secrets


def _read(ground: Ground, wanted: Mapping[str, str]) -> dict[str, pulumi.Output[str]]:
    return {variable: ground.secrets.ids[name] for variable, name in wanted.items()}


def _environment(
    plain: Mapping[str, pulumi.Input[str]], secrets: Mapping[str, pulumi.Output[str]]
) -> list[dict[str, object]]:
    """Sorted, so that an order never looks like a change. Secrets are read at an instance's start, in their newest
    version: an older one is destroyed when it is replaced, and a revision that names it could not be rolled back to.
    """
    values: list[dict[str, object]] = [{"name": name, "value": value} for name, value in plain.items()]
    references: list[dict[str, object]] = [
        {"name": name, "value_source": {"secret_key_ref": {"secret": secret, "version": "latest"}}}
        for name, secret in secrets.items()
    ]
    return sorted([*values, *references], key=lambda one: str(one["name"]))
