"""What never reaches a log line: keys, tokens, passwords, and what an exception quotes."""

from __future__ import annotations

import re
import traceback
from collections.abc import Mapping, MutableMapping
from typing import Any, Final

from casper_ray.errors import CasperError

GONE: Final = "[redacted]"
_NAMES: Final = re.compile(
    r"authorization|cookie|password|passwd|secret|token$|api_?key|^key$|bearer|^body$|^text$|^headers$", re.I
)
_TEXTS: Final = re.compile(
    r"crk_[\w.\-]+"  # our keys
    r"|eyJ[\w\-]+\.[\w\-]+(?:\.[\w\-]*)?"  # JSON web tokens
    r"|\bsk-[\w\-]{8,}"  # keys of model endpoints
    r"|(?P<scheme>\b(?:bearer|basic)\s+)[^\s\"'\\,;]+"
    r"|(?P<at>://)[^/\s:@\"]+:[^/\s@\"]+@",  # passwords in URLs
    re.I,
)
_CAUSES = 5


def redacted(text: str) -> str:
    """The text, with what looks like a secret gone."""
    return _TEXTS.sub(lambda found: f"{found['scheme'] or found['at'] or ''}{GONE}", text)


def without_secrets(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A processor of structlog: what a field's name says is secret, at any depth, is gone."""
    for name, value in event.items():
        event[name] = GONE if _NAMES.search(name) else _inner(value)
    return event


def without_messages(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A processor: an exception as where it happened. What others' exceptions say can quote data, so only the
    words of our own are kept.
    """
    info = event.pop("exc_info", None)
    error = info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        event["error"] = type(error).__name__
        event["trace"] = trace(error)
    return event


def trace(error: BaseException) -> list[str]:
    """The calls that led to an error, and to what caused it, innermost cause last."""
    lines: list[str] = []
    seen: BaseException | None = error
    for _ in range(_CAUSES):
        if seen is None:
            break
        lines.append(
            f"{type(seen).__name__}: {seen}" if isinstance(seen, CasperError) else type(seen).__name__
        )
        frames = traceback.extract_tb(seen.__traceback__)
        lines += [f"  {frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return lines


def _inner(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: GONE if _NAMES.search(str(name)) else _inner(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_inner(inner) for inner in value]
    return value
