"""The configuration refuses what cannot work, and every refusal says what to do."""

from __future__ import annotations

from pathlib import Path

import pulumi
import pytest
import yaml

from infra import stack_file
from infra.cost import refuse_paid_lines
from infra.stack_config import LEAST_TASK_SECONDS, BadConfig, StackConfig, load_config, secret_value
from service.settings import ROOT, Settings
from tests.infra.graph import PLACEHOLDER_SECRETS, configuration


def loaded(stack: str = "dev", *, strict: bool = False, **over: object) -> StackConfig:
    given = {f"coursewright:{key}" if ":" not in key else key: value for key, value in over.items()}
    pulumi.runtime.set_all_config(configuration(stack, given), list(PLACEHOLDER_SECRETS))
    return load_config(refuse_placeholders=strict)


@pytest.mark.parametrize(
    ("over", "said"),
    [
        ({"site": {"timeout_seconds": 3600}}, "coursewright:site.timeout_seconds: .*1800.*pulumi config set --path"),
        ({"site": {"max_instance": 3}}, "coursewright:site.max_instance: "),
        ({"site": {"cpu": 3}}, "coursewright:site.cpu: "),
        ({"site": {"max_instances": 9}}, "42 database connections and db-f1-micro takes 25"),
        ({"databse": {"tier": "db-f1-micro"}}, "coursewright:databse is not a setting.*pulumi config rm"),
        ({"database": {"tier": "db-n1-standard-1"}}, "coursewright:database.tier: .*db-custom-CPUS-MIB"),
        ({"database": {"tier": "db-custom-3-7680"}}, "even number up to 96, not 3"),
        ({"database": {"tier": "db-custom-0-3840"}}, "even number up to 96, not 0"),
        ({"database": {"tier": "db-custom-1-2048"}}, "takes 3840 to 6656 MiB in steps of 256, not 2048"),
        ({"database": {"tier": "db-custom-2-7681"}}, "in steps of 256, not 7681"),
        ({"database": {"tier": "db-custom-8-7168"}}, "takes 7424 to 53248 MiB"),
        ({"database": {"tier": "db-custom-2-99840"}}, "takes 3840 to 13312 MiB"),
        ({"site": {"signup": "closed"}}, "coursewright:site.signup: .*'open' or 'invite'"),
        ({"guard": {"billing_account": "01AB23-01AB23-01AB23"}}, "gcp:userProjectOverride true; .*gcp:billingProject"),
        ({"database": {"availability": "regional"}}, "point_in_time_recovery: true"),
        ({"database": {"disk_gb": 100}}, "disk_limit_gb is smaller"),
        ({"media": {"access": "cdn"}}, "needs a domain"),
        ({"media": {"access": "open"}}, "coursewright:media.access"),
        ({"jobs": {"render": {"memory_mib": 1024, "scratch_mib": 1024}}}, "scratch lives in memory"),
        ({"site": {"memory_mib": 8192}}, "coursewright:site: .*needs 2 processors"),
        ({"jobs": {"author": {"memory_mib": 16384}}}, "coursewright:jobs.author: .*needs 4 processors"),
        ({"jobs": {"render": {"cpu": 8, "memory_mib": 2048}}}, "cpu 8 needs 4096 MiB"),
        ({"jobs": {"render": {"timeout_seconds": 900}}}, "coursewright:jobs.render.timeout_seconds: .*1200"),
        ({"delivery": {"repository": "a/b"}}, "needs installation_id"),
        ({"delivery": {"github_actions": True}}, "needs repository"),
        ({"guard": {"billing_account": "abc"}}, "coursewright:guard.billing_account"),
        ({"models": {"vectors_url": "http://insecure"}}, "coursewright:models.vectors_url"),
        ({"gcp:project": "Bad_Project"}, "gcp:project: .*pulumi config set gcp:project"),
    ],
    ids=str,
)
def test_a_configuration_that_cannot_work_is_refused(over: dict[str, object], said: str) -> None:
    with pytest.raises(BadConfig, match=said):
        loaded(**over)


def test_placeholders_of_the_committed_file_are_refused_when_it_matters() -> None:
    assert loaded("prod").project == "replace-me-prod"
    with pytest.raises(BadConfig, match=r"gcp:project still holds a placeholder.*pulumi config set gcp:project"):
        loaded("prod", strict=True)


def test_a_placeholder_within_a_group_is_named_with_the_command_that_keeps_the_group() -> None:
    mine = {"gcp:project": "some-project", "gcp:billingProject": "some-project"}
    with pytest.raises(BadConfig, match=r"config set --path coursewright:delivery\.repository VALUE"):
        loaded("prod", strict=True, **mine)


def test_a_number_that_stands_for_yours_is_a_placeholder_too() -> None:
    mine = {
        "gcp:project": "some-project",
        "gcp:billingProject": "some-project",
        "delivery": {"repository": "someone/courses", "installation_id": 1},
        "guard": {"billing_account": "01AB23-01AB23-01AB23", "email": "alerts@courses.test"},
    }
    with pytest.raises(BadConfig, match=r"delivery\.installation_id still holds a placeholder"):
        loaded("prod", strict=True, **mine)
    mine["delivery"] = {"repository": "someone/courses", "installation_id": 51234567}
    assert loaded("prod", strict=True, **mine).delivery.second_generation


@pytest.mark.parametrize(
    ("stack", "secrets"),
    [("prod", ["cookieKeys", "mailUrl", "openaiKey", "githubToken"]), ("dev", ["cookieKeys", "mailUrl"])],
)
def test_the_file_alone_says_which_secrets_are_needed(
    stack: str, secrets: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """`scripts/deploy` asks for these, and for no other."""
    assert stack_file.main([stack]) == 0
    assert capsys.readouterr().out.split() == secrets


def test_a_secret_that_only_a_default_asks_for_is_needed_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given: dict[str, object] = {"gcp:project": "some-project", "gcp:region": "us-central1"}
    given["coursewright:delivery"] = {"repository": "a/b", "installation_id": 7}  # `second-generation` is not written
    (tmp_path / "Pulumi.mine.yaml").write_text(yaml.safe_dump({"config": given}), encoding="utf-8")
    assert stack_file.main(["mine"], tmp_path) == 0
    assert "githubToken" in capsys.readouterr().out.split()
    del given["gcp:region"]
    (tmp_path / "Pulumi.mine.yaml").write_text(yaml.safe_dump({"config": given}), encoding="utf-8")
    assert stack_file.main(["mine"], tmp_path) == 2
    assert "gcp:region: " in capsys.readouterr().err


def test_a_task_is_longer_than_its_longest_step() -> None:
    """It gives its job back 20 s before its end; a step that never fits would be begun again for ever."""
    assert Settings.model_fields["step_deadline_seconds"].default + 20 + 60 < LEAST_TASK_SECONDS


def test_a_missing_secret_says_how_to_set_it() -> None:
    loaded("prod")
    pulumi.runtime.set_all_config({"gcp:project": "some-project", "gcp:region": "us-central1"})
    with pytest.raises(BadConfig, match="pulumi config set --secret coursewright:cookieKeys"):
        secret_value("cookie-keys")


@pytest.mark.parametrize(
    ("over", "said"),
    [
        ({"guard": {"alerts": True}}, "alerts would cost 0.70"),
        (
            {"media": {"access": "cdn", "domain": "m.test"}, "guard": {"alerts": False}},
            "load balancer would cost 18.25",
        ),
        ({"site": {"min_instances": 1, "max_instances": 2}, "guard": {"alerts": False}}, "site kept warm, processor"),
        ({"gcp:region": "europe-west1", "guard": {"alerts": False}}, "content would cost"),
        ({"delivery": {"image_versions_kept": 1}, "guard": {"alerts": False}}, "images would cost"),
    ],
    ids=str,
)
def test_a_strict_stack_refuses_what_leaves_the_free_tier(over: dict[str, object], said: str) -> None:
    with pytest.raises(BadConfig, match=said):
        refuse_paid_lines(loaded(**over))


def test_the_strict_stack_as_committed_is_free_but_for_its_database() -> None:
    config = loaded()
    assert config.free_tier == "strict"
    refuse_paid_lines(config)


@pytest.mark.parametrize("stack", ["prod", "dev"])
def test_the_committed_file_keeps_secrets_out(stack: str) -> None:
    """Encrypted ones may stand in it; plain ones never."""
    given = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"))["config"]
    plain = [key for key in PLACEHOLDER_SECRETS if key in given and set(given[key]) != {"secure"}]
    assert not plain


@pytest.mark.parametrize(
    ("tier", "connections"),
    [
        ("db-f1-micro", 25),
        ("db-g1-small", 50),
        ("db-custom-1-3840", 100),
        ("db-custom-2-7680", 400),
        ("db-custom-8-30720", 600),
    ],
)
def test_a_tier_takes_as_many_connections_as_cloud_sql_gives_it(tier: str, connections: int) -> None:
    assert loaded(database={"tier": tier}).database.connections == connections
