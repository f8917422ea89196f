"""The whole stack, in the order in which its parts need each other."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_gcp as gcp

from infra.apis import Apis
from infra.compute import make_jobs, make_registry, make_site
from infra.cost import estimate, refuse_paid_lines, summary
from infra.data import make_buckets, make_database, make_secrets
from infra.delivery import make_github_principal, make_trigger, registry_address
from infra.edge import make_cdn
from infra.environment import Ground
from infra.guard import make_budget, make_channels, make_watch
from infra.identity import Grants, make_accounts
from infra.messaging import Callers, Doorbell, make_budget_topic, make_sweep
from infra.stack_config import StackConfig

# Draws the secret of the link on the operator's machine: the cloud, and its logs, only ever see the hash.
INVITE_COMMAND = "scripts/invite --stack {stack} --role admin YOU@YOUR.DOMAIN"
BUDGETS_SENDER = "serviceAccount:billing-budget-alert@system.gserviceaccount.com"


def build(config: StackConfig) -> dict[str, pulumi.Input[object]]:
    """Make every resource; returns the stack's outputs.

    Raises:
        BadConfig: a secret is missing, or `free_tier: strict` and a line of the estimate is not free.
    """
    refuse_paid_lines(config)
    number = gcp.organizations.get_project(project_id=config.project).number
    site_url = site_address(config, number)

    apis = Apis(config)
    accounts = make_accounts(config, apis)
    grants = Grants(config, _members(config, apis, accounts, number))
    in_project = grants.attach("project", None, apis.after("cloudresourcemanager"))
    for role, account in accounts.items():
        grants.attach(f"account:{role}", account, apis.after("iam"))

    callers = Callers(site_url, accounts["push"], accounts["scheduler"])
    secrets = make_secrets(config, apis, grants)
    buckets = make_buckets(config, apis, grants, site_url)
    ground = Ground(
        site_url=site_url,
        database=make_database(config, apis, accounts, in_project),
        buckets=buckets,
        secrets=secrets,
        accounts=accounts,
    )
    make_registry(config, apis, grants)
    site = make_site(config, apis, grants, ground)
    jobs = make_jobs(config, apis, grants, ground)
    Doorbell(config, apis, grants, callers)
    make_sweep(config, apis, callers, site)
    make_trigger(config, apis, accounts["builder"], secrets, site_url)
    cdn = make_cdn(config, apis, buckets.media) if buckets.media and config.media.access == "cdn" else None

    channels = make_channels(config, apis)
    make_watch(config, apis, site_url, channels, site)
    if config.guard.billing_account:
        topic = make_budget_topic(config, apis, grants, callers)
        make_budget(config, apis, number, topic, channels)
    grants.refuse_unattached()

    outputs: dict[str, pulumi.Input[object]] = {
        "site_url": site_url,
        "bucket": buckets.content.name,
        "builds_bucket": buckets.builds.name,
        "jobs": {name: job.name for name, job in jobs.items()},
        "registry": registry_address(config),
        "builder": accounts["builder"].email,
        "database": ground.database.url,
        "monthly_estimate": summary(estimate(config)),
        "invite_command": INVITE_COMMAND.format(stack=pulumi.get_stack()),
        "next_command": f"scripts/deploy --stack {pulumi.get_stack()} --release",
    }
    if buckets.media is not None:
        outputs["media_url"] = _media_address(config, buckets.media)
    if cdn is not None:
        outputs["cdn_address"] = cdn.address
    return outputs


def site_address(config: StackConfig, number: str) -> str:
    """The site's origin, known before the service exists, so that nothing has to wait for itself."""
    if config.site.domain:
        return f"https://{config.site.domain}"
    return f"https://site-{number}.{config.region}.run.app"


def _members(
    config: StackConfig, apis: Apis, accounts: Mapping[str, gcp.serviceaccount.Account], number: str
) -> dict[str, pulumi.Input[str]]:
    """Every `who` of the table as IAM writes it: ours, and those of Google that need a grant."""
    # Made by Google only at first use, which is too late for a grant.
    pubsub = gcp.projects.ServiceIdentity(
        "pubsub", project=config.project, service="pubsub.googleapis.com", opts=apis.after("pubsub")
    )
    members: dict[str, pulumi.Input[str]] = {role: account.member for role, account in accounts.items()}
    members |= {
        "everyone": "allUsers",
        "pubsub": pubsub.member,
        # Comes with its API; a grant to an account that is not there yet is refused.
        "cloudbuild": apis.once_on(
            "cloudbuild", f"serviceAccount:service-{number}@gcp-sa-cloudbuild.iam.gserviceaccount.com"
        ),
        "budgets": BUDGETS_SENDER,
    }
    if (github := make_github_principal(config, apis)) is not None:
        members["github"] = github
    return members


def _media_address(config: StackConfig, media: gcp.storage.Bucket) -> pulumi.Input[str]:
    if config.media.access == "cdn":
        return f"https://{config.media.domain}"
    name: pulumi.Output[str] = media.name
    return name.apply(lambda it: f"https://storage.googleapis.com/{it}")
