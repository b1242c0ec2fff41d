"""The history of customers, from changes in any order."""

from __future__ import annotations

import json
from decimal import Decimal
from itertools import permutations
from pathlib import Path

import polars as pl
import pytest
from small_bank import IBAN, NAME, OTHER_NAME, SmallBank, change, customer, wire

from casper_ray.security.domains import Domain

FIRST, SECOND = customer(), customer(phone="+999 987654321", limit_card="100.00")
CHANGES = (
    change(1, 1, FIRST),
    change(2, 2, SECOND, FIRST),
    change(3, 5, None, SECOND),
    change(1, 3, customer(2), number=2),
)
_STAMPS = "_known_ts"


def history(bank: SmallBank) -> pl.DataFrame:
    return bank.table("silver_customers").sort("customer_id", "lsn")


def test_every_version_says_when_it_held(bank: SmallBank) -> None:
    bank.drop("customer_cdc", "a.json", *CHANGES)
    bank.run()
    told = history(bank).select(
        "customer_id",
        "lsn",
        pl.col("valid_from", "valid_to").dt.hour(),
        "is_current",
        "deleted",
        "complete",
        "limit_card",
    )
    limit, lower = Decimal("2500.00"), Decimal("100.00")
    assert told.rows() == [
        ("C000000001", 1, 1, 2, False, False, True, limit),
        ("C000000001", 2, 2, 5, False, False, True, lower),
        ("C000000001", 3, 5, None, False, True, True, None),
        ("C000000002", 1, 3, None, True, False, True, limit),
    ]


@pytest.mark.parametrize("order", list(permutations(range(4)))[7::12])
def test_the_order_in_which_changes_come_does_not_matter(tmp_path: Path, order: tuple[int, ...]) -> None:
    straight, shuffled = SmallBank.at(tmp_path / "a"), SmallBank.at(tmp_path / "b")
    straight.drop("customer_cdc", "a.json", *CHANGES)
    straight.run()
    for file, place in enumerate(order):
        shuffled.drop("customer_cdc", f"{file}.json", CHANGES[place])
        shuffled.run()
    tokens = [name for name in history(straight).columns if name.endswith(("_token", "_sealed"))]
    assert history(shuffled).drop(_STAMPS, *tokens).equals(history(straight).drop(_STAMPS, *tokens))
    assert (
        history(shuffled)
        .select(pl.col(tokens).is_null())
        .equals(history(straight).select(pl.col(tokens).is_null()))
    ), "each lake has keys of its own"


def test_changes_that_come_again_change_nothing(bank: SmallBank) -> None:
    bank.drop("customer_cdc", "a.json", *CHANGES)
    bank.run()
    before = history(bank)
    bank.drop("customer_cdc", "b.json", *CHANGES, change(2, 2, SECOND, FIRST, event="K-resent"))
    bank.run()
    assert history(bank).equals(before)
    assert bank.table("customer_cdc").height == 9, "Bronze has all that came"


def test_an_update_waits_for_its_insert(bank: SmallBank) -> None:
    bank.drop("customer_cdc", "a.json", change(2, 2, SECOND, FIRST))
    bank.run()
    assert history(bank).select("lsn", "is_current", "complete").rows() == [(2, True, False)]
    bank.drop("customer_cdc", "b.json", change(1, 1, FIRST))
    bank.run()
    assert history(bank).select("lsn", "is_current", "complete").rows() == [(1, False, True), (2, True, True)]


def test_what_is_personal_is_a_token_and_the_vault_gives_name_and_phone_back(bank: SmallBank) -> None:
    given, family = OTHER_NAME.split(" ", 1)
    bank.drop("customer_cdc", "a.json", change(1, 1, customer(given_name=given, family_name=family)))
    bank.drop("wire", "a.json", wire(1, payee_name="zo\u00ebra 'z' o'korval".replace("'z'", '"Z"')))
    bank.run()
    row = history(bank).row(0, named=True)
    tokens, vault = bank.tokeniser(), bank.vault()
    assert row["account_token"] == tokens.token(Domain.ACCOUNT, IBAN)
    assert row["birth_date_token"] == tokens.token(Domain.BIRTH_DATE, "1984-02-29")
    assert row["address_token"] == tokens.token(Domain.ADDRESS, "17 Elder Tower Lane, Altenquay")
    assert vault.open(Domain.NAME, row["name_sealed"]) == OTHER_NAME, "quotes, marks and all"
    assert vault.open(Domain.PHONE, row["phone_sealed"]) == "+999 123456789"
    (paid,) = bank.transactions().values()
    assert paid["counterparty_name_token"] == row["name_token"], "a payee who is a customer is known by name"
    assert tokens.token(Domain.NAME, NAME) != row["name_token"]


def test_a_change_without_a_readable_row_is_kept_aside_without_what_it_said(bank: SmallBank) -> None:
    broken = json.loads(change(2, 2, SECOND, FIRST))
    bank.drop(
        "customer_cdc",
        "a.json",
        change(1, 1, FIRST),
        json.dumps(broken | {"after": "Dormira Quarinov {"}).encode() + b"\n",
        json.dumps(broken | {"after": SECOND | {"devices": "many"}, "lsn": 3}).encode() + b"\n",
    )
    bank.run()
    quarantine = bank.table("quarantine")
    assert quarantine["table"].unique().to_list() == ["customer_changes"]
    assert set(quarantine["line"].str.json_path_match("$.lsn")) >= {"2"}
    assert "Quarinov" not in quarantine.write_csv()
    assert history(bank)["lsn"].to_list()[0] == 1


def test_customers_of_other_ids_have_a_folder_of_their_own(bank: SmallBank) -> None:
    strange = json.loads(change(1, 1, FIRST)) | {"customer_id": "../../x"}
    bank.drop("customer_cdc", "a.json", *CHANGES, json.dumps(strange).encode() + b"\n")
    bank.run()
    folder = bank.catalog.table("retail_banking", "silver_customers")
    assert {path.name for path in folder.glob("bucket=*")} == {"bucket=C000000", "bucket=other"}
    assert bank.table("silver_customers").height == 5


def test_a_version_below_one_is_kept_aside(bank: SmallBank) -> None:
    bank.drop("customer_cdc", "a.json", change(0, 1, FIRST))
    bank.run()
    assert bank.table("quarantine")["rule"].to_list() == ["version_numbered"]
