"""The store that is kept warm: it follows its tables, or stays where it was pinned, and holds no more than it may."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import polars as pl
import pytest
from deltalake import DeltaTable
from polars.testing import assert_frame_equal
from small_bank import DAY, IBAN, SmallBank, card

from casper_ray.agents.features.cases import Case
from casper_ray.agents.features.codes import Books
from casper_ray.agents.features.lookup import FeatureStore, features_at
from casper_ray.agents.features.tables import DAYS, TRANSACTIONS, KeptTable, coded_days, coded_transactions
from casper_ray.errors import LakeError
from casper_ray.lakehouse.keep import vacuumed
from casper_ray.lakehouse.read import at_version
from casper_ray.security.domains import Domain


def case(bank: SmallBank, hours: float) -> Case:
    token = bank.tokeniser().token(Domain.ACCOUNT, IBAN)
    return Case(case_id="c", account_token=token, at=DAY + timedelta(hours=hours), merchant_id="M0000001")


def test_it_follows_its_tables(bank: SmallBank) -> None:
    bank.drop("card", "a.json", card(1))
    bank.run()
    store = FeatureStore(bank.catalog)
    assert store.one(case(bank, 60)).own_transactions == 1
    before = store.versions
    bank.drop("card", "b.json", card(2), card(3, hours=36))
    bank.run()
    got = store.one(case(bank, 60))
    assert (got.own_transactions, got.out_count_7d) == (3, 3)
    assert store.versions != before


@pytest.mark.parametrize(
    ("name", "partition", "coded"),
    [(TRANSACTIONS, "txn_day", coded_transactions), (DAYS, "day", coded_days)],
)
def test_what_was_read_version_by_version_is_what_is_read_at_once(
    bank_lake: SmallBank, name: str, partition: str, coded: Any
) -> None:
    path, books = bank_lake.catalog.table("retail_banking", name), Books()
    last = at_version(path).version()
    followed = KeptTable(path, partition, coded)
    for version in range(1, last + 1):
        followed.pinned = version
        followed.follow(books)
    at_once = KeptTable(path, partition, coded)
    at_once.follow(books)
    assert followed.version == at_once.version == last > 5
    by = at_once.rows.columns
    assert_frame_equal(followed.rows.sort(by), at_once.rows.sort(by))


def test_it_reads_only_partitions_that_changed(bank: SmallBank, monkeypatch: pytest.MonkeyPatch) -> None:
    bank.drop("card", "a.json", card(1), card(2, hours=36))
    bank.run()
    store = FeatureStore(bank.catalog)
    read: list[int] = []
    coded = KeptTable.follow

    def counting(table: KeptTable, books: Any) -> None:
        inner = table.coded

        def watched(rows: pl.LazyFrame, books: Any) -> pl.DataFrame:
            found = inner(rows, books)
            read.append(found.height)
            return found

        table.coded = watched
        coded(table, books)
        table.coded = inner

    monkeypatch.setattr(KeptTable, "follow", counting)
    bank.drop("card", "b.json", card(3, hours=37))
    bank.run()
    store.refresh()
    assert read == [2, 1], "of the second day two rows of Silver and one of Gold"


def test_compaction_changes_no_answer(bank: SmallBank) -> None:
    store = None
    for number in range(3):
        bank.drop("card", f"{number}.json", card(number, hours=12 + number))
        bank.run()
        store = store or FeatureStore(bank.catalog)
    assert store
    before = store.one(case(bank, 15))
    assert before.out_count_24h == 3
    silver = DeltaTable(str(bank.catalog.table("retail_banking", TRANSACTIONS)))
    assert silver.optimize.compact()["numFilesRemoved"] == 3
    assert store.refresh()
    assert store.one(case(bank, 15)) == before


def test_a_log_that_was_cut_is_followed(bank: SmallBank) -> None:
    """Upkeep may remove the very next version before the store looks."""
    bank.drop("card", "a.json", card(0))
    bank.run()
    store = FeatureStore(bank.catalog)
    for number in range(1, 4):
        bank.drop("card", f"{number}.json", card(number))
        bank.run()
    list(vacuumed(bank.catalog, [], timedelta(0), dry_run=False))
    log = bank.catalog.table("retail_banking", TRANSACTIONS) / "_delta_log"
    assert not (log / f"{store.versions[TRANSACTIONS] + 1:020d}.json").exists()
    assert store.one(case(bank, 15)).out_count_24h == 4


def test_a_pinned_one_stays(bank: SmallBank) -> None:
    bank.drop("card", "a.json", card(1))
    bank.run()
    pinned = FeatureStore(bank.catalog).versions
    bank.drop("card", "b.json", card(2))
    bank.run()
    store = FeatureStore(bank.catalog, versions=pinned)
    assert store.versions == pinned
    assert store.one(case(bank, 13)).out_count_1h == 0
    assert store.one(case(bank, 12)).out_count_1h == 1
    assert not store.refresh()
    asked = pl.DataFrame(
        [{"case_id": "c", "account_token": case(bank, 0).account_token, "at": case(bank, 12).at}]
    )
    table = asked.with_columns(
        pl.lit(None).alias(name)
        for name in ("amount_base", "counterparty_token", "device_token", "merchant_id", "lat", "lon")
    )
    assert features_at(bank.catalog, table, versions=pinned)["out_count_1h"].to_list() == [1]
    assert features_at(bank.catalog, table)["out_count_1h"].to_list() == [2]


def test_it_holds_no_more_than_it_may(bank: SmallBank) -> None:
    bank.drop("card", "a.json", card(1), card(2))
    bank.run()
    assert FeatureStore(bank.catalog, most_rows=3)
    with pytest.raises(LakeError, match="3 rows, it holds at most 2"):
        FeatureStore(bank.catalog, most_rows=2)


def test_one_that_got_too_large_says_so_again_and_again(bank: SmallBank) -> None:
    bank.drop("card", "a.json", card(1))
    bank.run()
    store = FeatureStore(bank.catalog, most_rows=2)
    bank.drop("card", "b.json", card(2))
    bank.run()
    for _ in range(2):
        with pytest.raises(LakeError, match="at most 2"):
            store.one(case(bank, 15))
