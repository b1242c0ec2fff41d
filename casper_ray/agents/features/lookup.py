"""Features as of cases: for a table of them, or one at a time from a store that is kept warm."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from casper_ray.agents.features.answers import Features, one_of, table_of
from casper_ray.agents.features.cases import CASE_SCHEMA, Case, asked_of_one, asked_of_table, checked_cases
from casper_ray.agents.features.codes import Books
from casper_ray.agents.features.history import History
from casper_ray.agents.features.tables import (
    DAYS,
    TRANSACTIONS,
    KeptTable,
    coded_days,
    coded_transactions,
)
from casper_ray.errors import LakeError
from casper_ray.lakehouse.names import Catalog
from casper_ray.lakehouse.read import KNOWN, scan

MOST_ROWS = 5_000_000
"""A store's rows of Silver and of Gold's days, together: 4 GB, less than 1 KB a row."""
_AT_A_TIME = 20_000
"""Cases whose histories are written out at a time: about 100 MB."""


def features_at(
    catalog: Catalog, cases: pl.DataFrame, *, versions: Mapping[str, int] | None = None
) -> pl.DataFrame:
    """The features of each case, as of its instant.

    Reads:    silver_transactions, gold_customer_features of the catalog's pipeline: newest, or at `versions`.
    cases:    one row per case: `CASE_SCHEMA`; transaction_id and txn_ts may be left out.
    Returns:  one row per case, in the cases' order: `FEATURE_SCHEMA`. docs/reference/bank-features.md.
    Rules:    a row counts where _known_ts <= at, and a day of Gold where it was over by the case's. Only rows of the
              cases' accounts, counterparties and merchants are read, none that was known after the last case.
    Raises:   SchemaError for other cases; LakeError where a table is not there.
    """
    cases, versions, books = checked_cases(cases), versions or {}, Books()
    rows, days = (
        scan(catalog.table(catalog.pipeline_schema, name), version=versions.get(name))
        for name in (TRANSACTIONS, DAYS)
    )
    accounts, parties, merchants = (
        cases[name].drop_nulls().unique() for name in ("account_token", "counterparty_token", "merchant_id")
    )
    ours = pl.col("account_token").is_in(accounts.implode())
    touching = (
        ours
        | pl.col("counterparty_token").is_in(pl.concat([accounts, parties]).unique().implode())
        | pl.col("account_token").is_in(parties.implode())
        | pl.col("merchant_id").is_in(merchants.implode())
    )
    by_then = pl.col(KNOWN) <= pl.lit(cases["at"].max(), CASE_SCHEMA["at"])
    history = History(
        coded_transactions(rows.filter(touching & by_then), books), coded_days(days.filter(ours), books)
    )
    return _answered(history, books, cases)


def _answered(history: History, books: Books, cases: pl.DataFrame) -> pl.DataFrame:
    parts = [
        table_of(some["case_id"], history.features(asked_of_table(some, books)))
        for some in cases.iter_slices(_AT_A_TIME)
    ]
    return pl.concat(parts or [table_of(cases["case_id"], history.features(asked_of_table(cases, books)))])


class FeatureStore:
    """The history of every account in memory, for one case after the other.

    versions:  of tables, pinned: it then answers from these whatever comes later. Else it follows the tables: the
               first look-up after a commit reads the partitions that the commit touched.
    most_rows: more than this are refused.

    For one thread at a time. `features_at` answers the same, for any number of accounts.
    """

    def __init__(
        self, catalog: Catalog, *, versions: Mapping[str, int] | None = None, most_rows: int = MOST_ROWS
    ) -> None:
        pinned, schema = versions or {}, catalog.pipeline_schema
        self._most_rows = most_rows
        self._books = Books()
        self._transactions = KeptTable(
            catalog.table(schema, TRANSACTIONS), "txn_day", coded_transactions, pinned.get(TRANSACTIONS)
        )
        self._days = KeptTable(catalog.table(schema, DAYS), "day", coded_days, pinned.get(DAYS))
        self.refresh()

    @property
    def versions(self) -> dict[str, int]:
        """The tables' versions that answers are from: what a decision names, so that it can be asked again."""
        return {TRANSACTIONS: self._transactions.version, DAYS: self._days.version}

    @property
    def rows(self) -> pl.DataFrame:
        """Of every account, as `coded_transactions` has them, in no particular order."""
        return self._transactions.rows

    @property
    def books(self) -> Books:
        """What the codes in `rows` stand for."""
        return self._books

    def pin(self, versions: Mapping[str, int]) -> None:
        """Answer from these versions from the next look-up on."""
        self._transactions.pinned, self._days.pinned = versions.get(TRANSACTIONS), versions.get(DAYS)

    def refresh(self) -> bool:
        """Catch up with the tables; whether there was anything. Raises: LakeError for more rows than it may hold."""
        moved = [table for table in (self._transactions, self._days) if table.moved()]
        for table in moved:
            table.follow(self._books)
        self._refuse_too_many()
        if moved:
            self._history = History(self._transactions.rows, self._days.rows)
        return bool(moved)

    def one(self, case: Case) -> Features:
        """The features of one case, as of its instant. Raises: LakeError, as `refresh`."""
        self.refresh()
        return one_of(case.case_id, self._history.features(asked_of_one(case, self._books)))

    def many(self, cases: pl.DataFrame) -> pl.DataFrame:
        """The same as `features_at`, from what is in memory. Raises: SchemaError, LakeError."""
        self.refresh()
        return _answered(self._history, self._books, checked_cases(cases))

    def _refuse_too_many(self) -> None:
        rows = self._transactions.rows.height + self._days.rows.height
        if rows > self._most_rows:
            raise LakeError(
                f"feature store: the history has {rows:,} rows, it holds at most {self._most_rows:,}",
                "give it a larger most_rows and the memory, or ask features_at, which reads what the cases need",
            )
