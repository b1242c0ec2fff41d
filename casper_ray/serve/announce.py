"""What a start tells once it answers: where it is, the key, and requests that work as they stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from casper_ray.agents.registry import load_agent
from casper_ray.serve.checks import Served
from casper_ray.serve.target import Target


def example_subject(served: Served) -> str | None:
    """Something that the agent can decide on, the newest there is; None where there is nothing yet."""
    agent = load_agent(served.agent)
    store: Any = agent.open_store(served.catalog, None)
    for after in (store.batch - 1, -1):
        cases = agent.cases(store, after, store.batch)
        if not cases.is_empty():
            return str(cases["subject"][-1])
    return None


def ready_lines(target: Target, served: Sequence[Served], took_s: float, key: str | None) -> list[str]:
    """Where it is. key: made for this start, shown this once; None: none was made."""
    agents = ", ".join(one.agent for one in served) or "no agent"
    lines = ["", f"Serving {target.url} after {took_s:.1f} s: {agents}. Ctrl-C ends it."]
    if key is None:
        return [*lines, "  keys: `casper serve keys` makes and lists them"]
    return [*lines, f"  admin's key, shown this once: {key}", f"  page: {target.url}/#key={key}"]


def example_lines(target: Target, agent: str, subject: str, key: str | None) -> list[str]:
    """Requests for a shell."""
    curl = f"curl -s --cacert {target.http.ssl_certfile}" if target.tls else "curl -s"
    asked = f'{curl} -H "Authorization: Bearer $KEY"'
    sends = f'{asked} -H "Content-Type: application/json"'
    model = f'{{"model": "{agent}", "input": "{subject}"}}'
    return [
        "",
        f"  KEY={key or '...'}",
        f"  {asked} {target.url}/v1/agents",
        f'  {sends} -d \'{{"subject": "{subject}"}}\' {target.url}/v1/agents/{agent}/decisions',
        f"  {sends} -d '{model}' {target.url}/v1/responses",
    ]
