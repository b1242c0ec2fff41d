"""Rules on a lake: what cannot be asked is refused before anything runs; what has no answer stops no later run."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from small_lake import SmallLake, item, order

from casper_ray.errors import ConfigError
from casper_ray.medallion import pass_run
from casper_ray.medallion.accounts import Account
from casper_ray.medallion.expectations import expect
from casper_ray.medallion.graph import PipelineError, check_rules
from casper_ray.medallion.kitchen.pipeline import PIPELINE
from casper_ray.medallion.quality import Quality, RuleError
from casper_ray.medallion.quality_log import StoppedBatchError

OF_OTHER_ROWS = (
    "price > SUM(price)",
    "price > MAX(qty)",
    "price = FIRST(price)",
    "qty < COUNT(*)",
    "price > MEDIAN(price)",
    "price > QUANTILE_CONT(price, 0.5)",
    "price > 0 AND COUNT(qty) > 1",
    "qty % COUNT(qty) = 0",
    "qty IN (1, 2) AND price < AVG(price)",
    "CASE WHEN qty > 1 THEN price > MIN(price) ELSE qty > 0 END",
    "price > AVG(price) OVER (PARTITION BY order_id)",
    "ROW_NUMBER() OVER (ORDER BY price) > 1",
    "LAG(price) OVER (ORDER BY qty) > 1",
    "LENGTH(item_name) > COUNT(DISTINCT item_name)",
)
OF_ONE_ROW = (
    "price > 0 AND qty < 100",
    "qty IN (1, 2, 3)",
    "item_name NOT IN ('a', 'b')",
    "item_name LIKE '%up' OR item_name ILIKE 's%'",
    "COALESCE(qty, 0) BETWEEN 1 AND 99",
    "CASE WHEN qty > 1 THEN price > 1 ELSE price > 2 END",
    "ROUND(price, 1) = price",
    "qty % 2 = 0",
    "LENGTH(item_name) = 4 AND UPPER(item_name) = 'SOUP'",
    "TRY_CAST(order_id AS INT) IS NULL",
    "GREATEST(item_id, menu_id) > 1",
    "DATE_PART('hour', order_ts) < 23",
    "order_day = DATE '2024-01-01'",
)


@pytest.fixture
def lake(tmp_path: Path) -> SmallLake:
    return SmallLake.at(tmp_path / "lake")


def rules_of(folder: Path, table: str, *rules: tuple[str, str, str]) -> str:
    """A file of rules (name, sql, action) of one table."""
    written = [{"name": name, "sql": sql, "action": action} for name, sql, action in rules]
    path = folder / "rules.yml"
    path.write_text(json.dumps({"tables": {table: {"expectations": written}}}))
    return str(path)


def of_silver(sql: str) -> Quality:
    return Quality(rules={"silver_order_items": (expect("bad", sql),)})


@pytest.mark.parametrize("sql", OF_OTHER_ROWS)
def test_a_rule_that_looks_at_other_rows_is_refused(sql: str) -> None:
    with pytest.raises(PipelineError, match=r"rule 'bad': .* looks at other rows, too.*one block") as caught:
        check_rules(PIPELINE, of_silver(sql))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("sql", OF_ONE_ROW)
def test_a_rule_of_one_row_is_taken_and_answers(lake: SmallLake, tmp_path: Path, sql: str) -> None:
    check_rules(PIPELINE, of_silver(sql))
    lake.drop("a.json", order(1))
    (report,) = lake.run(quality=rules_of(tmp_path, "silver_order_items", ("r", sql, "warn")))
    (row,) = lake.table("quality_log").select("rule", "passed", "failed").rows()
    assert row[0] == "r"
    assert row[1] + row[2] == report.accounts["silver_order_items"].rows_out == 1


@pytest.mark.parametrize("sql", ["TRUE", "NULL", "1 < 2", "*", "", "price > 0, qty > 0", "price > 0 LIMIT 1"])
def test_what_is_no_question_about_a_row_is_refused_in_a_line(sql: str) -> None:
    with pytest.raises(PipelineError, match="table 'silver_order_items', rule 'bad'") as caught:
        check_rules(PIPELINE, of_silver(sql))
    assert "\n" not in str(caught.value)


def test_rules_may_ask_for_what_the_pass_adds_and_no_more() -> None:
    asked = "location_id_known AND _landed_ts IS NOT NULL AND _admission = 'admitted' AND _source_file <> ''"
    check_rules(PIPELINE, Quality(rules={"admitted_events": (expect("r", asked),)}))
    with pytest.raises(PipelineError, match=r"asks for .*location_id_known"):
        check_rules(PIPELINE, of_silver("location_id_known"))


def test_a_rule_that_cannot_be_worked_out_quotes_no_row_and_changes_nothing(
    lake: SmallLake, tmp_path: Path
) -> None:
    lake.drop("a.json", order(1))
    lake.run()
    before = lake.files()
    lake.drop("b.json", order(2, order_id="12"), order(3, order_id="SECRET"))
    rules = rules_of(tmp_path, "admitted_events", ("number", "CAST(order_id AS INT) > 0", "warn"))
    with pytest.raises(RuleError, match=r"rule 'number' of admitted_events \(CAST.*TRY_CAST") as caught:
        lake.run(quality=rules)
    assert "SECRET" not in str(caught.value)
    assert "\n" not in str(caught.value)
    logs = {name: data for name, data in lake.files().items() if "_delta_log" in name}
    assert logs == {name: data for name, data in before.items() if "_delta_log" in name}
    (report,) = lake.run()
    assert (report.batch.number, lake.orders()) == (2, ["12", "O1", "SECRET"])


def test_another_file_of_rules_goes_on_where_one_stopped(lake: SmallLake, tmp_path: Path) -> None:
    lake.drop("a.json", order(1), order(2, order_id=None), order(3))
    with pytest.raises(StoppedBatchError):
        lake.run()
    (report,) = lake.run(quality="none")
    assert report.batch.number == 1
    assert report.counts == Account(rows_in=3, rows_out=3)
    assert lake.table("quality_log")["stopped"].any()
    assert lake.orders() == ["O1", "O3"]
    (kept,) = lake.table("quarantine").rows(named=True)
    assert (kept["table"], kept["rule"], kept["line_number"]) == ("silver_order_items", None, 2)


def test_a_stopped_batch_of_many_blocks_leaves_no_file_behind(
    lake: SmallLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pass_run, "BLOCK_BYTES", 1)
    lake.drop("a.json", order(1))
    lake.run()
    before = lake.files()
    for name in "bcd":
        lake.drop(f"{name}.json", order(1), order(ord(name), items=[item(), item(price=-1)]))
    lake.drop("e.json", order(9, order_id=None), order(8, order_id=None))
    with pytest.raises(StoppedBatchError, match="2 rows fail") as caught:
        lake.run()
    for line in (1, 2):
        assert f'"source_file": "e.json", "line_number": {line}' in str(caught.value)
    assert lake.files() == before
    assert not lake.journal.exists()
    log = lake.table("quality_log").filter(pl.col("batch") == 2).sort("rule")
    failed = {
        rule: (count, stopped) for rule, count, stopped in log.select("rule", "failed", "stopped").rows()
    }
    assert failed["order_id_present"] == (2, True)
    assert failed["price_positive"] == (3, False), "the others are told of, too"


def test_a_run_that_was_stopped_goes_on_by_itself_once_the_file_is_mended(lake: SmallLake) -> None:
    runner = lake.runner()
    lake.drop("a.json", order(1), order(2, order_id=None))
    for _ in range(2):
        with pytest.raises(StoppedBatchError):
            list(runner.run_available())
    lake.drop("a.json", order(1), order(2))
    (report,) = runner.run_available()
    assert (report.batch.number, lake.orders()) == (1, ["O1", "O2"])
    assert lake.table("quality_log")["stopped"].sum() == 2


def test_samples_show_no_column_that_was_not_named_for_it(lake: SmallLake, tmp_path: Path) -> None:
    lake.drop("a.json", *(order(number) for number in range(5)))
    for table in ("admitted_events", "orders", "silver_order_items"):
        lake.runner(quality=rules_of(tmp_path, table, ("never", "location_id > 5", "warn"))).refresh()
    declared = {table.name: set(table.samples) for table in PIPELINE.tables}
    log = lake.table("quality_log")
    assert log.height == 3
    for table, sample in log.select("table", "sample").rows():
        rows = json.loads(sample)
        assert len(rows) == 3
        for row in rows:
            assert row.keys() == declared[table] | {"source_file", "line_number"}
            assert (row["source_file"], row["location_id"]) == ("a.json", 1)
        assert [row["line_number"] for row in rows] == [1, 2, 3]
    assert not any("Quay" in sample for sample in log["sample"])


def test_a_row_that_fails_here_and_there_is_accounted_for_at_each_table(
    lake: SmallLake, tmp_path: Path
) -> None:
    """An order of the wrong place is kept aside before its items can be looked at."""
    lake.drop(
        "a.json", order(1, items=[item(price=-1), item()]), order(2, location_id=9, items=[item(price=-1)])
    )
    path = tmp_path / "rules.yml"
    path.write_text(
        "tables:\n"
        "  admitted_events: {expectations: [{name: here, sql: location_id = 1, action: quarantine}]}\n"
        "  silver_order_items: {expectations: [{name: paid, sql: price > 0, action: drop}]}\n"
    )
    (report,) = lake.run(quality=str(path))
    assert report.accounts["admitted_events"] == Account(rows_in=2, rows_out=1, quarantined=1)
    assert report.accounts["silver_order_items"] == Account(rows_in=2, rows_out=1, dropped=1)
    assert report.counts == Account(rows_in=2, rows_out=1, quarantined=1)
    assert (report.quarantined, lake.table("all_events").height) == (1, 2)


@pytest.mark.parametrize(
    ("later", "known"), [(None, ["O1"]), ([1, 9], ["O1", "O9"])], ids=["as they were", "one more"]
)
def test_which_locations_are_known_is_looked_up_by_each_run(
    lake: SmallLake, later: list[int] | None, known: list[str]
) -> None:
    world = str(lake.catalog.table("simulator", "locations"))
    pl.DataFrame({"location_id": pl.Series([1], dtype=pl.Int32)}).write_delta(world)
    lake.drop("a.json", order(1), order(9, location_id=9))
    lake.run()
    assert lake.orders() == ["O1"]
    if later:
        pl.DataFrame({"location_id": pl.Series(later, dtype=pl.Int32)}).write_delta(world, mode="overwrite")
    lake.runner().refresh()
    assert lake.orders() == known
    versions = lake.table("batches").sort("batch")["references"].to_list()
    assert versions == [["simulator.locations=0"], [f"simulator.locations={int(bool(later))}"]]


def test_where_no_world_is_every_location_is_known(lake: SmallLake) -> None:
    lake.drop("a.json", order(1), order(9, location_id=9))
    (report,) = lake.run()
    assert (report.quarantined, lake.orders()) == (0, ["O1", "O9"])
    assert lake.table("batches")["references"].to_list() == [[]]


def test_rules_that_are_not_there_are_refused_before_a_table_is_made(lake: SmallLake) -> None:
    lake.drop("a.json", order(1))
    with pytest.raises(ConfigError, match="no such file"):
        lake.run(quality="nowhere.yml")
    assert not (lake.catalog.root / "lakeflow").exists()
