"""Gold of a small world against what its lines say, worked out another way."""

from __future__ import annotations

from collections import Counter, defaultdict
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from small_bank import SmallBank

from casper_ray.medallion.bank.reach import accounts_reached

Rows = list[dict[str, Any]]
ZERO = Decimal(0)


def posted(rows: Rows, **holds: Any) -> Rows:
    return [
        row
        for row in rows
        if row["status"] == "posted" and all(row[key] == wanted for key, wanted in holds.items())
    ]


def total(rows: Rows) -> Decimal:
    return sum((row["amount_base"] for row in rows), ZERO)


def by(rows: Rows, *keys: str) -> dict[tuple[Any, ...], Rows]:
    groups = defaultdict(list)
    for row in rows:
        day, hour = row["txn_ts"].date(), row["txn_ts"].replace(minute=0, second=0, microsecond=0)
        extra = {"day": day, "month": day.replace(day=1), "hour": hour, "known_day": row["_known_ts"].date()}
        groups[tuple((row | extra)[key] for key in keys)].append(row)
    return groups


def test_daily_summary(bank_lake: SmallBank, both_sides: Rows) -> None:
    found = {
        (row["account_token"], row["day"]): (
            row["transactions"],
            row["transactions_in"],
            row["transactions_out"],
            row["transactions_wire"],
            row["declined"],
            row["amount_in"],
            row["amount_out"],
        )
        for row in bank_lake.table("gold_daily_transaction_summary").iter_rows(named=True)
    }
    assert found == {
        key: (
            len(posted(rows)),
            len(posted(rows, direction="in")),
            len(posted(rows, direction="out")),
            len(posted(rows, feed="wire")),
            len(rows) - len(posted(rows)),
            total(posted(rows, direction="in")),
            total(posted(rows, direction="out")),
        )
        for key, rows in by(both_sides, "account_token", "day").items()
    }


def test_branches(bank_lake: SmallBank, silver: dict[str, dict[str, Any]]) -> None:
    found = bank_lake.table("gold_branch_performance")
    rows = list(silver.values())
    assert found["amount"].sum() == total(posted(rows))
    assert found["withdrawals_amount"].sum() == total(posted(rows, transaction_type="withdrawal"))
    assert found["deposits"].sum() == len(posted(rows, transaction_type="deposit"))
    assert found["declined"].sum() == len(rows) - len(posted(rows))
    assert found.select("branch_id", "day").is_unique().all()


def test_spend_and_reach(bank_lake: SmallBank, silver: dict[str, dict[str, Any]]) -> None:
    groups = by(posted(list(silver.values()), feed="card"), "merchant_category", "month")
    found = bank_lake.table("gold_merchant_category_spend")
    assert {(row[0], row[1]): row[2:] for row in found.select(
        "merchant_category", "month", "purchases", "spend", "net_spend"
    ).iter_rows()} == {
        key: (
            len(posted(rows, transaction_type="purchase")),
            total(posted(rows, transaction_type="purchase")),
            2 * total(posted(rows, transaction_type="purchase")) - total(rows),
        )
        for key, rows in groups.items()
    }  # fmt: skip
    reached = accounts_reached(bank_lake.table("gold_merchant_category_reach"))
    for category, month, accounts in reached.iter_rows():
        exact = len(
            {r["account_token"] for r in groups[category, month] if r["transaction_type"] == "purchase"}
        )
        assert abs(accounts - exact) <= max(1, 0.1 * exact)


def test_flags(bank_lake: SmallBank, silver: dict[str, dict[str, Any]]) -> None:
    found = bank_lake.table("gold_suspicious_activity")
    reasons = dict(found.select("transaction_id", "reason_codes").iter_rows())
    for key, row in silver.items():
        codes = reasons.get(key, [])
        cash = row["transaction_type"] in ("deposit", "withdrawal")
        below = 9500 <= row["amount_base"] < 10000
        assert ("CASH_BELOW_REPORTING" in codes) == (cash and below)
        assert ("TRANSFER_BELOW_REPORTING" in codes) == (row["feed"] == "wire" and below)
        assert ("LARGE_FOREIGN_TRANSFER" in codes) == (
            row["transaction_type"] == "transfer_out"
            and row["country"] != "QZ"
            and row["amount_base"] >= 2000
        )
        assert ("CHARGED_BACK" in codes) == (row["transaction_type"] == "chargeback")
    assert found["risk_score"].min() > 0
    hours = bank_lake.table("gold_fraud_risk_hourly")
    assert hours["transactions"].sum() == len(silver)
    assert hours["flagged"].sum() == found.height
    assert hours["risk_score"].sum() == found["risk_score"].sum()
    assert dict(hours.group_by("region").agg(pl.col("transactions").sum()).iter_rows()) == dict(
        Counter(row["branch_city"] for row in silver.values())
    )


def test_days(bank_lake: SmallBank, both_sides: Rows) -> None:
    declined = [row for row in both_sides if row["status"] == "declined" and row["card_token"]]
    groups = by(declined, "card_token", "day")
    found = bank_lake.table("gold_suspicious_days").filter(pl.col("code") == "DECLINED_BURST")
    assert {(row[0], row[1]): row[2:] for row in found.select(
        "subject_id", "day", "transactions", "amount", "flagged"
    ).iter_rows()} == {key: (len(rows), total(rows), len(rows) >= 3) for key, rows in groups.items()}  # fmt: skip


def test_liquidity(bank_lake: SmallBank, silver: dict[str, dict[str, Any]]) -> None:
    rows = [row for row in posted(list(silver.values())) if not row["internal"]]
    found = bank_lake.table("gold_liquidity_daily").sort("day").to_dicts()
    hqla, stressed_in, stressed_out = Decimal(12_000_000), ZERO, ZERO
    out_percent = {"card": 110, "atm": 200, "wire": 130}
    in_percent = {"card": 50, "atm": 50, "wire": 60}
    days = by(rows, "day")
    assert [row["day"] for row in found] == sorted(day for (day,) in by(list(silver.values()), "day"))
    for row in found:  # fewer days than the window has: it holds all so far
        today = days[(row["day"],)]
        outs, ins = posted(today, direction="out"), posted(today, direction="in")
        hqla += total(ins) - total(outs)
        stressed_out += sum((r["amount_base"] * out_percent[r["feed"]] / 100 for r in outs), ZERO)
        stressed_in += sum((r["amount_base"] * in_percent[r["feed"]] / 100 for r in ins), ZERO)
        net = stressed_out - min(stressed_in, stressed_out * 75 / 100)
        assert (row["inflows"], row["outflows"], row["hqla"]) == (total(ins), total(outs), hqla)
        assert abs(row["net_stressed_outflow"] - net) <= Decimal("0.02")
        assert row["lcr"] == pytest.approx(float(hqla / net), rel=1e-6)


def test_pnl(bank_lake: SmallBank, silver: dict[str, dict[str, Any]]) -> None:
    rows, bp = posted(list(silver.values())), Decimal("0.0001")
    kinds = bank_lake.table("silver_transactions").select("transaction_id", "card_type", "currency")
    for key, card_type, currency in kinds.iter_rows():
        silver[key] |= {"card_type": card_type, "currency": currency}
    found = bank_lake.table("gold_pnl_daily")
    exchanged = [r for r in rows if r["currency"] != "EUR" and r["transaction_type"] in (
        "purchase", "withdrawal", "transfer_out"
    )]  # fmt: skip
    assert found["fx_margin"].sum() == total(exchanged) * 150 * bp
    credit = posted(rows, transaction_type="purchase", card_type="credit")
    assert found["credit_interest"].sum() == total(credit) * 60 * bp
    signs = {"purchase": 1, "refund": -1, "reversal": -1}
    assert found["interchange"].sum() == sum(
        (
            r["amount_base"]
            * signs.get(r["transaction_type"], 0)
            * (30 if r["card_type"] == "credit" else 20)
            * bp
            for r in rows
            if r["feed"] == "card"
        ),
        ZERO,
    )
    abroad = [r for r in rows if r["country"] != "QZ"]
    sent, drawn = (
        posted(abroad, transaction_type="transfer_out"),
        posted(abroad, transaction_type="withdrawal"),
    )
    assert found["fees"].sum() == len(sent) * Decimal("4.5") + len(drawn) * 3
    parts = ("interchange", "fx_margin", "credit_interest", "fees")
    income = sum((found[name].sum() for name in parts), ZERO)
    assert found["net_income"].sum() == income - found["fraud_losses"].sum()
    assert found["transactions"].sum() == len(rows)


def test_features(bank_lake: SmallBank, both_sides: Rows) -> None:
    found = {
        (row["account_token"], row["day"]): row
        for row in bank_lake.table("gold_customer_features").iter_rows(named=True)
    }
    groups = by(both_sides, "account_token", "known_day")
    assert found.keys() == groups.keys()
    for key, rows in groups.items():
        row, out = found[key], posted(rows, direction="out")
        assert row["transactions"] == len(posted(rows))
        assert row["declined"] == len(rows) - len(posted(rows))
        assert row["amount_out"] == total(out)
        assert row["amount_out_squared"] == sum((r["amount_base"] ** 2 for r in out), ZERO)
        assert row["amount_out_max"] == max((r["amount_base"] for r in out), default=None)
        assert row["at_night"] == sum(r["txn_ts"].hour >= 22 or r["txn_ts"].hour < 4 for r in out)
        assert row["last_ts"] == max((r["txn_ts"] for r in posted(rows)), default=None)
        assert sum(value for name, value in row.items() if name.startswith("hist_")) == len(out)


def test_links(bank_lake: SmallBank, both_sides: Rows) -> None:
    found = bank_lake.table("gold_account_links").filter(pl.col("kind") == "payee")
    sent = posted(both_sides, feed="wire", direction="out")
    groups = by(sent, "account_token", "counterparty_token", "known_day")
    assert {tuple(row[:3]): row[3:] for row in found.select(
        "account_token", "other", "day", "transactions", "amount"
    ).iter_rows()} == {key: (len(rows), total(rows)) for key, rows in groups.items()}  # fmt: skip
