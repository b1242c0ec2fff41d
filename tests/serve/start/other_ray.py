"""A Ray that runs already, and the refund agent served on it."""

from __future__ import annotations

import json
import signal
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import ray
import yaml
from children import CASPER, Children, Running
from coming_up import until
from growing_lake import GrowingLake

from casper_ray.config_files import configs_dir
from casper_ray.serve.front import free_ports

RAY: Final = str(Path(sys.executable).with_name("ray"))
OPEN: Final = {"RAY_AUTH_MODE": "disabled"}


class Head(NamedTuple):
    """address: for RAY_ADDRESS. dashboard: URL; nobody is there unless it was asked for."""

    running: Running
    address: str
    dashboard: str


@contextmanager
def ray_head(*, dashboard: bool = False, env: dict[str, str] | None = None) -> Iterator[Head]:
    """A Ray of two processors on this machine, for the block's time."""
    port, shown, agent = free_ports(3)
    command = [RAY, "start", "--head", "--block", "--disable-usage-stats", "--port", str(port)]
    command += ["--num-cpus", "2", "--include-dashboard", str(dashboard).lower()]
    command += ["--dashboard-port", str(shown), "--dashboard-agent-listen-port", str(agent)]
    # The paths of Ray's sockets have 107 characters at most.
    with (
        tempfile.TemporaryDirectory(prefix="ray-", dir="/tmp") as folder,
        Children(ray_address=None).started(*command, "--temp-dir", folder, env=OPEN | (env or {})) as running,
    ):
        until(running, lambda: "Ray runtime started" in running.out.read_text())
        yield Head(running, f"{ray.util.get_node_ip_address()}:{port}", f"http://127.0.0.1:{shown}")
        running.signal_group(signal.SIGTERM)
        running.wait()


def written_target(folder: Path, lake: GrowingLake) -> tuple[Path, str]:
    """The refund agent over the lake; and where it will be."""
    raw = yaml.safe_load((configs_dir() / "serve" / "local.yml").read_text())
    raw["http_options"]["port"] = free_ports(1)[0]
    raw["applications"][0]["args"] = {"lake": str(lake.catalog.lake), "agents": {"refund": {}}}
    target = folder / "refund.yml"
    target.write_text(yaml.safe_dump(raw))
    return target, f"http://127.0.0.1:{raw['http_options']['port']}"


def operator_key(lake: GrowingLake) -> str:
    """A new key of the lake's."""
    keys = (*CASPER, "serve", "keys", "add", "test", "--role", "operator", "--json")
    return str(Children(ray_address=None).run(*keys, "--lake", str(lake.catalog.lake)).summary["key"])


def ready(url: str) -> bool:
    """Whether the door says that it is."""
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def decided(url: str, key: str, subject: str) -> dict[str, Any]:
    """The answer to who asks for a decision on an order."""
    request = urllib.request.Request(
        f"{url}/v1/agents/refund/decisions",
        json.dumps({"subject": subject}).encode(),
        {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        found: dict[str, Any] = json.loads(answer.read())
    return found
