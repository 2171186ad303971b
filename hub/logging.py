"""Structured logs on stderr: JSON in production, readable on a terminal; redacted before anything else."""

import logging
import sys

import structlog

from hub.core.redact import redact_event
from hub.settings import Settings


def configure_logging(settings: Settings) -> None:
    level = getattr(logging, settings.log_level.upper(), logging.INFO)
    as_json = settings.log_format == "json" or (settings.log_format == "auto" and not sys.stderr.isatty())
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([structlog.processors.format_exc_info] if as_json else []),
            redact_event,
            structlog.processors.JSONRenderer(ensure_ascii=False) if as_json else _console(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(
        level=max(level, logging.WARNING), stream=sys.stderr, format="%(levelname)s %(name)s %(message)s"
    )
    # It logs every address, query included, at INFO.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("httpcore").setLevel(logging.WARNING)


def _console() -> structlog.dev.ConsoleRenderer:
    # The pretty traceback prints local variables, and these hold people's data.
    return structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
