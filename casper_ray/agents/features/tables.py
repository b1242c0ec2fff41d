"""The two tables that features are read from, as numbers; read again where their files changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final, NamedTuple

import polars as pl

from casper_ray.agents.features.codes import Books, numbers_of
from casper_ray.domain.bank import OUT, POSTED
from casper_ray.lakehouse.bank_sides import sides
from casper_ray.lakehouse.histogram import bucket_names
from casper_ray.lakehouse.open_table import live_files
from casper_ray.lakehouse.read import KNOWN, at_version

TRANSACTIONS: Final = "silver_transactions"
DAYS: Final = "gold_customer_features"
DAY_COUNTS: Final = ("transactions_out", "at_night", *bucket_names())
_TEXTS = (
    "transaction_id",
    "account_token",
    "counterparty_token",
    "direction",
    "status",
    "device_token",
    "merchant_id",
)
_READ_BYTES = 32 << 20
"""Of files that are read at a time, in about ten times the bytes that they have on disk."""
_COLUMNS = (*_TEXTS, "internal", "txn_day", "txn_ts", KNOWN, "lat", "lon", "amount_base")


def coded_transactions(rows: pl.LazyFrame, books: Books) -> pl.DataFrame:
    """Silver as numbers: one row per transaction and customer's account that it moves.

    Returns: partition (txn_day), account, party, device, merchant (codes), known_us, happened_us, cents, number
             (`numbers_of` its id), out, posted, lat, lon (degrees; NaN: none).
    Rules:   happened: txn_ts, but not after the row was known: a clock that was ahead makes nothing happen later.
    """
    both = sides(rows.select(_COLUMNS).collect())
    known, happened = (both[name].to_physical() for name in (KNOWN, "txn_ts"))
    return both.select(
        pl.col("txn_day").alias("partition"),
        books.accounts.given(both["account_token"]).alias("account"),
        books.parties.given(both["counterparty_token"]).alias("party"),
        books.devices.given(both["device_token"]).alias("device"),
        books.merchants.given(both["merchant_id"]).alias("merchant"),
        known.alias("known_us"),
        pl.min_horizontal(happened, known).alias("happened_us"),
        pl.col("amount_base").to_physical().cast(pl.Int64).alias("cents"),
        pl.Series("number", numbers_of(both["transaction_id"])),
        (pl.col("direction") == OUT).alias("out"),
        (pl.col("status") == POSTED).alias("posted"),
        pl.col("lat").fill_null(float("nan")),
        pl.col("lon").fill_null(float("nan")),
    )


def coded_days(rows: pl.LazyFrame, books: Books) -> pl.DataFrame:
    """An account's days of Gold as numbers: partition (day), account, day (of the epoch), and `DAY_COUNTS`."""
    found = rows.select("account_token", "day", *DAY_COUNTS).collect()
    return found.select(
        pl.col("day").alias("partition"),
        books.accounts.given(found["account_token"]).alias("account"),
        pl.col("day").to_physical().cast(pl.Int64),
        pl.col(DAY_COUNTS).cast(pl.Int32),
    )


class Files(NamedTuple):
    """A partition's files."""

    paths: frozenset[str]
    size_bytes: int


@dataclass(slots=True)
class KeptTable:
    """A table's rows in memory. Follows the table a partition at a time, whoever rewrote it and why.

    pinned: the version that is read whatever comes after; None: the newest.
    """

    path: Path
    partition: str
    coded: Callable[[pl.LazyFrame, Books], pl.DataFrame]
    pinned: int | None = None
    version: int = -1
    rows: pl.DataFrame = field(default_factory=pl.DataFrame)
    _files: dict[date, Files] = field(default_factory=dict)

    def moved(self) -> bool:
        """Whether there is a version that was not read. Costs two looks at the log's folder."""
        if self.version < 0:
            return True
        if self.pinned is not None:
            return self.pinned != self.version
        read, following = (
            self.path / "_delta_log" / f"{version:020d}.json" for version in (self.version, self.version + 1)
        )
        return following.exists() or not read.exists()  # without the one that was read, the log was cut since

    def follow(self, books: Books) -> None:
        """Read the partitions whose files are others than before. Raises: LakeError."""
        handle = at_version(self.path, self.pinned)
        files = _files_of(live_files(handle), self.partition)
        stale = sorted(d for d in self._files.keys() | files.keys() if self._files.get(d) != files.get(d))
        lazy = pl.scan_delta(handle)
        fresh = [
            self.coded(lazy.filter(pl.col(self.partition).is_in(some)), books)
            for some in _few_at_a_time(stale, files)
        ]
        if self.version < 0:
            self.rows = self.coded(lazy.clear(), books)
        kept = self.rows.filter(~pl.col("partition").is_in(stale))
        self.rows = pl.concat([kept, *fresh], rechunk=True)
        self._files, self.version = files, int(handle.version())


def _few_at_a_time(days: list[date], files: Mapping[date, Files]) -> Iterator[list[date]]:
    """The days in stretches: texts take many times the room of the numbers that they become."""
    some: list[date] = []
    filled = 0
    for day in days:
        some.append(day)
        filled += files[day].size_bytes if day in files else 0
        if filled >= _READ_BYTES:
            yield some
            some, filled = [], 0
    if some:
        yield some


def _files_of(files: pl.DataFrame, partition: str) -> dict[date, Files]:
    """The files of each partition of a table's version."""
    if files.is_empty():
        return {}
    by = files.group_by(pl.col(f"partition.{partition}").cast(pl.Date)).agg(
        "path", pl.col("size_bytes").sum()
    )
    return {day: Files(frozenset(paths), size_bytes) for day, paths, size_bytes in by.iter_rows()}
