"""What people mean to buy on a day, at home, on trips and at a distance."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from casper_ray.sim.bank.books import load_categories, load_profiles
from casper_ray.sim.bank.hours import category_shapes, instants
from casper_ray.sim.bank.rates import UNIT, in_base
from casper_ray.sim.bank.rows import CREDIT, DEBIT, Channel, Kind, Rows
from casper_ray.sim.bank.setting import Setting, city_currencies
from casper_ray.sim.bank.streams import Floats, Ints, Purpose, Salt, hashed

WEEKDAY = (0.90, 0.92, 0.95, 1.00, 1.18, 1.22, 0.83)
"""Monday to Sunday."""
USUAL_CENTS = 3_200
_ON_A_TRIP = 1.6
_FAVOURITES = 4
_LOYAL = 0.72
_CONTACTLESS_BELOW = 5_000
_CONTACTLESS = 0.66
_CREDIT = 0.34
_TRIES_ANYWAY = 0.15
_LEAST_CENTS = 50


def purchases(at: Setting) -> Rows:
    """The day's purchases of a shard as intents, by customer.

    Rules: numbers of purchases are Poisson, amounts gamma by category (as Sparkov's); each customer has a few
           favourite merchants of a category; a share insists, not knowing what there is on the account.
    """
    rng, people, estate = at.rng(Purpose.PURCHASES), at.people, at.estate
    edges, busy = _choices(at.mood.categories)
    profile = people.age * len(load_profiles().urbanities) + people.urbanity
    expected = people.per_day * WEEKDAY[at.date.weekday()] * at.mood.volume * busy[profile]
    count = rng.poisson(np.where(at.trip, _ON_A_TRIP, 1.0) * expected * at.here)
    who = np.repeat(np.arange(len(people)), count)
    category = (rng.random(len(who))[:, None] >= edges[profile[who]]).sum(axis=1)
    distant = rng.random(len(who)) < _distance(category, people.age[who], at.mood.online)
    merchant = _merchants(at, rng, who, category, distant)
    base = _amounts(rng, category) * people.mean_cents[who] / USUAL_CENTS * at.mood.price
    currency = city_currencies()[estate.merchant_city[merchant]]
    cents = np.maximum((base * UNIT / at.rates[currency]).astype(np.int64), _LEAST_CENTS)
    near = (rng.random(len(who)) < _CONTACTLESS) & (cents < _CONTACTLESS_BELOW)
    channel = np.where(distant, Channel.ONLINE, np.where(near, Channel.CONTACTLESS, Channel.POS))
    on_credit = people.has_credit[who] & (rng.random(len(who)) < _CREDIT)
    shape = category_shapes()[category]
    lat, lon = whereabouts(at, rng, who)
    return at.rows(
        who,
        ms=instants(shape, rng.random(len(who)), at.mood.later_hours),
        kind=Kind.PURCHASE,
        channel=channel,
        instrument=np.where(on_credit, CREDIT, DEBIT),
        merchant=merchant,
        currency=currency,
        cents=cents,
        base_cents=in_base(cents, currency, at.rates),
        device=np.where(distant, at.device[who], -1),
        lat=np.where(distant, lat, estate.merchant_lat[merchant]),
        lon=np.where(distant, lon, estate.merchant_lon[merchant]),
        insists=rng.random(len(who)) < _TRIES_ANYWAY,
    )


def whereabouts(at: Setting, rng: np.random.Generator, who: Ints) -> tuple[Ints, Ints]:
    """Where people are who do something at a distance: about home, or in the city that they travel to."""
    north, east = rng.normal(0, 9_000, (2, len(who)))
    first = at.estate.atm_first[at.city[who]]  # a machine stands for the middle of its city
    lat = np.where(at.trip[who], at.estate.atm_lat[first], at.people.home_lat[who])
    lon = np.where(at.trip[who], at.estate.atm_lon[first], at.people.home_lon[who])
    return (lat + north).astype(np.int64), (lon + east).astype(np.int64)


def _choices(factors: Floats) -> tuple[Floats, Floats]:
    """By profile: up to each category the share of purchases, and how much busier the factors make it."""
    usual = _likes()
    moved = usual * factors
    total = moved.sum(axis=1)
    edges: Floats = np.cumsum(moved, axis=1)[:, :-1] / total[:, None]
    return edges, total / usual.sum(axis=1)


@cache
def _likes() -> Floats:
    """Weight of each category; one row a profile, by age and urbanity."""
    categories, books = load_categories(), load_profiles()
    return np.array(
        [
            [
                kind.weight * age.likes.get(kind.code, 1.0) * way.likes.get(kind.code, 1.0)
                for kind in categories
            ]
            for age in books.ages
            for way in books.urbanities
        ]
    )


def _distance(category: Ints, age: Ints, online: float) -> Floats:
    """The chance that a purchase is made at a distance."""
    usual = np.array([kind.online for kind in load_categories()])[category]
    share: Floats = usual * np.array([band.online for band in load_profiles().ages])[age] * online
    return np.where(usual == 1.0, 1.0, np.minimum(share, 0.98))


def _merchants(
    at: Setting, rng: np.random.Generator, who: Ints, category: Ints, distant: NDArray[np.bool_]
) -> Ints:
    """Mostly one of the customer's favourites in that city, else any; some merchants are more popular."""
    place = np.where(distant, at.estate.first.shape[1] - 1, at.city[who])
    slot = (rng.random(len(who)) ** 2 * _FAVOURITES).astype(np.int64)
    key = ((at.people.customer[who] * 64 + category) * 64 + place) * _FAVOURITES + slot
    favourite = (hashed(at.seed, Salt.FAVOURITE, key) >> np.uint64(11)).astype(np.float64) * 2.0**-53
    loyal = rng.random(len(who)) < _LOYAL
    return at.estate.near(category, place, np.where(loyal, favourite, rng.random(len(who))) ** 1.5)


def _amounts(rng: np.random.Generator, category: Ints) -> Floats:
    shape = np.array([kind.shape for kind in load_categories()])[category]
    mean = np.array([100 * kind.mean_eur for kind in load_categories()])[category]
    cents: Floats = rng.gamma(shape) * mean / shape
    return cents
