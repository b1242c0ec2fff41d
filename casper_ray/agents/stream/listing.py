"""Agents and decisions as `casper agents` and `casper decision` print them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from casper_ray.agents.agent import Agent, agent_version, load_rules
from casper_ray.agents.engines.build import build_engine
from casper_ray.agents.engines.engine import Engine
from casper_ray.agents.registry import AGENTS, load_agent
from casper_ray.agents.stream.switch import Switch
from casper_ray.config import DEFAULT_CATALOGS
from casper_ray.console.figures import one_line
from casper_ray.lakehouse.names import Catalog, local_folder

if TYPE_CHECKING:
    from casper_ray.agents.stream.one_case import Decided
    from casper_ray.agents.stream.past import Again

_JSON_COLUMNS = ("proposal", "final", "usage", "inputs")


def agents_listed(lake: str, catalog: str | None, engine: str) -> list[dict[str, Any]]:
    """Each agent: name, version on an engine, domain, kind of cases, tools, off."""
    built, where = build_engine(engine), local_folder(lake)
    agents = [load_agent(name) for name in sorted(AGENTS)]
    return [
        listed(agent, Catalog(where, catalog or DEFAULT_CATALOGS[agent.domain]), built) for agent in agents
    ]


def listed(agent: Agent, catalog: Catalog, engine: Engine) -> dict[str, Any]:
    """One agent in a catalog."""
    rules = load_rules(agent)
    return {
        "agent": agent.name,
        "version": agent_version(agent, rules, engine.settings),
        "domain": agent.domain,
        "kind": agent.kind,
        "title": agent.title,
        "tools": [tool.name for tool in agent.tools],
        "off": Switch(catalog, agent.name).off or rules.gate.off,
    }


def listed_lines(rows: list[dict[str, Any]]) -> Iterator[str]:
    yield f"{'agent':12} {'version':13} {'domain':8} {'state':5} tools"
    for row in rows:
        state = "off" if row["off"] else "on"
        yield f"{row['agent']:12} {row['version']:13} {row['domain']:8} {state:5} {', '.join(row['tools'])}"


def decision_json(decision: dict[str, Any]) -> dict[str, Any]:
    """A row of decisions for JSON: what is JSON in it is unpacked."""
    unpacked = {
        name: json.loads(value) if name in _JSON_COLUMNS and value is not None else value
        for name, value in decision.items()
    }
    return {name: _plain(value) for name, value in unpacked.items()}


def decision_lines(decision: dict[str, Any]) -> Iterator[str]:
    """A row of decisions for people."""
    for name, value in decision_json(decision).items():
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        yield f"{name:16} {one_line(text)}"


def decided_json(made: Decided) -> dict[str, Any]:
    return {
        "decision": decision_json(made.decision),
        "evidence": made.evidence,
        "committed": made.committed,
    }


def decided_lines(made: Decided) -> Iterator[str]:
    yield from decision_lines(made.decision)
    yield ""
    for tool, told in made.evidence.items():
        yield f"{tool}: {one_line(json.dumps(told, ensure_ascii=False))}"
    yield ""
    yield "committed" if made.committed else "not committed (--commit keeps it)"


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return str(value) if isinstance(value, Decimal) else value


def replay_json(again: Again) -> dict[str, Any]:
    return {
        "decision_id": again.decision["decision_id"],
        "equal": again.equal,
        "same_inputs": again.same_inputs,
        "same_version": again.same_version,
        "deterministic": again.deterministic,
        "differing": {name: [_plain(then), _plain(now)] for name, (then, now) in again.differing.items()},
    }


def replay_lines(again: Again) -> Iterator[str]:
    yield from decision_lines(again.decision)
    yield ""
    inputs = json.loads(again.decision["inputs"])
    yield f"inputs   {'equal' if again.same_inputs else 'DIFFER'}   evidence {inputs['evidence']}"
    if not again.same_version:
        was = again.decision["agent_version"]
        yield f"output   not compared: version {was} decided, today's is {again.version_now}"
    elif not again.deterministic:
        yield "output   not compared: its engine need not answer the same again"
    else:
        yield f"output   {'DIFFERS' if again.differing else 'equal'}"
    for name, (then, now) in again.differing.items():
        yield f"  {name}: was {one_line(str(then))}, now {one_line(str(now))}"
