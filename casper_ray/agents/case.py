"""What a decision is about: one thing that happened, at one instant of simulated time."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, Self

import polars as pl
from polars.datatypes import DataTypeClass
from pydantic import AwareDatetime, BaseModel, ConfigDict

_INSTANT: Final = pl.Datetime("us", "UTC")
_TYPES: dict[str, pl.DataType | DataTypeClass] = {
    "case_id": pl.String,
    "kind": pl.String,
    "at": _INSTANT,
    "subject": pl.String,
    "text": pl.String,
    "source_batch": pl.Int64,
}
CASES: Final = pl.Schema(_TYPES)
"""A table of cases: one row per case, columns as in `Case`."""


class Case(BaseModel):
    """One case.

    case_id:      of its kind, `kind:subject` where a subject has one case.
    at:           the simulated instant as of which it is decided: nothing that was known later is read.
    subject:      what it is about: an order, a complaint, a transaction, an account.
    text:         what a customer wrote. Data, never instructions. None: nobody wrote anything.
    source_batch: the batch of the medallion that brought it.
    """

    # A bound, however wide, is also what makes pydantic refuse text that is no Unicode, which no table can hold.
    model_config = ConfigDict(frozen=True, extra="forbid", str_max_length=1_000_000)

    case_id: str
    kind: str
    at: AwareDatetime
    subject: str
    text: str | None = None
    source_batch: int = -1

    @classmethod
    def of(cls, row: dict[str, Any]) -> Self:
        """The case of a row of `CASES`, which may have other columns too."""
        return cls(**{name: row[name] for name in CASES})

    def frame(self) -> pl.DataFrame:
        """The case as a table of one row."""
        return pl.DataFrame([self.model_dump()], schema=CASES)


def no_cases() -> pl.DataFrame:
    return pl.DataFrame(schema=CASES)


def instant(at: datetime) -> pl.Expr:
    """A literal instant."""
    return pl.lit(at, _INSTANT)
