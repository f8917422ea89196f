"""What runs: the registry, the site, and the jobs of the two lanes and of the migration.

The registry is empty at the first `pulumi up`, so everything starts with a public image; from then on images,
revisions and traffic belong to the releases, and this program leaves them alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from infra.apis import Apis
from infra.data import Buckets, Database, Secrets
from infra.identity import Grants
from infra.stack_config import SITE_POOL, WORKER_POOL, Lane, StackConfig

# Both answer every path, which is what the probes ask of the first image.
FIRST_SITE_IMAGE = "us-docker.pkg.dev/cloudrun/container/hello:latest"
FIRST_JOB_IMAGE = "us-docker.pkg.dev/cloudrun/container/job:latest"
SCRATCH = "/scratch"
READY_PATH, ALIVE_PATH = "/readyz", "/livez"  # asked from inside; from outside, paths that end in z may be reserved
MIGRATE_TIMEOUT_SECONDS = 1800

# `template.revision` is not among them. A release names its revision; were the name kept, the next change made here
# would ask for a second revision of that name and be refused. So `pulumi up` after a release makes one nameless
# revision without traffic, which costs nothing, and the next release starts from it.
OF_RELEASES = ["client", "clientVersion", "labels", "annotations", "template.labels", "template.annotations"]
SITE_IGNORES = ["template.containers[0].image", "traffics", *OF_RELEASES]
JOB_IGNORES = ["template.template.containers[0].image", *OF_RELEASES]

# A job holds no sessions and sends no mail, but its settings want both; these say so and open nothing.
NOT_FOR_JOBS = {
    "COOKIE_KEYS": "a-job-holds-no-sessions",
    "MAIL_URL": "smtp://jobs-send-no-mail.invalid?from=nobody@jobs-send-no-mail.invalid",
}


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


def make_registry(config: StackConfig, apis: Apis, grants: Grants) -> gcp.artifactregistry.Repository:
    """The images: of each, the running version and those to roll back to."""
    registry = gcp.artifactregistry.Repository(
        "images",
        project=config.project,
        location=config.region,
        repository_id="images",
        format="DOCKER",
        description="Images of the site and of the render job.",
        cleanup_policy_dry_run=False,
        cleanup_policies=[
            {
                "id": "keep-the-newest",
                "action": "KEEP",
                "most_recent_versions": {"keep_count": config.delivery.image_versions_kept},
            },
            # Keeping alone deletes nothing: this is the rule that what is not kept falls under.
            {"id": "delete-the-rest", "action": "DELETE", "condition": {"older_than": "86400s", "tag_state": "ANY"}},
        ],
        opts=apis.after("artifactregistry"),
    )
    grants.attach("repository:images", registry, apis.after("artifactregistry"))
    return registry


def make_site(config: StackConfig, apis: Apis, grants: Grants, ground: Ground) -> list[pulumi.Resource]:
    """The Cloud Run service; returns what its callers should wait for."""
    wanted = config.site
    service = gcp.cloudrunv2.Service(
        "site",
        project=config.project,
        location=config.region,
        name="site",
        description="Coursewright's site.",
        ingress="INGRESS_TRAFFIC_ALL",
        deletion_protection=config.protect,
        template={
            "service_account": ground.accounts["site"].email,
            "timeout": f"{wanted.timeout_seconds}s",
            "max_instance_request_concurrency": wanted.concurrency,
            # In the template alone: the service has a scaling of its own, and two of them never agree.
            "scaling": {"min_instance_count": wanted.min_instances, "max_instance_count": wanted.max_instances},
            "containers": [_site_container(config, ground)],
        },
        traffics=[{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 100}],
        opts=apis.after("run", also=ground.ready, protect=config.protect, ignore_changes=SITE_IGNORES),
    )
    made = [service, *grants.attach("service:site", service, apis.after("run"))]
    if wanted.domain:
        gcp.cloudrun.DomainMapping(
            "domain",
            project=config.project,
            location=config.region,
            name=wanted.domain,
            metadata={"namespace": config.project},
            spec={"route_name": service.name},
            opts=apis.after("run"),
        )
    return made


def _site_container(config: StackConfig, ground: Ground) -> dict[str, object]:
    """No command: the first image has its own, and so has ours."""
    wanted = config.site
    return {
        "image": FIRST_SITE_IMAGE,
        "envs": site_environment(config, ground),
        "ports": {"container_port": 8080},
        # With `resources` given, idle CPU is billed unless this says otherwise.
        "resources": {
            "limits": {"cpu": str(wanted.cpu), "memory": f"{wanted.memory_mib}Mi"},
            "cpu_idle": True,
            "startup_cpu_boost": True,
        },
        # A revision that cannot reach its database never becomes ready, so it never takes traffic.
        "startup_probe": {
            "http_get": {"path": READY_PATH},
            "period_seconds": 5,
            "timeout_seconds": 4,
            "failure_threshold": 24,
        },
        # Not the database: an instance is not healed by ending it while the database rests.
        "liveness_probe": {
            "http_get": {"path": ALIVE_PATH},
            "period_seconds": 30,
            "timeout_seconds": 5,
            "failure_threshold": 4,
        },
    }


def make_jobs(config: StackConfig, apis: Apis, grants: Grants, ground: Ground) -> dict[str, gcp.cloudrunv2.Job]:
    """The jobs `author`, `render` and `migrate`; the names are what the site calls."""
    lanes = config.jobs
    resting = Lane(tasks=1, timeout_seconds=MIGRATE_TIMEOUT_SECONDS)
    return {
        "author": _make_job(config, apis, grants, ground, "author", lanes.author, ["work"]),
        "render": _make_job(config, apis, grants, ground, "render", lanes.render, ["work"]),
        "migrate": _make_job(config, apis, grants, ground, "migrate", resting, ["migrate"]),
    }


def _make_job(
    config: StackConfig, apis: Apis, grants: Grants, ground: Ground, name: str, lane: Lane, arguments: list[str]
) -> gcp.cloudrunv2.Job:
    job = gcp.cloudrunv2.Job(
        name,
        project=config.project,
        location=config.region,
        name=name,
        # A job holds nothing; a replacement must not be refused.
        deletion_protection=False,
        template={
            "task_count": lane.tasks,
            "parallelism": lane.tasks,
            "template": {
                "service_account": ground.accounts[name].email,
                "timeout": f"{lane.timeout_seconds}s",
                # Attempts are counted in the job table; here only a crashed process is started once more.
                "max_retries": 0 if name == "migrate" else 1,
                "execution_environment": "EXECUTION_ENVIRONMENT_GEN2",
                "containers": [_job_container(config, ground, name, lane, arguments)],
                "volumes": [
                    {"name": "scratch", "empty_dir": {"medium": "MEMORY", "size_limit": f"{lane.scratch_mib}Mi"}}
                ],
            },
        },
        opts=apis.after("run", also=ground.ready, ignore_changes=JOB_IGNORES),
    )
    grants.attach(f"job:{name}", job, apis.after("run"))
    return job


def _job_container(
    config: StackConfig, ground: Ground, name: str, lane: Lane, arguments: list[str]
) -> dict[str, object]:
    return {
        "image": FIRST_JOB_IMAGE,
        "args": arguments,
        "envs": job_environment(config, ground, name),
        "resources": {"limits": {"cpu": str(lane.cpu), "memory": f"{lane.memory_mib}Mi"}},
        # Limited, so that a full scratch fails one write and not the whole instance.
        "volume_mounts": [{"name": "scratch", "mount_path": SCRATCH}],
    }


def site_environment(config: StackConfig, ground: Ground) -> list[dict[str, object]]:
    """The site's environment: the names are fields of the product's Settings."""
    return _environment(
        _everywhere(config, ground, "site", SITE_POOL)
        | _models(config)
        | {
            "PUBLIC_URL": ground.site_url,
            "QUEUE_URL": f"pubsub://{config.project}/doorbell",
            "JOBS_URL": f"cloudrun://{config.project}/{config.region}",
            "SIGNUP": config.site.signup,
        },
        _read(ground, {"COOKIE_KEYS": "cookie-keys", "MAIL_URL": "mail-url", **_model_secrets(config)}),
    )


def job_environment(config: StackConfig, ground: Ground, name: str) -> list[dict[str, object]]:
    """A job's environment. The lanes call the models; the migration calls nothing but the database."""
    plain = _everywhere(config, ground, name, WORKER_POOL) | NOT_FOR_JOBS | {"JOBS_URL": "none:", "DATA_DIR": SCRATCH}
    if name == "migrate":
        return _environment(plain | {"SPEECH": "silent:"}, {})
    lane = config.jobs.author if name == "author" else config.jobs.render
    plain |= _models(config) | {"IDLE_EXIT_SECONDS": str(lane.idle_exit_seconds)}
    secrets = _model_secrets(config)
    if name == "author":
        plain |= {"QUEUE_URL": f"pubsub://{config.project}/doorbell"}
    else:
        secrets.pop("VECTORS_API_KEY", None)
    return _environment(plain, _read(ground, secrets))


def _everywhere(config: StackConfig, ground: Ground, name: str, pool: int) -> dict[str, pulumi.Input[str]]:
    return {
        "ENVIRONMENT": "production",
        "LOG_LEVEL": config.site.log_level,
        "DATABASE_URL": ground.database.url,
        "DATABASE_USER": ground.database.users[name],
        "DATABASE_POOL": str(pool),
        "DATABASE_OVERFLOW": "0",
        "STORAGE_URL": ground.buckets.content.name.apply(lambda bucket: f"gs://{bucket}"),
    }


def _models(config: StackConfig) -> dict[str, pulumi.Input[str]]:
    models = config.models
    return {
        "LLM": models.llm,
        "SPEECH": models.speech,
        "EMBEDDINGS": models.embeddings,
        "VECTORS_URL": models.vectors_url,
    }


def _model_secrets(config: StackConfig) -> dict[str, str]:
    secrets = {"OPENAI_API_KEY": "openai-key"} if config.models.use_openai else {}
    return secrets | ({"VECTORS_API_KEY": "vectors-key"} if config.models.use_qdrant else {})


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
