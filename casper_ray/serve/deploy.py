"""An application on a Ray that is up: deployed, waited for until it answers, drained and taken down."""

from __future__ import annotations

import logging
import re
import ssl
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.error import URLError

from casper_ray import errors
from casper_ray.console.figures import one_line
from casper_ray.errors import CasperError, UserError
from casper_ray.serve.target import Target

if TYPE_CHECKING:
    from ray.serve import Application
    from ray.serve.schema import ApplicationStatusOverview

CONTROLLER, NAMESPACE = "SERVE_CONTROLLER_ACTOR", "serve"
"""Ray Serve's own names of its controller."""

_LOOK_EVERY_S: Final = 0.05
_STATE_EVERY_S, _ANSWERED_EVERY_S = 1.0, 0.25
"""Ray Serve's controller is what everything waits for at a start: it is not asked more often than people look; but
more often once the door answers, which it does minutes before the engine of a model is up.
"""
_PROBE_S, _END_S = 5.0, 20.0
_ERROR: Final = re.compile(
    r"^(?:[\w.]*\.)?(\w*(?:Error|Exception|Exit|Interrupt|Later))\b:? ?(.*)$", re.MULTILINE
)
_WRAPPERS: Final = ("RayTaskError", "ActorDiedError", "RuntimeError")
_LONGEST: Final = 400


class Part(NamedTuple):
    """One deployment. health: as Ray Serve says it. why: one line where something is amiss."""

    name: str
    running: int
    replicas: int
    health: str
    why: str


class Behind(threading.Thread):
    """A call of Ray Serve's that goes on by itself. Its patience with proxies is not ours: we have a deadline."""

    def __init__(self, call: Callable[[], object]) -> None:
        super().__init__(name="serve", daemon=True)
        self._call = call
        self._error: Exception | None = None
        self.start()

    def run(self) -> None:
        try:
            self._call()
        except TimeoutError:
            pass
        except Exception as error:  # raised by `check`, in the thread that waits
            self._error = error

    def check(self) -> None:
        """Raises: what the call raised."""
        if self._error is not None:
            raise self._error


def quiet_serve() -> None:
    """Ray Serve tells of its start in lines of its own; ours say the same. A filter, for it sets its level anew."""
    logging.getLogger("ray.serve").addFilter(lambda record: record.levelno >= logging.ERROR)


def begin_serve(target: Target, http: dict[str, Any]) -> None:
    """Ray Serve coming up: its controller can be talked to when this returns.

    Rules:  replicas and proxies start side by side so: to wait for the proxies first takes seconds more.
    Raises: what Ray Serve raised instead of making a controller.
    """
    from ray import serve

    options: dict[str, Any] = {"proxy_location": target.file.proxy_location, "http_options": http}
    if target.file.logging_config:
        options["logging_config"] = dict(target.file.logging_config)
    if target.file.controller_options:
        options["controller_options"] = dict(target.file.controller_options)
    starting = Behind(lambda: serve.start(**options))
    while not _controller_is_there():
        starting.check()
        time.sleep(_LOOK_EVERY_S)


def deploy(target: Target, application: Application) -> Behind:
    """The application being handed over; it starts meanwhile."""
    from ray import serve

    run = serve.RunTarget(target=application, name=target.name, route_prefix="/")
    return Behind(
        lambda: serve.run_many(
            [run], wait_for_ingress_deployment_creation=False, wait_for_applications_running=False
        )
    )


def wait_until_ready(
    target: Target, deploying: Behind, within_s: float, stop: threading.Event, told: Callable[[str], None]
) -> None:
    """Until `/readyz` answers 200, or `stop`. told: of what is up by now, with every look.

    Raises: UserError, CasperError: a deployment failed, with its cause in one line; or time is up.
    """
    begun_s = looked_s = time.monotonic()
    while not stop.is_set():
        answered, now_s = answers(target.url), time.monotonic()
        if now_s - looked_s > (_ANSWERED_EVERY_S if answered else _STATE_EVERY_S):
            deploying.check()
            state, looked_s = state_of(target.name), now_s
            if state is not None and state.status == "DEPLOY_FAILED":
                raise _failure(state)
            if answered and state is not None and state.status == "RUNNING":
                return
            parts = list(parts_of(state))
            if now_s - begun_s > within_s:
                raise _late(parts, within_s)
            told(", ".join(f"{part.name} {part.running}/{part.replicas}" for part in parts) or "starting")
        stop.wait(_LOOK_EVERY_S)


def state_of(application: str) -> ApplicationStatusOverview | None:
    """What Ray Serve knows of an application; None before it knows it."""
    from ray import serve

    return serve.status().applications.get(application)


def parts_of(state: ApplicationStatusOverview | None) -> Iterator[Part]:
    """Of each deployment, by name. replicas: in any state."""
    for name, one in sorted(state.deployments.items()) if state else ():
        counts = {str(getattr(key, "value", key)): count for key, count in one.replica_states.items()}
        why = str(failure_in(one.message, name)) if one.message else ""
        yield Part(name, counts.get("RUNNING", 0), sum(counts.values()), one.status.value, why)


def take_down(target: Target, *, local: bool) -> None:
    """Drain the application: what was asked is answered, nothing new is taken in. local: Ray Serve ends too."""
    import ray
    from ray import serve

    serve.delete(target.name)
    if not local:
        return
    # Not `serve.shutdown`: Ray tells of the call that it waits in as if the controller had died by accident.
    controller = ray.get_actor(CONTROLLER, namespace=NAMESPACE)
    ray.get(controller.graceful_shutdown.remote(wait=False))
    until_s = time.monotonic() + _END_S
    while _controller_is_there() and time.monotonic() < until_s:
        time.sleep(_LOOK_EVERY_S)


def answers(url: str) -> bool:
    """Whether the door says that it is ready. Its certificate is not looked at: nothing is sent or believed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=_PROBE_S, context=context) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def failure_in(message: str, what: str) -> CasperError:
    """The error that a text with a traceback ends in: its own class where it is one of ours.

    Rules: of several the last that is no wrapper of Ray's: it is the cause that a person can act on.
    """
    found = [(kind, text) for kind, text in _ERROR.findall(message) if kind not in _WRAPPERS or text]
    inner = [pair for pair in found if pair[0] not in _WRAPPERS] or found
    if not inner:
        return CasperError(f"{what}: {one_line(message)[:_LONGEST]}")
    kind, text = inner[-1]
    known = getattr(errors, kind, None)
    if isinstance(known, type) and issubclass(known, UserError):
        return UserError(one_line(text)[:_LONGEST])
    return CasperError(f"{what}: {kind}: {one_line(text)}"[:_LONGEST])


def _failure(state: ApplicationStatusOverview) -> CasperError:
    """Of the deployment that failed, or of the application where none did."""
    told = [(one.message, name) for name, one in sorted(state.deployments.items()) if one.message]
    return failure_in(*(told[0] if told else (state.message, "the application")))


def _late(parts: list[Part], within_s: float) -> CasperError:
    waiting = [
        f"{part.name} {part.running}/{part.replicas}{f' ({part.why})' if part.why else ''}"
        for part in parts
        if part.health != "HEALTHY"
    ]
    return CasperError(f"not ready within {within_s:g} s: {', '.join(waiting) or 'the door does not answer'}")


def _controller_is_there() -> bool:
    import ray

    try:
        ray.get_actor(CONTROLLER, namespace=NAMESPACE)
    except ValueError:
        return False
    return True
