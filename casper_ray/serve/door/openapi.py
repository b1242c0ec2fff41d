"""The OpenAPI document: what FastAPI knows of the routes, with keys, refusals and bodies declared once for all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

_SCHEME: Final = "key"
_ERROR: Final = {"$ref": "#/components/schemas/ErrorBody"}
_WHY: Final[Mapping[int, str]] = {
    400: "The request is no HTTP that is understood here",
    401: "Who asks is not known: no key, one that is over, or a token that does not hold",
    403: "The role may not do this",
    404: "There is none of that name or id",
    408: "The body took too long to come",
    409: "Nothing to decide on yet, or the Idempotency-Key was used for something else",
    413: "The body is too large",
    422: "What was sent does not fit",
    429: "The key's rate is used up; Retry-After says until when",
    431: "The headers are too large",
    503: "Busy, starting, or held by another writer; Retry-After says when to ask again",
    504: "It took too long; ask again with the same Idempotency-Key",
}


class ErrorBody(BaseModel):
    """Every refusal."""

    class Error(BaseModel):
        """type: for programs; message: for people, with nothing of what was sent; hint: what to do about it."""

        type: str
        message: str
        hint: str

    error: Error


def describe(app: FastAPI) -> None:
    """Make `app.openapi` the whole document, built when it is first asked for."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign] # FastAPI's own way of changing it


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        routes=app.routes,
        tags=app.openapi_tags,
    )
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    told = ErrorBody.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= {**told.pop("$defs"), "ErrorBody": told}
    document["components"]["securitySchemes"] = {_SCHEME: {"type": "http", "scheme": "bearer"}}
    for path, operation in _operations(document):
        schemas |= _definitions(operation)
        operation["responses"] |= {
            str(status): {"description": _WHY[status], "content": {"application/json": {"schema": _ERROR}}}
            for status in _statuses(path, operation)
        }
        if not operation.get("x-public"):
            operation["security"] = [{_SCHEME: []}]
    return document


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for operation in methods.values():
            yield path, operation


def _definitions(operation: Mapping[str, Any]) -> dict[str, Any]:
    """What a body's schema refers to, taken out of it: references are to the document's own."""
    content = operation.get("requestBody", {}).get("content", {})
    found: dict[str, Any] = {}
    for described in content.values():
        found |= described["schema"].pop("$defs", {})
    return found


def _statuses(path: str, operation: Mapping[str, Any]) -> list[int]:
    """The refusals that an operation can come to."""
    found = {400, 431, 503}
    if not operation.get("x-public"):
        found |= {401, 403, 429, 504}
    if "{" in path:
        found |= {404}
    if operation.get("parameters"):
        found |= {422}
    if "requestBody" in operation:
        found |= {404, 408, 409, 413, 422}
    return sorted(found)
