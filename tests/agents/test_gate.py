"""The gate: each rule and their order, and that no more money moves than any bound allows."""

from __future__ import annotations

import math
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from casper_ray.agents.gate import (
    APPROVED,
    CLIPPED,
    FACTS,
    MONEY,
    QUEUED,
    REFUSED,
    VERDICTS,
    GateRules,
    Velocity,
    Verdict,
    judged,
    verdict,
)
from casper_ray.agents.ledger import Ledger, Payment

NOON = datetime(2024, 1, 3, 12, tzinfo=UTC)
TODAY = NOON.date()
RULES = GateRules(
    version="test.v1",
    cap=Decimal(100),
    cap_customer_day=Decimal(150),
    velocity=Velocity(payments=2, days=7),
    needs={"pay": ("timing", "usual")},
    people=("escalate",),
    confidence_at_least=0.5,
    two_people_above=Decimal(80),
)
FACT: dict[str, Any] = {
    "case_id": "c1",
    "at": NOON,
    "outcome": "pay",
    "asked": Decimal("10.00"),
    "amount": Decimal("10.00"),
    "payable": Decimal("40.00"),
    "pays_for": "A",
    "customer": "k",
    "confidence": 0.9,
    "evidence": ["timing", "usual"],
    "failure": None,
}
NAN = float("nan")


def usd(text: str) -> Decimal:
    return Decimal(text).quantize(Decimal("0.01"))


def paid(case: str = "c0", what: str = "B", day: date = TODAY, amount: str = "10") -> Payment:
    return Payment(case, what, "k", day, usd(amount))


@pytest.mark.parametrize(
    ("changed", "action", "reasons", "amount"),
    [
        ({}, APPROVED, (), "10"),
        ({"confidence": None}, APPROVED, (), "10"),
        ({"confidence": 0.5}, APPROVED, (), "10"),
        ({"confidence": 0.49}, QUEUED, ("confidence",), "0"),
        ({"confidence": NAN}, QUEUED, ("confidence",), "0"),
        ({"confidence": math.inf}, QUEUED, ("confidence",), "0"),
        ({"confidence": -math.inf}, QUEUED, ("confidence",), "0"),
        ({"failure": "timeout", "outcome": None}, QUEUED, ("timeout",), "0"),
        ({"outcome": None}, QUEUED, ("no_proposal",), "0"),
        ({"evidence": ["usual"]}, QUEUED, ("evidence_missing:timing",), "0"),
        ({"evidence": None}, QUEUED, ("evidence_missing:timing", "evidence_missing:usual"), "0"),
        ({"outcome": "escalate"}, QUEUED, ("for_people:escalate",), "0"),
        ({"outcome": "escalate", "confidence": 0.1}, QUEUED, ("for_people:escalate", "confidence"), "0"),
        ({"amount": None}, REFUSED, ("amount_unusable",), "0"),
        ({"amount": usd("-1")}, REFUSED, ("amount_unusable",), "0"),
        ({"asked": usd("-1")}, REFUSED, ("amount_unusable",), "0"),
        ({"asked": usd("-1"), "amount": usd("0")}, REFUSED, ("amount_unusable",), "0"),
        ({"amount": usd("0"), "asked": usd("0")}, APPROVED, (), "0"),
        ({"amount": usd("0"), "asked": None}, APPROVED, (), "0"),
        ({"amount": usd("0")}, CLIPPED, ("no_money_due",), "0"),
        ({"asked": usd("99")}, CLIPPED, ("amount_from_data",), "10"),
        ({"asked": usd("1")}, APPROVED, ("amount_from_data",), "10"),
        ({"asked": None}, APPROVED, ("amount_from_data",), "10"),
        ({"payable": None}, REFUSED, ("payable_unknown",), "0"),
        ({"pays_for": None}, REFUSED, ("payable_unknown",), "0"),
        ({"customer": None}, REFUSED, ("payable_unknown",), "0"),
        ({"payable": usd("4")}, CLIPPED, ("payable",), "4"),
        ({"payable": usd("0")}, REFUSED, ("payable",), "0"),
        ({"payable": usd("-5")}, REFUSED, ("payable",), "0"),
        (
            {"payable": usd("70"), "amount": usd("9999999999999999"), "asked": usd("9999999999999999")},
            CLIPPED,
            ("cap", "payable", "cap_customer_day"),
            "70",
        ),
        ({"amount": usd("80"), "asked": usd("80"), "payable": usd("80")}, APPROVED, (), "80"),
        ({"amount": usd("80.01"), "asked": usd("80.01"), "payable": usd("90")}, QUEUED, ("two_people",), "0"),
        (
            {"amount": usd("150"), "asked": usd("150"), "payable": usd("150")},
            QUEUED,
            ("cap", "two_people"),
            "0",
        ),
    ],
)
def test_each_rule(changed: dict[str, Any], action: str, reasons: tuple[str, ...], amount: str) -> None:
    assert verdict({**FACT, **changed}, RULES, Ledger()) == Verdict(action, reasons, usd(amount))


@pytest.mark.parametrize(
    ("earlier", "changed", "expected"),
    [
        ([paid("c1")], {}, Verdict(REFUSED, ("paid_before",), usd("0"))),
        ([paid(what="A", amount="36")], {}, Verdict(CLIPPED, ("payable",), usd("4"))),
        ([paid(what="A", amount="40")], {}, Verdict(REFUSED, ("payable",), usd("0"))),
        ([paid(amount="145")], {}, Verdict(CLIPPED, ("cap_customer_day",), usd("5"))),
        ([paid(amount="150")], {}, Verdict(REFUSED, ("cap_customer_day",), usd("0"))),
        ([paid(amount="145")], {"customer": "other"}, Verdict(APPROVED, (), usd("10"))),
        ([paid(amount="145", day=NOON.date() - timedelta(1))], {}, Verdict(APPROVED, (), usd("10"))),
        ([paid("x"), paid("y", "C")], {}, Verdict(QUEUED, ("velocity",), usd("0"))),
        (
            [paid("x", day=NOON.date() - timedelta(6)), paid("y", "C")],
            {},
            Verdict(QUEUED, ("velocity",), usd("0")),
        ),
        ([paid("x", day=NOON.date() - timedelta(7)), paid("y", "C")], {}, Verdict(APPROVED, (), usd("10"))),
        ([paid("x"), paid("y", "C")], {"amount": usd("0"), "asked": None}, Verdict(APPROVED, (), usd("0"))),
    ],
)
def test_each_rule_that_looks_back(
    earlier: list[Payment], changed: dict[str, Any], expected: Verdict
) -> None:
    assert verdict({**FACT, **changed}, RULES, Ledger(earlier)) == expected


def test_reasons_for_a_person_come_before_any_of_money_and_in_this_order() -> None:
    """All that can be wrong is wrong; one after the other is put right."""
    fact = {**FACT, "outcome": None, "failure": "timeout", "amount": usd("-1"), "payable": None}
    fact |= {"evidence": [], "confidence": 0.0}
    ledger = Ledger([paid("c1"), paid("c2", "C"), paid("c3", "D")])
    seen = [verdict(fact, RULES, ledger, off=True)]
    for right in (
        {},
        {"failure": None},
        {"outcome": "pay"},
        {"evidence": ["timing", "usual"], "confidence": 1.0},
        {"amount": usd("10")},
        {"payable": usd("40")},
        {"case_id": "c9"},
    ):
        fact |= right
        seen.append(verdict(fact, RULES, ledger))
    assert [told.reasons[0] for told in seen] == [
        "kill_switch",
        "timeout",
        "no_proposal",
        "evidence_missing:timing",
        "amount_unusable",
        "payable_unknown",
        "paid_before",
        "velocity",
    ]
    assert all(told.amount == 0 for told in seen)


def facts_of(*changes: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame([{**FACT, **change} for change in changes], schema=FACTS)


@pytest.mark.parametrize("rules", [RULES.model_copy(update={"off": True}), RULES])
def test_off_queues_everything_and_pays_nothing(rules: GateRules) -> None:
    facts = facts_of({}, {"amount": usd("0"), "asked": None}, {"outcome": None})
    ledger = Ledger()
    told = judged(facts, rules, ledger, off=not rules.off)
    assert told["gate_reasons"].to_list() == [["kill_switch"]] * 3
    assert told["gate_action"].to_list() == [QUEUED] * 3
    assert not ledger.has("c1")


def test_no_rows_are_no_verdicts() -> None:
    for off in (False, True):
        told = judged(facts_of(), RULES, Ledger(), off=off)
        assert told.schema == VERDICTS
        assert told.is_empty()


def test_without_rules_no_money_moves() -> None:
    told = judged(facts_of({}), GateRules(version="none"), Ledger())
    assert told.row(0) == (REFUSED, ["cap", "cap_customer_day"], usd("0"))


def test_one_case_twice_in_a_frame_is_paid_once() -> None:
    told = judged(facts_of({}, {}), RULES, Ledger())
    assert told["amount"].to_list() == [usd("10"), usd("0")]
    assert told["gate_reasons"].to_list()[1] == ["paid_before"]


@pytest.mark.parametrize(
    "bad",
    [
        {"cap": -1},
        {"cap": float("inf")},
        {"cap": float("nan")},
        {"cap": "9.999"},
        {"cap_customer_day": "0.001"},
        {"confidence_at_least": 1.5},
        {"velocity": {"payments": 0, "days": 1}},
        {"kap": 1},
    ],
)
def test_rules_that_are_none_are_not_read(bad: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        GateRules.model_validate({"version": "x", **bad})


amounts = st.none() | st.integers(-300, 30_000).map(lambda cents: Decimal(cents) / 100)
rows = st.fixed_dictionaries(
    {
        "case_id": st.integers(0, 30).map(str),
        "at": st.integers(0, 5 * 24).map(lambda hours: NOON + timedelta(hours=hours)),
        "outcome": st.sampled_from(["pay", "none", "escalate", None]),
        "asked": amounts | st.just(usd("0")),
        "amount": amounts | st.just(usd("0")),
        "payable": amounts,
        "pays_for": st.sampled_from(["A", "B", "C", None]),
        "customer": st.sampled_from(["k", "l", None]),
        "confidence": st.none() | st.floats(allow_nan=True, allow_infinity=True),
        "evidence": st.none() | st.lists(st.sampled_from(["timing", "usual", None]), max_size=3),
        "failure": st.sampled_from([None, None, None, "timeout"]),
    }
)
rule_sets = st.builds(
    GateRules,
    version=st.just("x"),
    cap=st.sampled_from([usd("0"), usd("60"), usd("100")]),
    cap_customer_day=st.sampled_from([usd("90"), usd("150.55")]),
    velocity=st.none() | st.builds(Velocity, payments=st.integers(1, 4), days=st.integers(1, 4)),
    needs=st.sampled_from([{}, {"pay": ("timing",)}, {"pay": (), "none": ("timing", "usual")}]),
    people=st.sampled_from([(), ("escalate",)]),
    confidence_at_least=st.sampled_from([0.0, 0.5, 1.0]),
    two_people_above=st.none() | st.just(usd("50")),
)


@given(st.lists(rows, max_size=25), rule_sets)
@settings(max_examples=150)
def test_together_is_one_by_one(told: list[dict[str, Any]], rules: GateRules) -> None:
    ledger = Ledger()
    singly = [verdict(fact, rules, ledger) for fact in told]
    together = judged(pl.DataFrame(told, schema=FACTS), rules, Ledger())
    assert together.schema == VERDICTS
    assert [(a, tuple(r), m) for a, r, m in together.rows()] == [tuple(one) for one in singly]


@given(st.lists(rows, max_size=25), rule_sets)
@settings(max_examples=150)
def test_no_more_money_than_any_bound_allows(told: list[dict[str, Any]], rules: GateRules) -> None:
    facts = pl.DataFrame(told, schema=FACTS)
    made = judged(facts, rules, Ledger())
    paid_for: dict[str, Decimal] = defaultdict(Decimal)
    on_day: dict[tuple[str, date], Decimal] = defaultdict(Decimal)
    cases: set[str] = set()
    for fact, (action, _, amount) in zip(facts.iter_rows(named=True), made.rows(), strict=True):
        assert amount >= 0
        if not amount:
            continue
        assert action in (APPROVED, CLIPPED)
        assert fact["failure"] is None
        assert fact["outcome"] not in (*rules.people, None)
        assert fact["case_id"] not in cases
        cases.add(fact["case_id"])
        assert amount <= min(rules.cap, fact["amount"], fact["payable"] - paid_for[fact["pays_for"]])
        assert rules.two_people_above is None or amount <= rules.two_people_above
        paid_for[fact["pays_for"]] += amount
        on_day[fact["customer"], fact["at"].date()] += amount
    assert all(amount <= rules.cap_customer_day for amount in on_day.values())


def test_money_is_exact() -> None:
    assert pl.Decimal(18, 2) == MONEY
    told = judged(facts_of({"amount": usd("0.01"), "asked": usd("0.01")}), RULES, Ledger())
    assert str(told["amount"][0]) == "0.01"
