"""What `casper serve` does: checks, Ray, the application, until somebody ends it."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, redirect_stdout
from importlib import import_module
from pathlib import Path
from typing import Any, Final, NamedTuple

from casper_ray.agents.stream.teller import Teller, build_teller
from casper_ray.cluster import RayStarting, check_reachable
from casper_ray.config import Environment, load_environment
from casper_ray.console.failure import INTERRUPTED
from casper_ray.console.figures import one_line
from casper_ray.console.json_lines import write_object
from casper_ray.domain.time import duration_s
from casper_ray.errors import CasperError, ConfigError
from casper_ray.serve.checks import Served, check_target
from casper_ray.serve.front import BEHIND, FAST, haproxy_front
from casper_ray.serve.running import only_start, state_file, this_start, write_running
from casper_ray.serve.status import deployments_of
from casper_ray.serve.status_socket import answering
from casper_ray.serve.stopping import Stop, stopping
from casper_ray.serve.target import Target, load_target

_PRELOADED: Final = "casper_ray.serve.preloaded"
_AHEAD: Final = {"RAY_preload_python_modules": _PRELOADED}
"""For a Ray of our own: what its workers import as they start, before they are asked for anything."""
_START_S: Final = 300.0
_OWN_HOSTS: Final = ("127.0.0.1", "::1", "localhost")
_MODEL_START_S: Final = 1_800.0
"""An engine loads its weights, and may compile for them."""


class ServeOrder(NamedTuple):
    """The command's options as they were typed."""

    target: str
    lake: str | None
    port: int | None
    for_: str | None
    as_json: bool
    quiet: bool


class Front(NamedTuple):
    """variables: of the environment, for Ray. http: Ray Serve's `http_options`. note: to be told, or empty."""

    variables: Mapping[str, str]
    http: dict[str, Any]
    note: str = ""


def serve_ordered(order: ServeOrder) -> int:
    """The exit code; the summary is told by then. Raises: UserError, before Ray starts where that can be."""
    begun_s = time.monotonic()
    for_s = _for_s(order.for_)
    environment = load_environment()
    target = load_target(order.target, lake=order.lake, port=order.port)
    if environment.ray_address:
        check_reachable(environment.ray_address)
    local = environment.ray_address is None
    served = check_target(target, local=local)
    out = sys.stdout
    with ExitStack() as stack:
        if order.as_json:
            stack.enter_context(redirect_stdout(sys.stderr))
        stack.enter_context(only_start(state_file(target.settings)))
        front = stack.enter_context(_front(target, local=local))
        stop = stack.enter_context(stopping())
        teller = stack.enter_context(build_teller(quiet=order.quiet, as_json=order.as_json))
        ray = stack.enter_context(RayStarting(environment, variables=front.variables))
        start = _Start(target, served, front, teller, environment, begun_s, quiet=order.quiet)
        socket = stack.enter_context(answering(lambda: deployments_of(target.name)))
        summary = start.run(ray, stop, socket, for_s)
    if order.as_json:
        write_object(out, summary)
    return INTERRUPTED if stop.interrupted else 0


class _Start:
    def __init__(
        self,
        target: Target,
        served: Sequence[Served],
        front: Front,
        teller: Teller,
        environment: Environment,
        begun_s: float,
        *,
        quiet: bool,
    ) -> None:
        self._target, self._served, self._front = target, served, front
        self._teller, self._environment, self._begun_s = teller, environment, begun_s
        self._local, self._quiet = environment.ray_address is None, quiet
        self._told_s = 0.0

    def run(self, ray: RayStarting, stop: Stop, socket: Path, for_s: float | None) -> dict[str, Any]:
        """The summary, once it has ended. Raises: what kept it from starting."""
        self._told("Ray starts")
        application = self._build(early=True)
        _wait_for(ray)
        application = application or self._build(early=False)
        self._check_capacity(application)
        from casper_ray.serve.deploy import begin_serve, deploy, quiet_serve, take_down, wait_until_ready

        quiet_serve()
        stop.listen()
        running = this_start(self._target, socket)
        file = state_file(self._target.settings)
        write_running(file, running)
        try:
            begin_serve(self._target, self._front.http)
            deploying = deploy(self._target, application)
            if not self._local:
                deploying.join()  # what answered before is the application of before
            within_s = _MODEL_START_S if self._target.settings.llm else _START_S
            wait_until_ready(self._target, deploying, within_s, stop, self._told)
            ready_s = time.monotonic() - self._begun_s
            if not stop.is_set():
                write_running(file, running._replace(ready=True))
                self._announce(ready_s)
            stop.wait(for_s)
        finally:
            self._teller.progress("ending: what was asked is answered")
            take_down(self._target, local=self._local)
        return {
            "url": self._target.url,
            "target": self._target.where,
            "config": self._target.digest,
            "agents": [one.agent for one in self._served],
            "ready_s": round(ready_s, 3),
            "served_s": round(time.monotonic() - self._begun_s - ready_s, 3),
            "ended": "asked to end" if stop.is_set() else "its time was over",
        }

    def _build(self, *, early: bool) -> Any:
        """The application; None where it is early and a model's deployment needs a Ray that is up."""
        if early and self._target.settings.llm is not None:
            return None
        import_module("ray")  # whole, before parts of it: another thread imports it at the same time
        import_module(_PRELOADED)
        from casper_ray.serve.application import build

        return build(self._target.settings.model_dump(mode="json"))

    def _check_capacity(self, application: Any) -> None:
        import ray

        from casper_ray.serve.capacity import asks_of, check_capacity

        check_capacity(asks_of(application), ray.cluster_resources())  # type: ignore[no-untyped-call]

    def _announce(self, ready_s: float) -> None:
        from casper_ray.serve.announce import example_lines, example_subject, ready_lines

        if self._front.note:
            self._teller.line(self._front.note)
        key = self._first_key()
        for line in ready_lines(self._target, self._served, ready_s, key):
            self._teller.line(line)
        for one in self._served:
            if subject := example_subject(one):
                for line in example_lines(self._target, one.agent, subject, key):
                    self._teller.line(line)
                return

    def _first_key(self) -> str | None:
        """Made where whoever started it sits before it: on this machine's own address, and not told to be quiet."""
        if self._quiet or not self._local or self._target.http.host not in _OWN_HOSTS:
            return None
        from casper_ray.serve.access.first_key import first_admin_key
        from casper_ray.serve.access.key_file import keys_path
        from casper_ray.serve.access.key_store import KeyStore

        made = first_admin_key(KeyStore(keys_path(self._target.settings)))
        return made.text if made else None

    def _told(self, text: str) -> None:
        now_s = time.monotonic()
        if now_s - self._told_s >= self._teller.every_s:
            self._told_s = now_s
            self._teller.progress(f"{now_s - self._begun_s:6.1f} s  {text}")


@contextmanager
def _front(target: Target, *, local: bool) -> Iterator[Front]:
    http = target.http.model_dump(mode="json", exclude_none=True)
    if not local:
        on = not target.tls
        note = "" if on else "TLS: by Ray Serve's own proxy on this cluster, which is slower than HAProxy"
        yield Front(FAST | {"RAY_SERVE_ENABLE_HA_PROXY": str(int(on))}, http, note)
        return
    with haproxy_front(target.http) as found:
        variables = {**found, **_AHEAD}
        if variables["RAY_SERVE_ENABLE_HA_PROXY"] == "0":
            yield Front(variables, http, "no HAProxy is installed: Ray Serve's own proxy is slower")
            return
        yield Front(variables, http | BEHIND)


def _wait_for(ray: RayStarting) -> None:
    """Raises: CasperError for what Ray says of its start in whatever class: it is no bug of ours."""
    try:
        ray.wait()
    except (CasperError, OSError):
        raise
    except Exception as error:
        raise CasperError(f"Ray did not start: {one_line(str(error))}") from error


def _for_s(text: str | None) -> float | None:
    if text is None:
        return None
    seconds = duration_s(text)
    if seconds is None:
        raise ConfigError(f"--for: saw {text!r}, expected a duration above 0", "such as 30s, 5m, 1h")
    return seconds
