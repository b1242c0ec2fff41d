"""Settings of engines that ask a model: configs/engines/NAME.yml."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from casper_ray.agents.engines.budget import Budget, Prices
from casper_ray.config_files import checked, configs_dir, load_mapping
from casper_ray.spec import Spec


class Retries(Spec):
    """Of a request that did no work yet: connection refused, 429, 503.

    retry_after_at_most_s: an endpoint that asks for more patience than this is not asked again.
    """

    attempts: int = Field(default=4, ge=1, le=20)
    wait_s: float = Field(default=0.2, ge=0, le=60)
    retry_after_at_most_s: float = Field(default=20.0, ge=0, le=300)


class EngineSettings(Spec):
    """How a model is asked.

    mode:       of a cascade and of recordings: how the model is asked.
    model:      its name; none: the environment's.
    request_s:  seconds that one request may take.
    at_once:    cases that are worked on at the same time; the others wait.
    recordings: folder of recorded answers: what `recorded` reads, and what `record` writes.
    """

    mode: Literal["single_shot", "loop"] = "single_shot"
    model: str | None = Field(default=None, min_length=1, max_length=200)
    temperature: float | None = Field(default=0.0, ge=0, le=2)
    seed: int | None = None
    answer_tokens: int = Field(default=800, ge=16, le=100_000)
    request_s: float = Field(default=30.0, gt=0, le=600)
    at_once: int = Field(default=8, ge=1, le=1000)
    budget: Budget = Budget()
    prices: Prices = Prices()
    retries: Retries = Retries()
    recordings: Path | None = None
    record: bool = False

    def sampling(self) -> dict[str, Any]:
        """What of a request's settings is sent, by the protocol's names."""
        asked = {
            "temperature": self.temperature,
            "seed": self.seed,
            "max_completion_tokens": self.answer_tokens,
        }
        return {name: value for name, value in asked.items() if value is not None}

    def of_version(self) -> dict[str, Any]:
        """What can change an answer: not where the endpoint is, not how many are asked at once."""
        return {
            "sampling": self.sampling(),
            "budget": self.budget.model_dump(mode="json"),
            "prices": self.prices.model_dump(mode="json"),
        }


def load_engine_settings(name: str = "model") -> EngineSettings:
    """The settings of configs/engines/NAME.yml. Raises: ConfigError."""
    path = configs_dir() / "engines" / f"{name}.yml"
    return checked(EngineSettings, load_mapping(path), str(path))
