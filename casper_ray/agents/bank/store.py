"""What the bank's tools read: flagged transactions, customers' versions, and features, as one batch left them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import asdict
from typing import Any, ClassVar, Final, NamedTuple, Self, TypeVar

import polars as pl

from casper_ray.agents.bank.network import Network
from casper_ray.agents.bank.rows import CUSTOMER, FLAGGED, FLAGGED_TS, TRANSACTION
from casper_ray.agents.by_key import FEW, ByKey
from casper_ray.agents.features.answers import FEATURE_SCHEMA
from casper_ray.agents.features.cases import CASE_SCHEMA, Case, cases_of
from casper_ray.agents.features.lookup import FeatureStore
from casper_ray.agents.features.tables import DAYS
from casper_ray.agents.features.tables import TRANSACTIONS as SILVER
from casper_ray.agents.store import PipelineStore
from casper_ray.domain.bank import ATM, CARD, COMPLIANCE_FAILED, SETTLED, WIRE
from casper_ray.lakehouse.batch_versions import LeftBy
from casper_ray.lakehouse.changes import CHANGE, changes
from casper_ray.lakehouse.names import Catalog
from casper_ray.lakehouse.read import KNOWN

T = TypeVar("T")
RETAIL: Final = "retail_banking"
CUSTOMERS: Final = "silver_customers"
SUSPICIOUS: Final = "gold_suspicious_activity"


class Told(NamedTuple):
    """An answer that is kept, and to what."""

    asked: pl.DataFrame
    answer: pl.DataFrame


class BankStore(PipelineStore):
    """What the bank's tools read.

    flagged:   `FLAGGED`, one row per flagged transaction, in memory, in the order in which they were known.
    customers: `CUSTOMER`, one row per customer and version, in memory.
    """

    schema = RETAIL
    reads: ClassVar[tuple[str, ...]] = (SILVER, CUSTOMERS, SUSPICIOUS, DAYS)

    def __init__(self, catalog: Catalog, batch: int | None = None) -> None:
        self.flagged = pl.DataFrame(schema=FLAGGED)
        self.customers = pl.DataFrame(schema=CUSTOMER)
        self._features: FeatureStore | None = None
        self._told: dict[str, Told] = {}
        self._kept: dict[str, Any] = {}
        self._network: tuple[int, Network] | None = None
        self._rows: ByKey | None = None
        self._by_account: ByKey | None = None
        super().__init__(catalog, batch)

    def take_in(self, left: LeftBy) -> None:
        self._kept, self._told, self._by_account = {}, {}, None
        fresh = self._flagged_since(left)
        known = pl.concat([self.flagged, fresh]).sort(FLAGGED_TS, "transaction_id")
        self.flagged = known.unique("transaction_id", keep="first", maintain_order=True)
        self.customers = self.table(CUSTOMERS, left).select(CUSTOMER.names()).cast(CUSTOMER).collect()
        if self._rows is not None:
            self._rows.add(self.fresh(left, TRANSACTION.names()))

    def with_rows(self, **rows: pl.DataFrame) -> Self:
        """The same store with other rows of what it holds in memory, such as `flagged`; of answers it keeps none."""
        other = copy(self)
        other._kept, other._told = {}, {}
        for name, frame in rows.items():
            setattr(other, name, frame)
        return other

    def kept(self, name: str, made: Callable[[], T]) -> T:
        """What `made` returns, made once while the store stands at a batch. Each name is of one type."""
        if name not in self._kept:
            self._kept[name] = made()
        found: T = self._kept[name]
        return found

    def flagged_by(self, key: str, wanted: pl.Series) -> pl.DataFrame:
        """`flagged`, of some accounts, merchants or whatever else a column of texts names; null is nobody."""
        return self.kept(f"flagged by {key}", lambda: ByKey(self.flagged, key)).of(wanted)

    def told(
        self, name: str, asked: pl.DataFrame, made: Callable[[pl.DataFrame], pl.DataFrame]
    ) -> pl.DataFrame:
        """What `made` answers to `asked`; of each name the last answer is kept while the store stands at a batch."""
        last = self._told.get(name)
        if last is None or not last.asked.equals(asked):
            last = self._told[name] = Told(asked, made(asked))
        return last.answer

    def fresh(self, left: LeftBy, columns: Sequence[str]) -> pl.DataFrame:
        """Silver's rows that came between the store's batch and `left`."""
        before = self.left.versions.get(SILVER)
        if before is None:
            return self.table(SILVER, left).select(columns).collect()
        found = changes(self.catalog.table(self.schema, SILVER), before, left.versions[SILVER])
        return found.filter(pl.col(CHANGE) == "insert").select(columns)

    def transactions_of(self, ids: pl.Series) -> pl.DataFrame:
        """`TRANSACTION` of these ids, each once, in no particular order; whoever asks bounds it by `at`.

        Flagged ones cost no read. Of others a few are found in memory, where all of Silver is when first asked for;
        many are read.
        """
        wanted = ids.drop_nulls().unique()
        ours = self.flagged.filter(pl.col("transaction_id").is_in(wanted.implode())).select(
            TRANSACTION.names()
        )
        if ours.height == wanted.len() or SILVER not in self.left.versions:
            return ours
        if ours.is_empty():
            return self._of_silver(wanted)
        others = wanted.filter(~wanted.is_in(ours["transaction_id"].implode()))
        return pl.concat([ours, self._of_silver(others)])

    def transactions_at(self, asked: pl.DataFrame) -> pl.DataFrame:
        """`TRANSACTION` of each asked transaction_id, in order, and `row`; null where it was not known by `at`.

        The last answer is kept: several tools ask the same of the same cases.
        """
        return self.told("transactions", asked.select("transaction_id", "at"), self._transactions_at)

    def _transactions_at(self, asked: pl.DataFrame) -> pl.DataFrame:
        found = asked.with_row_index("row").join(
            self.transactions_of(asked["transaction_id"]),
            on="transaction_id",
            how="left",
            maintain_order="left",
        )
        known = found[KNOWN] <= found["at"]
        if known.all(ignore_nulls=False):
            return found.drop("at")
        return found.select("row").join(
            found.filter(known).drop("at"), on="row", how="left", maintain_order="left"
        )

    def _of_silver(self, ids: pl.Series) -> pl.DataFrame:
        if ids.len() > FEW:
            wanted = pl.col("transaction_id").is_in(ids.implode())
            found = self._silver().filter(wanted).collect().sort(KNOWN)
        else:
            if self._rows is None:
                self._rows = ByKey(self._silver().collect().sort(KNOWN), "transaction_id")
            found = self._rows.of(ids)
        return found.unique("transaction_id", keep="first", maintain_order=True)

    def customers_at(self, asked: pl.DataFrame) -> pl.DataFrame:
        """The customer's version that was the last one known by `at`.

        asked:   account_token (of the account, or of the credit account), at.
        Returns: one row per row of asked, in order: `CUSTOMER`; all null where nobody is known to have it.
        Rules:   versions follow each other by lsn. Of who is deleted it is the last that named the account.
        """
        numbered = asked.select(pl.col("account_token").alias("asked_token"), "at").with_row_index("row")
        named = self._versions.of(asked["account_token"])
        known = numbered.join(named, on="asked_token").filter(pl.col(KNOWN) <= pl.col("at"))
        last = known.sort("row", "lsn").unique("row", keep="last", maintain_order=True)
        return (
            numbered.select("row")
            .join(last, on="row", how="left", maintain_order="left")
            .select(CUSTOMER.names())
        )

    def _silver(self) -> pl.LazyFrame:
        return self.table(SILVER).select(TRANSACTION.names())

    @property
    def _versions(self) -> ByKey:
        """Customers' versions by each of the accounts that they name: `asked_token`."""
        if self._by_account is None:
            versions = self.customers.filter(pl.col("account_token").is_not_null())
            tokens = ("account_token", "credit_account_token")
            each = [versions.with_columns(pl.col(token).alias("asked_token")) for token in tokens]
            self._by_account = ByKey(pl.concat(each).drop_nulls("asked_token"), "asked_token")
        return self._by_account

    def features_of(self, cases: pl.DataFrame) -> pl.DataFrame:
        """`FEATURE_SCHEMA`, one row per row of `features.cases.CASE_SCHEMA`, in order, as of each case's `at`."""
        if cases.height != 1:
            return self.history.many(cases)
        one = self.history.one(Case(**cases.select(CASE_SCHEMA.names()).row(0, named=True)))
        return pl.DataFrame([asdict(one)], schema=FEATURE_SCHEMA)

    def features_of_transactions(self, ids: pl.Series, at: pl.Series) -> pl.DataFrame:
        """The same of transactions, each as of `at`; null where it was not known by then.

        The last answer is kept: several tools ask the same of the same cases.
        """
        rows = pl.DataFrame({"transaction_id": ids, "at": at})
        return self.told("features", rows, self._features_of_transactions)

    def _features_of_transactions(self, rows: pl.DataFrame) -> pl.DataFrame:
        found = self.transactions_at(rows).with_columns(rows["at"])
        known = found.filter(pl.col("transaction_id").is_not_null())
        features = self.features_of(cases_of(known).with_columns(known["at"])).drop("case_id")
        if known.height == rows.height:
            return features
        told = features.with_columns(known["row"])
        return found.select("row").join(told, on="row", how="left", maintain_order="left").drop("row")

    @property
    def history(self) -> FeatureStore:
        """Every account's history, in memory from the first look-up on."""
        pinned = self.left.versions
        if self._features is None:
            self._features = FeatureStore(self.catalog, versions=pinned)
        self._features.pin(pinned)
        self._features.refresh()
        return self._features

    @property
    def network(self) -> Network:
        """Who dealt with whom, and from which device."""
        history, version = self.history, self.left.versions[SILVER]
        if self._network is None or self._network[0] != version:
            self._network = (version, Network(history.rows, history.books))
        return self._network[1]

    def _flagged_since(self, left: LeftBy) -> pl.DataFrame:
        """Transactions that were flagged after the store's batch."""
        judged = (
            self._suspicious_since(left)
            .sort(KNOWN)
            .unique("transaction_id", keep="first")
            .select(
                "transaction_id", "reason_codes", "risk_score", "txn_day", pl.col(KNOWN).alias(FLAGGED_TS)
            )
        )
        ids, days = judged["transaction_id"].implode(), judged["txn_day"].unique().implode()
        rows = (
            self.table(SILVER, left)
            .filter(pl.col("txn_day").is_in(days), pl.col("transaction_id").is_in(ids))
            .select(TRANSACTION.names())
            .collect()
            .sort(KNOWN)
            .unique("transaction_id", keep="first")
        )
        return (
            rows.join(judged.drop("txn_day"), on="transaction_id")
            .join(self._batches_of(judged["transaction_id"], left), on="transaction_id", how="left")
            .with_columns(
                pl.col("source_batch").fill_null(left.batch),
                pl.max_horizontal(FLAGGED_TS, KNOWN).alias(FLAGGED_TS),
            )
            .select((pl.col(name).cast(dtype)) for name, dtype in FLAGGED.items())
        )

    def _suspicious_since(self, left: LeftBy) -> pl.DataFrame:
        before = self.left.versions.get(SUSPICIOUS)
        if before is None:
            return self.table(SUSPICIOUS, left).collect()
        path = self.catalog.table(self.schema, SUSPICIOUS)
        return (
            changes(path, before, left.versions[SUSPICIOUS]).filter(pl.col(CHANGE) == "insert").drop(CHANGE)
        )

    def _batches_of(self, ids: pl.Series, left: LeftBy) -> pl.DataFrame:
        """transaction_id, source_batch: whose Bronze brought the event that concluded it. Gold does not say."""
        brought = [
            self.table(f"{feed}_events", left)
            .filter(
                pl.col("_batch_id") > self.left.batch,
                pl.col("_admission") == "admitted",
                pl.col("event_type").is_in([SETTLED, COMPLIANCE_FAILED]),
                pl.col("transaction_id").is_in(ids.implode()),
            )
            .select("transaction_id", pl.col("_batch_id").alias("source_batch"))
            for feed in (CARD, ATM, WIRE)
        ]
        return pl.concat(brought).group_by("transaction_id").agg(pl.col("source_batch").min()).collect()
