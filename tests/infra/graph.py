"""The stack's resource graph without an engine: every registered resource with its inputs and its options.

Pulumi's mocks show a program's inputs but neither its options nor its mistakes: they take any key and any type. So the
monitor keeps each whole registration, and relations are read from the addresses of what a property depends on, which
holds at preview too, where e-mails and addresses are not known yet.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

import pulumi
import yaml
from pulumi.runtime import mocks, rpc, settings

from infra.stack_config import StackConfig
from service.settings import ROOT

PROJECT_NUMBER = "123456789012"
PLACEHOLDER_SECRETS = {
    "coursewright:cookieKeys": "a-cookie-key-for-tests",
    "coursewright:mailUrl": "smtps://user:word@mail.test:465",
    "coursewright:openaiKey": "an-openai-key-for-tests",
    "coursewright:vectorsKey": "a-qdrant-key-for-tests",
    "coursewright:githubToken": "a-github-token-for-tests",
}

# What the provider computes; at the preview of a new stack nobody knows it yet.
COMPUTED: Mapping[str, Mapping[str, str]] = {
    "gcp:serviceaccount/account:Account": {
        "email": "{accountId}@{project}.iam.gserviceaccount.com",
        "member": "serviceAccount:{accountId}@{project}.iam.gserviceaccount.com",
        "name": "projects/{project}/serviceAccounts/{accountId}@{project}.iam.gserviceaccount.com",
    },
    "gcp:sql/databaseInstance:DatabaseInstance": {"connectionName": "{project}:{region}:database-1a2b3c4"},
    "gcp:projects/serviceIdentity:ServiceIdentity": {"member": "serviceAccount:service-1@gcp-sa-pubsub.example"},
    "gcp:iam/workloadIdentityPool:WorkloadIdentityPool": {
        "name": "projects/" + PROJECT_NUMBER + "/locations/global/workloadIdentityPools/{workloadIdentityPoolId}"
    },
    "gcp:secretmanager/secretVersion:SecretVersion": {"name": "{secret}/versions/1"},
    "gcp:monitoring/uptimeCheckConfig:UptimeCheckConfig": {"uptimeCheckId": "front-page-1"},
    "gcp:monitoring/notificationChannel:NotificationChannel": {"name": "projects/{project}/notificationChannels/1"},
    "gcp:compute/backendBucket:BackendBucket": {"selfLink": "backend"},
    "gcp:compute/globalAddress:GlobalAddress": {"address": "203.0.113.7"},
    "gcp:compute/managedSslCertificate:ManagedSslCertificate": {"selfLink": "certificate"},
    "gcp:compute/uRLMap:URLMap": {"selfLink": "routes"},
    "gcp:compute/targetHttpsProxy:TargetHttpsProxy": {"selfLink": "proxy"},
}


@dataclass(frozen=True)
class Node:
    """One registration: `waits_for` holds every dependency's address, `of_property` those of each input."""

    kind: str
    name: str
    urn: str
    inputs: Mapping[str, Any]
    waits_for: frozenset[str]
    of_property: Mapping[str, frozenset[str]]
    ignored: tuple[str, ...]
    protected: bool
    parent: str
    custom: bool

    @property
    def label(self) -> str:
        return f"{self.kind.rsplit(':', 1)[1]} {self.name}"


@dataclass
class Graph:
    """What one run of the program asked for."""

    config: StackConfig
    stack: str
    preview: bool
    nodes: list[Node]
    outputs: dict[str, Any] = field(default_factory=dict)

    def of(self, *kinds: str) -> list[Node]:
        """The resources of these kinds, given as `module:Class`, such as `sql:User`."""
        return [node for node in self.nodes if short(node.kind) in kinds]

    def one(self, kind: str, name: str) -> Node:
        found = [node for node in self.of(kind) if node.name == name]
        assert len(found) == 1, f"{len(found)} resources are {kind} {name}"
        return found[0]

    @cached_property
    def by_urn(self) -> dict[str, Node]:
        return {node.urn: node for node in self.nodes}

    def after(self, node: Node) -> set[str]:
        """The addresses of everything that exists before this node, over all steps."""
        seen: set[str] = set()
        to_see = [node.urn]
        while to_see:
            for urn in self.by_urn[to_see.pop()].waits_for:
                if urn in self.by_urn and urn not in seen:
                    seen.add(urn)
                    to_see.append(urn)
        return seen

    def named(self, urns: frozenset[str] | set[str], kind: str) -> set[str]:
        """The names of those addresses that are of this kind."""
        return {node.name for urn in urns if (node := self.by_urn.get(urn)) and short(node.kind) == kind}

    def text(self, value: object) -> str:
        return json.dumps(value, default=str, sort_keys=True)


def short(kind: str) -> str:
    """`gcp:sql/user:User` → `sql:User`."""
    package, module, name = kind.split(":")
    return f"{module.split('/')[0]}:{name}" if package == "gcp" else f"{package}:{name}"


class _Monitor(mocks.MockMonitor):
    def __init__(self, answers: mocks.Mocks) -> None:
        super().__init__(answers)
        self.seen: list[Node] = []

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the engine's own name
        response = super().RegisterResource(request)
        if request.type != "pulumi:pulumi:Stack":
            node = Node(
                kind=request.type,
                name=request.name,
                urn=response.urn,
                inputs=rpc.deserialize_properties(request.object),
                waits_for=frozenset(request.dependencies),
                of_property={key: frozenset(value.urns) for key, value in request.propertyDependencies.items()},
                ignored=tuple(request.ignoreChanges),
                protected=bool(request.protect),
                parent=request.parent,
                custom=request.custom,
            )
            self.seen.append(node)
        return response


class _Answers(mocks.Mocks):
    def __init__(self, preview: bool) -> None:
        self._preview = preview

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        known = {"name": args.name, **{k: v for k, v in args.inputs.items() if isinstance(v, str)}}
        state = {"name": args.name, **args.inputs}
        for key, shape in COMPUTED.get(args.typ, {}).items():
            state[key] = rpc.UNKNOWN if self._preview else shape.format_map(_Lenient(known))
        return ("" if self._preview else f"{args.name}-id"), state

    def call(self, args: mocks.MockCallArgs) -> dict[str, Any]:
        assert args.token == "gcp:organizations/getProject:getProject", f"nobody answers {args.token} here"
        return {"number": PROJECT_NUMBER, "projectId": args.args["projectId"]}


class _Lenient(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return key


def configuration(stack: str, over: Mapping[str, object] | None = None) -> dict[str, str]:
    """`Pulumi.<stack>.yaml` as the engine hands it over: objects as JSON, everything else as text."""
    file = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"))["config"]
    merged = file | PLACEHOLDER_SECRETS | dict(over or {})
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in merged.items()}


def synthesize(stack: str, *, preview: bool = False, over: Mapping[str, object] | None = None) -> Graph:
    """Run the program, as it is importable now, like `pulumi up` or `pulumi preview` would on an empty project.

    In a thread, for its short stack: Pulumi notes with every resource by which calls it was made, down to the bottom,
    and below the sixty of a test that took a third of the time.
    """
    with ThreadPoolExecutor(1) as aside:
        return aside.submit(_synthesized, stack, preview, over).result()


def _synthesized(stack: str, preview: bool, over: Mapping[str, object] | None) -> Graph:
    with own_loop(), _uncollected():
        return _run(stack, preview, over)


def _run(stack: str, preview: bool, over: Mapping[str, object] | None) -> Graph:
    program = importlib.import_module("infra.stack")
    reader = importlib.import_module("infra.stack_config")
    monitor = _Monitor(answers := _Answers(preview))
    settings.set_root_resource(None)  # otherwise the first run's root would be kept for all
    mocks.set_mocks(answers, project="coursewright", stack=stack, preview=preview, monitor=monitor)
    pulumi.runtime.set_all_config(configuration(stack, over), list(PLACEHOLDER_SECRETS))
    graph = Graph(reader.load_config(refuse_placeholders=False), stack, preview, monitor.seen)

    @mocks.test
    def run() -> Any:
        outputs = program.build(graph.config)

        async def collect() -> None:
            for name, value in outputs.items():
                output = pulumi.Output.from_input(value)
                graph.outputs[name] = await output.future() if await output.is_known() else rpc.UNKNOWN

        return collect()

    run()
    return graph


@cache
def _keep_what_is_loaded(modules: int) -> None:
    """Once for each number of modules: the program loads some of the provider's only when it first asks."""
    assert modules
    gc.collect()
    gc.freeze()


@contextmanager
def _uncollected() -> Iterator[None]:
    """The provider's modules are half a million objects, loaded when the program first asks for them. While it makes
    more, Python would walk them all again and again: a third of its time. Nothing of a run is worth collecting before
    its end, and what was loaded is never looked at again.
    """
    gc.disable()
    try:
        yield
    finally:
        _keep_what_is_loaded(len(sys.modules))
        gc.enable()


class _Loop(asyncio.SelectorEventLoop):
    """Has the monitor answered where it is asked: an engine would take its time elsewhere, this one is a function."""

    def run_in_executor(self, executor: Executor | None, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:  # noqa: ARG002
        answer = self.create_future()
        answer.set_result(func(*args))
        return answer


@contextmanager
def own_loop() -> Iterator[None]:
    """An event loop for one run of the program. Each holds three open files, and a user may have no more than 1,024."""
    loop = _Loop()
    asyncio.set_event_loop(loop)
    try:
        yield
    finally:
        loop.close()
        asyncio.set_event_loop(None)
