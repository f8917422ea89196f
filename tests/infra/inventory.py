"""Takes the inventory of a stack: how many of each kind, and the values that people ask about."""

from __future__ import annotations

from collections import Counter
from typing import Any

import yaml

from service.settings import ROOT
from tests.infra.finding import containers
from tests.infra.graph import Graph, short, synthesize

FOLDER = ROOT / "tests" / "infra" / "inventories"


def taken(graph: Graph) -> dict[str, Any]:
    """The inventory, of values that a preview knows too."""
    database = graph.one("sql:DatabaseInstance", "database").inputs
    return {
        "count": len(graph.nodes),
        "kinds": dict(sorted(Counter(short(node.kind) for node in graph.nodes).items())),
        "apis": sorted(node.inputs["service"].split(".")[0] for node in graph.of("projects:Service")),
        "grants": sorted(
            f"{node.name.partition('-')[0]}: {node.inputs['role'].removeprefix('roles/')}"
            f" on {node.name.rpartition('-on-')[2]}"
            for node in graph.nodes
            if node.kind.endswith(("IAMMember", "IamMember"))
        ),
        "database": {key: database["settings"][key] for key in ("tier", "edition", "availabilityType", "diskType")},
        "containers": {
            node.name: {
                "limits": container["resources"]["limits"],
                "variables": [one["name"] for one in container["envs"]],
                "secrets": sorted(one["name"] for one in container["envs"] if "valueSource" in one),
            }
            for node, _, container in sorted(containers(graph), key=lambda found: found[0].name)
        },
        "outputs": sorted(graph.outputs),
    }


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for stack in ("prod", "dev"):
        text = yaml.safe_dump(taken(synthesize(stack)), sort_keys=False, width=110)
        (FOLDER / f"{stack}.yaml").write_text(text, encoding="utf-8")
