from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from replayed_bank import REPLAYED, ReplayedBank
from typer.testing import CliRunner

from casper_ray.bank_uses.history import REFERENCE
from casper_ray.cli import app
from casper_ray.lakehouse.names import Catalog, open_catalog
from casper_ray.medallion.runner import Runner, Wishes
from casper_ray.security.key_source import rotate_keys
from casper_ray.security.keys import Purpose

Copied = Callable[[ReplayedBank], ReplayedBank]
SILVER_AND_GOLD = {"silver_transactions", "silver_customers", "gold_pnl_daily", "gold_account_links"}


def dr_test(bank: ReplayedBank, day: int, *options: str) -> tuple[int, dict[str, Any], str]:
    ended = CliRunner().invoke(app, ["bank", "dr-test", "--day", str(day), *bank.options, *options, "--json"])
    return ended.exit_code, json.loads(ended.stdout.splitlines()[-1]), ended.stderr


@pytest.mark.parametrize("day", range(REPLAYED))
def test_a_day_is_rebuilt_row_by_row(four_days: ReplayedBank, day: int) -> None:
    code, told, err = dr_test(four_days, day)
    assert (code, told["equal"]) == (0, True), told
    assert told["tables"].keys() >= SILVER_AND_GOLD
    assert told["tables"]["silver_transactions"]["rows"] > 100
    assert told["rpo"]["sim_s"] == 0
    assert told["rpo"]["at_risk"]["sim_s"] == 6 * 3600
    assert told["rpo"]["at_risk"]["transactions"] > 10
    assert told["rto"]["wall_s"] > 0
    assert "batch 1" in err
    assert not (four_days.catalog.lake / "bank_dr").exists()


def test_a_deleted_row_is_found(four_days: ReplayedBank, copied: Copied) -> None:
    bank = copied(four_days)
    day_two = bank.table("silver_transactions").filter(pl.col("txn_day") == date(2024, 1, 3))
    lost = day_two.sort("_known_ts")["transaction_id"][0]
    bank.delta("silver_transactions").delete(f"transaction_id = '{lost}'")
    code, told, _ = dr_test(bank, 3)
    assert (code, told["equal"]) == (0, True)  # it was of another day
    code, told, _ = dr_test(bank, 2)
    assert code == 1
    silver = told["tables"]["silver_transactions"]
    assert (silver["missing"], silver["extra"], silver["differing"]) == (0, 1, 0)
    assert silver["examples"] == [{"key": {"transaction_id": lost}, "what": "extra", "columns": []}]
    assert not told["equal"]


def test_an_altered_row_is_found_and_its_values_are_not_shown(
    four_days: ReplayedBank, copied: Copied
) -> None:
    bank = copied(four_days)
    newest = (
        bank.table("gold_branch_performance").filter(pl.col("day") == date(2024, 1, 4)).row(0, named=True)
    )
    where = f"branch_id = '{newest['branch_id']}' AND day = '2024-01-04'"
    bank.delta("gold_branch_performance").update({"amount": "12345.67"}, predicate=where)
    ended = CliRunner().invoke(app, ["bank", "dr-test", "--day", "3", *bank.options])
    assert ended.exit_code == 1
    assert "different: gold_branch_performance" in ended.stdout
    assert f"differs in amount: branch_id {newest['branch_id']}, day 2024-01-04" in ended.stdout
    assert "12345.67" not in ended.stdout
    assert str(newest["amount"]) not in ended.stdout


def test_a_window_that_is_gone_from_the_volumes_is_a_loss(four_days: ReplayedBank, copied: Copied) -> None:
    bank = copied(four_days)
    for feed in ("card", "atm", "customer_cdc"):
        for file in bank.catalog.volume("simulator", feed).glob("r.w00000015.*"):
            file.unlink()
    code, told, _ = dr_test(bank, 3)
    silver = told["tables"]["silver_transactions"]
    assert code == 1
    assert silver["missing"] > 0
    assert silver["extra"] == silver["differing"] == 0
    assert 5 * 3600 < told["rpo"]["sim_s"] < 7 * 3600


def test_days_of_one_batch_are_rebuilt_to_its_end(tmp_path: Path) -> None:
    bank = ReplayedBank.at(tmp_path / "lake").replay(range(4), days_a_batch=2)
    code, told, _ = dr_test(bank, 0)
    assert code == 0
    assert told["rebuilt_until"] == "2024-01-03T00:00:00+00:00"


def test_keys_that_were_rotated_meanwhile_give_the_tokens_of_then(tmp_path: Path) -> None:
    bank = ReplayedBank.at(tmp_path / "lake").replay(range(2))
    rotate_keys(bank.catalog.state, Purpose.TOKEN)
    bank.replay(range(2, 4))
    assert [dr_test(bank, day)[0] for day in (1, 3)] == [0, 0]


def test_rules_of_then_judge(tmp_path: Path) -> None:
    """Rows that were refused then are refused again, though other rules would let them in."""
    bank = ReplayedBank.at(tmp_path / "lake")
    bank.replay(range(1))
    bank.land(1)
    list(Runner(REFERENCE, bank.catalog, Wishes(quality="none")).run_available())
    code, told, _ = dr_test(bank, 1)
    assert code == 0, told
    books = {row["quality"] for row in bank.table("batches").iter_rows(named=True)}
    assert len(books) == 2


def test_a_refresh_of_all_tables_is_rebuilt_by_its_own_terms(tmp_path: Path) -> None:
    bank = ReplayedBank.at(tmp_path / "lake").replay(range(2))
    rotate_keys(bank.catalog.state, Purpose.TOKEN)
    Runner(REFERENCE, bank.catalog).refresh()
    code, told, _ = dr_test(bank, 1)
    assert code == 0, told


def test_files_of_ones_own_count_from_when_they_came(four_days: ReplayedBank, copied: Copied) -> None:
    bank = copied(four_days)
    card = bank.catalog.volume("simulator", "card")
    line = next(card.glob("*.json")).read_bytes().splitlines()[0]
    own = {
        **json.loads(line),
        "event_id": "mine",
        "transaction_id": "T-mine",
        "ts": "2024-01-04 10:00:00.000",
    }
    (card / "mine.json").write_text(json.dumps(own) + "\n")
    bank.land(4)
    bank.take_in()
    assert dr_test(bank, 3)[0] == 0  # was not there then
    code, told, _ = dr_test(bank, 4)
    assert code == 0, told


def test_a_file_that_grew_is_as_long_as_it_was(four_days: ReplayedBank, copied: Copied) -> None:
    bank = copied(four_days)
    last = max(bank.catalog.volume("simulator", "card").iterdir())
    more = {**json.loads(last.read_bytes().splitlines()[0]), "event_id": "more", "transaction_id": "T-more"}
    with last.open("a") as file:
        file.write(json.dumps(more) + "\n")
    bank.land(4)
    bank.take_in()
    code, told, _ = dr_test(bank, 3)
    assert code == 0, told


def test_the_target_is_kept_where_asked_and_has_no_keys(four_days: ReplayedBank, copied: Copied) -> None:
    bank = copied(four_days)
    assert dr_test(bank, 3, "--keep", "--target-catalog", "bank_again")[0] == 0
    kept = ReplayedBank(Catalog(bank.catalog.lake, "bank_again"), bank.world)
    assert kept.table("silver_transactions").height == bank.table("silver_transactions").height
    assert not (kept.catalog.state / "keys.json").exists()
    code, told, _ = dr_test(bank, 3, "--target-catalog", "bank_again")
    assert code == 2
    assert "bank_again" in told["error"]["message"]
    assert kept.path("silver_transactions").is_dir()


def test_the_original_is_only_read(four_days: ReplayedBank) -> None:
    before = sorted((str(p), p.stat().st_mtime_ns) for p in four_days.catalog.root.rglob("*") if p.is_file())
    dr_test(four_days, 1)
    after = sorted((str(p), p.stat().st_mtime_ns) for p in four_days.catalog.root.rglob("*") if p.is_file())
    assert before == after


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--day", "6"), "--day 6: there is no such day. Hint: days are 0 to 5"),
        (("--day", "-1"), "--day -1: there is no such day"),
        (("--day", "4"), "--day 4: has not been replayed to its end; whole days are 0 to 3"),
        (("--day", "1", "--catalog", "elsewhere"), "has no catalog 'elsewhere'"),
        (("--day", "1", "--target-catalog", "bank_dev"), "is there already"),
        (("--day", "1", "--target-catalog", "../x"), "'../x' cannot be used"),
    ],
)
def test_what_cannot_be_is_one_line(four_days: ReplayedBank, options: tuple[str, ...], said: str) -> None:
    ended = CliRunner().invoke(app, ["bank", "dr-test", *four_days.options, *options])
    assert ended.exit_code == 2
    assert said in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert ended.stdout == ""


def test_a_catalog_of_another_business_is_refused(tmp_path: Path) -> None:
    catalog = open_catalog(str(tmp_path), "caspers")
    catalog.world_file.write_text(json.dumps({"domain": "kitchen"}))
    options = ("--day", "1", "--lake", str(tmp_path), "--catalog", "caspers")
    ended = CliRunner().invoke(app, ["bank", "dr-test", *options])
    assert ended.exit_code == 2
    assert "holds no bank" in ended.stderr
