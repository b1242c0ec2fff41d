"""What both clients share: how a request is made of a call, and when it is made again."""

from __future__ import annotations

import ssl
import uuid
from typing import Any, Final

import stamina

from casper_ray.serve.client_answers import ServeError
from casper_ray.serve.client_calls import Call

_BUSY: Final = (429, 502, 503, 504)
_WAITS_AT_MOST_S: Final = 30.0


class ClientBase:
    """What both clients know: where the door is, and when to ask again. The key is in no text of theirs."""

    def __init__(self, base_url: str, *, attempts: int) -> None:
        self.base_url, self._attempts = base_url.rstrip("/"), attempts

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_url!r})"

    def retries(self, call: Call[Any]) -> Any:
        attempts = self._attempts if call.repeatable else 1
        return stamina.retry_context(
            on=_again, attempts=attempts, timeout=None, wait_initial=0.2, wait_max=5.0
        )


def new_key() -> str:
    """An idempotency key that nobody else has."""
    return str(uuid.uuid4())


def arguments(call: Call[Any]) -> dict[str, Any]:
    return {
        "method": call.method,
        "url": call.path,
        "json": call.body,
        "params": call.params,
        "headers": call.headers,
    }


def _again(error: Exception) -> bool | float:
    """Whether a read is asked again, or in how many seconds."""
    if not isinstance(error, ServeError):
        return False
    if error.status in _BUSY and error.retry_after_s is not None:
        return min(error.retry_after_s, _WAITS_AT_MOST_S)
    return error.status == 0 or error.status in _BUSY


def headers(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"} if key else {}


def trusted(ca_file: str | None) -> ssl.SSLContext | bool:
    return ssl.create_default_context(cafile=ca_file) if ca_file else True
