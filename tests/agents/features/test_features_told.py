"""Features of a small world's cases against plain Python, one by one against all at once, and against the future."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import polars as pl
import pytest
from brute_force import both_sides, expected
from polars.testing import assert_frame_equal
from small_bank import SmallBank

from casper_ray.agents.features.answers import FEATURE_SCHEMA
from casper_ray.agents.features.cases import Case
from casper_ray.agents.features.lookup import FeatureStore, features_at


@pytest.fixture(scope="module")
def answers(bank_lake: SmallBank, cases: pl.DataFrame) -> pl.DataFrame:
    return features_at(bank_lake.catalog, cases)


def test_every_feature_is_what_plain_python_makes_of_silver(
    bank_lake: SmallBank, cases: pl.DataFrame, answers: pl.DataFrame
) -> None:
    sides = both_sides(list(bank_lake.transactions().values()))
    for case, answer in zip(cases.iter_rows(named=True), answers.iter_rows(named=True), strict=True):
        wanted = expected(case, sides)
        amounts = wanted.pop("amounts")
        for name, value in wanted.items():
            near = pytest.approx(value, abs=0.002) if isinstance(value, float) else value
            assert answer[name] == near, (name, case)
        _check_percentiles(answer, [float(amount) for amount in amounts], case)


def _check_percentiles(answer: dict[str, Any], amounts: list[float], case: dict[str, Any]) -> None:
    """Within a bucket of the amount at that place."""
    for name, share in (("own_p50", 0.5), ("own_p95", 0.95), ("own_p99", 0.99)):
        if not amounts:
            assert answer[name] is None
        else:
            exact = amounts[max(0, -int(-share * len(amounts) // 1) - 1)]
            assert max(exact, 1) / 1.34 <= max(answer[name], 1) <= max(exact, 1) * 1.34
    if amounts and case["amount_base"] is not None:
        below = sum(amount < float(case["amount_base"]) / 1.34 for amount in amounts) / len(amounts)
        above = sum(amount > float(case["amount_base"]) * 1.34 for amount in amounts) / len(amounts)
        assert below - 1e-9 <= answer["amount_rank"] <= 1 - above + 1e-9


def test_the_cases_try_every_feature(answers: pl.DataFrame) -> None:
    assert answers.schema == FEATURE_SCHEMA
    for name in answers.columns[1:]:
        assert answers[name].drop_nulls().n_unique() > 1, name
    nullable = ("own_p50", "new_device", "new_payee", "new_merchant", "km_from_last", "counterparty_degree")
    assert all(answers[name].null_count() > 0 for name in nullable)


def test_one_by_one_is_as_all_at_once(
    bank_lake: SmallBank, cases: pl.DataFrame, answers: pl.DataFrame
) -> None:
    store = FeatureStore(bank_lake.catalog)
    one_by_one = [asdict(store.one(Case(**row))) for row in cases.iter_rows(named=True)]
    assert_frame_equal(pl.DataFrame(one_by_one, schema=FEATURE_SCHEMA), answers, check_exact=True)
    assert_frame_equal(store.many(cases), answers, check_exact=True)


def test_few_cases_are_answered_as_among_many(
    bank_lake: SmallBank, cases: pl.DataFrame, answers: pl.DataFrame
) -> None:
    """Reading only what the cases touch leaves nothing out."""
    for number in range(0, 40, 4):
        few = features_at(bank_lake.catalog, cases[number : number + 1])
        assert_frame_equal(few, answers[number : number + 1], check_exact=True)


def test_the_order_of_the_cases_is_theirs(
    bank_lake: SmallBank, cases: pl.DataFrame, answers: pl.DataFrame
) -> None:
    backwards = features_at(bank_lake.catalog, cases.reverse())
    assert_frame_equal(backwards, answers.reverse(), check_exact=True)
