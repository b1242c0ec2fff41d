"""Accounts: a batch of which a row is missing is not committed, whichever step lost it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_lake import SmallLake, order

from casper_ray.medallion.accounts import Account, AccountError, check_balance, total
from casper_ray.medallion.columns import Parsed
from casper_ray.medallion.declare import Pipeline
from casper_ray.medallion.kitchen.pipeline import PIPELINE
from casper_ray.medallion.runner import Runner

rows = st.integers(0, 10**12)
accounts = st.builds(Account, rows, rows, rows, rows, rows, rows)


@given(st.lists(accounts))
def test_accounts_add_up_column_by_column(some: list[Account]) -> None:
    assert tuple(total(some)) == tuple(sum(column) for column in zip(*some, strict=True)) or not some
    assert all(type(found) is Account for found in (total(some), Account().plus(Account())))


@given(accounts)
def test_an_account_balances_where_what_came_in_went_somewhere(account: Account) -> None:
    went = account[1] + account[2] + account[3] + account[4] + account[5]
    assert account.balances == (account.rows_in == went)
    assert account._replace(rows_in=went).balances


def test_what_was_written_has_to_be_what_the_account_says() -> None:
    check_balance({"t": Account(rows_in=3, rows_out=2, late=1), "view": Account()}, {"t": 2}, 7, "quarantine")
    with pytest.raises(AccountError, match=r"batch 7, table t: does not add up .*but 3 rows in its files"):
        check_balance({"t": Account(rows_in=3, rows_out=2, late=1)}, {"t": 3}, 7, "quarantine")
    check_balance(
        {"t": Account(rows_in=3, rows_out=1, quarantined=2)}, {"t": 1, "quarantine": 2}, 7, "quarantine"
    )
    with pytest.raises(AccountError, match=r"batch 7, table quarantine: .*but 1 rows in its files"):
        check_balance({"t": Account(rows_in=2, quarantined=2)}, {"quarantine": 1}, 7, "quarantine")


Losing = Callable[[Pipeline], Pipeline]


def losing_a_line(pipeline: Pipeline) -> Pipeline:
    """As if the parser had swallowed a line."""

    def parse(data: bytes) -> Parsed:
        parsed = pipeline.sources[0].parse(data)
        return parsed._replace(events=parsed.events.head(max(parsed.events.height - 1, 0)))

    return replace(pipeline, sources=(replace(pipeline.sources[0], parse=parse),))


def losing_a_reject(pipeline: Pipeline) -> Pipeline:
    """As if what is refused was forgotten."""

    def parse(data: bytes) -> Parsed:
        parsed = pipeline.sources[0].parse(data)
        return parsed._replace(rejected=parsed.rejected.clear())

    return replace(pipeline, sources=(replace(pipeline.sources[0], parse=parse),))


@pytest.mark.parametrize("losing", [losing_a_line, losing_a_reject])
def test_a_batch_that_does_not_add_up_is_not_committed(
    tmp_path: Path, losing: Losing, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = SmallLake.at(tmp_path / "lake")
    lake.drop("a.json", order(1), order(2))
    lake.run()
    before = logs_of(lake)
    lake.drop("b.json", order(3), order(4), b"torn\n")
    module = ModuleType("losing_pipeline")
    module.PIPELINE = losing(PIPELINE)  # type: ignore[attr-defined]  # made here
    monkeypatch.setitem(sys.modules, "losing_pipeline", module)
    with pytest.raises(AccountError, match="batch 2, table volume:events: does not add up") as caught:
        list(Runner("losing_pipeline", lake.catalog).run_available())
    assert "\n" not in str(caught.value)
    assert logs_of(lake) == before
    (report,) = lake.run()
    assert (report.batch.number, report.quarantined) == (2, 1)
    assert lake.orders() == ["O1", "O2", "O3", "O4"]


def logs_of(lake: SmallLake) -> dict[str, bytes]:
    return {name: data for name, data in lake.files(but="none").items() if "_delta_log" in name}


def test_the_accounts_of_a_batch_are_in_its_row(tmp_path: Path) -> None:
    lake = SmallLake.at(tmp_path / "lake")
    lake.drop("a.json", order(1), order(1), order(2, items=[]), b"torn\n")
    (report,) = lake.run()
    (row,) = lake.table("batches").rows(named=True)
    written = {
        account["table"]: Account(
            *(account[f"rows_{name.removeprefix('rows_')}"] for name in Account._fields)
        )
        for account in row["accounts"]
    }
    assert written == report.accounts
    assert written.keys() == {"volume:events"} | {table.name for table in PIPELINE.tables}
    counted = Account(*(row[f"rows_{name.removeprefix('rows_')}"] for name in Account._fields))
    assert counted == report.counts == Account(rows_in=4, rows_out=2, duplicate=1, quarantined=1)
    rows_of = {account["table"]: account["table_rows"] for account in row["accounts"]}
    assert rows_of["all_events"] == lake.table("all_events").height == 3
    assert rows_of["orders"] is None, "a view holds nothing"
    assert lake.table("quarantine").select(pl.len()).item() == report.quarantined == 1
