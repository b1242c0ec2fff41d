"""A bank's lake per test, and an environment that names no keys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from small_bank import SmallBank
from told_bank import expected_silver

from casper_ray.security.key_source import load_keys
from casper_ray.security.tokens import Tokeniser


@pytest.fixture
def bank(tmp_path: Path) -> SmallBank:
    return SmallBank.at(tmp_path)


@pytest.fixture
def tokeniser(tmp_path: Path) -> Tokeniser:
    """With development keys of its own."""
    return Tokeniser(load_keys(tmp_path / "keys").ring)


@pytest.fixture(scope="session")
def silver(bank_lake: SmallBank) -> dict[str, dict[str, Any]]:
    return expected_silver(bank_lake)


@pytest.fixture(scope="session")
def both_sides(silver: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """A row for each account that a transaction moves."""
    rows = list(silver.values())
    return rows + [
        {**row, "account_token": row["counterparty_token"], "direction": "in"}
        for row in rows
        if row["internal"] and row["status"] == "posted"
    ]
