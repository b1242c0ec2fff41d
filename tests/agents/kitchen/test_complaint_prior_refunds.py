"""What was paid before: of earlier cases only, each once, whichever version decided it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import polars as pl

from casper_ray.agents.kitchen.prior_refunds import prior_refunds
from casper_ray.lakehouse.names import Catalog

NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)
MONEY = pl.Decimal(18, 2)


def _pay(catalog: Catalog, *payments: tuple[str, str, int, str]) -> None:
    """Decisions: idempotency key, order, minutes after noon, US dollars."""
    rows = [
        {
            "decision_id": f"d{number}",
            "idempotency_key": key,
            "pays_for": order,
            "amount": Decimal(amount),
            "decided_at": NOON + timedelta(days=number),
            "_known_ts": NOON + timedelta(minutes=minutes),
        }
        for number, (key, order, minutes, amount) in enumerate(payments)
    ]
    path = catalog.table("agents", "decisions")
    path.parent.mkdir(parents=True, exist_ok=True)
    pl.DataFrame(rows, schema_overrides={"amount": MONEY}).write_delta(str(path))


def _asked(*orders: str) -> pl.DataFrame:
    return pl.DataFrame({"order_id": list(orders), "at": [NOON + timedelta(hours=1)] * len(orders)}).cast(
        {"at": pl.Datetime("us", "UTC")}
    )


def test_payments_of_earlier_cases_add_up_once_each(catalog: Catalog) -> None:
    _pay(
        catalog,
        ("k1", "A", 0, "3.00"),
        ("k1", "A", 0, "4.00"),  # the same case, decided by another version
        ("k2", "A", 30, "1.50"),
        ("k3", "A", 60, "9.00"),  # at the asking instant: not before it
        ("k4", "B", 0, "0.00"),
    )
    told = prior_refunds(catalog, _asked("A", "B", "C"), pl.Series([True, True, False]))
    assert told.rows() == [(True, 2, Decimal("4.50")), (True, 0, Decimal(0)), (False, None, None)]


def test_before_there_are_decisions_nothing_was_paid(catalog: Catalog) -> None:
    assert prior_refunds(catalog, _asked("A"), pl.Series([True])).rows() == [(True, 0, Decimal(0))]
