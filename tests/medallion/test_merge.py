"""However rows are split into batches, a keyed table ends with the same bytes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casper_ray.lakehouse.commit import commit_once
from casper_ray.lakehouse.data_file import DataFile, write_data_file
from casper_ray.lakehouse.open_table import Change, OpenTable
from casper_ray.lakehouse.read import scan
from casper_ray.medallion.accounts import AccountError
from casper_ray.medallion.declare import Merge, Table
from casper_ray.medallion.merge import MergedTable, partial_aggregate
from casper_ray.medallion.recent_files import RecentFiles
from casper_ray.medallion.stretches import Stretches

MONDAY = datetime(2024, 1, 1, tzinfo=UTC)
_TS = pa.timestamp("us", "UTC")
_MONEY = pa.decimal128(18, 2)

BY_DAY = Table(
    name="by_day",
    reads="volume:events",
    grain="one row per brand and day",
    schema=pa.schema(
        [("brand", pa.int32()), ("day", pa.date32()), ("orders", pa.int64()), ("revenue", _MONEY)]
    ),
    update=Merge(keys=("brand", "day"), sums=("orders", "revenue"), segment="day"),
    transform=lambda rows: rows,
    partition_by=("day",),
    stats=("brand",),
)
BY_HOUR = Table(
    name="by_hour",
    reads="volume:events",
    grain="one row per brand and hour",
    schema=pa.schema([("brand", pa.int32()), ("hour", _TS), ("orders", pa.int64()), ("revenue", _MONEY)]),
    update=Merge(keys=("brand", "hour"), sums=("orders", "revenue"), segment="hour"),
    transform=lambda rows: rows,
    stats=("hour",),
)
IN_ONE = Table(
    name="in_one",
    reads="volume:events",
    grain="one row per brand",
    schema=pa.schema(
        [
            ("brand", pa.int32()),
            ("orders", pa.int64()),
            ("first", _TS),
            ("last", _TS),
            ("doubled", pa.int64()),
        ]
    ),
    update=Merge(
        keys=("brand",),
        sums=("orders",),
        lowest=("first",),
        highest=("last",),
        finish=lambda rows: rows.with_columns(doubled=2 * pl.col("orders")),
    ),
    transform=lambda rows: rows,
)
BY_DATE = Table(
    name="by_date",
    reads="volume:events",
    grain="one row per brand and day, in no folders",
    schema=BY_DAY.schema,
    update=BY_DAY.update,
    transform=lambda rows: rows,
    stats=("day",),
)
BY_SHOP = Table(
    name="by_shop",
    reads="volume:events",
    grain="one row per shop and brand",
    schema=pa.schema(
        [("shop", pa.string()), ("brand", pa.int32()), ("orders", pa.int64()), ("of_shop", pa.int64())]
    ),
    update=Merge(
        keys=("shop", "brand"),
        sums=("orders",),
        segment="shop",
        finish=lambda rows: rows.with_columns(of_shop=pl.col("orders").sum().over("shop")),
    ),
    transform=lambda rows: rows,
    partition_by=("shop",),
)
BY_SHOP_LISTED = Table(
    name="by_shop_listed",
    reads="volume:events",
    grain="one row per shop and brand, in no folders",
    schema=BY_SHOP.schema,
    update=BY_SHOP.update,
    transform=lambda rows: rows,
    stats=("shop",),
)
SPECS = {spec.name: spec for spec in (BY_DAY, BY_HOUR, IN_ONE, BY_DATE, BY_SHOP, BY_SHOP_LISTED)}
FINISHED = {"doubled", "of_shop"}
"""Columns that are worked out of the merged ones."""


class Kept:
    """A merged table on disk. fresh: every batch by a new process, as after a restart."""

    def __init__(
        self, path: Path, spec: Table, *, fresh: bool = False, at_a_time_bytes: int = 64 << 20
    ) -> None:
        self.path, self.spec, self.fresh, self.at_a_time_bytes = path, spec, fresh, at_a_time_bytes
        self._open()

    def _open(self) -> None:
        assert isinstance(self.spec.update, Merge)
        self.table = OpenTable(self.path, self.spec.layout)
        self.merged = MergedTable(
            self.spec, self.spec.update, RecentFiles(), at_a_time_bytes=self.at_a_time_bytes
        )

    def take(self, rows: pl.DataFrame, *, replace: bool = False) -> Change:
        """Commit the rows as one batch; returns what the commit did to the files."""
        if self.fresh:
            self._open()
        batch = self.table.version + 1
        partial = partial_aggregate(self.merged.update, rows)
        change = self.merged.change(self.table, partial, f"batch-{batch}", replace=replace)
        assert commit_once(self.table, app="a", batch=batch, change=lambda _: change)
        return change

    def content(self) -> pl.DataFrame:
        return scan(self.path).collect().sort(self.merged.update.keys)

    def file_bytes(self) -> list[bytes]:
        """What the live data files hold, whatever their names."""
        return sorted((self.path / file).read_bytes() for file in self.table.files)


def rows_of(spec: Table, orders: Sequence[tuple[int, int, int]]) -> pl.DataFrame:
    """Orders (brand, hours since Monday, cents) as rows for a table."""
    rows: list[dict[str, Any]] = []
    for brand, hours, cents in orders:
        hour = MONDAY + timedelta(hours=hours)
        shop = ("north", "south")[brand % 2]
        every = {"shop": shop, "brand": brand, "day": hour.date(), "hour": hour, "first": hour, "last": hour}
        rows.append({**every, "orders": 1, "revenue": Decimal(cents) / 100} | dict.fromkeys(FINISHED, 0))
    schema = pl.Schema(spec.schema)
    merging = [name for name in schema if name not in FINISHED]
    return (
        pl.DataFrame(rows, schema=schema).select(merging)
        if rows
        else pl.DataFrame(schema=schema).select(merging)
    )


orders_lists = st.lists(
    st.tuples(st.integers(1, 3), st.integers(0, 24 * 20), st.integers(0, 10**9)), min_size=1, max_size=25
)


@pytest.mark.parametrize("name", SPECS)
@settings(max_examples=12)
@given(
    orders=orders_lists,
    shuffled=st.randoms(use_true_random=False),
    batches=st.integers(1, 4),
    fresh=st.booleans(),
    at_a_time_bytes=st.sampled_from([1, 150, 64 << 20]),
)
def test_any_split_into_batches_in_any_order_leaves_the_same_bytes(
    name: str,
    orders: list[tuple[int, int, int]],
    shuffled: Any,
    batches: int,
    fresh: bool,
    at_a_time_bytes: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder, spec = tmp_path_factory.mktemp("merge"), SPECS[name]
    at_once = Kept(folder / "once", spec)
    at_once.take(rows_of(spec, orders))
    mixed = list(orders)
    shuffled.shuffle(mixed)
    by_batch = Kept(folder / "batches", spec, fresh=fresh, at_a_time_bytes=at_a_time_bytes)
    for part in (mixed[i::batches] for i in range(batches)):
        if part:
            by_batch.take(rows_of(spec, part))
    assert by_batch.content().equals(at_once.content())
    if spec is not BY_DAY or at_a_time_bytes > 150:
        assert by_batch.file_bytes() == at_once.file_bytes()


BY_NAME = Table(
    name="by_name",
    reads="volume:events",
    grain="one row per brand, by its name, and day",
    schema=pa.schema(
        [("brand", pa.string()), ("day", pa.date32()), ("orders", pa.int64()), ("revenue", _MONEY)]
    ),
    update=BY_DAY.update,
    transform=lambda rows: rows,
    partition_by=("day",),
)


@pytest.mark.parametrize("fresh", [False, True])
@pytest.mark.parametrize("spec", [BY_DAY, BY_NAME], ids=lambda spec: spec.name)
def test_a_segment_that_is_too_much_at_once_is_files_of_which_each_has_keys_of_its_own(
    tmp_path: Path, spec: Table, fresh: bool
) -> None:
    named = pl.format("brand {}", pl.col("brand").cast(pl.String).str.zfill(2))
    room = 40 * (32 if spec is BY_DAY else 44)  # bytes a row
    kept = Kept(tmp_path / "t", spec, fresh=fresh, at_a_time_bytes=room)
    whole = Kept(tmp_path / "whole", spec)
    for batch in range(8):
        rows = rows_of(BY_DAY, [(brand * 5 % 97, batch % 3, 100) for brand in range(batch, 90)])
        rows = rows if spec is BY_DAY else rows.with_columns(brand=named)
        kept.take(rows)
        whole.take(rows)
        assert kept.content().equals(whole.content())
    held = sorted(
        pl.read_parquet(kept.path / path, hive_partitioning=False)["brand"].to_list()
        for path in kept.table.files
    )
    assert len(held) > 2
    assert max(map(len, held)) <= 40
    assert all(brands == sorted(brands) for brands in held)
    assert all(one[-1] < next_one[0] for one, next_one in pairwise(held))


def test_files_of_a_segment_that_have_keys_in_common_become_one_again(tmp_path: Path) -> None:
    """Another program may have appended to the table."""
    kept = Kept(tmp_path / "t", BY_DAY, at_a_time_bytes=40 * 32)
    kept.take(rows_of(BY_DAY, [(brand, 0, 100) for brand in range(60)]))
    again = write_data_file(
        kept.content().drop("day").filter(pl.col("brand").is_between(10, 50)),
        kept.path,
        "day=2024-01-01/other.parquet",
        {"day": "2024-01-01"},
        (),
    )
    assert commit_once(kept.table, app="b", batch=1, change=lambda _: Change(add=(again,)))
    kept.take(rows_of(BY_DAY, [(brand, 0, 100) for brand in range(60)]))
    found = kept.content()
    assert found["brand"].to_list() == list(range(60))
    assert found["orders"].to_list() == [3 if 10 <= brand <= 50 else 2 for brand in range(60)]


def test_stored_rows_that_no_stretch_has_stop_the_merge(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "t", BY_DAY)
    kept.take(rows_of(BY_DAY, [(1, 0, 100), (2, 0, 100)]))
    files, new = list(kept.table.files.values()), kept.content()
    with pytest.raises(AccountError, match="2 of 2 new rows merged, 1 of 2 stored ones"):
        list(Stretches(BY_DAY, kept.merged.update, 1).of(kept.path, new, files, lambda file: new.head(1)))


@given(orders_lists)
def test_partial_aggregates_of_partial_aggregates_are_the_same(orders: list[tuple[int, int, int]]) -> None:
    assert isinstance(BY_DAY.update, Merge)
    halves = [partial_aggregate(BY_DAY.update, rows_of(BY_DAY, orders[i::2])) for i in range(2)]
    whole = partial_aggregate(BY_DAY.update, rows_of(BY_DAY, orders))
    assert partial_aggregate(BY_DAY.update, pl.concat(halves)).equals(whole)


def test_sums_lowest_and_highest_are_what_a_person_would_write(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "t", IN_ONE)
    kept.take(rows_of(IN_ONE, [(2, 5, 0), (1, 9, 0)]))
    kept.take(rows_of(IN_ONE, [(2, 3, 0), (2, 7, 0)]))
    hour = [MONDAY + timedelta(hours=h) for h in range(10)]
    assert kept.content().rows() == [(1, 1, hour[9], hour[9], 2), (2, 3, hour[3], hour[7], 6)]


def stems(files: Iterable[DataFile]) -> list[str]:
    """Paths without what says which bytes they are."""
    return [re.sub(r"-[0-9a-f]{16}\.parquet$", "", file.path) for file in files]


def test_only_the_days_that_a_batch_touches_are_rewritten(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "t", BY_DAY)
    kept.take(rows_of(BY_DAY, [(1, 0, 100), (1, 24, 100), (1, 48, 100)]))
    change = kept.take(rows_of(BY_DAY, [(2, 30, 50)]))
    assert stems(change.remove) == ["day=2024-01-02/batch-1-2024-01-02"]
    assert stems(change.add) == ["day=2024-01-02/batch-2-2024-01-02"]
    second = date(2024, 1, 2)
    assert kept.content().filter(pl.col("day") == second).rows() == [
        (1, second, 1, Decimal("1.00")),
        (2, second, 1, Decimal("0.50")),
    ]


@pytest.mark.parametrize("fresh", [False, True])
def test_only_the_weeks_that_a_batch_touches_are_rewritten(tmp_path: Path, fresh: bool) -> None:
    kept = Kept(tmp_path / "t", BY_HOUR, fresh=fresh)
    week = 24 * 7
    kept.take(rows_of(BY_HOUR, [(1, week - 1, 100), (1, week, 100), (1, 3 * week, 100)]))
    change = kept.take(rows_of(BY_HOUR, [(1, 2 * week - 1, 50)]))
    assert stems(change.remove) == ["batch-1-2024-01-08"]
    assert stems(change.add) == ["batch-2-2024-01-08"]
    assert kept.content()["orders"].to_list() == [1, 1, 1, 1]


@pytest.mark.parametrize("fresh", [False, True])
@pytest.mark.parametrize("spec", [BY_SHOP, BY_SHOP_LISTED], ids=lambda spec: spec.name)
def test_a_segment_may_be_a_text_and_finish_sees_all_of_its_rows(
    tmp_path: Path, spec: Table, fresh: bool
) -> None:
    kept = Kept(tmp_path / "t", spec, fresh=fresh)
    kept.take(rows_of(spec, [(1, 0, 0), (2, 0, 0), (3, 0, 0)]))
    change = kept.take(rows_of(spec, [(1, 0, 0), (1, 0, 0)]))
    assert [file.rows for file in change.remove] == [2], "the other shop's file stays"
    assert kept.content().select("shop", "brand", "orders", "of_shop").rows() == [
        ("north", 2, 1, 1),
        ("south", 1, 3, 4),
        ("south", 3, 1, 4),
    ]


def test_of_dates_in_no_folders_only_the_days_that_a_batch_touches_are_rewritten(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "t", BY_DATE)
    kept.take(rows_of(BY_DATE, [(1, 0, 100), (1, 24, 100), (1, 48, 100)]))
    change = kept.take(rows_of(BY_DATE, [(1, 30, 50)]))
    assert stems(change.remove) == ["batch-1-2024-01-02"]
    assert kept.content()["orders"].to_list() == [1, 2, 1]


def test_a_new_segment_removes_nothing(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "t", BY_DAY)
    kept.take(rows_of(BY_DAY, [(1, 0, 100)]))
    assert kept.take(rows_of(BY_DAY, [(1, 24, 100)])).remove == ()


@pytest.mark.parametrize("name", SPECS)
def test_with_replace_nothing_that_was_there_counts(tmp_path: Path, name: str) -> None:
    kept, spec = Kept(tmp_path / "t", SPECS[name]), SPECS[name]
    kept.take(rows_of(spec, [(1, 0, 100), (9, 99, 100)]))
    kept.take(rows_of(spec, [(1, 30, 700)]), replace=True)
    alone = Kept(tmp_path / "alone", spec)
    alone.take(rows_of(spec, [(1, 30, 700)]))
    assert kept.content().equals(alone.content())


def test_money_stays_exact_beyond_what_a_float_holds(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "t", BY_DAY)
    for _ in range(3):
        kept.take(rows_of(BY_DAY, [(1, 0, 3_333_333_333_333_333)]))
    assert kept.content()["revenue"].to_list() == [Decimal("99999999999999.99")]


def test_rows_of_a_file_are_remembered_and_old_ones_forgotten(tmp_path: Path) -> None:
    rows = pl.DataFrame({"a": range(300_000)})
    recent = RecentFiles(most_bytes=3_000_000)
    rows.write_parquet(tmp_path / "one.parquet")
    assert recent.rows(tmp_path / "one.parquet").height == 300_000
    (tmp_path / "one.parquet").unlink()
    assert recent.rows(tmp_path / "one.parquet").height == 300_000
    recent.remember(tmp_path / "two.parquet", rows)
    assert recent.rows(tmp_path / "two.parquet").height == 300_000
    with pytest.raises(FileNotFoundError):
        recent.rows(tmp_path / "one.parquet")
    recent.remember(tmp_path / "large.parquet", pl.DataFrame({"a": range(600_000)}))
    assert recent.rows(tmp_path / "two.parquet").height == 300_000, "what is too much drives nothing out"
    with pytest.raises(FileNotFoundError):
        recent.rows(tmp_path / "large.parquet")


def test_sums_that_do_not_add_up_stop_the_merge(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "t", BY_DAY)
    kept.take(rows_of(BY_DAY, [(1, 0, 100)]))
    (file,) = kept.table.files.values()
    lost = kept.merged.recent.rows(kept.table.path / file.path)
    with pytest.raises(AccountError, match="table by_day: does not add up"):
        kept.merged._check_sums(lost, [lost, lost])
