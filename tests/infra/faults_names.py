"""Faults in names and limits that the cloud takes literally; `rules_names.py` must notice them."""

from __future__ import annotations

from tests.infra.planting import Fault

FAULTS = (
    Fault(
        "grants in another project",
        "identity.py",
        'gcp.projects.IAMMember, lambda _, project: {"project": project}',
        'gcp.projects.IAMMember, lambda _, project: {"project": "another-project"}',
        "everything_is_in_the_project",
    ),
    Fault(
        "a condition on another bucket",
        "identity.py",
        "projects/_/buckets/{}/objects/",
        "projects/_/buckets/{}-old/objects/",
        "conditions_are_on_the_bucket_that_they_grant",
    ),
    Fault(
        "the agent of another service",
        "stack.py",
        'service="pubsub.googleapis.com"',
        'service="run.googleapis.com"',
        "googles_accounts_are_those_of_this_project",
    ),
    Fault(
        "an account of Google's by the project's name",
        "stack.py",
        "service-{number}@gcp-sa-cloudbuild",
        "service-{config.project}@gcp-sa-cloudbuild",
        "googles_accounts_are_those_of_this_project",
        variant="prod",
    ),
    Fault(
        "a job that signs in as the site",
        "environment.py",
        '"DATABASE_USER": ground.database.users[name]',
        '"DATABASE_USER": ground.database.users["site"]',
        "each_container_signs_in_to_the_database_as_itself",
    ),
    Fault(
        "a sweep that is given up",
        "messaging.py",
        'attempt_deadline=f"{ACK_SECONDS}s"',
        'attempt_deadline="15s"',
        "callers_wait_long_enough_and_try_as_often_as_they_may",
    ),
    Fault(
        "a pause between rings that Pub/Sub refuses",
        "messaging.py",
        '"maximum_backoff": "600s"',
        '"maximum_backoff": "3600s"',
        "callers_wait_long_enough_and_try_as_often_as_they_may",
    ),
    Fault(
        "a probe that outlasts its period",
        "compute.py",
        '"timeout_seconds": 4',
        '"timeout_seconds": 40',
        "probes_end_before_they_begin_again",
    ),
    Fault(
        "budget messages that nobody can read",
        "guard.py",
        '"schema_version": "1.0"',
        '"schema_version": "2.0"',
        "messages_to_people_and_to_the_site_are_of_the_kind_that_they_read",
        variant="prod",
    ),
    Fault(
        "a replica with a standby of its own",
        "data.py",
        '    settings["availability_type"] = "ZONAL"\n',
        "",
        "a_replica_is_one_instance_of_what_the_primary_is",
        variant="CDN, replicas, Qdrant",
    ),
)
