"""A decision that was made: found by its id, and made again from the same inputs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from casper_ray.agents.decision import SCHEMA, TABLE
from casper_ray.agents.engines.build import build_engine
from casper_ray.agents.ledger import Ledger
from casper_ray.agents.registry import load_agent
from casper_ray.agents.stream.log import payments_of
from casper_ray.agents.stream.runner import Setting
from casper_ray.errors import LakeError
from casper_ray.lakehouse.names import Catalog
from casper_ray.lakehouse.read import scan

COMPARED: Final = (
    "proposal",
    "gate_action",
    "gate_reasons",
    "final",
    "outcome",
    "amount",
    "pays_for",
    "customer",
    "engine",
    "inputs",
)
_SHORTEST_ID: Final = 8
_TURN: Final = ("source_batch", "case_ts", "case_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """same_inputs: whether what tools tell has the digest that the decision names, from the same table versions.

    same_version: whether what decided is what decides today. differing: columns that came out otherwise, (then, now);
    empty where it is not, for then only the inputs are compared.
    """

    decision: dict[str, Any]
    same_inputs: bool
    same_version: bool
    version_now: str
    deterministic: bool
    differing: dict[str, tuple[Any, Any]]

    @property
    def equal(self) -> bool:
        return self.same_inputs and not self.differing


def found_decision(catalog: Catalog, wanted: str) -> dict[str, Any]:
    """The decision of an id, or of the beginning of one, or of a case's id. Raises: LakeError."""
    path = decisions_path(catalog)
    rows = scan(path)
    match = (pl.col("decision_id") == wanted) | (pl.col("case_id") == wanted)
    if len(wanted) >= _SHORTEST_ID:
        match = match | pl.col("decision_id").str.starts_with(wanted)
    found = rows.filter(match).sort("decided_at").collect()
    if found.is_empty():
        raise LakeError(
            f"decision {wanted!r}: there is none in catalog {catalog.name}",
            "an id as in agents.decisions, or a case's, such as order:ABC123",
        )
    if found["decision_id"].n_unique() > 1:
        ids = ", ".join(found["decision_id"].unique(maintain_order=True).head(3))
        raise LakeError(f"decision {wanted!r}: there are {found.height}, such as {ids}", "give the whole id")
    return found.row(0, named=True)


def decisions_path(catalog: Catalog) -> Path:
    """The table of decisions. Raises: LakeError where nothing was decided yet."""
    path = catalog.table(SCHEMA, TABLE)
    if not (path / "_delta_log").is_dir():
        raise LakeError(
            f"catalog {catalog.name}: nothing was decided yet",
            "`casper agents run` decides on what batches brought",
        )
    return path


def decided_again(catalog: Catalog, decision: dict[str, Any]) -> Again:
    """The decision's case, decided again from the tables as its batch left them, after the same payments.

    Raises: LakeError where the tables of that time cannot be read any more, or no longer have the case.
    """
    engine = build_engine(_engine_name(decision))
    setting = Setting(catalog=catalog, agent=load_agent(decision["agent"]), engine=engine)
    batch = decision["source_batch"]
    store: Any = setting.agent.open_store(catalog, batch)
    case = setting.agent.cases(store, batch - 1, batch).filter(pl.col("case_id") == decision["case_id"])
    if store.batch != batch or case.is_empty():
        raise LakeError(
            f"decision {decision['decision_id']}: batch {batch} has no case {decision['case_id']} any more",
            "tables were made anew since it was decided",
        )
    decider = setting.decider(paid_before(setting, decision["agent_version"], decision["case_id"]))
    off = decision["outcome"] == "kill_switch" or "kill_switch" in decision["gate_reasons"]
    now = decider.decide(store, case, sim_now=decision["decided_sim_ts"], off=off).row(0, named=True)
    return _compared(decision, now, decider.version, deterministic=engine.deterministic)


def paid_before(setting: Setting, version: str, case_id: str) -> Ledger:
    """What was paid when the case's turn came: all that the table had, and in its own commit what came before it.

    Of a case that this version of the agent has not decided: all that the table has.
    """
    path = setting.catalog.table(SCHEMA, TABLE)
    if not (path / "_delta_log").is_dir():
        return Ledger()
    rows = scan(path)
    ours: pl.Expr = (pl.col("agent") == setting.agent.name) & (pl.col("agent_version") == version)
    own = rows.filter(ours, pl.col("case_id") == case_id).select(*_TURN, "decided_at").collect()
    if not own.is_empty():
        turn = own.row(0, named=True)
        earlier: pl.Expr = pl.col("decided_at") < pl.lit(turn["decided_at"])
        with_it: pl.Expr = ours & (pl.col("decided_at") == pl.lit(turn["decided_at"]))
        rows = rows.filter(earlier | (with_it & _before(turn)))
    return Ledger(payments_of(rows))


def _before(turn: dict[str, Any]) -> pl.Expr:
    """Rows whose turn came earlier, in the order of `decision.in_order`."""
    before: pl.Expr = pl.lit(False)
    for name in reversed(_TURN):
        column, value = pl.col(name), pl.lit(turn[name])
        before = (column < value) | ((column == value) & before)
    return before


def _compared(then: dict[str, Any], now: dict[str, Any], version: str, *, deterministic: bool) -> Again:
    inputs = [json.loads(row["inputs"]) for row in (then, now)]
    names = ("as_of", "source_batch", "tables", "evidence")
    same_inputs = all(inputs[0].get(name) == inputs[1].get(name) for name in names)
    same_version = then["agent_version"] == version or _by_policy(then, *inputs)
    comparable = deterministic and same_version
    differing = {name: (then[name], now[name]) for name in COMPARED if comparable and then[name] != now[name]}
    return Again(
        decision=then,
        same_inputs=same_inputs,
        same_version=same_version,
        version_now=version,
        deterministic=deterministic,
        differing=differing,
    )


def _by_policy(then: dict[str, Any], inputs: dict[str, Any], inputs_now: dict[str, Any]) -> bool:
    """Whether the policy answered, in whatever engine, and is the same today: its answers are by `answers` alone."""
    answers = inputs.get("answers")
    return _engine_name(then) == "policy" and answers is not None and answers == inputs_now["answers"]


def _engine_name(decision: dict[str, Any]) -> str:
    """Who answered; of one that was never asked, the one that needs nothing."""
    return "policy" if decision["engine"] in ("none", "policy") else str(decision["engine"])
