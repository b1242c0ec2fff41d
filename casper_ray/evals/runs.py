"""A run per version and catalog: its parameters, and what its decisions came to so far."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import polars as pl

from casper_ray.agents.decision import SCHEMA, TABLE
from casper_ray.agents.prompts import load_prompt
from casper_ray.evals.figures import Figures
from casper_ray.evals.tracking import Tracking
from casper_ray.evals.versions import VERSION, AgentVersion
from casper_ray.lakehouse.names import Catalog
from casper_ray.lakehouse.read import scan

if TYPE_CHECKING:
    from mlflow.entities import Run


def decisions_of(catalog: Catalog, agent: str, version: str) -> pl.DataFrame:
    """The decisions of an agent's version. Raises: LakeError where nothing was decided yet."""
    rows = scan(catalog.table(SCHEMA, TABLE))
    return rows.filter(pl.col("agent") == agent, pl.col("agent_version") == version).collect()


def find_run(tracking: Tracking, agent: str, version: str, catalog: str) -> Run | None:
    """The run of a version over a catalog of this lake; None: there is none."""
    where = {VERSION: version, "catalog": catalog, "lake": tracking.lake_key}
    text = " and ".join(f"tags.{name} = '{value}'" for name, value in where.items())
    found = tracking.client.search_runs([tracking.experiment(agent)], text, max_results=1)
    return found[0] if found else None


def run_of(tracking: Tracking, declared: AgentVersion, catalog: Catalog) -> Run:
    """The version's run, started if need be. Retry: safe."""
    agent, client = declared.agent.name, tracking.client
    found = find_run(tracking, agent, declared.version, catalog.name)
    if found is not None:
        return found
    tags = {VERSION: declared.version, "agent": agent, "catalog": catalog.name, "lake": tracking.lake_key}
    name = f"{agent} {declared.version} {catalog.name}"
    return client.create_run(tracking.experiment(agent), tags=tags, run_name=name)


def log_run(tracking: Tracking, declared: AgentVersion, catalog: Catalog, run: Run, found: Figures) -> None:
    """The run's parameters, figures and files as they stand now.

    Retry: safe. Money is in tags exactly: of a metric MLflow keeps a double. The source batches are metrics, as a
    parameter cannot change.
    """
    from mlflow.entities import Metric, Param, RunTag

    client, run_id, now_ms = tracking.client, run.info.run_id, time.time_ns() // 1_000_000
    client.log_batch(
        run_id,
        metrics=[Metric(name, value, now_ms, 0) for name, value in found.metrics.items()],
        params=[Param(name, value) for name, value in _params(declared, catalog).items()],
        tags=[RunTag(name, str(amount)) for name, amount in found.money.items()],
    )
    client.log_text(run_id, declared.rules_yaml, "rules.yml")
    client.log_text(run_id, load_prompt(declared.agent.prompt).text, f"{declared.agent.prompt}.txt")
    client.set_terminated(run_id)


def _params(declared: AgentVersion, catalog: Catalog) -> dict[str, str]:
    """What does not change while the version decides on the catalog."""
    params = {
        "agent": declared.agent.name,
        VERSION: declared.version,
        "engine": str(declared.engine.get("name", "")),
        "engine_settings": declared.engine_json,
        "gate_version": declared.rules.gate.version,
        "catalog": catalog.name,
    }
    if catalog.world_file.is_file():
        world = json.loads(catalog.world_file.read_text())
        params |= {name: str(world[name]) for name in ("seed", "world", "scenario") if name in world}
    return params
