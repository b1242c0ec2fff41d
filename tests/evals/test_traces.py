"""Traces of a sample."""

from __future__ import annotations

import json
import re

import polars as pl
import pytest

from casper_ray.agents.kitchen.refund import Refund
from casper_ray.agents.kitchen.tools import OrderOverview
from casper_ray.evals.plain import WITHHELD, plain
from casper_ray.evals.register import register_version
from casper_ray.evals.traces import sampled
from casper_ray.evals.tracking import Tracking
from casper_ray.evals.versions import AgentVersion
from casper_ray.lakehouse.names import Catalog


def _ids(rate: float, most: int, number: int = 4_000, step: int = 1) -> list[str]:
    rows = pl.DataFrame({"decision_id": [f"v-{i:x}" for i in range(number)][::step]})
    return sampled(rows, rate, most)["decision_id"].to_list()


def test_a_sample_is_the_same_in_whatever_order_rows_come() -> None:
    found = _ids(0.1, 4_000)
    assert found == _ids(0.1, 4_000, step=-1)
    assert 300 < len(found) < 500
    assert set(found) < set(_ids(0.2, 4_000))


def test_a_sample_has_a_limit_and_can_be_none() -> None:
    assert _ids(1.0, 7) == _ids(0.5, 4_000)[:7]
    assert _ids(0.0, 7) == []


def test_a_trace_has_the_steps_and_no_text(
    tracking: Tracking, version: AgentVersion, decided: Catalog, decisions: pl.DataFrame
) -> None:
    rows = {row["decision_id"]: row for row in decisions.iter_rows(named=True)}
    register_version(tracking, version, decided, rate=1.0, most=len(rows))
    traces = tracking.client.search_traces(locations=[tracking.experiment("refund")], max_results=len(rows))
    assert {trace.info.tags["decision_id"] for trace in traces} == rows.keys()
    for trace in traces:
        root, *steps = trace.data.spans
        assert [step.name for step in steps] == [
            "get_order_timing",
            "get_location_timings",
            "propose",
            "gate",
        ]
        assert {step.parent_id for step in steps} == {root.span_id}
        row = rows[trace.info.tags["decision_id"]]
        assert steps[-1].outputs["action"] == row["gate_action"]
        assert steps[2].outputs["refund_usd"] == json.loads(row["proposal"])["refund_usd"]
        assert steps[0].outputs["delivered"] == f"{row['case_ts']:%Y-%m-%dT%H:%M:%S}Z"
        told = json.dumps([(step.inputs, step.outputs, step.attributes) for step in trace.data.spans])
        assert not re.search(rf"\b{row['pays_for']}\b", told)
        assert row["customer"] is None or row["customer"] not in told
        assert "Delivered in" not in told
        assert "Quay" not in told


def test_only_as_many_traces_as_the_run_may_have(
    tracking: Tracking, version: AgentVersion, decided: Catalog
) -> None:
    written = [register_version(tracking, version, decided, rate=1.0, most=most).traces for most in (2, 2, 5)]
    assert written == [2, 0, 3]


@pytest.mark.parametrize("text", ["Ann Lee, 3 Quay St", "none"])
def test_text_is_withheld_and_closed_words_are_kept(text: str) -> None:
    kept = plain(Refund, {"refund_usd": "1.50", "refund_class": "full", "reason": text})
    assert kept == {"refund_usd": "1.50", "refund_class": "full", "reason": WITHHELD}
    told = plain(OrderOverview, {"found": True, "location_id": None, "items": [text], "undeclared": text})
    assert told == {"found": True, "location_id": None, "items": WITHHELD, "undeclared": WITHHELD}
