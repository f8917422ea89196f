"""docs/deploy.md against the program: what it promises, lists and admits."""

from __future__ import annotations

import re

import pytest

from infra.compute import ALIVE_PATH, READY_PATH
from infra.guard import DEAD_LETTERS, GAUGES, SITE_ERRORS, UPTIME_PATH
from infra.messaging import BUDGET_PATH, PUSH_PATH, SWEEP_PATH
from infra.stack_config import SECRET_KEYS, Group, StackConfig
from service.settings import ROOT
from service.web.policy import POLICY
from tests.infra.test_mutations import FAULTS

PAGE = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
CALLED = (READY_PATH, ALIVE_PATH, UPTIME_PATH, PUSH_PATH, BUDGET_PATH, SWEEP_PATH)
NOT_YET = PAGE.partition("### Not yet answered by the site")[2].partition("\n## ")[0]


@pytest.mark.parametrize("path", CALLED)
def test_every_path_that_the_cloud_calls_is_answered_or_admitted(path: str) -> None:
    """And the other way round: what the site has learnt to answer is no longer admitted."""
    answered = any(rule.pattern.match(path) and "{path" not in rule.path for rule in POLICY)
    admitted = f"`{path}`" in NOT_YET
    assert answered != admitted, f"{path} is answered: {answered}, listed as not yet answered: {admitted}"


def keys(group: type[Group], prefix: str = "") -> list[str]:
    found = []
    for name, field in group.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, Group):
            found += keys(inner, f"{prefix}{name}.")
        else:
            found.append(name)
    return found


def test_every_setting_of_the_stack_is_on_the_page() -> None:
    assert not [
        name for name in {*keys(StackConfig), *SECRET_KEYS.values()} - {"project", "region"} if f"`{name}`" not in PAGE
    ]


def test_every_alert_has_its_row() -> None:
    alarming = [gauge.field.replace("_", "-") for gauge in GAUGES if gauge.above is not None]
    names = {*alarming} | {SITE_ERRORS.name, DEAD_LETTERS.name, "site-down"}
    rows = set(re.findall(r"^\| `([a-z-]+)` \|", PAGE.partition("## Alerts")[2].partition("\n## ")[0], re.MULTILINE))
    assert rows == names


def test_the_page_counts_the_planted_faults_honestly() -> None:
    assert len(FAULTS) >= int(re.search(r"(\d+) and more planted", PAGE)[1])  # type: ignore[index]
