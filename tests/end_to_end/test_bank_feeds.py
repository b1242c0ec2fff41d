"""The bank by the main job: each feed in its volume, its truth beside it, a run that goes on, and its tables."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

import polars as pl
import pytest
from children import MEDALLION, SIM, Children, Ended

from casper_ray.domain.time import US_PER_DAY, sim_micros
from casper_ray.sim.bank.scenario import load_bank_scenario
from casper_ray.sim.bank.world import BankWorld

pytestmark = [pytest.mark.cli, pytest.mark.ray]

WORLD = BankWorld.build(load_bank_scenario("bank_baseline"), 42)
START = sim_micros(WORLD.epoch)
CASPER = (sys.executable, "-c", "from casper_ray.cli import main; main()")
FEEDS = ("card", "atm", "wire", "customer_cdc")


def run(children: Children, lake: Path, until_day: str, *options: str) -> Ended:
    where = ("--domain", "bank", "--lake", str(lake), "--no-pipeline", "--speed", "max", "--json")
    ended = children.run(*SIM, *where, "--until-day", until_day, *options)
    assert ended.code == 0, ended.err
    return ended


def volume_lines(lake: Path, feed: str) -> Counter[bytes]:
    files = (lake / "bank_dev" / "simulator" / "_volumes" / feed).glob("*.json")
    return Counter(line for path in files for line in path.read_bytes().split(b"\n") if line)


def world_lines(feed: str, days: float) -> Counter[bytes]:
    events = WORLD.events(feed, START, START + round(days * US_PER_DAY))
    return Counter(line for line in WORLD.lines(feed, events).split(b"\n") if line)


def table(lake: Path, name: str) -> pl.DataFrame:
    return pl.read_delta(str(lake / "bank_dev" / name))


def test_two_runs_land_what_the_world_tells_feed_by_feed_with_its_truth(
    children: Children, tmp_path: Path
) -> None:
    first = run(children, tmp_path, "0.8").summary
    assert table(tmp_path, "truth/transactions").is_empty(), "no day has passed yet"
    second = run(children, tmp_path, "2").summary
    assert (first["sim_to"], second["sim_to"]) == ("2024-01-01T19:12:00Z", "2024-01-03T00:00:00Z")
    lines = {feed: volume_lines(tmp_path, feed) for feed in FEEDS}
    assert lines == {feed: world_lines(feed, 2) for feed in FEEDS}
    assert first["events"] + second["events"] == sum(found.total() for found in lines.values())
    assert "orders" not in second
    settled = sum(b'"transaction_settled"' in line for found in lines.values() for line in found.elements())
    assert first["transactions"] + second["transactions"] == settled
    told = pl.concat([WORLD.truth_transactions(day) for day in range(2)])
    by = ["transaction_id"]
    assert table(tmp_path, "truth/transactions").sort(by).equals(told.sort(by))
    assert table(tmp_path, "truth/cases").equals(WORLD.truth_cases())
    assert set(table(tmp_path, "simulator/branches")["branch_id"]) >= {
        json.loads(line)["branch_id"] for line in lines["wire"]
    }


def test_every_fault_can_be_put_on_the_bank(children: Children, tmp_path: Path) -> None:
    run(children, tmp_path, "0.9", "--scenario", "bank_baseline+all_faults")
    for feed in FEEDS:
        told, plain = volume_lines(tmp_path, feed), world_lines(feed, 0.9)
        assert told != plain, feed
        ids = {line[:40] for line in plain}
        assert sum(line[:40] in ids for line in told.elements()) > 0.9 * len(ids), feed


def test_the_banks_tables_are_kept_and_named_without_their_schema(children: Children, tmp_path: Path) -> None:
    where = ("--lake", str(tmp_path), "--catalog", "bank_dev")
    ended = children.run(*SIM, "--domain", "bank", *where, "--speed", "max", "--until-day", "1", "--json")
    assert ended.code == 0, ended.err
    tables = {name: table["rows"] for name, table in ended.summary["tables"].items()}
    for feed, bronze in zip(FEEDS, ("card_events", "atm_events", "wire_events", "customer_cdc"), strict=True):
        assert tables[f"retail_banking.{bronze}"] == world_lines(feed, 1).total(), feed
    branches = table(tmp_path, "retail_banking/gold_branch_performance")
    assert 0 < branches["transactions"].sum() <= tables["retail_banking.silver_transactions"]
    shown = children.run(*CASPER, "lake", "show", "gold_branch_performance", *where)
    assert f"of {branches.height} rows of retail_banking.gold_branch_performance" in shown.out
    again = children.run(*MEDALLION, "run", *where, "--json").summary
    assert (again["pipeline"], again["batches"]) == ("bank", 0)
    assert children.run(*CASPER, "lake", "fsck", *where).out.strip() == "nothing amiss"


def test_keys_that_were_made_for_trying_out_are_told_of_and_given_ones_are_not(
    children: Children, tmp_path: Path
) -> None:
    story = ("--domain", "bank", "--lake", str(tmp_path), "--speed", "max")
    first = children.run(*SIM, *story, "--until-day", "0.1")
    assert first.code == 0, first.err
    file = tmp_path / "bank_dev" / "_casper" / "keys.json"
    assert f"key file {file}: development keys" in first.out
    assert file.stat().st_mode & 0o777 == 0o600
    file.chmod(0o644)
    refused = children.run(*SIM, *story, "--until-day", "0.2")
    assert refused.code == 2
    (line,) = refused.err.splitlines()
    assert str(file) in line
    assert "chmod 600" in line
