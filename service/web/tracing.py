"""Requests continue the trace that Cloud Run, or whoever called, began; with Cloud Trace they are spans themselves."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from service.settings import Settings
from service.traces import continued, records

# Answered so often, or for so long, that their spans would hide the others. Regular expressions, by commas.
NOT_TRACED = "/livez,/healthz,/readyz,/static/,/events"


def trace_requests(app: FastAPI, settings: Settings) -> None:
    """Add the layer that does it, outside of all others: call it last."""
    if not records(settings):
        app.add_middleware(Continued)
        return
    from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor

    FastAPIInstrumentor.instrument_app(app, excluded_urls=NOT_TRACED, exclude_spans=["receive", "send"])


class Continued:
    """Carries the caller's context, so that a request's lines and the run that it begins bear the caller's trace id."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        with continued(Headers(scope=scope)):
            await self._app(scope, receive, send)
