"""What a door counts: requests, refusals, who proved who they are, what waits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from casper_ray.serve.door.errors import TYPES
from casper_ray.serve.operations.labels import SECONDS, Bounded, method

WENT_AWAY: Final = 499
"""The status, as nginx calls it, of a request whose client did not wait for the answer."""


class DoorFigures:
    """One call a request."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._route, self._agent = Bounded(128), Bounded(64)
        self._known: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._requests = Counter(
            "casper_http_requests", "Requests answered.", ("route", "method", "status"), registry=registry
        )
        self._seconds = Histogram(
            "casper_http_request_seconds",
            "Seconds from a request's head to the last byte of its answer.",
            ("route",),
            buckets=SECONDS,
            registry=registry,
        )
        self._open = Gauge("casper_http_open_requests", "Requests being worked on.", registry=registry)
        self._refusals = Counter(
            "casper_refusals", "Requests refused, by the error's type.", ("type", "route"), registry=registry
        )
        proofs = Counter(
            "casper_authentications", "Keys and tokens looked at.", ("result",), registry=registry
        )
        self._proof = {result: proofs.labels(result) for result in ("cached", "proved", "refused")}
        self._waiting = Gauge(
            "casper_waiting_requests", "Requests waiting for a decision.", ("agent",), registry=registry
        )
        self._model_s = Histogram(
            "casper_model_request_seconds",
            "Seconds of requests that clients put to the model itself.",
            ("result",),
            buckets=SECONDS,
            registry=registry,
        )

    def began(self) -> None:
        """A request is here."""
        self._open.inc()

    def answered(self, *, route: str, http_method: str, status: int, seconds: float) -> None:
        """And is gone. route: as declared, empty where none matched."""
        at, by = self._route(route or "none"), method(http_method)
        self._open.dec()
        known = self._known.get((at, by, status))
        if known is None:
            known = self._requests.labels(at, by, str(status)), self._seconds.labels(at)
            self._known[at, by, status] = known
        known[0].inc()
        known[1].observe(seconds)
        if status >= 400 and status != WENT_AWAY:
            self._refusals.labels(TYPES.get(status, "internal"), at).inc()

    def authenticated(self, result: Literal["cached", "proved", "refused"]) -> None:
        """cached: known from a moment ago; proved: hashed or verified just now."""
        self._proof[result].inc()

    def watch_waiting(self, agent: str, waiting: Callable[[], int]) -> None:
        """From now on a scrape asks `waiting` how many requests wait at this door for the agent."""
        self._waiting.labels(self._agent(agent)).set_function(waiting)

    def asked_model(self, result: Literal["answered", "failed"], seconds: float) -> None:
        """A client's own request to the model is over."""
        self._model_s.labels(result).observe(seconds)
