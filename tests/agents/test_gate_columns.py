"""Payments that are judged together come out as one by one, and leave the same ledger."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casper_ray.agents.gate import FACTS, VERDICTS, GateRules, Velocity, judged, verdict
from casper_ray.agents.gate_columns import unbounded
from casper_ray.agents.ledger import Ledger, Payment

NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)
NEVER = 1_000_000
cents = st.integers(1, 9_000).map(lambda value: Decimal(value) / 100)
rule_sets = st.builds(
    GateRules,
    version=st.just("x"),
    cap=st.sampled_from([Decimal(40), Decimal(100)]),
    cap_customer_day=st.sampled_from([Decimal(60), Decimal(150)]),
    velocity=st.none() | st.builds(Velocity, payments=st.integers(1, 3), days=st.integers(1, 4)),
    needs=st.sampled_from([{}, {"pay": ("timing",)}]),
    two_people_above=st.none() | st.just(Decimal(50)),
)


@st.composite
def frames(draw: st.DrawFn) -> pl.DataFrame:
    """Payments that mostly pass: of a few customers, over a week, some of them odd in one respect."""
    rows: list[dict[str, Any]] = []
    for number in range(draw(st.integers(0, 20))):
        amount = draw(cents)
        row = {
            "case_id": f"c{number}",
            "at": NOON + timedelta(hours=draw(st.integers(0, 7 * 24))),
            "outcome": "pay",
            "asked": amount,
            "amount": amount,
            "payable": Decimal(90),
            "pays_for": f"o{number}",
            "customer": f"k{draw(st.integers(0, 8))}",
            "confidence": None,
            "evidence": ["timing"],
            "failure": None,
        }
        odd = {
            "case_id": "c0",
            "asked": Decimal(5),
            "amount": None,
            "payable": None,
            "pays_for": "o0",
            "customer": None,
            "evidence": [],
            "failure": "timeout",
            "confidence": float("nan"),
        }
        if draw(st.integers(0, 4)) == 0:
            name = draw(st.sampled_from(sorted(odd)))
            row[name] = odd[name]
        rows.append(row)
    return pl.DataFrame(rows, schema=FACTS).sort("at", "case_id")


earlier = st.lists(
    st.builds(
        Payment,
        st.sampled_from(["c0", "c1", "x"]),
        st.sampled_from(["o0", "o1", "y"]),
        st.sampled_from(["k0", "k1", "z"]),
        st.just(NOON.date()),
        cents,
    ),
    max_size=2,
)


@given(frames(), rule_sets, earlier)
def test_together_is_one_by_one(facts: pl.DataFrame, rules: GateRules, paid: list[Payment]) -> None:
    together, singly = Ledger(paid), Ledger(paid)
    made = judged(facts, rules, together, many=0)
    one_by_one = [verdict(fact, rules, singly) for fact in facts.iter_rows(named=True)]
    wanted = pl.DataFrame(one_by_one, schema=VERDICTS, orient="row")
    assert made.rows() == wanted.rows()
    assert paid_state(together, facts) == paid_state(singly, facts)


def paid_state(ledger: Ledger, facts: pl.DataFrame) -> list[Any]:
    days = [NOON.date() + timedelta(days=number) for number in range(9)]
    return [
        sorted(ledger.cases),
        {what: ledger.paid_for(what) for what in ledger.paid_things},
        {(who, day): ledger.paid_on(who, day) for who in sorted(ledger.customers) for day in days},
        {(who, day): ledger.payments(who, day, 2) for who in sorted(ledger.customers) for day in days},
    ]


def payments(*days: int, customer: str = "k", amount: str = "10.00") -> pl.DataFrame:
    rows = [
        {
            "case_id": f"c{number}",
            "at": NOON + timedelta(days=day),
            "outcome": "pay",
            "asked": Decimal(amount),
            "amount": Decimal(amount),
            "payable": Decimal(90),
            "pays_for": f"o{number}",
            "customer": customer,
            "confidence": None,
            "evidence": ["timing"],
            "failure": None,
        }
        for number, day in enumerate(days)
    ]
    return pl.DataFrame(rows, schema=FACTS)


RULES = GateRules(
    version="x",
    cap=Decimal(50),
    cap_customer_day=Decimal(60),
    velocity=Velocity(payments=2, days=3),
    two_people_above=Decimal(40),
)


@pytest.mark.parametrize(
    ("facts", "free"),
    [
        (payments(0, 0), True),
        (payments(0, 0, 0), False),  # the third is one too many in three days
        (payments(0, 1, 2), False),
        (payments(0, 1, 3), True),  # the first is out of reach of the third
        (payments(0, amount="40.00"), True),
        (payments(0, amount="40.01"), False),  # takes two persons
        (payments(0, 0, amount="30.00"), True),
        (payments(0, 0, amount="30.01"), False),  # more than a customer's day
    ],
)
def test_what_no_limit_can_touch(facts: pl.DataFrame, free: bool) -> None:
    assert unbounded(facts, RULES, Ledger()).to_list() == [free] * facts.height


def test_a_customer_of_the_ledger_is_looked_at_singly() -> None:
    known = Ledger([Payment("c", "o", "k", NOON.date(), Decimal(1))])
    facts = pl.concat(
        [payments(0), payments(0, customer="other").with_columns(case_id=pl.lit("d"), pays_for=pl.lit("p"))]
    )
    assert unbounded(facts, RULES, known).to_list() == [False, True]
