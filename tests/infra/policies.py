"""Every rule there is; `test_policies.py` runs them over the real stacks, `test_mutations.py` over broken ones."""

from __future__ import annotations

from tests.infra import (
    rules_access,
    rules_around,
    rules_data,
    rules_names,
    rules_places,
    rules_queries,
    rules_running,
    rules_values,
)
from tests.infra.finding import RULES, Rule

GROUPS = (rules_access, rules_data, rules_running, rules_around, rules_values, rules_names, rules_places, rules_queries)

__all__ = ["GROUPS", "RULES", "Rule"]
