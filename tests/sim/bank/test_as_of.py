"""Features know what came before, and nothing else."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from casper_ray.sim.bank.people import people
from casper_ray.sim.bank.realism.as_of import FEATURES, as_of
from casper_ray.sim.bank.realism.transactions import transactions
from casper_ray.sim.bank.realism.windows import before, firsts, line, since
from casper_ray.sim.bank.rows import DEBIT, Kind, Result
from casper_ray.sim.bank.world import BankWorld


@pytest.fixture(scope="module")
def told(world: BankWorld) -> pl.DataFrame:
    return transactions(world)


@pytest.fixture(scope="module")
def known(told: pl.DataFrame) -> pl.DataFrame:
    return as_of(told)


def drawn() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Few entities and instants, so that many rows share both."""
    rng = np.random.default_rng(3)
    return rng.integers(-2, 5, 300), rng.integers(0, 60, 300), rng.integers(0, 4, 300)


@pytest.mark.parametrize("window", [None, 1, 7, 100])
def test_sums_are_of_earlier_instants_within_the_window(window: int | None) -> None:
    entity, at, value = drawn()
    wanted = [
        value[(entity == who) & (at < now) & (at >= (0 if window is None else now - window))].sum()
        for who, now in zip(entity, at, strict=True)
    ]
    assert before(line(entity, at), value, window).tolist() == wanted


def test_time_since_is_to_the_latest_earlier_row_that_happens() -> None:
    entity, at, value = drawn()
    earlier = [at[(entity == who) & (at < now) & (value > 1)] for who, now in zip(entity, at, strict=True)]
    wanted = [now - found.max() if len(found) else np.nan for now, found in zip(at, earlier, strict=True)]
    np.testing.assert_array_equal(since(line(entity, at), value > 1), wanted)


def test_a_pair_is_new_once_and_began_then() -> None:
    entity, at, value = drawn()
    found = firsts(entity, value, at)
    pairs = set(zip(entity.tolist(), value.tolist(), strict=True))
    assert found.new.sum() == len(pairs)
    for one, other in pairs:
        rows = (entity == one) & (value == other)
        assert set(found.began[rows]) == {at[rows].min()}
        assert at[rows & found.new].tolist() == [at[rows].min()]


def test_what_comes_later_changes_nothing(told: pl.DataFrame, known: pl.DataFrame) -> None:
    columns = ["number", "balance", *FEATURES]
    until = pl.col("day") < 20
    assert_frame_equal(as_of(told.filter(until)).select(columns), known.filter(until).select(columns))


def test_who_spends_has_the_money(world: BankWorld, known: pl.DataFrame) -> None:
    overdraft = people(world.seed, np.arange(world.scenario.customers)).overdraft_cents
    paid = known.filter(
        pl.col("kind").is_in([Kind.PURCHASE, Kind.WITHDRAWAL, Kind.TRANSFER_OUT]),
        instrument=DEBIT,
        result=Result.APPROVED,
    )
    least = -overdraft[paid["customer"].to_numpy()]
    left = paid["balance"].to_numpy() - paid["cents"].to_numpy()
    assert (left >= least).all()
    assert (left == least).sum() < len(left) / 100


def test_a_second_payment_to_the_same_payee_is_not_to_a_new_one(known: pl.DataFrame) -> None:
    sent = known.filter(kind=Kind.TRANSFER_OUT)
    first = sent.select(pl.struct("customer", "party").is_first_distinct()).to_series()
    assert sent.filter(~first)["new_payee"].sum() == 0
    assert sent.filter(first)["new_payee"].mean() > 0.99  # a few payees have paid the customer before
    assert known.filter(pl.col("kind") != Kind.TRANSFER_OUT)["new_payee"].sum() == 0


def test_the_device_of_the_first_day_was_always_known(known: pl.DataFrame) -> None:
    used = known.filter(pl.col("device") == pl.col("first_device"))
    assert used.height > 1_000
    assert used["new_device"].sum() == 0
    assert used.select(pl.col("device_age_h").min()).item() > 24 * 364
