"""Where a course's time goes: one trace from the request that began a run, through its rings, into its jobs and the
providers that they call.

Everybody uses these few functions and OpenTelemetry's light API; without Cloud Trace nothing is recorded, but contexts
still travel, so that the lines of one run carry one trace id. `service.spans` holds what records and exports.

    a request begins a run    `open_run` keeps `current_trace_parent()` in runs.trace_parent
    its ring is published     the message's attribute `traceparent` is that column
    the ring is answered      `work_span("ring", run_id=…, trace_parent=…)` around the start of the lane's job
    a worker has claimed      `work_span("film job", run_id=…, trace_parent=…)` around the handler
    anybody calls a provider  `provider_call` or `model_call`

A span never carries texts, keys or addresses with signatures: only names, kinds, counts and ids.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from opentelemetry import context, trace
from opentelemetry.trace import Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from service.errors import NotFound
from service.settings import Settings

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter
    from sqlalchemy import Engine

RUN = "coursewright.run.id"  # on every span of a run's own work; the sampler keeps all that begin with it
ANSWERS = (404, 412, 416)  # not there, there already, nothing in this range
FLUSH_SECONDS = 3.0  # Cloud Run ends an instance 10 s after SIGTERM, and the server takes 3 of them
_TRACER = trace.get_tracer("coursewright")
_W3C = TraceContextTextMapPropagator()
# https://cloud.google.com/trace/docs/trace-context#legacy-http-header: TRACE_ID/SPAN_ID;o=OPTIONS, the span in decimal.
_CLOUD = re.compile(r"([0-9a-f]{32})/(\d{1,20})(?:;o=(\d))?", re.ASCII | re.IGNORECASE)
Value = str | bool | int | float


def configure_traces(settings: Settings, part: str, exporter: SpanExporter | None = None) -> None:
    """Record and export from here on when TRACES_URL says so; called once by each door, which ends with `flush_traces`.

    `part` is site, author or render. `exporter` takes the place of Cloud Trace's.

    Raises:
        BadInput: TRACES_URL names no project, or this machine has no credentials for it.
    """
    if records(settings):
        from service.spans import record

        record(settings, part, exporter)


def records(settings: Settings) -> bool:
    """Whether spans are recorded at all."""
    return urlsplit(settings.traces_url).scheme == "gcp"


def flush_traces(within_seconds: float = FLUSH_SECONDS) -> None:
    """Hand over what was recorded; an exporter that does not answer costs this long and no longer.

    The SDK's own flush ignores its timeout (opentelemetry-python issue 4568), hence the thread.
    """
    flush = getattr(trace.get_tracer_provider(), "force_flush", None)
    if flush is not None:
        thread = threading.Thread(target=flush, name="flush-traces", daemon=True)
        thread.start()
        thread.join(within_seconds)


def trace_engine(engine: Engine, settings: Settings) -> None:
    """Let the engine's statements be spans, without their values."""
    if records(settings):
        from service.spans import record_statements

        record_statements(engine)


def current_trace_parent() -> str:
    """The W3C context of what runs now, to be continued elsewhere; empty when there is none."""
    carrier: dict[str, str] = {}
    _W3C.inject(carrier)
    return carrier.get("traceparent", "")


def incoming(headers: Mapping[str, str], around: context.Context | None = None) -> context.Context:
    """The context that a request or a message carries: W3C's `traceparent`, else Cloud Run's `x-cloud-trace-context`.
    Names are in small letters; what cannot be read counts as absent.
    """
    found = _W3C.extract(
        {name: value for name, value in headers.items() if name in ("traceparent", "tracestate")}, around
    )
    cloud = _CLOUD.fullmatch(headers.get("x-cloud-trace-context", ""))
    if cloud is None or trace.get_current_span(found).get_span_context().is_valid:
        return found
    sampled = TraceFlags(TraceFlags.SAMPLED if cloud[3] == "1" else TraceFlags.DEFAULT)
    span = SpanContext(int(cloud[1], 16), int(cloud[2]), is_remote=True, trace_flags=sampled)
    return trace.set_span_in_context(trace.NonRecordingSpan(span), found) if span.is_valid else found


@contextmanager
def continued(headers: Mapping[str, str]) -> Iterator[None]:
    """Let the block belong to the trace of an incoming request or message; see `incoming`."""
    token = context.attach(incoming(headers))
    try:
        yield
    finally:
        context.detach(token)


@contextmanager
def work_span(name: str, *, run_id: object, trace_parent: str, **attributes: Value) -> Iterator[Span]:
    """A span of a run's own work, always recorded, in the trace of the request that began the run.

    Attributes become `coursewright.<name>`: ids, kinds and counts.
    """
    own: dict[str, Value] = {f"coursewright.{key}": value for key, value in attributes.items()}
    with (
        continued({"traceparent": trace_parent}) if trace_parent else _here(),
        _span(name, SpanKind.CONSUMER, {RUN: str(run_id), **own}) as span,
    ):
        yield span


@contextmanager
def provider_call(
    provider: str, operation: str, kind: SpanKind = SpanKind.CLIENT, /, **attributes: Value
) -> Iterator[Span]:
    """A span around one call of a part outside of this process, such as `gcp.storage` `upload`.

    Give attributes their name in OpenTelemetry's semantic conventions: `**{"messaging.destination.name": topic}`.
    """
    given: dict[str, Value] = {"peer.service": provider, "rpc.method": operation, **attributes}
    with _span(f"{provider} {operation}", kind, given) as span:
        yield span


@contextmanager
def model_call(provider: str, operation: str, model: str, /, **attributes: Value) -> Iterator[Span]:
    """A span around one call of a model; `operation` is chat, embeddings or speech. Tell its use with `count_tokens`.

    `gen_ai.system` is the older name of `gen_ai.provider.name`; Cloud Trace's pages of models still read it.
    """
    given: dict[str, Value] = {
        "peer.service": provider,
        "gen_ai.system": provider,
        "gen_ai.provider.name": provider,
        "gen_ai.operation.name": operation,
        "gen_ai.request.model": model,
        **attributes,
    }
    with _span(f"{operation} {model}", SpanKind.CLIENT, given) as span:
        yield span


def count_tokens(span: Span, *, input_tokens: int, output_tokens: int = 0) -> None:
    """Note what a call of a model used."""
    span.set_attribute("gen_ai.usage.input_tokens", input_tokens)
    span.set_attribute("gen_ai.usage.output_tokens", output_tokens)


def note_failure(error: BaseException, span: Span | None = None) -> None:
    """Say how what the span stands for failed, where nothing is raised through it; the present span, unless given.

    An answer such as "not there" or "already there" is noted and is no failure.
    """
    span = span or trace.get_current_span()
    span.set_attribute("error.type", type(error.__cause__ or error).__name__)
    if not isinstance(error, NotFound) and getattr(error, "code", None) not in ANSWERS:
        span.set_status(Status(StatusCode.ERROR))


@contextmanager
def _here() -> Iterator[None]:
    yield


@contextmanager
def _span(name: str, kind: SpanKind, attributes: Mapping[str, Value]) -> Iterator[Span]:
    """A span that notes how the block failed by the error's kind alone: its message may quote a source."""
    with _TRACER.start_as_current_span(
        name, kind=kind, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as span:
        try:
            yield span
        except BaseException as error:
            note_failure(error, span)
            raise
