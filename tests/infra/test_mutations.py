"""Each planted fault turns the rule red that is there for it: a rule that catches nothing proves nothing."""

from __future__ import annotations

import pytest

from tests.infra import (
    faults_access,
    faults_around,
    faults_data,
    faults_names,
    faults_places,
    faults_running,
    faults_values,
)
from tests.infra.conftest import VARIANTS
from tests.infra.graph import synthesize
from tests.infra.planting import Fault, broken
from tests.infra.policies import RULES

BY_NAME = {rule.__name__: rule for rule in RULES}
GROUPS = (faults_access, faults_data, faults_running, faults_around, faults_values, faults_places, faults_names)
FAULTS: tuple[Fault, ...] = tuple(fault for group in GROUPS for fault in group.FAULTS)


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
