"""Rules: what each kind makes of the rows that fail, and what the log may show of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from casper_ray.errors import ConfigError
from casper_ray.medallion.columns import LINE, SOURCE_FILE
from casper_ray.medallion.declare import Append, Table
from casper_ray.medallion.expectations import (
    Expectation,
    expect,
    expect_all,
    expect_all_or_drop,
    expect_all_or_fail,
    expect_all_or_quarantine,
    expect_or_drop,
    expect_or_fail,
    expect_or_quarantine,
)
from casper_ray.medallion.graph import PipelineError, check_rules
from casper_ray.medallion.kitchen.pipeline import PIPELINE
from casper_ray.medallion.quality import Quality, judged
from casper_ray.medallion.quality_config import resolve_quality

TABLE = Table(
    name="sales",
    reads="volume:events",
    grain="one row per sale",
    schema=pa.schema([("id", pa.int64()), ("who", pa.string()), ("price", pa.int64())]),
    update=Append(),
    transform=lambda rows: rows,
    samples=("id",),
)
ROWS = pl.DataFrame(
    {
        "id": [1, 2, 3, 4],
        "who": ["Ann Person", "Bob Person", "Cas Person", "Dee Person"],
        "price": [5, -1, None, 700],
        SOURCE_FILE: ["a.json", "a.json", "b.json", "b.json"],
        LINE: pl.Series([0, 1, 0, 1], dtype=pl.Int32),
    }
)


def ids(rows: pl.DataFrame) -> list[int]:
    return rows["id"].to_list()


def test_a_warning_leaves_the_rows_and_counts_them_null_is_not_true() -> None:
    found = judged(ROWS, TABLE, (expect("paid", "price > 0"),))
    assert (ids(found.rows), found.dropped, found.refused) == ([1, 2, 3, 4], 0, None)
    assert (found.tallies["paid"].passed, found.tallies["paid"].failed) == (2, 2)


def test_dropped_rows_are_gone_and_counted() -> None:
    found = judged(ROWS, TABLE, (expect_or_drop("paid", "price > 0"),))
    assert (ids(found.rows), found.dropped, found.refused) == ([1, 4], 2, None)


def test_quarantined_rows_are_kept_aside_with_rule_file_and_line() -> None:
    found = judged(ROWS, TABLE, (expect_or_quarantine("paid", "price > 0"),))
    assert ids(found.rows) == [1, 4]
    assert found.refused is not None
    rows = found.refused.select("table", "rule", "source_file", "line_number").rows()
    assert rows == [("sales", "paid", "a.json", 1), ("sales", "paid", "b.json", 0)]
    assert [json.loads(line)["id"] for line in found.refused["line"]] == [2, 3]
    assert not any("Person" in reason for reason in found.refused["reason"])


def test_a_stopping_rule_leaves_its_rows_in() -> None:
    found = judged(ROWS, TABLE, (expect_or_fail("paid", "price > 0"),))
    assert (ids(found.rows), found.tallies["paid"].failed) == ([1, 2, 3, 4], 2)


def test_a_row_that_fails_several_rules_goes_one_way_and_every_rule_counts_it() -> None:
    rules = (
        expect_or_drop("cheap", "price < 100"),
        expect_or_quarantine("paid", "price > 0"),
        expect_or_quarantine("known", "price IS NOT NULL"),
    )
    found = judged(ROWS, TABLE, rules)
    assert found.refused is not None
    assert (ids(found.rows), found.dropped, found.refused.height) == ([1], 1, 2)
    assert [found.tallies[rule.name].failed for rule in rules] == [2, 2, 1]
    assert ROWS.height == found.rows.height + found.dropped + found.refused.height


def test_a_sample_shows_what_may_be_shown_and_where_the_row_stands() -> None:
    samples = judged(ROWS, TABLE, (expect("never", "price > 1000"),)).tallies["never"].samples
    assert [json.loads(text) for text in samples] == [
        {"id": 1, SOURCE_FILE: "a.json", LINE: 0},
        {"id": 2, SOURCE_FILE: "a.json", LINE: 1},
        {"id": 3, SOURCE_FILE: "b.json", LINE: 0},
    ]


def test_no_rows_pass_every_rule() -> None:
    found = judged(ROWS.clear(), TABLE, (expect("paid", "price > 0"),))
    assert (found.rows.height, found.tallies["paid"].failed) == (0, 0)


@pytest.mark.parametrize(
    ("maker", "action"),
    [
        (expect_all, "warn"),
        (expect_all_or_drop, "drop"),
        (expect_all_or_quarantine, "quarantine"),
        (expect_all_or_fail, "fail"),
    ],
)
def test_the_all_forms_make_a_rule_of_each(maker: Any, action: str) -> None:
    rules = maker({"a": "id > 0", "b": "id > 1"}, tags=("t",), owner="o")
    wanted = [("a", "id > 0"), ("b", "id > 1")]
    assert rules == tuple(
        # the action is one of the three
        Expectation(name=name, sql=sql, action=action, tags=("t",), owner="o")  # type: ignore[arg-type]
        for name, sql in wanted
    )


def test_rules_survive_being_written_down() -> None:
    quality = resolve_quality(PIPELINE)
    assert Quality.from_json(json.loads(json.dumps(quality.as_json()))) == quality


def test_the_kitchen_has_the_rules_that_it_is_known_for() -> None:
    quality = resolve_quality(PIPELINE)
    found = {(table, rule.name, rule.action) for table, rules in quality.rules.items() for rule in rules}
    assert found == {
        ("admitted_events", "order_id_present", "fail"),
        ("admitted_events", "location_known", "quarantine"),
        ("admitted_events", "not_in_the_future", "warn"),
        ("orders", "items_present", "drop"),
        ("silver_order_items", "price_positive", "quarantine"),
        ("silver_order_items", "qty_in_range", "quarantine"),
    }
    assert quality.lateness_us == {"admitted_events": 3 * 3600 * 1_000_000}
    check_rules(PIPELINE, quality)


def test_no_rules_at_all_can_be_asked_for_and_the_watermark_stays() -> None:
    three_hours = {"admitted_events": 3 * 3600 * 1_000_000}
    assert resolve_quality(PIPELINE, "none") == Quality(rules={}, lateness_us=three_hours)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("tables: {nowhere: {}}", r"q.yml: tables: unknown keys \['nowhere'\]"),
        ("colour: red", r"q.yml: unknown keys \['colour'\]"),
        ("tables: {orders: {watermark: 3h}}", "tables.orders.watermark: the table has none"),
        (
            "tables: {admitted_events: {watermark: soon}}",
            "watermark: saw 'soon', expected a duration above 0",
        ),
        ("tables: {orders: {expectations: [{name: a, sql: b, action: shout}]}}", "action: .*'warn', 'drop'"),
        ("tables: {orders: {expectations: [{name: a, sql: b}]}}", "action: Field required"),
        (
            "tables: {orders: {expectations: [{name: a, sql: b, action: warn}, {name: a, sql: c, action: warn}]}}",
            r"tables.orders: rules of one name \['a'\]",
        ),
        ("[]", "expected a mapping"),
        ("tables: {orders: {expectations: [{name: a, sql: ['x", "is not YAML"),
    ],
)
def test_a_file_of_rules_that_does_not_fit_is_refused_in_a_line(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "q.yml").write_text(text)
    with pytest.raises(ConfigError, match=told) as caught:
        resolve_quality(PIPELINE, str(tmp_path / "q.yml"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("nowhere.yml", "there is no such file"),
        ("nowhere", "unknown.*known are bank, kitchen, none, or a .yml file"),
    ],
)
def test_rules_that_are_not_there_are_refused(asked: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        resolve_quality(PIPELINE, asked)


def test_a_file_of_rules_may_change_the_lateness_and_name_owners(tmp_path: Path) -> None:
    rule = "{name: a, sql: order_id = 'x', action: warn, tags: [t]}"
    (tmp_path / "q.yml").write_text(
        f"owner: me\ntables: {{admitted_events: {{watermark: 90m, expectations: [{rule}]}}}}"
    )
    quality = resolve_quality(PIPELINE, str(tmp_path / "q.yml"))
    assert quality.lateness_us == {"admitted_events": 90 * 60 * 1_000_000}
    wanted = Expectation(name="a", sql="order_id = 'x'", action="warn", tags=("t",), owner="me")
    assert quality.of("admitted_events") == (wanted,)


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("colour = 'red'", "asks for .*colour.*columns are"),
        ("price >", "cannot be evaluated"),
        ("price > 0; DROP TABLE orders", "cannot be evaluated"),
        ("SUM(price) > 0", "does not say of each row"),
        ("price", "does not say of each row"),
        ("(SELECT 1) = 1", "cannot be evaluated"),
    ],
)
def test_a_rule_that_cannot_judge_rows_is_refused_before_anything_runs(sql: str, told: str) -> None:
    quality = Quality(rules={"silver_order_items": (expect("bad", sql),)})
    with pytest.raises(PipelineError, match=rf"table 'silver_order_items', rule 'bad': .*{told}") as caught:
        check_rules(PIPELINE, quality)
    assert "\n" not in str(caught.value)
