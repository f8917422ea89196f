"""Every rule holds of every stack, whether it is made or only previewed."""

from __future__ import annotations

import pytest

from tests.infra.conftest import VARIANTS, variant
from tests.infra.policies import RULES, Rule


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_rule_holds(rule: Rule) -> None:
    found = {(name, preview): rule(variant(name, preview)) for name in VARIANTS for preview in (False, True)}
    assert {where: offences for where, offences in found.items() if offences} == {}
