"""The rules of a pipeline, and what they make of a table's rows. Pure: no clock, no files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

import polars as pl

from casper_ray.errors import UserError
from casper_ray.medallion.columns import TRACE
from casper_ray.medallion.declare import Table
from casper_ray.medallion.expectations import Expectation
from casper_ray.medallion.json_lines import refused_rows

SAMPLED_ROWS = 3


class RuleError(UserError):
    """A rule that cannot be worked out for the rows of a batch. Nothing of the batch was committed."""

    @classmethod
    def of(cls, table: str, rule: Expectation, kind: str) -> RuleError:
        return cls(
            f"rule {rule.name!r} of {table} ({rule.sql}) cannot be worked out for every row ({kind}); no table was "
            f"changed",
            "a rule has to answer whatever a row holds: TRY_CAST instead of CAST, for one",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """Every rule that a batch is judged by: part of what is written down of it, so that a rerun judges alike.

    rules: table -> its expectations. lateness_us: of each table with a watermark.
    """

    rules: Mapping[str, tuple[Expectation, ...]]
    lateness_us: Mapping[str, int] = field(default_factory=dict)

    def of(self, table: str) -> tuple[Expectation, ...]:
        return self.rules.get(table, ())

    def as_json(self) -> dict[str, Any]:
        rules = {table: [asdict(rule) for rule in rules] for table, rules in self.rules.items()}
        return {"rules": rules, "lateness_us": dict(self.lateness_us)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Quality:
        return cls(
            rules={table: tuple(map(_expectation, rules)) for table, rules in value["rules"].items()},
            lateness_us={table: int(us) for table, us in value["lateness_us"].items()},
        )


class Tally(NamedTuple):
    """How rows did by one rule. samples: JSON texts of at most `SAMPLED_ROWS` rows that failed; nothing personal."""

    passed: int = 0
    failed: int = 0
    samples: tuple[str, ...] = ()

    def plus(self, other: Tally) -> Tally:
        samples = (*self.samples, *other.samples)[:SAMPLED_ROWS]
        return Tally(self.passed + other.passed, self.failed + other.failed, samples)


class Judged(NamedTuple):
    """A table's rows after its rules: those that it keeps, those for the quarantine, how many were dropped, and the
    tally of each rule.
    """

    rows: pl.DataFrame
    refused: pl.DataFrame | None
    dropped: int
    tallies: dict[str, Tally]


def judged(rows: pl.DataFrame, table: Table, rules: tuple[Expectation, ...]) -> Judged:
    """The rows, judged by every rule at once.

    Rules: each rule sees every row, whatever the others say of it. A row that fails a dropping and a quarantining
    rule is quarantined: what is kept can be looked at. A stopping rule leaves its rows in: there will be no
    batch for them to be in.
    """
    if not rules or not rows.height:
        return Judged(rows, None, 0, {rule.name: Tally() for rule in rules})
    passes = pl.DataFrame([_passing(rows, table, rule) for rule in rules])
    failed = {rule.name: rows.height - int(passes[rule.name].sum()) for rule in rules}
    tallies = {
        rule.name: Tally(
            rows.height - failed[rule.name],
            failed[rule.name],
            _samples(rows.filter(~passes[rule.name]), table) if failed[rule.name] else (),
        )
        for rule in rules
    }
    if not any(failed.values()):
        return Judged(rows, None, 0, tallies)
    return _parted(rows, table, rules, passes, tallies)


def _parted(
    rows: pl.DataFrame,
    table: Table,
    rules: tuple[Expectation, ...],
    passes: pl.DataFrame,
    tallies: dict[str, Tally],
) -> Judged:
    quarantining = [rule for rule in rules if rule.action == "quarantine" and tallies[rule.name].failed]
    refusing, refused = pl.repeat(False, rows.height, eager=True), []
    for rule in quarantining:  # a row is quarantined once, by the first rule that it fails
        mine = ~passes[rule.name] & ~refusing
        refusing |= mine
        refused.append(_refused(rows.filter(mine), table, rule))
    dropping = pl.repeat(False, rows.height, eager=True)
    for rule in rules:
        if rule.action == "drop":
            dropping |= ~passes[rule.name]
    dropping &= ~refusing
    kept = rows.filter(~(refusing | dropping))
    return Judged(kept, pl.concat(refused) if refused else None, int(dropping.sum()), tallies)


def _refused(rows: pl.DataFrame, table: Table, rule: Expectation) -> pl.DataFrame:
    stored = [name for name in table.schema.names if name in rows.columns]
    reason = f"{table.name}: {rule.name}: not {rule.sql}"
    refused = refused_rows(rows.select(*stored, *_trace(rows, stored)), reason)
    return refused.with_columns(pl.lit(table.name).alias("table"), pl.lit(rule.name).alias("rule"))


def _trace(rows: pl.DataFrame, besides: Iterable[str]) -> list[str]:
    return [name for name in TRACE if name in rows.columns and name not in besides]


def _samples(failed: pl.DataFrame, table: Table) -> tuple[str, ...]:
    """The first rows that failed, by the columns that may be shown and by where they stand."""
    shown = [name for name in dict.fromkeys((*table.samples, *TRACE)) if name in failed.columns]
    rows = failed.head(SAMPLED_ROWS).select(shown)
    return tuple(json.dumps(row, default=str) for row in rows.iter_rows(named=True))


def _passing(rows: pl.DataFrame, table: Table, rule: Expectation) -> pl.Series:
    """Whether each row passes. Raises: RuleError."""
    try:
        return rows.select(_holding(rule.sql).alias(rule.name)).to_series()
    except pl.exceptions.PolarsError as error:  # its text may quote what rows hold
        raise RuleError.of(table.name, rule, type(error).__name__) from None


@lru_cache(maxsize=1_000)
def _holding(sql: str) -> pl.Expr:
    """Where a condition is true; what is not known is not. Read once, for every block is asked the same."""
    return pl.sql_expr(sql).fill_null(False)


def _expectation(value: Mapping[str, Any]) -> Expectation:
    return Expectation(**{**value, "tags": tuple(value["tags"])})
