"""What the alert agent answers, and what its gate lets through."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import polars as pl
import pytest
from pydantic import ValidationError
from small_bank import SmallBank

from casper_ray.agents.agent import agent_version, load_rules
from casper_ray.agents.bank.alert import ALERT, Alert, cases
from casper_ray.agents.bank.alert_policy import ACTIONS
from casper_ray.agents.bank.store import BankStore
from casper_ray.agents.decision import NOT_CONTENT, Decider
from casper_ray.agents.engines.engine import Ask
from casper_ray.agents.engines.policy import PolicyEngine
from casper_ray.agents.gate import judged
from casper_ray.agents.ledger import Ledger
from casper_ray.agents.registry import load_agent
from casper_ray.agents.tools import gathered

RULES = load_rules(ALERT)


def proposed(evidence: pl.DataFrame) -> dict[str, Any]:
    return ALERT.policy(evidence, RULES.policy).row(0, named=True)


def verdict(evidence: pl.DataFrame, **answer: Any) -> tuple[str, list[str]]:
    """What the gate makes of an answer that some engine gave."""
    usual = {"alert_level": "high", "recommended_action": "block", "confidence": 0.9, "reason": "so"}
    answers = pl.DataFrame([usual | answer], schema=ALERT.answer_schema)
    facts = ALERT.facts(None, evidence, answers, RULES.policy).with_columns(
        evidence["case_id"],
        evidence["at"],
        pl.lit(pl.Series([list(ALERT.gathers)])).alias("evidence"),
        pl.lit(None, pl.String).alias("failure"),
    )
    row = judged(facts, RULES.gate, Ledger()).row(0, named=True)
    return row["gate_action"], row["gate_reasons"]


@pytest.mark.parametrize(
    ("told", "action"),
    [
        ({"amount_base": "5.00"}, "approve"),
        ({"amount_base": "50.00"}, "approve"),
        ({"amount_base": "50.00", "km_from_home": 400.0}, "hold"),
        ({"amount_base": "50.00", "alerts_7d": 1}, "hold"),
        ({"amount_base": "300.00"}, "hold"),
        ({"amount_base": "600.00"}, "block"),
        ({"amount_base": "600.00", "feed": "wire", "transaction_type": "transfer_out"}, "escalate"),
        ({"amount_base": "600.00", "feed": "wire", "new_device": True}, "block"),
        ({"amount_base": "600.00", "status": "declined"}, "escalate"),
        ({"amount_base": "600.00", "own_transactions": 19}, "approve"),
        ({"amount_base": "600.00", "direction": "in"}, "approve"),
    ],
)
def test_an_amount_is_held_against_the_accounts_own(
    alert_evidence: Any, told: dict[str, Any], action: str
) -> None:
    assert proposed(alert_evidence(**told))["recommended_action"] == action


@pytest.mark.parametrize(
    ("told", "level"),
    [
        ({"amount_base": "5.00"}, "low"),
        ({"amount_base": "300.00"}, "medium"),
        ({"amount_base": "600.00"}, "high"),
        (
            {"amount_base": "600.00", "reason_codes": ["LARGE_TRANSFER_AT_NIGHT"], "enrolled_min": 5},
            "critical",
        ),
    ],
)
def test_the_level_rises_with_points(alert_evidence: Any, told: dict[str, Any], level: str) -> None:
    assert proposed(alert_evidence(**told))["alert_level"] == level


def test_every_signal_adds_its_points(alert_evidence: Any) -> None:
    signs: dict[str, dict[str, Any]] = {
        "new_device": {"new_device": True},
        "enrolled_lately": {"enrolled_min": 60},
        "shared_device": {"accounts": 2},
        "velocity": {"out_count_1h": 4},
        "far": {"km_from_home": 100.0},
        "declined": {"declined_24h": 3},
        "passed_on": {"passed_on": 90},
        "many_parties": {"payers_7d": 5},
        "merchant": {"flagged_accounts_30d": 3},
        "prior_alerts": {"alerts_7d": 1},
    }
    for name, told in signs.items():
        assert f"signals: {name}." in proposed(alert_evidence(**told))["reason"]
    assert "signals: none." in proposed(alert_evidence())["reason"]
    both = proposed(alert_evidence(amount_base="50.00", km_from_home=400.0, alerts_7d=2, out_count_1h=9))
    assert both["recommended_action"] == "block"


def test_a_transaction_that_nobody_knows_goes_to_people(
    bank_store: BankStore, transaction_cases: pl.DataFrame
) -> None:
    unknown = transaction_cases.head(1).with_columns(pl.lit("T-nobody").alias("subject"))
    row = _decider().decide(bank_store, unknown, sim_now=unknown["at"][0]).row(0, named=True)
    assert row["gate_action"] == "queued"
    assert "confidence" in row["gate_reasons"]
    assert row["final"] is None


def test_the_gate_stops_what_data_speaks_against(alert_evidence: Any) -> None:
    assert verdict(alert_evidence(amount_base="600.00")) == ("approved", [])
    assert verdict(alert_evidence(amount_base="5000.01")) == ("queued", ["for_people:block_large"])
    approving = verdict(alert_evidence(amount_base="600.00"), recommended_action="approve")
    assert approving == ("queued", ["for_people:approve_grave"])
    assert verdict(alert_evidence(), recommended_action="approve")[0] == "approved"
    assert verdict(alert_evidence(), confidence=0.5) == ("queued", ["confidence"])


@pytest.mark.parametrize(
    "wrong",
    [
        {"recommended_action": "refund"},
        {"alert_level": "CRITICAL"},
        {"confidence": float("inf")},
        {"confidence": -0.1},
        {"reason": "x" * 501},
        {"reason": ""},
        {"amount": 5},
    ],
)
def test_an_answer_out_of_bounds_is_none(wrong: dict[str, Any]) -> None:
    usual = {"alert_level": "low", "recommended_action": "approve", "confidence": 1.0, "reason": "so"}
    Alert.model_validate(usual)
    with pytest.raises(ValidationError):
        Alert.model_validate(usual | wrong)


def test_every_flagged_transaction_is_decided_once_and_alike_however_batches_are_cut(
    bank_lake: SmallBank,
) -> None:
    newest = BankStore(bank_lake.catalog)
    now = newest.flagged["flagged_ts"][-1] + timedelta(hours=1)
    at_once = _decider().decide(newest, cases(newest, -1, newest.batch), sim_now=now)
    store, parts = BankStore(bank_lake.catalog, 1), []
    for batch in range(2, newest.batch + 1):
        store.follow(batch)
        parts.append(_decider().decide(store, cases(store, batch - 1, batch), sim_now=now))
    content = [name for name in at_once.columns if name not in (*NOT_CONTENT, "inputs")]
    assert pl.concat(parts).sort("case_ts", "case_id").select(content).equals(at_once.select(content))
    assert at_once["case_id"].n_unique() == newest.flagged.height
    assert at_once["amount"].sum() == 0
    assert set(at_once["outcome"]) <= {*ACTIONS, "block_large", "approve_grave"}


def test_the_answer_of_the_policy_is_an_answer(bank_store: BankStore) -> None:
    found = cases(bank_store, -1, bank_store.batch)
    decided = _decider().decide(bank_store, found, sim_now=found["at"][-1])
    answers = [Alert.model_validate_json(text) for text in decided["proposal"]]
    assert len(answers) == found.height > 0
    assert {answer.recommended_action for answer in answers} <= set(ACTIONS)


def test_the_registry_knows_it() -> None:
    assert load_agent("alert") is ALERT
    assert ALERT.gathers == tuple(tool.name for tool in ALERT.tools)


def test_the_kill_switch_sends_all_to_people(bank_store: BankStore) -> None:
    found = cases(bank_store, -1, bank_store.batch)
    rows = _decider().decide(bank_store, found, sim_now=found["at"][-1], off=True)
    assert set(rows["gate_action"]) == {"queued"}


def test_one_case_is_proposed_what_many_are(bank_store: BankStore) -> None:
    found = cases(bank_store, -1, bank_store.batch)
    engine = PolicyEngine()

    def answers(some: pl.DataFrame) -> pl.DataFrame:
        evidence = gathered(bank_store, ALERT.gathered_tools, some)
        return engine.propose(Ask(agent=ALERT, rules=RULES, store=bank_store, evidence=evidence))

    singly = pl.concat([answers(some) for some in found.iter_slices(1)])
    assert singly.equals(answers(found))


def _decider() -> Decider:
    engine = PolicyEngine()
    version = agent_version(ALERT, RULES, engine.settings)
    return Decider(agent=ALERT, rules=RULES, version=version, engine=engine)
