"""Where log lines go and what they look like: readable on a laptop, JSON that Cloud Logging understands in production.

Every module logs through the standard library; structlog only gives the lines their shape, without rich tracebacks:
those take seconds to draw. What `extra=` holds becomes fields of the line; `extra={"event": NAME, …}` names the line
for a metric, as the gauges' and the films' lines do.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
from types import TracebackType
from urllib.parse import unquote, urlsplit

import structlog
from opentelemetry import trace
from structlog.typing import EventDict, Processor, WrappedLogger

from service.settings import Settings

OURS = ("service", "renderer_job")
# They write addresses with their queries at the level of information.
TALKATIVE = ("httpx", "httpx2", "httpcore", "httpcore2", "urllib3")
CLOUD = "logging.googleapis.com"
SHORTEST_SECRET = 6  # characters; a shorter value would blank words that mean nothing
GONE = "…"
# What may stand in a line by accident: queries (signatures, tokens), credentials, what people or sources wrote.
HIDDEN: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?<=[\w/.%-])\?[\w.%~\[\]-]+=[^\s\"'<>)]*"), f"?{GONE}"),
    (re.compile(r"(?i)\b((?:x-goog-)?sig(?:nature)?|[\w-]*token|password|api[_-]?key)=[^\s&\"',)]+"), rf"\1={GONE}"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}"), rf"\1 {GONE}"),
    (re.compile(r"://[^/\s@]*:[^/\s@]*@"), f"://{GONE}@"),
    (re.compile(r"“[^”]*”"), f"“{GONE}”"),
    (re.compile(r"(?s)(input_value=).*?(?=, input_type=)"), rf"\1{GONE}"),  # pydantic
    (re.compile(r"(Key \([^)]*\)=\().*?\)(?= )"), rf"\1{GONE})"),  # PostgreSQL
)


def configure_logging(settings: Settings) -> None:
    """Send everything from `settings.level` on to standard error; called once by each door.

    Libraries write at most information: below that some write whole requests.
    """
    hide = Hide(settings)
    finish: tuple[Processor, ...]
    if settings.production:
        finish = (_severity, _place, Correlate(settings), Stack(settings), hide, structlog.processors.JSONRenderer())
        _log_uncaught()
    else:
        plain = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
        finish = (structlog.stdlib.add_log_level, hide, _message_first, plain)
    handler = logging.StreamHandler()
    handler.addFilter(_from_libraries_no_detail)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=list(finish),
            foreign_pre_chain=[
                structlog.stdlib.add_logger_name,
                structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
                _fields,
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=settings.level.upper(), force=True)
    logging.captureWarnings(True)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)


class Hide:
    """Takes the settings' secrets out of a line; in production also whatever HIDDEN names.

    A laptop's log is its owner's, and its console mail must keep the links that people are to follow.
    """

    def __init__(self, settings: Settings) -> None:
        secrets = sorted(filter(_long, _secrets(settings)), key=len, reverse=True)
        known = re.compile("|".join(map(re.escape, secrets)) or r"(?!)")
        self._rules = ((known, GONE), *(HIDDEN if settings.production else ()))

    def __call__(self, _: WrappedLogger, __: str, event: EventDict) -> EventDict:
        return {key: value if key.startswith("_") else self._hidden(value) for key, value in event.items()}

    def _hidden(self, value: object) -> object:
        if isinstance(value, str):
            for pattern, instead in self._rules:
                value = pattern.sub(instead, value)
            return value
        if isinstance(value, dict):
            return {key: self._hidden(one) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return [self._hidden(one) for one in value]
        return value if value is None or isinstance(value, bool | int | float) else self._hidden(str(value))


class Correlate:
    """Ties a line to its trace, by Cloud Logging's names for it."""

    def __init__(self, settings: Settings) -> None:
        self._project = cloud_project(settings)

    def __call__(self, _: WrappedLogger, __: str, event: EventDict) -> EventDict:
        span = trace.get_current_span().get_span_context()
        if span.is_valid:
            trace_id = trace.format_trace_id(span.trace_id)
            event[f"{CLOUD}/trace"] = f"projects/{self._project}/traces/{trace_id}" if self._project else trace_id
            event[f"{CLOUD}/spanId"] = trace.format_span_id(span.span_id)
            event[f"{CLOUD}/trace_sampled"] = span.trace_flags.sampled
        return event


class Stack:
    """An exception as the one field that Error Reporting groups by, with the service that it happened in."""

    def __init__(self, settings: Settings) -> None:
        service = settings.k_service or settings.cloud_run_job
        version = settings.k_revision or settings.cloud_run_execution
        self._context = {"service": service, "version": version} if service else None

    def __call__(self, logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        event = structlog.processors.format_exc_info(logger, method, event)
        if "exception" in event:
            event["stack_trace"] = event.pop("exception")
            if self._context:
                event["serviceContext"] = self._context
        return event


def cloud_project(settings: Settings) -> str:
    """The project whose traces these are; empty when no setting names one."""
    for url, scheme in ((settings.traces_url, "gcp"), (settings.queue_url, "pubsub"), (settings.jobs_url, "cloudrun")):
        parts = urlsplit(url)
        if parts.scheme == scheme:
            return parts.netloc
    return settings.database_url.partition("://")[2].split(":")[0] if settings.database_url.startswith("cloud") else ""


def _secrets(settings: Settings) -> list[str]:
    found = [settings.openai_api_key.get_secret_value(), settings.vectors_api_key.get_secret_value()]
    found += [key.strip() for key in settings.cookie_keys.get_secret_value().split(",")]
    for url in (settings.database_url, settings.mail_url):
        password = urlsplit(url).password or ""
        found += [password, unquote(password)]
    return found


def _long(secret: str) -> bool:
    return len(secret) >= SHORTEST_SECRET


def _from_libraries_no_detail(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.INFO or record.name.partition(".")[0] in OURS


def _fields(logger: logging.Logger, method: str, event: EventDict) -> EventDict:
    """The text is the message; `event` is free for the line's name."""
    text = event.pop("event")
    return {**structlog.stdlib.ExtraAdder()(logger, method, event), "message": text}


def _message_first(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """The console's writer calls the message `event`."""
    event["event"] = event.pop("message")
    return {key: value for key, value in event.items() if not key.startswith("_")}


def _severity(_: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Cloud Logging's name for the level."""
    event["severity"] = method.upper()
    return event


def _place(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Where a warning or worse was written."""
    record = event["_record"]
    if record.levelno >= logging.WARNING:
        place = {"file": record.pathname, "line": str(record.lineno), "function": record.funcName}
        event[f"{CLOUD}/sourceLocation"] = place
    return {key: value for key, value in event.items() if not key.startswith("_")}


def _log_uncaught() -> None:
    """What nobody caught is a line like any other: written raw, its traceback would be many."""
    log = logging.getLogger(__name__)

    def uncaught(kind: type[BaseException], error: BaseException, at: TracebackType | None) -> None:
        log.critical("%s was not caught", kind.__name__, exc_info=(kind, error, at))

    def uncaught_in_thread(given: threading.ExceptHookArgs) -> None:
        if given.exc_value is not None and given.exc_type is not SystemExit:
            uncaught(given.exc_type, given.exc_value, given.exc_traceback)

    sys.excepthook = uncaught
    threading.excepthook = uncaught_in_thread
