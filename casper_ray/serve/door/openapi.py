"""The OpenAPI document: what FastAPI knows of the routes, with keys, refusals and bodies declared once for all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from casper_ray.serve.door import answers

_SCHEME: Final = "key"
_REF: Final = "#/components/schemas/{model}"
_ERROR: Final = {"$ref": _REF.format(model="ErrorBody")}
_WHY: Final[Mapping[int, str]] = {
    400: "The request is no HTTP that is understood here",
    401: "Who asks is not known: no key, one that is over, or a token that does not hold",
    403: "The role may not do this",
    404: "There is none of that name or id",
    408: "The body took too long to come",
    409: "Nothing to decide on yet, the Idempotency-Key was used for something else, or a key's state forbids it",
    413: "The body is too large",
    415: "The body is not said to be JSON",
    422: "What was sent does not fit",
    429: "The key's rate is used up; Retry-After says until when",
    431: "The headers are too large",
    503: "Busy, starting, or held by another writer; Retry-After says when to ask again",
    504: "It took too long; ask again with the same Idempotency-Key",
}


_ANSWERS: Final[Mapping[tuple[str, str, int], type[BaseModel]]] = {
    ("/healthz", "get", 200): answers.Alive,
    ("/readyz", "get", 200): answers.Ready,
    ("/readyz", "get", 503): answers.Ready,
    ("/v1/agents", "get", 200): answers.ServedAgents,
    ("/v1/agents/{agent}/decisions", "post", 200): answers.DecisionRow,
    ("/v1/agents/{agent}/switch", "put", 200): answers.Switched,
    ("/v1/decisions/{decision_id}", "get", 200): answers.DecisionRow,
    ("/v1/audit", "get", 200): answers.Events,
    ("/v1/keys", "get", 200): answers.Keys,
    ("/v1/keys", "post", 201): answers.ShownKey,
    ("/v1/keys/{key_id}/rotate", "post", 200): answers.ShownKey,
    ("/v1/keys/{key_id}", "delete", 200): answers.Key,
}
"""What routes answer that write their JSON themselves."""
_TAGS: Final[Mapping[str, str]] = {
    "agents": "Agents, decisions and kill switches",
    "openai": "The same agents, and the LLM, for clients of OpenAI's protocol",
    "audit": "Who asked for what, and what came of it",
    "keys": "API keys",
    "health": "What lives, and what is ready",
    "operations": "Numbers for Prometheus",
}


class Refusal(BaseModel):
    """type: for programs; message: for people, with nothing of what was sent; hint: what to do about it."""

    type: str
    message: str
    hint: str


class ErrorBody(BaseModel):
    """Every refusal."""

    error: Refusal


def describe(app: FastAPI) -> None:
    """Make `app.openapi` the whole document, built when it is first asked for."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign] # FastAPI's own way of changing it


def _document(app: FastAPI) -> dict[str, Any]:
    tags = [{"name": name, "description": told} for name, told in _TAGS.items()]
    document = get_openapi(
        title=app.title, version=app.version, summary=app.summary, routes=app.routes, tags=tags
    )
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas |= _schemas({ErrorBody, *_ANSWERS.values()})
    document["components"]["securitySchemes"] = {_SCHEME: {"type": "http", "scheme": "bearer"}}
    for path, method, operation in _operations(document):
        schemas |= _definitions(operation)
        operation["responses"] = _responses(path, method, operation)
        if not operation.get("x-public"):
            operation["security"] = [{_SCHEME: []}]
    return document


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def _responses(path: str, method: str, operation: Mapping[str, Any]) -> dict[str, Any]:
    """Every answer that an operation can come to: its own, then refusals."""
    own = {status: told for status, told in operation["responses"].items() if status != "422"}
    for (at, how, status), model in _ANSWERS.items():
        if (at, how) == (path, method):
            described = own.setdefault(str(status), {"description": "A part cannot work now"})
            described["content"] = _json({"$ref": _REF.format(model=model.__name__)})
    refusals = {
        str(status): {"description": _WHY[status], "content": _json(_ERROR)}
        for status in _statuses(path, operation)
    }
    return refusals | own


def _json(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _schemas(models: set[type[BaseModel]]) -> dict[str, Any]:
    """The schemas of what is answered, and of all that they refer to."""
    found: dict[str, Any] = {}
    for model in models:
        schema = model.model_json_schema(ref_template=_REF, mode="serialization")
        found |= {**schema.pop("$defs", {}), model.__name__: schema}
    return found


def _definitions(operation: Mapping[str, Any]) -> dict[str, Any]:
    """What a body's schema refers to, taken out of it: references are to the document's own."""
    content = operation.get("requestBody", {}).get("content", {})
    found: dict[str, Any] = {}
    for described in content.values():
        found |= described["schema"].pop("$defs", {})
    return found


def _statuses(path: str, operation: Mapping[str, Any]) -> list[int]:
    """The refusals that an operation can come to."""
    found = {400, 408, 413, 422, 431, 503, 504}  # of requests that are none, and of bodies, wanted or not
    if not operation.get("x-public"):
        found |= {401, 403, 429}
    if "requestBody" in operation:
        found |= {415}
    if "{" in path or _is_keyed(operation):
        found |= {404}
    if _is_keyed(operation) or "keys" in operation.get("tags", ()):
        found |= {409}
    return sorted(found)


def _is_keyed(operation: Mapping[str, Any]) -> bool:
    """Whether it decides: those operations take an Idempotency-Key."""
    return any(parameter["name"] == "Idempotency-Key" for parameter in operation.get("parameters", ()))
