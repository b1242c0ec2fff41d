"""Targets of `casper serve`: what ships fits Ray Serve's schema and ours; what does not fit is told in one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from casper_ray.agents.registry import AGENTS
from casper_ray.config_files import configs_dir
from casper_ray.errors import ConfigError
from casper_ray.serve.target import load_target

SHIPPED = sorted(file.stem for file in (configs_dir() / "serve").glob("*.yml"))


def written(folder: Path, **changes: Any) -> str:
    """A target's file: the local one, with top-level keys replaced."""
    raw = yaml.safe_load((configs_dir() / "serve" / "local.yml").read_text())
    file = folder / "target.yml"
    file.write_text(yaml.safe_dump(raw | changes))
    return str(file)


def application(**changes: Any) -> list[dict[str, Any]]:
    return [{"name": "casper", "import_path": "casper_ray.serve.application:build"} | changes]


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_target_fits_ray_serve_and_us(name: str) -> None:
    from ray.serve.schema import ServeDeploySchema

    raw = yaml.safe_load((configs_dir() / "serve" / f"{name}.yml").read_text())
    deployed = ServeDeploySchema.model_validate(raw)
    target = load_target(name)
    assert deployed.http_options.host == target.http.host
    assert deployed.applications[0].route_prefix == "/"
    assert target.settings.agents


def test_every_agent_is_served_by_a_shipped_target() -> None:
    assert set(load_target("both").settings.agents) == set(AGENTS)


def test_shipped_targets_listen_on_this_machine_only_but_the_clusters() -> None:
    hosts = {name: load_target(name).http.host for name in SHIPPED}
    assert {name for name, host in hosts.items() if host != "127.0.0.1"} == {"cluster"}


def test_command_line_goes_before_the_file(tmp_path: Path) -> None:
    target = load_target("local", lake=str(tmp_path), port=9_001)
    assert target.settings.lake == str(tmp_path)
    assert target.url == "http://127.0.0.1:9001"
    assert target.digest != load_target("local").digest


@pytest.mark.parametrize("named", ["nowhere", "../serve/local", "nowhere.yml", "a/b"])
def test_target_that_is_not_there_is_told_with_those_that_are(named: str) -> None:
    with pytest.raises(ConfigError, match=r"there is none.*local"):
        load_target(named)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"http_option": {}}, "unknown keys ['http_option']"),
        ({"http_options": {"prot": 1}}, "unknown keys ['prot']"),
        ({"http_options": {"port": 0}}, "port"),
        ({"http_options": {"ssl_certfile": "a.pem"}}, "go together"),
        ({"http_options": {"ssl_keyfile_password": "x"}}, "ssl_keyfile_password"),
        ({"applications": []}, "applications"),
        ({"applications": application() * 2}, "applications"),
        ({"applications": application(route_prefix="/x")}, "route_prefix"),
        ({"applications": application(import_path="os:system")}, "import_path"),
        ({"applications": application(args={"agnets": {}})}, "unknown keys ['agnets']"),
        (
            {"applications": application(args={"agents": {"refund": {"engin": "x"}}})},
            "unknown keys ['engin']",
        ),
        ({"applications": application(args={"lake": "s3://bucket"})}, "s3://"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(tmp_path: Path, changes: dict[str, Any], told: str) -> None:
    with pytest.raises(Exception, match=r".") as caught:
        load_target(written(tmp_path, **changes))
    assert type(caught.value).__name__ in ("ConfigError", "LakeError")
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_file_that_is_no_yaml_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "target.yml"
    file.write_text("applications: [")
    with pytest.raises(ConfigError, match="is not YAML"):
        load_target(str(file))
