"""A retail bank."""

from __future__ import annotations

import polars as pl

from casper_ray.console.progress import Words
from casper_ray.domain.bank import ATM, BASE_CURRENCY, CARD, CUSTOMER_CDC, SETTLED, WIRE
from casper_ray.domain.time import US_PER_DAY
from casper_ray.main_job.domains.domain import Domain, Order, Places, Truth
from casper_ray.sim.bank.rows import together
from casper_ray.sim.bank.scenario import load_bank_scenario
from casper_ray.sim.bank.truth import CASES, truth_transactions
from casper_ray.sim.bank.world import BankWorld
from casper_ray.sim.faults.chance import hex_keys
from casper_ray.sim.feed import Feed


def _feed(name: str, numbers: tuple[str, ...]) -> Feed:
    """A feed of transactions, said by the clock of the branch."""
    return Feed(name=name, key="event_id", keys=hex_keys, place="branch_id", numbers=numbers, counted=SETTLED)


FEEDS = (
    _feed(CARD, ("lat", "lon")),
    _feed(ATM, ("lat", "lon")),
    _feed(WIRE, ()),
    Feed(name=CUSTOMER_CDC, key="event_id", keys=hex_keys, place=None, numbers=("lsn",), counted=None),
)


def _world(order: Order) -> BankWorld:
    return BankWorld.build(load_bank_scenario(order.scenario), order.seed, order.days, order.epoch)


def _transactions(world: BankWorld, first_day: int, end_day: int) -> pl.DataFrame:
    """One row per transaction of these days; see BankWorld.truth_transactions."""
    none = truth_transactions(world.seed, together([]), 0)
    return pl.concat([none, *(world.truth_transactions(day) for day in range(first_day, end_day))])


def _cases(world: BankWorld, first_day: int, end_day: int) -> pl.DataFrame:
    """One row per case of a crime or of its benign twin; see BankWorld.truth_cases."""
    return world.truth_cases() if end_day > first_day else pl.DataFrame(schema=CASES)


BANK = Domain(
    name="bank",
    scenario="bank_baseline",
    start_day=30,  # as many events as the kitchen's first 70 days
    build=_world,
    feeds=FEEDS,
    truth=(
        Truth(table="transactions", rows=_transactions, stats=("ts",)),
        Truth(table="cases", rows=_cases, stats=(), daily=False),
    ),
    places=Places(
        table="gold_branch_performance",
        place="branch_id",
        instant="day",
        counted="transactions",
        amount="amount",
        period_us=US_PER_DAY,
        dimension="branches",
        name="name",
    ),
    words=Words(
        counted="transactions",
        places="branches",
        amount=f"amount, {BASE_CURRENCY}",
        currency_sign="",
        period="day",
    ),
    loops=False,
    next_steps=(
        (
            "python -m casper_ray.sim --domain bank --speed 86400 --for 30s{sim}",
            "go on from here, a day a second",
        ),
        ("casper lake show gold_branch_performance{lake}", "look at a table"),
        (
            "python -m casper_ray.sim --domain bank --scenario mule_ring --speed max --lake .casper/mules",
            "another story",
        ),
    ),
)
