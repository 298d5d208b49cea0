"""Structured logs: JSON lines for machines, readable lines on a terminal. Never an identifier or trait in clear."""

from __future__ import annotations

import logging
import sys
import traceback
from typing import Any, TextIO

import structlog

from leocdp.kit.errors import LeoError


def configure_logging(service: str, *, level: str = "INFO", format: str = "auto") -> None:
    """Route structlog and the standard library's loggers to one stream with the same shape.

    Fields of every line: ``timestamp`` (ISO 8601 UTC), ``level``, ``event``, ``service``, ``logger``.
    """
    console = format == "console" or (format == "auto" and sys.stderr.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _named(service),
    ]
    renderer: structlog.typing.Processor = (
        # Its own tracebacks show the values of local variables: people's identifiers and traits among them.
        structlog.dev.ConsoleRenderer(exception_formatter=_show) if console else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    tail = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer]
    if not console:
        tail.insert(0, structlog.processors.ExceptionRenderer(_told))
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=tail))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # Access logs would hold query strings, and those hold write keys and identifiers.
    logging.getLogger("uvicorn.access").disabled = True
    logging.getLogger("httpx").setLevel(logging.WARNING)
    # A line per attempt and partition while a broker is away: what matters of it is in our own lines, and in readiness.
    logging.getLogger("aiokafka").setLevel(logging.INFO if level == "DEBUG" else logging.CRITICAL)
    # Its steps of starting and stopping say nothing that readiness and our own lines do not say.
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)


def _told(exc_info: structlog.typing.ExcInfo) -> str:
    """Where it broke, and the kinds of the errors. The text of an error is told when it is our own or the system's:
    others say what was not found, and that may be somebody's address."""
    parts: list[str] = []
    error: BaseException | None = exc_info[1]
    while error is not None:
        kind = type(error).__name__
        text = f"{kind}: {error}" if isinstance(error, LeoError | OSError) else kind
        parts.append("".join([*traceback.format_tb(error.__traceback__), text]))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\nand then\n".join(reversed(parts))


def _show(stream: TextIO, exc_info: structlog.typing.ExcInfo) -> None:
    stream.write(f"\n{_told(exc_info)}")


def _named(service: str) -> structlog.typing.Processor:
    def add(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        event["service"] = service
        return event

    return add


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger
