from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from casper_ray.bank_uses import comparison
from casper_ray.bank_uses.comparison import Difference, difference
from casper_ray.medallion.declare import Append, Merge, Table

KEYED = Table(
    name="gold_kept",
    reads="silver",
    grain="one row per account and day",
    schema=pa.schema(
        [
            ("account", pa.string()),
            ("day", pa.date32()),
            ("amount", pa.int64()),
            ("codes", pa.list_(pa.string())),
        ]
    ),
    update=Merge(keys=("account", "day"), sums=("amount",)),
    transform=lambda rows: rows,
)
APPENDED = Table(
    name="silver_kept",
    reads="bronze",
    grain="one row per transaction",
    schema=pa.schema([("transaction_id", pa.string()), ("amount", pa.int64())]),
    update=Append(),
    transform=lambda rows: rows,
)
DAY = date(2024, 1, 1)
ROWS = [{"account": f"a{n}", "day": DAY, "amount": n, "codes": [f"c{n}"]} for n in range(40)]


def compared(one: list[dict[str, Any]], other: list[dict[str, Any]], table: Table = KEYED) -> Difference:
    frames = (pl.DataFrame(rows, schema=pl.Schema(table.schema)).lazy() for rows in (one, other))
    return difference(table, "day", *frames)


@pytest.fixture(params=[1_000_000, 7])
def _rows_at_once(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """All in one bucket, and dealt to several."""
    monkeypatch.setattr(comparison, "_ROWS_AT_ONCE", request.param)


pytestmark = pytest.mark.usefixtures("_rows_at_once")


def test_the_same_rows_in_another_order_are_equal() -> None:
    found = compared(ROWS, ROWS[::-1])
    assert found.equal
    assert (found.rows, found.rows_rebuilt) == (40, 40)


def test_what_is_missing_extra_and_otherwise_is_told_apart() -> None:
    other = [
        *ROWS[3:20],
        {**ROWS[20], "amount": None},
        {**ROWS[21], "codes": ["c21", "more"]},
        {**ROWS[22], "amount": 0, "codes": []},
        *ROWS[23:],
        {**ROWS[0], "account": "new"},
    ]
    found = compared(ROWS, other)
    assert (found.missing, found.extra, found.differing) == (3, 1, 3)
    assert found.columns == {"amount": 2, "codes": 2}
    assert len(found.examples) == 3
    assert not found.equal


def test_null_is_null_also_in_a_key() -> None:
    rows = [{"account": None, "day": DAY, "amount": None, "codes": None}]
    assert compared(rows, rows).equal
    assert compared(rows, []).missing == 1


def test_a_row_that_is_there_twice_is_not_there_once() -> None:
    twice = [{"transaction_id": "t", "amount": 1}, {"transaction_id": "t", "amount": 2}]
    assert compared(twice, twice[::-1], APPENDED).equal
    found = compared(twice, twice[:1], APPENDED)
    assert (found.missing, found.extra, found.differing) == (1, 0, 0)


def test_examples_show_keys_and_no_values() -> None:
    found = compared(
        [{"transaction_id": "t", "amount": 111}], [{"transaction_id": "t", "amount": 222}], APPENDED
    )
    assert found.examples == ({"key": {"transaction_id": "t"}, "what": "differs", "columns": ["amount"]},)


def test_nothing_equals_nothing() -> None:
    assert compared([], []).equal
