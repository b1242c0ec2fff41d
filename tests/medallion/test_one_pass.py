"""One block through the pass, in this process."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from casper_ray.domain.time import SimMicros, sim_micros
from casper_ray.errors import ConfigError
from casper_ray.lakehouse.commit import commit_once
from casper_ray.lakehouse.names import Catalog
from casper_ray.lakehouse.open_table import Change, OpenTable
from casper_ray.medallion.accounts import Account
from casper_ray.medallion.columns import TRACE
from casper_ray.medallion.declare import Append, Pipeline, Split, Table
from casper_ray.medallion.files import Read, slices
from casper_ray.medallion.json_lines import refused_rows
from casper_ray.medallion.kitchen.pipeline import PIPELINE
from casper_ray.medallion.kitchen.source import EVENTS
from casper_ray.medallion.kitchen.tables import ALL_EVENTS
from casper_ray.medallion.one_pass import BlockResult, BlockTask, load_pipeline, run_block
from casper_ray.medallion.quality import Quality
from casper_ray.medallion.quarantine import QUARANTINE

EventLine = Callable[..., bytes]
KITCHEN = "casper_ray.medallion.kitchen.pipeline:PIPELINE"
NOON = sim_micros(datetime(2024, 1, 1, 12, tzinfo=UTC))
MINUTE = 60_000_000


def run(
    catalog: Catalog, data: bytes, *, pipeline: str = KITCHEN, known_from_us: int | None = None, **task: Any
) -> BlockResult:
    return run_files(catalog, {"f.json": (data, known_from_us)}, pipeline=pipeline, **task)


def run_files(
    catalog: Catalog, files: dict[str, tuple[bytes, int | None]], *, pipeline: str = KITCHEN, **task: Any
) -> BlockResult:
    """One block of several files, each with from when it was known."""
    volume = catalog.volume("simulator", "events")
    volume.mkdir(parents=True, exist_ok=True)
    for name, (data, _) in files.items():
        (volume / name).write_bytes(data)
    return run_block(
        BlockTask(
            pipeline=pipeline,
            catalog_root=catalog.root,
            batch=3,
            block=1,
            slices=tuple(slices(Read(name, 0, len(data), known) for name, (data, known) in files.items())),
            ingested_at_us=NOON,
            **{"quality": Quality(rules={}), **task},
        )
    )


def written(catalog: Catalog, result: BlockResult, table: str) -> pl.DataFrame:
    frames = [
        pl.read_parquet(catalog.table("lakeflow", table) / file.path, hive_partitioning=False)
        for file in result.written[table]
    ]
    return pl.concat(frames)


def test_rows_in_are_rows_out_and_quarantined(catalog: Catalog, event_line: EventLine) -> None:
    result = run(catalog, event_line(1) + b"torn\n\n" + event_line(2, ts="noon") + event_line(3))
    assert result.accounts["volume:events"] == Account(rows_in=4, rows_out=2, quarantined=2)
    assert written(catalog, result, "all_events")["event_id"].to_list() == ["e1", "e3"]
    refused = written(catalog, result, "quarantine")
    assert refused.select("batch", "source_file", "line_number", "byte_offset", "line").rows()[0] == (
        3,
        "f.json",
        2,
        len(event_line(1)),
        "torn",
    )
    assert refused["line_number"].to_list() == [2, 5 - 1]
    assert refused["source_file"].to_list() == ["f.json", "f.json"]


@pytest.mark.parametrize("also", [b"", b"\n", b"torn\n"], ids=["all good", "a blank line", "a bad line"])
def test_each_row_of_a_block_of_files_is_its_own_files(
    catalog: Catalog, event_line: EventLine, also: bytes
) -> None:
    later = NOON + MINUTE
    files: dict[str, tuple[bytes, int | None]] = {
        "a.json": (event_line(1) + event_line(2).rstrip(b"\n"), None),
        "b.json": (b"", later),
        "c.json": (event_line(3) + also + event_line(4), later),
        "d.json": (event_line(5), None),
    }
    result = run_files(catalog, files)
    rows = written(catalog, result, "all_events").with_columns(pl.col("_known_ts").dt.epoch("us"))
    assert rows.select("event_id", "_source_file", "_known_ts").rows() == [
        ("e1", "a.json", NOON),
        ("e2", "a.json", NOON),
        ("e3", "c.json", later),
        ("e4", "c.json", later),
        ("e5", "d.json", NOON),
    ]
    assert result.accounts["volume:events"].quarantined == also.startswith(b"torn")


@pytest.mark.parametrize(
    ("window_starts_us", "known_us"),
    [(None, NOON), (NOON - MINUTE, NOON), (NOON, NOON), (NOON + MINUTE, NOON + MINUTE)],
)
def test_a_row_is_known_from_its_time_or_from_its_window_if_that_is_later(
    catalog: Catalog, event_line: EventLine, window_starts_us: int | None, known_us: int
) -> None:
    result = run(catalog, event_line(1), known_from_us=window_starts_us)
    assert written(catalog, result, "all_events")["_known_ts"].dt.epoch("us").to_list() == [known_us]


def test_a_block_run_again_writes_the_same_bytes_at_the_same_names(
    catalog: Catalog, event_line: EventLine, basket_item: Callable[..., dict[str, Any]]
) -> None:
    data = event_line(1, items=[basket_item(), basket_item(2)]) + event_line(2) + b"torn\n"

    def files() -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in catalog.root.rglob("*.parquet")}

    first = run(catalog, data)
    before = files()
    second = run(catalog, data)
    assert files() == before
    assert second.written == first.written
    assert all(second.partials[name].equals(first.partials[name]) for name in first.partials)
    assert len(before) == 4


def test_tables_that_have_the_batch_are_not_written_again(
    catalog: Catalog, event_line: EventLine, basket_item: Callable[..., dict[str, Any]]
) -> None:
    done = frozenset({"all_events", "silver_order_items", "gold_brand_sales_day", "quarantine"})
    result = run(catalog, event_line(1, items=[basket_item()]) + b"torn\n", done=done)
    assert set(result.written) == {"gold_order_header"}
    assert "gold_brand_sales_day" not in result.partials
    assert result.partials["gold_item_sales_day"].height == 1


def test_what_a_finished_table_refused_still_reaches_the_quarantine(
    catalog: Catalog, event_line: EventLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusing(rows: pl.DataFrame) -> Split:
        kept = rows.select("event_id")
        return Split(kept.clear(), refused_rows(rows.select("event_id", *TRACE), "never good enough"))

    table = Table(
        name="picky",
        reads=EVENTS.name,
        grain="",
        schema=pa.schema([("event_id", pa.string())]),
        update=Append(),
        transform=refusing,
    )
    module = ModuleType("picky_pipeline")
    # the module is made here
    module.PIPELINE = Pipeline(name="p", catalog="c", schema="lakeflow", sources=(EVENTS,), tables=(table,))  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "picky_pipeline", module)
    result = run(catalog, event_line(1), pipeline="picky_pipeline", done=frozenset({"picky"}))
    assert written(catalog, result, "quarantine")["reason"].to_list() == ["never good enough"]


def test_no_personal_data_reaches_the_log_of_bronze(catalog: Catalog, event_line: EventLine) -> None:
    body = json.dumps({"customer_addr": "1 Quay St", "items": []})
    result = run(catalog, event_line(1, event_type="order_created", body=body, order_id="SECRET"))
    table = OpenTable(catalog.table("lakeflow", "all_events"), ALL_EVENTS.layout)
    commit_once(table, app="a", batch=3, change=lambda _: Change(add=tuple(result.written["all_events"])))
    lines = (table.path / "_delta_log" / f"{1:020d}.json").read_text().splitlines()
    (stats,) = [json.loads(json.loads(line)["add"]["stats"]) for line in lines if '"add"' in line]
    assert set(stats["minValues"]) == set(stats["maxValues"]) == {"location_id", "_batch_id", "_known_ts"}
    log = b"".join(path.read_bytes() for path in (table.path / "_delta_log").iterdir())
    assert b"Quay" not in log
    assert b"SECRET" not in log


@pytest.mark.parametrize("table", [*PIPELINE.tables, QUARANTINE], ids=lambda table: table.name)
def test_no_table_keeps_statistics_of_columns_that_can_hold_personal_data(table: Table) -> None:
    personal = {"body", "order_id", "event_id", "line", "source_file", "_source_file"}
    assert not personal & set(table.stats)


def test_the_newest_event_time_is_told(catalog: Catalog, event_line: EventLine) -> None:
    later = event_line(2, ts="2024-01-01 12:00:00.001")
    assert run(catalog, later + event_line(1)).newest_us == SimMicros(NOON + 1000)
    assert run(catalog, b"torn\n").newest_us is None
    assert run(catalog, b"").newest_us is None


@pytest.mark.parametrize(
    ("reference", "told"),
    [
        ("no.such.module:PIPELINE", "cannot be loaded"),
        ("casper_ray.medallion.kitchen.pipeline:NOTHING", "cannot be loaded"),
        ("casper_ray.medallion.kitchen.source:EVENTS", "is a Source, expected a Pipeline"),
    ],
)
def test_a_pipeline_that_cannot_be_loaded_is_told(reference: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        load_pipeline(reference)
