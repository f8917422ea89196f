"""What runs: the registry, the site, and the jobs of the two lanes and of the migration.

The registry is empty at the first `pulumi up`, so everything starts with a public image; from then on images,
revisions and traffic belong to the releases, and this program leaves them alone.
"""

from __future__ import annotations

import pulumi
import pulumi_gcp as gcp

from infra.apis import Apis
from infra.environment import SCRATCH, Ground, job_environment, site_environment
from infra.identity import Grants
from infra.stack_config import Lane, StackConfig

# Both answer every path, which is what the probes ask of the first image.
FIRST_SITE_IMAGE = "us-docker.pkg.dev/cloudrun/container/hello:latest"
FIRST_JOB_IMAGE = "us-docker.pkg.dev/cloudrun/container/job:latest"
READY_PATH, ALIVE_PATH = "/readyz", "/livez"  # asked from inside; from outside, paths that end in z may be reserved
MIGRATE_TIMEOUT_SECONDS = 1800
RELEASED_TAGS = ("live", "previous")  # what serves and what served before; set by the last step of cloudbuild.yaml

# `template.revision` is not among them. A release names its revision; were the name kept, the next change made here
# would ask for a second revision of that name and be refused. So `pulumi up` after a release makes one nameless
# revision without traffic, which costs nothing, and the next release starts from it.
OF_RELEASES = ["client", "clientVersion", "labels", "annotations", "template.labels", "template.annotations"]
SITE_IGNORES = ["template.containers[0].image", "traffics", *OF_RELEASES]
JOB_IGNORES = ["template.template.containers[0].image", *OF_RELEASES]


def make_registry(config: StackConfig, apis: Apis, grants: Grants) -> gcp.artifactregistry.Repository:
    """The images: of each, the one that serves, and as many others as are configured."""
    registry = gcp.artifactregistry.Repository(
        "images",
        project=config.project,
        location=config.region,
        repository_id="images",
        format="DOCKER",
        description="Images of the site and of the render job.",
        cleanup_policy_dry_run=False,
        cleanup_policies=_cleanup(config.delivery.image_versions_kept),
        opts=apis.after("artifactregistry"),
    )
    grants.attach("repository:images", registry, apis.after("artifactregistry"))
    return registry


def _cleanup(kept: int) -> list[dict[str, object]]:
    """What serves is kept by its tag: releases that failed are newer, and there may be any number of them."""
    tags = list(RELEASED_TAGS if kept else RELEASED_TAGS[:1])
    policies: list[dict[str, object]] = [
        {"id": "keep-what-serves", "action": "KEEP", "condition": {"tag_state": "TAGGED", "tag_prefixes": tags}},
        # Keeping alone deletes nothing: this is the rule that what is not kept falls under.
        {"id": "delete-the-rest", "action": "DELETE", "condition": {"older_than": "86400s", "tag_state": "ANY"}},
    ]
    if kept > 1:
        policies.append({"id": "keep-the-newest", "action": "KEEP", "most_recent_versions": {"keep_count": kept - 1}})
    return policies


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
