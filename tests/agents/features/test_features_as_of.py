"""That nothing of the future is read, and what counts by when."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from small_bank import DAY, IBAN, OTHER_IBAN, SmallBank, atm, card, wire
from told_bank import fill, small_world

from casper_ray.agents.features.answers import Features
from casper_ray.agents.features.cases import CASE_SCHEMA, Case
from casper_ray.agents.features.lookup import FeatureStore, features_at
from casper_ray.agents.features.tables import DAYS, TRANSACTIONS
from casper_ray.errors import LakeError, SchemaError
from casper_ray.security.domains import Domain

SCHEMA = "retail_banking"


def at(hours: float) -> datetime:
    return DAY + timedelta(hours=hours)


def account(bank: SmallBank, iban: str = IBAN) -> str:
    return bank.tokeniser().token(Domain.ACCOUNT, iban)


def ask(bank: SmallBank, hours: float, **fields: Any) -> Features:
    fields = {"case_id": "c", "account_token": account(bank), "at": at(hours)} | fields
    return FeatureStore(bank.catalog).one(Case(**fields))


def test_rows_known_later_change_nothing(bank_lake: SmallBank, cases: pl.DataFrame, tmp_path: Path) -> None:
    """For each case a transaction and a refusal are planted that are just like it and were known a microsecond
    after the last case; and in Gold, days after it. Asked when they were, and all at that last instant.
    """
    silver, days = bank_lake.table(TRANSACTIONS), bank_lake.table(DAYS)
    last = max(cases["at"].to_list() + silver["_known_ts"].to_list())
    asked = pl.concat([cases, cases.with_columns(pl.lit(last).alias("at"))])
    before = features_at(bank_lake.catalog, asked)
    planted = fill(tmp_path, small_world(), keys_of=bank_lake)
    for kind in ("posted", "declined"):
        _planted(cases, silver.schema, kind, last + timedelta(microseconds=1)).write_delta(
            str(planted.catalog.table(SCHEMA, TRANSACTIONS)), mode="append"
        )
    later = days.with_columns(pl.lit((last + timedelta(days=1)).date()).alias("day"))
    later.write_delta(str(planted.catalog.table(SCHEMA, DAYS)), mode="append")

    assert_frame_equal(features_at(planted.catalog, asked), before, check_exact=True)
    assert_frame_equal(FeatureStore(planted.catalog).many(asked), before, check_exact=True)
    after = cases.with_columns(pl.lit(last + timedelta(microseconds=1)).alias("at"))
    seen = features_at(planted.catalog, after)
    unplanted = features_at(bank_lake.catalog, after)
    for name in ("out_count_1h", "declined_24h", "km_from_last", "counterparty_degree"):
        assert (seen[name] != unplanted[name]).any(), f"{name}: they are there once they are known"
    assert not seen.select(pl.any_horizontal("new_device", "new_payee", "new_merchant").any()).item()


def _planted(cases: pl.DataFrame, schema: pl.Schema, status: str, known: datetime) -> pl.DataFrame:
    """Rows of Silver just like the cases, another transaction each."""
    rows = cases.select(
        pl.format("{}-{}", pl.lit(status), pl.int_range(pl.len())).alias("transaction_id"),
        "account_token",
        "counterparty_token",
        "device_token",
        "merchant_id",
        "lat",
        "lon",
        pl.col("amount_base").fill_null(1),
        pl.lit(False).alias("internal"),
        pl.lit("out").alias("direction"),
        pl.lit(status).alias("status"),
        pl.coalesce("txn_ts", "at").alias("txn_ts"),
        pl.coalesce("txn_ts", "at").dt.date().alias("txn_day"),
        pl.lit(known).alias("_known_ts"),
    )
    return rows.select(
        (pl.col(name) if name in rows.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in schema.items()
    )


def test_each_case_is_cut_off_at_its_own_instant(
    bank_lake: SmallBank, cases: pl.DataFrame, tmp_path: Path
) -> None:
    """A lake that ends where a case is asked answers it as the whole lake does."""
    silver, days = bank_lake.table(TRANSACTIONS), bank_lake.table(DAYS)
    for number, case in enumerate(cases.sort("at")[::40].iter_slices(1)):
        until = case["at"][0]
        short = SmallBank.at(tmp_path / str(number))
        for name, rows, partition in (
            (TRANSACTIONS, silver.filter(pl.col("_known_ts") <= until), "txn_day"),
            (DAYS, days.filter(pl.col("day") < until.date()), "day"),
            ("batches", pl.DataFrame({"batch": [0]}), None),
        ):
            options = {"partition_by": [partition]} if partition else {}
            rows.write_delta(str(short.catalog.table(SCHEMA, name)), delta_write_options=options)
        assert_frame_equal(
            features_at(short.catalog, case), features_at(bank_lake.catalog, case), check_exact=True
        )


def test_a_transfer_counts_from_when_its_file_came(bank: SmallBank) -> None:
    """Keyed in at 14:00, in the file of 18:00."""
    bank.drop("wire", "a.json", wire(1))
    bank.run()
    assert ask(bank, 17.9).out_count_24h == 0
    known = ask(bank, 18)
    assert (known.out_count_24h, known.out_amount_24h) == (1, Decimal("100.00"))
    assert known.out_count_1h == 0, "windows are of when it was keyed in"
    assert ask(bank, 18, txn_ts=at(14.5)).out_count_1h == 1, "and end when the case's own was"
    assert ask(bank, 18, txn_ts=at(13.5)).out_count_24h == 0


def test_the_transaction_in_question_is_not_its_own_history(bank: SmallBank) -> None:
    bank.drop("card", "a.json", card(1, device_id="D1", hours=12), card(2, hours=40))
    bank.run()
    row = bank.transactions()["T1"]
    asked = {"device_token": row["device_token"], "merchant_id": "M0000001", "lat": 47.12, "lon": 3.99}
    of_itself = ask(bank, 12, **asked, transaction_id="T1")
    assert of_itself.new_device is True
    assert (of_itself.out_count_1h, of_itself.counterparty_degree, of_itself.km_from_last) == (0, 0, None)
    days_later = ask(bank, 40, **asked, transaction_id="T1", txn_ts=at(12))
    assert (days_later.new_device, days_later.own_transactions) == (True, 0)
    of_another = ask(bank, 40, **asked, transaction_id="T2")
    assert (of_another.new_device, of_another.own_transactions, of_another.counterparty_degree) == (
        False,
        1,
        1,
    )


def test_a_window_has_its_end_and_not_its_beginning(bank: SmallBank) -> None:
    bank.drop("card", "a.json", card(1, hours=12))
    bank.run()
    assert [ask(bank, hours).out_count_1h for hours in (11.99, 12, 12.99, 13)] == [0, 1, 1, 0]


def test_a_payee_who_is_a_customer_has_the_other_side(bank: SmallBank) -> None:
    """One row of Silver, two accounts: it is in the payee's history too."""
    bank.drop("wire", "a.json", wire(1, direction="internal", payee_bank="CSPR"))
    bank.run()
    payer, payee = account(bank), account(bank, OTHER_IBAN)
    got = ask(bank, 18, account_token=payee, counterparty_token=payer)
    assert (got.in_count_24h, got.in_amount_24h, got.out_count_24h) == (1, Decimal("100.00"), 0)
    assert (got.counterparty_degree, got.new_payee) == (1, True), "it has paid and was never paid"
    assert ask(bank, 18, counterparty_token=payee).new_payee is False
    stranger = {"case_id": "c", "account_token": "nobody's", "at": at(18), "counterparty_token": payer}
    case = pl.DataFrame([stranger], schema=CASE_SCHEMA)
    assert features_at(bank.catalog, case)["counterparty_degree"].to_list() == [1], "the payee dealt with it"


def test_declined_ones_count_as_declined_only(bank: SmallBank) -> None:
    refused = {"event_type": "compliance_check_failed", "auth_result": "declined_funds"}
    bank.drop("atm", "a.json", atm(1, **refused), atm(2))
    bank.run()
    got = ask(bank, 13)
    assert (got.declined_24h, got.out_count_24h) == (1, 1)


def test_an_account_that_nobody_knows_has_no_history(bank: SmallBank) -> None:
    bank.drop("card", "a.json", card(1))
    bank.run()
    got = ask(bank, 40, account_token="nobody's", device_token="D", merchant_id="M0000001", lat=1.0, lon=1.0)
    assert (got.own_transactions, got.own_p50, got.amount_rank, got.km_from_home) == (0, None, None, None)
    assert (got.new_device, got.new_merchant, got.new_payee, got.counterparty_degree) == (True, True, None, 1)


def test_distances_and_hours_are_from_the_last_place(bank: SmallBank) -> None:
    bank.drop("card", "a.json", card(1, hours=6, lat=10.0, lon=10.0), card(2, hours=9, lat=20.0, lon=10.0))
    bank.run()
    got = ask(bank, 12, lat=21.0, lon=10.0)
    degree_km = 111.195
    assert got.km_from_last == pytest.approx(degree_km, rel=1e-4)
    assert got.h_from_last == pytest.approx(3)
    assert got.km_from_home == pytest.approx(6 * degree_km, rel=1e-4), "half-way between the two"


@pytest.mark.parametrize("iban", [IBAN, OTHER_IBAN])
def test_a_lake_with_cards_alone_or_with_no_row_answers(bank: SmallBank, iban: str) -> None:
    bank.drop("card", "a.json", card(1, hours=12, currency="XXX"))
    bank.run()
    got = ask(bank, 40, account_token=account(bank, iban), merchant_id="M0000001", counterparty_token="p")
    assert (got.own_transactions, got.new_merchant, got.counterparty_degree) == (0, True, 0)


def test_cases_without_an_account_or_an_instant_are_refused(bank: SmallBank) -> None:
    case = {"case_id": "c", "account_token": None, "at": at(0)}
    with pytest.raises(SchemaError, match="1 without"):
        features_at(bank.catalog, pl.DataFrame([case], schema=CASE_SCHEMA))
    with pytest.raises(SchemaError, match="device_token"):
        features_at(bank.catalog, pl.DataFrame({"case_id": ["c"], "account_token": ["a"], "at": [at(0)]}))


def test_no_tables_are_named(bank: SmallBank) -> None:
    with pytest.raises(LakeError, match="no table"):
        FeatureStore(bank.catalog)


def test_no_cases_get_no_rows(bank_lake: SmallBank, cases: pl.DataFrame) -> None:
    none = features_at(bank_lake.catalog, cases.clear())
    assert none.height == 0
    assert none.schema == features_at(bank_lake.catalog, cases[:1]).schema
