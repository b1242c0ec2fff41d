"""The runner on a real Ray: every file once, every batch whole, whatever came in between."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from casper_ray.domain.time import SimMicros, sim_micros
from casper_ray.errors import ConfigError, LakeError
from casper_ray.lakehouse.commit import commit_once
from casper_ray.lakehouse.names import Catalog, open_catalog
from casper_ray.lakehouse.open_table import Change, OpenTable
from casper_ray.lakehouse.read import scan, scan_as_of
from casper_ray.medallion.batch import Batch, BatchJournal
from casper_ray.medallion.batch_report import BatchReport
from casper_ray.medallion.files import Read, slices
from casper_ray.medallion.merge import MergedTable, RecentFiles
from casper_ray.medallion.one_pass import BlockResult, BlockTask, run_block
from casper_ray.medallion.quality_config import resolve_quality
from casper_ray.medallion.runner import Runner
from casper_ray.sim.window import Part, Window, file_name

pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("local_ray")]

PIPELINE = "casper_ray.medallion.kitchen.pipeline:PIPELINE"
NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)
OF_THE_RUN = ("batch", "_batch_id", "ingested_at", "_ingested_at", "versions", "replaces", "run")
"""Columns that say which run brought a row, not what the row is."""

Maker = Callable[..., Any]


class Files:
    """Hand-made event files: five minutes of orders each."""

    def __init__(self, event_line: Maker, basket_item: Maker) -> None:
        self._line, self._item = event_line, basket_item

    def window(self, number: int) -> tuple[str, bytes]:
        """The file of a replay's window: two orders and a ping."""
        start = NOON + timedelta(minutes=5 * number)
        bounds = [SimMicros(sim_micros(start + timedelta(minutes=m))) for m in (0, 5)]
        window = Window(number, *bounds)
        return file_name("r-42", Part(window, 0, *bounds)), self.orders(10 * number, start)

    def orders(self, first: int, start: datetime) -> bytes:
        def at(second: int) -> str:
            return f"{start + timedelta(seconds=second):%Y-%m-%d %H:%M:%S}.000"

        baskets = [[self._item(1, 10, 2.5, 2), self._item(2, 20, 1.25)], [self._item(1, 10, 2.5)]]
        lines = [self._line(first + i, items=items, ts=at(i)) for i, items in enumerate(baskets)]
        return b"".join([*lines, self._line(first + 5, ts=at(9), event_type="driver_ping")])


@pytest.fixture
def files(event_line: Maker, basket_item: Maker) -> Files:
    return Files(event_line, basket_item)


def drop(catalog: Catalog, *named: tuple[str, bytes]) -> None:
    volume = catalog.volume("simulator", "events")
    volume.mkdir(parents=True, exist_ok=True)
    for name, data in named:
        (volume / name).write_bytes(data)


def run(catalog: Catalog) -> list[BatchReport]:
    """What a run of the pipeline by itself does: finish the old, then take in the new."""
    runner = Runner(PIPELINE, catalog)
    recovered = runner.recover()
    return [*([recovered] if recovered else []), *runner.run_available()]


def table_of(catalog: Catalog, name: str) -> pl.DataFrame:
    rows = scan(catalog.table("lakeflow", name)).collect()
    return rows.select(sorted(rows.columns))


def content(catalog: Catalog, *, without: Iterable[str] = ()) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of every table, sorted."""
    names = [table for _, table in catalog.table_names()]
    frames = {name: table_of(catalog, name).drop(without, strict=False) for name in names}
    return {name: sorted(frame.rows(), key=repr) for name, frame in frames.items()}


def versions(catalog: Catalog) -> dict[str, int]:
    return {name: table.version for name, table in Runner(PIPELINE, catalog).tables.items()}


def balances(report: BatchReport) -> bool:
    return report.counts.balances and all(account.balances for account in report.accounts.values())


def test_every_file_is_read_once_whoever_put_it_there(catalog: Catalog, files: Files) -> None:
    drop(catalog, files.window(0), files.window(1))
    (first,) = run(catalog)
    assert (first.batch.number, first.counts.rows_in, first.counts.rows_out) == (1, 6, 6)
    drop(catalog, ("my own.json", files.orders(500, NOON + timedelta(minutes=3))))
    (second,) = run(catalog)
    assert [read.name for read in second.batch.reads] == ["my own.json"]
    assert second.counts.rows_in == 3
    events = table_of(catalog, "all_events")
    assert sorted(events["event_id"]) == sorted(f"e{n}" for n in (0, 1, 5, 10, 11, 15, 500, 501, 505))
    assert table_of(catalog, "silver_order_items").height == 9
    brands = table_of(catalog, "gold_brand_sales_day").sort("brand_id")
    assert brands["orders"].to_list() == [6, 3]
    assert brands["items_sold"].to_list() == [9, 3]
    assert [str(revenue) for revenue in brands["brand_revenue"]] == ["22.50", "3.75"]
    assert table_of(catalog, "batches").sort("batch")["rows_in"].to_list() == [6, 3]


def test_a_run_with_nothing_new_changes_nothing(catalog: Catalog, files: Files) -> None:
    drop(catalog, files.window(0))
    runner = Runner(PIPELINE, catalog)
    assert len(list(runner.run_available())) == 1
    before, at = content(catalog), versions(catalog)
    assert list(runner.run_available()) == []
    assert run(catalog) == []
    assert (content(catalog), versions(catalog)) == (before, at)


def test_bad_files_are_kept_and_good_ones_go_on(catalog: Catalog, files: Files) -> None:
    drop(
        catalog,
        files.window(0),
        ("empty.json", b""),
        ("letter.json", b"Dear Casper,\n\nthank you.\n"),
        ("picture.json", b"\x89PNG\r\n\x1a\n\x00\x00\xff"),
    )
    (report,) = run(catalog)
    assert (report.counts.rows_in, report.counts.rows_out, report.counts.quarantined) == (8, 3, 5)
    assert balances(report)
    kept = table_of(catalog, "quarantine").sort("source_file", "byte_offset")
    assert kept.select("source_file", "byte_offset", "line").rows()[:2] == [
        ("letter.json", 0, "Dear Casper,"),
        ("letter.json", 14, "thank you."),
    ]
    assert kept["source_file"].to_list()[2:] == ["picture.json"] * 3
    assert table_of(catalog, "all_events").height == 3
    (read,) = table_of(catalog, "batches")["files"].to_list()
    assert sorted(read) == sorted([files.window(0)[0], "empty.json", "letter.json", "picture.json"])
    assert run(catalog) == []


def test_files_without_a_single_event_are_a_batch_too(catalog: Catalog) -> None:
    drop(catalog, ("empty.json", b""), ("blank.json", b"\n\n"))
    (report,) = run(catalog)
    assert report.counts.rows_in == 0
    assert versions(catalog)["all_events"] == 0
    assert run(catalog) == []


def test_a_refresh_of_all_or_of_one_table_leaves_the_same_content(catalog: Catalog, files: Files) -> None:
    drop(catalog, files.window(0), ("bad.json", b"torn\n"))
    run(catalog)
    drop(catalog, files.window(1))
    run(catalog)
    before, at = content(catalog, without=OF_THE_RUN), versions(catalog)
    runner = Runner(PIPELINE, catalog)
    one = runner.refresh("gold_brand_sales_day")
    changed = {name for name, version in versions(catalog).items() if version != at[name]}
    assert changed == {"gold_brand_sales_day"}
    assert one.batch.replaces == ("gold_brand_sales_day",)
    whole = runner.refresh()
    assert set(whole.batch.replaces) == runner.tables.keys()
    after = content(catalog, without=OF_THE_RUN)
    assert after.keys() == before.keys()
    assert {name: after[name] for name in runner.tables} == {name: before[name] for name in runner.tables}
    assert run(catalog) == [], "a refresh is no reason to read files as new ones"


def test_a_table_that_lost_its_rows_is_mended_by_a_refresh(catalog: Catalog, files: Files) -> None:
    drop(catalog, files.window(0), files.window(1))
    run(catalog)
    before = content(catalog, without=OF_THE_RUN)
    path = catalog.table("lakeflow", "gold_item_sales_day")
    table = Runner(PIPELINE, catalog).tables["gold_item_sales_day"]
    commit_once(table, app="vandal", batch=1, change=lambda t: Change(remove=tuple(t.files.values())))
    assert scan(path).collect().height == 0
    Runner(PIPELINE, catalog).refresh("gold_item_sales_day")
    after = content(catalog, without=OF_THE_RUN)
    assert after["gold_item_sales_day"] == before["gold_item_sales_day"]


def test_a_refresh_of_no_table_of_the_pipeline_is_refused(catalog: Catalog) -> None:
    with pytest.raises(ConfigError, match=r"no table \['gold'\] in pipeline 'kitchen'\. Hint: tables are "):
        Runner(PIPELINE, catalog).refresh("gold")


def journal(catalog: Catalog) -> BatchJournal:
    return BatchJournal(catalog.state / "kitchen-batch.json")


def commit_by_hand(catalog: Catalog, batch: Batch, names: Iterable[str]) -> None:
    """What a run did of the batch before it died: some tables have it, `batches` does not."""
    cut = tuple(slices(batch.reads))
    task = BlockTask(
        pipeline=PIPELINE,
        catalog_root=catalog.root,
        batch=batch.number,
        block=0,
        slices=cut,
        ingested_at_us=batch.ingested_at_us,
        quality=batch.quality,
    )
    runner, result = Runner(PIPELINE, catalog), run_block(task)
    for name in names:
        change = _change(runner, result, name, batch)
        table = runner.tables[name]
        note = {"batch": str(batch.number)}
        assert commit_once(table, app=runner.app, batch=batch.number, change=change, note=note)


def _change(runner: Runner, result: BlockResult, name: str, batch: Batch) -> Callable[[OpenTable], Change]:
    if name in result.written:
        return lambda _: Change(add=tuple(result.written[name]))
    (spec,) = [spec for spec in runner.pipeline.tables if spec.name == name]
    merged = MergedTable(spec, spec.update, RecentFiles())  # type: ignore[arg-type]  # one that merges
    stem = f"batch-{batch.number:08d}"
    return lambda table: merged.change(table, result.partials[name], stem, replace=False)


EVERY_TABLE = (
    "all_events",
    "silver_order_items",
    "gold_order_header",
    "gold_item_sales_day",
    "gold_brand_sales_day",
    "gold_location_sales_hourly",
    "gold_location_brand_day",
    "gold_location_peak_hours",
    "quarantine",
)


@pytest.mark.parametrize(
    "committed",
    [
        (),
        ("all_events", "gold_brand_sales_day"),
        ("silver_order_items", "quarantine", "gold_location_peak_hours"),
        EVERY_TABLE,
    ],
    ids=["none", "some", "others", "all"],
)
def test_a_batch_left_half_done_ends_as_if_nothing_had_happened(
    tmp_path: Path, files: Files, committed: tuple[str, ...]
) -> None:
    whole, broken = (open_catalog(str(tmp_path / name), "caspers") for name in ("whole", "broken"))
    earlier, later = [files.window(0)], [files.window(1), ("bad.json", b"torn\n")]
    drop(whole, *earlier)
    run(whole)
    first = journal(whole).pending()
    drop(whole, *later)
    run(whole)
    second = journal(whole).pending()
    assert first
    assert second

    drop(broken, *earlier, *later)
    journal(broken).write(first)
    recovered = Runner(PIPELINE, broken).recover()
    assert recovered is not None
    journal(broken).write(second)
    commit_by_hand(broken, second, committed)
    half_written = broken.table("lakeflow", "all_events") / ".batch.parquet.1.part"
    half_written.touch()
    drop(broken, files.window(2))
    reports = run(broken)
    drop(whole, files.window(2))
    run(whole)

    assert [report.batch.number for report in reports] == [2, 3]
    of_third = ("ingested_at", "_ingested_at", "run")
    assert content(broken, without=of_third) == content(whole, without=of_third)
    assert versions(broken) == versions(whole)
    assert not half_written.exists()


def test_a_batch_that_every_table_has_is_not_run_again(catalog: Catalog, files: Files) -> None:
    drop(catalog, files.window(0))
    run(catalog)
    assert journal(catalog).pending() is not None
    assert Runner(PIPELINE, catalog).recover() is None


def test_an_error_in_a_worker_leaves_every_table_as_it_was(catalog: Catalog, files: Files) -> None:
    drop(catalog, files.window(0))
    run(catalog)
    before, at = content(catalog), versions(catalog)
    name, data = files.window(1)
    lost = Batch(
        number=2,
        reads=(Read(name, 0, len(data)),),
        sim_instant_us=None,
        ingested_at_us=1,
        quality=resolve_quality(Runner(PIPELINE, catalog).pipeline),
    )
    journal(catalog).write(lost)
    with pytest.raises(LakeError, match=r"r-42\.w00000001.*is gone"):
        Runner(PIPELINE, catalog).recover()
    assert (content(catalog), versions(catalog)) == (before, at)
    drop(catalog, (name, data))
    (report,) = run(catalog)
    assert (report.batch, report.counts.rows_in) == (lost, 3)
    assert table_of(catalog, "all_events").height == 6


def test_reads_as_of_an_instant_see_the_batches_up_to_it(catalog: Catalog, files: Files) -> None:
    for number in (0, 1):
        drop(catalog, files.window(number))
        run(catalog)

    def rows(table: str, minutes: int) -> int:
        instant = sim_micros(NOON + timedelta(minutes=minutes))
        return scan_as_of(catalog, "lakeflow", table, instant).collect().height

    assert [rows("gold_order_header", minutes) for minutes in (0, 4, 5, 9, 10)] == [0, 0, 2, 2, 4]
    assert [rows("all_events", minutes) for minutes in (-1, 0, 4, 5, 10)] == [0, 1, 3, 4, 6]
