"""What is new to an account, and how many others deal with the other side."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casper_ray.agents.features.cases import Asked
from casper_ray.agents.features.index import Bools, Pairs

NONE = -1
"""In the place of what the case does not have."""


class Ties:
    """Devices, payees, merchants and other parties that accounts dealt with: posted transactions."""

    def __init__(self, rows: pl.DataFrame) -> None:
        posted = rows.filter("posted")
        out = posted.filter("out")
        self._devices, self._payees, self._merchants = (
            _pairs(out, other) for other in ("device", "party", "merchant")
        )
        self._parties = _pairs(posted, "party")

    def features(self, asked: Asked) -> dict[str, NDArray[np.generic]]:
        """new_device, new_payee, new_merchant (1, 0 or NONE); counterparty_degree (NONE where there is no other)."""
        account, at_us, own = asked.account, asked.at_us, asked.own
        parties = self._parties.degree(account, asked.party, at_us, own)
        merchants = self._merchants.degree(account, asked.merchant, at_us, own)
        of_merchant = np.where(asked.given_merchant, merchants, NONE)
        return {
            "new_device": _unless(
                asked.given_device, ~self._devices.dealt(account, asked.device, at_us, own)
            ),
            "new_payee": _unless(asked.given_party, ~self._payees.dealt(account, asked.party, at_us, own)),
            "new_merchant": _unless(
                asked.given_merchant, ~self._merchants.dealt(account, asked.merchant, at_us, own)
            ),
            "counterparty_degree": np.where(asked.given_party, parties, of_merchant),
        }


def _pairs(rows: pl.DataFrame, other: str) -> Pairs:
    there = rows.filter(pl.col(other) >= 0)
    accounts, others, known_us, numbers = (
        there[name].to_numpy() for name in ("account", other, "known_us", "number")
    )
    return Pairs(accounts, others, known_us, numbers)


def _unless(given: Bools, holds: Bools) -> NDArray[np.int8]:
    return np.where(given, holds.astype(np.int8), np.int8(NONE))
