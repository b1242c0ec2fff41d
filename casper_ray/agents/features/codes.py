"""Numbers in the place of tokens and ids, so that rows are small and searches are quick."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

UNKNOWN = -1
"""The code of what is null, and of what no row has."""
_SEED = 1
_FEW = 64
"""So few texts are looked up one by one."""


class Codes:
    """Texts and their numbers, in the order in which they came. It only grows, so that numbers stay."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._numbers)

    def given(self, texts: pl.Series) -> pl.Series:
        """Each text's number, new ones for new texts; UNKNOWN for null."""
        for text in texts.unique(maintain_order=True).drop_nulls():
            self._numbers.setdefault(text, len(self._numbers))
        return pl.Series(self.found(texts)).cast(pl.Int32)

    def found(self, texts: pl.Series) -> NDArray[np.int64]:
        """Each text's number; UNKNOWN for null and for what has none."""
        if len(texts) <= _FEW:
            return np.array([self.find(text) for text in texts], np.int64)
        different = texts.unique().drop_nulls()
        if different.is_empty():
            return np.full(len(texts), UNKNOWN, np.int64)
        numbers = pl.Series([self._numbers.get(text, UNKNOWN) for text in different], dtype=pl.Int64)
        found: NDArray[np.int64] = texts.replace_strict(
            different, numbers, default=UNKNOWN, return_dtype=pl.Int64
        ).to_numpy()
        return found

    def find(self, text: str | None) -> int:
        """One text's number; UNKNOWN for None and for what has none."""
        return UNKNOWN if text is None else self._numbers.get(text, UNKNOWN)


@dataclass(frozen=True, slots=True)
class Books:
    """A book of codes for each kind of name. parties: whoever is at the other side of a transfer."""

    accounts: Codes = field(default_factory=Codes)
    parties: Codes = field(default_factory=Codes)
    devices: Codes = field(default_factory=Codes)
    merchants: Codes = field(default_factory=Codes)


def numbers_of(ids: pl.Series) -> NDArray[np.uint64]:
    """64 bits for each id, alike within a process where ids are alike: eight bytes a row and not the id. 0 for null.

    Two of an account's transactions share theirs with a chance of 2^-64.
    """
    hashed: NDArray[np.uint64] = ids.hash(_SEED).to_numpy()
    return np.where(ids.is_null().to_numpy(), np.uint64(0), hashed)
