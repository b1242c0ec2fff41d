"""The back-test: history through two rule sets. Reads the truth, for it evaluates."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from casper_ray.bank_uses.alerts import alerted, columns_of
from casper_ray.bank_uses.history import History, Span, load_history
from casper_ray.bank_uses.judgement import Judged, Score, judged, told_apart
from casper_ray.config_files import configs_dir
from casper_ray.domain.time import SimMicros, as_datetime
from casper_ray.errors import ConfigError
from casper_ray.lakehouse.read import scan
from casper_ray.medallion.bank.rules import RuleSet, load_rules
from casper_ray.medallion.bank.transactions import SILVER_TRANSACTIONS

_SAID_EVERY_S = 2.0
_ALONGSIDE = timedelta(days=2)
"""A transfer stands in the file of a later day than the one it was keyed in on."""
_ALSO = ("transaction_type",)
SELECTIONS = {
    "a": pl.col("a"),
    "b": pl.col("b"),
    "both": pl.col("a") & pl.col("b"),
    "only_a": pl.col("a") & ~pl.col("b"),
    "only_b": pl.col("b") & ~pl.col("a"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BackOrder:
    """What `casper bank back-test` was asked for. Days from the first, up to but without `until_day`."""

    lake: str
    catalog: str
    rules: tuple[str, str]
    from_day: int = 0
    until_day: int | None = None


class BackResult(NamedTuple):
    """days: first and, exclusive, last of the dataset that were looked at."""

    order: BackOrder
    days: tuple[int, int]
    judged: Judged
    wall_s: float

    def scores(self) -> dict[str, Score]:
        """Of each of SELECTIONS."""
        return {name: self.judged.score(selection) for name, selection in SELECTIONS.items()}


def run_back_test(order: BackOrder, told: Callable[[str], None]) -> BackResult:
    """Both sets over `silver_transactions`, day by day; a day is held at a time.

    Raises: UserError where rules or days cannot be, or there is no truth to hold them against.
    """
    started_s = time.monotonic()
    rules = tuple(_rules(name) for name in order.rules)
    history = load_history(order.lake, order.catalog)
    first, end = _days(history, order)
    days = _told_apart(history, (rules[0], rules[1]), range(first, end), told)
    return BackResult(order, (first, end), judged(days), time.monotonic() - started_s)


def _rules(name: str) -> RuleSet:
    folder = configs_dir() / "rules"
    is_file = name.endswith((".yml", ".yaml"))
    if not (Path(name) if is_file else folder / f"{name}.yml").is_file():
        known = ", ".join(sorted(path.stem for path in folder.glob("*.yml")))
        raise ConfigError(f"--rules {name}: there are no such rules", f"known are {known}, or a .yml file")
    return load_rules(name)


def _days(history: History, order: BackOrder) -> tuple[int, int]:
    end = history.whole_days if order.until_day is None else order.until_day
    if not 0 <= order.from_day < end:
        raise ConfigError(
            f"days from {order.from_day} up to but without {end}: there are none",
            f"whole days are 0 to {history.whole_days - 1}",
        )
    history.day(end - 1, f"--until-day {end}: day")
    return order.from_day, end


def _told_apart(
    history: History, rules: tuple[RuleSet, RuleSet], days: range, told: Callable[[str], None]
) -> Iterator[pl.DataFrame]:
    silver = scan(history.catalog.table(history.pipeline.schema, SILVER_TRANSACTIONS.name))
    truth = scan(history.catalog.table("truth", "transactions"))
    cases = scan(history.catalog.table("truth", "cases"))
    crimes = cases.filter(~pl.col("twin")).select("case_id").collect()["case_id"]
    columns = list(dict.fromkeys((*columns_of(*rules), *_ALSO)))
    said_s = time.monotonic()
    for number in days:
        span = history.day(number)
        rows = silver.filter(pl.col("txn_day") == span.first_day).select(columns).collect()
        found = [rows["transaction_id"].is_in(alerted(rows, each).implode()) for each in rules]
        marked = rows.with_columns(found[0].alias("a"), found[1].alias("b"))
        yield told_apart(marked, _truth_of(truth, span), crimes)
        if time.monotonic() - said_s >= _SAID_EVERY_S:
            said_s = time.monotonic()
            told(f"day {number}: {number + 1 - days.start} of {len(days)}")


def _truth_of(truth: pl.LazyFrame, span: Span) -> pl.DataFrame:
    since, until = (as_datetime(SimMicros(us)) for us in span)
    near = pl.col("ts").is_between(since - _ALONGSIDE, until + _ALONGSIDE)
    return truth.filter(near).select("transaction_id", "is_crime", "typology", "case_id").collect()


def as_json(result: BackResult) -> dict[str, Any]:
    """The result as one object. Money is text."""
    a, b = result.order.rules
    return {
        "rules": {"a": a, "b": b},
        "catalog": result.order.catalog,
        "from_day": result.days[0],
        "until_day": result.days[1],
        "transactions": result.judged.transactions,
        "crimes": result.judged.crimes,
        "crimes_value": str(result.judged.value),
        **{name: _score_json(score) for name, score in result.scores().items()},
        "typologies": {
            caught.typology: {**caught._asdict(), "value": str(caught.value)}
            for caught in result.judged.typologies()
        },
        "wall_s": round(result.wall_s, 3),
    }


def _score_json(score: Score) -> dict[str, Any]:
    rates = {"precision": score.precision, "recall": score.recall, "f1": score.f1}
    return {**score._asdict(), "value": str(score.value), **rates}
