"""A small world's lake, and cases of it."""

from __future__ import annotations

import random
from datetime import timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from small_bank import SmallBank

from casper_ray.agents.features.cases import CASE_SCHEMA, cases_of


@pytest.fixture
def bank(tmp_path: Any) -> SmallBank:
    return SmallBank.at(tmp_path)


@pytest.fixture(scope="session")
def cases(bank_lake: SmallBank) -> pl.DataFrame:
    """Of 400 transactions; some of another account, of what nobody has, of days later, or with nothing told."""
    chance = random.Random(11)
    rows = cases_of(bank_lake.table("silver_transactions")).rows(named=True)
    found = chance.sample(rows, 400)
    for case in chance.sample(found, 80):
        case |= {"account_token": chance.choice(rows)["account_token"], "transaction_id": None}
    for case in chance.sample(found, 80):
        case["at"] += timedelta(hours=chance.randrange(60))
    for case in chance.sample(found, 40):
        case |= dict.fromkeys(("counterparty_token", "device_token", "merchant_id", "lat", "lon", "txn_ts"))
    for case in chance.sample(found, 40):
        other = chance.choice(rows)
        case |= {name: other[name] for name in ("counterparty_token", "device_token", "merchant_id")}
    found[0] |= {"account_token": "nobody's", "counterparty_token": "nobody", "merchant_id": "none"}
    found[1] |= {"amount_base": Decimal("0.01"), "transaction_id": None}
    return pl.DataFrame(found, schema=CASE_SCHEMA, orient="row")
