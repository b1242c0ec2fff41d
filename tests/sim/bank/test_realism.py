"""The bank looks like a bank, and its crimes hide among the rest: bounds, measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from casper_ray.sim.bank.realism.as_of import as_of
from casper_ray.sim.bank.realism.baseline import learnt_baseline
from casper_ray.sim.bank.realism.figures import FIGURES, PR_AUC, measured, out_of_bounds
from casper_ray.sim.bank.realism.separation import amount_rule, auc, column_aucs
from casper_ray.sim.bank.realism.transactions import transactions
from casper_ray.sim.bank.rows import Kind
from casper_ray.sim.bank.scenario import BankScenario, load_bank_scenario
from casper_ray.sim.bank.world import BankWorld

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "bank-world.md"


@pytest.fixture(scope="module")
def month() -> pl.DataFrame:
    """Six weeks of fifteen hundred customers, crimes as often as by default."""
    scenario = BankScenario(name="six weeks", customers=1_500, days=45)
    return as_of(transactions(BankWorld.build(scenario, seed=42)))


@pytest.fixture(scope="module")
def found(month: pl.DataFrame) -> dict[str, float]:
    return measured(month)


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.name)
def test_each_figure_lies_within_its_bounds(figure: Any, found: dict[str, float]) -> None:
    assert figure.low <= found[figure.name] <= figure.high


def test_every_crime_has_more_of_its_benign_twin(month: pl.DataFrame) -> None:
    crimes = month.filter("is_crime")["typology"].value_counts()
    twins = month.filter("is_twin").select(typology="twin")["typology"].value_counts(name="twins")
    both = crimes.join(twins, on="typology", how="left").with_columns(pl.col("twins").fill_null(0))
    assert (both["twins"] >= both["count"]).all(), both


def test_a_world_whose_crimes_stand_out_is_noticed(month: pl.DataFrame) -> None:
    loud = month.with_columns(cents=pl.col("cents") * pl.when("is_crime").then(10_000).otherwise(1))
    outside = " ".join(out_of_bounds(measured(loud)))
    assert "best single column, AUC" in outside
    assert "best rule by amount alone, F1" in outside


def test_auc_is_1_where_a_column_tells_all_and_a_half_where_it_tells_nothing() -> None:
    crime = np.array([True, True, False, False])
    assert auc(np.array([3.0, 2.0, 1.0, 0.0]), crime) == 1.0
    assert auc(np.array([0.0, 1.0, 2.0, 3.0]), crime) == 1.0
    assert auc(np.array([1.0, 1.0, 1.0, 1.0]), crime) == 0.5
    assert auc(np.array([3.0, 1.0, 2.0, 0.0]), crime) == 0.75


@pytest.mark.parametrize(("crimes", "at_least", "cents"), [([7, 9], True, 7), ([1, 2], False, 2)])
def test_the_amount_rule_is_the_best_of_all_thresholds(crimes: list[int], at_least: bool, cents: int) -> None:
    amounts = list(range(1, 10))
    frame = pl.DataFrame(
        {
            "cents": amounts,
            "is_crime": [amount in crimes for amount in amounts],
            "kind": [int(Kind.PURCHASE)] * 9,
            "follow_up": [False] * 9,
        }
    )
    rule = amount_rule(frame)
    assert (rule.at_least, rule.cents) == (at_least, cents)
    flagged = 3 if at_least else 2
    assert rule.f1 == pytest.approx(2 * 2 / (2 + flagged))


def test_the_page_states_the_bounds_that_are_held() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for figure in FIGURES:
        assert f"| {figure.name} | {figure.low:g} | {figure.high:g} |" in page


@pytest.mark.slow
def test_the_default_world_is_learnt_neither_badly_nor_easily() -> None:
    frame = as_of(transactions(BankWorld.build(load_bank_scenario("bank_baseline"), seed=42)))
    assert out_of_bounds(measured(frame)) == []
    assert max(column_aucs(frame).values()) <= 0.85
    learnt = learnt_baseline(frame, train_days=60)
    assert PR_AUC[0] <= learnt.pr_auc <= PR_AUC[1]
    assert learnt.twins > 0.3, "twins are what is mistaken for crimes"
