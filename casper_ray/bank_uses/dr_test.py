"""The disaster recovery test: a day rebuilt from the volumes alone, and held against what was lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import polars as pl

from casper_ray.bank_uses.comparison import Difference, difference, rows_of_day
from casper_ray.bank_uses.history import History, Span, load_history
from casper_ray.bank_uses.recovery import Plan, Rebuilt, plan_of, rebuild, target_catalog
from casper_ray.config import Environment
from casper_ray.domain.time import SimMicros, as_datetime, sim_micros
from casper_ray.lakehouse.names import Catalog
from casper_ray.lakehouse.read import KNOWN, scan, version_as_of
from casper_ray.medallion.bank.transactions import SILVER_TRANSACTIONS
from casper_ray.medallion.declare import Append, Table
from casper_ray.sim.control import Control

_LAYERS = ("silver_", "gold_")


@dataclass(frozen=True, slots=True, kw_only=True)
class DrOrder:
    """What `casper bank dr-test` was asked for."""

    lake: str
    catalog: str
    target: str
    day: int
    keep: bool = False


class Risk(NamedTuple):
    """What came with the newest window: lost, had the loss come just before it landed."""

    sim_s: float
    transactions: int
    amount_base: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class DrResult:
    """rpo_s: simulated seconds from the newest row that was rebuilt to the newest that had been known (0: none is
    lost). speed: simulated seconds a second at which the replay went, None where nobody knows.
    """

    order: DrOrder
    span: Span
    plan: Plan
    rebuilt: Rebuilt
    tables: tuple[Difference, ...]
    newest: datetime | None
    newest_rebuilt: datetime | None
    risk: Risk | None
    speed: float | None

    @property
    def equal(self) -> bool:
        return all(table.equal for table in self.tables)

    @property
    def rpo_s(self) -> float | None:
        if self.newest is None:
            return 0.0
        if self.newest_rebuilt is None:
            return None
        return max(0.0, (self.newest - self.newest_rebuilt).total_seconds())

    @property
    def rto_sim_s(self) -> float | None:
        """How much simulated time goes by while the tables are rebuilt."""
        return None if self.speed is None else self.rebuilt.wall_s * self.speed


def run_dr_test(order: DrOrder, environment: Environment, told: Callable[[str], None]) -> DrResult:
    """Rebuild the tables up to the day's end in another catalog, compare the day's Silver and Gold, clear up.

    The original is only read. Raises: UserError for what the caller can mend.
    """
    history = load_history(order.lake, order.catalog)
    span = history.day(order.day)
    plan = plan_of(history, span.to_us)
    with target_catalog(history, order.target, keep=order.keep) as target:
        rebuilt = rebuild(history, plan, target, environment, told)
        tables = tuple(_compared(history, plan, span, target, told))
        silver = (_original(history, plan, SILVER_TRANSACTIONS), _rebuilt(history, target, plan))
        newest, newest_rebuilt = (_newest(rows) for rows in silver)
        return DrResult(
            order=order,
            span=span,
            plan=plan,
            rebuilt=rebuilt,
            tables=tables,
            newest=newest,
            newest_rebuilt=newest_rebuilt,
            risk=_risk(silver[0], rebuilt, plan),
            speed=_speed(history.catalog),
        )


def _compared(
    history: History, plan: Plan, span: Span, target: Catalog, told: Callable[[str], None]
) -> list[Difference]:
    found = []
    for table in history.stored_tables:
        if table.name.startswith(_LAYERS):
            one, scope = rows_of_day(_original(history, plan, table), table, span)
            other, _ = rows_of_day(_rebuilt(history, target, plan, table), table, span)
            found.append(difference(table, scope, one, other))
            told(f"{table.name}: {found[-1].rows:,} rows compared")
    return found


def _original(history: History, plan: Plan, table: Table) -> pl.LazyFrame:
    """The table as it was when the batch at the end of the plan was over.

    Rules: of a table that only grows, its newest version's rows that were known by then; of another, the version of
    then. Where that batch was the last, the newest version is both: what anybody did to the table since, it shows.
    """
    path = history.catalog.table(history.pipeline.schema, table.name)
    if plan.newest:
        return scan(path)
    if _grows(table):
        return _known_by(scan(path), plan)
    instant = SimMicros(plan.until_us)
    version = version_as_of(history.catalog, history.pipeline.schema, table.name, instant)
    return scan(path).clear() if version is None else scan(path, version=version)


def _rebuilt(
    history: History, target: Catalog, plan: Plan, table: Table = SILVER_TRANSACTIONS
) -> pl.LazyFrame:
    rows = scan(target.table(history.pipeline.schema, table.name))
    return rows if plan.newest or not _grows(table) else _known_by(rows, plan)


def _grows(table: Table) -> bool:
    return isinstance(table.update, Append) and KNOWN in table.schema.names


def _known_by(rows: pl.LazyFrame, plan: Plan) -> pl.LazyFrame:
    """Not what was known from that instant on: it came with the window that began then."""
    return rows.filter(pl.col(KNOWN) < as_datetime(SimMicros(plan.until_us)))


def _newest(rows: pl.LazyFrame) -> datetime | None:
    found: datetime | None = rows.select(pl.col(KNOWN).max()).collect(engine="streaming").item()
    return found


def _risk(silver: pl.LazyFrame, rebuilt: Rebuilt, plan: Plan) -> Risk | None:
    if rebuilt.last_window_from_us is None:
        return None
    since = as_datetime(SimMicros(rebuilt.last_window_from_us))
    came = silver.filter(pl.col(KNOWN) >= since).select(pl.len(), pl.col("amount_base").sum())
    count, amount = came.collect(engine="streaming").row(0)
    length = as_datetime(SimMicros(plan.until_us)) - since
    return Risk(length / timedelta(seconds=1), count, amount or Decimal(0))


def _speed(catalog: Catalog) -> float | None:
    """At which the replay was asked to go; where it did not wait, which it reached."""
    told = Control(catalog.state / "replay").told() or {}
    speed = told.get("speed_asked") or told.get("speed_reached")
    return float(speed) if speed else None


def as_json(result: DrResult) -> dict[str, Any]:
    """The result as one object. Times are ISO 8601, money is text."""
    return {
        "equal": result.equal,
        "day": result.order.day,
        "date": str(result.span.first_day),
        "catalog": result.order.catalog,
        "target_catalog": result.order.target,
        "kept": result.order.keep,
        "rebuilt_until": as_datetime(SimMicros(result.plan.until_us)).isoformat(),
        "volume": {"files": result.rebuilt.files, "bytes": result.rebuilt.size_bytes},
        "rows_in": result.rebuilt.rows_in,
        "tables": {table.table: _table_json(table) for table in result.tables},
        "rpo": {
            "sim_s": result.rpo_s,
            "newest_known": _iso(result.newest),
            "newest_rebuilt": _iso(result.newest_rebuilt),
            "at_risk": None
            if result.risk is None
            else {
                "sim_s": result.risk.sim_s,
                "transactions": result.risk.transactions,
                "amount_base": str(result.risk.amount_base),
            },
        },
        "rto": {
            "wall_s": round(result.rebuilt.wall_s, 3),
            "speed": result.speed,
            "sim_s": None if result.rto_sim_s is None else round(result.rto_sim_s, 3),
        },
    }


def _table_json(table: Difference) -> dict[str, Any]:
    names = ("scope", "rows", "rows_rebuilt", "missing", "extra", "differing", "columns")
    told = {name: getattr(table, name) for name in names}
    return {"equal": table.equal, **told, "examples": list(table.examples)}


def _iso(instant: datetime | None) -> str | None:
    return None if instant is None else as_datetime(sim_micros(instant)).isoformat()
