"""Each planted fault turns the rule red that is there for it: a rule that catches nothing proves nothing."""

from __future__ import annotations

import importlib.abc
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import ModuleType

import pytest

from service.settings import ROOT
from tests.infra.conftest import VARIANTS
from tests.infra.graph import synthesize
from tests.infra.policies import RULES

BY_NAME = {rule.__name__: rule for rule in RULES}


@dataclass(frozen=True)
class Fault:
    """A change of the program's text, and the rule that must notice it; `refusal` when the program itself does."""

    what: str
    file: str
    old: str
    new: str
    caught_by: str = ""
    refusal: str = ""
    variant: str = "prod"


FAULTS = (
    Fault(
        "the render job may not read its key",
        "identity.py",
        '    Grant("render", "roles/secretmanager.secretAccessor", "secret:openai-key", with_openai),\n',
        "",
        "every_secret_is_read_by_those_who_may_and_by_no_other",
    ),
    Fault(
        "a job may read the cookie keys",
        "identity.py",
        'Grant("site", "roles/secretmanager.secretAccessor", "secret:cookie-keys"),',
        'Grant("site", "roles/secretmanager.secretAccessor", "secret:cookie-keys"),\n'
        '    Grant("render", "roles/secretmanager.secretAccessor", "secret:cookie-keys"),',
        "every_secret_is_read_by_those_who_may_and_by_no_other",
    ),
    Fault(
        "secrets are opened for the whole project",
        "identity.py",
        'Grant("site", "roles/cloudtrace.agent", "project"),',
        'Grant("site", "roles/secretmanager.secretAccessor", "project"),',
        "secret_access_is_by_name",
    ),
    Fault(
        "the author cannot sign in to the database",
        "identity.py",
        '    Grant("author", "roles/cloudsql.instanceUser", "project"),\n',
        "",
        "those_with_a_database_may_connect_and_sign_in",
    ),
    Fault(
        "everyone may start the renderer",
        "identity.py",
        'Grant("site", RUN_WITH_OVERRIDES, "job:render")',
        'Grant("everyone", "roles/run.invoker", "job:render")',
        "only_the_site_and_public_media_are_for_everyone",
    ),
    Fault(
        "the site may change the renderer",
        "identity.py",
        'Grant("site", RUN_WITH_OVERRIDES, "job:render")',
        'Grant("site", "roles/run.developer", "job:render")',
        "the_site_may_start_the_lanes_and_nothing_more_of_them",
    ),
    Fault(
        "billing cannot say what was spent",
        "identity.py",
        '    Grant("budgets", "roles/pubsub.publisher", "topic:budget", with_budget),\n',
        "",
        "billing_may_publish_the_budget",
    ),
    Fault(
        "the author rings and may not",
        "identity.py",
        '    Grant("author", "roles/pubsub.publisher", "topic:doorbell"),\n',
        "",
        "those_who_ring_may_publish",
    ),
    Fault(
        "everyone may read the private content",
        "identity.py",
        'Grant("author", "roles/storage.objectViewer", "bucket:content")',
        'Grant("everyone", "roles/storage.objectViewer", "bucket:content")',
        "only_the_site_and_public_media_are_for_everyone",
    ),
    Fault(
        "public media can be listed",
        "identity.py",
        'Grant("everyone", "roles/storage.legacyObjectReader", "bucket:media", with_public_media)',
        'Grant("everyone", "roles/storage.objectViewer", "bucket:media", with_public_media)',
        "only_the_site_and_public_media_are_for_everyone",
        variant="public media, own domain",
    ),
    Fault(
        "the builder is an editor",
        "identity.py",
        'Grant("builder", "roles/run.viewer", "project")',
        'Grant("builder", "roles/editor", "project")',
        "no_role_is_primitive_or_an_administrators",
    ),
    Fault(
        "the builder may act as anybody",
        "identity.py",
        'Grant("builder", "roles/run.viewer", "project")',
        'Grant("builder", "roles/iam.serviceAccountUser", "project")',
        "the_builder_changes_four_things_and_acts_as_four",
    ),
    Fault(
        "the builder cannot release the migration",
        "identity.py",
        '    Grant("builder", "roles/run.developer", "job:migrate"),\n',
        "",
        "the_builder_changes_four_things_and_acts_as_four",
    ),
    Fault(
        "Pub/Sub cannot move dead letters",
        "identity.py",
        '    Grant("pubsub", "roles/pubsub.subscriber", "subscription:doorbell-push"),\n',
        "",
        "pubsub_may_move_dead_letters",
    ),
    Fault(
        "the pusher may not call the site",
        "identity.py",
        '    Grant("push", "roles/run.invoker", "service:site"),\n',
        "",
        "callers_may_call_the_site",
    ),
    Fault(
        "the site cannot sign addresses",
        "identity.py",
        '    Grant("site", "roles/iam.serviceAccountTokenCreator", "account:site"),\n',
        "",
        "the_site_signs_with_its_own_key",
    ),
    Fault(
        "a grant replaces those of others",
        "identity.py",
        "gcp.storage.BucketIAMMember, lambda",
        "lambda name, member, **rest: gcp.storage.BucketIAMBinding(name, members=[member], **rest), lambda",
        "grants_only_add",
    ),
    Fault(
        "a grant on something that is never made",
        "identity.py",
        '"bucket:builds")',
        '"bucket:build")',
        refusal="targets that this stack does not make: builder on bucket:build",
    ),
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
        "the content is public",
        "data.py",
        '"inherited" if public else "enforced"',
        '"inherited"',
        "buckets_are_locked",
    ),
    Fault(
        "deleted objects are kept and billed",
        "data.py",
        '{"retention_duration_seconds": 0}',
        '{"retention_duration_seconds": 604800}',
        "buckets_are_locked",
    ),
    Fault(
        "players of any site may read",
        "data.py",
        '"origins": [origin]',
        '"origins": ["*"]',
        "players_may_read_ranges_from_the_site_alone",
    ),
    Fault(
        "the database is open to the world",
        "data.py",
        '{"ipv4_enabled": True, "ssl_mode": "ENCRYPTED_ONLY"}',
        '{"ipv4_enabled": True, "ssl_mode": "ENCRYPTED_ONLY",'
        ' "authorized_networks": [{"name": "all", "value": "0.0.0.0/0"}]}',
        "the_database_knows_no_password_and_no_network",
    ),
    Fault(
        "a database user has a password",
        "data.py",
        'type="CLOUD_IAM_SERVICE_ACCOUNT",',
        'type="BUILT_IN", password="letmein",',
        "the_database_knows_no_password_and_no_network",
    ),
    Fault(
        "every user is a superuser",
        "data.py",
        '["cloudsqlsuperuser"] if role == "migrate" else None',
        '["cloudsqlsuperuser"]',
        "only_the_migration_is_a_superuser",
    ),
    Fault(
        "no backups",
        "data.py",
        '"backup_configuration": {\n            "enabled": True,',
        '"backup_configuration": {\n            "enabled": False,',
        "the_database_is_backed_up",
    ),
    Fault(
        "the database can be deleted by a slip",
        "data.py",
        "settings=_instance_settings(config, deletion_protection=config.protect),",
        "settings=_instance_settings(config, deletion_protection=False),",
        "what_must_not_be_lost_is_protected_twice",
    ),
    Fault(
        "a typo in a nested key",
        "data.py",
        '"ipv4_enabled": True',
        '"ipv4_enable": True',
        "inputs_fit_the_providers_types",
    ),
    Fault(
        "a secret's value is kept in the state",
        "data.py",
        "secret_data_wo=value,",
        "secret_data=value,",
        "secret_values_are_written_and_never_kept",
    ),
    Fault(
        "the site does not wait for its secrets",
        "environment.py",
        "*self.buckets.ready, *self.secrets.ready]",
        "*self.buckets.ready]",
        "what_reads_a_secret_waits_for_its_version_and_its_grant",
    ),
    Fault(
        "an image that infrastructure takes back",
        "compute.py",
        'SITE_IGNORES = ["template.containers[0].image", "traffics", *OF_RELEASES]',
        'SITE_IGNORES = ["traffics", *OF_RELEASES]',
        "images_and_traffic_belong_to_releases",
    ),
    Fault(
        "traffic that infrastructure takes back",
        "compute.py",
        '"template.containers[0].image", "traffics", *OF_RELEASES',
        '"template.containers[0].image", *OF_RELEASES',
        "images_and_traffic_belong_to_releases",
    ),
    Fault(
        "the first image must already be ours",
        "compute.py",
        '"us-docker.pkg.dev/cloudrun/container/job:latest"',
        '"us-central1-docker.pkg.dev/replace-me-prod/images/render:latest"',
        "the_first_image_is_public_and_runs_without_ours",
    ),
    Fault(
        "idle processors are billed",
        "compute.py",
        '            "cpu_idle": True,\n',
        "",
        "the_site_scales_to_zero_and_is_billed_by_request",
    ),
    Fault(
        "a misspelt scaling",
        "compute.py",
        '"min_instance_count": wanted.min_instances',
        '"min_instances": wanted.min_instances',
        "inputs_fit_the_providers_types",
    ),
    Fault(
        "the reserved health path",
        "compute.py",
        '"/readyz", "/livez"',
        '"/healthz", "/livez"',
        "the_site_is_probed_but_not_at_a_reserved_path",
    ),
    Fault(
        "a variable that no setting reads",
        "environment.py",
        '"DATABASE_POOL": str(pool)',
        '"DB_POOL": str(pool), "DATABASE_POOL": str(pool)',
        "every_variable_is_a_setting_and_is_set_once",
    ),
    Fault(
        "workers that never end",
        "environment.py",
        '"IDLE_EXIT_SECONDS": str(lane.idle_exit_seconds)',
        '"IDLE_EXIT_SECONDS": "0"',
        "lanes_are_as_wide_as_configured_and_end_by_themselves",
    ),
    Fault(
        "scratch without a limit",
        "compute.py",
        '{"medium": "MEMORY", "size_limit": f"{lane.scratch_mib}Mi"}',
        '{"medium": "MEMORY"}',
        "scratch_is_limited_and_within_memory",
    ),
    Fault(
        "pools that are too large",
        "stack_config.py",
        "SITE_POOL, WORKER_POOL = 3, 2",
        "SITE_POOL, WORKER_POOL = 5, 2",
        refusal="need 32 database connections and db-f1-micro takes 25",
    ),
    Fault(
        "pools that the plan does not know of",
        "environment.py",
        '"DATABASE_OVERFLOW": "0"',
        '"DATABASE_OVERFLOW": "5"',
        "connections_stay_within_the_tier",
    ),
    Fault(
        "two containers with one account",
        "compute.py",
        '"service_account": ground.accounts[name].email',
        '"service_account": ground.accounts["site"].email',
        "every_account_is_its_own",
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
        "pushes without a token",
        "messaging.py",
        '{"service_account_email": callers.push.email, "audience": callers.site_url}',
        '{"service_account_email": callers.push.email}',
        "pushes_carry_a_token_for_the_site",
    ),
    Fault(
        "dead letters that nobody keeps",
        "messaging.py",
        "topic=self.dead.name,\n            message_retention_duration=WEEK,",
        "topic=self.topic.name,\n            message_retention_duration=WEEK,",
        "rings_back_off_and_dead_ones_are_kept",
    ),
    Fault(
        "a subscription that dies when it rests",
        "messaging.py",
        'FOREVER = {"ttl": ""}',
        'FOREVER = {"ttl": "2678400s"}',
        "rings_back_off_and_dead_ones_are_kept",
    ),
    Fault(
        "the sweep comes before the site",
        "messaging.py",
        'apis.after("cloudscheduler", also=site)',
        'apis.after("cloudscheduler")',
        "the_schedule_waits_for_the_site",
    ),
    Fault(
        "any branch releases",
        "delivery.py",
        '{"branch": f"^{wanted.branch}$"}',
        '{"branch": ".*"}',
        "only_the_branch_releases_and_as_the_builder",
    ),
    Fault(
        "releases run as the default account",
        "delivery.py",
        "        service_account=builder.name,\n",
        "",
        "only_the_branch_releases_and_as_the_builder",
    ),
    Fault(
        "any repository on GitHub is the builder",
        "delivery.py",
        "assertion.repository == '{wanted.repository}' && ",
        "",
        "only_the_repository_itself_acts_as_the_builder",
        variant="first generation, GitHub Actions",
    ),
    Fault(
        "images pile up",
        "compute.py",
        '{"id": "delete-the-rest", "action": "DELETE", "condition": {"older_than": "86400s", "tag_state": "ANY"}},\n',
        "",
        "old_images_are_deleted",
    ),
    Fault(
        "a budget without a topic",
        "guard.py",
        '            "pubsub_topic": topic.id,\n',
        "",
        "the_budget_speaks_to_people_and_to_the_site",
    ),
    Fault(
        "a budget that warns too late",
        "guard.py",
        '    {"threshold_percent": 0.5, "spend_basis": "CURRENT_SPEND"},\n',
        "",
        "the_budget_speaks_to_people_and_to_the_site",
    ),
    Fault(
        "alerts that reach nobody",
        "guard.py",
        "        notification_channels=channels,\n",
        "",
        "every_alert_reaches_somebody_and_says_what_it_means",
    ),
    Fault(
        "a forgotten alert",
        "guard.py",
        "SITE_ERRORS, DEAD_LETTERS)",
        "SITE_ERRORS)",
        "every_alert_reaches_somebody_and_says_what_it_means",
    ),
    Fault(
        "the site may invoke and not say how many",
        "identity.py",
        'Grant("site", RUN_WITH_OVERRIDES, "job:author")',
        'Grant("site", "roles/run.invoker", "job:author")',
        "the_site_may_start_the_lanes_and_nothing_more_of_them",
    ),
    Fault(
        "the site asks for more tasks than the job is wide",
        "environment.py",
        '"RENDER_TASKS": str(config.jobs.render.tasks)',
        '"RENDER_TASKS": str(config.jobs.author.tasks + config.jobs.render.tasks)',
        "the_site_starts_lanes_as_wide_as_they_are_planned",
    ),
    Fault(
        "two accounts confused",
        "environment.py",
        '"SCHEDULER_ACCOUNT": address_of(config, "scheduler")',
        '"SCHEDULER_ACCOUNT": address_of(config, "push")',
        "the_site_believes_the_callers_that_call_it",
    ),
    Fault(
        "spending stops at a share that no alert is sent at",
        "environment.py",
        '"BUDGET_STOP_SHARE": str(config.guard.stop_share)',
        '"BUDGET_STOP_SHARE": "0.9"',
        "spending_stops_at_an_alert_of_the_budget",
    ),
    Fault(
        "a task that does not know when it is ended",
        "environment.py",
        '"TASK_TIMEOUT_SECONDS": str(lane.timeout_seconds)',
        '"TASK_TIMEOUT_SECONDS": "0"',
        "tasks_know_their_end_and_their_price",
    ),
    Fault(
        "films that are made and not published",
        "environment.py",
        "        plain |= _media(config, ground)\n",
        "",
        "public_media_is_known_to_those_who_write_and_show_it",
        variant="public media, own domain",
    ),
    Fault(
        "a database user without a role",
        "environment.py",
        'for role in DATABASE_USERS if role != "migrate"',
        'for role in DATABASE_USERS if role not in ("migrate", "render")',
        "every_database_user_but_the_owner_gets_its_role",
    ),
    Fault(
        "a site that sweeps between requests, without a processor",
        "environment.py",
        '"SWEEP_SECONDS": "0"',
        '"SWEEP_SECONDS": "30"',
        "the_schedule_alone_sweeps",
    ),
    Fault(
        "lanes that do not know the caps",
        "environment.py",
        "    plain |= _spending(config)\n",
        "",
        "caps_are_the_same_for_all_who_spend",
    ),
    Fault(
        "a ring pushed to the budget's door",
        "messaging.py",
        "_push_to(callers, PUSH_PATH)",
        "_push_to(callers, BUDGET_PATH)",
        "each_caller_knocks_at_its_own_door",
    ),
    Fault(
        "a sweep that only looks",
        "messaging.py",
        '"http_method": "POST"',
        '"http_method": "GET"',
        "each_caller_knocks_at_its_own_door",
    ),
    Fault(
        "a sweep that rings instead",
        "messaging.py",
        "{callers.site_url}{SWEEP_PATH}",
        "{callers.site_url}{PUSH_PATH}",
        "each_caller_knocks_at_its_own_door",
    ),
    Fault(
        "a site that only the project reaches",
        "compute.py",
        '"INGRESS_TRAFFIC_ALL"',
        '"INGRESS_TRAFFIC_INTERNAL_ONLY"',
        "the_site_listens_and_is_asked_where_it_answers",
    ),
    Fault(
        "the port of a laptop",
        "compute.py",
        '{"container_port": 8080}',
        '{"container_port": 8000}',
        "the_site_listens_and_is_asked_where_it_answers",
    ),
    Fault(
        "a site that starts as a job",
        "compute.py",
        '"image": FIRST_SITE_IMAGE',
        '"image": FIRST_JOB_IMAGE',
        "the_site_listens_and_is_asked_where_it_answers",
    ),
    Fault(
        "instances ended while the database rests",
        "compute.py",
        '{"path": ALIVE_PATH}',
        '{"path": READY_PATH}',
        "the_site_listens_and_is_asked_where_it_answers",
    ),
    Fault(
        "a thousand times the memory",
        "compute.py",
        'f"{wanted.memory_mib}Mi"',
        'f"{wanted.memory_mib}Gi"',
        "the_site_listens_and_is_asked_where_it_answers",
    ),
    Fault(
        "a site for nobody",
        "identity.py",
        '    Grant("everyone", "roles/run.invoker", "service:site"),\n',
        "",
        "the_site_listens_and_is_asked_where_it_answers",
    ),
    Fault(
        "a migration that works instead",
        "compute.py",
        '["migrate"])',
        '["work"])',
        "jobs_do_what_they_are_named_for",
    ),
    Fault(
        "a migration that is tried again",
        "compute.py",
        '0 if name == "migrate" else 1',
        "1",
        "jobs_do_what_they_are_named_for",
    ),
    Fault(
        "rings among the dead ones",
        "environment.py",
        '            "QUEUE_URL": f"pubsub://{config.project}/doorbell",',
        '            "QUEUE_URL": f"pubsub://{config.project}/doorbell-dead",',
        "rings_go_to_the_topic_that_is_pushed",
    ),
    Fault(
        "an author who rings another bell",
        "environment.py",
        'plain |= {"QUEUE_URL": f"pubsub://{config.project}/doorbell"}',
        'plain |= {"QUEUE_URL": f"pubsub://{config.project}/bell"}',
        "rings_go_to_the_topic_that_is_pushed",
    ),
    Fault(
        "two secrets confused",
        "environment.py",
        '"COOKIE_KEYS": "cookie-keys", "MAIL_URL": "mail-url"',
        '"COOKIE_KEYS": "mail-url", "MAIL_URL": "cookie-keys"',
        "each_variable_reads_its_own_secret",
    ),
    Fault(
        "sign-up that is always open",
        "environment.py",
        '"SIGNUP": config.site.signup',
        '"SIGNUP": "open"',
        "what_is_configured_is_what_is_told",
    ),
    Fault(
        "the database that is always there",
        "environment.py",
        '"DATABASE_URL": ground.database.url',
        '"DATABASE_URL": ground.database.url.apply(lambda url: url.replace("/coursewright", "/postgres"))',
        "what_is_configured_is_what_is_told",
    ),
    Fault(
        "public films in the private bucket",
        "environment.py",
        'bucket.name.apply("gs://{}".format)',
        'ground.buckets.content.name.apply("gs://{}".format)',
        "what_is_configured_is_what_is_told",
        variant="public media, own domain",
    ),
    Fault(
        "sources that are deleted by age",
        "data.py",
        'prefixes=["segments/"]',
        'prefixes=["sources/"]',
        "lifecycles_delete_what_can_be_made_again_and_nothing_else",
    ),
    Fault(
        "all content deleted by age",
        "data.py",
        '_delete_after(SEGMENTS_DAYS, prefixes=["segments/"])',
        "_delete_after(SEGMENTS_DAYS)",
        "lifecycles_delete_what_can_be_made_again_and_nothing_else",
    ),
    Fault(
        "an author who cannot forget an answer",
        "identity.py",
        '    Grant("author", "roles/storage.objectUser", "bucket:content", below=CALLS_PREFIX),\n',
        "",
        "content_is_touched_as_the_table_says",
    ),
    Fault(
        "an author who may delete films",
        "identity.py",
        '"bucket:content", below=CALLS_PREFIX)',
        '"bucket:content")',
        "content_is_touched_as_the_table_says",
    ),
    Fault(
        "a renderer that cannot keep its films",
        "identity.py",
        '    Grant("render", "roles/storage.objectCreator", "bucket:content"),\n',
        "",
        "content_is_touched_as_the_table_says",
    ),
    Fault(
        "content opened in the whole project",
        "identity.py",
        'Grant("site", "roles/storage.objectCreator", "bucket:content")',
        'Grant("site", "roles/storage.objectCreator", "project")',
        "content_is_touched_as_the_table_says",
    ),
    Fault(
        "a cleanup that only says what it would do",
        "compute.py",
        "cleanup_policy_dry_run=False",
        "cleanup_policy_dry_run=True",
        "images_are_really_deleted_and_soon",
    ),
    Fault(
        "a cleanup that leaves what has a tag",
        "compute.py",
        '"tag_state": "ANY"',
        '"tag_state": "UNTAGGED"',
        "images_are_really_deleted_and_soon",
    ),
    Fault(
        "a registry of another region",
        "delivery.py",
        "{config.region}-docker.pkg.dev",
        "us-docker.pkg.dev",
        "images_are_really_deleted_and_soon",
    ),
    Fault(
        "releases that nobody may hold",
        "delivery.py",
        '{"approval_required": wanted.approval}',
        '{"approval_required": True}',
        "releases_are_started_by_the_product_and_approved_as_configured",
    ),
    Fault(
        "a push of the product that releases nothing",
        "delivery.py",
        '["docs/**", ',
        '["docs/**", "service/**", ',
        "releases_are_started_by_the_product_and_approved_as_configured",
    ),
    Fault(
        "this repository, or this branch of any",
        "delivery.py",
        "' && assertion.ref",
        "' || assertion.ref",
        "github_speaks_for_one_repository_and_branch",
        variant="first generation, GitHub Actions",
    ),
    Fault(
        "any repository of the pool is the builder",
        "delivery.py",
        '/attribute.repository/{wanted.repository}"',
        '/*"',
        "github_speaks_for_one_repository_and_branch",
        variant="first generation, GitHub Actions",
    ),
    Fault(
        "somebody else's budget",
        "guard.py",
        'f"projects/{number}"',
        '"projects/4711"',
        "the_budget_is_this_projects_and_as_large_as_configured",
    ),
    Fault(
        "a budget for a year",
        "guard.py",
        '"calendar_period": "MONTH"',
        '"calendar_period": "YEAR"',
        "the_budget_is_this_projects_and_as_large_as_configured",
    ),
    Fault(
        "a budget in cents",
        "guard.py",
        "str(config.guard.budget)",
        "str(config.guard.budget * 100)",
        "the_budget_is_this_projects_and_as_large_as_configured",
    ),
    Fault(
        "alerts when all is well",
        "guard.py",
        '"COMPARISON_GT"',
        '"COMPARISON_LT"',
        "alerts_look_at_what_they_are_named_for",
    ),
    Fault(
        "gauges by a percentile, which is guessed",
        "guard.py",
        "aggregation=MEAN_OF_GAUGE",
        'aggregation=_aligned("ALIGN_PERCENTILE_99")',
        "alerts_look_at_what_they_are_named_for",
    ),
    Fault(
        "thresholds in milliseconds",
        "guard.py",
        "above=gauge.above",
        "above=gauge.above * 1000",
        "alerts_look_at_what_they_are_named_for",
    ),
    Fault(
        "an alert on the living letters",
        "guard.py",
        'subscription_id="doorbell-dead"',
        'subscription_id="doorbell-push"',
        "alerts_look_at_what_they_are_named_for",
    ),
    Fault(
        "an uptime check of an address with a scheme",
        "guard.py",
        "urlsplit(site_url).netloc",
        "site_url",
        "what_looks_from_outside_looks_at_the_site_and_writes_to_the_operator",
    ),
    Fault(
        "mail to nobody",
        "guard.py",
        '{"email_address": config.guard.email}',
        '{"email": config.guard.email}',
        "what_looks_from_outside_looks_at_the_site_and_writes_to_the_operator",
    ),
    Fault(
        "a regional database in one zone",
        "data.py",
        "wanted.availability.upper()",
        '"ZONAL"',
        "the_database_is_of_the_size_and_in_the_places_that_were_asked_for",
        variant="CDN, replicas, Qdrant",
    ),
    Fault(
        "a disk that grows without end",
        "data.py",
        '"disk_autoresize_limit": wanted.disk_limit_gb',
        '"disk_autoresize_limit": 0',
        "the_database_is_of_the_size_and_in_the_places_that_were_asked_for",
    ),
    Fault(
        "a replica of nothing",
        "data.py",
        "        master_instance_name=primary.name,\n",
        "",
        "the_database_is_of_the_size_and_in_the_places_that_were_asked_for",
        variant="CDN, replicas, Qdrant",
    ),
    Fault(
        "a CDN that caches nothing",
        "edge.py",
        "enable_cdn=True",
        "enable_cdn=False",
        "the_cdn_caches_and_speaks_tls",
        variant="CDN, replicas, Qdrant",
    ),
    Fault(
        "a CDN without TLS",
        "edge.py",
        'port_range="443"',
        'port_range="80"',
        "the_cdn_caches_and_speaks_tls",
        variant="CDN, replicas, Qdrant",
    ),
    Fault(
        "a grant to an account of Google's that may not be there yet",
        "apis.py",
        "self._enabled[api].id.apply(lambda _: value)",
        "pulumi.Output.from_input(value)",
        "googles_accounts_are_granted_something_once_they_are_there",
    ),
    Fault(
        "old secrets that are left behind",
        "data.py",
        'deletion_policy="DELETE"',
        'deletion_policy="ABANDON"',
        "a_replaced_secret_is_not_left_behind_and_billed",
    ),
)


@dataclass
class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Serves the program's modules from text, one of them changed."""

    texts: dict[str, str]
    served: list[str] = field(default_factory=list)

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> importlib.machinery.ModuleSpec | None:
        """Python asks every finder this way; only the name matters here."""
        return importlib.util.spec_from_loader(fullname, self) if fullname in self.texts else None

    def exec_module(self, module: ModuleType) -> None:
        self.served.append(module.__name__)
        exec(compile(self.texts[module.__name__], f"{module.__name__} with a fault", "exec"), module.__dict__)


@contextmanager
def broken(fault: Fault) -> Iterator[_Finder]:
    """The program with this fault is what `infra` imports, until the end of the block."""
    text = (ROOT / "infra" / fault.file).read_text(encoding="utf-8")
    assert text.count(fault.old) == 1, f"{fault.file} holds {text.count(fault.old)} of: {fault.old}"
    names = [path.stem for path in (ROOT / "infra").glob("*.py") if not path.stem.startswith("__")]
    texts = {f"infra.{name}": (ROOT / "infra" / f"{name}.py").read_text(encoding="utf-8") for name in names}
    texts[f"infra.{fault.file.removesuffix('.py')}"] = text.replace(fault.old, fault.new)
    kept = {name: sys.modules.pop(name) for name in list(sys.modules) if name in texts}
    finder = _Finder(texts)
    sys.meta_path.insert(0, finder)
    try:
        yield finder
    finally:
        sys.meta_path.remove(finder)
        for name in texts:
            sys.modules.pop(name, None)
        sys.modules.update(kept)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.what)
def test_the_fault_is_caught(fault: Fault) -> None:
    stack, over = VARIANTS[fault.variant]
    with broken(fault) as finder:
        if fault.refusal:
            with pytest.raises(Exception, match=fault.refusal):
                synthesize(stack, over=over)
            return
        graph = synthesize(stack, over=over)
        assert f"infra.{fault.file.removesuffix('.py')}" in finder.served
        assert BY_NAME[fault.caught_by](graph), "the rule saw nothing"


def test_a_program_served_without_a_fault_is_sound() -> None:
    """The control: serving the program from text changes nothing by itself."""
    with broken(Fault("none", "guard.py", "GAUGES = (", "GAUGES = (")):
        graph = synthesize("prod")
    assert [offence for rule in RULES for offence in rule(graph)] == []


def test_every_rule_has_caught_a_fault() -> None:
    # The engine itself refuses two resources of one name, and there are not six secrets to be had.
    structural = {"every_name_is_used_once", "secrets_stay_within_six_versions"}
    untried = set(BY_NAME) - {fault.caught_by for fault in FAULTS} - structural
    assert not untried
