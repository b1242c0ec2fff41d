"""What the environment says. Only this module and `cli` read it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from casper_ray import failpoints
from casper_ray.errors import ConfigError

DEFAULT_LAKE = ".casper/lake"
DEFAULT_CATALOGS = {"kitchen": "caspers", "bank": "bank_dev"}
"""By domain."""
DEFAULT_CATALOG = DEFAULT_CATALOGS["kitchen"]
"""Of commands that are told of no domain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """Settings that belong to the machine rather than to a run."""

    ray_address: str | None
    cpus: int


def load_environment(env: Mapping[str, str] = os.environ) -> Environment:
    """The settings of `RAY_ADDRESS` and `CASPER_CPUS`; arms `CASPER_FAILPOINT=name[@hit]` for kill tests.

    Raises: ConfigError where a value cannot be used.
    """
    if failpoint := env.get("CASPER_FAILPOINT"):
        name, _, hit = failpoint.rpartition("@")
        failpoints.arm(name or failpoint, _positive("CASPER_FAILPOINT", hit) if name else 1)
    cpus = env.get("CASPER_CPUS")
    return Environment(
        ray_address=env.get("RAY_ADDRESS") or None,
        cpus=_positive("CASPER_CPUS", cpus) if cpus else max(2, len(os.sched_getaffinity(0))),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelEndpoint:
    """A model behind an OpenAI-compatible endpoint. The key is a secret: it is neither shown nor compared."""

    base_url: str
    model: str | None
    api_key: str = field(repr=False, compare=False)


def load_model_endpoint(env: Mapping[str, str] = os.environ) -> ModelEndpoint:
    """The endpoint of `CASPER_LLM_BASE_URL`, `CASPER_LLM_MODEL` and, where it wants one, `CASPER_LLM_API_KEY`.

    Raises: ConfigError, which quotes none of them: a URL can hold a password.
    """
    base_url = env.get("CASPER_LLM_BASE_URL", "")
    if not base_url:
        raise ConfigError("CASPER_LLM_BASE_URL: is not set", "give it the endpoint's URL, up to its /v1")
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.password:
        raise ConfigError("CASPER_LLM_BASE_URL: expected http(s)://host[:port]/path, without a user's name")
    return ModelEndpoint(
        base_url=base_url, model=load_model_name(env), api_key=env.get("CASPER_LLM_API_KEY") or "none"
    )


def load_model_name(env: Mapping[str, str] = os.environ) -> str | None:
    """The model of `CASPER_LLM_MODEL`."""
    return env.get("CASPER_LLM_MODEL") or None


class TokenKeyPlace(NamedTuple):
    """Where the environment says that the keys of tokens are; never the keys. Neither: it says nothing.

    in_environment: CASPER_TOKEN_KEYS has them; file: CASPER_TOKEN_KEYS_FILE names it, absolute.
    """

    in_environment: bool
    file: Path | None


def load_token_key_place(env: Mapping[str, str] = os.environ) -> TokenKeyPlace:
    """Where to read keys.

    Raises: ConfigError where two places are named, or a variable is set to nothing: a secret that could not be
    fetched must not become another key.
    """
    named = {name: env[name] for name in ("CASPER_TOKEN_KEYS", "CASPER_TOKEN_KEYS_FILE") if name in env}
    for name, text in named.items():
        if not text.strip():
            raise ConfigError(f"{name}: is empty", "give it a value, or unset it")
    if len(named) == 2:
        raise ConfigError(f"{' and '.join(named)}: both are set", "unset one of them")
    file = named.get("CASPER_TOKEN_KEYS_FILE")
    return TokenKeyPlace("CASPER_TOKEN_KEYS" in named, Path(file).expanduser().absolute() if file else None)


def token_keys_text(env: Mapping[str, str] = os.environ) -> str:
    """The secret text of CASPER_TOKEN_KEYS, empty where it is not set; not to be kept."""
    return env.get("CASPER_TOKEN_KEYS", "")


def _positive(name: str, text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise ConfigError(f"{name}: saw {text!r}, expected a whole number above 0")
    return int(text)
