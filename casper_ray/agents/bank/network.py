"""Who dealt with whom, and from which device, as it could be known at an instant."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casper_ray.agents.features.codes import Books, numbers_of
from casper_ray.agents.features.index import Pairs, Spread, Timeline
from casper_ray.domain.time import US_PER_DAY

GRAPH_DAYS: Final = 30
_WEEK_US: Final = 7 * US_PER_DAY


class _Dealt(NamedTuple):
    """Rows of accounts, a place each. row: the account's place in what was asked. week: of the last seven days."""

    row: NDArray[np.int64]
    party: NDArray[np.int64]
    device: NDArray[np.int64]
    out: NDArray[np.bool_]
    cents: NDArray[np.int64]
    number: NDArray[np.uint64]
    week: NDArray[np.bool_]

    def of(self, mask: NDArray[np.bool_]) -> _Dealt:
        return _Dealt._make(column[mask] for column in self)

    def cents_by_row(self, height: int) -> NDArray[np.int64]:
        sums = np.zeros(height, np.int64)
        np.add.at(sums, self.row, self.cents)
        return sums


class Network:
    """Posted transactions of every account, sorted so that as of an instant is where a slice ends.

    rows, books: of `FeatureStore`.
    """

    def __init__(self, rows: pl.DataFrame, books: Books) -> None:
        rows = rows.filter("posted").sort("account", "known_us", "happened_us", "number")
        self._books = books
        clock = rows["known_us"].unique().sort().to_numpy()
        self._known = Timeline(rows["account"].to_numpy(), rows["known_us"].to_numpy(), clock)
        columns = ("party", "device", "out", "cents", "known_us", "number")
        self._columns = [rows[name].to_numpy() for name in columns]
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
        dealt = self._dealt(accounts, at)
        dealt = dealt.of(dealt.party >= 0)
        width, into = len(self._books.parties), ~dealt.out
        pairs, pair = np.unique(dealt.row * width + dealt.party, return_inverse=True)
        rows = pairs // max(width, 1)
        # Of each party: whether it was paid, whether it paid; and the same in the last week.
        paid, payer, paid_7d, payer_7d = (
            np.bincount(pair[kind], minlength=len(rows)) > 0
            for kind in (dealt.out, into, dealt.out & dealt.week, into & dealt.week)
        )
        height = len(accounts)
        return pl.DataFrame(
            {
                "payees": np.bincount(rows[paid], minlength=height),
                "payers": np.bincount(rows[payer], minlength=height),
                "both_ways": np.bincount(rows[paid & payer], minlength=height),
                "payees_7d": np.bincount(rows[paid_7d], minlength=height),
                "payers_7d": np.bincount(rows[payer_7d], minlength=height),
                "in_cents_7d": dealt.of(into & dealt.week).cents_by_row(height),
                "out_cents_7d": dealt.of(dealt.out & dealt.week).cents_by_row(height),
            }
        )

    def devices(self, accounts: pl.Series, devices: pl.Series, own: pl.Series, at: pl.Series) -> pl.DataFrame:
        """Of devices, the transactions `own` left out.

        Returns: one row per account, in order: new_device (the account had never paid from it by then), uses_30d (its
                 payments from the device known in the `GRAPH_DAYS` days to `at`), accounts (how many had paid from
                 it by then); 0 where there is no device.
        """
        coded, account = self._books.devices.found(devices), self._books.accounts.found(accounts)
        numbers, at_us = numbers_of(own), at.to_physical().to_numpy()
        dealt = self._dealt(accounts, at)
        mine = dealt.out & (dealt.device >= 0)
        mine &= (dealt.device == coded[dealt.row]) & (dealt.number != numbers[dealt.row])
        uses = np.bincount(dealt.row[mine], minlength=len(accounts))
        degree = self._devices.degree(account, coded, at_us, numbers)
        new = ~self._devices.dealt(account, coded, at_us, numbers)
        return pl.DataFrame({"new_device": new, "uses_30d": uses, "accounts": np.where(coded < 0, 0, degree)})

    def _dealt(self, accounts: pl.Series, at: pl.Series) -> _Dealt:
        """Each account's rows of the days to `at`."""
        account, at_us = self._books.accounts.found(accounts), at.to_physical().to_numpy()
        begins = self._known.end(account, at_us - GRAPH_DAYS * US_PER_DAY)
        found = Spread.of(begins, self._known.end(account, at_us))
        columns = (column[found.place] for column in self._columns)
        party, device, out, cents, known_us, number = columns
        week = at_us[found.slice] - known_us < _WEEK_US
        return _Dealt(found.slice, party, device, out, cents, number, week)
