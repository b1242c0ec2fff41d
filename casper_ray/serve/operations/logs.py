"""Log lines: one JSON object a line, with the request's id, without secrets, bodies or personal data."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import MutableMapping
from contextvars import ContextVar
from typing import Any, Final, TextIO

import structlog
from structlog.stdlib import ProcessorFormatter

from casper_ray.serve.operations.redaction import redacted, without_messages, without_secrets
from casper_ray.serve.operations.settings import LogSettings

REQUEST_ID: Final = ContextVar("request_id", default="")
"""Of the request that is being worked on here; on every line that is written meanwhile."""
_QUIET: Final = ("uvicorn.access", "httpx", "httpx2", "openai")
"""They write a line per request, with its path."""


def set_up_logs(settings: LogSettings, part: str, stream: TextIO | None = None) -> None:
    """From now on, structlog and what libraries log through `logging` (from warnings up) go to stderr as JSON lines.

    part: of the application, as in `/metrics`; on every line. stream: in the place of stderr.
    """
    out = stream or process_stderr()
    level = logging.getLevelNamesMapping()[settings.level.upper()]
    structlog.configure(
        processors=[*_chain(part), _line],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(out),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        ProcessorFormatter(
            processors=[ProcessorFormatter.remove_processors_meta, without_messages, _line],
            foreign_pre_chain=[_logger_name, *_chain(part)],
        )
    )
    root = logging.getLogger()
    root.handlers, root.level = [handler], max(level, logging.WARNING)
    for name in ("uvicorn", "uvicorn.error"):  # whatever uvicorn was told before, their lines reach the root
        found = logging.getLogger(name)
        found.handlers, found.propagate = [], True
        found.setLevel(logging.NOTSET)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.ERROR)


def process_stderr() -> TextIO:
    """Where this process's stderr goes. In replicas `sys.stderr` is a logger of Ray Serve's that drops what is no
    warning.
    """
    return sys.__stderr__ or sys.stderr


def _chain(part: str) -> list[structlog.typing.Processor]:
    def with_place(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return {"part": part, "request_id": REQUEST_ID.get(), **event}

    return [
        with_place,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        _exc_info,
        without_messages,
        without_secrets,
    ]


def _line(_: Any, __: str, event: MutableMapping[str, Any]) -> str:
    """The last look is at the line itself: a secret inside a longer text is found there."""
    return redacted(json.dumps(event, default=lambda odd: type(odd).__name__))


def _logger_name(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Which library wrote it."""
    event["logger"] = event["_record"].name
    return event


def _exc_info(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """`exc_info=True` means the exception that is being handled."""
    if event.get("exc_info") is True:
        event["exc_info"] = sys.exc_info()
    return event
