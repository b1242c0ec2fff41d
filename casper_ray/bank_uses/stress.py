"""The stress test: a bank's days under a scenario, beside the same days without it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

import polars as pl

from casper_ray.bank_uses.stress_days import stress_days, with_coverage
from casper_ray.config_files import checked
from casper_ray.errors import ConfigError
from casper_ray.sim.bank.expectation import expected_transactions
from casper_ray.sim.bank.scenario import BankScenario, load_bank_scenario
from casper_ray.sim.bank.world import BankWorld

BASELINE = "bank_baseline"
_SAID_EVERY_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StressOrder:
    """What `casper bank stress` was asked for. None is the scenario's own."""

    scenario: str
    days: int | None = None
    customers: int | None = None
    seed: int = 42


class Spell(NamedTuple):
    """When something of the scenario goes on: first and last day."""

    name: str
    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StressResult:
    """Rows a day of both worlds, see `stress_days` and `with_coverage`."""

    order: StressOrder
    world: BankWorld
    spells: tuple[Spell, ...]
    baseline: pl.DataFrame
    stressed: pl.DataFrame
    wall_s: float

    @property
    def since(self) -> int:
        """The first day that can differ."""
        return min((spell.first for spell in self.spells), default=0)


class Turn(NamedTuple):
    """A day that matters, and why."""

    number: int
    day: date
    why: str


def run_stress(order: StressOrder, told: Callable[[str], None]) -> StressResult:
    """Both worlds of one seed, day by day, without feeds or tables: the same until the scenario begins.

    Raises: ConfigError where a scenario cannot be, or no day that was asked for differs.
    """
    started_s = time.monotonic()
    asked = _scenario(order)
    plain = load_bank_scenario(BASELINE).model_copy(
        update={
            "days": asked.days,
            "customers": asked.customers,
            "shard_customers": asked.shard_customers,
        }
    )
    spells = _spells(asked)
    _check_differs(asked, plain, spells)
    base = BankWorld.build(plain, order.seed)
    world = BankWorld.build(_with_crimes_of(base, asked), order.seed)
    return StressResult(
        order=order,
        world=world,
        spells=spells,
        baseline=_days(base, "baseline", told),
        stressed=_days(world, asked.name, told),
        wall_s=time.monotonic() - started_s,
    )


def _with_crimes_of(base: BankWorld, asked: BankScenario) -> BankScenario:
    """The scenario with the baseline's crimes, unless it asks for others; its waves come on top.

    Crimes are a share of the expected transactions. Where people buy less there would be fewer, from day 0 on: then
    days before the scenario begins would differ, for no reason of its own.
    """
    if asked.prevalence != base.scenario.prevalence:
        return asked
    plain, under = (
        expected_transactions(scenario, base.seed, base.days, base.epoch)
        for scenario in (base.scenario, asked)
    )
    return asked.model_copy(update={"prevalence": asked.prevalence * plain / under})


def _scenario(order: StressOrder) -> BankScenario:
    loaded = load_bank_scenario(order.scenario)
    wanted = {"days": order.days, "customers": order.customers}
    raw = loaded.model_dump() | {name: value for name, value in wanted.items() if value is not None}
    return checked(BankScenario, raw, order.scenario)


def _spells(scenario: BankScenario) -> tuple[Spell, ...]:
    shocks = (Spell(shock.name, *shock.days) for shock in scenario.shocks)
    waves = (Spell(wave.typology, *wave.days) for wave in scenario.waves)
    return tuple(sorted((*shocks, *waves), key=lambda spell: spell.first))


def _check_differs(asked: BankScenario, plain: BankScenario, spells: tuple[Spell, ...]) -> None:
    if asked.digest() == plain.digest():
        raise ConfigError(
            f"--scenario {asked.name}: simulates what the baseline does", "name one with shocks or waves"
        )
    without = asked.model_copy(update={"shocks": (), "waves": ()})
    if without.digest() == plain.digest() and spells[0].first >= asked.days:
        raise ConfigError(
            f"--days {asked.days}: {asked.name} begins on day {spells[0].first}; no day before differs",
            f"ask for more than {spells[0].first}",
        )


def _days(world: BankWorld, name: str, told: Callable[[str], None]) -> pl.DataFrame:
    said_s = time.monotonic()
    days = []
    for row in stress_days(world):
        days.append(row)
        if time.monotonic() - said_s >= _SAID_EVERY_S:
            said_s = time.monotonic()
            told(f"{name}: day {len(days)} of {world.days}")
    return with_coverage(pl.concat(days), world.scenario.customers)


def turns(result: StressResult) -> list[Turn]:
    """The days that matter, in order: where a spell begins, the worst of several measures, the last."""
    base, under = result.baseline, result.stressed
    reasons: dict[int, list[str]] = {}

    def matters(number: int, why: str) -> None:
        reasons.setdefault(number, []).append(why)

    for spell in result.spells:
        if spell.first < under.height:
            matters(spell.first, f"{spell.name} begins")
    change = {name: under[name].cast(pl.Float64) - base[name].cast(pl.Float64) for name in _MEASURES}
    for name, (why, sign) in _MEASURES.items():
        worst = sign * change[name]
        place = worst.arg_max()
        if place is not None and float(worst[place]) > 0:
            matters(place, why)
    lowest = under["lcr"][result.since :].arg_min()
    if lowest is not None:
        matters(result.since + lowest, "lowest LCR")
    matters(under.height - 1, "last day")
    return [Turn(number, under["day"][number], ", ".join(reasons[number])) for number in sorted(reasons)]


_MEASURES = {
    "lcr": ("LCR furthest below the baseline", -1),
    "hqla": ("liquid assets furthest below it", -1),
    "net": ("most money gone beyond the baseline's", -1),
    "cash_out": ("most cash drawn beyond the baseline", 1),
    "declined": ("most declined beyond the baseline", 1),
    "pay_amount": ("most pay missing", -1),
}

TOTALS = (
    "outflows",
    "inflows",
    "net",
    "cash_out",
    "purchases",
    "purchases_amount",
    "pay",
    "pay_amount",
    "declined",
    "declined_amount",
    "crimes_amount",
    "chargebacks",
    "chargebacks_amount",
    "chargeback_loss",
)
"""Columns that add up over days."""


def totals(days: pl.DataFrame, since: int) -> dict[str, Any]:
    """Sums over all days; lcr_lowest, of days from `since` on (before the ratio's window has filled it says little);
    lcr_last.
    """
    sums = days.select(pl.col(TOTALS).sum()).row(0, named=True)
    return {**sums, "lcr_lowest": days["lcr"][since:].min(), "lcr_last": days["lcr"][-1]}


def as_json(result: StressResult) -> dict[str, Any]:
    """The result as one object, every day in it. Money is text."""
    scenario = result.world.scenario
    return {
        "scenario": scenario.name,
        "customers": scenario.customers,
        "days": result.world.days,
        "seed": result.world.seed,
        "spells": [spell._asdict() for spell in result.spells],
        "turns": [{"number": turn.number, "day": str(turn.day), "why": turn.why} for turn in turns(result)],
        "baseline": {
            "totals": _plain(totals(result.baseline, result.since)),
            "by_day": _rows(result.baseline),
        },
        "stressed": {
            "totals": _plain(totals(result.stressed, result.since)),
            "by_day": _rows(result.stressed),
        },
        "wall_s": round(result.wall_s, 3),
    }


def _rows(days: pl.DataFrame) -> list[dict[str, Any]]:
    return [_plain(row) for row in days.iter_rows(named=True)]


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value if value is None or isinstance(value, int | float) else str(value)
        for name, value in row.items()
    }
