"""Faults in what must not be lost or read by others; `rules_data.py` must notice them."""

from __future__ import annotations

from tests.infra.planting import Fault

FAULTS = (
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
        "no backups",
        "data.py",
        '"backup_configuration": {\n            "enabled": True,',
        '"backup_configuration": {\n            "enabled": False,',
        "the_database_is_backed_up",
    ),
    Fault(
        "a day to notice what a week is promised for",
        "data.py",
        '"transaction_log_retention_days": 7',
        '"transaction_log_retention_days": 1',
        "the_database_is_backed_up",
    ),
    Fault(
        "a secret that cannot be replaced",
        "environment.py",
        '"version": "latest"',
        '"version": "1"',
        "secrets_are_read_in_their_newest_version",
    ),
    Fault(
        "the database can be deleted by a slip",
        "data.py",
        "settings=_instance_settings(config, deletion_protection=config.protect),",
        "settings=_instance_settings(config, deletion_protection=False),",
        "what_must_not_be_lost_is_protected_twice",
        variant="prod",
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
        "a site that the engine would delete",
        "compute.py",
        "also=ground.ready, protect=config.protect, ignore_changes=SITE_IGNORES",
        "also=ground.ready, ignore_changes=SITE_IGNORES",
        "what_must_not_be_lost_is_protected_twice",
        variant="prod",
    ),
    Fault(
        "players that may write and not read",
        "data.py",
        '"methods": ["GET", "HEAD"]',
        '"methods": ["PUT"]',
        "players_may_read_ranges_from_the_site_alone",
    ),
    Fault(
        "backups at an hour that no day has",
        "data.py",
        '"start_time": "03:00"',
        '"start_time": "25:00"',
        "the_database_is_backed_up",
    ),
)
