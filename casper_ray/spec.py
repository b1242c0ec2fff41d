"""The base of what is read from YAML."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Spec(BaseModel):
    """Base of what is read from YAML: frozen, and a key that is not known is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")
