"""Figures of hand-made decisions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import polars as pl
import pytest

from casper_ray.agents.decision import DECISIONS
from casper_ray.agents.kitchen.refund import REFUND
from casper_ray.evals.comparison import comparison_lines
from casper_ray.evals.figures import figures

_AT = datetime(2024, 1, 1, tzinfo=UTC)


def _decisions(*rows: tuple[str, str | None, str, str]) -> pl.DataFrame:
    """Of (gate action, asked, amount, usage), a second apart."""
    names = ("gate_action", "proposal", "amount", "usage")
    filled = [
        dict(
            zip(names, (action, asked and f'{{"refund_usd":"{asked}"}}', Decimal(amount), usage), strict=True)
        )
        | {"decided_at": _AT + timedelta(seconds=i), "outcome": "full", "source_batch": i}
        for i, (action, asked, amount, usage) in enumerate(rows)
    ]
    schema = pl.DataFrame(DECISIONS.schema.empty_table()).schema
    return pl.DataFrame([dict.fromkeys(schema) | row for row in filled], schema=schema)


def test_money_is_what_may_move_and_what_was_asked_in_vain() -> None:
    found = figures(
        _decisions(
            ("approved", "0.10", "0.10", "{}"),
            ("clipped", "500", "0.20", "{}"),
            ("refused", "7.01", "0", "{}"),
            ("queued", "90.5", "0", "{}"),
            ("queued", None, "0", "{}"),
        ),
        REFUND.answer_schema,
    )
    assert found.money == {
        "money_approved": Decimal("0.30"), "money_refused": Decimal("7.01"), "money_queued": Decimal("90.50"),
    }  # fmt: skip
    assert (found.counts["cases"], found.counts["gate.queued"]) == (5, 2)
    assert (found.counts["first_batch"], found.counts["last_batch"]) == (0, 4)
    assert found.per_second == pytest.approx(5 / 4)


def test_usage_is_added_up_by_name() -> None:
    tokens = '{"tokens": 10, "usd": 0.5, "model": "small", "cached": true}'
    rows = (
        ("approved", "0", "0", tokens),
        ("approved", "0", "0", tokens),
        ("queued", None, "0", '{"tokens": 1}'),
    )
    assert figures(_decisions(*rows), REFUND.answer_schema).usage == {"usage.tokens": 21.0, "usage.usd": 1.0}


def test_no_decisions_are_no_cases() -> None:
    assert figures(_decisions(), REFUND.answer_schema).metrics == {
        "cases": 0, "money_approved": 0.0, "money_refused": 0.0, "money_queued": 0.0,
    }  # fmt: skip


def test_a_comparison_has_every_figure_of_both() -> None:
    head, cases, full = comparison_lines("aaa", {"cases": 4, "outcome.full": 1}, "bbb", {"cases": 6})
    assert head.split() == ["figure", "aaa", "bbb", "difference"]
    assert cases.split() == ["cases", "4.00", "6.00", "+2.00"]
    assert full.split() == ["outcome.full", "1.00", "-", "-1.00"]
