"""Every rule holds of every stack, whether it is made or only previewed."""

from __future__ import annotations

import pytest

from tests.infra.graph import Graph
from tests.infra.policies import RULES, Rule


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_rule_holds(rule: Rule, graph: Graph) -> None:
    assert rule(graph) == []
