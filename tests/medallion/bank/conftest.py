"""A bank's lake per test, and an environment that names no keys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from small_bank import SmallBank
from told_bank import expected_silver, fill, small_world

from casper_ray.security.key_source import load_keys
from casper_ray.security.tokens import Tokeniser


@pytest.fixture(autouse=True)
def _no_keys_in_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CASPER_TOKEN_KEYS", "CASPER_TOKEN_KEYS_FILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def bank(tmp_path: Path) -> SmallBank:
    return SmallBank.at(tmp_path)


@pytest.fixture
def tokeniser(tmp_path: Path) -> Tokeniser:
    """With development keys of its own."""
    return Tokeniser(load_keys(tmp_path / "keys").ring)


@pytest.fixture(scope="session")
def told(tmp_path_factory: pytest.TempPathFactory) -> SmallBank:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ray.is_initialized", lambda: False)
        for name in ("CASPER_TOKEN_KEYS", "CASPER_TOKEN_KEYS_FILE"):
            patch.delenv(name, raising=False)
        return fill(tmp_path_factory.mktemp("told"), small_world())


@pytest.fixture(scope="session")
def silver(told: SmallBank) -> dict[str, dict[str, Any]]:
    return expected_silver(told)


@pytest.fixture(scope="session")
def both_sides(silver: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """A row for each account that a transaction moves."""
    rows = list(silver.values())
    return rows + [
        {**row, "account_token": row["counterparty_token"], "direction": "in"}
        for row in rows
        if row["internal"] and row["status"] == "posted"
    ]
