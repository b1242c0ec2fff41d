"""What an agent may ask of a transaction's surroundings: its device, and whom its account deals with."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import polars as pl

from casper_ray.agents.bank.scope import OfTransaction, allows_transaction, own_transaction
from casper_ray.agents.bank.store import BankStore
from casper_ray.agents.by_key import ByKey
from casper_ray.agents.tools import Result, Tool
from casper_ray.lakehouse.read import KNOWN

_MONEY = pl.Decimal(18, 2)


class DeviceHistory(Result):
    """The device that the transaction came from; found: it came from one.

    new_device: the account never paid from it before. uses_30d: the account's other payments from it; accounts: how
    many customers' accounts paid from it. owners: customers to whom it is or was enrolled. enrolled_min: minutes
    since it was enrolled to this customer; null: it is not, or the customer came with it.
    """

    device_token: str | None
    new_device: bool | None
    uses_30d: int | None
    accounts: int | None
    owners: int | None
    enrolled_min: int | None


class CounterpartyGraph(Result):
    """Whom the account deals with, of transfers known in the 30 days to the case's instant, and in the last 7.

    both_ways: others that it both paid and was paid by. passed_on: what it paid out in 7 days, in percent of
    what came in.
    new_payee: the account never paid the transaction's other side before. counterparty_degree: how many customers'
    accounts dealt with that side; of a purchase, how many bought of the merchant. Money in EUR.
    """

    payees: int | None
    payers: int | None
    both_ways: int | None
    payees_7d: int | None
    payers_7d: int | None
    in_amount_7d: Decimal | None
    out_amount_7d: Decimal | None
    passed_on: int | None
    new_payee: bool | None
    counterparty_degree: int | None


def device_histories(store: BankStore, asked: pl.DataFrame) -> pl.DataFrame:
    """`DeviceHistory` of each asked transaction."""
    rows = store.transactions_at(asked).with_columns(asked["at"])
    used = store.network.devices(
        rows["account_token"], rows["device_token"], rows["transaction_id"], rows["at"]
    )
    enrolled = _enrolments(store, rows.select("row", "account_token", "device_token", "at"))
    told = pl.concat([rows, used, enrolled], how="horizontal")
    found = pl.col("device_token").is_not_null()
    given = ("new_device", "uses_30d", "accounts", "owners", "enrolled_min")
    return told.select(
        found.alias("found"), "device_token", *(pl.when(found).then(name).alias(name) for name in given)
    )


def _enrolments(store: BankStore, rows: pl.DataFrame) -> pl.DataFrame:
    """owners, enrolled_min: of each row's device, by what was known by `at`."""
    versions = store.kept("enrolments", lambda: ByKey(_enrolments_known(store), "device_token"))
    known = rows.join(versions.of(rows["device_token"]), on="device_token").filter(
        pl.col(KNOWN) <= pl.col("at")
    )
    mine = pl.col("tokens").list.contains(pl.col("account_token"))
    since = pl.max_horizontal("valid_from", KNOWN).filter(mine).min()
    enrolled = pl.when(pl.col("lsn").filter(mine).min() > 1).then(pl.col("at").first() - since)
    told = known.group_by("row").agg(
        pl.col("customer_id").n_unique().cast(pl.Int64).alias("owners"),
        enrolled.dt.total_minutes().alias("enrolled_min"),
    )
    joined = rows.select("row").join(told, on="row", how="left", maintain_order="left")
    return joined.select(pl.col("owners").fill_null(0), "enrolled_min")


def _enrolments_known(store: BankStore) -> pl.DataFrame:
    """Customers' versions that name a device, with the accounts that it is enrolled to."""
    return store.customers.filter(pl.col("device_token").is_not_null()).select(
        "customer_id",
        "lsn",
        "valid_from",
        "device_token",
        KNOWN,
        pl.concat_list("account_token", "credit_account_token").alias("tokens"),
    )


def counterparty_graphs(store: BankStore, asked: pl.DataFrame) -> pl.DataFrame:
    """`CounterpartyGraph` of each asked transaction's account."""
    rows = store.transactions_at(asked)
    found = rows["transaction_id"].is_not_null()
    graph = store.network.parties(rows["account_token"], asked["at"])
    features = store.features_of_transactions(asked["transaction_id"], asked["at"])
    came, went = pl.col("in_cents_7d"), pl.col("out_cents_7d")
    told = graph.with_columns(
        _money(came).alias("in_amount_7d"),
        _money(went).alias("out_amount_7d"),
        pl.when(came > 0).then(went * 100 // came).alias("passed_on"),
        features["new_payee"],
        features["counterparty_degree"],
    )
    names = [name for name in CounterpartyGraph.model_fields if name != "found"]
    return told.select(found.alias("found"), *(pl.when(found).then(name).alias(name) for name in names))


def _money(cents: pl.Expr) -> pl.Expr:
    """Whole cents as money, exactly."""
    return (cents.cast(pl.Decimal(20, 2)) / 100).cast(_MONEY)


GET_DEVICE_HISTORY: Final = Tool(
    name="get_device_history",
    description="The transaction's device: whether it is new to the account, who else used it, when it was enrolled.",
    arguments=OfTransaction,
    result=DeviceHistory,
    answer=device_histories,
    own=own_transaction,
    allows=allows_transaction,
)
GET_COUNTERPARTY_GRAPH: Final = Tool(
    name="get_counterparty_graph",
    description="How many the account pays and is paid by, how much it passes on, and whether the payee is new.",
    arguments=OfTransaction,
    result=CounterpartyGraph,
    answer=counterparty_graphs,
    own=own_transaction,
    allows=allows_transaction,
)
