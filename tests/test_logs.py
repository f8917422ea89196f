"""Log lines as Cloud Logging, its metrics and Error Reporting read them; and what must never stand in one."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr, ValidationError

from infra import guard
from service.errors import Broken
from service.settings import ROOT, Settings, child_environment
from service.traces import continued
from tests.written_log import Lines, written_log

KEY, COOKIE = "sk-canary-openai-3fa9", "canary-cookie-key-of-thirty-two-characters"
PASSWORD, ENCODED = "canary/pass:word", "canary%2Fpass%3Aword"
SIGNATURE, TEXT = "canary5ignature0123456789abcdef", "the canary of the coal mine sang at noon"
CANARIES = (KEY, COOKIE, PASSWORD, ENCODED, SIGNATURE, TEXT)
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
log = logging.getLogger("service.canary")


def production(**more: Any) -> Settings:
    given: dict[str, Any] = {
        "environment": "production",
        "log_level": "debug",
        "database_url": f"postgresql://site:{ENCODED}@db/courses",
        "storage_url": "gs://bucket",
        "jobs_url": "cloudrun://a-project/europe-west1",
        "mail_url": f"smtps://mail:{ENCODED}@mail.example.org:465?from=a@example.org",
        "speech": "silent:",
        "openai_api_key": KEY,
        "cookie_keys": f"{COOKIE},another-cookie-key-of-more-than-32-characters",
        "k_service": "site",
        "k_revision": "site-00007-abc",
        **more,
    }
    return Settings(**given)


@pytest.fixture
def written() -> Iterator[Lines]:
    with written_log(production()) as lines:
        yield lines


def test_a_line_says_how_bad_when_where_from_and_in_which_trace(written: Lines) -> None:
    with continued(PARENT):
        log.warning("the %s lane waits", "render")
    line = written.last()
    assert line["severity"] == "WARNING"
    assert line["message"] == "the render lane waits"
    assert line["logger"] == "service.canary"
    assert line["logging.googleapis.com/trace"] == f"projects/a-project/traces/{TRACE}"
    assert line["logging.googleapis.com/spanId"] == "b7ad6b7169203331"
    assert line["logging.googleapis.com/trace_sampled"] is True
    place = line["logging.googleapis.com/sourceLocation"]
    assert place["file"] == __file__
    assert place["function"] == "test_a_line_says_how_bad_when_where_from_and_in_which_trace"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)", line["time"])


def test_a_line_outside_of_any_trace_has_none(written: Lines) -> None:
    log.info("hello")
    assert not [key for key in written.last() if key.startswith("logging.googleapis.com")]


def extracted(line: dict[str, Any], log_filter: str, extractor: str) -> float | None:
    """What a log-based metric takes from the line: its conditions on jsonPayload, then its EXTRACT(…)."""
    for field, value in re.findall(r'jsonPayload\.(\w+)="([^"]*)"', log_filter):
        if line.get(field) != value:
            return None
    (field,) = re.findall(r"EXTRACT\(jsonPayload\.(\w+)\)", extractor)
    found = line.get(field)
    return None if found is None else float(found)


def test_the_metrics_of_the_cloud_find_the_gauges_in_their_line(written: Lines) -> None:
    source = (ROOT / "infra" / "guard.py").read_text(encoding="utf-8")
    (log_filter,) = re.findall(r"filter=f'(\{SITE_LOGS\}[^']*)'", source)
    (extractor,) = re.findall(r'value_extractor=f"([^"]*)"', source)
    assert 'jsonPayload.event="' in log_filter
    numbers = {gauge.field: number + 0.5 for number, gauge in enumerate(guard.GAUGES)}
    log.info("gauges", extra={"event": "gauges", **numbers})
    log.info("gauges")
    named, unnamed = written.all()
    for gauge in guard.GAUGES:
        how = extractor.replace("{gauge.field}", gauge.field)
        assert extracted(named, log_filter, how) == numbers[gauge.field]
        assert extracted(unnamed, log_filter, how) is None
    assert named["message"] == "gauges"


def test_an_exception_is_one_field_that_error_reporting_groups_by(written: Lines) -> None:
    try:
        raise Broken("The model refused.")
    except Broken:
        log.exception("job %s failed unexpectedly", 7)
    line = written.last()
    assert line["severity"] == "ERROR"
    assert line["message"] == "job 7 failed unexpectedly"
    assert line["stack_trace"].startswith("Traceback (most recent call last):\n  File ")
    assert line["stack_trace"].rstrip().endswith("service.errors.Broken: The model refused.")
    assert line["serviceContext"] == {"service": "site", "version": "site-00007-abc"}
    assert len(written.text.splitlines()) == 1


def test_what_nobody_caught_is_a_line_too(written: Lines) -> None:
    thread = threading.Thread(target=lambda: 1 / 0, name="sums")  # type: ignore[arg-type, return-value]
    thread.start()
    thread.join()
    assert written.last()["severity"] == "CRITICAL"
    assert "ZeroDivisionError" in written.last()["stack_trace"]


def test_servers_and_libraries_speak_the_same_shape_but_not_at_length(written: Lines) -> None:
    logging.getLogger("uvicorn.error").info("Started server process [%d]", 7)
    logging.getLogger("openai._base_client").debug("Request options: %s", TEXT)
    logging.getLogger("httpx2").info("HTTP Request: POST https://api.example.org/?sig=%s", SIGNATURE)
    logging.getLogger("renderer_job.work").debug("our own detail")
    assert [line["message"] for line in written.all()] == ["Started server process [7]", "our own detail"]


class Invoice(BaseModel):
    total: int


def validation_error() -> ValidationError:
    with pytest.raises(ValidationError) as caught:
        Invoice.model_validate({"total": TEXT})
    return caught.value


@pytest.mark.parametrize(
    "said",
    [
        f"GET https://storage.googleapis.com/b/o?X-Goog-Date=1&X-Goog-Signature={SIGNATURE}&x=1 failed",
        f"'GET' '/media/video/ab.mp4?expires=1&sig={SIGNATURE}' failed",
        f"sig={SIGNATURE}, X-Goog-Signature={SIGNATURE}",
        f"the header was Authorization: Bearer {SIGNATURE}",
        f"https://x.example.org/join?token={SIGNATURE}",
        f"postgresql://site:{SIGNATURE}@db/courses does not answer",
        f"The voice cannot speak “{TEXT}”: no reason. Change the sentence.",
        f"Incorrect API key provided: {KEY}",
        f"cookies are sealed with {COOKIE}",
        f"the words {PASSWORD} and {ENCODED}",
        f'duplicate key … Key (email)=({TEXT}) already exists.',
    ],
)  # fmt: skip
def test_secrets_and_texts_are_taken_out_of_a_line(written: Lines, said: str) -> None:
    log.error("%s", said)
    log.error("nested", extra={"told": {"what": [said]}})
    try:
        raise Broken(said)
    except Broken:
        log.exception("it failed")
    assert len(written.all()) == 3
    assert not [canary for canary in CANARIES if canary in written.text], written.text


def test_a_rejected_document_is_not_shown_in_its_error(written: Lines) -> None:
    log.error("unforeseen", exc_info=validation_error())
    assert "Input should be a valid integer" in written.last()["stack_trace"]
    assert TEXT not in written.text


def test_ordinary_lines_are_left_alone(written: Lines) -> None:
    for said in (
        "job 0b1c (film) took 12.1 s: done",
        "the lease of job 7 is not renewed: The database does not answer now. Try again in a moment.",
        "course 1 is indexed: 12 passages, words only",
        "worker render-0 ended; it is started again in 2 s",
        "Is it there? Look at https://learn.example.org/courses/7/lessons/2#quiz",
    ):
        log.warning(said)
        assert written.last()["message"] == said


def test_a_laptops_lines_are_for_people(settings: Settings) -> None:
    code = (
        "import logging; from service.logs import configure_logging; from service.settings import load_settings\n"
        "configure_logging(load_settings())\n"
        "logging.getLogger('service.x').warning('filmed %s', 'it', extra={'event': 'filmed', 'wall_seconds': 2.5})\n"
        "logging.getLogger('service.x').warning('mail: https://x/join?token=abcdefghij and sk-canary')\n"
    )
    environment = child_environment(settings.model_copy(update={"openai_api_key": SecretStr("sk-canary")}))
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "filmed it" in done.stderr
    assert "wall_seconds=2.5" in done.stderr
    assert "token=abcdefghij" in done.stderr
    assert "sk-canary" not in done.stderr
