"""The card, ATM and wire feeds: lifecycles in order, ids, amounts, hours, files at the cut-off."""

from __future__ import annotations

import json
from itertools import pairwise

import polars as pl
import pytest

from casper_ray.domain import bank
from casper_ray.domain.time import US_PER_DAY, US_PER_HOUR
from casper_ray.sim.bank.numbers import card_of
from casper_ray.sim.bank.world import BankWorld

ORDER = {
    bank.INITIATED: 0,
    bank.PROCESSING: 1,
    bank.COMPLIANCE_PASSED: 2,
    bank.COMPLIANCE_FAILED: 2,
    bank.SETTLED: 3,
    bank.STATUS_UPDATE: 4,
}
STREAMS = ("card", "atm")


def without_duplicates(events: pl.DataFrame) -> pl.DataFrame:
    return events.unique("event_id", keep="first", maintain_order=True)


@pytest.mark.parametrize("feed", STREAMS)
def test_a_transaction_is_told_in_order(feeds: dict[str, pl.DataFrame], feed: str) -> None:
    events = without_duplicates(feeds[feed]).sort("ts_us", maintain_order=True)
    told = events.group_by("transaction_id").agg("event_type", "ts_us", "auth_result", "status")
    assert told.height > 500
    for _, types, times, results, statuses in told.iter_rows():
        steps = [ORDER[kind] for kind in types]
        declined = bank.COMPLIANCE_FAILED in types
        assert steps == ([0, 1, 2, 4] if declined else [0, 1, 2, 3, 4])
        assert all(a < b for a, b in pairwise(times))
        assert results[:2] == [None, None]
        assert len(set(results[2:])) == 1
        assert (results[2] == "approved") is not declined
        assert statuses[:-1] == [None] * (len(types) - 1)
        assert (statuses[-1] == bank.DECLINED) is declined
        assert times[-1] - times[0] < US_PER_DAY


@pytest.mark.parametrize("feed", STREAMS)
def test_the_time_is_told_as_text(feeds: dict[str, pl.DataFrame], feed: str) -> None:
    events = without_duplicates(feeds[feed])
    parsed = events["ts"].str.to_datetime("%Y-%m-%d %H:%M:%S%.3f", time_unit="us")
    assert (parsed.cast(pl.Int64) == events["ts_us"]).all()


@pytest.mark.parametrize("feed", STREAMS)
def test_every_event_says_when_its_transaction_was_initiated(
    feeds: dict[str, pl.DataFrame], feed: str
) -> None:
    first = feeds[feed].filter(event_type=bank.INITIATED).select("transaction_id", begun="ts")
    both = feeds[feed].join(first, on="transaction_id", how="left")
    assert (both["initiated_ts"] == both["begun"]).all()
    assert not both["begun"].is_null().any()
    assert (both["initiated_ts"].str.head(10) < both["ts"].str.head(10)).any(), "some go on after midnight"


def test_duplicates_are_settled_events_again_within_minutes(feeds: dict[str, pl.DataFrame]) -> None:
    events = feeds["card"]
    again = events.filter(pl.col("event_id").is_duplicated())
    assert set(again["event_type"]) == {bank.SETTLED}
    settled = events.filter(pl.col("event_type") == bank.SETTLED)["event_id"]
    share = 1 - settled.n_unique() / len(settled)
    assert 0.003 < share < 0.008
    for _, pair in again.group_by("event_id"):
        assert pair.height == 2
        assert pair.drop("ts_us").unique().height == 1
        assert 0 < pair["ts_us"].max() - pair["ts_us"].min() <= 300 * 1_000_000


def test_ids_are_unique_over_all_feeds(feeds: dict[str, pl.DataFrame]) -> None:
    ids = pl.concat([without_duplicates(frame)["event_id"] for frame in feeds.values()])
    assert ids.n_unique() == len(ids)
    assert set(ids.str.len_chars()) == {17}
    transactions = [set(feeds[feed]["transaction_id"]) for feed in ("card", "atm", "wire")]
    assert sum(map(len, transactions)) == len(set.union(*transactions))


def luhn_holds(pan: str) -> bool:
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(pan))]
    return sum(value - 9 * (value > 9) for value in doubled) % 10 == 0


def iban_holds(iban: str) -> bool:
    return int("".join(str(int(letter, 36)) for letter in iban[4:] + iban[:4])) % 97 == 1


def test_card_and_account_numbers_have_right_check_digits(feeds: dict[str, pl.DataFrame]) -> None:
    assert all(luhn_holds(pan) for pan in feeds["card"]["pan"].unique())
    wires = feeds["wire"]
    accounts = pl.concat([feeds["card"]["account_number"], wires["payer_account"], wires["payee_account"]])
    assert all(iban_holds(account) for account in accounts.unique())


def test_a_card_belongs_to_one_account(feeds: dict[str, pl.DataFrame]) -> None:
    pairs = feeds["card"].select("pan", "account_number", "card_type").unique()
    assert pairs["pan"].n_unique() == pairs["account_number"].n_unique() == pairs.height
    kinds = [("debit", "credit")[card_of(pan)[1]] for pan in pairs["pan"]]
    assert kinds == pairs["card_type"].to_list()


def test_amounts_are_decimal_and_within_bounds(feeds: dict[str, pl.DataFrame]) -> None:
    for feed in ("card", "atm", "wire"):
        amount = feeds[feed]["amount"]
        assert amount.str.contains(r"^\d+\.\d\d$").all()
        assert (amount.cast(pl.Decimal(18, 2)) > 0).all()
    bought = feeds["card"].filter(transaction_type=bank.PURCHASE, event_type=bank.INITIATED, currency="EUR")
    euros = bought["amount"].cast(pl.Float64)
    assert 10 < float(euros.median() or 0) < 35
    assert 25 < float(euros.mean() or 0) < 50
    cash = feeds["atm"].filter(transaction_type=bank.WITHDRAWAL)["amount"].cast(pl.Float64)
    assert (cash % 10 == 0).all()


def test_people_buy_by_day_and_in_their_own_city_mostly(feeds: dict[str, pl.DataFrame]) -> None:
    bought = feeds["card"].filter(transaction_type=bank.PURCHASE, event_type=bank.INITIATED)
    hour = bought["ts"].str.slice(11, 2).cast(pl.Int64)
    night = float(((hour >= 1) & (hour < 5)).mean() or 0)
    assert 0.01 < night < 0.06
    abroad = bought.filter((pl.col("country") != bank.HOME_COUNTRY) & (pl.col("channel") != "online"))
    assert 0.005 < abroad.height / bought.height < 0.06
    assert abroad["currency"].n_unique() > 3


def test_devices_are_told_of_purchases_at_a_distance_only(feeds: dict[str, pl.DataFrame]) -> None:
    bought = feeds["card"].filter(transaction_type=bank.PURCHASE)
    assert (bought["device_id"].is_null() == (bought["channel"] != "online")).all()


def test_settlement_dates_are_at_most_two_days_later(feeds: dict[str, pl.DataFrame]) -> None:
    settled = feeds["card"].filter(pl.col("settlement_date").is_not_null())
    assert set(settled["event_type"]) == {bank.SETTLED, bank.STATUS_UPDATE}
    date = settled["settlement_date"].str.to_date()
    gap = date - settled["initiated_ts"].str.slice(0, 10).str.to_date()
    assert set(gap.dt.total_days()) == {0, 1, 2}
    assert (date >= settled["ts"].str.slice(0, 10).str.to_date()).all(), "none before it was settled"


def test_reversals_name_what_they_undo(feeds: dict[str, pl.DataFrame]) -> None:
    begun = feeds["card"].filter(event_type=bank.INITIATED)
    undoing = begun.filter(pl.col("original_transaction_id").is_not_null())
    assert set(undoing["transaction_type"]) == {bank.REVERSAL, bank.REFUND, bank.CHARGEBACK}
    pairs = undoing.join(begun, left_on="original_transaction_id", right_on="transaction_id", suffix="_first")
    assert pairs.height == undoing.height
    assert (pairs["ts_us"] > pairs["ts_us_first"]).all()
    assert (pairs["pan"] == pairs["pan_first"]).all()
    done = feeds["card"].filter(event_type=bank.STATUS_UPDATE, transaction_type=bank.REVERSAL)
    assert set(done["status"]) == {bank.REVERSED}


def test_there_is_a_wire_file_a_day_at_the_cut_off(
    world: BankWorld, feeds: dict[str, pl.DataFrame], start_us: int
) -> None:
    wires = feeds["wire"]
    within = (wires["ts_us"] - start_us) % US_PER_DAY
    assert set(within) == {18 * US_PER_HOUR}
    assert ((wires["ts_us"] - start_us) // US_PER_DAY).n_unique() >= world.days
    entered = wires["entered_ts"].str.to_datetime("%Y-%m-%d %H:%M:%S%.3f", time_unit="us").cast(pl.Int64)
    wait = wires["ts_us"] - entered
    assert ((wait > 0) & (wait <= US_PER_DAY)).all()


def test_wire_lines_say_who_pays_whom(feeds: dict[str, pl.DataFrame]) -> None:
    wires = feeds["wire"]
    ours = pl.col("payer_bank") == "CSPR", pl.col("payee_bank") == "CSPR"
    said = pl.col("direction")
    assert wires.filter(said == "outgoing").select((ours[0] & ~ours[1]).all()).item()
    assert wires.filter(said == "incoming").select((ours[1] & ~ours[0]).all()).item()
    assert wires.filter(said == "internal").select((ours[0] & ours[1]).all()).item()
    assert set(wires["direction"]) == {"outgoing", "incoming", "internal"}
    both = pl.concat(
        [
            wires.select(name=f"{side}_name", account=f"{side}_account", bank=f"{side}_bank")
            for side in ("payer", "payee")
        ]
    )
    known = both.filter(pl.col("bank") == "CSPR").unique()
    assert known["account"].n_unique() == known.height
    assert not wires["payee_name"].is_null().any()


def test_names_are_as_hard_as_names_are(feeds: dict[str, pl.DataFrame]) -> None:
    names = set("".join(feeds["wire"]["payee_name"].unique()))
    assert {"'", '"', "\u00fc", "\u200f"} <= names


@pytest.mark.parametrize("feed", bank.FEEDS)
def test_events_are_written_as_one_line_of_json_each(feeds: dict[str, pl.DataFrame], feed: str) -> None:
    some = feeds[feed].tail(50).drop("ts_us")
    lines = some.write_ndjson().splitlines()
    assert len(lines) == 50
    parsed = [json.loads(line) for line in lines]
    assert all(tuple(line) == bank.COLUMNS[feed] for line in parsed)
    if feed == bank.CUSTOMER_CDC:
        assert tuple(parsed[0]["before"]) == bank.CUSTOMER_FIELDS


def test_the_merchant_category_is_the_days(
    world: BankWorld, feeds: dict[str, pl.DataFrame], start_us: int
) -> None:
    shops = world.dimensions()["merchants"].select("merchant_id", "valid_from", "valid_to", as_of_mcc="mcc")
    begun = feeds["card"].filter(event_type=bank.INITIATED, transaction_type=bank.PURCHASE)
    at = pl.from_epoch("ts_us", "us").dt.replace_time_zone("UTC")
    joined = (
        begun.with_columns(at=at)
        .sort("at")
        .join_asof(
            shops.sort("valid_from"),
            left_on="at",
            right_on="valid_from",
            by="merchant_id",
            check_sortedness=False,
        )
    )
    assert (joined["mcc"] == joined["as_of_mcc"]).all()
    assert shops["valid_to"].is_not_null().sum() > 3
