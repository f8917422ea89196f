"""What reaches Cloud Trace, over real gRPC, and what a process does when Cloud Trace does not answer."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
import pytest
from google.cloud.trace_v2 import BatchWriteSpansRequest, TraceServiceClient
from google.cloud.trace_v2.services.trace_service.transports import TraceServiceGrpcTransport
from google.protobuf.empty_pb2 import Empty
from opentelemetry.exporter.cloud_trace import CloudTraceSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import Status, StatusCode

from service.settings import ROOT
from service.spans import Discreet, RunsAlways
from service.traces import RUN

WRITE = "/google.devtools.cloudtrace.v2.TraceService/BatchWriteSpans"
SECRET = "the canary of the coal mine"


class _Taker(grpc.GenericRpcHandler):
    def __init__(self) -> None:
        self.taken: list[BatchWriteSpansRequest] = []

    def service(self, details: Any) -> Any:
        def write(request: BatchWriteSpansRequest, _: grpc.ServicerContext) -> Empty:
            self.taken.append(request)
            return Empty()

        return (
            grpc.unary_unary_rpc_method_handler(
                write,
                request_deserializer=BatchWriteSpansRequest.deserialize,
                response_serializer=Empty.SerializeToString,
            )
            if details.method == WRITE
            else None
        )


@contextmanager
def cloud_trace() -> Iterator[tuple[str, list[BatchWriteSpansRequest]]]:
    """A Cloud Trace of this process: its address, and what it took."""
    taker = _Taker()
    server = grpc.server(ThreadPoolExecutor(2), handlers=(taker,))
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield address, taker.taken
    finally:
        server.stop(grace=None).wait(10)


def test_cloud_trace_gets_the_span_with_its_place_and_nothing_that_was_said() -> None:
    with cloud_trace() as (address, taken), grpc.insecure_channel(address) as channel:
        client = TraceServiceClient(transport=TraceServiceGrpcTransport(channel=channel))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            exporter = CloudTraceSpanExporter("a-project", client, resource_regex=r"service\.")
        resource = Resource.create({"service.name": "coursewright-render"})
        provider = TracerProvider(resource=resource, sampler=RunsAlways(), shutdown_on_exit=False)
        provider.add_span_processor(Discreet(exporter))
        with provider.get_tracer("test").start_as_current_span("film job", attributes={RUN: "r1"}) as span:
            span.set_attribute("http.url", f"https://x.example.org/v.mp4?sig={SECRET}")
            span.set_attribute("client.address", SECRET)
            span.record_exception(ValueError(SECRET))
            span.set_status(Status(StatusCode.ERROR, SECRET))
        provider.shutdown()
    (request,) = taken
    (sent,) = request.spans
    assert request.name == "projects/a-project"
    assert sent.display_name.value == "film job"
    labels = {name: value.string_value.value for name, value in sent.attributes.attribute_map.items()}
    assert labels[RUN] == "r1"
    assert labels["service.name"] == "coursewright-render"
    assert sent.status.code == 2
    assert SECRET not in str(request)


HANGING = f"""
import json, sys, time
sys.path.insert(0, {str(ROOT)!r})
from opentelemetry.sdk.trace.export import SpanExporter
from service.settings import Settings
from service.traces import configure_traces, flush_traces, work_span

class Hangs(SpanExporter):
    def export(self, spans):
        time.sleep(600)
    def shutdown(self):
        time.sleep(600)

configure_traces(Settings(traces_url="gcp://a-project"), "render", Hangs())
with work_span("film job", run_id="r", trace_parent=""):
    pass
flush_traces(0.5)
print("over")
"""


def test_a_process_ends_though_cloud_trace_does_not_answer() -> None:
    done = subprocess.run([sys.executable, "-c", HANGING], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.strip() == "over", done.stderr
    assert done.returncode == 0


@pytest.mark.parametrize("door", ["service.commands.serve, service.web.app", "service.worker", "renderer_job.work"])
def test_without_cloud_trace_nothing_of_the_recorder_is_loaded(door: str) -> None:
    code = (
        f"import json, sys, {door}\n"
        "from service.settings import Settings\nfrom service.traces import configure_traces, flush_traces\n"
        "configure_traces(Settings(traces_url='none:'), 'site'); flush_traces()\n"
        "print(json.dumps(list(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout))
    assert "service.traces" in loaded
    heavy = {"service.spans", "opentelemetry.sdk", "opentelemetry.exporter", "opentelemetry.instrumentation"}
    assert not loaded & heavy
