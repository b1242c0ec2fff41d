"""The start page: for people who want to see what is served, and try it."""

from __future__ import annotations

from importlib.resources import files
from typing import Any, Final, NamedTuple

from fastapi import APIRouter
from fastapi.responses import Response

from casper_ray.serve.door.errors import DoorError

_PUBLIC: dict[str, Any] = {"x-public": True}
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
"""Only files of this door, no text in the page runs, and nothing is sent elsewhere."""


class _File(NamedTuple):
    data: bytes
    media_type: str


def build_page_router() -> APIRouter:
    router = APIRouter(include_in_schema=False)
    page = _file("page.html", "text/html")
    static = {
        "page.css": _file("page.css", "text/css"),
        "page.js": _file("page.js", "text/javascript"),
        "mark.svg": _file("mark.svg", "image/svg+xml"),
    }

    @router.get("/", openapi_extra=_PUBLIC)
    async def start() -> Response:
        """The page. It holds no data: its script asks the door for them, with the key of whoever looks."""
        return _answer(page, {"Content-Security-Policy": _POLICY})

    @router.get("/static/{name}", openapi_extra=_PUBLIC)
    async def file(name: str) -> Response:
        """What the page is made of."""
        if name not in static:
            raise DoorError(404, "no such file", "GET / is the start page")
        return _answer(static[name], {})

    return router


def _file(name: str, media_type: str) -> _File:
    return _File(files("casper_ray.serve.page").joinpath(name).read_bytes(), media_type)


def _answer(file: _File, headers: dict[str, str]) -> Response:
    return Response(file.data, media_type=file.media_type, headers=headers)
