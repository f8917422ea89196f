"""Where log lines go and what they look like: readable on a laptop, JSON that Cloud Logging understands in production.

Every module logs through the standard library; structlog only gives the lines their shape, without rich tracebacks:
those take seconds to draw.
"""

from __future__ import annotations

import logging
import sys

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from service.settings import Settings

SHARED: tuple[Processor, ...] = (
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


def configure_logging(settings: Settings) -> None:
    """Send everything from `settings.level` on to standard error; called once by each door."""
    if settings.production:
        finish: tuple[Processor, ...] = (
            _severity,
            structlog.processors.format_exc_info,
            structlog.processors.EventRenamer("message"),
            structlog.processors.JSONRenderer(),
        )
    else:
        plain = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
        finish = (structlog.stdlib.add_log_level, plain)
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *finish],
            foreign_pre_chain=list(SHARED),
        )
    )
    logging.basicConfig(handlers=[handler], level=settings.level.upper(), force=True)


def _severity(_: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Cloud Logging's name for the level."""
    event["severity"] = method.upper()
    return event
