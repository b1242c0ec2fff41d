"""Parquet data files of a Delta table, as its log names them."""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from deltalake.transaction import AddAction

from casper_ray import durable

_COMPRESSION_LEVEL = 1
_FEW_ROWS = 5_000
_DIGEST_CHARS = 16
_DIGEST = re.compile(r"-([0-9a-f]{16})\.parquet$")


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFile:
    """One data file.

    path: relative to the table's folder; its name ends with a digest of the file's bytes.
    partition: column -> value as text. lowest/highest: of the
    columns that the table declares for data skipping (never columns that can hold personal data).
    """

    path: str
    size_bytes: int
    rows: int
    partition: Mapping[str, str | None]
    lowest: Mapping[str, Any]
    highest: Mapping[str, Any]
    nulls: Mapping[str, int]


class Part(NamedTuple):
    """Rows (without partition columns) that are to become a data file of a table, see `write_data_file`."""

    path: str
    rows: pl.DataFrame
    partition: Mapping[str, str | None]


def write_parts(parts: Iterable[Part], root: Path, stats: tuple[str, ...]) -> list[DataFile]:
    """`write_data_file` of each."""
    return [write_data_file(part.rows, root, part.path, part.partition, stats) for part in parts]


def write_data_file(
    rows: pl.DataFrame, root: Path, path: str, partition: Mapping[str, str | None], stats: tuple[str, ...]
) -> DataFile:
    """Write `rows` (without partition columns) as `root/path`, a digest put to its name; not yet flushed, in no log.

    Retry: safe. It is written beside and renamed, so that a second writer of the same batch leaves
    the same bytes at the same name, and nobody reads half a file. The name says what the bytes are: a file that
    was damaged later can be told by itself.
    """
    target = root / path
    temporary = target.with_name(f".{target.name}.{time.time_ns():x}.part")
    try:
        with durable.placed(target):
            size_bytes, digest = (_write_many if rows.height > _FEW_ROWS else _write_few)(rows, temporary)
        path = f"{path.removesuffix('.parquet')}-{digest}.parquet"
        temporary.replace(root / path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    kept = [name for name in stats if name in rows.columns]
    return DataFile(
        path=path,
        size_bytes=size_bytes,
        rows=rows.height,
        partition=dict(partition),
        lowest={name: rows[name].min() for name in kept},
        highest={name: rows[name].max() for name in kept},
        nulls={name: rows[name].null_count() for name in kept},
    )


def file_digest(path: Path) -> str:
    """The first 16 hex digits of the SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:_DIGEST_CHARS]


def named_digest(path: str) -> str | None:
    """The digest that a data file's name says; None for a file that another program wrote."""
    found = _DIGEST.search(path)
    return found[1] if found else None


def _write_many(rows: pl.DataFrame, path: Path) -> tuple[int, str]:
    """The file's size and digest. polars is the faster writer of many rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        rows.write_parquet(path, compression="zstd", compression_level=_COMPRESSION_LEVEL, statistics=False)
    except pl.exceptions.PolarsError as error:
        raise system_error(error, path) from error
    return path.stat().st_size, file_digest(path)


def _write_few(rows: pl.DataFrame, path: Path) -> tuple[int, str]:
    """The file's size and digest. pyarrow is the faster writer of few rows, and a keyed table is written as many
    small files: so what a file costs beside its rows is what counts, and it is made in memory.
    """
    sink = pa.BufferOutputStream()
    pq.write_table(
        rows.to_arrow(compat_level=pl.CompatLevel.oldest()),
        sink,
        compression="zstd",
        compression_level=_COMPRESSION_LEVEL,
        write_statistics=False,
        use_dictionary=False,
    )
    data = sink.getvalue()
    try:
        path.write_bytes(data)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return data.size, hashlib.sha256(data).hexdigest()[:_DIGEST_CHARS]


def system_error(error: Exception, path: Path) -> Exception:
    """The operating system's error that polars or delta-rs tell of in their text (a full disk, say); else `error`."""
    if found := re.search(r"os error (\d+)", str(error)):
        number = int(found[1])
        return OSError(number, os.strerror(number), str(path))
    return error


def add_action(file: DataFile, *, data_change: bool = True) -> AddAction:
    """The log's line for a new data file. data_change: False for rows that were in the table before."""
    stats = {
        "numRecords": file.rows,
        "minValues": {name: _stat(v, upper=False) for name, v in file.lowest.items() if v is not None},
        "maxValues": {name: _stat(v, upper=True) for name, v in file.highest.items() if v is not None},
        "nullCount": dict(file.nulls),
    }
    return AddAction(
        path=file.path,
        size=file.size_bytes,
        partition_values=dict(file.partition),
        modification_time=time.time_ns() // 1_000_000,
        data_change=data_change,
        stats=json.dumps(stats),
    )


def _stat(value: Any, upper: bool) -> Any:
    """A statistic in the log's form; instants keep whole milliseconds, rounded outwards."""
    if isinstance(value, datetime):
        if upper:
            value += timedelta(microseconds=-value.microsecond % 1000)
        return f"{value:%Y-%m-%dT%H:%M:%S}.{value.microsecond // 1000:03d}Z"
    return value.isoformat() if isinstance(value, date) else value
