"""Crimes among everybody's transactions: no single column gives them away."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import rankdata

from casper_ray.sim.bank.engine import Engine
from casper_ray.sim.bank.people import people
from casper_ray.sim.bank.rows import Kind, Result, Rows
from casper_ray.sim.bank.scenario import BankScenario

SEED, DAYS = 3, 30
SCENARIO = BankScenario(name="hiding", days=DAYS, customers=3_000, prevalence=0.003)


@pytest.fixture(scope="module")
def happened() -> Rows:
    """What customers and thieves did in a month; corrections and enrolments apart."""
    engine = Engine(SCENARIO, SEED, DAYS, datetime(2024, 1, 1, tzinfo=UTC), (), "hiding")
    rows = np.concatenate([engine.rows(day) for day in range(DAYS)])
    return rows[rows["kind"] <= Kind.TRANSFER_IN]


def auc(values: NDArray[np.float64], crime: NDArray[np.bool_]) -> float:
    ranks = rankdata(values)[crime]
    found = (ranks.sum() - len(ranks) * (len(ranks) + 1) / 2) / (len(ranks) * (~crime).sum())
    return float(max(found, 1 - found))


def test_prevalence_survives_what_cannot_be_afforded(happened: Rows) -> None:
    assert (happened["typology"] > 0).mean() == pytest.approx(SCENARIO.prevalence, rel=0.25)


def test_no_column_alone_separates_crimes(happened: Rows) -> None:
    crime = happened["typology"] > 0
    usual = people(SEED, happened["customer"].astype(np.int64)).mean_cents
    columns = {
        "amount": happened["base_cents"],
        "times the usual": happened["base_cents"] / usual,
        "hour": happened["ms"],
        "declined": happened["result"] != Result.APPROVED,
        **{name: happened[name] for name in ("currency", "instrument", "merchant", "lat", "lon", "customer")},
        **{f"kind {kind.name}": happened["kind"] == kind for kind in Kind},
        **{f"channel {channel}": happened["channel"] == channel for channel in range(5)},
    }
    found = {name: auc(values, crime) for name, values in columns.items()}
    assert max(found.values()) < 0.85, found


def test_no_rule_by_amount_alone_is_any_good(happened: Rows) -> None:
    crime = happened["typology"] > 0
    for bound in np.quantile(happened["base_cents"], np.linspace(0, 0.9999, 200)):
        flagged = happened["base_cents"] > bound
        assert 2 * (crime & flagged).sum() / (crime.sum() + flagged.sum()) < 0.3
