"""Answers by the SHA-256 of their request: a folder of JSON files, one a request."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import httpx2

from casper_ray.agents.engines.budget import CaseFailedError
from casper_ray.durable import write_file


def request_digest(content: bytes) -> str:
    """Of what is asked, model and sampling too; not of where, by whom, or in which order its keys are written."""
    text = json.dumps(json.loads(content), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


class Recorded(httpx2.AsyncBaseTransport):
    """Answers from a folder, and nothing else: what is not there fails the case as `not_recorded`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        try:
            content = _file(self._folder, request.content).read_bytes()
        except FileNotFoundError:
            raise CaseFailedError("not_recorded") from None
        return httpx2.Response(200, content=content, request=request)


class Recording(httpx2.AsyncBaseTransport):
    """Keeps what another transport answers. Only what worked: a failure may be over the next time."""

    def __init__(self, inner: httpx2.AsyncBaseTransport, folder: Path) -> None:
        self._inner, self._folder = inner, folder

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await self._inner.handle_async_request(request)
        if response.status_code == httpx2.codes.OK:
            content = await response.aread()
            write_file(_file(self._folder, request.content), content)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


def _file(folder: Path, content: bytes) -> Path:
    return folder / f"{request_digest(content)}.json"
