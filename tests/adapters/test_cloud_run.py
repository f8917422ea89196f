"""The Cloud Run launcher with Google's own client against a server of real HTTP: one call, never a second one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from service.adapters.cloud_run import CloudRunLauncher, open_cloud_run
from service.errors import BadInput, Broken, Throttled, Unavailable
from service.settings import Settings
from tests.adapters.cloud_run_server import CloudRun, Mode, serve_cloud_run


@pytest.fixture
def cloud() -> Iterator[CloudRun]:
    with serve_cloud_run() as cloud:
        yield cloud


@pytest.fixture
def launcher(cloud: CloudRun, settings: Settings) -> Iterator[CloudRunLauncher]:
    url = f"cloudrun://a-project/europe-west1?endpoint={cloud.endpoint}"
    launcher = open_cloud_run(settings.model_copy(update={"jobs_url": url}))
    yield launcher
    launcher.close()


def test_a_start_overrides_the_number_of_tasks_and_nothing_else(launcher: CloudRunLauncher, cloud: CloudRun) -> None:
    assert launcher.launch("render", 3) == "render-00000"
    job = "projects/a-project/locations/europe-west1/jobs/render"
    assert cloud.executions == [(f"{job}/executions/render-00000", "render", 3)]
    assert cloud.bodies == [{"overrides": {"taskCount": 3}}]


def test_a_start_does_not_wait_for_the_execution_to_end(launcher: CloudRunLauncher, cloud: CloudRun) -> None:
    launcher.launch("author")
    assert cloud.calls == ["author:run"]  # nobody asked how the operation goes


@pytest.mark.parametrize("mode", ["error after accept", "garbage after accept"])
def test_an_answer_that_does_not_tell_is_not_asked_for_again(
    launcher: CloudRunLauncher, cloud: CloudRun, mode: Mode
) -> None:
    cloud.mode = mode
    with pytest.raises(Unavailable) as caught:
        launcher.launch("author")
    assert not isinstance(caught.value, Throttled)
    assert len(cloud.executions) == 1


def test_a_start_that_nobody_answers_is_given_up_in_time_and_not_repeated(cloud: CloudRun) -> None:
    cloud.mode = "hang after accept"
    hasty = CloudRunLauncher("a-project", "europe-west1", endpoint=cloud.endpoint, timeout_seconds=0.3)
    with pytest.raises(Unavailable):
        hasty.launch("author")
    hasty.close()
    assert len(cloud.executions) == 1


def test_too_many_starts_say_when_to_come_back(launcher: CloudRunLauncher, cloud: CloudRun) -> None:
    cloud.mode = "429"
    with pytest.raises(Throttled) as caught:
        launcher.launch("author")
    assert caught.value.after_seconds == 7.0
    assert cloud.executions == []


@pytest.mark.parametrize(("mode", "way_out"), [("403", "jobsExecutorWithOverrides"), ("404", "pulumi up")])
def test_a_refusal_that_no_retry_mends_says_the_way_out(
    launcher: CloudRunLauncher, cloud: CloudRun, mode: Mode, way_out: str
) -> None:
    cloud.mode = mode
    with pytest.raises(Broken, match=way_out):
        launcher.launch("author")
    assert cloud.executions == []


def test_nobody_listening_is_unavailable_and_passes(launcher: CloudRunLauncher, cloud: CloudRun) -> None:
    lost = CloudRunLauncher("a-project", "europe-west1", endpoint="http://127.0.0.1:9")
    with pytest.raises(Unavailable):
        lost.launch("author")
    lost.close()
    cloud.mode = "error after accept"
    with pytest.raises(Unavailable):
        launcher.launch("author")
    cloud.mode = "ok"
    assert launcher.launch("author") == "author-00001"


def test_a_closed_launcher_opens_again(launcher: CloudRunLauncher) -> None:
    launcher.launch("author")
    launcher.close()
    assert launcher.launch("author") == "author-00001"


def test_it_tells_what_may_not_be_done(launcher: CloudRunLauncher, cloud: CloudRun) -> None:
    assert launcher.missing_permissions("author") == []
    cloud.permissions = ("run.jobs.run",)
    assert launcher.missing_permissions("author") == ["run.jobs.runWithOverrides"]


@pytest.mark.parametrize(
    "url", ["cloudrun://project", "cloudrun:///region", "cloudrun://p/r/more", "cloudrun://p/r?x=1"]
)
def test_an_address_that_cannot_be_used_says_its_form(settings: Settings, url: str) -> None:
    with pytest.raises(BadInput, match="cloudrun://PROJECT/REGION"):
        open_cloud_run(settings.model_copy(update={"jobs_url": url}))


def test_production_calls_cloud_run_itself(settings: Settings) -> None:
    url = "cloudrun://p/r?endpoint=http://127.0.0.1:1"
    with pytest.raises(BadInput, match="endpoint"):
        open_cloud_run(settings.model_copy(update={"jobs_url": url, "environment": "production"}))
