"""API keys: seen by auditors, made, given new secrets and revoked by admins."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from casper_ray.errors import UserError
from casper_ray.serve.access.api_keys import ID_PATTERN, KeyName, MadeKey
from casper_ray.serve.access.key_file import keys_path
from casper_ray.serve.access.key_store import LONGEST_S, KeyConflictError, KeyStore, NoSuchKeyError
from casper_ray.serve.access.principal import Action, Principal, Role
from casper_ray.serve.door.allow import Allow, note_done, services_of
from casper_ray.serve.door.body import body_schema, read_body
from casper_ray.serve.door.errors import DoorError

_KeyId = Annotated[str, Path(pattern=f"^{ID_PATTERN}$")]
_Seconds = Annotated[float, Field(gt=0, le=LONGEST_S, allow_inf_nan=False)]
_Admin = Annotated[Principal, Depends(Allow(Action.MANAGE_KEYS))]
Result = TypeVar("Result")


class WantedKey(BaseModel):
    """expires_s: seconds from now; left out: never."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={"examples": [{"name": "shop floor", "role": "operator"}]},
    )

    name: KeyName
    role: Role
    expires_s: _Seconds | None = None


class WantedRotation(BaseModel):
    """overlap_s: seconds for which the old secret stays good. expires_s: left out: as before."""

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"examples": [{"overlap_s": 3600}]}
    )

    overlap_s: float = Field(default=0.0, ge=0, le=LONGEST_S, allow_inf_nan=False)
    expires_s: _Seconds | None = None


def build_keys_router() -> APIRouter:
    router = APIRouter(tags=["keys"])

    @router.get("/v1/keys", dependencies=[Depends(Allow(Action.SEE_KEYS))])
    async def keys(request: Request) -> JSONResponse:
        """Every key, revoked and expired ones too; no secrets."""
        records = await _done(_store(request).records)
        return JSONResponse({"keys": [record.told() for record in records]})

    @router.post("/v1/keys", status_code=201, openapi_extra=body_schema(WantedKey))
    async def add(request: Request, who: _Admin) -> JSONResponse:
        """Make a key. It is in this answer, and nowhere else."""
        body = await read_body(request, WantedKey)
        made = await _done(lambda: _store(request).add(body.name, body.role, expires_s=body.expires_s))
        note_done(request, Action.MANAGE_KEYS, who, "key_made")
        return _shown(made, 201)

    @router.post("/v1/keys/{key_id}/rotate", openapi_extra=body_schema(WantedRotation))
    async def rotate(request: Request, key_id: _KeyId, who: _Admin) -> JSONResponse:
        """Give a key a new secret. It is in this answer, and nowhere else."""
        body = await read_body(request, WantedRotation)
        store = _store(request)
        made = await _done(lambda: store.rotate(key_id, overlap_s=body.overlap_s, expires_s=body.expires_s))
        note_done(request, Action.MANAGE_KEYS, who, "key_rotated")
        return _shown(made, 200)

    @router.delete("/v1/keys/{key_id}")
    async def revoke(request: Request, key_id: _KeyId, who: _Admin) -> JSONResponse:
        """Revoke a key: within a second no door opens for it. The last one of an admin is left."""
        record = await _done(lambda: _store(request).revoke(key_id, leave_admin=True))
        note_done(request, Action.MANAGE_KEYS, who, "key_revoked")
        return JSONResponse(record.told())

    return router


def _store(request: Request) -> KeyStore:
    return KeyStore(keys_path(services_of(request).settings))


def _shown(made: MadeKey, status: int) -> JSONResponse:
    shown: dict[str, Any] = {**made.record.told(), "key": made.text}
    return JSONResponse(shown, status)


async def _done(work: Callable[[], Result]) -> Result:
    """What `work` gives, in a thread, since it waits for a file. Raises: DoorError: 404, 409, 503."""
    try:
        return await asyncio.to_thread(work)
    except NoSuchKeyError as error:
        raise DoorError(404, error.what, "GET /v1/keys lists them") from None
    except KeyConflictError as error:
        raise DoorError(409, error.what, error.hint) from None
    except (UserError, OSError):
        raise DoorError(
            503, "the API keys cannot be read or written", "the operator's `casper serve keys ls` says why"
        ) from None
