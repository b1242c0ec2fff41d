"""What one call of each tool costs: a case after the other, as a model asks, the store warm.

python benchmarks/single_calls.py LAKE CATALOG AGENT … [--anyone]

A process by itself, with one thread for polars, as an engine that asks a model has it (`cluster.one_thread`). Prints
JSON: `tools`, one row per agent and tool. --anyone: the first agent's tools also of transactions that nobody flagged.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any, Final

CALLS: Final = 500
GOAL_MS: Final = 10.0
ANYONE: Final = "--anyone"


def main() -> None:
    from casper_ray.cluster import one_thread

    one_thread()
    from casper_ray.agents.registry import load_agent
    from casper_ray.lakehouse.names import existing_catalog

    lake, catalog_name, *names = sys.argv[1:]
    catalog = existing_catalog(lake, catalog_name)
    rows: list[dict[str, Any]] = []
    for name in (name for name in names if name != ANYONE):
        agent = load_agent(name)
        store: Any = agent.open_store(catalog, None)
        rows += _called(agent, store, agent.cases(store, -1, store.batch), "own")
        if ANYONE in names and name == names[0]:
            rows += _called(agent, store, _of_anyone(store), "anyone")
    print(json.dumps({"tools": rows}))


def _called(agent: Any, store: Any, cases: Any, whose: str) -> list[dict[str, Any]]:
    """Of up to `CALLS` cases: p50 and p95 of each tool's calls, and how many found anything."""
    import numpy as np

    from casper_ray.agents.case import Case
    from casper_ray.agents.tools import Toolbox

    first, *others = [
        Case.of(row) for row in cases.sample(min(CALLS + 1, cases.height), seed=1).iter_rows(named=True)
    ]
    rows = []
    for tool in agent.tools:
        Toolbox(store, first, agent.tools).call(tool.name)
        took_ms, found = [], 0
        for case in others:
            begun = time.perf_counter()
            made = Toolbox(store, case, agent.tools).call(tool.name)
            took_ms.append((time.perf_counter() - begun) * 1000)
            assert made.result, made
            found += made.result["found"]
        p50, p95 = (round(float(np.percentile(took_ms, share)), 2) for share in (50, 95))
        told = {"calls": len(others), "found": found, "p50_ms": p50, "p95_ms": p95}
        rows.append({"agent": agent.name, "tool": tool.name, "whose": whose, **told})
    return rows


def _of_anyone(store: Any) -> Any:
    import polars as pl

    from casper_ray.agents.bank.scope import TRANSACTION_CASE, transaction_cases
    from casper_ray.lakehouse.read import KNOWN, scan

    silver = scan(store.catalog.table("retail_banking", "silver_transactions"))
    rows = silver.select("transaction_id", KNOWN).collect()
    others = rows.join(store.flagged, on="transaction_id", how="anti").sample(CALLS + 1, seed=2)
    return transaction_cases(others.with_columns(pl.lit(0).alias("source_batch")), TRANSACTION_CASE, KNOWN)


def called_singly(lake: Path, catalog: str, *arguments: str) -> dict[tuple[str, str, str], dict[str, Any]]:
    """The rows, by agent, tool and whose cases they were."""
    from conftest import timed_json

    said = timed_json([sys.executable, __file__, str(lake), catalog, *arguments])
    return {(row["agent"], row["tool"], row["whose"]): row for row in said["tools"]}


def tell(benchmark: Any, row: dict[str, Any]) -> None:
    """The row as a benchmark's figures: p95 over the goal is the ratio."""
    benchmark.pedantic(lambda: None, rounds=1)
    of_anyone = ", of what nobody flagged" if row["whose"] == "anyone" else ""
    benchmark.extra_info |= {
        "what": f"{row['agent']}'s {row['tool']}{of_anyone}: p95 of {row['calls']} single calls, warm",
        "goal": f"<= {GOAL_MS:g} ms",
        "p50_ms": row["p50_ms"],
        "p95_ms": row["p95_ms"],
        "ratio": row["p95_ms"] / GOAL_MS,
    }


if __name__ == "__main__":
    main()
