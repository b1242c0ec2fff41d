from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import polars as pl
import pytest
from replayed_bank import DAYS, ReplayedBank
from typer.testing import CliRunner

from casper_ray.bank_uses.stress_days import stress_days, with_coverage
from casper_ray.cli import app

SHOCK_FROM, SHOCK_TO = 10, 17
SCENARIO = f"""
description: Cash <fast> & no pay.
days: 20
customers: 300
shocks:
  - name: run_on_cash
    days: [{SHOCK_FROM}, {SHOCK_TO}]
    cash: 3.0
    volume: 0.5
    unemployment: 1.0
"""


@pytest.fixture
def scenario(tmp_path: Path) -> str:
    file = tmp_path / "run_on_cash.yml"
    file.write_text(SCENARIO)
    return str(file)


def stress(*options: str) -> tuple[int, dict[str, Any]]:
    ended = CliRunner().invoke(app, ["bank", "stress", *options, "--json"])
    return ended.exit_code, json.loads(ended.stdout.splitlines()[-1])


def test_days_differ_as_the_scenario_says_and_not_before(scenario: str) -> None:
    code, told = stress("--scenario", scenario)
    assert code == 0
    base, under = told["baseline"]["by_day"], told["stressed"]["by_day"]
    assert len(base) == len(under) == 20
    assert base[:SHOCK_FROM] == under[:SHOCK_FROM]
    shocked = slice(SHOCK_FROM, SHOCK_TO + 1)
    assert sum_of(under[shocked], "cash_out") > 2 * sum_of(base[shocked], "cash_out")
    assert sum_of(under[shocked], "purchases") < sum_of(base[shocked], "purchases") * 7 / 10
    assert sum_of(base[shocked], "pay") > 0
    assert sum_of(under[shocked], "pay") == sum_of(under[shocked], "pay_amount") == 0
    assert Decimal(under[-1]["hqla"]) < Decimal(base[-1]["hqla"])
    assert told["stressed"]["totals"]["lcr_lowest"] < told["baseline"]["totals"]["lcr_lowest"]
    first = told["turns"][0]
    assert (first["number"], first["day"]) == (SHOCK_FROM, "2024-01-11")
    assert first["why"].startswith("run_on_cash begins")
    assert told["turns"][-1]["number"] == 19
    assert any("most cash" in turn["why"] for turn in told["turns"])


def test_crimes_are_dealt_alike() -> None:
    """Before it begins, a scenario of fewer transactions has no fewer crimes."""
    _, told = stress("--scenario", "march_2020", "--days", "70", "--customers", "1000")
    base, under = told["baseline"]["by_day"], told["stressed"]["by_day"]
    assert base[:66] == under[:66]
    assert base[66:] != under[66:]


def sum_of(days: list[dict[str, Any]], name: str) -> Decimal:
    return sum((Decimal(str(day[name])) for day in days), Decimal(0))


def test_the_same_seed_gives_the_same_answer_and_another_seed_another(scenario: str) -> None:
    one, again, other = (stress("--scenario", scenario, *seed)[1] for seed in ((), (), ("--seed", "7")))
    assert one["stressed"] == again["stressed"]
    assert one["stressed"] != other["stressed"]
    assert other["baseline"]["by_day"][0] != one["baseline"]["by_day"][0]


def test_flows_are_those_of_the_tables(tmp_path: Path) -> None:
    """All of a world's days: what the lake's gold_liquidity_daily says comes to what the world says."""
    bank = ReplayedBank.at(tmp_path / "lake").replay(range(DAYS + 2), days_a_batch=DAYS + 2)
    gold = bank.table("gold_liquidity_daily").sort("day")
    world = pl.concat(list(stress_days(bank.world)))
    for name in ("card_in", "card_out", "cash_in", "cash_out", "transfers_in", "transfers_out"):
        assert gold[name].sum() == world[name].sum(), name
        assert gold[name].sum() > 0
    last = with_coverage(world, 5_000)
    assert last["hqla"][-1] == gold["hqla"][-1]
    assert world["chargeback_loss"].sum() == bank.table("gold_pnl_daily")["fraud_losses"].sum()
    silver = bank.table("silver_transactions")
    assert world["declined"].sum() == silver.filter(status="declined").height
    assert world["purchases"].sum() == silver.filter(status="posted", transaction_type="purchase").height


def test_assets_are_in_proportion_to_customers(scenario: str) -> None:
    small, large = (stress("--scenario", scenario, "--customers", number)[1] for number in ("200", "400"))
    hqla = [Decimal(told["baseline"]["by_day"][0]["hqla"]) for told in (small, large)]
    net = [Decimal(told["baseline"]["by_day"][0]["net"]) for told in (small, large)]
    assert hqla[1] - net[1] == 2 * (hqla[0] - net[0])


def test_the_chart_needs_nothing_but_itself(scenario: str, tmp_path: Path) -> None:
    file = tmp_path / "stress.html"
    ended = CliRunner().invoke(app, ["bank", "stress", "--scenario", scenario, "--chart", str(file)])
    assert ended.exit_code == 0
    text = file.read_text()
    drawings = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    assert len(drawings) == 8
    for drawing in drawings:
        ElementTree.fromstring(drawing)
    bare = re.sub(r'xmlns(:xlink)?="[^"]*"', "", text)
    assert "http" not in bare
    assert "<script" not in bare
    assert "Cash &lt;fast&gt; &amp; no pay." in text
    assert "run_on_cash, day 10 to 17" in text
    for drawing in drawings:
        lines = [drawn(drawing, colour) for colour in ("--muted", "--bad")]
        assert all(lines)
        assert lines[0] != lines[1] or "Charged back" in drawing


def drawn(drawing: str, colour: str) -> list[str]:
    """The lines of a colour, as Vega draws them."""
    return re.findall(rf'd="(M[^"]*L[^"]*)"[^>]*stroke="var\({colour}\)"', drawing)


def test_as_lines(scenario: str) -> None:
    ended = CliRunner().invoke(app, ["bank", "stress", "--scenario", scenario])
    assert ended.exit_code == 0
    assert "day 10: run_on_cash begins" in ended.stdout
    assert re.search(r"^cash out +[\d,]+ +[\d,]+ +\+\d+\.\d %$", ended.stdout, re.MULTILINE)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--scenario", "march_2020", "--days", "30"), "march_2020 begins on day 66; no day before differs"),
        (("--scenario", "bank_baseline"), "simulates what the baseline does"),
        (("--scenario", "nonsense"), "scenario 'nonsense': unknown"),
        (("--scenario", "march_2020", "--customers", "3"), "customers"),
        (("--scenario", "march_2020", "--days", "0"), "days"),
        (("--scenario", "march_2020", "--seed", "-1"), "seed"),
    ],
)
def test_what_cannot_be_is_one_line(options: tuple[str, ...], said: str) -> None:
    ended = CliRunner().invoke(app, ["bank", "stress", *options])
    assert ended.exit_code == 2
    assert said in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_a_chart_that_cannot_be_written_is_one_line(scenario: str, tmp_path: Path) -> None:
    file = tmp_path / "a_file"
    file.touch()
    ended = CliRunner().invoke(
        app, ["bank", "stress", "--scenario", scenario, "--chart", str(file / "stress.html")]
    )
    assert ended.exit_code == 2
    assert "cannot be written" in ended.stderr.splitlines()[-1]
