"""Gold of the bank from a few lines: what a small world has too seldom."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from small_bank import SmallBank, atm, card, wire

from casper_ray.errors import ConfigError
from casper_ray.lakehouse.histogram import bucket_names, bucket_of, percentiles
from casper_ray.medallion.bank.liquidity import coverage
from casper_ray.medallion.bank.money import units
from casper_ray.medallion.bank.reach import (
    GOLD_MERCHANT_CATEGORY_REACH,
    accounts_reached,
    category_registers,
)
from casper_ray.medallion.bank.rules import load_rules
from casper_ray.medallion.merge import partial_aggregate
from casper_ray.security.domains import Domain
from casper_ray.security.tokens import Tokeniser

DAY = date(2024, 1, 10)


def euro(text: str) -> Decimal:
    return Decimal(text)


def test_what_is_given_back_takes_from_spend_and_from_interchange(bank: SmallBank) -> None:
    bank.drop(
        "card",
        "a.json",
        card(1, amount="100.00", card_type="credit"),
        card(2, amount="40.00", transaction_type="refund", original_transaction_id="T1", card_type="credit"),
        card(
            3, amount="60.00", transaction_type="chargeback", original_transaction_id="T1", card_type="credit"
        ),
    )
    bank.run()
    spend = bank.table("gold_merchant_category_spend").row(0, named=True)
    assert spend == {
        "merchant_category": "grocery",
        "month": date(2024, 1, 1),
        "purchases": 1,
        "given_back": 2,
        "spend": euro("100.00"),
        "given_back_amount": euro("100.00"),
        "net_spend": euro("0.00"),
    }
    pnl = bank.table("gold_pnl_daily").row(0, named=True)
    assert pnl == {
        "day": DAY,
        "category": "grocery",
        "transactions": 3,
        "interchange": euro("0.18"),  # 0.3 % of 100 - 40
        "fx_margin": euro("0"),
        "credit_interest": euro("0.60"),
        "fees": euro("0"),
        "fraud_losses": euro("18.00"),  # 30 % of 60
        "net_income": euro("-17.22"),
    }
    assert bank.transactions()["T3"]["original_transaction_id"] == "T1"


def test_an_income_below_a_cent_is_not_rounded(bank: SmallBank) -> None:
    bank.drop("card", "a.json", *(card(n, amount="1.01") for n in range(3)))
    bank.run()
    assert bank.table("gold_pnl_daily")["interchange"].to_list() == [euro("0.006060")]


def test_cash_and_transfers_have_categories_and_fees(bank: SmallBank) -> None:
    bank.drop("atm", "a.json", atm(1, country="QM", currency="USD", hours=10), atm(2))
    bank.drop("wire", "a.json", wire(3), wire(4, payee_account="QZ12HAVU000000000001"))
    bank.run()
    pnl = {row["category"]: row for row in bank.table("gold_pnl_daily").iter_rows(named=True)}
    assert {key: (row["transactions"], row["fees"], row["fx_margin"]) for key, row in pnl.items()} == {
        "cash": (2, euro("3.00"), euro("0.675000")),  # 1.5 % of 45
        "transfers": (2, euro("4.50"), euro("0")),
    }


def test_what_a_rule_flags(bank: SmallBank) -> None:
    abroad: dict[str, Any] = {"merchant_id": "M0000002", "country": "QM", "amount": "50.00"}
    refused = {"event_type": "compliance_check_failed"}
    cash = {
        atm(1, amount="9500.00", transaction_type="deposit"): "CASH_BELOW_REPORTING",
        atm(2, amount="9999.99"): "CASH_BELOW_REPORTING",
        atm(3, amount="10000.00"): None,
        atm(4, amount="9499.99"): None,
    }
    cards = {
        card(5, 3.9, **abroad): "FOREIGN_RISKY_AT_NIGHT",
        card(6, 4, **abroad): None,
        card(7, 23, **abroad): "FOREIGN_RISKY_AT_NIGHT",
        card(8, 23, **abroad | {"merchant_id": "M0000009"}): None,  # of unknown risk
        card(9, 16, channel="online", amount="800.00"): "LARGE_RISKY_ONLINE",
        card(10, 12, channel="online", amount="800.00"): None,  # before its risk rose
        card(11, auth_result="declined_compliance", **refused): "SCREENING_HIT",
        card(12, auth_result="declined_blocked", **refused): "BLOCKED_CARD_TRIED",
        card(13, auth_result="declined_funds", **refused): None,
        card(14, transaction_type="chargeback"): "CHARGED_BACK",
    }
    bank.drop("atm", "a.json", *cash)
    bank.drop("card", "a.json", *cards)
    bank.run()
    wanted = {f"T{number}": [code] for number, code in enumerate((cash | cards).values(), 1) if code}
    found = bank.table("gold_suspicious_activity")
    assert dict(found.select("transaction_id", "reason_codes").iter_rows()) == wanted
    assert bank.table("silver_transactions").height == 14


def test_reasons_come_together_and_points_add_up(bank: SmallBank) -> None:
    bank.drop("wire", "a.json", wire(1, 28, amount="9600.00"))  # keyed in at midnight
    bank.run()
    (row,) = bank.table("gold_suspicious_activity").to_dicts()
    assert row["reason_codes"] == [
        "TRANSFER_BELOW_REPORTING",
        "LARGE_FOREIGN_TRANSFER",
        "LARGE_TRANSFER_AT_NIGHT",
    ]
    assert row["risk_score"] == 25 + 25 + 30
    hour = bank.table("gold_fraud_risk_hourly").row(0, named=True)
    assert (hour["region"], hour["flagged"], hour["risk_score"]) == ("Altenquay", 1, 80)
    assert hour["flagged_amount"] == euro("9600.00")


def test_a_day_is_flagged_by_the_batch_that_brings_it_over_the_threshold(bank: SmallBank) -> None:
    bank.drop("atm", "a.json", atm(1, amount="6000.00", transaction_type="deposit"))
    bank.run()
    counts = bank.table("gold_suspicious_days")
    assert counts.select("code", "transactions", "flagged", "points").rows() == [
        ("CASH_IN_PIECES", 1, False, 0)
    ]
    bank.drop("atm", "b.json", atm(2, 13, amount="4000.00", transaction_type="deposit"))
    bank.run()
    (row,) = bank.table("gold_suspicious_days").to_dicts()
    assert (row["transactions"], row["amount"], row["flagged"], row["points"]) == (2, euro("10000"), True, 50)
    assert (row["first_ts"].hour, row["last_ts"].hour) == (12, 13)
    assert row["subject_id"] == bank.transactions()["T1"]["account_token"]


def test_a_merchant_where_cards_are_tried_is_flagged(bank: SmallBank) -> None:
    tiny = {"channel": "online", "amount": "1.20", "merchant_id": "M0000002"}
    bank.drop("card", "a.json", *(card(n, 3, pan=f"989999000000{n:04d}", **tiny) for n in range(5)))
    bank.drop("card", "b.json", *(card(n, 3, **tiny | {"merchant_id": "M0000001"}) for n in range(10, 14)))
    bank.run()
    days = bank.table("gold_suspicious_days").filter(pl.col("code") == "CARD_TESTING").sort("subject_id")
    assert days.select("subject", "subject_id", "transactions", "flagged").rows() == [
        ("merchant", "M0000001", 4, False),
        ("merchant", "M0000002", 5, True),
    ]


def test_a_transfer_counts_for_features_when_its_file_came(bank: SmallBank) -> None:
    """Keyed in on the tenth after the cut-off, told on the eleventh: nobody could know it on the tenth."""
    bank.drop("wire", "a.json", wire(1, 42, entered_ts="2024-01-10 19:00:00.000"))
    bank.drop("card", "a.json", card(2))
    bank.run()
    features = bank.table("gold_customer_features").sort("day")
    assert features.select("day", "transfers", "transactions").rows() == [
        (DAY, 0, 1),
        (date(2024, 1, 11), 1, 1),
    ]
    links = bank.table("gold_account_links").filter(pl.col("kind") == "payee")
    assert links["day"].to_list() == [date(2024, 1, 11)]
    assert bank.table("gold_daily_transaction_summary")["day"].to_list() == [DAY], "when it was done"


def test_what_an_account_dealt_with_is_linked_once_a_day(bank: SmallBank) -> None:
    bank.drop("card", "a.json", card(1, device_id="D1"), card(2, device_id="D1", country="QM"), card(3))
    bank.run()
    links = bank.table("gold_account_links").select("kind", "other", "transactions")
    device = bank.tokeniser().token(Domain.DEVICE, "D1")
    assert sorted(links.rows()) == [("country", "QM", 1), ("country", "QZ", 2), ("device", device, 2)]


@pytest.mark.parametrize(
    "amounts", [["5.00"] * 100, [f"{n}.00" for n in range(1, 1001)], ["0.10", "2000000.00"]]
)
def test_percentiles_of_a_histogram_are_near_the_exact_ones(amounts: list[str]) -> None:
    frame = pl.DataFrame({"amount": amounts}).with_columns(pl.col("amount").cast(pl.Decimal(18, 2)))
    bucket = frame.select(bucket_of(units(pl.col("amount")))).to_series()
    counts = pl.DataFrame({name: [int((bucket == place).sum())] for place, name in enumerate(bucket_names())})
    assert sum(counts.row(0)) == len(amounts)
    for name, value in percentiles(counts, (0.5, 0.95)).row(0, named=True).items():
        exact = float(frame["amount"].cast(pl.Float64).quantile(float(name[1:]) / 100, "lower") or 0)
        if 1 <= exact < 100_000:
            assert value == pytest.approx(exact, rel=0.34)


def test_no_counts_have_no_percentiles() -> None:
    counts = pl.DataFrame({name: [0] for name in bucket_names()})
    assert percentiles(counts, (0.5,)).row(0) == (None,)


@pytest.mark.parametrize("accounts", [1, 50, 3_000, 40_000])
def test_the_sketch_counts_accounts_and_merges(accounts: int, tokeniser: Tokeniser) -> None:
    tokens = tokeniser.tokens(Domain.ACCOUNT, pl.Series([f"QZ{n}" for n in range(accounts)]))
    rows = pl.DataFrame({"account_token": tokens}).with_columns(
        feed=pl.lit("card"),
        status=pl.lit("posted"),
        transaction_type=pl.lit("purchase"),
        merchant_category=pl.lit("grocery"),
        txn_day=pl.lit(DAY),
    )
    half = accounts // 2
    parts = [category_registers(part) for part in (rows[: half + 1], rows[half:], rows)]
    # the update is an aggregate's
    merged = partial_aggregate(GOLD_MERCHANT_CATEGORY_REACH.update, pl.concat(parts))  # type: ignore[arg-type]
    (told,) = accounts_reached(merged)["accounts"].to_list()
    assert told == pytest.approx(accounts, rel=0.1, abs=0.5)


def test_coverage_looks_back_thirty_days() -> None:
    cents = pl.Decimal(18, 2)
    flows = {
        name: pl.lit(0, cents) for name in ("card_in", "cash_in", "transfers_in", "card_out", "transfers_out")
    }
    days = pl.DataFrame({"day": [date(2024, 1, 1), date(2024, 1, 30), date(2024, 1, 31)]}).with_columns(
        **flows, cash_out=pl.lit(euro("100.00"), cents)
    )
    told = coverage(days)
    assert told["stressed_outflows"].to_list() == [euro("200"), euro("400"), euro("400")], "2 x, of 30 days"
    assert told["hqla"].to_list() == [euro("11999900"), euro("11999800"), euro("11999700")]
    assert told["lcr"].to_list() == pytest.approx([11999900 / 200, 11999800 / 400, 11999700 / 400])


def test_no_outflow_has_no_ratio(bank: SmallBank) -> None:
    bank.drop("atm", "a.json", atm(1, transaction_type="deposit"))
    bank.run()
    (row,) = bank.table("gold_liquidity_daily").to_dicts()
    assert (row["cash_in"], row["lcr"]) == (euro("50.00"), None)


@pytest.mark.parametrize(
    "text",
    [
        "transactions: [{code: A, title: t, sql: no_such_column > 1, points: 1}]",
        "transactions: [{code: A, title: t, sql: amount, points: 1}]",
        "transactions: [{code: A, title: t, sql: 'amount >', points: 1}]",
        "transactions: [&rule {code: A, title: t, sql: amount > 1, points: 1}, *rule]",
        "days: [{code: A, title: t, by: branch, where: amount > 1, at_least: 1, points: 1}]",
        "transaction: []",
    ],
)
def test_rules_that_cannot_be_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "rules.yml"
    path.write_text(text)
    with pytest.raises(ConfigError):
        load_rules(str(path))
