"""What runs and who rings it: the site, the lanes, their environment, the messages."""

from __future__ import annotations

from service.settings import Settings
from tests.infra.finding import containers, environment_of, rule, who
from tests.infra.graph import PROJECT_NUMBER, Graph

SLOW_START_SECONDS, SHORT_TROUBLE_SECONDS = 120, 120


@rule
def images_and_traffic_belong_to_releases(graph: Graph) -> list[str]:
    site = graph.one("cloudrunv2:Service", "site")
    offences = [site.label] if not {"template.containers[0].image", "traffics", "client"} <= set(site.ignored) else []
    # A kept revision name would make the next change ask for a second revision of that name.
    offences += [f"{site.label} keeps the revision's name"] if "template.revision" in site.ignored else []
    return offences + [
        n.label for n in graph.of("cloudrunv2:Job") if "template.template.containers[0].image" not in n.ignored
    ]


@rule
def the_first_image_is_public_and_runs_without_ours(graph: Graph) -> list[str]:
    offences = []
    for node, _, container in containers(graph):
        if not container["image"].startswith("us-docker.pkg.dev/cloudrun/container/"):
            offences.append(f"{node.label}: {container['image']}")
        if node.kind.endswith(":Service") and {"commands", "args"} & set(container):
            offences.append(f"{node.label} overrides the image's command")
    return offences


@rule
def the_site_scales_to_zero_and_is_billed_by_request(graph: Graph) -> list[str]:
    site = graph.one("cloudrunv2:Service", "site")
    template = site.inputs["template"]
    scaling = template.get("scaling", {})
    resources = template["containers"][0].get("resources", {})
    wanted = graph.config.site
    good = (
        scaling == {"minInstanceCount": wanted.min_instances, "maxInstanceCount": wanted.max_instances}
        and "scaling" not in site.inputs
        and resources.get("cpuIdle") is True
        and resources.get("startupCpuBoost") is True
        and template.get("timeout") == f"{wanted.timeout_seconds}s"
        and template.get("maxInstanceRequestConcurrency") == wanted.concurrency
    )
    return [] if good else [site.label]


@rule
def the_site_is_probed_but_not_at_a_reserved_path(graph: Graph) -> list[str]:
    container = graph.one("cloudrunv2:Service", "site").inputs["template"]["containers"][0]
    paths = [container.get(probe, {}).get("httpGet", {}).get("path") for probe in ("startupProbe", "livenessProbe")]
    outside = [n.inputs["httpCheck"]["path"] for n in graph.of("monitoring:UptimeCheckConfig")]
    offences = [str(path) for path in paths if not path or path == "/healthz"]
    return offences + [path for path in outside if path.endswith("z")]


@rule
def a_slow_start_and_a_short_trouble_are_waited_out(graph: Graph) -> list[str]:
    container = graph.one("cloudrunv2:Service", "site").inputs["template"]["containers"][0]
    patience = [
        container[probe]["periodSeconds"] * container[probe]["failureThreshold"]
        for probe in ("startupProbe", "livenessProbe")
    ]
    needed = [SLOW_START_SECONDS, SHORT_TROUBLE_SECONDS]
    return [str(patience)] * any(has < asked for has, asked in zip(patience, needed, strict=True))


@rule
def the_site_is_found_at_its_address(graph: Graph) -> list[str]:
    """Cloud Run's own is made of the service's name and the project's number; a domain leads to the service."""
    config, site = graph.config, graph.one("cloudrunv2:Service", "site").inputs
    given = f"https://{site['name']}-{PROJECT_NUMBER}.{config.region}.run.app"
    wanted = f"https://{config.site.domain}" if config.site.domain else given
    offences = [] if graph.outputs["site_url"] == wanted else [str(graph.outputs["site_url"])]
    if [(one["type"], one["percent"]) for one in site["traffics"]] != [("TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", 100)]:
        offences.append("nothing answers before the first release")
    mapped = {n.inputs["name"]: n.inputs["spec"]["routeName"] for n in graph.of("cloudrun:DomainMapping")}
    return offences + [str(mapped)] * (mapped != ({config.site.domain: site["name"]} if config.site.domain else {}))


@rule
def every_variable_is_a_setting_and_is_set_once(graph: Graph) -> list[str]:
    known = {name.upper() for name in Settings.model_fields}
    offences = []
    for node, _, container in containers(graph):
        names = [one["name"] for one in container["envs"]]
        offences += [f"{node.label}: {name}" for name in names if name not in known or names.count(name) > 1]
    return offences


@rule
def scratch_is_limited_and_within_memory(graph: Graph) -> list[str]:
    offences = []
    for node, template, container in containers(graph):
        if node.kind.endswith(":Service"):
            continue
        disk = template.get("volumes", [{}])[0].get("emptyDir", {})
        size, memory = str(disk.get("sizeLimit", "")), str(container["resources"]["limits"]["memory"])
        mounted = container.get("volumeMounts", [{}])[0].get("mountPath")
        fits = size.endswith("Mi") and int(size[:-2]) * 2 <= int(memory[:-2])
        if disk.get("medium") != "MEMORY" or not fits or mounted != environment_of(graph, node.name).get("DATA_DIR"):
            offences.append(node.label)
    return offences


@rule
def lanes_are_as_wide_as_configured_and_end_by_themselves(graph: Graph) -> list[str]:
    offences = []
    for name, lane in (("author", graph.config.jobs.author), ("render", graph.config.jobs.render)):
        template = graph.one("cloudrunv2:Job", name).inputs["template"]
        idle = environment_of(graph, name).get("IDLE_EXIT_SECONDS")
        if (template["taskCount"], template["parallelism"]) != (lane.tasks, lane.tasks) or not float(idle or 0) > 0:
            offences.append(name)
    return offences


@rule
def connections_stay_within_the_tier(graph: Graph) -> list[str]:
    """Counted from the graph itself, not from the configuration's own sum."""
    site = graph.config.site.max_instances + 1
    used = 0
    for node, _, _ in containers(graph):
        environment = environment_of(graph, node.name)
        pool = int(environment["DATABASE_POOL"]) + int(environment["DATABASE_OVERFLOW"])
        used += pool * (site if node.name == "site" else int(node.inputs["template"]["taskCount"]))
    limit = graph.config.database.connections
    return [f"{used} of {limit}"] if used > limit - 3 + 1 else []  # the migration's two stand for one in the plan


@rule
def pushes_carry_a_token_for_the_site(graph: Graph) -> list[str]:
    offences = []
    site = graph.outputs["site_url"]
    for node in graph.of("pubsub:Subscription"):
        push = node.inputs.get("pushConfig")
        if push is None:
            continue
        token = push.get("oidcToken", {})
        if token.get("audience") != site or who(graph, node, "pushConfig") != {"push"}:
            offences.append(node.label)
        if not str(push["pushEndpoint"]).startswith(f"{site}/internal/"):
            offences.append(f"{node.label}: {push['pushEndpoint']}")
    for node in graph.of("cloudscheduler:Job"):
        target = node.inputs["httpTarget"]
        if target.get("oidcToken", {}).get("audience") != site or who(graph, node, "httpTarget") != {"scheduler"}:
            offences.append(node.label)
    return offences


@rule
def rings_back_off_and_dead_ones_are_kept(graph: Graph) -> list[str]:
    push = graph.one("pubsub:Subscription", "doorbell-push")
    dead = graph.named(push.of_property.get("deadLetterPolicy", frozenset()), "pubsub:Topic")
    kept = {
        name
        for n in graph.of("pubsub:Subscription")
        if "pushConfig" not in n.inputs
        for name in graph.named(n.of_property["topic"], "pubsub:Topic")
    }
    offences = [] if dead and dead <= kept else ["dead letters have no subscription"]
    for node in graph.of("pubsub:Subscription"):
        pushes = "pushConfig" in node.inputs
        if node.inputs.get("expirationPolicy") != {"ttl": ""}:
            offences.append(f"{node.label} expires")
        if pushes and node.inputs.get("retryPolicy", {}).get("minimumBackoff") != "10s":
            offences.append(f"{node.label} retries at once")
        if pushes and not 10 <= int(node.inputs.get("ackDeadlineSeconds", 0)) <= 60:
            offences.append(f"{node.label} waits too long")
    return offences


@rule
def the_schedule_waits_for_the_site(graph: Graph) -> list[str]:
    return [
        n.label
        for n in graph.of("cloudscheduler:Job")
        if "site" not in graph.named(graph.after(n), "cloudrunv2:Service")
        or not graph.named(graph.after(n), "cloudrunv2:ServiceIamMember")
    ]


@rule
def the_site_starts_lanes_as_wide_as_they_are_planned(graph: Graph) -> list[str]:
    """More tasks than the plan counts would be more connections than the database takes."""
    site = environment_of(graph, "site")
    planned = {name: graph.one("cloudrunv2:Job", name).inputs["template"]["taskCount"] for name in ("author", "render")}
    return [name for name, tasks in planned.items() if site.get(f"{name.upper()}_TASKS") != str(int(tasks))]


@rule
def tasks_know_their_end_and_their_price(graph: Graph) -> list[str]:
    offences = []
    for name in ("author", "render"):
        task = graph.one("cloudrunv2:Job", name).inputs["template"]["template"]
        limits = task["containers"][0]["resources"]["limits"]
        told = environment_of(graph, name)
        said = (f"{told.get('TASK_TIMEOUT_SECONDS')}s", told.get("TASK_CPU"), f"{told.get('TASK_MEMORY_MIB')}Mi")
        if said != (task["timeout"], limits["cpu"], limits["memory"]) or "LINGER_SECONDS" not in told:
            offences.append(f"{name}: {said}")
    return offences


@rule
def the_schedule_alone_sweeps(graph: Graph) -> list[str]:
    return [] if environment_of(graph, "site").get("SWEEP_SECONDS") == "0" else ["site"]


@rule
def public_media_is_known_to_those_who_write_and_show_it(graph: Graph) -> list[str]:
    public = graph.config.media.access != "signed"
    cdn = f"https://{graph.config.media.domain}" if graph.config.media.access == "cdn" else None
    offences = []
    for name in ("site", "author", "render", "migrate"):
        told = environment_of(graph, name)
        wanted = public and name in ("site", "render")
        if ("MEDIA_URL" in told) != wanted or told.get("MEDIA_PUBLIC_URL") != (cdn if wanted else None):
            offences.append(name)
    return offences


@rule
def caps_are_the_same_for_all_who_spend(graph: Graph) -> list[str]:
    caps = ("SITE_MONTH_USD", "USER_MONTH_USD", "USER_DAY_USD")
    told = {
        tuple(environment_of(graph, name).get(cap) for cap in caps) for name in ("site", "author", "render", "migrate")
    }
    return [] if len(told) == 1 and None not in next(iter(told)) else [str(told)]
