"""`medallion run` and `dry-run` on a small lake: rules chosen, late rows taken, refusals of one line, exit codes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from children import MEDALLION, Children, Ended
from lakes import Lake

pytestmark = pytest.mark.cli

Run = Callable[..., Ended]
Orders = Callable[..., bytes]
KITCHEN_RULES = (
    "fail       order_id_present: order_id IS NOT NULL",
    "quarantine location_known: location_id_known",
    "warn       not_in_the_future: _landed_ts IS NULL OR event_ts <= _landed_ts",
    "drop       items_present: ARRAY_LENGTH(items) > 0",
    "quarantine price_positive: price > 0",
    "quarantine qty_in_range: 0 < qty AND qty < 100",
)


@pytest.fixture
def run(lone_children: Children, lake: Lake) -> Run:
    """Runs `medallion run --json` on the lake; so little to do that it needs no Ray."""
    lake.volume.mkdir(parents=True)
    return lambda *more: lone_children.run(*MEDALLION, "run", *lake.options, "--json", *more)


@pytest.fixture
def order(event_line: Callable[..., bytes], basket_item: Callable[..., dict[str, Any]]) -> Orders:
    def line(number: int, at: str = "12:00", **fields: Any) -> bytes:
        made: bytes = event_line(number, items=[basket_item()], ts=f"2024-01-01 {at}:00.000", **fields)
        return made

    return line


def assert_refused(ended: Ended, kind: str, *says: str) -> None:
    """Exit code 2, and one JSON object that says what and what to do."""
    assert ended.code == 2, ended
    assert "Traceback" not in ended.err
    error = ended.summary["error"]
    assert error["type"] == kind
    for words in says:
        assert words in error["message"], error
    assert "\n" not in error["message"] + error["hint"]


def orders_of(lake: Lake) -> list[str]:
    return sorted(lake.table("gold_order_header")["order_id"])


def test_a_stopped_batch_ends_in_two_and_without_rules_in_nought(run: Run, order: Orders, lake: Lake) -> None:
    (lake.volume / "a.json").write_bytes(order(1) + order(2, order_id=None))
    says = ("stopped by rule 'order_id_present'", '"source_file": "a.json", "line_number": 2')
    for _ in range(2):
        assert_refused(run(), "StoppedBatchError", "batch 1", *says)
    assert not list(lake.path("all_events").rglob("*.parquet"))
    ended = run("--quality", "none")
    assert ended.code == 0, ended.err
    assert (ended.summary["batches"], ended.summary["rows_in"]) == (1, 2)
    assert orders_of(lake) == ["O1"]
    assert lake.table("quality_log")["stopped"].sum() == 2
    assert lake.table("batches")["batch"].to_list() == [1]


def test_late_rows_count_where_they_are_accepted_and_stay_counted(
    run: Run, order: Orders, lake: Lake
) -> None:
    (lake.volume / "a.json").write_bytes(order(1, "09:00") + order(2, "18:00"))
    assert run().code == 0
    (lake.volume / "b.json").write_bytes(order(3, "08:00") + order(1, "09:00"))
    summary = run("--late", "accept").summary
    assert (summary["late"], summary["duplicates"], summary["rows_in"]) == (0, 1, 2)
    assert orders_of(lake) == ["O1", "O2", "O3"]
    (lake.volume / "c.json").write_bytes(order(4, "08:00") + order(3, "08:00"))
    summary = run().summary
    assert (summary["late"], summary["duplicates"], summary["rows_in"]) == (2, 0, 2)
    assert orders_of(lake) == ["O1", "O2", "O3"]


@pytest.mark.parametrize(
    ("text", "kind", "told"),
    [
        ("colour: red", "ConfigError", "rules.yml: unknown keys ['colour']"),
        ("tables: {silver: {}}", "ConfigError", "rules.yml: tables: unknown keys ['silver']"),
        (
            "tables: {orders: {expectations: [{name: a, sql: sequence = 0, action: stop}]}}",
            "ConfigError",
            "action: ",
        ),
        (
            "tables: {orders: {expectations: [{name: a, sql: colour = 1, action: warn}]}}",
            "PipelineError",
            "table 'orders', rule 'a': 'colour = 1' asks for",
        ),
        (
            "tables: {orders: {expectations: [{name: a, sql: sequence = MAX(sequence), action: warn}]}}",
            "PipelineError",
            "looks at other rows",
        ),
        (
            "tables: {orders: {expectations: [{name: a, sql: CAST(order_id AS INT) > 0, action: warn}]}}",
            "RuleError",
            "rule 'a' of orders (CAST(order_id AS INT) > 0) cannot be worked out",
        ),
    ],
    ids=["key", "table", "action", "column", "aggregate", "cast"],
)
def test_rules_that_cannot_be_used_are_refused_and_stand_in_no_way(
    run: Run, order: Orders, lake: Lake, tmp_path: Path, text: str, kind: str, told: str
) -> None:
    (lake.volume / "a.json").write_bytes(order(1, order_id="SECRET"))
    (tmp_path / "rules.yml").write_text(text)
    refused = run("--quality", str(tmp_path / "rules.yml"))
    assert_refused(refused, kind, told)
    assert "SECRET" not in refused.out + refused.err
    assert run().summary["rows_in"] == 1
    assert orders_of(lake) == ["SECRET"]


@pytest.mark.ray
def test_a_refresh_without_a_file_that_was_read_is_refused_and_runs_go_on(
    children: Children, run: Run, order: Orders, lake: Lake
) -> None:
    (lake.volume / "a.json").write_bytes(order(1))
    assert run().code == 0
    (lake.volume / "a.json").unlink()
    (lake.volume / "b.json").write_bytes(order(2))
    refused = children.run(*MEDALLION, "run", *lake.options, "--json", "--full-refresh")
    assert_refused(refused, "LakeError", "gone or cut short, such as a.json")
    assert run().code == 0
    assert orders_of(lake) == ["O1", "O2"]


def test_a_dry_run_prints_each_rule_under_its_table_and_touches_nothing(
    lone_children: Children, lake: Lake
) -> None:
    drawn = lone_children.run(*MEDALLION, "dry-run", *lake.options)
    assert drawn.code == 0, drawn.err
    for rule in KITCHEN_RULES:
        assert rule in drawn.out
    of_table = drawn.out.index(" orders: one row per order created")
    assert of_table < drawn.out.index("items_present") < drawn.out.index(" silver_order_items: ")
    none = lone_children.run(*MEDALLION, "dry-run", *lake.options, "--quality", "none", "--json")
    assert none.code == 0, none.err
    assert not any(table["expectations"] for table in none.summary["tables"])
    told = lone_children.run(*MEDALLION, "dry-run", *lake.options, "--json").summary
    found = [rule["name"] for table in told["tables"] for rule in table["expectations"]]
    assert found == [rule.split(":")[0].split()[1] for rule in KITCHEN_RULES]
    assert not lake.folder.exists()
