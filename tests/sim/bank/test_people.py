"""Customers, other parties, merchants: the same whoever asks."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from casper_ray.domain.bank import HOME_COUNTRY
from casper_ray.sim.bank.books import load_categories, load_places, load_profiles
from casper_ray.sim.bank.estate import estate
from casper_ray.sim.bank.parties import (
    bodies,
    firm,
    instrument_of,
    is_own,
    listed,
    namesake,
    outside,
    own,
    owner,
)  # fmt: skip
from casper_ray.sim.bank.party_text import party_text
from casper_ray.sim.bank.people import branch_of, people
from casper_ray.sim.bank.rows import CREDIT, NONE

EVERYBODY = np.arange(5_000)


def test_a_customer_is_the_same_in_any_company() -> None:
    together, alone = people(3, EVERYBODY), people(3, np.array([4_321]))
    for field in fields(together):
        assert getattr(together, field.name)[4_321] == getattr(alone, field.name)[0]
    assert (branch_of(3, EVERYBODY) == together.branch).all()


def test_profiles_have_their_shares() -> None:
    who, books = people(3, EVERYBODY), load_profiles()
    for index, bands in (
        (who.age, books.ages),
        (who.income, books.incomes),
        (who.urbanity, books.urbanities),
    ):
        shares = np.bincount(index, minlength=len(bands)) / len(index)
        assert shares == pytest.approx([band.share for band in bands], abs=0.025)
    years = 2023 - who.birth_year
    assert all(
        band.from_age <= age <= band.to_age
        for band, age in zip(np.array(books.ages)[who.age], years, strict=True)
    )


def test_people_live_at_home() -> None:
    who, cities = people(3, EVERYBODY), load_places().cities
    assert {cities[i].country for i in np.unique(who.city)} == {HOME_COUNTRY}
    lat = np.array([city.lat for city in cities])[who.city]
    assert (np.abs(who.home_lat / 1e6 - lat) < 1.5).all()


def test_parties_remember_who_they_are() -> None:
    accounts = own(EVERYBODY, CREDIT)
    assert is_own(accounts).all()
    assert (owner(accounts) == EVERYBODY).all()
    assert (instrument_of(accounts) == CREDIT).all()
    others = [
        outside(EVERYBODY),
        firm(EVERYBODY),
        listed(EVERYBODY, 3),
        namesake(EVERYBODY, 3),
        np.array([NONE]),
    ]
    assert not any(is_own(kind).any() for kind in others)
    assert len(np.unique(np.concatenate([accounts, *others]))) == 5 * len(EVERYBODY) + 1
    assert (bodies(listed(EVERYBODY, 3)) % 8 == 3).all()


def test_a_party_is_written_the_same_in_any_company() -> None:
    parties = np.concatenate([own(EVERYBODY[:50]), outside(EVERYBODY[:50]), listed(EVERYBODY[:50], 2)])
    mixed = parties[np.random.default_rng(1).permutation(len(parties))]
    text, again = party_text(3, mixed), party_text(3, mixed[:7])
    for column, part in zip(text, again, strict=True):
        assert column.head(7).to_list() == part.to_list()
    assert len(set(text.account)) == len(parties)


def test_there_is_a_merchant_of_every_category_in_every_city() -> None:
    built, places = estate(3, 5_000), load_places().cities
    category, city = (axis.ravel() for axis in np.indices((len(load_categories()), len(places))))
    found = built.near(category, city, np.full(len(city), 0.999))
    assert (built.merchant_category[found] == category).all()
    assert (built.merchant_city[found] == city).all()
    assert not built.merchant_online[found].any()
    distant = built.distant(category, np.full(len(city), 0.5))
    assert built.merchant_online[distant].all()
    machine = built.machine(np.arange(len(places)), np.full(len(places), 0.5))
    assert (built.atm_city[machine] == np.arange(len(places))).all()


def test_merchants_are_filed_otherwise_from_their_day_on() -> None:
    built = estate(3, 5_000)
    moved = np.flatnonzero(built.change_day != NONE)
    day = built.change_day[moved]
    assert len(moved) > 3
    assert (built.category_on(moved, day - 1) == built.merchant_category[moved]).all()
    assert (built.category_on(moved, day) == built.new_category[moved]).all()
    assert (built.new_category[moved] != built.merchant_category[moved]).all()
