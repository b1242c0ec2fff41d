"""Accounts over all batches: sums that add up, and the batches that do not."""

from __future__ import annotations

from datetime import timedelta

from quality_samples import START, account, batch, evidence

from casper_ray.medallion.report.accounts import table_accounts, totals


def test_totals_are_sums_over_batches() -> None:
    rows = evidence([], [batch(1, 10, 5, 1, 2, 1, 1), batch(2, 20, 20, 0, 0, 0, 0, replaces=["orders"])])
    total = totals(rows.batches)
    assert (total.batches, total.refreshes, total.off_batches) == (2, 1, 0)
    assert (total.rows_in, total.rows_out) == (30, 25)
    assert (total.duplicate, total.late, total.dropped, total.quarantined) == (1, 2, 1, 1)
    assert (total.sim_from, total.sim_to) == (START + timedelta(hours=1), START + timedelta(hours=2))


def test_totals_of_no_batch_are_zero() -> None:
    total = totals(evidence([]).batches)
    assert (total.batches, total.rows_in, total.off_batches, total.sim_from) == (0, 0, 0, None)


def test_a_missing_count_is_zero() -> None:
    assert totals(evidence([], [batch(1, 10, 10, 0, 0, 0, 0, rows_dropped=None)]).batches).off_batches == 0


def test_batches_that_are_off_in_opposite_ways_do_not_make_each_other_good() -> None:
    accounts = [account("orders", 10, 9, 0, 0, 0, 0), account("orders", 10, 11, 0, 0, 0, 0)]
    rows = [batch(n, 10, 9, 0, 0, 0, 0, accounts=[accounts[n]]) for n in (0, 1)]
    (found,) = table_accounts(evidence([], rows).batches)
    assert (found.rows_in, found.rows_out) == (20, 20)
    assert (found.off_batches, found.off_rows) == (2, 2)
    assert totals(evidence([], rows).batches).off_batches == 2


def test_a_table_has_its_rows_after_the_last_batch_and_a_view_none() -> None:
    rows = [
        batch(2, 2, 2, 0, 0, 0, 0, accounts=[account("b", 2, 2, 0, 0, 0, 0, table_rows=7)]),
        batch(1, 2, 2, 0, 0, 0, 0, accounts=[account("b", 5, 2, 0, 0, 0, 3, table_rows=5)]),
        batch(3, 2, 2, 0, 0, 0, 0, accounts=[account("a", 2, 2, 0, 0, 0, 0, table_rows=None)]),
    ]
    found = table_accounts(evidence([], rows).batches)
    assert [(one.table, one.batches, one.table_rows) for one in found] == [("b", 2, 7), ("a", 1, None)]
    assert (found[0].rows_in, found[0].rows_out, found[0].quarantined, found[0].off_batches) == (7, 4, 3, 0)


def test_batches_without_accounts_have_none() -> None:
    assert table_accounts(evidence([], [batch(1, 1, 1, 0, 0, 0, 0, accounts=None)]).batches) == []
    assert table_accounts(evidence([]).batches) == []
