"""Who may do what: one service account for each role, and every grant of the project in one table.

A row is attached when its target is made, so that whatever reads the target can wait for its grants. Members are added
one by one; a grant that somebody else made is never taken away, and no primitive role is ever given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_gcp as gcp

from infra.apis import Apis
from infra.stack_config import StackConfig

RUN_WITH_OVERRIDES = "roles/run.jobsExecutorWithOverrides"
CALLS_PREFIX = "calls/"  # where the author lane keeps what models answered: service/authors/agents/calls.py

ACCOUNTS = {
    "site": "answers people; starts the lanes",
    "author": "reads sources, plans and writes courses",
    "render": "films lessons",
    "migrate": "changes the schema, at deployments only",
    "push": "carries Pub/Sub's messages to the site",
    "scheduler": "calls the site's sweep",
    "builder": "builds and releases",
}


def always(_: StackConfig) -> bool:
    return True


def with_openai(config: StackConfig) -> bool:
    return config.models.use_openai


def with_openai_voice(config: StackConfig) -> bool:
    return config.models.speak_by_openai


def with_qdrant(config: StackConfig) -> bool:
    return config.models.use_qdrant


def with_connection(config: StackConfig) -> bool:
    return config.delivery.second_generation


def with_github_actions(config: StackConfig) -> bool:
    return config.delivery.github_actions


def with_budget(config: StackConfig) -> bool:
    return bool(config.guard.billing_account)


def with_public_media(config: StackConfig) -> bool:
    return config.media.access != "signed"


@dataclass(frozen=True)
class Grant:
    """One row: `who` may use `role` on the target `on`, in configurations where `when` holds; of a bucket, only on the
    objects whose name begins with `below`.
    """

    who: str
    role: str
    on: str
    when: Callable[[StackConfig], bool] = always
    below: str = ""


GRANTS = (
    # The site is public; its paths under /internal/ check the caller's token themselves.
    Grant("everyone", "roles/run.invoker", "service:site"),
    Grant("push", "roles/run.invoker", "service:site"),
    Grant("scheduler", "roles/run.invoker", "service:site"),
    # A start names its number of tasks, which is an override; run.invoker lacks that permission, and run.developer,
    # which has it, could also change image and environment of the job.
    Grant("site", RUN_WITH_OVERRIDES, "job:author"),
    Grant("site", RUN_WITH_OVERRIDES, "job:render"),
    # The database: connect and sign in as oneself. What each may do inside is granted by the migration.
    Grant("site", "roles/cloudsql.client", "project"),
    Grant("site", "roles/cloudsql.instanceUser", "project"),
    Grant("author", "roles/cloudsql.client", "project"),
    Grant("author", "roles/cloudsql.instanceUser", "project"),
    Grant("render", "roles/cloudsql.client", "project"),
    Grant("render", "roles/cloudsql.instanceUser", "project"),
    Grant("migrate", "roles/cloudsql.client", "project"),
    Grant("migrate", "roles/cloudsql.instanceUser", "project"),
    # Content is created once and never changed: nobody can overwrite it or delete it.
    Grant("site", "roles/storage.objectViewer", "bucket:content"),
    Grant("site", "roles/storage.objectCreator", "bucket:content"),
    Grant("author", "roles/storage.objectViewer", "bucket:content"),
    Grant("author", "roles/storage.objectCreator", "bucket:content"),
    # What a model answered is kept, and forgotten when the answer was refused, so that the same question is asked anew.
    Grant("author", "roles/storage.objectUser", "bucket:content", below=CALLS_PREFIX),
    Grant("render", "roles/storage.objectViewer", "bucket:content"),
    Grant("render", "roles/storage.objectCreator", "bucket:content"),
    # Signing addresses is signing with one's own key, which no one ever holds.
    Grant("site", "roles/iam.serviceAccountTokenCreator", "account:site"),
    # Reading without listing: an address must be known.
    Grant("everyone", "roles/storage.legacyObjectReader", "bucket:media", with_public_media),
    Grant("render", "roles/storage.objectCreator", "bucket:media", with_public_media),
    # Rings
    Grant("site", "roles/pubsub.publisher", "topic:doorbell"),
    Grant("author", "roles/pubsub.publisher", "topic:doorbell"),
    Grant("pubsub", "roles/pubsub.publisher", "topic:doorbell-dead"),
    Grant("pubsub", "roles/pubsub.subscriber", "subscription:doorbell-push"),
    Grant("budgets", "roles/pubsub.publisher", "topic:budget", with_budget),
    # Secrets, each by name
    Grant("site", "roles/secretmanager.secretAccessor", "secret:cookie-keys"),
    Grant("site", "roles/secretmanager.secretAccessor", "secret:mail-url"),
    Grant("site", "roles/secretmanager.secretAccessor", "secret:openai-key", with_openai),
    Grant("author", "roles/secretmanager.secretAccessor", "secret:openai-key", with_openai),
    Grant("render", "roles/secretmanager.secretAccessor", "secret:openai-key", with_openai_voice),
    Grant("site", "roles/secretmanager.secretAccessor", "secret:vectors-key", with_qdrant),
    Grant("author", "roles/secretmanager.secretAccessor", "secret:vectors-key", with_qdrant),
    Grant("cloudbuild", "roles/secretmanager.secretAccessor", "secret:github-token", with_connection),
    # Traces of whatever runs
    Grant("site", "roles/cloudtrace.agent", "project"),
    Grant("author", "roles/cloudtrace.agent", "project"),
    Grant("render", "roles/cloudtrace.agent", "project"),
    # Releases: write images, change these four, act as those who run them. Nothing else of the project.
    Grant("builder", "roles/logging.logWriter", "project"),
    Grant("builder", "roles/run.viewer", "project"),
    Grant("builder", "roles/artifactregistry.writer", "repository:images"),
    Grant("builder", "roles/storage.objectViewer", "bucket:builds"),
    Grant("builder", "roles/run.developer", "service:site"),
    Grant("builder", "roles/run.developer", "job:author"),
    Grant("builder", "roles/run.developer", "job:render"),
    Grant("builder", "roles/run.developer", "job:migrate"),
    Grant("builder", "roles/iam.serviceAccountUser", "account:site"),
    Grant("builder", "roles/iam.serviceAccountUser", "account:author"),
    Grant("builder", "roles/iam.serviceAccountUser", "account:render"),
    Grant("builder", "roles/iam.serviceAccountUser", "account:migrate"),
    Grant("github", "roles/iam.workloadIdentityUser", "account:builder", with_github_actions),
)


def _account_id(role: str) -> str:
    return f"coursewright-{role}"


def address_of(config: StackConfig, role: str) -> str:
    """A service account's address, for those who are only to recognise it: known before the account is made."""
    return f"{_account_id(role)}@{config.project}.iam.gserviceaccount.com"


def make_accounts(config: StackConfig, apis: Apis) -> dict[str, gcp.serviceaccount.Account]:
    """The service accounts, by role."""
    return {
        role: gcp.serviceaccount.Account(
            role,
            project=config.project,
            account_id=_account_id(role),
            display_name=f"Coursewright {role}",
            description=f"{purpose[0].upper()}{purpose[1:]}.",
            opts=apis.after("iam"),
        )
        for role, purpose in ACCOUNTS.items()
    }


class Grants:
    """Attaches the table's rows to their targets."""

    def __init__(self, config: StackConfig, members: Mapping[str, pulumi.Input[str]]) -> None:
        self._config = config
        self._members = members
        self._waiting = [row for row in GRANTS if row.when(config)]

    def attach(self, on: str, target: pulumi.Resource | None, opts: pulumi.ResourceOptions) -> list[pulumi.Resource]:
        """Make every grant on this target; what reads the target should wait for what is returned."""
        rows = [row for row in self._waiting if row.on == on]
        self._waiting = [row for row in self._waiting if row.on != on]
        return [self._member(row, target, opts) for row in rows]

    def refuse_unattached(self) -> None:
        """Raises RunError when a row's target was never made: the table would promise what the project lacks."""
        if self._waiting:
            left = ", ".join(f"{row.who} on {row.on}" for row in self._waiting)
            raise pulumi.RunError(f"infra/identity.py grants on targets that this stack does not make: {left}")

    def _member(self, row: Grant, target: pulumi.Resource | None, opts: pulumi.ResourceOptions) -> pulumi.Resource:
        name = f"{row.who}-{row.role.removeprefix('roles/').replace('.', '-')}-on-{row.on.replace(':', '-')}"
        make, place = KINDS[type(target)]
        where = place(target, self._config.project)
        if row.below:
            where["condition"] = _begins(target, row.below)
        return make(name, role=row.role, member=self._members[row.who], opts=opts, **where)


def _begins(bucket: Any, prefix: str) -> dict[str, Any]:
    """The condition that an object's name begins so; buckets take one because their access is uniform."""
    said = 'resource.name.startsWith("projects/_/buckets/{}/objects/{}")'
    return {"title": f"below {prefix}", "expression": bucket.name.apply(lambda name: said.format(name, prefix))}


def _in_project(field: str, attribute: str = "name") -> Callable[[Any, str], dict[str, Any]]:
    return lambda target, project: {"project": project, field: getattr(target, attribute)}


def _in_region(field: str, attribute: str = "name") -> Callable[[Any, str], dict[str, Any]]:
    return lambda target, project: {
        "project": project,
        "location": target.location,
        field: getattr(target, attribute),
    }


# The additive member resource of each kind of target, and how it names the target.
KINDS: Mapping[type, tuple[Callable[..., pulumi.Resource], Callable[[Any, str], dict[str, Any]]]] = {
    type(None): (gcp.projects.IAMMember, lambda _, project: {"project": project}),
    gcp.storage.Bucket: (gcp.storage.BucketIAMMember, lambda target, _: {"bucket": target.name}),
    gcp.serviceaccount.Account: (gcp.serviceaccount.IAMMember, lambda target, _: {"service_account_id": target.name}),
    gcp.secretmanager.Secret: (gcp.secretmanager.SecretIamMember, _in_project("secret_id", "secret_id")),
    gcp.pubsub.Topic: (gcp.pubsub.TopicIAMMember, _in_project("topic")),
    gcp.pubsub.Subscription: (gcp.pubsub.SubscriptionIAMMember, _in_project("subscription")),
    gcp.artifactregistry.Repository: (
        gcp.artifactregistry.RepositoryIamMember,
        _in_region("repository", "repository_id"),
    ),
    gcp.cloudrunv2.Service: (gcp.cloudrunv2.ServiceIamMember, _in_region("name")),
    gcp.cloudrunv2.Job: (gcp.cloudrunv2.JobIamMember, _in_region("name")),
}
