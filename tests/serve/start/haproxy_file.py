"""HAProxy's configuration as the Ray Serve that is installed writes it, and HAProxy on it."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from casper_ray.serve.front import BEHIND
from casper_ray.serve.target import HttpOptions

_UP_S = 30.0


def written_by_ray(variables: Mapping[str, str], http: HttpOptions, inner_port: int = 30_000) -> Path:
    """The configuration that Ray Serve writes for an application at `/` with one door."""
    from ray.serve._private import haproxy
    from ray.serve.config import HTTPOptions

    file = variables["RAY_SERVE_HAPROXY_CONFIG_FILE_LOC"]
    config = haproxy.HAProxyConfig(
        http_options=HTTPOptions(**{"port": http.port} | BEHIND),
        socket_path=variables["RAY_SERVE_HAPROXY_SOCKET_PATH"],
        metrics_socket_path=variables["RAY_SERVE_HAPROXY_METRICS_SOCKET_PATH"],
        server_state_base=variables["RAY_SERVE_HAPROXY_SERVER_STATE_BASE"],
        server_state_file=variables["RAY_SERVE_HAPROXY_SERVER_STATE_FILE"],
        stats_port=int(variables["RAY_SERVE_HAPROXY_STATS_PORT"]),
        metrics_port=int(variables["RAY_SERVE_HAPROXY_METRICS_PORT"]),
        retry_on=variables["RAY_SERVE_HAPROXY_RETRY_ON"],
    )
    replica = haproxy.ServerConfig(name="door", host="127.0.0.1", port=inner_port)
    backend = haproxy.BackendConfig(name="casper", path_prefix="/", app_name="casper", servers=[replica])
    haproxy.HAProxyApi(config, {"casper": backend}, file)._generate_config_file_internal()
    return Path(file)


def checked_by_haproxy(variables: Mapping[str, str], file: Path) -> subprocess.CompletedProcess[str]:
    """What HAProxy says of the file once the script has edited it."""
    script = variables["RAY_SERVE_HAPROXY_BINARY_PATH"]
    command = [script, "-db", "-f", str(file), "-c"]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)


@contextmanager
def running_haproxy(variables: Mapping[str, str], file: Path, port: int) -> Iterator[None]:
    """HAProxy on the file, for the block's time."""
    command = [variables["RAY_SERVE_HAPROXY_BINARY_PATH"], "-db", "-f", str(file)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port)
        yield
    finally:
        process.kill()
        process.wait()


def _wait_for(port: int) -> None:
    until_s = time.monotonic() + _UP_S
    while time.monotonic() < until_s:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"nobody listens on {port}")
