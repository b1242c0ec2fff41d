"""The door's routes as a client calls them: one description for both clients."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import httpx2
from pydantic import BaseModel

from casper_ray.serve.client_answers import Decision, ServeError
from casper_ray.serve.door.answers import (
    Event,
    Events,
    Key,
    Keys,
    Ready,
    ServedAgent,
    ServedAgents,
    ShownKey,
    Switched,
)

T = TypeVar("T")
Shape = TypeVar("Shape", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[T]):
    """One request. read: the answer of a response that is one of `good`. headers: besides those of every request."""

    method: str
    path: str
    read: Callable[[httpx2.Response], T]
    body: Mapping[str, Any] | None = None
    params: Mapping[str, Any] | None = None
    headers: Mapping[str, str] | None = None
    good: tuple[int, ...] = (200,)

    @property
    def repeatable(self) -> bool:
        """Whether it only reads: then, and only then, it is asked again after a failure."""
        return self.method == "GET"

    def answer(self, response: httpx2.Response) -> T:
        """Raises: ServeError."""
        if response.status_code not in self.good:
            raise refused(response)
        try:
            return self.read(response)
        except (ValueError, LookupError, TypeError) as error:
            raise ServeError(
                response.status_code,
                "not_understood",
                f"{self.method} {self.path}: the answer is not what this client knows",
                "are client and door of the same version?",
                response.headers.get("x-request-id", ""),
            ) from error


def agents() -> Call[tuple[ServedAgent, ...]]:
    return Call(
        method="GET", path="/v1/agents", read=lambda got: ServedAgents.model_validate_json(got.content).agents
    )


def decide(agent: str, subject: str, idempotency_key: str) -> Call[Decision]:
    return Call(
        method="POST",
        path=f"/v1/agents/{_part(agent)}/decisions",
        body={"subject": subject},
        headers={"Idempotency-Key": idempotency_key},
        read=_decision,
    )


def decision(decision_id: str) -> Call[Decision]:
    return Call(method="GET", path=f"/v1/decisions/{_part(decision_id)}", read=_decision)


def switch(agent: str, off: bool) -> Call[Switched]:
    return Call(
        method="PUT",
        path=f"/v1/agents/{_part(agent)}/switch",
        body={"off": off},
        read=_as(Switched),
    )


def ready() -> Call[Ready]:
    return Call(method="GET", path="/readyz", read=_as(Ready), good=(200, 503))


def audit(newest: int) -> Call[tuple[Event, ...]]:
    return Call(
        method="GET",
        path="/v1/audit",
        params={"newest": newest},
        read=lambda got: Events.model_validate_json(got.content).events,
    )


def keys() -> Call[tuple[Key, ...]]:
    return Call(method="GET", path="/v1/keys", read=lambda got: Keys.model_validate_json(got.content).keys)


def make_key(name: str, role: str, expires_s: float | None) -> Call[ShownKey]:
    body = {"name": name, "role": role, "expires_s": expires_s}
    return Call(method="POST", path="/v1/keys", body=body, read=_as(ShownKey), good=(201,))


def rotate_key(key_id: str, overlap_s: float, expires_s: float | None) -> Call[ShownKey]:
    body = {"overlap_s": overlap_s, "expires_s": expires_s}
    return Call(method="POST", path=f"/v1/keys/{_part(key_id)}/rotate", body=body, read=_as(ShownKey))


def revoke_key(key_id: str) -> Call[Key]:
    return Call(method="DELETE", path=f"/v1/keys/{_part(key_id)}", read=_as(Key))


def echo(body: Mapping[str, Any]) -> Call[Any]:
    return Call(method="POST", path="/v1/echo", body=body, read=lambda response: response.json())


def refused(response: httpx2.Response) -> ServeError:
    """What the door says of a request that it refused, or what stood in its way said."""
    request_id = response.headers.get("x-request-id", "")
    try:
        said = response.json()["error"]
        told = (str(said["type"]), str(said["message"]), str(said.get("hint", "")))
    except (ValueError, LookupError, TypeError, AttributeError):
        told = ("no_door", "what answered is no door of casper_ray", "is the address right?")
    wait = response.headers.get("retry-after", "")
    return ServeError(response.status_code, *told, request_id, float(wait) if wait.isdecimal() else None)


def unanswered(error: httpx2.TransportError) -> ServeError:
    """What is known of a request that got no answer."""
    if isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout):
        return ServeError(
            0, "unreachable", "nothing answers there", "is it started? see `casper serve status`"
        )
    if isinstance(error, httpx2.TimeoutException):
        return ServeError(0, "timeout", "no answer in time", _AGAIN)
    return ServeError(0, "cut", "the connection broke before the answer was whole", _AGAIN)


_AGAIN = "a decision may have been made; ask again with the same idempotency_key"


def _as(model: type[Shape]) -> Callable[[httpx2.Response], Shape]:
    """Reads a response as a model."""
    return lambda got: model.model_validate_json(got.content)


def _decision(response: httpx2.Response) -> Decision:
    replayed = response.headers.get("idempotent-replayed") == "true"
    return Decision.model_validate({**response.json(), "replayed": replayed})


def _part(text: str) -> str:
    """Text as one part of a path, whatever is in it."""
    return quote(text, safe="")
