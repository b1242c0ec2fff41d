"""A bank's lake per test, and an environment that names no keys."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_bank import SmallBank


@pytest.fixture(autouse=True)
def _no_keys_in_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CASPER_TOKEN_KEYS", "CASPER_TOKEN_KEYS_FILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def bank(tmp_path: Path) -> SmallBank:
    return SmallBank.at(tmp_path)
