"""The deployment of a model: `ray.serve.llm`'s, of vLLM, with our replica in it and no ingress of its own."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from casper_ray.console.figures import one_line
from casper_ray.errors import ConfigError
from casper_ray.serve.settings import LlmSettings

if TYPE_CHECKING:
    from ray.serve import Application

_CPU_ENVIRONMENT: Final = {"VLLM_CPU_KVCACHE_SPACE": "1"}
"""GiB; vLLM's own default is a good part of the machine."""
_HEALTH: Final = {
    "health_check_period_s": 2.0,  # an engine that died is found out by the third
    "health_check_timeout_s": 30.0,
    "graceful_shutdown_timeout_s": 20.0,
}
_LONGEST: Final = 300


def build_model(settings: LlmSettings) -> Application:
    """The model's deployment, to be bound into the door, which makes a `HandleModel` of its handle. Ray has to be up.

    Raises: ConfigError: vLLM is not installed, the model's or an adapter's folder is not there, or an argument is
            none of the engine's.
    """
    check_model(settings)
    logging.disable(
        logging.WARNING
    )  # vLLM and ray.serve.llm tell at length of arguments that are as they should be
    try:
        from ray.serve.llm import LLMConfig, build_llm_deployment

        from casper_ray.serve.llm.server import ChatServer

        config = LLMConfig(**llm_options(settings))
        if settings.device == "cpu":  # a GPU's arguments are looked at where the GPU is
            _check_arguments(config)
        built: Application = build_llm_deployment(config, name_prefix="llm:", deployment_cls=ChatServer)
    except (ValueError, RuntimeError) as error:
        said = one_line(str(error))[:_LONGEST]
        raise ConfigError(f"llm: {said}", "engine has vLLM's arguments by their names") from error
    finally:
        logging.disable(logging.NOTSET)
    return built


def check_model(settings: LlmSettings) -> None:
    """Raises: ConfigError, as `build_model` does, for what can be seen without an engine."""
    for what, source in {"source": settings.source, **settings.adapters}.items():
        _check_folder(what, source, "config.json" if what == "source" else "adapter_config.json")
    if find_spec("vllm") is None:
        raise ConfigError(
            "llm: vLLM is not installed here",
            "install casper-ray[vllm] for GPUs; for CPUs `make .venv-vllm/.ready` has the steps",
        )


def llm_options(settings: LlmSettings) -> dict[str, Any]:
    """What `ray.serve.llm.LLMConfig` is made of."""
    options: dict[str, Any] = {
        "model_loading_config": {"model_id": settings.name, "model_source": _placed(settings.source)},
        "engine_kwargs": _engine_arguments(settings),
        "deployment_config": _deployment(settings),
        "runtime_env": {"env_vars": _environment(settings)},
        "experimental_configs": {"stream_batching_interval_ms": 0},
        "log_engine_metrics": False,
    }
    if Path(settings.source).expanduser().is_dir():
        from casper_ray.serve.llm.on_disk import OnDisk

        options["callback_config"] = {"callback_class": OnDisk}
    if settings.device == "cpu":
        options["placement_group_config"] = {"bundles": [{"CPU": 1}]}
    return options


def _check_arguments(config: Any) -> None:
    """Raises: ValueError, RuntimeError, in vLLM's words."""
    from ray.llm._internal.serve.engines.vllm.vllm_engine import _get_vllm_engine_config

    _get_vllm_engine_config(config)


def _engine_arguments(settings: LlmSettings) -> dict[str, Any]:
    arguments = dict(settings.engine)
    if settings.adapters:
        from vllm.entrypoints.openai.models.protocol import LoRAModulePath

        arguments["enable_lora"] = True
        arguments["lora_modules"] = [
            LoRAModulePath(name=name, path=_placed(path)) for name, path in settings.adapters.items()
        ]
    return arguments


def _deployment(settings: LlmSettings) -> dict[str, Any]:
    least, most = settings.replicas
    scale: dict[str, Any] = {"num_replicas": least}
    if most > least:
        scaling = {
            "min_replicas": least,
            "max_replicas": most,
            "target_ongoing_requests": settings.at_once / 2,
        }
        scale = {"autoscaling_config": scaling}
    return {
        **scale,
        **_HEALTH,
        "max_ongoing_requests": settings.at_once,
        "max_queued_requests": 4 * settings.at_once,  # of each door; what is more is 503
        "max_constructor_retry_count": 3,
        "ray_actor_options": {"num_cpus": 0},  # the placement group has what the engine needs
    }


def _environment(settings: LlmSettings) -> Mapping[str, str]:
    return {**(_CPU_ENVIRONMENT if settings.device == "cpu" else {}), **settings.environment}


def _check_folder(what: str, source: str, file: str) -> None:
    """Raises: ConfigError where `source` is a path of a folder that is not there, or has no model in it."""
    path = Path(source).expanduser()
    if not path.is_dir():
        if source.startswith(("/", ".", "~")):
            raise ConfigError(f"llm: {what}: {source}: no such folder", "name a model's folder, or its id")
        return
    if not (path / file).is_file():
        raise ConfigError(
            f"llm: {what}: {source}: has no {file}", "name the folder that the model was saved in"
        )


def _placed(source: str) -> str:
    """A folder's absolute path: a replica runs elsewhere. An id stays what it is."""
    path = Path(source).expanduser()
    return str(path.absolute()) if path.is_dir() else source
