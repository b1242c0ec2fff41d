"""From settings to what `ray.serve.llm` is told, and what is found out before anything starts."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from casper_ray.errors import ConfigError
from casper_ray.serve.llm.deployment import check_model, llm_options
from casper_ray.serve.settings import LlmSettings


def test_a_folder_that_is_not_there_is_the_users_to_mend(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such folder"):
        check_model(LlmSettings(name="m", source=str(tmp_path / "none")))


def test_a_folder_without_a_model_is_the_users_to_mend(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"has no config\.json"):
        check_model(LlmSettings(name="m", source=str(tmp_path)))


def test_an_adapter_that_is_not_there_is_the_users_to_mend(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    adapters = {"kind": str(tmp_path / "kind")}
    with pytest.raises(ConfigError, match="kind"):
        check_model(LlmSettings(name="m", source=str(tmp_path), adapters=adapters))


@pytest.mark.skipif(find_spec("vllm") is not None, reason="vLLM is here")
def test_without_vllm_the_steps_are_named(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ConfigError, match="vLLM is not installed"):
        check_model(LlmSettings(name="m", source=str(tmp_path)))


def test_a_folder_is_named_from_the_root_and_an_id_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model").mkdir()
    placed = llm_options(LlmSettings(name="m", source="model"))["model_loading_config"]["model_source"]
    assert placed == str(tmp_path / "model")
    named = llm_options(LlmSettings(name="m", source="org/model"))["model_loading_config"]["model_source"]
    assert named == "org/model"


def test_a_processor_needs_one_logical_processor_and_little_memory() -> None:
    options = llm_options(LlmSettings(name="m", source="org/model", device="cpu"))
    assert options["placement_group_config"] == {"bundles": [{"CPU": 1}]}
    assert options["runtime_env"]["env_vars"]["VLLM_CPU_KVCACHE_SPACE"] == "1"


def test_a_gpu_is_left_to_ray_serve_llm() -> None:
    assert "placement_group_config" not in llm_options(LlmSettings(name="m", source="org/model"))


def test_replicas_scale_between_their_bounds() -> None:
    fixed = llm_options(LlmSettings(name="m", source="org/model", replicas=(2, 2)))["deployment_config"]
    assert fixed["num_replicas"] == 2
    scaled = llm_options(LlmSettings(name="m", source="org/model", replicas=(1, 3)))["deployment_config"]
    assert scaled["autoscaling_config"]["max_replicas"] == 3
    assert "num_replicas" not in scaled


def test_the_users_environment_comes_last() -> None:
    settings = LlmSettings(
        name="m", source="org/model", device="cpu", environment={"VLLM_CPU_KVCACHE_SPACE": "4"}
    )
    assert llm_options(settings)["runtime_env"]["env_vars"]["VLLM_CPU_KVCACHE_SPACE"] == "4"
