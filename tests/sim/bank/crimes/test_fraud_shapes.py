"""Every fraud with cards, devices, credit and names has the shape that its docstring tells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from casper_ray.sim.bank.books import load_rates
from casper_ray.sim.bank.crimes.all import PATTERNS
from casper_ray.sim.bank.crimes.moments import DAY_MS, HOUR_MS
from casper_ray.sim.bank.parties import VARIANTS, PartyKind, bodies, is_own, kinds, owner
from casper_ray.sim.bank.rows import CREDIT, NONE, Channel, Kind, Rows

MINUTE_MS = HOUR_MS // 60


def of(rows: Rows, *wanted: Kind) -> Rows:
    return rows[np.isin(rows["kind"], wanted)]


def moments(rows: Rows) -> NDArray[np.int64]:
    return rows["day"].astype(np.int64) * DAY_MS + rows["ms"]


def in_euros(rows: Rows) -> NDArray[np.float64]:
    rates = np.array([rate.rate for rate in load_rates().rates])
    return rows["cents"] * rates[rows["currency"]] / 100


def lasts_days(rows: Rows) -> int:
    return int(rows["day"].max() - rows["day"].min()) + 1


def check_mule_network(rows: Rows) -> None:
    enrolled, drawn = of(rows, Kind.ENROLMENT), of(rows, Kind.WITHDRAWAL)
    victims = set(enrolled["customer"])
    assert 2 <= len(victims) <= 3
    assert len(set(enrolled["device"])) == 1
    sent = of(rows, Kind.TRANSFER_OUT)
    taken = sent[np.isin(sent["customer"], list(victims))]
    mules = set(owner(taken["party"]))
    assert set(taken["device"]) == set(enrolled["device"])
    assert 2 <= len(mules) <= 4
    assert mules == set(drawn["customer"])
    for mule in mules:
        got = moments(taken[owner(taken["party"]) == mule]).min()
        assert 0 < moments(drawn[drawn["customer"] == mule]).min() - got <= 5 * HOUR_MS


def check_account_takeover(rows: Rows) -> None:
    assert rows["kind"].tolist() == [Kind.ENROLMENT, *[Kind.TRANSFER_OUT] * (len(rows) - 1)]
    assert 3 <= len(rows) <= 6
    assert len(set(rows["device"])) == 1
    assert not is_own(rows["party"][1:]).any()
    assert moments(rows)[-1] - moments(rows)[0] <= 8 * HOUR_MS


def check_card_testing(rows: Rows) -> None:
    tries = rows[moments(rows) - moments(rows)[0] <= 15 * MINUTE_MS]
    used = rows[len(tries) :]
    assert 6 <= len(set(tries["customer"])) <= 14
    assert len(set(tries["merchant"])) == len(set(rows["device"])) == 1
    assert (tries["channel"] == Channel.ONLINE).all()
    assert tries["insists"].all()
    assert (in_euros(tries) <= 4.51).all()
    assert 1 <= len(used) <= 3
    assert set(used["customer"]) <= set(tries["customer"])


def check_stolen_card(rows: Rows) -> None:
    bought = of(rows, Kind.PURCHASE)
    assert 4 <= len(bought) <= 9
    assert len(set(rows["customer"])) == len(set(bought["instrument"])) == 1
    assert (bought["channel"] != Channel.ONLINE).all()
    assert moments(rows)[-1] - moments(rows)[0] <= 5 * HOUR_MS
    assert rows["insists"][rows["kind"] == Kind.PURCHASE].all()


def check_compromised_merchant(rows: Rows) -> None:
    visits, misused = rows[rows["typology"] == 0], rows[rows["typology"] > 0]
    assert len(set(visits["merchant"])) == 1, "the common point of purchase"
    assert set(visits["customer"]) == set(misused["customer"])
    assert (misused["channel"] == Channel.ONLINE).all()
    assert moments(visits).max() < moments(misused).max()
    assert misused["day"].min() >= visits["day"].min() + 3
    assert all(
        len(set(misused["device"][misused["customer"] == who])) == 1 for who in set(misused["customer"])
    )


def check_app_scam(rows: Rows) -> None:
    assert (rows["kind"] == Kind.TRANSFER_OUT).all()
    assert 1 <= len(rows) <= 4
    assert len(set(rows["customer"])) == len(set(rows["party"])) == len(set(rows["device"])) == 1
    assert ((rows["cents"] > 0) != (rows["share"] > 0)).all()


def check_bust_out(rows: Rows) -> None:
    assert (rows["instrument"] == CREDIT).all()
    assert 9 <= len(rows) <= 16
    assert (rows["share"] < 0).sum() == 3
    assert lasts_days(rows) <= 10


def check_first_party_fraud(rows: Rows) -> None:
    assert 3 <= len(rows) <= 6
    assert (rows["channel"] == Channel.ONLINE).all()
    assert len(set(rows["device"])) == len(set(rows["lat"])) == 1, "the own device, at home"


def check_sanctions_evasion(rows: Rows) -> None:
    assert 1 <= len(rows) <= 3
    assert len(set(rows["party"])) == 1
    assert (kinds(rows["party"]) == PartyKind.LISTED).all()
    assert (bodies(rows["party"]) % VARIANTS > 0).all(), "never written as listed"


CHECKS: dict[str, Callable[[Rows], None]] = {
    name.removeprefix("check_"): check for name, check in list(globals().items()) if name.startswith("check_")
}


@pytest.mark.parametrize("name", [pattern.name for pattern in PATTERNS if pattern.agent != "alert"])
def test_a_crime_has_its_shape(name: str, told: Any) -> None:
    cases = told(name)
    assert len(cases) > 10, "a check of nothing cannot fail"
    for rows in cases:
        CHECKS[name](rows)


def test_twins_differ_where_it_matters(told: Any) -> None:
    names = told("sanctions_evasion", twin=True)
    assert all((kinds(rows["party"]) == PartyKind.NAMESAKE).all() for rows in names)
    devices = told("card_testing", twin=True)
    assert all(len(set(rows["device"])) == len(set(rows["customer"])) for rows in devices)
    trips = told("stolen_card", twin=True)
    crimes = told("stolen_card")
    hours = [np.median([np.ptp(moments(rows)) for rows in cases]) / HOUR_MS for cases in (crimes, trips)]
    assert hours[0] < 4 < hours[1]


def test_a_name_as_listed_is_left_to_namesakes(told: Any) -> None:
    twins = np.concatenate(told("sanctions_evasion", twin=True, count=80))
    assert set(bodies(twins["party"]) % VARIANTS) == set(range(VARIANTS))


def test_those_paid_at_a_distance_are_told_with_a_place(told: Any) -> None:
    rows = np.concatenate(told("card_testing"))
    assert (rows["lat"] != 0).all()
    assert (rows["device"] != NONE).all()
