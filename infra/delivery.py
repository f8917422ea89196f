"""How a push to `main` becomes a release: the repository's connection, the trigger, and who may act as the builder.

What a release does is in `cloudbuild.yaml`; here is only who starts it, as whom, and with which names.
"""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_gcp as gcp

from infra.apis import Apis
from infra.data import Secrets
from infra.stack_config import StackConfig

GITHUB_ISSUER = "https://token.actions.githubusercontent.com"


def registry_address(config: StackConfig) -> str:
    return f"{config.region}-docker.pkg.dev/{config.project}/images"


def substitutions(config: StackConfig, site_url: str) -> dict[str, str]:
    """What `cloudbuild.yaml` is told; a build that `scripts/deploy` starts by hand is told the same."""
    return {"_REGION": config.region, "_REGISTRY": registry_address(config), "_SITE_URL": site_url}


def make_trigger(
    config: StackConfig, apis: Apis, builder: gcp.serviceaccount.Account, secrets: Secrets, site_url: str
) -> gcp.cloudbuild.Trigger | None:
    """The trigger on the branch; none without a repository, when `scripts/deploy` alone starts builds."""
    wanted = config.delivery
    if not wanted.repository:
        return None
    return gcp.cloudbuild.Trigger(
        "release",
        project=config.project,
        location=config.region,
        name="release",
        description=f"Releases every push to {wanted.branch}.",
        # An account of its own: without one, builds run as an account that may do nearly everything.
        service_account=builder.name,
        filename="cloudbuild.yaml",
        ignored_files=["docs/**", "*.md", "infra/**", "Pulumi*.yaml"],
        include_build_logs="INCLUDE_BUILD_LOGS_WITH_STATUS",
        approval_config={"approval_required": wanted.approval},
        substitutions=substitutions(config, site_url),
        opts=apis.after("cloudbuild"),
        **_push_event(config, apis, secrets),
    )


def _push_event(config: StackConfig, apis: Apis, secrets: Secrets) -> Mapping[str, object]:
    wanted = config.delivery
    push = {"branch": f"^{wanted.branch}$"}
    owner, _, name = wanted.repository.partition("/")
    if not wanted.second_generation:
        return {"github": {"owner": owner, "name": name, "push": push}}
    connection = gcp.cloudbuildv2.Connection(
        "github",
        project=config.project,
        location=config.region,
        name="github",
        github_config={
            "app_installation_id": wanted.installation_id,
            "authorizer_credential": {"oauth_token_secret_version": secrets.versions["github-token"].name},
        },
        opts=apis.after("cloudbuild", also=secrets.ready),
    )
    repository = gcp.cloudbuildv2.Repository(
        "repository",
        project=config.project,
        location=config.region,
        name=name,
        parent_connection=connection.name,
        remote_uri=f"https://github.com/{wanted.repository}.git",
        opts=apis.after("cloudbuild"),
    )
    return {"repository_event_config": {"repository": repository.id, "push": push}}


def make_github_principal(config: StackConfig, apis: Apis) -> pulumi.Output[str] | None:
    """The repository's own workflows on the branch as a principal, without a key that could be stolen."""
    wanted = config.delivery
    if not wanted.github_actions:
        return None
    pool = gcp.iam.WorkloadIdentityPool(
        "github",
        project=config.project,
        workload_identity_pool_id="github",
        display_name="GitHub Actions",
        opts=apis.after("iam", "sts"),
    )
    gcp.iam.WorkloadIdentityPoolProvider(
        "github",
        project=config.project,
        workload_identity_pool_id=pool.workload_identity_pool_id,
        workload_identity_pool_provider_id="github",
        oidc={"issuer_uri": GITHUB_ISSUER},
        attribute_mapping={
            "google.subject": "assertion.sub",
            "attribute.repository": "assertion.repository",
            "attribute.ref": "assertion.ref",
        },
        # The issuer speaks for every repository on GitHub; without this line each could ask for our tokens.
        attribute_condition=(
            f"assertion.repository == '{wanted.repository}' && assertion.ref == 'refs/heads/{wanted.branch}'"
        ),
        opts=apis.after("iam", "sts"),
    )
    name: pulumi.Output[str] = pool.name
    return name.apply(lambda it: f"principalSet://iam.googleapis.com/{it}/attribute.repository/{wanted.repository}")
