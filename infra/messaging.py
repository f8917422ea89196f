"""Who rings whom: the doorbell with its dead letters, the budget's messages, and the sweep that makes up for all.

Messages are hints. The push handler answers within seconds and the job table is the truth, so a message that nobody
could deliver needs an eye, not a replay.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from infra.apis import Apis
from infra.identity import Grants
from infra.stack_config import StackConfig

PUSH_PATH, BUDGET_PATH, SWEEP_PATH = "/internal/push", "/internal/budget", "/internal/sweep"
ACK_SECONDS = 60
BACKOFF = {"minimum_backoff": "10s", "maximum_backoff": "600s"}
FOREVER = {"ttl": ""}  # without this a subscription that is idle for 31 days is deleted
DEATH_AFTER_ATTEMPTS = 10
WEEK = "604800s"


@dataclass(frozen=True)
class Callers:
    """The accounts that call the site, and the address that their tokens are made for."""

    site_url: str
    push: gcp.serviceaccount.Account
    scheduler: gcp.serviceaccount.Account


class Doorbell(pulumi.ComponentResource):
    """A topic pushed to the site, with dead letters that somebody keeps: without a subscription they would be lost."""

    def __init__(self, config: StackConfig, apis: Apis, grants: Grants, callers: Callers) -> None:
        super().__init__("coursewright:infra:Doorbell", "doorbell")
        options = pulumi.ResourceOptions.merge(apis.after("pubsub"), pulumi.ResourceOptions(parent=self))
        self.topic = gcp.pubsub.Topic("doorbell", project=config.project, name="doorbell", opts=options)
        self.dead = gcp.pubsub.Topic("doorbell-dead", project=config.project, name="doorbell-dead", opts=options)
        gcp.pubsub.Subscription(
            "doorbell-dead",
            project=config.project,
            name="doorbell-dead",
            topic=self.dead.name,
            message_retention_duration=WEEK,
            expiration_policy=FOREVER,
            opts=options,
        )
        push = gcp.pubsub.Subscription(
            "doorbell-push",
            project=config.project,
            name="doorbell-push",
            topic=self.topic.name,
            ack_deadline_seconds=ACK_SECONDS,
            message_retention_duration="3600s",  # the sweep has rung anew long before
            expiration_policy=FOREVER,
            retry_policy=BACKOFF,
            push_config=_push_to(callers, PUSH_PATH),
            dead_letter_policy={"dead_letter_topic": self.dead.id, "max_delivery_attempts": DEATH_AFTER_ATTEMPTS},
            opts=options,
        )
        grants.attach("topic:doorbell", self.topic, options)
        grants.attach("topic:doorbell-dead", self.dead, options)
        grants.attach("subscription:doorbell-push", push, options)
        self.register_outputs({})


def make_budget_topic(config: StackConfig, apis: Apis, grants: Grants, callers: Callers) -> gcp.pubsub.Topic:
    """Where Cloud Billing says what was spent; pushed to the site, which stops new work when it is too much."""
    topic = gcp.pubsub.Topic("budget", project=config.project, name="budget", opts=apis.after("pubsub"))
    gcp.pubsub.Subscription(
        "budget-push",
        project=config.project,
        name="budget-push",
        topic=topic.name,
        ack_deadline_seconds=ACK_SECONDS,
        message_retention_duration=WEEK,
        expiration_policy=FOREVER,
        retry_policy=BACKOFF,
        push_config=_push_to(callers, BUDGET_PATH),
        opts=apis.after("pubsub"),
    )
    grants.attach("topic:budget", topic, apis.after("pubsub"))
    return topic


def make_sweep(config: StackConfig, apis: Apis, callers: Callers, site: list[pulumi.Resource]) -> None:
    """The call each minute that finds what a lost ring, a dead worker or a crash left behind."""
    gcp.cloudscheduler.Job(
        "sweep",
        project=config.project,
        region=config.region,
        name="sweep",
        description="Rings anew, frees expired leases, starts lanes that have work.",
        schedule=config.sweep_schedule,
        time_zone="Etc/UTC",
        attempt_deadline=f"{ACK_SECONDS}s",
        retry_config={"retry_count": 0},  # the next minute is the retry
        http_target={
            "uri": f"{callers.site_url}{SWEEP_PATH}",
            "http_method": "POST",
            "oidc_token": {"service_account_email": callers.scheduler.email, "audience": callers.site_url},
        },
        opts=apis.after("cloudscheduler", also=site),
    )


def _push_to(callers: Callers, path: str) -> dict[str, object]:
    return {
        "push_endpoint": f"{callers.site_url}{path}",
        "oidc_token": {"service_account_email": callers.push.email, "audience": callers.site_url},
    }
