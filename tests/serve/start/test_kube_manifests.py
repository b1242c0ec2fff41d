"""Manifests fit Kubernetes' schemas, KubeRay's fields and the target that they deploy, and hold no secret."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import kubernetes_validate
import pytest
import yaml
from dockerfile_parse import DockerfileParser

from casper_ray.config_files import configs_dir

KUBE = configs_dir() / "kube"
VERSION: Final = "1.33.0"
RAY_SERVICE: Final = {"serveConfigV2", "serveService", "rayClusterConfig"}
CLUSTER: Final = {
    "rayVersion",
    "enableInTreeAutoscaling",
    "autoscalerOptions",
    "headGroupSpec",
    "workerGroupSpecs",
}
WORKERS: Final = {"groupName", "replicas", "minReplicas", "maxReplicas", "rayStartParams", "template"}
"""Fields of ray.io/v1 that are used: KubeRay's types name each of them; its schema is on no package index."""


def manifest(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((KUBE / f"{name}.yml").read_text())
    return found


def validated(data: dict[str, Any]) -> None:
    kubernetes_validate.validate(data, VERSION, strict=True)


def pods() -> Iterator[tuple[str, dict[str, Any]]]:
    cluster = manifest("rayservice")["spec"]["rayClusterConfig"]
    yield "head", cluster["headGroupSpec"]["template"]
    for group in cluster["workerGroupSpecs"]:
        yield group["groupName"], group["template"]


PODS: Final = dict(pods())


@pytest.mark.parametrize("name", ["lake-claim", "network-policy"])
def test_manifest_fits_kubernetes(name: str) -> None:
    validated(manifest(name))


def test_schema_notices_a_slip() -> None:
    slip = manifest("network-policy")
    slip["spec"]["ingres"] = slip["spec"].pop("ingress")
    with pytest.raises(kubernetes_validate.ValidationError):
        validated(slip)


@pytest.mark.parametrize("name", PODS)
def test_pod_fits_kubernetes(name: str) -> None:
    template = PODS[name]
    validated({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": template["spec"]})


def test_service_fits_kubernetes() -> None:
    service = manifest("rayservice")["spec"]["serveService"]
    ports = {"selector": {"any": "pod"}} | service["spec"]
    validated({"apiVersion": "v1", "kind": "Service"} | service | {"spec": ports})


def test_ray_service_has_kuberays_fields() -> None:
    raw = manifest("rayservice")
    cluster = raw["spec"]["rayClusterConfig"]
    assert (raw["apiVersion"], raw["kind"]) == ("ray.io/v1", "RayService")
    assert set(raw["spec"]) == RAY_SERVICE
    assert set(cluster) == CLUSTER
    assert set(cluster["headGroupSpec"]) == {"rayStartParams", "template"}
    assert all(set(group) == WORKERS for group in cluster["workerGroupSpecs"])
    assert all(isinstance(value, str) for value in cluster["headGroupSpec"]["rayStartParams"].values())


def test_what_is_deployed_is_the_target_cluster() -> None:
    from ray.serve.schema import ServeDeploySchema

    deployed = yaml.safe_load(manifest("rayservice")["spec"]["serveConfigV2"])
    assert deployed == yaml.safe_load((configs_dir() / "serve" / "cluster.yml").read_text())
    assert ServeDeploySchema.model_validate(deployed).applications[0].name == "casper"


def test_versions_are_those_that_were_tested() -> None:
    pinned = dict(
        line.split("==")
        for line in Path(KUBE.parent.parent / "constraints.txt").read_text().split()
        if "==" in line
    )
    assert manifest("rayservice")["spec"]["rayClusterConfig"]["rayVersion"] == pinned["ray"]


@pytest.mark.parametrize("name", PODS)
def test_pod_has_no_rights_it_does_not_need(name: str) -> None:
    spec = PODS[name]["spec"]
    assert spec["securityContext"]["runAsNonRoot"]
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in spec["containers"]:
        context = container["securityContext"]
        assert context["readOnlyRootFilesystem"]
        assert not context["allowPrivilegeEscalation"]
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert set(container["resources"]) == {"requests", "limits"}
        assert ":" in container["image"]
        assert not container["image"].endswith(":latest")


@pytest.mark.parametrize("name", PODS)
def test_ray_serve_is_fast_and_secrets_are_referred_to(name: str) -> None:
    (container,) = PODS[name]["spec"]["containers"]
    plain = {one["name"]: one["value"] for one in container["env"] if "value" in one}
    assert plain["RAY_SERVE_THROUGHPUT_OPTIMIZED"] == plain["RAY_SERVE_ENABLE_HA_PROXY"] == "1"
    assert not [name for name in plain if "KEY" in name or "TOKEN" in name or "PASSWORD" in name]


def test_monitor_scrapes_the_door_with_a_key_that_it_refers_to() -> None:
    monitor, service = manifest("service-monitor"), manifest("rayservice")["spec"]["serveService"]
    (endpoint,) = monitor["spec"]["endpoints"]
    assert (monitor["apiVersion"], monitor["kind"]) == ("monitoring.coreos.com/v1", "ServiceMonitor")
    assert endpoint["path"] == "/metrics"
    assert endpoint["port"] in [port["name"] for port in service["spec"]["ports"]]
    assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert endpoint["authorization"]["credentials"] == {"name": "casper-metrics-key", "key": "token"}


def test_strangers_reach_the_door_only() -> None:
    rules = manifest("network-policy")["spec"]["ingress"]
    open_to_others = [rule for rule in rules if "namespaceSelector" in rule["from"][0]]
    assert [port["port"] for port in open_to_others[0]["ports"]] == [8000]
    assert all("ports" in rule for rule in open_to_others)


def test_kustomization_names_every_manifest() -> None:
    named = set(manifest("kustomization")["resources"])
    assert named == {file.name for file in KUBE.glob("*.yml")} - {"kustomization.yml"}


def test_image_is_pinned_holds_no_secret_and_runs_as_nobody_special() -> None:
    image = DockerfileParser(path=str(KUBE / "Dockerfile"))
    steps = [(step["instruction"], step["value"]) for step in image.structure]
    arguments = dict(value.partition("=")[::2] for name, value in steps if name == "ARG")
    assert arguments["PYTHON"].count(".") == 2
    assert [value for name, value in steps if name == "USER"] == ["10001:10001"]
    assert steps.index(("USER", "10001:10001")) > max(i for i, (name, _) in enumerate(steps) if name == "RUN")
    installs = [value for name, value in steps if name == "RUN" and "pip install" in value]
    assert all("-c constraints.txt" in value for value in installs)
    assert not [value for name, value in steps if name in ("ENV", "ARG") and "KEY" in value]
    copied = [value.split()[:-1] for name, value in steps if name == "COPY" and "--from" not in value]
    assert all((KUBE.parent.parent / path).exists() for paths in copied for path in paths)
