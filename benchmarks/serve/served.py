"""A served application of its own for a benchmark: `casper serve` as anybody starts it, and its processes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import psutil
import yaml

from casper_ray.agents.registry import load_agent
from casper_ray.lakehouse.names import Catalog
from casper_ray.serve.access.key_file import lake_keys_path
from casper_ray.serve.access.key_store import KeyStore
from casper_ray.serve.access.principal import Role

CASPER = "from casper_ray.cli import main; main()"
_START_S, _END_S = 300.0, 120.0


class Served(NamedTuple):
    """A start that is ready. process: of `casper serve`; Ray's are its children."""

    url: str
    key: str
    process: subprocess.Popen[bytes]

    def processes(self, deployment: str) -> list[int]:
        """The pids of a deployment's replicas."""
        title = f"ray::ServeReplica:casper:{deployment}"
        found = psutil.Process(self.process.pid).children(recursive=True)
        return [child.pid for child in found if " ".join(child.cmdline()).strip().startswith(title)]

    def kill(self, pid: int) -> None:
        """At once, without a word."""
        os.kill(pid, signal.SIGKILL)


def cases_of(catalog: Catalog) -> list[str]:
    """Subjects of the refund agent's cases, that nothing is decided on yet."""
    agent = load_agent("refund")
    store = agent.open_store(catalog, None)
    found: list[str] = agent.cases(store, -1, store.batch)["subject"].to_list()
    return found


@contextmanager
def serving(lake: Path, folder: Path, **args: Any) -> Iterator[Served]:
    """`casper serve` over a lake, two of everything that there can be two of; args: more of a target's."""
    port = free_port()
    target = folder / "target.yml"
    target.write_text(yaml.safe_dump(_target(lake, port, args)))
    key = KeyStore(lake_keys_path(str(lake), "caspers")).add("benchmark", Role.ADMIN, expires_s=86_400)
    command = [sys.executable, "-c", CASPER, "serve", "--target", str(target), "--quiet"]
    process = subprocess.Popen(command)
    served = Served(f"http://127.0.0.1:{port}", key.text, process)
    try:
        _wait_until_ready(served)
        yield served
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(_END_S)


def _wait_until_ready(served: Served) -> None:
    """Raises: RuntimeError where it ended, or took too long."""
    until = time.monotonic() + _START_S
    while time.monotonic() < until and served.process.poll() is None:
        with suppress(httpx2.HTTPError):
            if httpx2.get(f"{served.url}/readyz", timeout=5.0, trust_env=False).status_code == 200:
                return
        time.sleep(0.2)
    raise RuntimeError(f"casper serve is not ready; exit code {served.process.poll()}")


def _target(lake: Path, port: int, args: dict[str, Any]) -> dict[str, Any]:
    two = {"replicas": [2, 2]}
    return {
        "proxy_location": "HeadOnly",
        "http_options": {"host": "127.0.0.1", "port": port},
        "applications": [
            {
                "name": "casper",
                "route_prefix": "/",
                "import_path": "casper_ray.serve.application:build",
                "args": {"lake": str(lake), "agents": {"refund": two}, "door": two, **args},
            }
        ],
    }


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
