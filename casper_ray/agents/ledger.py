"""What was paid so far, by whom it was decided notwithstanding: for whom, for what, on which simulated day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

_ZERO = Decimal("0.00")


class Payment(NamedTuple):
    """Money that a decision let move. pays_for: the order, say. customer: a key, no name."""

    case_id: str
    pays_for: str
    customer: str
    day: date
    amount: Decimal


class Ledger:
    """Payments of all agents of a domain, added up."""

    def __init__(self, payments: Iterable[Payment] = ()) -> None:
        self._cases: set[str] = set()
        self._for: dict[str, Decimal] = defaultdict(lambda: _ZERO)
        self._on: dict[str, dict[date, tuple[int, Decimal]]] = defaultdict(dict)
        for payment in payments:
            self.add(payment)

    def add(self, payment: Payment) -> None:
        self._cases.add(payment.case_id)
        self._for[payment.pays_for] += payment.amount
        count, amount = self._on[payment.customer].get(payment.day, (0, _ZERO))
        self._on[payment.customer][payment.day] = (count + 1, amount + payment.amount)

    @property
    def cases(self) -> Collection[str]:
        """Cases that were paid."""
        return self._cases

    @property
    def paid_things(self) -> Collection[str]:
        """What payments were for."""
        return self._for.keys()

    @property
    def customers(self) -> Collection[str]:
        """Customers who were paid."""
        return self._on.keys()

    def has(self, case_id: str) -> bool:
        return case_id in self._cases

    def paid_for(self, what: str) -> Decimal:
        return self._for.get(what, _ZERO)

    def paid_on(self, customer: str, day: date) -> Decimal:
        return self._on.get(customer, {}).get(day, (0, _ZERO))[1]

    def payments(self, customer: str, day: date, days: int) -> int:
        """How many the customer had in the `days` to `day`, it too."""
        paid = self._on.get(customer)
        if not paid:
            return 0
        first = day - timedelta(days=days - 1)
        return sum([count for on, (count, _) in paid.items() if first <= on <= day])
