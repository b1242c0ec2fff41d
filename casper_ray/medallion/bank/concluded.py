"""Concluded transactions of each feed, brought to where the columns that hide things can be hidden by name."""

from __future__ import annotations

import polars as pl
import pyarrow as pa

from casper_ray.medallion.bank.bronze import (
    ADMITTED_ATM,
    ADMITTED_CARD,
    ADMITTED_WIRE,
    concluded_events,
)
from casper_ray.medallion.bank.source import TIMESTAMP
from casper_ray.medallion.declare import Table, View
from casper_ray.medallion.event_time import event_times

_SAMPLE = ("event_id", "event_type", "ts", "transaction_id")
_INCOMING, _INTERNAL = "incoming", "internal"
_SIDES = ("name", "account", "bank")


def concluded_at_once(events: pl.DataFrame) -> pl.DataFrame:
    """Card and ATM transactions that were concluded: one row each; txn_ts: when it was initiated.

    Rules: where a line does not say when in a way that can be read, txn_ts is the instant of the event itself.
    """
    rows = concluded_events(events)
    return rows.with_columns(_begun(rows["initiated_ts"], rows["event_ts"]))


def concluded_wires(events: pl.DataFrame) -> pl.DataFrame:
    """Transfers that were concluded: one row each, told from the customer's side.

    Reads:   admitted_wire_events.
    Returns: its columns; txn_ts, when it was keyed in, else the file's instant; account_number, the customer's:
             the payer's, of an incoming one the payee's; counterparty_name, counterparty_account,
             counterparty_bank, of the other side; counterparty_country, the country of its account (the first
             two letters of an IBAN, ISO 13616); internal, whether both sides are ours.
    """
    rows = concluded_events(events)
    incoming = pl.col("direction") == _INCOMING
    other = {
        f"counterparty_{what}": pl.when(incoming).then(f"payer_{what}").otherwise(f"payee_{what}")
        for what in _SIDES
    }
    told = rows.with_columns(
        _begun(rows["entered_ts"], rows["event_ts"]),
        pl.when(incoming).then("payee_account").otherwise("payer_account").alias("account_number"),
        (pl.col("direction") == _INTERNAL).fill_null(False).alias("internal"),
        **other,
    )
    country = pl.col("counterparty_account").str.extract(r"^\s*([A-Za-z]{2})[0-9]{2}").str.to_uppercase()
    return told.with_columns(country.alias("counterparty_country"))


def _begun(told: pl.Series, event_ts: pl.Series) -> pl.Series:
    """txn_ts: the instants that texts tell of, else the events' own."""
    begun = event_times(told)
    return begun.zip_with(begun.is_not_null(), event_ts).alias("txn_ts")


def _with(schema: pa.Schema, *fields: tuple[str, pa.DataType]) -> pa.Schema:
    return pa.schema([*schema, *fields])


def _view(reads: Table, name: str) -> Table:
    return Table(
        name=name,
        reads=reads.name,
        grain="one row per concluded transaction of the feed",
        schema=_with(reads.schema, ("txn_ts", TIMESTAMP)),
        update=View(),
        transform=concluded_at_once,
        samples=_SAMPLE,
    )


CONCLUDED_CARD = _view(ADMITTED_CARD, "concluded_card_events")
CONCLUDED_ATM = _view(ADMITTED_ATM, "concluded_atm_events")
CONCLUDED_WIRE = Table(
    name="concluded_wire_events",
    reads=ADMITTED_WIRE.name,
    grain="one row per concluded transfer",
    schema=_with(
        ADMITTED_WIRE.schema,
        ("account_number", pa.string()),
        ("internal", pa.bool_()),
        *((f"counterparty_{what}", pa.string()) for what in _SIDES),
        ("txn_ts", TIMESTAMP),
        ("counterparty_country", pa.string()),
    ),
    update=View(),
    transform=concluded_wires,
    samples=_SAMPLE,
)
CONCLUDED = (CONCLUDED_CARD, CONCLUDED_ATM, CONCLUDED_WIRE)
