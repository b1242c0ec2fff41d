"""Traces of a sample of decisions: what was asked, proposed and judged, rebuilt once they were committed."""

from __future__ import annotations

import json
import time
import warnings
from datetime import datetime
from typing import Any, NamedTuple
from zlib import crc32

import polars as pl

from casper_ray.agents.agent import Agent
from casper_ray.agents.case import Case
from casper_ray.agents.tools import Toolbox, ToolCall
from casper_ray.evals.plain import plain
from casper_ray.evals.tracking import Tracking
from casper_ray.evals.versions import VERSION
from casper_ray.lakehouse.batch_versions import batch_that_left
from casper_ray.lakehouse.names import Catalog

DECISION = "decision_id"
_NS_PER_S = 1_000_000_000
_MANY = 2**32


class Step(NamedTuple):
    """A tool's call, and how long it took when it was made again."""

    call: ToolCall
    took_ns: int


def sampled(decisions: pl.DataFrame, rate: float, most: int) -> pl.DataFrame:
    """The sample of `rate`, at most `most` rows: by a hash of decision_id, so the same whoever asks, and when.

    Of more than `most`, those of the lowest hashes.
    """
    hashes = [crc32(decision_id.encode()) for decision_id in decisions[DECISION]]
    ranked = decisions.with_columns(pl.Series("_rank", hashes, dtype=pl.Int64))
    return ranked.filter(pl.col("_rank") < rate * _MANY).sort("_rank", DECISION).head(most).drop("_rank")


def log_traces(
    tracking: Tracking, agent: Agent, catalog: Catalog, run_id: str, version: str, sample: pl.DataFrame
) -> int:
    """Traces of the sample's decisions that have none yet; how many were written.

    Retry: safe. Rules: spans hold no text but names of outcomes, see `plain`; they name a decision, not its subject.
    """
    experiment = tracking.experiment(agent.name)
    _import_quietly()
    before = _traced(tracking, experiment, run_id)
    tags = {VERSION: version, "run": run_id}
    tables, store = "", None
    for row in sample.filter(~pl.col(DECISION).is_in(before)).sort("source_batch").iter_rows(named=True):
        wanted = json.loads(row["inputs"])["tables"]
        if (text := json.dumps(wanted)) != tables:
            batch = batch_that_left(catalog, wanted)
            tables, store = text, None if batch is None else agent.open_store(catalog, batch)
        _write(tracking, agent, experiment, row, _steps(agent, store, row), tags)
    return len(_traced(tracking, experiment, run_id)) - len(before)  # a span that failed raises nothing


def _import_quietly() -> None:
    """What the first span imports warns of MLflow's own classes: where that is an error, the span is lost."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlflow.pyfunc.context  # noqa: F401


def _traced(tracking: Tracking, experiment: str, run_id: str) -> list[str]:
    """Ids of decisions that the run has traces of."""
    found, token = [], None
    while True:
        page = tracking.client.search_traces(
            locations=[experiment], filter_string=f"tags.run = '{run_id}'", max_results=500,
            page_token=token, include_spans=False,
        )  # fmt: skip
        found += [trace.info.tags[DECISION] for trace in page]
        token = page.token
        if not token:
            return found


def _steps(agent: Agent, store: Any, row: dict[str, Any]) -> list[Step]:
    """The calls of gathered tools, as of the case; none where the tables of then are gone."""
    if store is None:
        return []
    batch = row["source_batch"]
    found = agent.cases(store, batch - 1, batch).filter(pl.col("case_id") == row["case_id"])
    if found.is_empty():
        return []
    box = Toolbox(store, Case.of(found.row(0, named=True)), agent.gathered_tools)
    steps = []
    for name in agent.gathers:
        began = time.perf_counter_ns()
        call = box.call(name)
        steps.append(Step(call, time.perf_counter_ns() - began))
    return steps


def _write(
    tracking: Tracking,
    agent: Agent,
    experiment: str,
    row: dict[str, Any],
    steps: list[Step],
    tags: dict[str, str],
) -> None:
    """One trace: spans of the calls, the proposal and the gate, one after another from when it was decided."""
    client, at = tracking.client, _ns(row["decided_at"])
    root = client.start_trace(
        f"decide {agent.name}",
        inputs={DECISION: row[DECISION], "as_of": json.loads(row["inputs"])["as_of"]},
        tags={**tags, DECISION: row[DECISION], "outcome": row["outcome"] or "none"},
        span_type="AGENT",
        experiment_id=experiment,
        start_time_ns=at,
    )

    def span(name: str, kind: str, took_ns: int, inputs: dict[str, Any], outputs: dict[str, Any]) -> None:
        nonlocal at
        made = client.start_span(
            name, root.trace_id, root.span_id, span_type=kind, inputs=inputs, start_time_ns=at
        )
        at += max(took_ns, 1)
        client.end_span(root.trace_id, made.span_id, outputs=outputs, end_time_ns=at)

    for step in steps:
        tool, call = agent.tool(step.call.tool), step.call
        told = plain(tool.result, call.result) if call.result else {"refused": call.refused}
        span(call.tool, "TOOL", step.took_ns, plain(tool.arguments, call.arguments), told)
    usage = json.loads(row["usage"])
    proposal = plain(agent.answer, json.loads(row["proposal"])) if row["proposal"] else {}
    evidence = {"evidence_sha256": json.loads(row["inputs"])["evidence"], "engine": row["engine"]}
    span("propose", "LLM", int(float(usage.get("seconds", 0)) * _NS_PER_S), evidence, proposal)
    verdict = {"action": row["gate_action"], "reasons": row["gate_reasons"], "amount": str(row["amount"])}
    span("gate", "CHAIN", 0, {"rules": json.loads(row["inputs"])["rules"]}, verdict)
    client.end_trace(root.trace_id, outputs=verdict, end_time_ns=at)


def _ns(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000) * 1_000
