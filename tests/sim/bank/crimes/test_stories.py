"""What holds for every typology: purity, bounds, marks, honest expectations, twins that overlap."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import rankdata

from casper_ray.sim.bank.crimes import all as crimes
from casper_ray.sim.bank.crimes.all import NAMES, PATTERNS
from casper_ray.sim.bank.crimes.cast import Cast
from casper_ray.sim.bank.crimes.deck import Case, case_rows
from casper_ray.sim.bank.estate import estate
from casper_ray.sim.bank.parties import is_own, owner
from casper_ray.sim.bank.rows import NONE, Kind, Rows

BEGIN = 10


def of_case(rows: Rows) -> Rows:
    """Transactions of the crime or the twin itself."""
    return rows[((rows["typology"] > 0) | (rows["twin"] > 0)) & (rows["kind"] != Kind.ENROLMENT)]


def auc(crime: NDArray[Any], twin: NDArray[Any]) -> float:
    """The chance that a crime's value is above a twin's."""
    ranks = rankdata(np.concatenate([crime, twin]))[: len(crime)]
    return float((ranks.sum() - len(crime) * (len(crime) + 1) / 2) / (len(crime) * len(twin)))


@pytest.mark.parametrize("twin", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_rows_are_marked_and_in_order(name: str, twin: bool, told: Any) -> None:
    code = NAMES.index(name) + 1
    for number, rows in enumerate(told(name, twin)):
        assert len(rows) > 0
        assert set(rows["case"]) == {2 * number + twin}
        assert set(rows["twin" if twin else "typology"]) <= {0, code}
        assert (rows["typology" if twin else "twin"] == 0).all()
        assert len(of_case(rows)) > 0
        at = rows["day"].astype(np.int64) * 86_400_000 + rows["ms"]
        assert (np.diff(at) >= 0).all()
        assert ((rows["ms"] >= 0) & (rows["ms"] < 86_400_000)).all()
        assert (rows["number"] == 0).all()


@pytest.mark.parametrize("twin", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_a_case_stays_within_its_days_and_among_the_customers(name: str, twin: bool, told: Any) -> None:
    span = PATTERNS[NAMES.index(name)].span_days
    for rows in told(name, twin, count=60, customers=100):
        assert rows["day"].min() >= BEGIN
        assert rows["day"].max() < BEGIN + span
        assert ((rows["customer"] >= 0) & (rows["customer"] < 100)).all()
        ours = rows["party"][(rows["party"] != NONE) & is_own(rows["party"])]
        assert (owner(ours) < 100).all()


@pytest.mark.parametrize("twin", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_every_row_names_a_sum_and_who_has_it(name: str, twin: bool, told: Any) -> None:
    rows = np.concatenate(told(name, twin))
    enrolled = rows["kind"] == Kind.ENROLMENT
    assert ((rows["cents"] > 0) | (rows["share"] != 0) | enrolled).all()
    assert (np.abs(rows["share"]) <= 1).all()
    wires = np.isin(rows["kind"], [Kind.TRANSFER_OUT, Kind.TRANSFER_IN])
    assert ((rows["party"] != NONE) == wires).all()
    assert ((rows["merchant"] != NONE) == (rows["kind"] == Kind.PURCHASE)).all()
    assert ((rows["atm"] != NONE) == np.isin(rows["kind"], [Kind.WITHDRAWAL, Kind.DEPOSIT])).all()
    to_self = is_own(rows["party"]) & (owner(rows["party"]) == rows["customer"])
    assert not to_self.any()
    arriving = rows["kind"] == Kind.TRANSFER_IN
    assert not is_own(rows["party"][arriving]).any(), "between our customers only the payer has a row"


@pytest.mark.parametrize("name", NAMES)
def test_a_case_is_always_the_same(name: str) -> None:
    stands, case = estate(7, 1_000), Case(5, NAMES.index(name), False, 3)
    rows = case_rows(7, case, customers=1_000, days=90, estate=stands)
    again = case_rows(7, case, customers=1_000, days=90, estate=replace(stands))
    assert rows.tobytes() == again.tobytes()
    other = case_rows(7, case._replace(number=6), customers=1_000, days=90, estate=stands)
    assert rows.tobytes() != other.tobytes()


@pytest.mark.parametrize("name", NAMES)
def test_rows_past_the_last_day_are_left_out_and_nothing_else_changes(name: str) -> None:
    stands, case = estate(7, 1_000), Case(5, NAMES.index(name), False, 3)
    rows = case_rows(7, case, customers=1_000, days=90, estate=stands)
    short = case_rows(7, case, customers=1_000, days=5, estate=stands)
    assert short.tobytes() == rows[rows["day"] < 5].tobytes()


@pytest.mark.parametrize("name", NAMES)
def test_a_crime_has_as_many_transactions_as_expected(name: str, told: Any) -> None:
    mean = np.mean([len(of_case(rows)) for rows in told(name, count=150)])
    assert mean == pytest.approx(PATTERNS[NAMES.index(name)].rows_expected, rel=0.1)


@pytest.mark.parametrize("name", NAMES)
def test_a_twin_overlaps_its_crime_in_amount_hour_and_number(name: str, told: Any) -> None:
    crime, twin = told(name, count=120), told(name, True, count=120)
    rows = [of_case(np.concatenate(cases)) for cases in (crime, twin)]
    amounts = [of["cents"][of["cents"] > 0] for of in rows]
    assert 0.2 < auc(*amounts) < 0.8
    assert 0.2 < auc(rows[0]["ms"], rows[1]["ms"]) < 0.8
    counts = [np.array([len(of_case(of)) for of in cases]) for cases in (crime, twin)]
    assert 0.15 < auc(*counts) < 0.85


def test_amounts_of_crimes_lie_in_ordinary_ranges(told: Any) -> None:
    rows = np.concatenate([row for name in NAMES if name != "structuring" for row in told(name)])
    sums = rows["cents"][rows["cents"] > 0] / 100
    assert np.median(sums) < 250
    assert np.percentile(sums, 95) < 2_000


def test_nobody_has_two_parts_in_a_case() -> None:
    cast = Cast(1, 2, 0, customers=100, estate=estate(1, 100))
    chosen = np.concatenate([cast.people(10).customer, cast.people(12, lambda p: p.has_credit).customer])
    assert len(set(chosen.tolist())) == 22


def test_those_who_suit_come_first() -> None:
    cast = Cast(1, 2, 0, customers=1_000_000, estate=estate(1, 5_000))
    assert cast.people(8, lambda people: people.has_credit).has_credit.all()


def test_patterns_are_complete() -> None:
    assert len(PATTERNS) == len(set(NAMES)) == 21
    for pattern in PATTERNS:
        assert pattern.crime.__doc__
        assert pattern.twin.__doc__
        assert pattern.weight > 0
        assert hasattr(crimes, pattern.name), "a module of its own, of the same name"
