"""The ledger adds up what was paid: for a thing, to a customer on a day, and how often."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from casper_ray.agents.ledger import Ledger, Payment

FIRST = date(2024, 2, 27)

payments = st.lists(
    st.builds(
        Payment,
        case_id=st.integers(0, 99).map(str),
        pays_for=st.sampled_from("AB"),
        customer=st.sampled_from("kl"),
        day=st.integers(0, 9).map(lambda days: FIRST + timedelta(days)),
        amount=st.integers(1, 10_000).map(lambda cents: Decimal(cents) / 100),
    ),
    max_size=20,
)


@given(payments, st.integers(0, 12), st.integers(1, 9))
def test_sums_are_those_of_the_payments(told: list[Payment], day: int, days: int) -> None:
    ledger, last = Ledger(told), FIRST + timedelta(day)
    first = last - timedelta(days - 1)
    for customer in "kl":
        ours = [p for p in told if p.customer == customer]
        assert ledger.paid_on(customer, last) == sum(p.amount for p in ours if p.day == last)
        assert ledger.payments(customer, last, days) == sum(first <= p.day <= last for p in ours)
    assert all(ledger.paid_for(x) == sum(p.amount for p in told if p.pays_for == x) for x in "AB")
    assert all(ledger.has(p.case_id) for p in told)


def test_asking_leaves_no_trace() -> None:
    ledger = Ledger()
    for _ in range(2):
        assert ledger.paid_for("A") == ledger.paid_on("k", FIRST) == Decimal("0.00")
        assert ledger.payments("k", FIRST, 366) == 0
        assert not ledger.has("c")
