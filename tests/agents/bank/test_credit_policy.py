"""A line's new limit is what data gives, and a model cannot raise one that data speaks against."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from casper_ray.agents.agent import load_rules
from casper_ray.agents.bank.balances import BalanceHistory
from casper_ray.agents.bank.credit import CREDIT, CreditPolicy, facts, propose
from casper_ray.agents.gate import MONEY, judged
from casper_ray.agents.ledger import Ledger

_MONEY = ("credit_limit", "owed", "spent_3d", "largest_3d", "usual_3d", "spent_60d", "paid_60d")
_SHARES = ("utilisation", "peak_60d")
_COUNTS = ("purchases_3d", "charged_back_90d", "declined_7d", "days_known")
QUIET = {
    "credit_limit": "1050.00",
    "owed": "100.00",
    "utilisation": 0.0952,
    "peak_60d": 0.2,
    "spent_3d": "20.00",
    "largest_3d": "20.00",
    "purchases_3d": 1,
    "usual_3d": "15.00",
    "spent_60d": "300.00",
    "paid_60d": "250.00",
    "charged_back_90d": 0,
    "declined_7d": 0,
    "days_known": 80,
}
RUN_UP = {
    "spent_3d": "400.33",
    "largest_3d": "200.00",
    "purchases_3d": 9,
    "owed": "480.33",
    "utilisation": 0.4575,
}
UNPAID = {"owed": "900.07", "utilisation": 0.8572, "paid_60d": "0.00"}
USED = {"peak_60d": 0.6}


def _policy() -> CreditPolicy:
    rules = load_rules(CREDIT).policy
    assert isinstance(rules, CreditPolicy)
    return rules


def _evidence(**other: Any) -> pl.DataFrame:
    line = {"found": True} | {
        name: Decimal(value) if name in _MONEY else value for name, value in (QUIET | other).items()
    }
    kinds: dict[str, Any] = {"found": pl.Boolean} | dict.fromkeys(_MONEY, MONEY)
    kinds |= dict.fromkeys(_SHARES, pl.Float64) | dict.fromkeys(_COUNTS, pl.Int64)
    assert kinds.keys() <= BalanceHistory.model_fields.keys()
    return pl.DataFrame(
        {"subject": ["acc_v1_a"], "get_account_balance_history": [line]},
        schema={"subject": pl.String, "get_account_balance_history": pl.Struct(kinds)},
    )


def _answer(evidence: pl.DataFrame) -> tuple[str, Decimal]:
    made = propose(evidence, _policy()).row(0, named=True)
    CREDIT.answer(**{name: made[name] for name in CREDIT.answer_schema})
    return made["decision"], made["new_limit"]


def _verdict(evidence: pl.DataFrame, **changed: Any) -> tuple[str, list[str]]:
    answers = propose(evidence, _policy()).select(CREDIT.answer_schema.names())
    answers = answers.with_columns(
        pl.lit(value).cast(CREDIT.answer_schema[name]).alias(name) for name, value in changed.items()
    )
    rows = facts(None, evidence, answers, _policy()).with_columns(  # type: ignore[arg-type]  # reads no store
        pl.lit("c").alias("case_id"),
        pl.lit(datetime(2024, 1, 1, tzinfo=UTC)).alias("at"),
        pl.Series("evidence", [["get_account_balance_history"]]),
        pl.lit(None, pl.String).alias("failure"),
    )
    ledger = Ledger()
    made = judged(rows, load_rules(CREDIT).gate, ledger).row(0, named=True)
    assert made["amount"] == 0
    assert not ledger.has("c")
    return made["gate_action"], made["gate_reasons"]


@pytest.mark.parametrize(
    ("line", "decision", "limit"),
    [
        ({}, "keep", "1050.00"),
        (RUN_UP, "freeze", "480.33"),
        (RUN_UP | {"purchases_3d": 6}, "keep", "1050.00"),
        (RUN_UP | {"usual_3d": "200.00"}, "keep", "1050.00"),
        ({"charged_back_90d": 2}, "freeze", "100.00"),
        (UNPAID, "decrease", "900.07"),
        (UNPAID | {"owed": "790.00", "utilisation": 0.7524}, "decrease", "800.00"),
        (USED, "increase", "1200.00"),
        (USED | {"days_known": 30}, "keep", "1050.00"),
        (USED | {"charged_back_90d": 1}, "keep", "1050.00"),
        (USED | {"credit_limit": "29000.00"}, "increase", "30000.00"),
        (USED | {"credit_limit": "30000.00"}, "keep", "30000.00"),
    ],
)
def test_the_first_rule_that_holds_decides(line: dict[str, Any], decision: str, limit: str) -> None:
    evidence = _evidence(**line)
    assert _answer(evidence) == (decision, Decimal(limit))
    assert _verdict(evidence) == ("approved", []) or decision == "increase"


def test_a_large_rise_is_for_people_and_a_small_one_is_not() -> None:
    assert _verdict(_evidence(**USED)) == ("approved", [])
    large = _evidence(**(USED | {"credit_limit": "8000.00"}))
    assert _answer(large) == ("increase", Decimal("9600.00"))
    assert _verdict(large) == ("queued", ["for_people:large_increase"])


@pytest.mark.parametrize(
    ("line", "changed", "reason"),
    [
        (RUN_UP, {"decision": "increase", "new_limit": "1200.00"}, "for_people:unfounded_decision"),
        (RUN_UP, {"decision": "keep", "new_limit": "1050.00"}, "for_people:unfounded_decision"),
        ({}, {"decision": "freeze", "new_limit": "100.00"}, "for_people:unfounded_decision"),
        ({}, {"decision": "increase", "new_limit": "99000.00"}, "for_people:other_limit"),
        ({}, {"decision": "keep", "new_limit": "99000.00"}, "for_people:other_limit"),
        (USED, {"new_limit": "1300.00"}, "for_people:other_limit"),
        ({}, {"confidence": 0.2}, "confidence"),
    ],
)
def test_a_model_cannot_decide_what_data_speaks_against(
    line: dict[str, Any], changed: dict[str, Any], reason: str
) -> None:
    assert _verdict(_evidence(**line), **changed) == ("queued", [reason])


def test_a_model_need_not_raise_what_could_be_raised() -> None:
    assert _verdict(_evidence(**USED), decision="keep", new_limit="1050.00") == ("approved", [])
