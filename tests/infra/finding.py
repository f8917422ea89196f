"""How rules find their way in a graph, and the list of the rules.

None of them looks at a value that a preview does not know; relations are read from what a property depends on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tests.infra.graph import Graph, Node

Rule = Callable[[Graph], list[str]]
RULES: list[Rule] = []
MEMBERS = ("IAMMember", "IamMember")


def rule(check: Rule) -> Rule:
    RULES.append(check)
    return check


def grants(graph: Graph) -> list[Node]:
    return [node for node in graph.nodes if node.kind.endswith(MEMBERS)]


def who(graph: Graph, node: Node, of: str = "member") -> set[str]:
    """The service accounts that a property depends on, by their role's name."""
    return graph.named(node.of_property.get(of, frozenset()), "serviceaccount:Account")


def containers(graph: Graph) -> Iterator[tuple[Node, dict[str, Any], dict[str, Any]]]:
    """Each service and job with its innermost template and its one container."""
    for node in graph.of("cloudrunv2:Service", "cloudrunv2:Job"):
        template = node.inputs["template"]
        template = template.get("template", template)
        yield node, template, template["containers"][0]


def runs_as(graph: Graph, node: Node) -> set[str]:
    return who(graph, node, "template") if "template" in node.of_property else set()


def environment_of(graph: Graph, name: str) -> dict[str, Any]:
    """One container's environment: a value, or the secret it is read from."""
    [(_, _, container)] = [found for found in containers(graph) if found[0].name == name]
    return {
        one["name"]: one.get("value", one.get("valueSource", {}).get("secretKeyRef", {}).get("secret"))
        for one in container["envs"]
    }
