"""What a served application is: the `args` of its part in configs/serve/NAME.yml."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field

from casper_ray.config import DEFAULT_LAKE
from casper_ray.serve.operations.settings import LogSettings, SpanSettings
from casper_ray.spec import Spec


class AgentSettings(Spec):
    """How one agent is served.

    engine:       who proposes, as `casper agents run --engine` names it.
    replicas:     of its proposers, from and to: Ray Serve scales between them.
    at_once:      cases that one replica works on together; what is more waits at the door.
    """

    engine: str = "policy"
    replicas: tuple[int, int] = (1, 2)
    at_once: int = Field(default=64, ge=1, le=10_000)
    cpus: float = Field(default=0.2, ge=0, le=64)


class JwtSettings(Spec):
    """Tokens of somebody else that are let in.

    key_file: the secret (HS256) or the public key (others), not readable by others if it is a secret.
    role_claim: names the role. leeway_s: by how much clocks may differ.
    """

    algorithm: Literal["HS256", "RS256", "ES256", "EdDSA"]
    key_file: Path
    issuer: str = Field(min_length=1)
    audience: str = Field(min_length=1)
    role_claim: str = "role"
    leeway_s: float = Field(default=30.0, ge=0, le=300)


class RateSettings(Spec):
    """Per key or token: so many requests a second, on average, and so many at once out of the blue."""

    per_s: float = Field(default=5_000.0, gt=0)
    burst: int = Field(default=10_000, ge=1)


class AccessSettings(Spec):
    """keys_file: API keys, hashed. None: the lake's own, `_casper/serve-keys.json` of the first catalog."""

    keys_file: Path | None = None
    jwt: JwtSettings | None = None
    rate: RateSettings = RateSettings()


class LimitSettings(Spec):
    """What a request may be. Above it is 413, 422, 408 or 504.

    body_s:    seconds in which the body has to be here. request_s: in which the answer has to be.
    decide_s:  in which a decision has to be made and kept.
    waiting:   requests that may wait for one agent at one door; above it is 503.
    """

    body_bytes: int = Field(default=256 << 10, ge=1_024, le=64 << 20)
    depth: int = Field(default=32, ge=2, le=200)
    body_s: float = Field(default=10.0, gt=0, le=600)
    request_s: float = Field(default=120.0, gt=0, le=3_600)
    decide_s: float = Field(default=30.0, gt=0, le=600)
    waiting: int = Field(default=2_000, ge=1)


class LlmSettings(Spec):
    """A model behind the door, served by vLLM through `ray.serve.llm`.

    name:   what `model` says to reach it. source: a folder, or an id that vLLM knows.
    engine: arguments of vLLM's engine, as vLLM names them.
    """

    name: str = Field(min_length=1, max_length=200)
    source: str = Field(min_length=1)
    device: Literal["cpu", "gpu"] = "gpu"
    replicas: tuple[int, int] = (1, 1)
    at_once: int = Field(default=256, ge=1)
    engine: Mapping[str, object] = Field(default_factory=dict)
    adapters: Mapping[str, str] = Field(default_factory=dict)
    environment: Mapping[str, str] = Field(default_factory=dict)


class DoorSettings(Spec):
    """The ingress: replicas from and to, and requests that one replica has open at the same time."""

    replicas: tuple[int, int] = (1, 4)
    at_once: int = Field(default=1_000, ge=1)
    cpus: float = Field(default=0.2, ge=0, le=64)


class ServeSettings(Spec):
    """All of it. catalogs: domain -> catalog; a domain that is not there is not served. agents: by name."""

    lake: str = DEFAULT_LAKE
    catalogs: Mapping[str, str] = Field(default_factory=lambda: {"kitchen": "caspers"})
    agents: Mapping[str, AgentSettings] = Field(default_factory=dict)
    door: DoorSettings = DoorSettings()
    access: AccessSettings = AccessSettings()
    limits: LimitSettings = LimitSettings()
    llm: LlmSettings | None = None
    logs: LogSettings = LogSettings()
    spans: SpanSettings = SpanSettings()
