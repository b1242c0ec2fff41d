"""`casper serve` on a Ray that runs already: it joins, decides, ends its application, and leaves that Ray up."""

from __future__ import annotations

import json
import signal
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import ray
import yaml
from children import CASPER, Children, Running
from coming_up import until
from growing_lake import GrowingLake

from casper_ray.config_files import configs_dir
from casper_ray.serve.front import free_ports

pytestmark = [pytest.mark.ray, pytest.mark.cli, pytest.mark.slow]
RAY = str(Path(sys.executable).with_name("ray"))
OPEN = {"RAY_AUTH_MODE": "disabled"}


@pytest.fixture
def head() -> Iterator[tuple[Running, str]]:
    """A Ray of two processors on this machine, and its address."""
    (port,) = free_ports(1)
    command = [RAY, "start", "--head", "--block", "--disable-usage-stats", "--include-dashboard", "false"]
    command += ["--port", str(port), "--num-cpus", "2"]
    # The paths of Ray's sockets have 107 characters at most.
    with (
        tempfile.TemporaryDirectory(prefix="ray-", dir="/tmp") as folder,
        Children(ray_address=None).started(*command, "--temp-dir", folder, env=OPEN) as running,
    ):
        until(running, lambda: "Ray runtime started" in running.out.read_text())
        yield running, f"{ray.util.get_node_ip_address()}:{port}"
        running.signal_group(signal.SIGTERM)
        running.wait()


def written_target(folder: Path, lake: GrowingLake) -> tuple[str, str]:
    """The refund agent over the lake; and where it will be."""
    raw = yaml.safe_load((configs_dir() / "serve" / "local.yml").read_text())
    raw["http_options"]["port"] = free_ports(1)[0]
    raw["applications"][0]["args"] = {"lake": str(lake.catalog.lake), "agents": {"refund": {}}}
    target = folder / "refund.yml"
    target.write_text(yaml.safe_dump(raw))
    return str(target), f"http://127.0.0.1:{raw['http_options']['port']}"


def ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def decided(url: str, key: str, subject: str) -> dict[str, Any]:
    request = urllib.request.Request(
        f"{url}/v1/agents/refund/decisions",
        json.dumps({"subject": subject}).encode(),
        {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        found: dict[str, Any] = json.loads(answer.read())
    return found


def test_joins_decides_and_leaves_ray_running(
    head: tuple[Running, str], tmp_path: Path, lake: GrowingLake
) -> None:
    other, address = head
    target, url = written_target(tmp_path, lake)
    children, joining = Children(ray_address=None), OPEN | {"RAY_ADDRESS": address}
    keys = (*CASPER, "serve", "keys", "add", "test", "--role", "operator", "--json")
    key = children.run(*keys, "--lake", str(lake.catalog.lake)).summary["key"]
    subjects = lake.delivered()
    for subject in subjects[:2]:  # the second start finds what the first one left
        with children.started(*CASPER, "serve", "-t", target, "--json", env=joining) as running:
            until(running, lambda: ready(url))
            assert decided(url, key, subject)["case_id"] == f"order:{subject}"
            assert decided(url, key, subjects[0])["case_id"] == f"order:{subjects[0]}"
            running.signal(signal.SIGTERM)
            ended = running.wait()
        assert (ended.code, ended.summary["ended"]) == (0, "asked to end"), ended.err
        assert "Traceback" not in ended.err
        assert not ready(url)
        assert other.process.poll() is None
    assert lake.decisions().height == 2
