"""What `casper serve status` tells of a start that lives."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from casper_ray.serve.deploy import CONTROLLER, NAMESPACE, answers, failure_in
from casper_ray.serve.running import Running
from casper_ray.serve.status_socket import ask

_ANSWER_S: Final = 10.0


def status_of(running: Running | None) -> dict[str, Any]:
    """As `--json` prints it. deployments: by name; empty before Ray Serve is up. Raises: CasperError."""
    if running is None:
        return {"running": False}
    return {
        "running": True,
        "ready": running.ready and answers(running.url),
        "url": running.url,
        "pid": running.pid,
        "since": running.since,
        "target": running.target,
        "config": running.config,
        "deployments": ask(Path(running.socket)),
    }


def status_lines(status: Mapping[str, Any]) -> list[str]:
    """The same for people."""
    if not status["running"]:
        return ["nothing is served from this lake; `casper serve` starts it"]
    ready = "ready" if status["ready"] else "not ready"
    head = f"{status['url']}: {ready}, process {status['pid']} since {status['since']}, config {status['config']}"
    return [head, *(_line(name, part) for name, part in status["deployments"].items())]


def _line(name: str, part: Mapping[str, Any]) -> str:
    counts = f"{part['running']} of {part['wanted']} running, {part['requests']} requests open"
    return f"  {name:<24} {part['health']:<10} {counts}{'  ' + part['why'] if part['why'] else ''}"


def deployments_of(application: str) -> dict[str, Any]:
    """What Ray Serve knows of an application's deployments, by name; for the process that serves."""
    import ray

    try:
        controller = ray.get_actor(CONTROLLER, namespace=NAMESPACE)
        details: Any = ray.get(controller.get_serve_instance_details.remote(), timeout=_ANSWER_S)
    except (ValueError, ray.exceptions.RayError):
        return {}
    found = details["applications"].get(application, {}).get("deployments", {})
    return {name: _deployment(one) for name, one in sorted(found.items())}


def _deployment(details: Mapping[str, Any]) -> dict[str, Any]:
    """requests: that replicas are working on or have accepted to."""
    live = [one for one in details["replicas"] if one["state"] == "RUNNING"]
    return {
        "health": str(getattr(details["status"], "value", details["status"])),
        "running": len(live),
        "wanted": details["target_num_replicas"],
        "requests": sum(_requests(one["actor_name"]) for one in live),
        "why": str(failure_in(details["message"], "replica")) if details["message"] else "",
    }


def _requests(actor: str) -> int:
    """0 of a replica that is gone by now."""
    import ray

    try:
        replica = ray.get_actor(actor, namespace=NAMESPACE)
        open_now: Any = ray.get(replica.get_num_ongoing_requests.remote(), timeout=_ANSWER_S)
    except (ValueError, ray.exceptions.RayError):
        return 0
    return int(open_now)
