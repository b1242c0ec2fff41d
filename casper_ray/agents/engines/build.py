"""Engines by name, as commands ask for them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from casper_ray.agents.engines.engine import Engine
from casper_ray.agents.engines.policy import PolicyEngine
from casper_ray.agents.engines.settings import EngineSettings, load_engine_settings
from casper_ray.config import load_model_endpoint, load_model_name
from casper_ray.errors import ConfigError

if TYPE_CHECKING:
    from casper_ray.agents.engines.endpoint import Endpoint

ENGINES: Final = ("policy", "single_shot", "loop", "cascade", "recorded")


def build_engine(name: str, settings: EngineSettings | None = None) -> Engine:
    """The engine of a name. settings: None: those of configs/engines/model.yml.

    Raises: ConfigError: there is none of that name, the environment names no endpoint, or no folder is told of.
    """
    if name not in ENGINES:
        raise ConfigError(f"engine {name!r}: there is none of that name", f"engines are {list(ENGINES)}")
    if name == "policy":
        return PolicyEngine()
    settings = settings or load_engine_settings()
    if name == "recorded":
        return _asking("recorded", settings.mode, settings, _recorded(settings))
    if name == "cascade":
        # Imported here, as below: who runs the policy alone has no model's libraries to load.
        from casper_ray.agents.engines.cascade import Cascade

        return Cascade(then=_asking(settings.mode, settings.mode, settings, _live(settings)))
    return _asking(name, name, settings, _live(settings))


def _asking(name: str, mode: str, settings: EngineSettings, endpoint: Endpoint) -> Engine:
    from casper_ray.agents.engines.asking import AskingEngine

    recorded = endpoint.recorded is not None
    if mode == "loop":
        from casper_ray.agents.engines.loop import keep_unanswerable, tool_loop

        return AskingEngine(
            name=name,
            mode=mode,
            way=tool_loop,
            endpoint=endpoint,
            asked_by=settings,
            seen=keep_unanswerable,
            deterministic=recorded,
        )
    from casper_ray.agents.engines.single_shot import single_shot

    return AskingEngine(
        name=name,
        mode=mode,
        way=single_shot,
        endpoint=endpoint,
        asked_by=settings,
        deterministic=recorded,
    )


def _live(settings: EngineSettings) -> Endpoint:
    from casper_ray.agents.engines.endpoint import Endpoint

    place = load_model_endpoint()
    return Endpoint(
        base_url=place.base_url,
        api_key=place.api_key,
        model=_model(settings.model or place.model),
        record=_folder(settings) if settings.record else None,
    )


def _recorded(settings: EngineSettings) -> Endpoint:
    from casper_ray.agents.engines.endpoint import Endpoint

    return Endpoint(model=_model(settings.model or load_model_name()), recorded=_folder(settings))


def _model(name: str | None) -> str:
    if name is None:
        raise ConfigError("CASPER_LLM_MODEL: is not set", "name the model, there or in the engine's settings")
    return name


def _folder(settings: EngineSettings) -> Path:
    if settings.recordings is None:
        raise ConfigError("recordings: no folder is named", "name one in the engine's settings")
    return settings.recordings
