from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from replayed_bank import REPLAYED, ReplayedBank
from typer.testing import CliRunner

from casper_ray.cli import app
from casper_ray.lakehouse.names import open_catalog

Copied = Callable[[ReplayedBank], ReplayedBank]
SILVER_AND_GOLD = {"silver_transactions", "silver_customers", "gold_pnl_daily", "gold_account_links"}


def dr_test(bank: ReplayedBank, day: int, *options: str) -> tuple[int, dict[str, object], str]:
    ended = CliRunner().invoke(app, ["bank", "dr-test", "--day", str(day), *bank.options, *options, "--json"])
    return ended.exit_code, json.loads(ended.stdout.splitlines()[-1]), ended.stderr


@pytest.mark.parametrize("day", range(REPLAYED))
def test_a_day_is_rebuilt_row_by_row(four_days: ReplayedBank, day: int) -> None:
    code, told, err = dr_test(four_days, day)
    assert told["equal"] and code == 0, told
    assert SILVER_AND_GOLD <= told["tables"].keys()
    assert told["tables"]["silver_transactions"]["rows"] > 100
    assert told["rpo"]["sim_s"] == 0
    assert told["rpo"]["at_risk"]["sim_s"] == 6 * 3600
    assert told["rpo"]["at_risk"]["transactions"] > 10
    assert told["rto"]["wall_s"] > 0
    assert "batch 1" in err
    assert not (four_days.catalog.lake / "bank_dr").exists()
