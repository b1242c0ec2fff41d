"""Bronze of the bank: each feed as received; and which of its events count."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import polars as pl
import pyarrow as pa

from casper_ray.domain.bank import COMPLIANCE_FAILED, SETTLED
from casper_ray.medallion.bank.source import ATM_FEED, CARD_FEED, CUSTOMER_FEED, WIRE_FEED, fields_of
from casper_ray.medallion.columns import ADMISSION, BATCH_ID, INGESTED, KNOWN, SOURCE_FILE
from casper_ray.medallion.declare import Append, Source, Table, View, Watermark
from casper_ray.medallion.event_time import event_times

_ADDED = (SOURCE_FILE, BATCH_ID, KNOWN, INGESTED, ADMISSION)
_SAMPLE = ("event_id", "event_type", "ts", "transaction_id", "transaction_type", "branch_id", "currency")
CONCLUDING = (SETTLED, COMPLIANCE_FAILED)


def as_received(events: pl.DataFrame, columns: tuple[str, ...]) -> pl.DataFrame:
    """Bronze: every event of a feed as received, with where it came from, when it was known, and whether it counts.

    Reads:   a volume, one row per line that is an event.
    Returns: one row per line: the feed's fields unchanged, `before` and `after` of a change as JSON text;
             _source_file; _batch_id; _known_ts, the simulated instant from which the row could be known;
             _ingested_at, wall time; _admission: admitted, duplicate or late.
    Rules:   nothing is left out: duplicates and late events are rows here. This is where personal data is.
    """
    return events.select(columns)


def recalled_events(bronze: pl.LazyFrame) -> pl.LazyFrame:
    """Of Bronze's rows, what tells duplicates and late ones: event_id, and event_ts, the event's own instant."""
    return bronze.select("event_id", pl.col("ts").map_batches(event_times).alias("event_ts"))


def admitted_events(events: pl.DataFrame) -> pl.DataFrame:
    """The events of a feed that count: each once, none behind the watermark, with all that the source has of them."""
    return events


def concluded_events(events: pl.DataFrame) -> pl.DataFrame:
    """The events that say what became of a transaction: one row per transaction, settled or refused by compliance.

    Rules: what comes before and after them in a transaction's life says nothing more of money.
    """
    return events.filter(pl.col("event_type").is_in(CONCLUDING))


def _bronze(source: Source, name: str) -> Table:
    columns = (*fields_of(source.volume).names, *_ADDED)
    return Table(
        name=name,
        reads=source.name,
        grain="one row per event as received",
        schema=pa.schema([source.columns.field(column) for column in columns]),
        update=Append(),
        transform=partial(as_received, columns=columns),
        stats=(BATCH_ID, KNOWN),
    )


def _admitted(source: Source, log: Table, lateness: timedelta | None) -> Table:
    watermark = None
    if lateness is not None:
        watermark = Watermark(
            key="event_id", time="event_ts", lateness=lateness, log=log.name, recalled=recalled_events
        )
    return Table(
        name=f"admitted_{log.name}",
        reads=source.name,
        grain="one row per event that counts",
        schema=source.columns,
        update=View(),
        transform=admitted_events,
        watermark=watermark,
        samples=tuple(name for name in _SAMPLE if name in source.columns.names),
    )


CARD_EVENTS = _bronze(CARD_FEED, "card_events")
ATM_EVENTS = _bronze(ATM_FEED, "atm_events")
WIRE_EVENTS = _bronze(WIRE_FEED, "wire_events")
CUSTOMER_CDC = _bronze(CUSTOMER_FEED, "customer_cdc")

ADMITTED_CARD = _admitted(CARD_FEED, CARD_EVENTS, timedelta(hours=3))
ADMITTED_ATM = _admitted(ATM_FEED, ATM_EVENTS, timedelta(hours=3))
ADMITTED_WIRE = _admitted(WIRE_FEED, WIRE_EVENTS, timedelta(hours=24))
ADMITTED_CDC = _admitted(CUSTOMER_FEED, CUSTOMER_CDC, None)
"""Changes of customers have no watermark: a change is what it is however late it comes, and one that comes again
merges into itself (see `customers`), so none needs to be remembered."""

BRONZE = (CARD_EVENTS, ATM_EVENTS, WIRE_EVENTS, CUSTOMER_CDC)
ADMITTED = (ADMITTED_CARD, ADMITTED_ATM, ADMITTED_WIRE, ADMITTED_CDC)
