"""The runner over doubled, late, broken and stopped input: what counts, and where the rest went."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from deltalake import DeltaTable
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casper_ray.errors import LakeError
from casper_ray.lakehouse.names import Catalog, open_catalog
from casper_ray.lakehouse.read import scan
from casper_ray.medallion import pass_run
from casper_ray.medallion.accounts import Account, AccountError, check_balance
from casper_ray.medallion.admission import Seen
from casper_ray.medallion.batch_report import BatchReport
from casper_ray.medallion.memory import BlockJudge, Memory
from casper_ray.medallion.quality_log import StoppedBatchError
from casper_ray.medallion.runner import Runner, Wishes

PIPELINE = "casper_ray.medallion.kitchen.pipeline:PIPELINE"
NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)
Maker = Callable[..., Any]


@pytest.fixture
def order(event_line: Maker, basket_item: Maker) -> Maker:
    """Makes the line of an order: number, minutes from noon, and what to change."""

    def line(number: int, minutes: float = 0, *, items: list[Any] | None = None, **fields: Any) -> bytes:
        ts = f"{NOON + timedelta(minutes=minutes):%Y-%m-%d %H:%M:%S}.000"
        basket = [basket_item(1, 10, 2.5, 2)] if items is None else items
        made: bytes = event_line(number, items=basket, ts=ts, **fields)
        return made

    return line


def drop(catalog: Catalog, name: str, *lines: bytes) -> None:
    volume = catalog.volume("simulator", "events")
    volume.mkdir(parents=True, exist_ok=True)
    (volume / name).write_bytes(b"".join(lines))


def run(catalog: Catalog, **wishes: Any) -> list[BatchReport]:
    return list(Runner(PIPELINE, catalog, Wishes(**wishes)).run_available())


def table(catalog: Catalog, name: str) -> pl.DataFrame:
    return scan(catalog.table("lakeflow", name)).collect()


def orders_of(catalog: Catalog) -> list[str]:
    return sorted(table(catalog, "gold_order_header")["order_id"])


def admissions(catalog: Catalog) -> dict[str, list[str]]:
    rows = table(catalog, "all_events").group_by("event_id").agg(pl.col("_admission").sort())
    return dict(rows.sort("event_id").iter_rows())


def state_of(catalog: Catalog) -> dict[str, bytes]:
    """Every file of the tables but the quality log's."""
    root = catalog.root / "lakeflow"
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and "quality_log" not in path.parts
    }


def test_an_event_counts_once_wherever_it_comes_again(catalog: Catalog, order: Maker) -> None:
    drop(catalog, "a.json", order(1), order(2), order(1))
    drop(catalog, "b.json", order(2), order(3))
    (first,) = run(catalog)
    assert first.counts == Account(rows_in=5, rows_out=3, duplicate=2)
    drop(catalog, "c.json", order(3), order(4))
    (second,) = run(catalog)
    assert second.counts == Account(rows_in=2, rows_out=1, duplicate=1)
    assert orders_of(catalog) == ["O1", "O2", "O3", "O4"]
    assert admissions(catalog)["e1"] == ["admitted", "duplicate"]
    assert table(catalog, "all_events").height == 7, "Bronze keeps everything"


def test_an_event_that_comes_too_late_is_kept_and_does_not_count(catalog: Catalog, order: Maker) -> None:
    drop(catalog, "a.json", order(1, 0), order(2, 240))
    run(catalog)
    drop(catalog, "b.json", order(3, 59), order(4, 60), order(5, 61))
    (report,) = run(catalog)
    assert report.counts == Account(rows_in=3, rows_out=2, late=1)
    assert admissions(catalog)["e3"] == ["late"]
    assert orders_of(catalog) == ["O1", "O2", "O4", "O5"]
    marks = table(catalog, "batches").sort("batch")["watermark"].to_list()
    assert marks == [NOON + timedelta(hours=1)] * 2, "it never goes back"


def test_a_back_fill_lets_late_events_count_once_and_a_refresh_remembers(
    catalog: Catalog, order: Maker
) -> None:
    drop(catalog, "a.json", order(1, 0), order(2, 600))
    run(catalog)
    drop(catalog, "b.json", order(3, 5), order(1, 0), order(3, 5))
    (report,) = run(catalog, late_accepted=True)
    assert report.counts == Account(rows_in=3, rows_out=1, duplicate=2)
    assert orders_of(catalog) == ["O1", "O2", "O3"]
    before = table(catalog, "gold_brand_sales_day").sort(pl.all())
    Runner(PIPELINE, catalog).refresh()
    assert orders_of(catalog) == ["O1", "O2", "O3"]
    assert table(catalog, "gold_brand_sales_day").sort(pl.all()).equals(before)


def test_a_refresh_can_let_every_late_event_count_that_there_ever_was(catalog: Catalog, order: Maker) -> None:
    drop(catalog, "a.json", order(1, 600))
    run(catalog)
    drop(catalog, "b.json", order(2, 0))
    run(catalog)
    assert orders_of(catalog) == ["O1"]
    Runner(PIPELINE, catalog, Wishes(late_accepted=True)).refresh()
    assert orders_of(catalog) == ["O1", "O2"]
    Runner(PIPELINE, catalog).refresh()
    assert orders_of(catalog) == ["O1", "O2"]


def test_many_blocks_are_judged_as_one(
    catalog: Catalog, order: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pass_run, "BLOCK_BYTES", 1)
    for name in "abcd":
        drop(catalog, f"{name}.json", order(1), order(ord(name)), order(7, 1000 if name == "c" else 0))
    (report,) = run(catalog)
    assert report.counts == Account(rows_in=12, rows_out=5, duplicate=4, late=3)
    files = {path.name for path in catalog.table("lakeflow", "all_events").glob("*.parquet")}
    assert len(files) == 4, "what a block wrote at first is gone"


def test_a_back_fill_recalls_no_row_twice(
    catalog: Catalog, order: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pass_run, "BLOCK_BYTES", 1)
    drop(catalog, "first.json", *(order(n, n) for n in range(60)), order(99, 6000))
    run(catalog)
    recalled: list[int] = []
    since = Memory.since

    def counted(self: Memory, source: str, oldest_us: int) -> Seen:
        recalled.append(oldest_us)
        return since(self, source, oldest_us)

    monkeypatch.setattr(Memory, "since", counted)
    monkeypatch.setattr(BlockJudge, "after", checked_after(BlockJudge.after))
    for n in range(8):  # each later block is no older, but for one
        drop(catalog, f"late-{n}.json", order(n, 5 + n if n != 4 else 1), order(200 + n, 10 + n))
    (report,) = run(catalog, late_accepted=True)
    assert report.counts == Account(rows_in=16, rows_out=8, duplicate=8)
    assert len(recalled[1:]) == 2, (
        "a block asked for what an earlier one had brought (the first is the run's own)"
    )


def checked_after(
    after: Callable[[BlockJudge], dict[str, Seen]],
) -> Callable[[BlockJudge], dict[str, Seen]]:
    """Looks at what a judge remembers before it forgets."""

    def look(judge: BlockJudge) -> dict[str, Seen]:
        (source,) = judge.sources.values()
        rows = [*zip(source.seen.key.tolist(), source.seen.time_us.tolist(), strict=True)]
        assert len(rows) <= len(set(rows)) + 1, "rows are remembered twice"
        return after(judge)

    return look


def test_a_file_that_goes_while_its_batch_is_under_way_is_asked_for(
    catalog: Catalog, order: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pass_run, "BLOCK_BYTES", 1)
    drop(catalog, "a.json", order(1))
    drop(catalog, "b.json", order(2))
    gone = catalog.volume("simulator", "events") / "b.json"
    with pytest.raises(LakeError, match=r"b\.json: is gone, .* put it back"):
        run(catalog, progressed=lambda done, of: gone.unlink(missing_ok=True))
    with pytest.raises(LakeError, match=r"b\.json: is gone"):
        run(catalog)
    drop(catalog, "b.json", order(2))
    (report,) = run(catalog)
    assert report.counts == Account(rows_in=2, rows_out=2)


def test_without_rules_an_order_without_an_id_is_quarantined_with_its_reason(
    catalog: Catalog, order: Maker
) -> None:
    drop(catalog, "a.json", order(1, order_id=None), order(2))
    (report,) = run(catalog, quality="none")
    assert report.quarantined == 1
    assert "the order's id or location is missing" in table(catalog, "quarantine")["reason"].item()


@pytest.mark.parametrize("when", ["in one go", "as it grows"])
def test_a_file_that_grows_is_read_to_its_end(catalog: Catalog, order: Maker, when: str) -> None:
    whole = order(1) + order(2) + order(3)
    cut = len(order(1)) + 20
    parts = [whole] if when == "in one go" else [whole[:cut], whole[: cut + 5], whole]
    for part in parts:
        drop(catalog, "a.json", part)
        run(catalog)
    assert orders_of(catalog) == ["O1", "O2", "O3"]
    assert run(catalog) == []
    before = admissions(catalog)
    Runner(PIPELINE, catalog).refresh()
    assert admissions(catalog) == before
    torn = table(catalog, "quarantine")
    assert torn.height == len(parts) - 1
    assert set(torn["line_number"]) <= {2}


def test_rows_that_break_rules_go_where_the_rules_say(
    catalog: Catalog, order: Maker, basket_item: Maker
) -> None:
    bad = [basket_item(1, 10, -2.5, 2), basket_item(2, 10, 2.5, 100), basket_item(3, 10, 2.5, 1)]
    drop(catalog, "a.json", order(1), order(2, items=[]), order(3, items=bad), b"torn\n")
    (report,) = run(catalog)
    assert report.accounts["volume:events"] == Account(rows_in=4, rows_out=3, quarantined=1)
    assert report.accounts["orders"] == Account(rows_in=3, rows_out=2, dropped=1)
    assert report.accounts["silver_order_items"] == Account(rows_in=4, rows_out=2, quarantined=2)
    assert report.quarantined == 3
    kept = table(catalog, "quarantine").sort("line_number", "rule")
    assert kept.select("table", "rule", "source_file", "line_number").rows() == [
        ("silver_order_items", "price_positive", "a.json", 3),
        ("silver_order_items", "qty_in_range", "a.json", 3),
        (None, None, "a.json", 4),
    ]
    log = table(catalog, "quality_log").filter(pl.col("failed") > 0).sort("rule")
    assert log.select("rule", "action", "passed", "failed", "owner").rows() == [
        ("items_present", "drop", 2, 1, "kitchen-data"),
        ("price_positive", "quarantine", 3, 1, "kitchen-data"),
        ("qty_in_range", "quarantine", 3, 1, "kitchen-data"),
    ]
    (sample,) = json.loads(log["sample"][1])
    assert (sample["order_id"], sample["source_file"], sample["line_number"]) == ("O3", "a.json", 3)
    assert "item_name" not in sample


def test_a_location_is_known_if_the_world_has_it(catalog: Catalog, order: Maker) -> None:
    known = pl.DataFrame({"location_id": pl.Series([1, 2], dtype=pl.Int32)})
    known.write_delta(str(catalog.table("simulator", "locations")))
    drop(catalog, "a.json", order(1, location_id=1), order(2, location_id=9))
    (report,) = run(catalog)
    assert report.accounts["admitted_events"] == Account(rows_in=2, rows_out=1, quarantined=1)
    assert table(catalog, "quarantine")["rule"].to_list() == ["location_known"]


def test_an_event_of_the_future_is_told_of_and_makes_nothing_late(catalog: Catalog, order: Maker) -> None:
    drop(catalog, "a.json", order(1, 0))
    runner = Runner(PIPELINE, catalog)
    now_us = int(NOON.timestamp() * 1_000_000)
    assert len(list(runner.run_available(now_us))) == 1
    drop(catalog, "b.json", order(2, 1e6), order(3, 0))
    list(runner.run_available(now_us))
    drop(catalog, "c.json", order(4, 1))
    list(runner.run_available(now_us))
    assert orders_of(catalog) == ["O1", "O2", "O3", "O4"]
    log = table(catalog, "quality_log").filter(pl.col("rule") == "not_in_the_future").sort("batch")
    assert log["failed"].to_list() == [0, 1, 1]


def test_a_stopped_batch_changes_nothing_and_says_which_line_it_was(catalog: Catalog, order: Maker) -> None:
    drop(catalog, "a.json", order(1))
    run(catalog)
    before = state_of(catalog)
    drop(catalog, "b.json", order(2), order(3), order(4, order_id=None))
    with pytest.raises(StoppedBatchError) as caught:
        run(catalog)
    told = str(caught.value)
    assert "batch 2 stopped by rule 'order_id_present' of admitted_events (order_id IS NOT NULL)" in told
    assert '"source_file": "b.json", "line_number": 3' in told
    assert "\n" not in told
    assert state_of(catalog) == before
    log = table(catalog, "quality_log").filter(pl.col("stopped"))
    assert log.select("batch", "rule", "passed", "failed").rows() == [(2, "order_id_present", 2, 1)]


@pytest.mark.parametrize("mended", ["the file", "the rule"])
def test_after_a_stop_the_run_goes_on_once_data_or_rule_is_mended(
    catalog: Catalog, order: Maker, tmp_path: Path, mended: str
) -> None:
    drop(catalog, "a.json", order(1), order(2, order_id=None))
    for _ in range(2):
        with pytest.raises(StoppedBatchError):
            run(catalog)
    if mended == "the file":
        drop(catalog, "a.json", order(1))
        (report,) = run(catalog)
    else:
        (tmp_path / "q.yml").write_text(
            "tables: {admitted_events: {expectations: "
            "[{name: has_order, sql: order_id IS NOT NULL, action: drop}]}}"
        )
        (report,) = run(catalog, quality=str(tmp_path / "q.yml"))
    assert (report.batch.number, orders_of(catalog)) == (1, ["O1"])
    assert table(catalog, "batches").height == 1
    assert table(catalog, "quality_log").filter(pl.col("stopped")).height == 2


def test_a_table_whose_commits_were_lost_is_refused_and_brought_forward(
    catalog: Catalog, order: Maker
) -> None:
    for number in range(4):
        drop(catalog, f"{number}.json", order(number), order(number))
        run(catalog)
    before = {
        name: table(catalog, name).sort(pl.all().exclude(pl.List))
        for name in ("all_events", "gold_order_header")
    }
    for name in before:
        log = sorted((catalog.table("lakeflow", name) / "_delta_log").glob("*.json"))
        for lost in log[-2:]:
            lost.unlink()
    with pytest.raises(
        LakeError, match=r"log ends at version 2, but batch 4 left version 4.*casper lake repair"
    ):
        run(catalog)
    runner = Runner(PIPELINE, catalog)
    assert [report.batch.number for report in runner.bring_forward(*runner.tables)] == [3, 4]
    for name, rows in before.items():
        assert table(catalog, name).sort(pl.all().exclude(pl.List)).equals(rows)
    assert runner.bring_forward(*runner.tables) == []


def test_an_account_that_does_not_add_up_stops_the_batch_before_any_commit() -> None:
    check_balance({"t": Account(rows_in=3, rows_out=1, late=2)}, {"t": 1}, 7, "quarantine")
    with pytest.raises(AccountError, match="batch 7, table t: does not add up"):
        check_balance({"t": Account(rows_in=3, rows_out=1)}, {}, 7, "quarantine")
    with pytest.raises(AccountError, match="but 2 rows in its files"):
        check_balance({"t": Account(rows_in=1, rows_out=1)}, {"t": 2}, 7, "quarantine")


told = st.lists(
    st.lists(st.tuples(st.integers(0, 9), st.integers(-400, 400)), min_size=1, max_size=4),
    min_size=1,
    max_size=5,
)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=told, batches=st.lists(st.integers(1, 3), min_size=5, max_size=5))
def test_a_refresh_admits_what_the_batches_admitted(
    told: list[list[tuple[int, int]]],
    batches: list[int],
    order: Maker,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    catalog = open_catalog(str(tmp_path_factory.mktemp("lake")), "caspers")
    waiting = list(enumerate(told))
    for size in batches:
        for number, rows in waiting[:size]:
            lines = [order(key, minutes, order_id=f"{key}at{minutes}") for key, minutes in rows]
            drop(catalog, f"{number:02d}.json", *lines)
        del waiting[:size]
        run(catalog)
    before = admissions(catalog), table(catalog, "gold_location_sales_hourly").sort(pl.all())
    Runner(PIPELINE, catalog).refresh()
    assert admissions(catalog) == before[0]
    assert table(catalog, "gold_location_sales_hourly").sort(pl.all()).equals(before[1])


def test_silver_and_gold_tell_their_changes(catalog: Catalog, order: Maker) -> None:
    for number in (1, 2):
        drop(catalog, f"{number}.json", order(number))
        run(catalog)
    tables = [table.name for table in Runner(PIPELINE, catalog).pipeline.tables]
    for name in (name for name in tables if name.startswith(("silver", "gold"))):
        handle = DeltaTable(str(catalog.table("lakeflow", name)))
        told = pl.DataFrame(pa.table(handle.load_cdf(starting_version=1).read_all()))
        kept = told.with_columns(
            pl.when(pl.col("_change_type") == "insert").then(1).otherwise(-1).alias("by")
        )
        assert kept["by"].sum() == table(catalog, name).height, name
