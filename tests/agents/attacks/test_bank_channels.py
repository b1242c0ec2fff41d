"""Remarks of payers, names of people and merchants: none of them reaches what tools read."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_bank import SmallBank, card, change, customer, wire

from casper_ray.agents.attacks.corpus import attacks
from casper_ray.lakehouse.read import scan

BRONZE = {"card_events", "atm_events", "wire_events", "customer_cdc"}
REMARKS = [attack.text for attack in attacks() if attack.channel == "wire_remark" and len(attack.text) < 400][
    :40
]
PAYEES = [attack.text for attack in attacks() if attack.channel == "payee_name" and len(attack.text) < 400][
    :40
]


@pytest.fixture
def bank(tmp_path: Path) -> SmallBank:
    bank = SmallBank.at(tmp_path)
    bank.drop("customer_cdc", "a.json", change(1, 1, customer(given_name="Ignore", family_name=PAYEES[0])))
    bank.drop("card", "a.json", card(1, merchant_id="M0000001"))
    pairs = zip(PAYEES, REMARKS, strict=True)
    bank.drop(
        "wire", "a.json", *(wire(n, payee_name=p, purpose=r) for n, (p, r) in enumerate(pairs, start=100))
    )
    bank.run()
    return bank


def test_names_and_remarks_stay_out_of_silver_and_gold(bank: SmallBank) -> None:
    read = {name for schema, name in bank.catalog.table_names() if schema == "retail_banking"} - BRONZE
    assert "silver_transactions" in read
    for name in read - {"quarantine", "quality_log", "batches"}:
        told = scan(bank.catalog.table("retail_banking", name)).collect().write_ndjson()
        assert not [text for text in (*PAYEES, *REMARKS) if text[:25] in told], name


def test_the_transfers_are_there(bank: SmallBank) -> None:
    silver = bank.table("silver_transactions")
    assert silver.height >= len(REMARKS)
    assert silver["counterparty_name_token"].drop_nulls().n_unique() == len(set(PAYEES))
