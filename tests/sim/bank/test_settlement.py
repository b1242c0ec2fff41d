"""Money: nobody spends what is not there, limits hold, and what undoes something comes after it."""

from __future__ import annotations

import numpy as np
import pytest

from casper_ray.sim.bank.actions import Rules
from casper_ray.sim.bank.parties import bodies, is_own, listed, outside, own
from casper_ray.sim.bank.rates import rate_table
from casper_ray.sim.bank.rows import CREDIT, DEBIT, NONE, Channel, Kind, Result, Rows, rows_of
from casper_ray.sim.bank.settle import Accounts, settle
from casper_ray.sim.bank.transfers import Reason
from casper_ray.sim.bank.world import BankWorld

RATES = rate_table(5, 1)[0]
OUT = (Kind.PURCHASE, Kind.WITHDRAWAL, Kind.TRANSFER_OUT)


def settled(
    rows: Rows,
    balance: int = 10_000,
    owed: int = 0,
    *,
    card: int = 10**9,
    credit: int = 0,
    blocked: bool = False,
) -> tuple[list[int], Accounts]:
    """The results of one customer's rows, without any overdraft."""
    rows["number"] = 7 + np.arange(len(rows))  # numbers that no false alarm falls upon
    rows["ms"] = np.arange(len(rows)) * 1000
    rows["base_cents"] = rows["cents"]
    each = np.full(len(rows), 10**9)
    rules = Rules(
        blocked=np.full(len(rows), blocked),
        card=each * 0 + card,
        atm=each,
        wire=each,
        credit=each * 0 + credit,
    )
    reverses = np.where(rows["kind"] == Kind.REVERSAL, np.arange(len(rows)) - 1, NONE)
    accounts = Accounts(np.array([balance]), np.array([owed]))
    none = np.zeros(1, dtype=np.int64)
    after = settle(5, rows, reverses, rules, accounts, 0, none, none > 0, RATES)
    return rows["result"].tolist(), after


def buys(*cents: int, **columns: object) -> Rows:
    return rows_of(len(cents), cents=cents, kind=Kind.PURCHASE, **columns)


def test_what_cannot_be_afforded_does_not_happen() -> None:
    results, after = settled(buys(6_000, 6_000, 3_000))
    assert results == [Result.APPROVED, Result.DID_NOT_HAPPEN, Result.APPROVED]
    assert after.balance.tolist() == [1_000]


def test_who_insists_is_declined_for_the_right_reason() -> None:
    assert settled(buys(20_000, insists=True))[0] == [Result.FUNDS]
    assert settled(buys(6_000, insists=True), card=5_000)[0] == [Result.LIMIT]
    assert settled(buys(100, insists=True), blocked=True)[0] == [Result.BLOCKED]
    assert settled(buys(100), blocked=True)[0] == [Result.DID_NOT_HAPPEN]


def test_a_days_limit_is_of_the_days_sum() -> None:
    results, _ = settled(buys(3_000, 3_000, 1_000, insists=[False, True, False]), card=5_000)
    assert results == [Result.APPROVED, Result.LIMIT, Result.APPROVED]


def test_credit_is_spent_up_to_its_limit() -> None:
    results, after = settled(buys(4_000, 2_000, instrument=CREDIT), owed=1_000, credit=5_500)
    assert results == [Result.APPROVED, Result.DID_NOT_HAPPEN]
    assert (after.balance.tolist(), after.owed.tolist()) == ([10_000], [5_000])


def test_a_share_is_of_what_is_there() -> None:
    drain = rows_of(2, kind=Kind.TRANSFER_OUT, channel=Channel.WIRE, party=outside(np.arange(2)), share=0.5)
    results, after = settled(drain)
    assert results == [Result.APPROVED, Result.APPROVED]
    assert drain["cents"].tolist() == [5_000, 2_500]
    assert after.balance.tolist() == [2_500]
    of_credit = buys(0, instrument=CREDIT, share=-0.25)
    assert settled(of_credit, owed=2_000, credit=6_000)[1].owed.tolist() == [3_000]
    cash = rows_of(1, kind=Kind.WITHDRAWAL, channel=Channel.ATM, share=0.95)
    settled(cash)
    assert cash["cents"].tolist() == [9_000]


def test_a_share_of_nothing_does_not_happen() -> None:
    drain = rows_of(1, kind=Kind.TRANSFER_OUT, party=outside(np.arange(1)), share=0.9, insists=True)
    assert settled(drain, balance=90)[0] == [Result.DID_NOT_HAPPEN]


def test_a_reversal_gives_back_what_went_through_only() -> None:
    pair = buys(4_000, 4_000)
    pair["kind"][1] = Kind.REVERSAL
    results, after = settled(pair.copy())
    assert results == [Result.APPROVED, Result.APPROVED]
    assert after.balance.tolist() == [10_000]
    assert settled(pair, balance=3_000)[0] == [Result.DID_NOT_HAPPEN, Result.DID_NOT_HAPPEN]


def test_the_card_account_is_paid_as_far_as_there_is_money() -> None:
    bill = rows_of(1, kind=Kind.TRANSFER_OUT, party=own(np.zeros(1), CREDIT), purpose=int(Reason.CARD_BILL))
    assert settled(bill, owed=4_000)[1].balance.tolist() == [6_000]
    assert bill["cents"].tolist() == [4_000]
    settled(bill, balance=1_500, owed=4_000)
    assert bill["cents"].tolist() == [1_500]


def test_a_name_as_listed_is_stopped_and_a_misspelled_one_is_not() -> None:
    names = listed(np.array([3, 3]), np.array([0, 4]))
    rows = rows_of(2, kind=Kind.TRANSFER_OUT, channel=Channel.WIRE, party=names, cents=100)
    assert settled(rows)[0] == [Result.COMPLIANCE, Result.APPROVED]


def test_many_customers_settled_together_are_each_settled_alone(world: BankWorld) -> None:
    """The quick way and the way row by row agree: every account is the sum of what went through."""
    engine, people = world.engine, world.engine.people(1)
    day = engine.rows(0)
    mine = day[np.isin(day["customer"], people.customer) & (day["result"] == Result.APPROVED)]
    debit = mine[(mine["instrument"] == DEBIT) & (mine["kind"] != Kind.ENROLMENT)]
    signed = np.where(np.isin(debit["kind"], OUT), -debit["base_cents"], debit["base_cents"])
    moved = np.bincount(debit["customer"] - people.customer[0], weights=signed, minlength=len(people))
    left = engine._left_before(1)
    assert (left.accounts[1].balance - people.opening_cents == moved).all()


def test_balances_never_fall_below_the_overdraft(world: BankWorld, rows: Rows) -> None:
    engine = world.engine
    size = world.scenario.customers
    balance = np.concatenate([engine.people(shard).opening_cents for shard in range(world.shards)])
    overdraft = np.concatenate([engine.people(shard).overdraft_cents for shard in range(world.shards)])
    arriving = np.zeros(size, dtype=np.int64)
    for day in range(world.days):
        balance += arriving
        arriving[:] = 0
        today = rows[(rows["day"] == day) & (rows["result"] == Result.APPROVED)]
        for row in today[np.lexsort((today["number"], today["ms"], today["customer"]))]:
            customer, cents = row["customer"], row["base_cents"]
            if row["instrument"] == DEBIT and row["kind"] in OUT:
                balance[customer] -= cents
                assert balance[customer] >= -overdraft[customer]
            elif row["instrument"] == DEBIT and row["kind"] != Kind.ENROLMENT:
                balance[customer] += cents
            party = np.array([row["party"]])
            if row["kind"] == Kind.TRANSFER_OUT and is_own(party)[0] and bodies(party)[0] % 2 == DEBIT:
                arriving[bodies(party)[0] // 2] += cents
    held = engine._left_before(world.days)
    assert (np.concatenate([shard.balance for shard in held.accounts]) == balance).all()


@pytest.mark.parametrize(
    ("kind", "limit"), [(Kind.PURCHASE, "card"), (Kind.WITHDRAWAL, "atm"), (Kind.TRANSFER_OUT, "wire")]
)
def test_daily_limits_hold(world: BankWorld, rows: Rows, kind: Kind, limit: str) -> None:
    limits = np.concatenate(
        [getattr(world.engine.people(shard), f"limit_{limit}_cents") for shard in range(world.shards)]
    )
    spent = rows[(rows["kind"] == kind) & (rows["result"] == Result.APPROVED)]
    spent = spent[spent["purpose"] != Reason.CARD_BILL]
    key = spent["customer"].astype(np.int64) * world.days + spent["day"]
    sums = np.bincount(key, weights=spent["base_cents"], minlength=len(limits) * world.days)
    assert (sums.reshape(-1, world.days) <= limits[:, None]).all()
    assert sums.any()


def test_what_undoes_comes_after_what_it_undoes(rows: Rows) -> None:
    place = {int(number): i for i, number in enumerate(rows["number"])}
    gaps: dict[int, list[float]] = {Kind.REVERSAL: [], Kind.REFUND: [], Kind.CHARGEBACK: []}
    for row in rows[rows["original"] != NONE]:
        original = rows[place[int(row["original"])]]
        assert original["kind"] == Kind.PURCHASE
        assert original["result"] == Result.APPROVED
        assert (original["customer"], original["instrument"]) == (row["customer"], row["instrument"])
        assert row["cents"] <= original["cents"]
        days = (int(row["day"]) - int(original["day"])) + (int(row["ms"]) - int(original["ms"])) / 86_400_000
        gaps[int(row["kind"])].append(days)
    assert all(gaps.values())
    assert 2 / 1440 <= min(gaps[Kind.REVERSAL]) <= max(gaps[Kind.REVERSAL]) <= 46 / 1440
    assert 1 < min(gaps[Kind.REFUND]) <= max(gaps[Kind.REFUND]) <= 15
    assert 20 < min(gaps[Kind.CHARGEBACK]) <= max(gaps[Kind.CHARGEBACK]) <= 57


def test_a_purchase_is_undone_once_at_most(rows: Rows) -> None:
    originals = rows["original"][rows["original"] != NONE]
    assert len(np.unique(originals)) == len(originals)
    assert len(np.unique(rows["number"])) == len(rows)
