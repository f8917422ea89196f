"""Faults in what stands around: APIs, releases, budget, alerts, types; `rules_around.py` must notice them."""

from __future__ import annotations

from tests.infra.planting import Fault

FAULTS = (
    Fault(
        "APIs go with the stack",
        "apis.py",
        "disable_on_destroy=False",
        "disable_on_destroy=True",
        "no_api_is_switched_off_with_the_stack",
    ),
    Fault(
        "a resource does not wait for its API",
        "guard.py",
        '        http_check={"path": UPTIME_PATH, "port": 443, "use_ssl": True, "validate_ssl": True},\n'
        '        opts=apis.after("monitoring"),\n',
        '        http_check={"path": UPTIME_PATH, "port": 443, "use_ssl": True, "validate_ssl": True},\n',
        "every_resource_waits_for_its_api",
    ),
    Fault(
        "a typo in a nested key",
        "data.py",
        '"ipv4_enabled": True',
        '"ipv4_enable": True',
        "inputs_fit_the_providers_types",
    ),
    Fault(
        "a misspelt scaling",
        "compute.py",
        '"min_instance_count": wanted.min_instances',
        '"min_instances": wanted.min_instances',
        "inputs_fit_the_providers_types",
    ),
    Fault(
        "an output made a string",
        "environment.py",
        'ground.buckets.content.name.apply(lambda bucket: f"gs://{bucket}")',
        'f"gs://{ground.buckets.content.name}"',
        "no_output_was_made_a_string",
    ),
    Fault(
        "a wrong type",
        "messaging.py",
        '"max_delivery_attempts": DEATH_AFTER_ATTEMPTS',
        '"max_delivery_attempts": "ten"',
        "inputs_fit_the_providers_types",
    ),
    Fault(
        "any branch releases",
        "delivery.py",
        '{"branch": f"^{wanted.branch}$"}',
        '{"branch": ".*"}',
        "only_the_branch_releases_and_as_the_builder",
        variant="prod",
    ),
    Fault(
        "releases run as the default account",
        "delivery.py",
        "        service_account=builder.name,\n",
        "",
        "only_the_branch_releases_and_as_the_builder",
        variant="prod",
    ),
    Fault(
        "images pile up",
        "compute.py",
        '        {"id": "delete-the-rest", "action": "DELETE",'
        ' "condition": {"older_than": "86400s", "tag_state": "ANY"}},\n',
        "",
        "old_images_are_deleted",
    ),
    Fault(
        "a budget without a topic",
        "guard.py",
        '            "pubsub_topic": topic.id,\n',
        "",
        "the_budget_speaks_to_people_and_to_the_site",
        variant="prod",
    ),
    Fault(
        "a budget that warns too late",
        "guard.py",
        '    {"threshold_percent": 0.5, "spend_basis": "CURRENT_SPEND"},\n',
        "",
        "the_budget_speaks_to_people_and_to_the_site",
        variant="prod",
    ),
    Fault(
        "alerts that reach nobody",
        "guard.py",
        "        notification_channels=channels,\n",
        "",
        "every_alert_reaches_somebody_and_says_what_it_means",
        variant="prod",
    ),
    Fault(
        "a forgotten alert",
        "guard.py",
        "SITE_ERRORS, DEAD_LETTERS)",
        "SITE_ERRORS)",
        "every_alert_reaches_somebody_and_says_what_it_means",
        variant="prod",
    ),
    Fault(
        "spending stops at a share that no alert is sent at",
        "environment.py",
        '"BUDGET_STOP_SHARE": str(config.guard.stop_share)',
        '"BUDGET_STOP_SHARE": "0.9"',
        "spending_stops_at_an_alert_of_the_budget",
        variant="prod",
    ),
    Fault(
        "an image that serves, pushed out by releases that failed",
        "compute.py",
        '{"tag_state": "TAGGED", "tag_prefixes": tags}',
        '{"tag_state": "TAGGED", "tag_prefixes": ["latest"]}',
        "old_images_are_deleted",
    ),
    Fault(
        "what films cost is nowhere to be seen",
        "guard.py",
        "        for gauge in GAUGES\n    ),",
        "        for gauge in GAUGES[:4]\n    ),",
        "every_gauge_of_the_site_is_a_metric_and_a_chart",
    ),
    Fault(
        "gauges charted by a percentile, which is guessed",
        "guard.py",
        '_gauge_filter(f"{METRICS}/{gauge.field}"), MEAN_OF_GAUGE)',
        '_gauge_filter(f"{METRICS}/{gauge.field}"), _aligned("ALIGN_PERCENTILE_99"))',
        "every_gauge_of_the_site_is_a_metric_and_a_chart",
    ),
    Fault(
        "the version to roll back to is deleted with the rest",
        "compute.py",
        "RELEASED_TAGS if kept else",
        "RELEASED_TAGS if kept > 1 else",
        "old_images_are_deleted",
        variant="prod",
    ),
)
