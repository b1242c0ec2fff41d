"""What a request may look like before anybody looks at what it wants."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from casper_ray.serve.door.errors import DoorError

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_WITH_JSON: Final = frozenset({"POST", "PUT", "PATCH"})
_PATH_BYTES, _QUERY_BYTES = 1_024, 4_096
_HEADERS, _HEADER_BYTES = 64, 16_384
_ONCE: Final = frozenset({b"authorization", b"content-length", b"content-type", b"host", b"idempotency-key"})
_ODD_PATH: Final = re.compile(
    rb"//|\\|%(?:0[0-9a-f]|1[0-9a-f]|7f|2[ef]|5c)|[\x00-\x20\x7f-\xff]|(?:^|/)\.{1,2}(?:/|$)", re.IGNORECASE
)
_CONTROL: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_JSON: Final = re.compile(rb'application/json(?:\s*;\s*charset="?utf-8"?)?\s*', re.IGNORECASE)


class Announced(NamedTuple):
    """The body that a request's headers tell of. length: None: nobody knows before it ended."""

    there: bool
    length: int | None


def checked_target(method: str, path: bytes, query: bytes) -> None:
    """Refuse methods that nothing here has, and paths that two readers could read as two things.

    path: as it came, not decoded. Raises: DoorError 400, 405.
    """
    if method not in METHODS:
        raise DoorError(
            405, "no route has this method", "see /openapi.json", {"Allow": ", ".join(sorted(METHODS))}
        )
    if len(path) > _PATH_BYTES or len(query) > _QUERY_BYTES:
        raise DoorError(
            400, "the path or the query is too long", f"{_PATH_BYTES} and {_QUERY_BYTES} bytes at most"
        )
    if _ODD_PATH.search(path):
        raise DoorError(
            400,
            "the path has a part that no route has",
            "no empty parts, no `.` or `..`, no control characters; no encoded slash, backslash or dot",
        )


def announced_body(method: str, headers: Sequence[tuple[bytes, bytes]], most_bytes: int) -> Announced:
    """What the headers tell of the body. Raises: DoorError: 400, 413, 415, 431."""
    found = _checked_headers(headers)
    length, chunked = found.get(b"content-length"), b"transfer-encoding" in found
    if length is not None and (chunked or not length.isdigit()):
        raise DoorError(400, "the body's length is not clear", "one Content-Length, or a chunked body")
    announced = Announced(chunked or length not in (None, b"0"), int(length[:20]) if length else None)
    if announced.length is not None and announced.length > most_bytes:
        raise too_large(most_bytes)
    if announced.there and method in _WITH_JSON:
        _check_type(found)
    return announced


def too_large(most_bytes: int) -> DoorError:
    # Who is refused so may go on sending: the connection ends with the answer.
    return DoorError(413, "the body is too large", f"{most_bytes} bytes at most", {"Connection": "close"})


def _checked_headers(headers: Sequence[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    count = size = 0
    for name, value in headers:
        count, size = count + 1, size + len(name) + len(value)
        if name in found and name in _ONCE:
            raise DoorError(400, f"the header {name.decode().title()} is there twice", "send it once")
        found[name] = value
    if _CONTROL.search(b"".join([value for _, value in headers])):
        raise DoorError(400, "a header has control characters", "send text")
    if count > _HEADERS or size > _HEADER_BYTES:
        raise DoorError(
            431, "there are too many headers", f"{_HEADERS} of {_HEADER_BYTES} bytes together at most"
        )
    return found


def _check_type(found: dict[bytes, Any]) -> None:
    encoding = found.get(b"content-encoding", b"identity")
    if not _JSON.fullmatch(found.get(b"content-type", b"")) or encoding.lower() != b"identity":
        raise DoorError(
            415,
            "the body is of another kind than JSON",
            "Content-Type: application/json, UTF-8, not compressed",
        )
