"""Who the refused rows come from: files and reasons, from the quarantine. Pure."""

from __future__ import annotations

from typing import NamedTuple

import polars as pl

_LABEL = pl.coalesce("rule", "reason").fill_null("no reason given").alias("label")
_REASONS_A_FILE = 3


class Reason(NamedTuple):
    """Why rows were refused: a rule's name, or in words why a line could not be read."""

    label: str
    rows: int


class FileFigures(NamedTuple):
    """A source file, its refused rows, and the reasons of most of them."""

    source_file: str
    rows: int
    last_batch: int
    reasons: tuple[Reason, ...]


class ReasonFigures(NamedTuple):
    """A reason; the table whose rule it is, or that reads the lines; refused rows, and how many files have some."""

    label: str
    table: str | None
    rows: int
    files: int


def worst_files(quarantine: pl.DataFrame, limit: int) -> list[FileFigures]:
    """The files with the most refused rows, worst first."""
    reasons = (
        quarantine.with_columns(_LABEL, pl.col("source_file").fill_null("(unknown)"))
        .group_by("source_file", "label")
        .agg(pl.len().alias("rows"), pl.col("batch").max())
        .sort(["rows", "label"], descending=[True, False])
    )
    files = (
        reasons.group_by("source_file", maintain_order=True)
        .agg(
            pl.col("rows").sum().alias("total"),
            pl.col("batch").max(),
            pl.col("label", "rows").head(_REASONS_A_FILE),
        )
        .sort(["total", "source_file"], descending=[True, False])
        .head(limit)
    )
    return [
        FileFigures(name, total, batch, tuple(map(Reason, labels, rows)))
        for name, total, batch, labels, rows in files.iter_rows()
    ]


def worst_reasons(quarantine: pl.DataFrame, limit: int) -> list[ReasonFigures]:
    """The reasons with the most refused rows, worst first."""
    rows = (
        quarantine.with_columns(_LABEL)
        .group_by("label", "table")
        .agg(pl.len().alias("rows"), pl.col("source_file").n_unique().alias("files"))
        .sort(["rows", "label"], descending=[True, False])
        .head(limit)
    )
    return [ReasonFigures(*row) for row in rows.iter_rows()]
