"""What records spans and hands them to Cloud Trace; loaded only when TRACES_URL asks for it, because it is heavy.

What leaves is chosen here by name, not by hope: instrumentation also notes addresses with their queries, clients'
addresses, and errors' messages, which quote rows.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from urllib.parse import urlsplit

from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.instrumentation.sqlalchemy import SQLAlchemyInstrumentor
from opentelemetry.propagators.textmap import (
    CarrierT,
    Getter,
    Setter,
    TextMapPropagator,
    default_getter,
    default_setter,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    Decision,
    ParentBased,
    Sampler,
    SamplingResult,
    TraceIdRatioBased,
)
from opentelemetry.trace import Link, SpanKind, Status, TraceState
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import Attributes
from sqlalchemy import Engine

from service.errors import BadInput
from service.settings import Settings
from service.traces import RUN, incoming

REQUESTS_SHARE = 0.1  # of requests that come without a decision; Cloud Run makes one for each of its own
POOLED_NANOSECONDS = 10_000_000  # a connection that is there sooner came out of the pool: nothing to show
KEPT = (
    "coursewright.", "gen_ai.", "messaging.", "rpc.", "cloud.", "faas.", "error.type", "peer.service",
    "http.method", "http.request.method", "http.status_code", "http.response.status_code", "http.route",
    "db.system", "db.name", "db.namespace", "db.operation", "db.statement", "db.query.text", "db.collection.name",
)  # fmt: skip


def record(settings: Settings, part: str, exporter: SpanExporter | None = None) -> None:
    """Record this process's spans and export them in batches, from a thread of their own."""
    revision, execution = settings.k_revision, settings.cloud_run_execution
    resource = Resource.create(
        {
            "service.name": f"coursewright-{part}",
            "service.version": revision or execution or settings.environment,
            **({"faas.version": revision} if revision else {}),
            **({"gcp.cloud_run.job.execution": execution} if execution else {}),
        }
    )
    provider = TracerProvider(resource=resource, sampler=RunsAlways(), shutdown_on_exit=False)
    provider.add_span_processor(Discreet(exporter or _cloud_trace(settings)))
    trace.set_tracer_provider(provider)
    propagate.set_global_textmap(Incoming())


def record_statements(engine: Engine) -> None:
    """Let the engine's statements be spans. The instrumentation knows one engine of a process: the last one given."""
    instrumentor = SQLAlchemyInstrumentor()
    if instrumentor.is_instrumented_by_opentelemetry:
        instrumentor.uninstrument()
    # The instrumentation asks each cursor for its connection, and pg8000 remarks on it at every statement.
    warnings.filterwarnings("ignore", message="DB-API extension cursor.connection used")
    instrumentor.instrument(engine=engine)


class RunsAlways(Sampler):
    """A run's own work is always recorded; a request when its caller decided so; a loop's look at the tables never."""

    def __init__(self) -> None:
        self._requests = ParentBased(TraceIdRatioBased(REQUESTS_SHARE))
        self._others = ParentBased(ALWAYS_OFF)

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        if attributes and RUN in attributes:
            return SamplingResult(Decision.RECORD_AND_SAMPLE, attributes, trace_state)
        rule = self._requests if kind is SpanKind.SERVER else self._others
        return rule.should_sample(parent_context, trace_id, name, kind, attributes, links, trace_state)

    def get_description(self) -> str:
        return "RunsAlways"


class Discreet(BatchSpanProcessor):
    """Lets out only the attributes in KEPT, no events, and of a failure only that it failed."""

    def on_end(self, span: ReadableSpan) -> None:
        if span.name == "connect" and (span.end_time or 0) - (span.start_time or 0) < POOLED_NANOSECONDS:
            return
        kept = {name: value for name, value in (span.attributes or {}).items() if name.startswith(KEPT)}
        super().on_end(
            ReadableSpan(
                name=span.name,
                context=span.context,
                parent=span.parent,
                resource=span.resource,
                attributes=kept,
                links=span.links,
                kind=span.kind,
                status=Status(span.status.status_code),
                start_time=span.start_time,
                end_time=span.end_time,
                instrumentation_scope=span.instrumentation_scope,
            )
        )


class Incoming(TextMapPropagator):
    """Reads both of the headers that Cloud Run sends, and writes W3C's."""

    def extract(
        self,
        carrier: CarrierT,
        context: Context | None = None,
        getter: Getter[CarrierT] = default_getter,
    ) -> Context:
        names = ("traceparent", "tracestate", "x-cloud-trace-context")
        found = {name: values[0] for name in names if (values := getter.get(carrier, name))}
        return incoming(found, context)

    def inject(
        self,
        carrier: CarrierT,
        context: Context | None = None,
        setter: Setter[CarrierT] = default_setter,
    ) -> None:
        TraceContextTextMapPropagator().inject(carrier, context, setter)

    @property
    def fields(self) -> set[str]:
        return {"traceparent", "tracestate"}


def _cloud_trace(settings: Settings) -> SpanExporter:
    from google.auth.exceptions import GoogleAuthError
    from opentelemetry.exporter.cloud_trace import CloudTraceSpanExporter

    project = urlsplit(settings.traces_url).netloc
    if not project:
        raise BadInput("TRACES_URL names no project. It looks like gcp://PROJECT.")
    try:
        with warnings.catch_warnings():
            # Its successor, OTLP to telemetry.googleapis.com, needs an API and a role of its own.
            warnings.simplefilter("ignore", DeprecationWarning)
            return CloudTraceSpanExporter(  # type: ignore[no-untyped-call]
                project_id=project, resource_regex=r"service\.|faas\.|gcp\."
            )
    except GoogleAuthError as error:
        raise BadInput("TRACES_URL: this machine has no credentials for Google Cloud. Use none: here.") from error
