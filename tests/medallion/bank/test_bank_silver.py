"""Silver of the bank's transactions, from a few lines."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from small_bank import IBAN, NAME, OTHER_IBAN, OTHER_NAME, PAN, SmallBank, atm, card, ts, wire

from casper_ray.medallion.bank.money import amount_of, in_base
from casper_ray.medallion.bank.pipeline import PIPELINE
from casper_ray.medallion.graph import check_rules, checked_tables
from casper_ray.medallion.quality_config import resolve_quality
from casper_ray.security.domains import Domain


def refused(bank: SmallBank) -> dict[str, str]:
    """The rule that quarantined each transaction."""
    rows = bank.table("quarantine").with_columns(pl.col("line").str.json_path_match("$.transaction_id"))
    return dict(rows.select("line", "rule").iter_rows())


def test_the_declarations_fit_each_other() -> None:
    checked_tables(PIPELINE)
    check_rules(PIPELINE, resolve_quality(PIPELINE))


def test_only_what_was_concluded_is_a_transaction(bank: SmallBank) -> None:
    bank.drop(
        "card",
        "a.json",
        card("x1", event_type="transaction_initiated", transaction_id="T1", auth_result=None),
        card("x2", event_type="compliance_check_passed", transaction_id="T1"),
        card("x3", transaction_id="T1"),
        card("x4", event_type="status_update", transaction_id="T1", status="posted"),
        card("x5", event_type="compliance_check_failed", transaction_id="T2", auth_result="declined_limit"),
        card("x6", event_type="status_update", transaction_id="T2", status="declined"),
    )
    bank.run()
    silver = bank.transactions()
    assert {key: row["status"] for key, row in silver.items()} == {"T1": "posted", "T2": "declined"}
    assert silver["T2"]["auth_result"] == "declined_limit"
    assert bank.table("card_events").height == 6


def test_the_rate_is_the_one_of_the_instant_and_the_product_is_exact(bank: SmallBank) -> None:
    bank.drop(
        "card",
        "a.json",
        card(1, 11.9, "10.05", currency="USD"),
        card(2, 12, "10.05", currency="USD"),
        card(3, 12, "0.01", currency="SEK"),
        card(4, 12, "7.00"),
    )
    bank.run()
    silver = bank.transactions()
    found = {key: (row["fx_rate"], row["amount_base"], row["fx_source"]) for key, row in silver.items()}
    assert found == {
        "T1": (Decimal("0.90000000"), Decimal("9.05"), "fixing"),  # 9.045
        "T2": (Decimal("0.91512345"), Decimal("9.20"), "fixing"),
        "T3": (Decimal("0.08850000"), Decimal("0.00"), "fixing"),
        "T4": (Decimal(1), Decimal("7.00"), "at par"),
    }


def test_what_is_settled_on_a_later_day_is_of_the_instant_at_which_it_was_initiated(bank: SmallBank) -> None:
    bank.drop(
        "card",
        "a.json",
        card(1, 24.5, "10.05", currency="USD", initiated_ts=ts(11.9)),
        card(2, 24.5, "10.05", currency="USD", initiated_ts=None),
        card(3, 24.5, "10.05", currency="USD", initiated_ts="a while ago"),
    )
    bank.drop("atm", "a.json", atm(4, 24.5, "10.05", currency="USD", initiated_ts=ts(11.9)))
    bank.run()
    silver = bank.transactions()
    found = {key: (row["txn_day"].day, f"{row['txn_ts']:%H:%M}") for key, row in silver.items()}
    assert found == {"T1": (10, "11:54"), "T2": (11, "00:30"), "T3": (11, "00:30"), "T4": (10, "11:54")}
    assert {key: str(row["amount_base"]) for key, row in silver.items()} == {
        "T1": "9.05", "T2": "9.20", "T3": "9.20", "T4": "9.05",
    }  # fmt: skip
    categories = {key: silver[key]["merchant_category"] for key in ("T1", "T2")}
    assert categories == {"T1": "grocery", "T2": "electronics"}
    assert {f"{row['_known_ts']:%d %H:%M}" for row in silver.values()} == {"11 00:30"}, (
        "known once it was told"
    )


@pytest.mark.parametrize(
    ("amount", "rate", "base"),
    [
        ("0.01", "0.49999999", "0.00"),  # 0.0049999999: rounding at eight digits first would make it 0.01
        ("0.01", "0.50000000", "0.01"),
        ("9999999999999999.99", "1", "9999999999999999.99"),
        ("9999999999999999.99", "2", None),
        ("123456789012.34", "0.91512345", "112978202686.89"),
    ],
)
def test_money_is_exact(amount: str, rate: str, base: str | None) -> None:
    frame = pl.DataFrame({"amount": [amount], "rate": [rate]})
    made = frame.select(in_base(amount_of(pl.col("amount")), pl.col("rate").cast(pl.Decimal(18, 8))))
    assert made.item() == (None if base is None else Decimal(base))


@pytest.mark.parametrize("text", ["1e3", "12.345", "abc", "", "1,00", "99999999999999999", None])
def test_what_is_no_amount_of_cents_is_none(text: str | None) -> None:
    frame = pl.DataFrame({"amount": [text]}, schema={"amount": pl.String})
    assert frame.select(amount_of(pl.col("amount"))).item() is None


def test_bad_money_is_kept_aside_with_its_reason(bank: SmallBank) -> None:
    bank.drop(
        "card",
        "a.json",
        card(1),
        card(2, amount="-5.00"),
        card(3, amount="0.00"),
        card(4, amount="99999999999999999999"),
        card(5, amount="12000000.00"),
        card(6, currency="XXX"),
        card(7, currency=None),
        card(8, amount=None),
        card(9, transaction_type="barter"),
        card(10, account_number=" - "),
    )
    bank.run()
    assert bank.transactions().keys() == {"T1"}
    assert refused(bank) == {
        "T2": "amount_positive",
        "T3": "amount_positive",
        "T4": "amount_readable",
        "T5": "amount_sane",
        "T6": "currency_known",
        "T7": "currency_known",
        "T8": "amount_readable",
        "T9": "type_known",
        "T10": "account_readable",
    }
    assert bank.table("gold_daily_transaction_summary")["amount_out"].to_list() == [Decimal("20.00")]


def test_no_rates_at_all_leave_what_is_at_par(tmp_path: Path) -> None:
    bank = SmallBank.at(tmp_path, nothing=pl.DataFrame({"x": [1]}))
    bank.drop("card", "a.json", card(1), card(2, currency="USD"))
    bank.run()
    assert bank.transactions().keys() == {"T1"}
    assert refused(bank) == {"T2": "currency_known"}


def test_merchant_and_branch_are_those_of_the_instant(bank: SmallBank) -> None:
    bank.drop(
        "card", "a.json", card(1, 12), card(2, 16), card(3, 16, merchant_id="M9"), card(4, branch_id="B9")
    )
    bank.run()
    silver = bank.transactions()
    assert [silver[f"T{n}"]["merchant_category"] for n in (1, 2, 3)] == ["grocery", "electronics", None]
    assert [silver[f"T{n}"]["merchant_risk"] for n in (1, 2, 3)] == [0.05, 0.55, None]
    assert [silver[f"T{n}"]["branch_city"] for n in (1, 4)] == ["Altenquay", None]
    log = bank.table("quality_log").filter(pl.col("failed") > 0)
    assert set(log.select("rule", "failed").iter_rows()) == {("merchant_known", 1), ("branch_known", 1)}


def test_a_transfer_is_told_from_the_customers_side(bank: SmallBank) -> None:
    bank.drop(
        "wire",
        "a.json",
        wire(1),
        wire(
            2,
            direction="incoming",
            transaction_type="transfer_in",
            payer_account=OTHER_IBAN,
            payer_name=OTHER_NAME,
            payer_bank="HAVU",
            payee_account=IBAN,
            payee_name=NAME,
            payee_bank="CSPR",
        ),
        wire(3, direction="internal", payee_account="qz12 cspr 0000 0000 0003", payee_bank="CSPR"),
    )
    bank.run()
    tokens, silver = bank.tokeniser(), bank.transactions()
    ours, other = tokens.token(Domain.ACCOUNT, IBAN), tokens.token(Domain.ACCOUNT, OTHER_IBAN)
    assert [row["account_token"] for row in silver.values()] == [ours] * 3
    assert [silver[t]["counterparty_token"] for t in ("T1", "T2")] == [other, other]
    assert silver["T3"]["counterparty_token"] == tokens.token(Domain.ACCOUNT, "QZ12CSPR000000000003")
    assert silver["T2"]["counterparty_name_token"] == tokens.token(Domain.NAME, OTHER_NAME)
    assert [silver[t]["direction"] for t in ("T1", "T2", "T3")] == ["out", "in", "out"]
    assert [silver[t]["country"] for t in ("T1", "T2", "T3")] == ["QM", "QM", "QZ"]
    assert [silver[t]["internal"] for t in ("T1", "T2", "T3")] == [False, False, True]
    assert f"{silver['T1']['txn_ts']:%H:%M}" == "14:00"
    assert f"{silver['T1']['_known_ts']:%H:%M}" == "18:00"
    assert silver["T1"]["settlement_date"] == date(2024, 1, 10)


def test_a_transfer_between_customers_counts_on_both_accounts_and_once_at_the_branch(bank: SmallBank) -> None:
    bank.drop("wire", "a.json", wire(1, direction="internal", payee_account="QZ12CSPR000000000003"))
    bank.run()
    daily = bank.table("gold_daily_transaction_summary")
    assert sorted(daily.select("amount_in", "amount_out").iter_rows()) == [
        (Decimal(0), Decimal(100)),
        (Decimal(100), Decimal(0)),
    ]
    branch = bank.table("gold_branch_performance")
    assert branch.select("branch_id", "transactions", "amount").rows() == [("B000", 1, Decimal(100))]


def test_a_wire_file_that_comes_twice_counts_once(bank: SmallBank) -> None:
    lines = (wire(1), wire(2, amount="5.00"))
    bank.drop("wire", "a.json", *lines)
    bank.run()
    bank.drop("wire", "again.json", *lines)
    bank.run()
    assert sorted(bank.table("wire_events")["_admission"]) == ["admitted"] * 2 + ["duplicate"] * 2
    assert bank.table("silver_transactions").height == 2
    assert bank.table("gold_daily_transaction_summary")["amount_out"].to_list() == [Decimal("105.00")]


def test_a_wire_file_of_a_day_long_gone_is_kept_and_does_not_count(bank: SmallBank) -> None:
    bank.drop("wire", "a.json", wire(1, 18 + 72))
    bank.run()
    bank.drop("wire", "b.json", wire(2, 18))
    bank.run()
    assert bank.transactions().keys() == {"T1"}
    assert dict(bank.table("wire_events").select("event_id", "_admission").iter_rows())["E2"] == "late"


def test_a_processors_duplicate_counts_once(bank: SmallBank) -> None:
    bank.drop("card", "a.json", card(1), card(1))
    bank.run()
    assert bank.table("silver_transactions").height == 1


def test_a_card_is_one_token_wherever_it_is_written(bank: SmallBank) -> None:
    bank.drop("card", "a.json", card(1, pan="9899 9900 0000 0017", device_id="D1"))
    bank.drop("atm", "a.json", atm(2))
    bank.run()
    token = bank.tokeniser().token(Domain.CARD, PAN)
    assert [row["card_token"] for row in bank.transactions().values()] == [token, token]


def test_an_event_without_an_account_stops_the_batch(bank: SmallBank) -> None:
    bank.drop("card", "a.json", card(1), card(2, account_number=None))
    with pytest.raises(Exception, match="account_present"):
        bank.run()
    assert bank.table("silver_transactions").height == 0


def test_late_settlement_and_a_wrong_clock_are_counted(bank: SmallBank) -> None:
    bank.drop("card", "a.json", card(1, settlement_date="2024-01-12"), card(2, settlement_date="2024-01-13"))
    bank.drop("wire", "a.json", wire(3, entered_ts=ts(30)), wire(4, entered_ts="when?"))
    bank.run()
    log = bank.table("quality_log").filter(pl.col("failed") > 0)
    counted = {(rule, failed) for rule, failed in log.select("rule", "failed").iter_rows()}
    assert counted == {("settled_within_two_days", 1), ("done_before_known", 1)}
    assert f"{bank.transactions()['T4']['txn_ts']:%H:%M}" == "18:00", "no time of its own: the file's"
