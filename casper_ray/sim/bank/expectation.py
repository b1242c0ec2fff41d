"""How many transactions and events are to be expected, without making any."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache

import numpy as np

from casper_ray.domain.bank import ATM, CARD, CUSTOMER_CDC, FEEDS, WIRE
from casper_ray.domain.time import US_PER_DAY
from casper_ray.sim.bank.books import load_categories, load_profiles
from casper_ray.sim.bank.cash import DEPOSITS_A_DAY, WITHDRAWALS_A_DAY
from casper_ray.sim.bank.habits import DEVICE_PERIOD, MOVE_PERIOD
from casper_ray.sim.bank.hours import share_until
from casper_ray.sim.bank.mood import mood_on
from casper_ray.sim.bank.people import EMPLOYED, people
from casper_ray.sim.bank.purchases import WEEKDAY
from casper_ray.sim.bank.scenario import BankScenario
from casper_ray.sim.bank.transfers import BILLS, FROM_PEOPLE_A_DAY, HAS_BILL, SAVES, TO_PEOPLE_A_DAY

_SAMPLE = 5_000
_EVENTS = {CARD: 5.02, ATM: 5.02, WIRE: 1.0}
_TRIPS_AND_RETURNS = 1.04
_MONTHLY_TRANSFERS = EMPLOYED + 0.58 + BILLS * HAS_BILL + EMPLOYED * (0.3 * SAVES[0] + 0.7 * SAVES[1]) + 0.45
_INSERTS_LAST_US = 600_000_000
_CUT_OFF_US = US_PER_DAY * 18 // 24


@lru_cache(maxsize=8)
def _usual(seed: int, customers: int) -> tuple[float, float]:
    """Purchases a day and the factor on cash of the mean customer."""
    sample = people(seed, np.arange(min(customers, _SAMPLE)))
    books = load_profiles()
    cash = np.array([band.cash for band in books.ages])[sample.age]
    cash = cash * np.array([way.cash for way in books.urbanities])[sample.urbanity]
    return float(sample.per_day.mean()), float(cash.mean())


def day_transactions(scenario: BankScenario, seed: int, day: int, epoch: datetime) -> dict[str, float]:
    """Expected transactions of a day by feed, crimes apart."""
    mood, date = mood_on(scenario, day), (epoch + timedelta(days=day)).date()
    bought, cash = _usual(seed, scenario.customers)
    weight = np.array([kind.weight for kind in load_categories()])
    busy = float(weight @ mood.categories / weight.sum())
    each = {
        CARD: bought * WEEKDAY[date.weekday()] * mood.volume * busy * _TRIPS_AND_RETURNS,
        ATM: (WITHDRAWALS_A_DAY * mood.cash + DEPOSITS_A_DAY) * cash,
        WIRE: TO_PEOPLE_A_DAY + FROM_PEOPLE_A_DAY + _MONTHLY_TRANSFERS / 30.4,
    }
    return {feed: scenario.customers * count for feed, count in each.items()}


def expected_transactions(scenario: BankScenario, seed: int, days: int, epoch: datetime) -> float:
    """Expected transactions of a world, crimes apart."""
    return sum(sum(day_transactions(scenario, seed, day, epoch).values()) for day in range(days))


def expected_events(
    scenario: BankScenario, seed: int, days: int, epoch: datetime, from_us: int, to_us: int, feed: str | None
) -> float:
    """Expected events in [from_us, to_us), counted from day 0; of one feed, or of all."""
    first, last = max(from_us // US_PER_DAY, 0), min((to_us - 1) // US_PER_DAY, days)
    total = 0.0
    for day in range(first, last + 1):
        start, end = max(from_us - day * US_PER_DAY, 0), min(to_us - day * US_PER_DAY, US_PER_DAY)
        if start < end:
            total += sum(
                _in_part(scenario, seed, days, epoch, day, start, end, name)
                for name in (FEEDS if feed is None else (feed,))
            )
    return total


def _in_part(
    scenario: BankScenario, seed: int, days: int, epoch: datetime, day: int, start: int, end: int, feed: str
) -> float:
    """Expected events of a feed in a part of a day."""
    if feed == CUSTOMER_CDC:
        told_us = min(end, _INSERTS_LAST_US) - min(start, _INSERTS_LAST_US)
        inserts = scenario.customers * told_us / _INSERTS_LAST_US * (day == 0)
        changes = scenario.customers * (1 / DEVICE_PERIOD + 1 / MOVE_PERIOD)
        return inserts + changes * (end - start) / US_PER_DAY * (day < days)
    if feed == WIRE:
        share = float(start <= _CUT_OFF_US < end)
        day = min(day, days - 1)
    else:
        share = share_until(end // 1000) - share_until(start // 1000) if day < days else 0.0
    return share * day_transactions(scenario, seed, day, epoch)[feed] * _EVENTS[feed] if share else 0.0
