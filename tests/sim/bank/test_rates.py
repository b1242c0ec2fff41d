"""The books of the bank hold together, and rates do not depend on how many days are asked for."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from casper_ray.domain.time import CANONICAL_EPOCH
from casper_ray.sim.bank.books import load_branches, load_categories, load_places, load_profiles, load_rates
from casper_ray.sim.bank.rates import in_base, rate_frame, rate_table


def test_rates_of_a_day_do_not_depend_on_the_length() -> None:
    assert (rate_table(42, 10) == rate_table(42, 30)[:10]).all()
    assert (rate_table(42, 10)[1:] != rate_table(43, 10)[1:]).any()


def test_the_base_currency_is_worth_itself() -> None:
    base = [rate.currency for rate in load_rates().rates].index(load_rates().base)
    table = rate_table(42, 90)
    assert (table[:, base] == 10**8).all()
    assert in_base(np.array([1234]), np.array([base]), table[5]).tolist() == [1234]


def test_the_frame_is_exact() -> None:
    frame = rate_frame(42, 3, CANONICAL_EPOCH)
    assert frame.height == 3 * len(load_rates().rates)
    told = frame.filter((frame["currency"] == "USD") & (frame["day"] == CANONICAL_EPOCH.date()))[
        "rate"
    ].item()
    assert told == Decimal("0.91500000")


def test_the_books_name_only_what_there_is() -> None:
    codes = {category.code for category in load_categories()}
    profiles = load_profiles()
    for band in (*profiles.ages, *profiles.urbanities):
        assert set(band.likes) <= codes
    for bands in (profiles.ages, profiles.incomes, profiles.urbanities):
        assert sum(band.share for band in bands) == pytest.approx(1)
    places = load_places()
    assert {branch.city for branch in load_branches()} <= {city.name for city in places.cities}
    assert {city.country for city in places.cities} <= {country.code for country in places.countries}
    assert {country.currency for country in places.countries} <= {
        rate.currency for rate in load_rates().rates
    }
