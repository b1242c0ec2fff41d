"""A small world's lake, and cases of it."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from small_bank import SmallBank
from told_bank import fill, small_world

from casper_ray.agents.features.cases import CASE_SCHEMA

_DECIDED = {"transaction_id": "transaction_id", "at": "_known_ts", "txn_ts": "txn_ts"}
_TOLD = ("account_token", "amount_base", "counterparty_token", "device_token", "merchant_id", "lat", "lon")

CaseOf = Callable[[dict[str, Any]], dict[str, Any]]


@pytest.fixture(autouse=True)
def _no_keys_in_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ray.is_initialized", lambda: False)
    for name in ("CASPER_TOKEN_KEYS", "CASPER_TOKEN_KEYS_FILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def world_lake(tmp_path_factory: pytest.TempPathFactory) -> SmallBank:
    """Six days of 120 customers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ray.is_initialized", lambda: False)
        for name in ("CASPER_TOKEN_KEYS", "CASPER_TOKEN_KEYS_FILE"):
            patch.delenv(name, raising=False)
        return fill(tmp_path_factory.mktemp("features"), small_world())


@pytest.fixture
def bank(tmp_path: Any) -> SmallBank:
    return SmallBank.at(tmp_path)


@pytest.fixture(scope="session")
def case_of() -> CaseOf:
    """The case of a transaction of Silver: at the instant from which it was known."""

    def case(row: dict[str, Any]) -> dict[str, Any]:
        asked = {name: row[name] for name in _TOLD} | {name: row[of] for name, of in _DECIDED.items()}
        return {"case_id": f"case-{row['transaction_id']}", **asked}

    return case


@pytest.fixture(scope="session")
def cases(world_lake: SmallBank, case_of: CaseOf) -> pl.DataFrame:
    """Of 400 transactions; some of another account, of what nobody has, of days later, or with nothing told."""
    chance = random.Random(11)
    rows = chance.sample(list(world_lake.transactions().values()), 400)
    found = [case_of(row) for row in rows]
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
