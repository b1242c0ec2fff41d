"""Rows of `batches` whose commits were lost, put back from their data files, whose names prove them."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import polars as pl

from casper_ray.lakehouse.commit import commit_once
from casper_ray.lakehouse.data_file import DataFile, file_digest, named_digest
from casper_ray.lakehouse.names import Catalog
from casper_ray.lakehouse.open_table import Change, OpenTable
from casper_ray.medallion.batches import BATCHES
from casper_ray.medallion.declare import Pipeline

_NAME = re.compile(r"batch-(\d{8})-[0-9a-f]{16}\.parquet")


def reinstate_batches(catalog: Catalog, pipeline: Pipeline) -> list[int]:
    """The batches that `batches` has lost and whose files are still there, in order; returns their numbers.

    A batch's file is written once every table has the batch, so that it is there says that it was over.
    Retry: safe.
    """
    path = catalog.table(pipeline.schema, BATCHES.name)
    table = OpenTable(path, BATCHES.layout)
    app = f"casper/{pipeline.name}"
    files = _files(path)
    number = (table.committed_batch(app) or 0) + 1
    done = []
    while number in files:
        again = Change(add=(_data_file(path, files[number], number),))
        commit_once(table, app=app, batch=number, change=partial(_always, again))
        done.append(number)
        number += 1
    return done


def _always(change: Change, table: OpenTable) -> Change:
    return change


def _files(path: Path) -> dict[int, Path]:
    """Sound files by the batch that they are named for."""
    named = ((_NAME.fullmatch(file.name), file) for file in sorted(path.glob("batch-*.parquet")))
    return {
        int(match[1]): file for match, file in named if match and file_digest(file) == named_digest(file.name)
    }


def _data_file(path: Path, file: Path, number: int) -> DataFile:
    rows = pl.read_parquet(file)
    return DataFile(
        path=str(file.relative_to(path)),
        size_bytes=file.stat().st_size,
        rows=rows.height,
        partition={},
        lowest={"batch": number},
        highest={"batch": number},
        nulls={"batch": 0},
    )
