"""A shard's day before anybody does anything: who there is, where they are, and what the day is like."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache

import numpy as np
from numpy.typing import NDArray

from casper_ray.sim.bank.books import load_places, load_rates
from casper_ray.sim.bank.estate import Estate
from casper_ray.sim.bank.habits import away, device_on, leaves_on
from casper_ray.sim.bank.mood import Mood, mood_on
from casper_ray.sim.bank.people import People
from casper_ray.sim.bank.rows import NONE, Rows, rows_of
from casper_ray.sim.bank.scenario import BankScenario
from casper_ray.sim.bank.streams import Ints, Purpose, stream


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One shard on one day. `here`: who is still a customer; `city`: where each is; `trip`: away from home."""

    seed: int
    shard: int
    day: int
    date: date
    customers: int
    people: People
    estate: Estate
    mood: Mood
    rates: Ints
    here: NDArray[np.bool_]
    city: Ints
    trip: NDArray[np.bool_]
    device: Ints

    def rng(self, purpose: Purpose) -> np.random.Generator:
        return stream(self.seed, purpose, self.shard, self.day)

    def rows(self, places: Ints, **columns: object) -> Rows:
        """Rows of this day for the customers at these places of the shard."""
        return rows_of(len(places), customer=self.people.customer[places], day=self.day, **columns)


def build_setting(
    scenario: BankScenario,
    seed: int,
    shard: int,
    day: int,
    epoch: datetime,
    people: People,
    estate: Estate,
    rates: Ints,
) -> Setting:
    """The setting of a shard's day. rates: one day's, see `rate_table`."""
    city = away(seed, people, day)
    trip = city != NONE
    return Setting(
        seed=seed,
        shard=shard,
        day=day,
        date=(epoch + timedelta(days=day)).date(),
        customers=scenario.customers,
        people=people,
        estate=estate,
        mood=mood_on(scenario, day),
        rates=rates,
        here=leaves_on(seed, people.customer) > day,
        city=np.where(trip, city, people.city),
        trip=trip,
        device=device_on(seed, people, day),
    )


@cache
def city_currencies() -> Ints:
    """The currency that is paid with in each city, as an index of load_rates().rates."""
    places = load_places()
    index = {rate.currency: i for i, rate in enumerate(load_rates().rates)}
    of_country = {country.code: index[country.currency] for country in places.countries}
    return np.array([of_country[city.country] for city in places.cities], dtype=np.int64)
