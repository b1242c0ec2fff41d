"""Names of counterparties and of the sanctions list, compared in the plainest way: a second opinion."""

from __future__ import annotations

import re
from collections.abc import Mapping

import polars as pl

from casper_ray.lakehouse.names import Catalog
from casper_ray.lakehouse.read import scan


def names_of(catalog: Catalog, transactions: pl.Series) -> Mapping[str, str]:
    """By transfer: the counterparty's name, from Bronze."""
    outside = pl.when(pl.col("direction") == "incoming").then("payer_name").otherwise("payee_name")
    wires = scan(catalog.table("retail_banking", "wire_events")).filter(
        pl.col("transaction_id").is_in(transactions.implode()), pl.col("_admission") == "admitted"
    )
    return dict(wires.select("transaction_id", outside.alias("name")).drop_nulls().collect().iter_rows())


def surely_listed(catalog: Catalog, cases: pl.DataFrame) -> list[bool]:
    """Whether every word of a name that was listed by the case's day is a word of the counterparty's."""
    entries = scan(catalog.table("simulator", "sanctions_list")).select("listed_on", "name").collect()
    listed = [(day, words) for day, name in entries.iter_rows() if len(words := _words(name)) > 1]
    names = names_of(catalog, cases["subject"])
    return [
        any(day <= at.date() and words <= _words(names.get(subject, "")) for day, words in listed)
        for subject, at in cases.select("subject", "at").iter_rows()
    ]


def _words(name: str) -> set[str]:
    return set(re.findall(r"[^\W\d_]+", name.casefold()))
