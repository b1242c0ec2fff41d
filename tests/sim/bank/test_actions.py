"""Blocks, freezes and limits change what follows, and nothing before."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from casper_ray.domain.bank import FEEDS
from casper_ray.errors import ConfigError
from casper_ray.sim.bank.actions import Action, BlockCard, ChangeLimit, FreezeAccount
from casper_ray.sim.bank.numbers import account_numbers, customer_ids, own_accounts, pans
from casper_ray.sim.bank.rows import CREDIT, DEBIT, Kind, Result, Rows
from casper_ray.sim.bank.world import BankWorld


@pytest.fixture(scope="module")
def spender(rows: Rows) -> int:
    """Somebody with a credit card who does a great deal."""
    by_credit = np.unique(rows["customer"][rows["instrument"] == CREDIT])
    counts = np.bincount(rows["customer"])
    return int(by_credit[np.argmax(counts[by_credit])])


def later_rows(world: BankWorld, at_us: int, start_us: int, customer: int) -> Rows:
    parts = [world.engine.rows(day) for day in range(world.days)]
    rows = np.concatenate(parts)
    us = start_us + (rows["day"].astype(np.int64) * 86_400_000 + rows["ms"]) * 1000
    return rows[(us >= at_us) & (rows["customer"] == customer)]


@pytest.mark.parametrize("feed", FEEDS)
def test_steps_without_actions_are_one_go(
    world: BankWorld, feeds: dict[str, pl.DataFrame], noon_of_20: int, start_us: int, feed: str
) -> None:
    first = world.events(feed, start_us, noon_of_20)
    then = world.with_actions([]).events(feed, noon_of_20, world.end_us())
    assert_frame_equal(pl.concat([first, then]), feeds[feed])
    assert world.with_actions([]).digest() == world.digest()


@pytest.mark.parametrize("feed", FEEDS)
def test_nothing_before_an_action_changes(
    world: BankWorld, feeds: dict[str, pl.DataFrame], noon_of_20: int, start_us: int, spender: int, feed: str
) -> None:
    actions: list[Action] = [
        BlockCard(at_us=noon_of_20, customer=spender),
        FreezeAccount(at_us=noon_of_20, customer=spender + 1),
        ChangeLimit(at_us=noon_of_20, customer=spender, limit="card", cents=1_000),
    ]
    acted = world.with_actions(actions)
    before = feeds[feed].filter(pl.col("ts_us") < noon_of_20)
    assert_frame_equal(acted.events(feed, start_us, noon_of_20), before)
    assert acted.digest() != world.digest()


def test_a_blocked_card_buys_nothing_more(
    world: BankWorld, noon_of_20: int, start_us: int, spender: int, feeds: dict[str, pl.DataFrame]
) -> None:
    acted = world.with_actions([BlockCard(at_us=noon_of_20, customer=spender)])
    pan = pans(np.array([spender * 2 + DEBIT]))[0]
    events = acted.events("card", noon_of_20, acted.end_us())
    begun = (pl.col("event_type") == "transaction_initiated") & (pl.col("pan") == pan)
    ids = events.filter(begun & (pl.col("transaction_type") == "purchase"))["transaction_id"]
    usual = feeds["card"].filter(begun & (pl.col("ts_us") >= noon_of_20))
    assert usual.height > 10
    results = events.filter(pl.col("transaction_id").is_in(ids.implode()))["auth_result"].drop_nulls()
    assert set(results) <= {"declined_blocked"}
    assert len(ids) < usual.height
    rows = later_rows(acted, noon_of_20, start_us, spender)
    on_credit = rows[(rows["instrument"] == CREDIT) & (rows["kind"] == Kind.PURCHASE)]
    assert (on_credit["result"] == Result.APPROVED).any()


def test_what_others_do_keeps_its_ids(world: BankWorld, noon_of_20: int, spender: int, start_us: int) -> None:
    acted = world.with_actions([FreezeAccount(at_us=noon_of_20, customer=spender)])
    told = [
        w.events("card", noon_of_20, w.end_us()).filter(pl.col("account_number") != account_of(spender))
        for w in (world, acted)
    ]
    shared = told[0].join(told[1], on="event_id", how="semi")
    assert shared.height > 0.99 * told[0].height


def account_of(customer: int) -> str:
    return str(account_numbers(own_accounts(np.array([customer]), DEBIT))[0])


def test_no_money_leaves_a_frozen_account(
    world: BankWorld, noon_of_20: int, start_us: int, spender: int
) -> None:
    acted = world.with_actions([FreezeAccount(at_us=noon_of_20, customer=spender)])
    rows = later_rows(acted, noon_of_20, start_us, spender)
    out = np.isin(rows["kind"], (Kind.PURCHASE, Kind.WITHDRAWAL, Kind.TRANSFER_OUT))
    leaving = out & (rows["instrument"] == DEBIT) & (rows["result"] == Result.APPROVED)
    assert not leaving.any()
    free = later_rows(world, noon_of_20, start_us, spender)
    assert len(free) > len(rows)


def test_a_limit_holds_from_its_instant_on(
    world: BankWorld, noon_of_20: int, start_us: int, spender: int
) -> None:
    lower = ChangeLimit(at_us=noon_of_20, customer=spender, limit="card", cents=2_000)
    rows = later_rows(world.with_actions([lower]), noon_of_20, start_us, spender)
    bought = rows[(rows["kind"] == Kind.PURCHASE) & (rows["result"] == Result.APPROVED)]
    assert len(bought)
    assert np.bincount(bought["day"], weights=bought["base_cents"]).max() <= 2_000


def test_a_changed_limit_is_told_as_a_change(
    world: BankWorld, noon_of_20: int, spender: int, feeds: dict[str, pl.DataFrame]
) -> None:
    lower = ChangeLimit(at_us=noon_of_20, customer=spender, limit="credit", cents=12_345)
    acted = world.with_actions([lower])
    changes = acted.events("customer_cdc", noon_of_20, noon_of_20 + 1000)
    mine = changes.filter(pl.col("customer_id") == customer_ids(np.array([spender]))[0])
    assert mine.height == 1
    assert mine["after"].struct.field("credit_limit")[0] == "123.45"
    assert mine["before"].struct.field("credit_limit")[0] != "123.45"


def test_actions_that_cannot_be_are_refused(world: BankWorld, start_us: int) -> None:
    with pytest.raises(ConfigError, match="no customer 900"):
        world.with_actions([FreezeAccount(at_us=start_us, customer=900)])
    with pytest.raises(ConfigError, match="before day 0"):
        world.with_actions([FreezeAccount(at_us=start_us - 1, customer=1)])
    without = int(np.flatnonzero(~world.engine.people(0).has_credit)[0])
    with pytest.raises(ConfigError, match="no credit card"):
        world.with_actions([BlockCard(at_us=start_us, customer=without, instrument=CREDIT)])
