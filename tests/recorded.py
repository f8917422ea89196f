"""What the process would send to Cloud Trace, kept in memory for tests.

A process has one provider of traces for good, so all tests share this one.
"""

from __future__ import annotations

import json
from functools import cache

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from service.settings import Settings
from service.traces import configure_traces, flush_traces

TRACED = Settings(traces_url="gcp://a-project", k_revision="site-00007-abc")


class Recorded:
    """What left the process since `clear`, in the order of its end."""

    def __init__(self, exporter: InMemorySpanExporter) -> None:
        self._exporter = exporter

    def spans(self) -> tuple[ReadableSpan, ...]:
        flush_traces(10.0)
        return self._exporter.get_finished_spans()

    def named(self, name: str) -> ReadableSpan:
        """The one span of this name."""
        found = [span for span in self.spans() if span.name == name]
        assert len(found) == 1, [span.name for span in self.spans()]
        return found[0]

    def text(self) -> str:
        """Everything that left, as text."""
        return "\n".join(span.to_json() for span in self.spans())

    def clear(self) -> None:
        self.spans()
        self._exporter.clear()


@cache
def recording() -> Recorded:
    """Record from now on."""
    exporter = InMemorySpanExporter(max_spans=5000)
    configure_traces(TRACED, "site", exporter)
    return Recorded(exporter)


def trace_id(span: ReadableSpan) -> int:
    assert span.context is not None
    return span.context.trace_id


def attributes(span: ReadableSpan) -> dict[str, object]:
    """The span's attributes as its JSON has them."""
    return dict(json.loads(span.to_json())["attributes"])
