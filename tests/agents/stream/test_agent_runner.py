"""Every case is decided once, the same however batches were grouped; and what others paid counts."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from growing_lake import WINDOWS, GrowingLake, basket, line, window_of
from polars.testing import assert_frame_equal

from casper_ray.agents.ledger import Ledger, Payment
from casper_ray.agents.stream.log import DecisionLog
from casper_ray.agents.stream.switch import Switch
from casper_ray.lakehouse.read import scan
from casper_ray.medallion.runner import Runner

MINUTE = 60_000_000


def test_every_delivered_order_is_decided_once(decided: GrowingLake) -> None:
    found = decided.decisions()
    assert sorted(found["pays_for"]) == decided.delivered()
    assert found.height > 500
    assert found["case_id"].is_unique().all()
    assert found["decision_id"].is_unique().all()
    assert {"none", "partial", "full"} == set(found["outcome"])


def test_a_batch_at_a_time_gives_the_same_as_all_at_once(decided: GrowingLake, tmp_path: Path) -> None:
    lake = GrowingLake.at(tmp_path / "lake")
    lake.grow(0)
    runner, sizes = lake.runner(), []
    for number in range(1, WINDOWS + 1):
        step = runner.step()
        sizes.append(step.decisions.height if step else 0)
        if number < WINDOWS:
            lake.grow(number)
    assert sum(sizes) == decided.decisions().height
    assert sum(size > 0 for size in sizes) > 8
    assert_frame_equal(lake.content(), decided.content())


def test_a_new_runner_goes_on_where_the_last_one_stopped(decided: GrowingLake, tmp_path: Path) -> None:
    lake = GrowingLake.grown(tmp_path / "lake", range(5))
    assert lake.runner().step()
    for number in range(5, WINDOWS):
        lake.grow(number)
    step = lake.runner().step()
    assert step
    assert (step.after, step.to) == (5, WINDOWS)
    assert_frame_equal(lake.content(), decided.content())


def test_a_rerun_commits_nothing(lake: GrowingLake) -> None:
    runner = lake.runner()
    assert runner.step()
    before = lake.version()
    assert runner.step() is None
    assert lake.runner().step() is None
    assert lake.version() == before


def test_inputs_name_the_versions_that_the_cases_own_batch_left(decided: GrowingLake) -> None:
    rows = scan(decided.catalog.table("lakeflow", "batches")).select("batch", "versions").collect()
    left = {batch: dict(pair.split("=") for pair in texts) for batch, texts in rows.iter_rows()}
    for batch, text in decided.decisions().select("source_batch", "inputs").iter_rows():
        inputs = json.loads(text)
        assert inputs["source_batch"] == batch
        assert inputs["tables"]["lakeflow.all_events"] == int(left[batch]["all_events"])


def test_what_was_decided_again_after_tables_were_made_anew_is_not_doubled(lake: GrowingLake) -> None:
    assert lake.runner().step()
    before = lake.content()
    runner = Runner("casper_ray.medallion.kitchen.pipeline:PIPELINE", lake.catalog)
    runner.refresh()
    lake.grow(WINDOWS)
    assert lake.runner().step()
    after = lake.content()
    assert after["case_id"].is_unique().all()
    assert sorted(after["pays_for"]) == lake.delivered()
    assert_frame_equal(after.filter(pl.col("decision_id").is_in(before["decision_id"].implode())), before)


def test_late_orders_are_decided_when_all_of_them_is_known(tmp_path: Path) -> None:
    """One whose delivery, and one whose creation, came a window late: as of when that came, however grouped."""
    created_us = window_of(9).to_us - 50 * MINUTE
    first = [
        line("a1", "order_created", created_us, "LATE1", **basket(20)),
        line("b2", "delivered", created_us + 45 * MINUTE, "LATE2"),
    ]
    then = [
        line("a2", "delivered", created_us + 45 * MINUTE, "LATE1"),
        line("b1", "order_created", created_us, "LATE2", **basket(30)),
    ]
    together = GrowingLake.grown(tmp_path / "together", range(9))
    together.grow(9, *first)
    apart = together.copy(tmp_path / "apart")
    stepped = apart.runner()
    assert stepped.step()
    assert not apart.decisions()["pays_for"].str.starts_with("LATE").any()
    for lake in (together, apart):
        lake.grow(10, *then)
    assert stepped.step()
    assert together.runner().step()
    assert_frame_equal(apart.content(), together.content())
    late = together.decisions().filter(pl.col("pays_for").str.starts_with("LATE")).sort("pays_for")
    assert late["case_ts"].dt.epoch("us").to_list() == [window_of(10).from_us] * 2
    assert late["source_batch"].to_list() == [11, 11]
    assert late["outcome"].to_list() == ["full", "full"]
    assert late["amount"].to_list() == [Decimal("20.00"), Decimal("30.00")]


def test_the_kill_switch_sends_what_comes_next_to_a_person(tmp_path: Path) -> None:
    lake = GrowingLake.grown(tmp_path / "lake", range(6))
    runner, switch = lake.runner(), Switch(lake.catalog, "refund")
    assert runner.step()
    switch.turn_off()
    lake.grow(6)
    off = runner.step()
    switch.turn_on()
    lake.grow(7)
    on = runner.step()
    assert off
    assert on
    assert set(off.decisions["gate_action"]) == {"queued"}
    assert set(off.decisions["outcome"]) == {"kill_switch"}
    assert not off.decisions["amount"].sum()
    assert off.decisions["final"].null_count() == off.decisions.height
    assert "kill_switch" not in set(on.decisions["outcome"])
    assert "approved" in set(on.decisions["gate_action"])


def test_a_switch_thrown_after_the_proposals_still_stops_them(
    lake: GrowingLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = lake.runner()

    def throw(place: str) -> None:
        if place == "agents.after_propose":
            Switch(lake.catalog, "refund").turn_off()

    monkeypatch.setattr("casper_ray.agents.stream.runner.reach", throw)
    step = runner.step()
    assert step
    assert set(step.decisions["gate_action"]) == {"queued"}
    assert not step.decisions["amount"].sum()


def paid(case: str, order: str, row: dict[str, Any], amount: str, schema: pl.Schema) -> pl.DataFrame:
    """A decision of another agent that let money move for an order."""
    other = {**row, "decision_id": f"x-{case}", "agent": "other", "agent_version": "v", "case_id": case}
    made = pl.DataFrame([{**other, "pays_for": order, "amount": Decimal(amount)}])
    return made.select(pl.col(name).cast(dtype) for name, dtype in schema.items())


def test_what_another_agent_paid_counts(lake: GrowingLake, decided: GrowingLake) -> None:
    rows = decided.decisions().filter(pl.col("outcome") == "full")
    row = rows.row(0, named=True)
    log = DecisionLog(lake.catalog, "other", "v")
    total = row["amount"]
    other = paid("complaint:1", row["pays_for"], row, str(total - 1), rows.schema)
    assert log.append(1, lambda ledger: other)
    step = lake.runner().step()
    assert step
    found = step.decisions.filter(pl.col("pays_for") == row["pays_for"]).row(0, named=True)
    assert (found["gate_action"], found["amount"]) == ("clipped", Decimal("1.00"))
    assert "payable" in found["gate_reasons"]


def test_a_judge_who_was_overtaken_is_asked_again_with_what_was_paid_meanwhile(
    lake: GrowingLake, decided: GrowingLake
) -> None:
    """Two logs of one table: the other agent's commit comes between our judging and our commit."""
    rows = decided.decisions().filter(pl.col("amount") > 0)
    one, two = rows.row(0, named=True), rows.row(1, named=True)
    ours, theirs = DecisionLog(lake.catalog, "ours", "v"), DecisionLog(lake.catalog, "other", "v")
    seen: list[tuple[Decimal, bool]] = []

    def judge(ledger: Ledger) -> pl.DataFrame:
        seen.append((ledger.paid_for(two["pays_for"]), ledger.has("ours:1")))
        if len(seen) == 1:
            other = paid("complaint:2", two["pays_for"], two, "3.00", rows.schema)
            assert theirs.append(1, lambda _: other)
        ledger.add(Payment("ours:1", one["pays_for"], "c", one["case_ts"].date(), Decimal("2.00")))
        return paid("ours:1", one["pays_for"], one, "2.00", rows.schema)

    assert ours.append(1, judge)
    assert seen == [(Decimal(0), False), (Decimal("3.00"), False)]
    ledger = ours.ledger()
    assert (ledger.paid_for(one["pays_for"]), ledger.paid_for(two["pays_for"])) == (Decimal(2), Decimal(3))
    files = {file.name for file in (lake.catalog.table("agents", "decisions")).glob("*.parquet")}
    assert len(files) == 2  # the attempt that came too late left none
