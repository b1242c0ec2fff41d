"""Who dealt with whom, and from which device, as it could be known at an instant."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from casper_ray.agents.features.codes import Books, numbers_of
from casper_ray.agents.features.index import Pairs, Spread, Timeline
from casper_ray.domain.time import US_PER_DAY

GRAPH_DAYS: Final = 30
_WEEK_US: Final = 7 * US_PER_DAY


class Network:
    """Posted transactions of every account, sorted so that as of an instant is where a slice ends.

    rows, books: of `FeatureStore`.
    """

    def __init__(self, rows: pl.DataFrame, books: Books) -> None:
        rows = rows.filter("posted").sort("account", "known_us", "happened_us", "number")
        self._books = books
        clock = rows["known_us"].unique().sort().to_numpy()
        self._known = Timeline(rows["account"].to_numpy(), rows["known_us"].to_numpy(), clock)
        self._rows = rows.select("party", "device", "out", "cents", "known_us", "number")
        used = rows.filter(pl.col("out") & (pl.col("device") >= 0))
        accounts, devices, known_us, numbers = (
            used[name].to_numpy() for name in ("account", "device", "known_us", "number")
        )
        self._devices = Pairs(accounts, devices, known_us, numbers, clock)

    def parties(self, accounts: pl.Series, at: pl.Series) -> pl.DataFrame:
        """Of transfers that were known in the `GRAPH_DAYS` days to `at`, it included.

        Returns: one row per account, in order: payees, payers, both_ways (parties that are both), payees_7d,
                 payers_7d; in_cents_7d, out_cents_7d of transfers.
        """
        dealt = self._dealt(accounts, at).filter(pl.col("party") >= 0)
        of_party = dealt.group_by("row", "party").agg(
            pl.col("out").any().alias("paid"),
            (~pl.col("out")).any().alias("payer"),
            (pl.col("out") & pl.col("week")).any().alias("paid_7d"),
            (~pl.col("out") & pl.col("week")).any().alias("payer_7d"),
            pl.col("cents").filter(~pl.col("out") & pl.col("week")).sum().alias("in_cents"),
            pl.col("cents").filter(pl.col("out") & pl.col("week")).sum().alias("out_cents"),
        )
        told = of_party.group_by("row").agg(
            pl.col("paid").sum().cast(pl.Int64).alias("payees"),
            pl.col("payer").sum().cast(pl.Int64).alias("payers"),
            (pl.col("paid") & pl.col("payer")).sum().cast(pl.Int64).alias("both_ways"),
            pl.col("paid_7d").sum().cast(pl.Int64).alias("payees_7d"),
            pl.col("payer_7d").sum().cast(pl.Int64).alias("payers_7d"),
            pl.col("in_cents").sum().alias("in_cents_7d"),
            pl.col("out_cents").sum().alias("out_cents_7d"),
        )
        return _in_order(told, len(accounts)).fill_null(0)

    def devices(self, accounts: pl.Series, devices: pl.Series, own: pl.Series, at: pl.Series) -> pl.DataFrame:
        """Of devices, the transactions `own` left out.

        Returns: one row per account, in order: uses (the account's payments from the device known in the
                 `GRAPH_DAYS` days to `at`), accounts (how many had paid from it by then); 0 where there is no device.
        """
        coded, account = self._books.devices.found(devices), self._books.accounts.found(accounts)
        numbers, at_us = numbers_of(own), at.to_physical().to_numpy()
        dealt = self._dealt(accounts, at).filter("out")
        mine = dealt.filter(
            (pl.col("device") >= 0)
            & (pl.col("device") == pl.Series(coded).gather(dealt["row"]))
            & (pl.col("number") != pl.Series(numbers).gather(dealt["row"]))
        )
        uses = _in_order(mine.group_by("row").agg(pl.len().cast(pl.Int64).alias("uses")), len(accounts))
        degree = self._devices.degree(account, coded, at_us, numbers)
        return uses.fill_null(0).with_columns(pl.Series("accounts", np.where(coded < 0, 0, degree), pl.Int64))

    def _dealt(self, accounts: pl.Series, at: pl.Series) -> pl.DataFrame:
        """Each account's rows of the days to `at`: row (the account's place), and the rows' columns."""
        account, at_us = self._books.accounts.found(accounts), at.to_physical().to_numpy()
        begins = self._known.end(account, at_us - GRAPH_DAYS * US_PER_DAY)
        found = Spread.of(begins, self._known.end(account, at_us))
        rows = self._rows[found.place] if len(found.place) else self._rows.clear()
        age_us = at_us[found.slice] - rows["known_us"].to_numpy()
        return rows.with_columns(
            pl.Series("row", found.slice, pl.UInt32), pl.Series("week", age_us < _WEEK_US, pl.Boolean)
        )


def _in_order(told: pl.DataFrame, height: int) -> pl.DataFrame:
    """One row per place, null where nothing was told."""
    places = pl.DataFrame({"row": pl.arange(height, eager=True).cast(pl.UInt32)})
    return places.join(told, on="row", how="left", maintain_order="left").drop("row")
