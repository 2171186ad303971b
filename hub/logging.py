"""Structured logs on stderr: JSON in production, readable on a terminal; redacted before they are written.

Events are constant words, data stands under keys. ``shop``, ``run_id``, ``feed`` and ``action_id`` come
with every line written while a run or an action is under way, whoever writes it.
"""

import logging
import sys

import structlog
from structlog.typing import EventDict, Processor

from hub.core.redact import mask_text, redact_event
from hub.settings import Settings


def configure_logging(settings: Settings) -> None:
    """Set up both ways of logging, ours and that of the libraries: one form, one redaction, one stream."""
    level = getattr(logging, settings.log_level.upper(), logging.INFO)
    as_json = settings.log_format == "json" or (settings.log_format == "auto" and not sys.stderr.isatty())
    before: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    after: list[Processor] = [
        *([structlog.processors.format_exc_info] if as_json else []),
        redact_event,
        structlog.processors.JSONRenderer(ensure_ascii=False) if as_json else _console(),
    ]
    structlog.configure(
        processors=[*before, *after],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*before, structlog.stdlib.add_logger_name, _mask_foreign],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *after],
        )
    )
    logging.basicConfig(level=max(level, logging.WARNING), handlers=[handler])
    # It logs every address, query included, at INFO.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("httpcore").setLevel(logging.WARNING)


def _mask_foreign(_logger: object, _method: str, event: EventDict) -> EventDict:
    """What a library says is free text, not one of our constant events."""
    event["event"] = mask_text(str(event["event"]))
    return event


def _console() -> structlog.dev.ConsoleRenderer:
    # The pretty traceback prints local variables, and these hold people's data.
    return structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
