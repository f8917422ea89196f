"""The doctor asks the cloud's parts without changing them, in bounded time, and says how to mend each."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
import pytest
from google.iam.v1.iam_policy_pb2 import TestIamPermissionsRequest as Asked
from google.iam.v1.iam_policy_pb2 import TestIamPermissionsResponse as Held

from service.commands import doctor, doctor_cloud
from service.commands.doctor_cloud import findings_of_cloud
from service.commands.findings import Finding, show
from service.settings import Settings
from tests.adapters.cloud_run_server import CloudRun, serve_cloud_run
from tests.web.service_tokens import Issuer, serve_issuer


@pytest.fixture
def cloud() -> Iterator[CloudRun]:
    with serve_cloud_run() as cloud:
        yield cloud


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with serve_issuer() as issuer:
        yield issuer


@pytest.fixture
def in_cloud(settings: Settings, cloud: CloudRun, issuer: Issuer) -> Settings:
    changes = {"jobs_url": f"cloudrun://a-project/europe-west1?endpoint={cloud.endpoint}", **issuer.settings()}
    return settings.model_copy(update=changes)


def found(settings: Settings, **given: Any) -> dict[str, Finding]:
    return {finding.part: finding for finding in findings_of_cloud(settings, **given)}


def test_what_a_laptop_uses_is_named_with_what_the_cloud_wants(settings: Settings) -> None:
    answers = found(settings)
    assert not any(answer.works for answer in answers.values())
    assert "gs://BUCKET" in answers["storage"].says
    assert "cloudrun://PROJECT/REGION" in answers["job render"].says
    assert "PUBLIC_URL is empty" in answers["callers"].says


def test_jobs_that_may_be_started_and_tokens_that_can_be_verified(in_cloud: Settings, cloud: CloudRun) -> None:
    answers = found(in_cloud)
    assert answers["job author"].works
    assert answers["job render"].works
    assert answers["callers"].works
    assert cloud.executions == []


def test_a_missing_permission_comes_with_the_role_that_has_it(in_cloud: Settings, cloud: CloudRun) -> None:
    cloud.permissions = ("run.jobs.run",)
    answer = found(in_cloud)["job author"]
    assert not answer.works
    assert "run.jobs.runWithOverrides" in answer.says
    assert "roles/run.jobsExecutorWithOverrides" in answer.says


def test_a_missing_job_and_missing_keys_are_told(in_cloud: Settings, cloud: CloudRun, issuer: Issuer) -> None:
    cloud.mode, issuer.status = "404", 500
    answers = found(in_cloud)
    assert "pulumi up" in answers["job author"].says
    assert "keys" in answers["callers"].says


def test_a_database_is_signed_in_to(settings: Settings) -> None:
    says = doctor_cloud._database(settings)
    assert "signed in as" in says
    assert "up to date" in says


def test_a_part_that_never_answers_is_given_up(in_cloud: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    never = threading.Event()
    silent = doctor_cloud.Check("silence", "jobs_url", "cloudrun", "", lambda _: str(never.wait(60)))
    monkeypatch.setattr(doctor_cloud, "CHECKS", (silent,))
    assert found(in_cloud, patience_seconds=0.2)["silence"] == Finding("silence", False, doctor_cloud.LATE)
    never.set()


@contextmanager
def topics(held: tuple[str, ...], there: bool = True) -> Iterator[str]:
    """A Pub/Sub that only answers who may do what."""

    def answer(request: Asked, context: grpc.ServicerContext) -> Held:
        if not there:
            context.abort(grpc.StatusCode.NOT_FOUND, "Resource not found (resource=doorbell).")
        return Held(permissions=[one for one in request.permissions if one in held])

    handler = grpc.unary_unary_rpc_method_handler(answer, Asked.FromString, Held.SerializeToString)
    server = grpc.server(ThreadPoolExecutor(2))
    methods = {"TestIamPermissions": handler}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("google.iam.v1.IAMPolicy", methods),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait(10)


@pytest.mark.parametrize(
    ("held", "there", "works", "says"),
    [
        (("pubsub.topics.publish",), True, True, "may be rung"),
        ((), True, False, "roles/pubsub.publisher"),
        ((), False, False, "pulumi up"),
    ],
)
def test_the_topic_is_asked_whether_it_may_be_rung(
    in_cloud: Settings, monkeypatch: pytest.MonkeyPatch, held: tuple[str, ...], there: bool, works: bool, says: str
) -> None:
    with topics(held, there) as address:
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", address)
        answer = found(in_cloud.model_copy(update={"queue_url": "pubsub://a-project/doorbell"}))["doorbell"]
    assert answer.works is works
    assert says in answer.says


def test_something_needed_that_is_missing_is_an_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert show([Finding("a", True, "fine"), Finding("b", False, "a nicety", needed=False)]) == 0
    assert show([Finding("a", False, "gone")]) == 1
    assert "gone" in capsys.readouterr().out


def test_the_doctor_of_a_laptop_asks_no_cloud(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "load_settings", lambda: settings)
    doctor.main([])
    assert "PostgreSQL" in capsys.readouterr().out
    assert doctor.main(["--cloud"]) == 1
    assert "job author" in capsys.readouterr().out
