"""Silver of the bank's customers: every version of each, from changes in any order, once or more often."""

from __future__ import annotations

import polars as pl
import pyarrow as pa

from casper_ray.domain.bank import CUSTOMER_FIELDS
from casper_ray.medallion.bank.bronze import ADMITTED_CDC
from casper_ray.medallion.bank.money import MONEY, amount_of
from casper_ray.medallion.bank.source import TIMESTAMP
from casper_ray.medallion.columns import KNOWN, TRACE, no_rejects
from casper_ray.medallion.declare import Merge, Split, Table, View
from casper_ray.medallion.json_lines import refused_rows
from casper_ray.security.domains import Domain

_DELETE = "delete"
_IMAGE = pl.Struct({name: pl.Int64 if name == "devices" else pl.String for name in CUSTOMER_FIELDS})
_ENVELOPE = ("event_id", "op", "customer_id", "lsn")
_SHOWN_BY_OTHERS = ("customer_id", "given_name", "family_name", "street", "city")
"""Of the image: stands in the envelope, in full_name and in address."""
_LIMITS = ("limit_card", "limit_atm", "limit_wire", "overdraft", "credit_limit")
_KEPT = ("country", "income_band", "segment", "branch_id")
_HIDDEN = {
    "account_number": Domain.ACCOUNT,
    "credit_account": Domain.ACCOUNT,
    "full_name": Domain.NAME,
    "birth_date": Domain.BIRTH_DATE,
    "address": Domain.ADDRESS,
    "phone": Domain.PHONE,
    "device_id": Domain.DEVICE,
}
_TOKENS = {
    "account_token": "account_number",
    "credit_account_token": "credit_account",
    "name_token": "full_name",
    "birth_date_token": "birth_date",
    "address_token": "address",
    "phone_token": "phone",
    "device_token": "device_id",
}
_SEALED = ("name_sealed", "phone_sealed")
_OURS = r"^C[0-9]{9}$"
_OTHERS = "other"


def customer_changes(changes: pl.DataFrame) -> Split:
    """Changes of customers with the row after each in columns.

    Reads:   admitted_customer_cdc.
    Returns: one row per change: event_id, op, customer_id, lsn, event_ts; the fields of `after`, null where there is
             none (a delete); full_name and address in the place of what they are put together from.
    Rules:   a change whose `after` is no such JSON goes to the quarantine, without the images: they name people.
    """
    try:
        return Split(_with_image(changes), no_rejects())
    except pl.exceptions.PolarsError:
        return _one_by_one(changes)


def customer_versions(changes: pl.DataFrame) -> pl.DataFrame:
    """Silver: every version of every customer, what is personal as tokens, name and phone sealed beside.

    Reads:   customer_changes, with tokens and seals.
    Returns: one row per customer and lsn: attributes of the row after the change; valid_from, the change's instant;
             valid_to, the next version's (null: none yet); is_current: the last and not deleted; deleted: a delete,
             all attributes null; complete: every version from the first to this one is there. An update whose
             insert has not come is kept, and not complete until then. Limits in BASE_CURRENCY, of a day.
    Rules:   versions follow each other by lsn, not by their clock. A change that comes again merges into itself;
             where two of one lsn differ, each attribute is the larger of the two.
    """
    deleted = pl.col("op") == _DELETE
    return changes.select(
        _bucket().alias("bucket"),
        "customer_id",
        "lsn",
        "op",
        pl.col("event_ts").alias("valid_from"),
        deleted.alias("deleted"),
        *(pl.col(column).alias(token) for token, column in _TOKENS.items()),
        *_SEALED,
        *_KEPT,
        "devices",
        *(amount_of(pl.col(limit)).alias(limit) for limit in _LIMITS),
        KNOWN,
        *TRACE,
    )


def history(versions: pl.DataFrame) -> pl.DataFrame:
    """The versions with what follows from the others of their customer: valid_to, is_current, complete."""
    ordered = versions.sort("customer_id", "lsn")
    following = pl.col("valid_from").shift(-1).over("customer_id")
    last = pl.col("lsn") == pl.col("lsn").max().over("customer_id")
    place = pl.col("lsn").cum_count().over("customer_id")
    return ordered.with_columns(
        following.alias("valid_to"),
        (last & ~pl.col("deleted")).alias("is_current"),
        (place == pl.col("lsn")).alias("complete"),
    )


def _bucket() -> pl.Expr:
    """Customers by the thousand: what a batch rewrites is the thousands that it touches. The text names a folder."""
    customer = pl.col("customer_id")
    return pl.when(customer.str.contains(_OURS)).then(customer.str.head(7)).otherwise(pl.lit(_OTHERS))


def _with_image(changes: pl.DataFrame) -> pl.DataFrame:
    image = changes["after"].str.json_decode(_IMAGE).struct.unnest().drop("customer_id")
    rows = changes.select(*_ENVELOPE, "event_ts", KNOWN, *TRACE).hstack(image)
    return rows.with_columns(
        _together("given_name", "family_name", separator=" ").alias("full_name"),
        _together("street", "city", separator=", ").alias("address"),
    ).select(*CHANGE_SCHEMA.names)


def _together(*columns: str, separator: str) -> pl.Expr:
    """What there is of the columns, put together; null where there is nothing."""
    text = pl.concat_str(*columns, separator=separator, ignore_nulls=True)
    return pl.when(pl.any_horizontal(pl.col(columns).is_not_null())).then(text)


def _one_by_one(changes: pl.DataFrame) -> Split:
    """The same, change by change: the way for the rare block that has one which cannot be read."""
    good, bad = [_with_image(changes.clear())], [changes.clear()]
    for change in changes.iter_slices(1):
        try:
            good.append(_with_image(change))
        except pl.exceptions.PolarsError:
            bad.append(change)
    refused = pl.concat(bad).select(*_ENVELOPE, *TRACE)
    return Split(pl.concat(good), refused_rows(refused, "after is not readable"))


CHANGE_SCHEMA = pa.schema(
    [
        *(ADMITTED_CDC.schema.field(name) for name in (*_ENVELOPE, "event_ts", KNOWN, *TRACE)),
        *(
            (name, pa.int64() if name == "devices" else pa.string())
            for name in CUSTOMER_FIELDS
            if name not in _SHOWN_BY_OTHERS
        ),
        ("full_name", pa.string()),
        ("address", pa.string()),
    ]
)

CUSTOMER_CHANGES = Table(
    name="customer_changes",
    reads=ADMITTED_CDC.name,
    grain="one row per change of a customer",
    schema=CHANGE_SCHEMA,
    update=View(),
    transform=customer_changes,
    samples=_ENVELOPE,
)

SILVER_CUSTOMERS = Table(
    name="silver_customers",
    reads=CUSTOMER_CHANGES.name,
    grain="one row per customer and version",
    schema=pa.schema(
        [
            ("bucket", pa.string()),
            ("customer_id", pa.string()),
            ("lsn", pa.int64()),
            ("op", pa.string()),
            ("valid_from", TIMESTAMP),
            ("valid_to", TIMESTAMP),
            ("is_current", pa.bool_()),
            ("deleted", pa.bool_()),
            ("complete", pa.bool_()),
            *((token, pa.string()) for token in (*_TOKENS, *_SEALED, *_KEPT)),
            ("devices", pa.int64()),
            *((limit, MONEY) for limit in _LIMITS),
            (KNOWN, TIMESTAMP),
        ]
    ),
    update=Merge(
        keys=("bucket", "customer_id", "lsn"),
        lowest=(KNOWN,),
        highest=("op", "valid_from", "deleted", *_TOKENS, *_SEALED, *_KEPT, "devices", *_LIMITS),
        segment="bucket",
        finish=history,
    ),
    transform=customer_versions,
    partition_by=("bucket",),
    tokens={column: str(domain) for column, domain in _HIDDEN.items()},
    seals={
        "name_sealed": ("full_name", str(Domain.NAME)),
        "phone_sealed": ("phone", str(Domain.PHONE)),
    },
    samples=("customer_id", "lsn", "op", "branch_id"),
    change_feed=True,
)
