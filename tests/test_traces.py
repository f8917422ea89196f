"""A course's trace: what is recorded, what leaves, and that one trace id goes from the request into the jobs."""

from __future__ import annotations

import pytest
from opentelemetry import trace
from opentelemetry.trace import SpanKind

from service.errors import Broken
from service.traces import (
    RUN,
    continued,
    count_tokens,
    current_trace_parent,
    incoming,
    model_call,
    provider_call,
    work_span,
)
from tests.recorded import Recorded, recording, trace_id

UNSAMPLED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
SAMPLED = UNSAMPLED[:-2] + "01"
TRACE = 0x0AF7651916CD43DD8448EB211C80319C


@pytest.fixture
def recorded() -> Recorded:
    found = recording()
    found.clear()
    return found


def test_a_runs_work_is_recorded_though_its_request_was_not(recorded: Recorded) -> None:
    with work_span("film job", run_id="r1", trace_parent=UNSAMPLED, attempt=2), provider_call("gcp.storage", "get"):
        pass
    job, call = recorded.named("film job"), recorded.named("gcp.storage get")
    assert trace_id(job) == trace_id(call) == TRACE
    assert job.parent is not None
    assert job.parent.span_id == 0xB7AD6B7169203331
    assert job.attributes is not None
    assert job.attributes[RUN] == "r1"
    assert job.attributes["coursewright.attempt"] == 2
    assert job.resource.attributes["service.name"] == "coursewright-site"
    assert job.resource.attributes["faas.version"] == "site-00007-abc"


def test_a_loop_that_looks_at_the_tables_is_not_recorded(recorded: Recorded) -> None:
    with provider_call("gcp.storage", "get"):
        pass
    assert recorded.spans() == ()


def test_a_request_is_recorded_when_its_caller_decided_so(recorded: Recorded) -> None:
    tracer = trace.get_tracer("test")
    for header, count in ((UNSAMPLED, 0), (SAMPLED, 1)):
        with continued({"traceparent": header}), tracer.start_as_current_span("GET /", kind=SpanKind.SERVER):
            pass
        assert len(recorded.spans()) == count


def test_a_call_that_fails_tells_the_kind_of_its_error_and_nothing_of_its_text(recorded: Recorded) -> None:
    def fail() -> None:
        with model_call("openai", "speech", "gpt-4o-mini-tts") as span:
            count_tokens(span, input_tokens=12)
            raise Broken("The voice cannot speak “the secret of the guild”.") from ValueError("the secret of the guild")

    with work_span("film job", run_id="r", trace_parent=SAMPLED), pytest.raises(Broken):
        fail()
    span = recorded.named("speech gpt-4o-mini-tts")
    assert span.attributes is not None
    assert span.attributes["error.type"] == "ValueError"
    assert span.attributes["gen_ai.usage.input_tokens"] == 12
    assert span.attributes["gen_ai.provider.name"] == "openai"
    assert not span.status.is_ok
    assert "guild" not in recorded.text()


@pytest.mark.parametrize(
    ("headers", "found", "sampled"),
    [
        ({"traceparent": SAMPLED}, TRACE, True),
        ({"x-cloud-trace-context": "0af7651916cd43dd8448eb211c80319c/123;o=1"}, TRACE, True),
        ({"x-cloud-trace-context": "0AF7651916CD43DD8448EB211C80319C/123"}, TRACE, False),
        ({"traceparent": SAMPLED, "x-cloud-trace-context": f"{'1' * 32}/5;o=0"}, TRACE, True),
        ({"x-cloud-trace-context": f"{'0' * 32}/5;o=1"}, 0, False),
        ({"x-cloud-trace-context": "a trace"}, 0, False),
        ({"x-cloud-trace-context": f"{'1' * 32}/99999999999999999999"}, 0, False),
        ({"traceparent": "00-1-2-3"}, 0, False),
        ({}, 0, False),
    ],
)
def test_a_caller_is_understood_in_both_headers(headers: dict[str, str], found: int, sampled: bool) -> None:
    span = trace.get_current_span(incoming(headers)).get_span_context()
    assert (span.trace_id, span.trace_flags.sampled) == (found, sampled)


def test_the_context_ends_with_the_block() -> None:
    with continued({"traceparent": SAMPLED}):
        assert current_trace_parent() == SAMPLED
    assert current_trace_parent() == ""
