"""What an agent may ask of a transfer's counterparty: what of the list is like it. Never its name."""

from __future__ import annotations

from typing import Final

import polars as pl

from casper_ray.agents.bank.sanctions_store import ScreeningStore
from casper_ray.agents.bank.scope import OfTransaction
from casper_ray.agents.tools import Result, Tool

LEAST_TOLD: Final = 0.7
"""Names less alike than this have nothing to do with each other; the entry would say nothing."""


class SanctionsMatch(Result):
    """The entry of the list that the counterparty's name is most like, as listed on the transfer's day.

    score: 0 to 1, 1 the same name. list_entry, initials: of the entry, null where the score is below 0.7.
    """

    score: float | None
    list_entry: str | None
    initials: str | None


def own_wire(store: ScreeningStore, cases: pl.DataFrame) -> pl.DataFrame:
    """transaction_id: the case's subject."""
    return cases.select(pl.col("subject").str.head(40).alias("transaction_id"))


def sanctions_matches(store: ScreeningStore, asked: pl.DataFrame) -> pl.DataFrame:
    """`SanctionsMatch` of each asked transfer."""
    rows = store.screened_of(asked)
    found = pl.col("source_batch").is_not_null()
    told = pl.col("score") >= LEAST_TOLD
    return rows.select(
        found.alias("found"),
        pl.when(found).then(pl.col("score").fill_null(0.0)).alias("score"),
        pl.when(told).then("entry_id").alias("list_entry"),
        pl.when(told).then("initials").alias("initials"),
    )


MATCH_SANCTIONS: Final = Tool(
    name="match_sanctions",
    description="Which entry of the sanctions list the transfer's counterparty is most like, and how much.",
    arguments=OfTransaction,
    result=SanctionsMatch,
    answer=sanctions_matches,
    own=own_wire,
)
