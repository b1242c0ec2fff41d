"""A request's JSON body: read after whoever asks is known, told of in the OpenAPI document all the same."""

from __future__ import annotations

from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from casper_ray.serve.door.errors import DoorError

Body = TypeVar("Body", bound=BaseModel)


async def read_body(request: Request, model: type[Body]) -> Body:
    """The body as `model`.

    FastAPI would read it before any dependency is asked, so that a stranger's broken JSON was told of before the
    stranger was refused. Raises: DoorError 422, which says where and what was expected, but not what was there.
    """
    try:
        return model.model_validate_json(await request.body())
    except ValidationError as error:
        raise invalid(
            error.errors(include_url=False, include_input=False, include_context=False)[0]
        ) from None


def invalid(first: Any) -> DoorError:
    """422 of the first thing that does not fit, as pydantic tells of it."""
    place = ".".join(str(part) for part in first["loc"])[:200] or "body"
    return DoorError(422, f"{place}: {first['msg']}"[:400], "see /openapi.json")


def body_schema(model: type[BaseModel]) -> dict[str, Any]:
    """For a route's `openapi_extra`."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}
