"""Who may do what: grants, accounts, secrets' readers, and nothing for everyone but the site."""

from __future__ import annotations

import re

from tests.infra.finding import containers, environment_of, grants, rule, runs_as, who
from tests.infra.graph import Graph, Node, short

SQL_ROLES = {"roles/cloudsql.client", "roles/cloudsql.instanceUser"}


@rule
def only_the_site_and_public_media_are_for_everyone(graph: Graph) -> list[str]:
    allowed = {("cloudrunv2:ServiceIamMember", "roles/run.invoker")}
    if graph.config.media.access != "signed":
        allowed.add(("storage:BucketIAMMember", "roles/storage.legacyObjectReader"))
    open_to_all = [n for n in graph.nodes if re.search("allUsers|allAuthenticatedUsers", graph.text(n.inputs))]
    offences = [n.label for n in open_to_all if (short(n.kind), n.inputs.get("role")) not in allowed]
    return offences + [
        n.label
        for n in open_to_all
        if n.kind.endswith("BucketIAMMember") and graph.named(n.of_property["bucket"], "storage:Bucket") != {"media"}
    ]


@rule
def no_role_is_primitive_or_an_administrators(graph: Graph) -> list[str]:
    primitive = {"roles/owner", "roles/editor", "roles/viewer"}
    return [
        n.label for n in grants(graph) if n.inputs["role"] in primitive or n.inputs["role"].lower().endswith("admin")
    ]


@rule
def grants_only_add(graph: Graph) -> list[str]:
    return [node.label for node in graph.nodes if node.kind.lower().endswith(("iambinding", "iampolicy"))]


@rule
def every_secret_is_read_by_those_who_may_and_by_no_other(graph: Graph) -> list[str]:
    given = {
        (name, account)
        for node in graph.of("secretmanager:SecretIamMember")
        for name in graph.named(node.of_property["secretId"], "secretmanager:Secret")
        for account in who(graph, node)
    }
    asked = {
        (environment["valueSource"]["secretKeyRef"]["secret"], account)
        for node, _, container in containers(graph)
        for environment in container["envs"]
        if "valueSource" in environment
        for account in runs_as(graph, node)
    }
    return [f"{name} is not open to {account}" for name, account in sorted(asked - given)] + [
        f"{account} may read {name} and never does" for name, account in sorted(given - asked)
    ]


@rule
def secret_access_is_by_name(graph: Graph) -> list[str]:
    return [n.label for n in graph.of("projects:IAMMember") if "secretmanager" in n.inputs["role"]]


@rule
def every_account_is_its_own(graph: Graph) -> list[str]:
    """One account for each container, and none of them the default one."""
    accounts = [frozenset(runs_as(graph, node)) for node, _, _ in containers(graph)]
    return [str(sorted(one)) for one in accounts if len(one) != 1 or accounts.count(one) != 1]


@rule
def those_with_a_database_may_connect_and_sign_in(graph: Graph) -> list[str]:
    given = {(role, n.inputs["role"]) for n in graph.of("projects:IAMMember") for role in who(graph, n)}
    users = {role for n in graph.of("sql:User") for role in who(graph, n, "name")}
    running = {role for node, _, _ in containers(graph) for role in runs_as(graph, node)}
    return [f"{role} lacks a database user" for role in sorted(running - users)] + [
        f"{role} lacks {needed}"
        for role in sorted(running)
        for needed in sorted(SQL_ROLES)
        if (role, needed) not in given
    ]


@rule
def only_the_migration_is_a_superuser(graph: Graph) -> list[str]:
    roles = {n.name: n.inputs.get("databaseRoles") for n in graph.of("sql:User")}
    expected = {name: ["cloudsqlsuperuser"] if name == "database-migrate" else None for name in roles}
    return [] if roles == expected else [str(roles)]


@rule
def callers_may_call_the_site(graph: Graph) -> list[str]:
    may = {
        role
        for n in graph.of("cloudrunv2:ServiceIamMember")
        if n.inputs["role"] == "roles/run.invoker"
        for role in who(graph, n)
    }
    return sorted({"push", "scheduler"} - may)


@rule
def the_site_may_start_the_lanes_and_nothing_more_of_them(graph: Graph) -> list[str]:
    given = {
        (n.inputs["role"], lane)
        for n in graph.of("cloudrunv2:JobIamMember")
        if "site" in who(graph, n)
        for lane in graph.named(n.of_property["name"], "cloudrunv2:Job")
    }
    # Not run.invoker, which may not name a number of tasks; not run.developer, which may change the job.
    expected = {("roles/run.jobsExecutorWithOverrides", lane) for lane in ("author", "render")}
    return [str(one) for one in given ^ expected]


@rule
def the_site_signs_with_its_own_key(graph: Graph) -> list[str]:
    signs = [
        n for n in graph.of("serviceaccount:IAMMember") if n.inputs["role"] == "roles/iam.serviceAccountTokenCreator"
    ]
    return (
        []
        if [(who(graph, n), who(graph, n, "serviceAccountId")) for n in signs] == [({"site"}, {"site"})]
        else ["site"]
    )


@rule
def pubsub_may_move_dead_letters(graph: Graph) -> list[str]:
    push = graph.one("pubsub:Subscription", "doorbell-push")
    dead = graph.named(push.of_property.get("deadLetterPolicy", frozenset()), "pubsub:Topic")
    agents = [
        n for n in grants(graph) if graph.named(n.of_property.get("member", frozenset()), "projects:ServiceIdentity")
    ]
    publishes = {
        name
        for n in agents
        if n.inputs["role"] == "roles/pubsub.publisher"
        for name in graph.named(n.of_property.get("topic", frozenset()), "pubsub:Topic")
    }
    subscribes = any(
        n.inputs["role"] == "roles/pubsub.subscriber" and push.urn in n.of_property.get("subscription", ())
        for n in agents
    )
    return [] if subscribes and dead and dead <= publishes else [push.label]


@rule
def those_who_ring_may_publish(graph: Graph) -> list[str]:
    ringing = {
        role
        for node, _, _ in containers(graph)
        if str(environment_of(graph, node.name).get("QUEUE_URL", "")).startswith("pubsub:")
        for role in runs_as(graph, node)
    }
    publishing = {
        role
        for n in graph.of("pubsub:TopicIAMMember")
        if "doorbell" in graph.named(n.of_property["topic"], "pubsub:Topic")
        for role in who(graph, n)
    }
    return [] if ringing == publishing == {"site", "author"} else [f"{ringing} ring, {publishing} may"]


@rule
def the_builder_changes_four_things_and_acts_as_four(graph: Graph) -> list[str]:
    changed: set[str] = set()
    acts: set[str] = set()
    for node in grants(graph):
        if "builder" not in who(graph, node):
            continue
        if node.inputs["role"] == "roles/run.developer":
            changed |= graph.named(node.of_property.get("name", frozenset()), "cloudrunv2:Service")
            changed |= graph.named(node.of_property.get("name", frozenset()), "cloudrunv2:Job")
        if node.inputs["role"] == "roles/iam.serviceAccountUser":
            acts |= who(graph, node, "serviceAccountId")
    four = {"site", "author", "render", "migrate"}
    wide = [
        n.label
        for n in graph.of("projects:IAMMember")
        if "builder" in who(graph, n) and n.inputs["role"] not in {"roles/logging.logWriter", "roles/run.viewer"}
    ]
    return wide + [f"changes {changed}, acts as {acts}"] * (not changed == acts == four)


@rule
def only_the_repository_itself_acts_as_the_builder(graph: Graph) -> list[str]:
    repository = graph.config.delivery.repository
    return [
        node.label
        for node in graph.of("iam:WorkloadIdentityPoolProvider")
        if f"assertion.repository == '{repository}'" not in str(node.inputs.get("attributeCondition"))
        or "assertion.ref ==" not in str(node.inputs.get("attributeCondition"))
        # What the builder's grant asks of a caller, must be read from the token.
        or node.inputs["attributeMapping"].get("attribute.repository") != "assertion.repository"
    ]


@rule
def public_films_are_put_there_by_the_renderer_alone(graph: Graph) -> list[str]:
    writers = {
        role
        for n in graph.of("storage:BucketIAMMember")
        if "media" in graph.named(n.of_property["bucket"], "storage:Bucket")
        and n.inputs["role"] != "roles/storage.legacyObjectReader"
        for role in who(graph, n)
    }
    wanted = {"render"} if graph.config.media.access != "signed" else set()
    return [str(sorted(writers))] * (writers != wanted)


@rule
def billing_may_publish_the_budget(graph: Graph) -> list[str]:
    may = [
        n
        for n in graph.of("pubsub:TopicIAMMember")
        if "billing-budget-alert@" in str(n.inputs["member"]) and n.inputs["role"] == "roles/pubsub.publisher"
    ]
    return [] if len(may) == bool(graph.config.guard.billing_account) else ["budget topic"]


@rule
def the_site_believes_the_callers_that_call_it(graph: Graph) -> list[str]:
    """The accounts in its environment are the ones whose tokens the pushes and the schedule carry."""
    calling = {
        "PUSH_ACCOUNT": {str(n.inputs["pushConfig"]["oidcToken"].get("serviceAccountEmail")) for n in _pushed(graph)},
        "SCHEDULER_ACCOUNT": {
            str(n.inputs["httpTarget"]["oidcToken"].get("serviceAccountEmail")) for n in graph.of("cloudscheduler:Job")
        },
    }
    environment = environment_of(graph, "site")
    return [
        name
        for name, accounts in calling.items()
        if environment.get(name) is None or (not graph.preview and accounts != {environment[name]})
    ]


def _pushed(graph: Graph) -> list[Node]:
    return [n for n in graph.of("pubsub:Subscription") if "pushConfig" in n.inputs]


@rule
def every_database_user_but_the_owner_gets_its_role(graph: Graph) -> list[str]:
    users = graph.of("sql:User")
    told = environment_of(graph, "migrate").get("DATABASE_ROLE_MEMBERS")
    if not isinstance(told, str):
        return []  # a preview does not know the accounts' addresses yet
    wanted = {f"{n.name.removeprefix('database-')}={n.inputs['name']}" for n in users if n.name != "database-migrate"}
    return [] if set(told.split(";")) == wanted else [told]
