"""What score and thresholds say is what the gate lets through; anything else is for a person."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest
from pydantic import ValidationError

from casper_ray.agents.agent import load_rules
from casper_ray.agents.bank.screening import SCREENING, ScreeningPolicy, facts, propose
from casper_ray.agents.gate import judged
from casper_ray.agents.ledger import Ledger

POLICY = ScreeningPolicy(possible=0.89, true_match=0.93, unsure=0.02)


def _evidence(*scores: float | None) -> pl.DataFrame:
    told = [
        {
            "found": score is not None,
            "score": score,
            "list_entry": score and "S1",
            "initials": score and "A.B.",
        }
        for score in scores
    ]
    kinds = {"found": pl.Boolean, "score": pl.Float64, "list_entry": pl.String, "initials": pl.String}
    return pl.DataFrame(
        {"subject": [f"T{n}" for n in range(len(scores))], "match_sanctions": told},
        schema={"subject": pl.String, "match_sanctions": pl.Struct(kinds)},
    )


def _judged(evidence: pl.DataFrame, answers: pl.DataFrame) -> list[tuple[str, list[str]]]:
    rows = facts(None, evidence, answers, POLICY).with_columns(  # type: ignore[arg-type]  # reads no store
        pl.Series("case_id", [f"wire:{name}" for name in evidence["subject"]]),
        pl.lit(datetime(2024, 1, 1, tzinfo=UTC)).alias("at"),
        pl.Series("evidence", [["match_sanctions"]] * evidence.height),
        pl.lit(None, pl.String).alias("failure"),
    )
    verdicts = judged(rows, load_rules(SCREENING).gate, Ledger())
    return list(zip(verdicts["gate_action"], verdicts["gate_reasons"].to_list(), strict=True))


def test_thresholds_belong_to_the_graver_side() -> None:
    made = propose(_evidence(0.5, 0.8899, 0.89, 0.9299, 0.93, 1.0, None), POLICY)
    assert made["recommended_action"].to_list() == [
        "release",
        "release",
        "hold",
        "hold",
        "block",
        "block",
        "hold",
    ]
    assert made["list_entry"].to_list() == [None, None, "S1", "S1", "S1", "S1", None]
    assert made["sure"].to_list() == [True, False, False, False, False, True, False]


def test_the_policys_answers_pass_the_gate() -> None:
    evidence = _evidence(0.5, 0.91, 0.99)
    answers = propose(evidence, POLICY).select(SCREENING.answer_schema.names())
    assert [action for action, _ in _judged(evidence, answers)] == ["approved"] * 3


@pytest.mark.parametrize(
    "change",
    [
        {"recommended_action": "release", "match": "clear", "list_entry": None},
        {"recommended_action": "release"},
        {"list_entry": "S2"},
        {"score": 0.5},
    ],
)
def test_a_model_cannot_talk_a_match_away(change: dict[str, object]) -> None:
    evidence = _evidence(0.99)
    answers = propose(evidence, POLICY).select(SCREENING.answer_schema.names())
    told = answers.with_columns(
        pl.lit(value, SCREENING.answer_schema[name]).alias(name) for name, value in change.items()
    )
    assert _judged(evidence, told) == [("queued", ["for_people:not_as_the_list_says"])]


def test_thresholds_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(ValidationError, match="possible must be below"):
        ScreeningPolicy(possible=0.95, true_match=0.93, unsure=0)
