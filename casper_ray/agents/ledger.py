"""What was paid so far, by whom it was decided notwithstanding: for whom, for what, on which simulated day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

import polars as pl

_ZERO = Decimal("0.00")


class Payment(NamedTuple):
    """Money that a decision let move. pays_for: the order, say. customer: a key, no name."""

    case_id: str
    pays_for: str
    customer: str
    day: date
    amount: Decimal


class _Sums:
    """What payments come to: the cases, by thing, and by customer and day how many and how much."""

    def __init__(self) -> None:
        self.cases: set[str] = set()
        self.of: dict[str, Decimal] = defaultdict(lambda: _ZERO)
        self.on: dict[str, dict[date, tuple[int, Decimal]]] = defaultdict(dict)

    def add(self, case_id: str, pays_for: str, customer: str, day: date, amount: Decimal) -> None:
        self.cases.add(case_id)
        self.of[pays_for] += amount
        days = self.on[customer]
        count, before = days.get(day, (0, _ZERO))
        days[day] = (count + 1, before + amount)


class Ledger:
    """Payments of all agents of a domain, added up.

    Payments that come by the table are added up when somebody asks: a backlog's come last, and nobody may.
    """

    def __init__(self, payments: Iterable[Payment] = ()) -> None:
        self._sums, self._waiting = _Sums(), list[pl.DataFrame]()
        for payment in payments:
            self.add(payment)

    def add(self, payment: Payment) -> None:
        self._sums.add(*payment)

    def add_table(self, payments: pl.DataFrame) -> None:
        """Payments as rows, columns as `Payment` has them."""
        if payments.height:
            self._waiting.append(payments.select(Payment._fields))

    @property
    def cases(self) -> Collection[str]:
        """Cases that were paid."""
        return self._added_up().cases

    @property
    def paid_things(self) -> Collection[str]:
        """What payments were for."""
        return self._added_up().of.keys()

    @property
    def customers(self) -> Collection[str]:
        """Customers who were paid."""
        return self._added_up().on.keys()

    def has(self, case_id: str) -> bool:
        return case_id in self._added_up().cases

    def paid_for(self, what: str) -> Decimal:
        return self._added_up().of.get(what, _ZERO)

    def paid_on(self, customer: str, day: date) -> Decimal:
        return self._added_up().on.get(customer, {}).get(day, (0, _ZERO))[1]

    def payments(self, customer: str, day: date, days: int) -> int:
        """How many the customer had in the `days` to `day`, it too."""
        paid = self._added_up().on.get(customer)
        if not paid:
            return 0
        first = day - timedelta(days=days - 1)
        return sum([count for on, (count, _) in paid.items() if first <= on <= day])

    def _added_up(self) -> _Sums:
        while self._waiting:
            for row in self._waiting.pop().iter_rows():
                self._sums.add(*row)
        return self._sums
