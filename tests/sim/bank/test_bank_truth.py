"""Truth covers every transaction; dimensions hold what the feeds refer to."""

from __future__ import annotations

import polars as pl
import pytest

from casper_ray.domain import bank
from casper_ray.sim.bank.crimes.all import NAMES
from casper_ray.sim.bank.world import BankWorld


@pytest.fixture(scope="module")
def truth(world: BankWorld) -> pl.DataFrame:
    return pl.concat([world.truth_transactions(day) for day in range(world.days)])


def test_truth_is_of_every_transaction_once(truth: pl.DataFrame, feeds: dict[str, pl.DataFrame]) -> None:
    for feed in ("card", "atm", "wire"):
        told = set(feeds[feed]["transaction_id"])
        assert set(truth.filter(feed=feed)["transaction_id"]) == told
    assert truth["transaction_id"].n_unique() == truth.height


def test_crimes_and_twins_are_told_apart(truth: pl.DataFrame) -> None:
    assert (truth["is_crime"] == truth["typology"].is_not_null()).all()
    assert truth.filter(pl.col("typology").is_not_null() & pl.col("twin_of").is_not_null()).is_empty()
    marked = truth.filter(pl.col("typology").is_not_null() | pl.col("twin_of").is_not_null())
    assert not marked["case_id"].is_null().any()
    innocent = truth.filter(~pl.col("is_crime"))
    assert set(innocent["right_decision"]) == {"approve"}
    assert set(truth.filter("is_crime")["right_decision"]) <= {"hold", "block", "escalate"}
    assert set(marked["typology"].drop_nulls()) | set(marked["twin_of"].drop_nulls()) <= set(NAMES)


def test_prevalence_is_as_asked(truth: pl.DataFrame, world: BankWorld) -> None:
    share = truth["is_crime"].mean()
    assert share == pytest.approx(world.scenario.prevalence, rel=0.4)


def test_cases_sum_up_their_transactions(truth: pl.DataFrame, world: BankWorld) -> None:
    cases = world.truth_cases()
    marked = truth.filter(pl.col("typology").is_not_null() | pl.col("twin_of").is_not_null())
    counted = marked.group_by("case_id").len()
    both = cases.join(counted, on="case_id", how="full", coalesce=True)
    assert (both["transactions"] == both["len"]).all()
    assert set(cases.filter("twin")["right_decision"]) == {"approve"}
    paid = marked.filter(auth_result="approved")["amount_base"].sum()
    assert cases["amount_base"].sum() == paid


def test_feeds_refer_to_what_the_dimensions_hold(world: BankWorld, feeds: dict[str, pl.DataFrame]) -> None:
    tables = world.dimensions()
    assert set(feeds["card"]["merchant_id"]) <= set(tables["merchants"]["merchant_id"])
    assert set(feeds["card"]["mcc"]) <= set(tables["merchant_categories"]["mcc"])
    assert set(feeds["atm"]["atm_id"]) <= set(tables["atms"]["atm_id"])
    for feed in ("card", "atm", "wire"):
        assert set(feeds[feed]["branch_id"]) <= set(tables["branches"]["branch_id"])
        assert set(feeds[feed]["currency"]) <= set(tables["exchange_rates"]["currency"])
    banks = set(tables["counterparty_banks"]["bank_id"])
    assert set(feeds["wire"]["payee_bank"]) | set(feeds["wire"]["payer_bank"]) <= banks
    days = tables["exchange_rates"]["day"].cast(pl.String)
    assert set(feeds["card"]["ts"].str.slice(0, 10)) <= set(days)
    assert set(feeds["wire"]["ts"].str.slice(0, 10)) <= set(days)


def test_merchants_stretches_join_without_a_gap(world: BankWorld) -> None:
    shops = world.dimensions()["merchants"]
    following = shops.with_columns(
        next_from=pl.col("valid_from").shift(-1), next_id=pl.col("merchant_id").shift(-1)
    )
    moved = following.filter(pl.col("merchant_id") == pl.col("next_id"))
    assert moved.height > 3
    assert (moved["valid_to"] == moved["next_from"]).all()
    last = following.filter((pl.col("merchant_id") != pl.col("next_id")) | pl.col("next_id").is_null())
    assert last["valid_to"].is_null().all()


def test_listed_names_are_misspelled_by_crimes_and_only_resembled_by_namesakes(
    world: BankWorld, truth: pl.DataFrame, feeds: dict[str, pl.DataFrame]
) -> None:
    names = set(world.dimensions()["sanctions_list"]["name"])
    assert len(names) == world.dimensions()["sanctions_list"].height
    wires = feeds["wire"].join(truth, on="transaction_id")
    assert not set(wires.filter(typology="sanctions_evasion")["payee_name"]) & names
    assert not set(wires.filter(twin_of="sanctions_evasion")["payee_name"]) & names
    assert bank.TRANSFER_OUT in set(wires["transaction_type"])
