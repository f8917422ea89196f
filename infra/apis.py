"""The APIs of the project: nothing is made before the one that makes it, and none is switched off with the stack."""

from __future__ import annotations

import pulumi
import pulumi_gcp as gcp

from infra.stack_config import StackConfig

ALWAYS = (
    "artifactregistry",
    "cloudbuild",
    "cloudresourcemanager",
    "cloudscheduler",
    "cloudtrace",
    "iam",
    "iamcredentials",
    "logging",
    "monitoring",
    "pubsub",
    "run",
    "secretmanager",
    "sqladmin",
    "storage",
)


def needed_apis(config: StackConfig) -> tuple[str, ...]:
    """The APIs that this configuration uses."""
    wanted = {
        "billingbudgets": bool(config.guard.billing_account),
        "compute": config.media.access == "cdn",
        "sts": config.delivery.github_actions,
    }
    return (*ALWAYS, *(name for name, needed in wanted.items() if needed))


class Apis:
    """The enabled APIs. Enabling is not instant everywhere: `pulumi up` again is the cure for a first "not enabled"."""

    def __init__(self, config: StackConfig) -> None:
        self._enabled = {
            name: gcp.projects.Service(
                f"api-{name}",
                project=config.project,
                service=f"{name}.googleapis.com",
                # Other things in the project may use it, and switching some off deletes their data.
                disable_on_destroy=False,
            )
            for name in needed_apis(config)
        }

    def once_on(self, api: str, value: str) -> pulumi.Output[str]:
        """A value that is only right once this API is on, such as the name of the account that comes with it."""
        told: pulumi.Output[str] = self._enabled[api].id.apply(lambda _: value)
        return told

    def after(
        self,
        *apis: str,
        also: list[pulumi.Resource] | None = None,
        protect: bool = False,
        ignore_changes: list[str] | None = None,
    ) -> pulumi.ResourceOptions:
        """Options of a resource that needs these APIs and these resources first."""
        return pulumi.ResourceOptions(
            depends_on=[*(self._enabled[name] for name in apis), *(also or [])],
            protect=protect or None,
            ignore_changes=ignore_changes,
        )
