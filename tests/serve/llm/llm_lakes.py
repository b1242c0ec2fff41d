"""Lakes for tests of a real vLLM, made in this process: one with cases for every agent, one with a single order."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import polars as pl
from kitchen_lake import lake_of_days
from small_bank import SmallBank
from small_lake import SmallLake, order

from casper_ray.domain.bank import FEEDS
from casper_ray.domain.time import sim_micros
from casper_ray.main_job.complaints import ComplaintFeed
from casper_ray.sim.bank.scenario import load_bank_scenario
from casper_ray.sim.bank.world import BankWorld
from casper_ray.sim.kitchen.complaints.generator import ComplaintBook
from casper_ray.sim.kitchen.world import KitchenWorld
from casper_ray.sim.scenario import load_scenario
from casper_ray.sim.window import Part, Window, file_name

_DAYS, _A_WINDOW = 40, 20


def write_both_worlds(folder: Path) -> None:
    """Two days of the kitchen with complaints, and forty of a small bank: credit lines are looked at monthly."""
    kitchen = lake_of_days(folder).catalog
    world = KitchenWorld.build(load_scenario("baseline"), 42, days=2)
    ComplaintFeed(kitchen, ComplaintBook(world=world, rate=0.3), "complaints-test").advance()
    _write_bank(folder)


def write_one_order(folder: Path) -> None:
    """The least that is served: a kitchen's lake of one batch."""
    lake = SmallLake.at(folder)
    lake.drop("order.json", order(1))
    lake.run()


def _write_bank(folder: Path) -> None:
    scenario = load_bank_scenario("bank_baseline").model_copy(update={"customers": 100, "prevalence": 0.03})
    world = BankWorld.build(scenario, 14, _DAYS)
    dimensions = world.dimensions()
    rates = dimensions["exchange_rates"]
    if "valid_from" not in rates.columns:
        rates = rates.with_columns(pl.col("day").cast(pl.Datetime("us", "UTC")).alias("valid_from"))
    named = {name: dimensions[name] for name in ("merchants", "branches", "sanctions_list")}
    bank = SmallBank.at(folder, exchange_rates=rates, **named)
    for number in range(_DAYS // _A_WINDOW + 1):
        since, until = (
            sim_micros(world.epoch + timedelta(days=day * _A_WINDOW)) for day in (number, number + 1)
        )
        for feed in FEEDS:
            events = world.events(feed, since, until).drop("ts_us")
            if events.height:
                name = file_name("r-14", Part(Window(number, since, until), 0, since, until))
                bank.drop(feed, name, events.write_ndjson().encode())
    bank.run()
