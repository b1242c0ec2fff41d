"""What would keep a target from being served is found before Ray starts, and told in one line."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
import yaml
from certificate import self_signed
from growing_lake import GrowingLake

from casper_ray.config_files import configs_dir
from casper_ray.errors import ConfigError, LakeError, LeaseHeldError, UserError
from casper_ray.lakehouse.lease import catalog_lease
from casper_ray.serve.checks import check_target
from casper_ray.serve.front import free_ports
from casper_ray.serve.target import Target, load_target

LOCAL = yaml.safe_load((configs_dir() / "serve" / "local.yml").read_text())


class Targets:
    """Targets of the refund agent over one lake, on a free port."""

    def __init__(self, folder: Path, lake: str) -> None:
        self._folder, self._lake = folder, lake

    def target(self, http: dict[str, Any] | None = None, **args: Any) -> Target:
        options = {"host": "127.0.0.1", "port": free_ports(1)[0]} | (http or {})
        settings = {"lake": self._lake, "agents": {"refund": {}}} | args
        application = LOCAL["applications"][0] | {"args": settings}
        file = self._folder / "target.yml"
        file.write_text(yaml.safe_dump(LOCAL | {"http_options": options, "applications": [application]}))
        return load_target(str(file))


@pytest.fixture
def targets(tmp_path: Path, served_lake: GrowingLake) -> Targets:
    return Targets(tmp_path, str(served_lake.catalog.lake))


def refused(target: Target, kind: type[UserError] = ConfigError) -> str:
    with pytest.raises(kind) as caught:
        check_target(target, local=True)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_can_be_served_is_listed(targets: Targets) -> None:
    (served,) = check_target(targets.target(), local=True)
    assert (served.agent, served.engine, served.catalog.name) == ("refund", "policy", "caspers")


def test_port_that_is_taken_is_told(targets: Targets) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        target = targets.target({"port": taken.getsockname()[1]})
        assert "cannot be had (Address already in use)" in refused(target, UserError)
        assert check_target(target, local=False)


def test_unknown_agent_is_told_with_those_there_are(targets: Targets) -> None:
    assert "'refnud': there is none of that name. Hint: agents are ['alert'" in refused(
        targets.target(agents={"refnud": {}})
    )


def test_unknown_engine_is_told_with_those_there_are(targets: Targets) -> None:
    told = refused(targets.target(agents={"refund": {"engine": "oracle"}}))
    assert "agent 'refund': engine 'oracle': there is none" in told


def test_engine_without_its_endpoint_is_told(targets: Targets, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CASPER_LLM_BASE_URL", raising=False)
    assert "CASPER_LLM_BASE_URL: is not set" in refused(targets.target(agents={"refund": {"engine": "loop"}}))


def test_no_agent_at_all_is_told(targets: Targets) -> None:
    assert "agents: none is named" in refused(targets.target(agents={}))


def test_agent_of_a_domain_that_is_not_served_is_told(targets: Targets) -> None:
    assert "agent 'fraud' works on domain 'bank'" in refused(targets.target(agents={"fraud": {}}))


def test_unknown_catalog_is_told(targets: Targets) -> None:
    assert "has no catalog 'nowhere'" in refused(targets.target(catalogs={"kitchen": "nowhere"}), LakeError)


def test_lake_that_is_not_there_is_told(targets: Targets, tmp_path: Path) -> None:
    assert "has no catalog 'caspers'" in refused(targets.target(lake=str(tmp_path / "none")), LakeError)


def test_lake_without_a_batch_is_told(targets: Targets, tmp_path: Path) -> None:
    (tmp_path / "empty" / "caspers").mkdir(parents=True)
    assert "has no batch yet" in refused(targets.target(lake=str(tmp_path / "empty")), LakeError)


def test_agent_that_somebody_decides_for_is_told_with_whom(tmp_path: Path, lake: GrowingLake) -> None:
    target = Targets(tmp_path, str(lake.catalog.lake)).target()
    with catalog_lease(lake.catalog, "agents-refund"):
        assert "decides for it since" in refused(target, LeaseHeldError)


def test_pair_of_certificate_and_key_is_taken(targets: Targets, tmp_path: Path) -> None:
    files = self_signed(tmp_path)
    target = targets.target({"ssl_certfile": str(files.certificate), "ssl_keyfile": str(files.key)})
    assert check_target(target, local=True)
    assert target.url.startswith("https://127.0.0.1:")


def test_certificate_that_is_not_there_is_told(targets: Targets, tmp_path: Path) -> None:
    files = self_signed(tmp_path)
    options = {"ssl_certfile": str(tmp_path / "none.pem"), "ssl_keyfile": str(files.key)}
    assert "TLS certificate" in refused(targets.target(options))


def test_key_that_others_can_read_is_refused(targets: Targets, tmp_path: Path) -> None:
    files = self_signed(tmp_path)
    files.key.chmod(0o644)
    options = {"ssl_certfile": str(files.certificate), "ssl_keyfile": str(files.key)}
    assert "others than its owner have access to it (mode 0644, expected 0600)" in refused(
        targets.target(options)
    )


def test_key_of_another_certificate_is_refused(targets: Targets, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    one, two = self_signed(tmp_path / "one"), self_signed(tmp_path / "two")
    options = {"ssl_certfile": str(one.certificate), "ssl_keyfile": str(two.key)}
    assert "cannot be used together" in refused(targets.target(options))


def test_secret_of_tokens_that_others_can_read_is_refused(targets: Targets, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s" * 40)
    secret.chmod(0o604)
    jwt = {"algorithm": "HS256", "key_file": str(secret), "issuer": "i", "audience": "a"}
    assert "others than its owner have access" in refused(targets.target(access={"jwt": jwt}))


def test_keys_that_others_can_read_are_refused(targets: Targets, tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    keys.write_text('{"keys": []}')
    keys.chmod(0o644)
    assert "others than its owner have access" in refused(targets.target(access={"keys_file": str(keys)}))


def test_model_whose_folder_is_not_there_is_told(targets: Targets, tmp_path: Path) -> None:
    llm = {"name": "m", "source": str(tmp_path / "no-model")}
    assert "no-model" in refused(targets.target(llm=llm))
