from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from replayed_bank import ReplayedBank
from typer.testing import CliRunner

from casper_ray.bank_uses.alerts import alerted, columns_of
from casper_ray.cli import app
from casper_ray.medallion.bank.rules import bank_rules, load_rules

Copied = Callable[[ReplayedBank], ReplayedBank]
LARGE = """
transactions:
  - {code: LARGE, title: Large, sql: amount_base >= 400, points: 10}
"""
MANY_OUT = """
transactions:
  - {code: ABROAD, title: Abroad, sql: "country <> 'QZ'", points: 10}
days:
  - code: MANY_OUT
    title: Many out
    by: account
    where: status = 'posted' AND direction = 'out'
    at_least: 3
    amount_at_least: 150
    points: 10
"""


@pytest.fixture
def rules(tmp_path: Path) -> tuple[str, str]:
    files = (tmp_path / "large.yml", tmp_path / "many.yml")
    for file, text in zip(files, (LARGE, MANY_OUT), strict=True):
        file.write_text(text)
    return str(files[0]), str(files[1])


def back_test(bank: ReplayedBank, *options: str) -> tuple[int, dict[str, Any]]:
    ended = CliRunner().invoke(app, ["bank", "back-test", *bank.options, *options, "--json"])
    return ended.exit_code, json.loads(ended.stdout.splitlines()[-1])


def test_figures_are_what_counting_row_by_row_gives(four_days: ReplayedBank, rules: tuple[str, str]) -> None:
    code, told = back_test(four_days, "--rules", *rules)
    assert code == 0
    rows = {row["transaction_id"]: row for row in four_days.table("silver_transactions").to_dicts()}
    truth = {row["transaction_id"]: row for row in four_days.table("transactions", "truth").to_dicts()}
    a = {key for key, row in rows.items() if row["amount_base"] >= 400}
    b = {key for key, row in rows.items() if row["country"] not in (None, "QZ")} | many_out(rows)
    crimes = {key for key in rows if truth[key]["is_crime"]}
    assert len(crimes) > 10
    assert (told["transactions"], told["crimes"]) == (len(rows), len(crimes))
    for name, alerts in {"a": a, "b": b, "both": a & b, "only_a": a - b, "only_b": b - a}.items():
        assert alerts, name
        score = told[name]
        assert score["alerts"] == len(alerts)
        assert score["caught"] == len(alerts & crimes)
        assert score["caught"] + score["false_positives"] + score["after"] == len(alerts)
        worth = sum((rows[key]["amount_base"] for key in alerts & crimes if posted(rows[key])), Decimal(0))
        assert Decimal(score["value"]) == worth
        assert score["recall"] == pytest.approx(len(alerts & crimes) / len(crimes))
        judged = score["caught"] + score["false_positives"]
        assert score["precision"] == pytest.approx(len(alerts & crimes) / judged)
    by_typology = Counter(truth[key]["typology"] for key in crimes)
    assert {name: of["crimes"] for name, of in told["typologies"].items()} == by_typology
    for name, of in told["typologies"].items():
        mine = {key for key in crimes if truth[key]["typology"] == name}
        assert (of["a"], of["b"]) == (len(mine & a), len(mine & b))
        assert (of["only_a"], of["only_b"]) == (len(mine & a - b), len(mine & b - a))
        cases = {truth[key]["case_id"] for key in mine}
        assert of["cases"] == len(cases)
        assert of["cases_a"] == len({truth[key]["case_id"] for key in mine & a})


def many_out(rows: dict[str, dict[str, Any]]) -> set[str]:
    """Counted with a loop: transactions of accounts' days that MANY_OUT flags."""
    days: dict[tuple[str, object], list[str]] = {}
    for key, row in rows.items():
        if posted(row) and row["direction"] == "out":
            days.setdefault((row["account_token"], row["txn_day"]), []).append(key)
    return {
        key
        for keys in days.values()
        if len(keys) >= 3 and sum(rows[key]["amount_base"] for key in keys) >= 150
        for key in keys
    }


def posted(row: dict[str, Any]) -> bool:
    return bool(row["status"] == "posted")


def test_alerts_are_those_of_gold(four_days: ReplayedBank) -> None:
    """The same rules give the alerts that the pipeline's tables flag."""
    silver = four_days.table("silver_transactions")
    found = set(alerted(silver.select(columns_of(bank_rules())), bank_rules()))
    flagged = set(four_days.table("gold_suspicious_activity")["transaction_id"])
    assert flagged
    assert flagged <= found
    of_days = found - flagged
    days = four_days.table("gold_suspicious_days").filter("flagged")
    assert bool(of_days) == bool(days.height)
    subjects = set(days["subject_id"])
    by_id = {row["transaction_id"]: row for row in silver.to_dicts()}
    names = ("account_token", "card_token", "merchant_id", "counterparty_token")
    assert all(subjects & {by_id[key][name] for name in names} for key in of_days)


def test_shipped_rules_differ_in_the_way_they_say(four_days: ReplayedBank) -> None:
    _, told = back_test(four_days, "--rules", "bank", "bank_strict")
    assert told["b"]["alerts"] > told["a"]["alerts"]
    assert told["b"]["recall"] >= told["a"]["recall"]
    assert load_rules("bank_strict").transactions


def test_days_can_be_chosen(four_days: ReplayedBank, rules: tuple[str, str]) -> None:
    _, whole = back_test(four_days, "--rules", *rules)
    parts = [
        back_test(four_days, "--rules", *rules, *days)[1]
        for days in (("--until-day", "1"), ("--from-day", "1", "--until-day", "3"), ("--from-day", "3"))
    ]
    assert sum(part["transactions"] for part in parts) == whole["transactions"]
    assert sum(part["a"]["alerts"] for part in parts) == whole["a"]["alerts"]
    assert sum(part["b"]["caught"] for part in parts) == whole["b"]["caught"]


def test_what_undoes_a_crime_is_no_false_alarm(
    four_days: ReplayedBank, copied: Copied, tmp_path: Path
) -> None:
    bank = copied(four_days)
    silver = bank.table("silver_transactions")
    truth = bank.table("transactions", "truth")
    crime = truth.filter(pl.col("is_crime")).row(0, named=True)
    chargeback = silver.filter(pl.col("txn_day") == silver["txn_day"].min()).head(1)
    told = {"transaction_id": "T-undone", "transaction_type": "chargeback"}
    chargeback.with_columns(**{name: pl.lit(text) for name, text in told.items()}).write_delta(
        str(bank.path("silver_transactions")), mode="append"
    )
    undone = {**crime, "transaction_id": "T-undone", "is_crime": False, "typology": None}
    pl.DataFrame([undone], schema=truth.schema).with_columns(ts=chargeback["txn_ts"][0]).write_delta(
        str(bank.path("transactions", "truth")), mode="append"
    )
    file = tmp_path / "disputes.yml"
    file.write_text(
        "transactions:\n  - {code: D, title: D, sql: \"transaction_type = 'chargeback'\", points: 1}"
    )
    _, told_of = back_test(bank, "--rules", str(file), "bank")
    assert told_of["a"]["after"] == 1
    assert (told_of["a"]["caught"], told_of["a"]["false_positives"]) == (0, 0)
    assert told_of["a"]["precision"] is None


def test_as_lines(four_days: ReplayedBank) -> None:
    ended = CliRunner().invoke(
        app, ["bank", "back-test", *four_days.options, "--rules", "bank", "bank_strict"]
    )
    assert ended.exit_code == 0
    assert "A: bank " in ended.stdout
    assert "account_takeover" in ended.stdout
    assert "not in the truth" not in ended.stdout


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ("--rules", "bank", "nonsense"),
            "--rules nonsense: there are no such rules. Hint: known are bank, ",
        ),
        (("--rules", "bank", "gone.yml"), "--rules gone.yml: there are no such rules"),
        (("--rules", "bank", "bank", "--from-day", "3", "--until-day", "3"), "there are none"),
        (("--rules", "bank", "bank", "--until-day", "6"), "day 5: has not been replayed"),
        (("--rules", "bank", "bank", "--until-day", "9"), "day 8: there is no such day"),
        (("--rules", "bank", "bank", "--from-day", "-1"), "days from -1"),
        (("--rules", "bank", "bank", "--catalog", "elsewhere"), "has no catalog 'elsewhere'"),
    ],
)
def test_what_cannot_be_is_one_line(four_days: ReplayedBank, options: tuple[str, ...], said: str) -> None:
    ended = CliRunner().invoke(app, ["bank", "back-test", *four_days.options, *options])
    assert ended.exit_code == 2
    assert said in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_a_rule_that_cannot_be_evaluated_is_refused(four_days: ReplayedBank, tmp_path: Path) -> None:
    file = tmp_path / "odd.yml"
    file.write_text("transactions:\n  - {code: ODD, title: Odd, sql: nothing > 1, points: 1}\n")
    ended = CliRunner().invoke(app, ["bank", "back-test", *four_days.options, "--rules", "bank", str(file)])
    assert ended.exit_code == 2
    assert "ODD" in ended.stderr


def test_without_the_truth_there_is_nothing_to_judge_by(four_days: ReplayedBank, copied: Copied) -> None:
    bank = copied(four_days)
    shutil.rmtree(bank.path("transactions", "truth"))
    ended = CliRunner().invoke(app, ["bank", "back-test", *bank.options, "--rules", "bank", "bank"])
    assert ended.exit_code == 2
    assert "no table at" in ended.stderr
