"""What the door says when it does not do what was asked: one shape for every refusal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from casper_ray.errors import CasperError

TYPES: Final = {
    400: "bad_request",
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "timeout",
    409: "conflict",
    413: "too_large",
    415: "unsupported_media_type",
    422: "invalid",
    429: "rate_limited",
    431: "headers_too_large",
    500: "internal",
    503: "unavailable",
    504: "timeout",
}


class DoorError(CasperError):
    """A refusal: HTTP status, what, and what to do about it. Shown to whoever asked, so it quotes nothing of theirs
    that could be personal, and nothing of ours that is secret.
    """

    def __init__(
        self, status: int, message: str, hint: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status, message, hint, headers)
        self.status, self.message, self.hint, self.headers = status, message, hint, dict(headers or {})

    @property
    def type(self) -> str:
        return TYPES.get(self.status, "internal")

    def body(self) -> dict[str, Any]:
        """The JSON of it."""
        return {"error": {"type": self.type, "message": self.message, "hint": self.hint}}

    def __str__(self) -> str:
        return f"{self.status} {self.type}: {self.message}"
