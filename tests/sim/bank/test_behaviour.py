"""What people mean to do: by profile, by day, on trips, and under shocks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from casper_ray.domain.bank import HOME_COUNTRY
from casper_ray.domain.time import CANONICAL_EPOCH
from casper_ray.sim.bank.books import load_categories, load_places
from casper_ray.sim.bank.cash import cash
from casper_ray.sim.bank.estate import estate
from casper_ray.sim.bank.habits import DEVICE_PERIOD, address_on, device_on, turning_days
from casper_ray.sim.bank.mood import mood_on
from casper_ray.sim.bank.parties import owner
from casper_ray.sim.bank.people import people
from casper_ray.sim.bank.purchases import purchases
from casper_ray.sim.bank.rates import in_base, rate_table
from casper_ray.sim.bank.rows import CREDIT, NONE, Channel, Kind, Rows
from casper_ray.sim.bank.scenario import BankScenario, Shock
from casper_ray.sim.bank.setting import Setting, build_setting
from casper_ray.sim.bank.streams import Salt
from casper_ray.sim.bank.transfers import Reason, transfers

SEED = 4
CUSTOMERS = 3_000
WHO = people(SEED, np.arange(CUSTOMERS))
ESTATE = estate(SEED, CUSTOMERS)
RATES = rate_table(SEED, 60)


def setting(day: int, *shocks: Shock) -> Setting:
    scenario = BankScenario(name="x", customers=CUSTOMERS, shard_customers=CUSTOMERS, shocks=shocks)
    return build_setting(scenario, SEED, 0, day, CANONICAL_EPOCH, WHO, ESTATE, RATES[day])


def month(of: Callable[[Setting], Rows], *shocks: Shock) -> Rows:
    return np.concatenate([of(setting(day, *shocks)) for day in range(28)])


@pytest.fixture(scope="module")
def bought() -> Rows:
    return month(purchases)


def shock(**factors: object) -> Shock:
    return Shock.model_validate({"name": "s", "days": (0, 50), **factors})


def test_people_buy_as_often_as_they_do(bought: Rows) -> None:
    each = np.bincount(bought["customer"], minlength=CUSTOMERS) / 28
    assert np.corrcoef(each, WHO.per_day)[0, 1] > 0.8
    assert each.mean() == pytest.approx(WHO.per_day.mean(), rel=0.06)


def test_amounts_are_as_the_books_say(bought: Rows) -> None:
    grocery = [kind.code for kind in load_categories()].index("grocery")
    mine = bought[ESTATE.merchant_category[bought["merchant"]] == grocery]
    usual = mine["base_cents"] / WHO.mean_cents[mine["customer"]] * 32
    assert usual.mean() == pytest.approx(34, rel=0.05)


def test_the_base_amount_is_at_the_days_rate(bought: Rows) -> None:
    one = bought[bought["day"] == 11]
    based = in_base(one["cents"], one["currency"].astype(np.int64), RATES[11])
    assert (based == one["base_cents"]).all()
    assert len(np.unique(one["currency"])) > 3


def test_credit_cards_are_used_by_those_who_have_one(bought: Rows) -> None:
    on_credit = bought["customer"][bought["instrument"] == CREDIT]
    assert WHO.has_credit[on_credit].all()
    assert len(on_credit) > 1_000


def test_trips_take_people_elsewhere(bought: Rows) -> None:
    days = [setting(day) for day in range(0, 60, 5)]
    share = np.mean([at.trip.mean() for at in days])
    assert 0.005 < share < 0.05
    at = days[3]
    countries = np.array([city.country for city in load_places().cities])
    assert (countries[at.city[at.trip]] != HOME_COUNTRY).mean() > 0.5
    told = bought[(bought["day"] == at.day) & (bought["channel"] != Channel.ONLINE)]
    there = ESTATE.merchant_city[told["merchant"]]
    assert (there == at.city[told["customer"]]).all()


def test_pay_and_rent_come_on_their_days_once_a_month() -> None:
    sent = month(transfers)
    for reason, day, cents in (
        (Reason.SALARY, WHO.salary_day, WHO.salary_cents),
        (Reason.RENT, WHO.rent_day, WHO.rent_cents),
    ):
        rows = sent[sent["purpose"] == reason]
        assert sorted(rows["customer"]) == np.flatnonzero(cents > 0).tolist()
        assert (rows["day"] + 1 == day[rows["customer"]]).all()
        assert rows["base_cents"] / cents[rows["customer"]] == pytest.approx(1, abs=0.2)


def test_the_card_account_is_paid_by_its_owner() -> None:
    sent = month(transfers)
    bills = sent[sent["purpose"] == Reason.CARD_BILL]
    assert (owner(bills["party"]) == bills["customer"]).all()
    assert WHO.has_credit[bills["customer"]].all()


def test_new_devices_are_used_from_their_enrolment_on() -> None:
    enrolled = month(transfers)
    enrolled = enrolled[enrolled["kind"] == Kind.ENROLMENT]
    assert len(enrolled) > 50
    for row in enrolled[:5]:
        place, day = int(row["customer"]), int(row["day"])
        assert device_on(SEED, WHO, day)[place] == row["device"] != device_on(SEED, WHO, day - 1)[place]
        assert day in turning_days(SEED, Salt.DEVICE, place, day, DEVICE_PERIOD)
    assert (address_on(SEED, WHO.customer, 0) == 0).all()


def test_a_shock_moves_what_it_names_and_nothing_else(bought: Rows) -> None:
    codes = [kind.code for kind in load_categories()]
    shocked = month(purchases, shock(volume=0.5, price=1.2, online=1.8, categories={"bar": 0.1}))
    assert len(shocked) / len(bought) == pytest.approx(0.5, rel=0.06)
    assert shocked["base_cents"].mean() / bought["base_cents"].mean() == pytest.approx(1.2, rel=0.1)

    def share(rows: Rows, code: str) -> float:
        return float((ESTATE.merchant_category[rows["merchant"]] == codes.index(code)).mean())

    assert share(shocked, "bar") < 0.2 * share(bought, "bar")
    assert share(shocked, "grocery") == pytest.approx(share(bought, "grocery"), rel=0.1)
    distant = [(rows["channel"] == Channel.ONLINE).mean() for rows in (bought, shocked)]
    assert 1.2 < distant[1] / distant[0] < 1.8


def test_a_rush_for_cash() -> None:
    usual, rush = month(cash), month(cash, shock(cash=2.0))
    drawn = [rows[rows["kind"] == Kind.WITHDRAWAL] for rows in (usual, rush)]
    assert len(drawn[1]) / len(drawn[0]) == pytest.approx(2.0, rel=0.1)
    assert drawn[1]["base_cents"].mean() > 1.2 * drawn[0]["base_cents"].mean()
    assert (usual["atm"] != NONE).all()


def test_lost_work_keeps_pay_away() -> None:
    paid = [
        rows[rows["purpose"] == Reason.SALARY]
        for rows in (month(transfers), month(transfers, shock(unemployment=0.2)))
    ]
    assert len(paid[1]) / len(paid[0]) == pytest.approx(0.8, abs=0.03)
    assert set(paid[1]["customer"]) < set(paid[0]["customer"])


def test_shocks_rise_over_their_ramp_and_end() -> None:
    scenario = BankScenario(name="x", shocks=(shock(days=(10, 20), ramp_days=4, volume=3.0),))
    volumes = [mood_on(scenario, day).volume for day in range(30)]
    assert volumes[9] == volumes[21] == 1.0
    assert volumes[10] < volumes[12] < volumes[14] == pytest.approx(3.0)
    later = BankScenario(name="x", shocks=(shock(later_hours=1.5), shock(later_hours=1.0)))
    assert mood_on(later, 3).later_hours == 2.5
