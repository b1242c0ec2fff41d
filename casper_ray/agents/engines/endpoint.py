"""An OpenAI-compatible endpoint: how one case reaches it, and which word stands for what went wrong on the way."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from openai import APIStatusError, AsyncOpenAI

from casper_ray.agents.engines.budget import CaseFailedError, Meter
from casper_ray.agents.engines.recorded import Recorded, Recording
from casper_ray.agents.engines.settings import EngineSettings
from casper_ray.agents.engines.transport import Metered, Retrying

_NOWHERE = "http://recorded.invalid/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a model is. recorded: a folder of answers that stands in for it; record: one that answers are kept in."""

    base_url: str = _NOWHERE
    model: str
    api_key: str = field(default="none", repr=False)
    recorded: Path | None = None
    record: Path | None = None

    @asynccontextmanager
    async def opened(self, settings: EngineSettings) -> AsyncIterator[httpx2.AsyncBaseTransport]:
        """Connections that many cases share, as many as are worked on at once."""
        if self.recorded is not None:
            yield Recorded(self.recorded)
            return
        limits = httpx2.Limits(max_connections=settings.at_once, max_keepalive_connections=settings.at_once)
        way: httpx2.AsyncBaseTransport = Retrying(httpx2.AsyncHTTPTransport(limits=limits), settings.retries)
        if self.record is not None:
            way = Recording(way, self.record)
        try:
            yield way
        finally:
            await way.aclose()

    def client(
        self,
        way: httpx2.AsyncBaseTransport,
        meter: Meter,
        seen: Callable[[dict[str, Any]], None],
        settings: EngineSettings,
    ) -> AsyncOpenAI:
        """One case's client. Not to be closed: the connections are shared."""
        door = httpx2.AsyncClient(transport=Metered(way, meter, seen), trust_env=False)
        return AsyncOpenAI(
            base_url=self.base_url,
            api_key=self.api_key,
            max_retries=0,
            timeout=settings.request_s,
            http_client=door,
        )


_BY_ERROR: tuple[tuple[type[Exception], str], ...] = (
    (httpx2.ConnectError, "unreachable"),
    (httpx2.TimeoutException, "timeout"),
    (httpx2.NetworkError, "cut"),
    (httpx2.ProtocolError, "cut"),
)


def failure_of(error: BaseException) -> str | None:
    """The word for what stopped a case, from the error or what caused it; None: nothing of the endpoint's.

    unreachable, timeout, cut (the connection broke before the reply was whole), rate_limited (429), busy (503),
    rejected (another 4xx), endpoint_error (another 5xx, or no chat completion), or a `CaseFailedError`'s own.
    """
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, CaseFailedError):
            return seen.failure
        if isinstance(seen, APIStatusError):
            return _of_status(seen.status_code)
        for kind, failure in _BY_ERROR:
            if isinstance(seen, kind):
                return failure
        seen = seen.__cause__ or seen.__context__
    return None


def _of_status(status: int) -> str:
    named = {429: "rate_limited", 503: "busy"}
    return named.get(status, "rejected" if 400 <= status < 500 else "endpoint_error")
