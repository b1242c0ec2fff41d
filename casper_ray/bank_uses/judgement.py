"""What two rule sets' alerts are worth, held against what really happened."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

import polars as pl

from casper_ray.domain.bank import CHARGEBACK, POSTED, REFUND, REVERSAL

CRIME, AFTER, HONEST, UNTOLD = "crime", "after", "honest", "untold"
_UNDOES = (REVERSAL, REFUND, CHARGEBACK)
_ZERO = Decimal("0.00")


class Score(NamedTuple):
    """Alerts of a selection, and what they were of.

    caught: crimes among them; value: what went through by these, in BASE_CURRENCY. after: of what undoes a crime,
    as its chargeback does: right, and too late. untold: of what the truth does not know. missed: crimes without one.
    """

    alerts: int
    caught: int
    value: Decimal
    false_positives: int
    after: int
    untold: int
    missed: int

    @property
    def precision(self) -> float | None:
        judged = self.caught + self.false_positives
        return self.caught / judged if judged else None

    @property
    def recall(self) -> float | None:
        crimes = self.caught + self.missed
        return self.caught / crimes if crimes else None

    @property
    def f1(self) -> float | None:
        right = 2 * self.caught
        of = right + self.false_positives + self.missed
        return right / of if of else None


class Caught(NamedTuple):
    """Crimes of a typology, and of how many the sets alerted. cases: with a crime in these days; found: with an
    alert.
    """

    typology: str
    crimes: int
    value: Decimal
    a: int
    b: int
    both: int
    only_a: int
    only_b: int
    cases: int
    cases_a: int
    cases_b: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Sums over days. tally: one row per what, typology and who alerted; cases: per case with a crime."""

    tally: pl.DataFrame
    cases: pl.DataFrame

    @property
    def transactions(self) -> int:
        return int(self.tally["count"].sum())

    @property
    def crimes(self) -> int:
        return self.count(CRIME)

    def count(self, what: str) -> int:
        """Transactions that are of this kind."""
        return int(self.tally.filter(what=what)["count"].sum())

    @property
    def value(self) -> Decimal:
        return _money(self.tally.filter(what=CRIME))

    def score(self, selection: pl.Expr) -> Score:
        """Of the transactions that the selection of `a` and `b` takes for alerts."""
        alerts = self.tally.filter(selection)
        counts = dict(alerts.group_by("what").agg(pl.col("count").sum()).iter_rows())
        caught = counts.get(CRIME, 0)
        return Score(
            alerts=sum(counts.values()),
            caught=caught,
            value=_money(alerts.filter(what=CRIME)),
            false_positives=counts.get(HONEST, 0),
            after=counts.get(AFTER, 0),
            untold=counts.get(UNTOLD, 0),
            missed=self.crimes - caught,
        )

    def typologies(self) -> list[Caught]:
        """One of each typology that there was, by name."""
        crimes = self.tally.filter(what=CRIME)
        return [self._caught(name, crimes) for name in crimes["typology"].unique().sort()]

    def _caught(self, name: str, crimes: pl.DataFrame) -> Caught:
        mine, cases = crimes.filter(typology=name), self.cases.filter(typology=name)
        a, b = pl.col("a"), pl.col("b")

        def count(holds: pl.Expr) -> int:
            return int(mine.filter(holds)["count"].sum())

        return Caught(
            typology=name,
            crimes=int(mine["count"].sum()),
            value=_money(mine),
            a=count(a),
            b=count(b),
            both=count(a & b),
            only_a=count(a & ~b),
            only_b=count(b & ~a),
            cases=cases.height,
            cases_a=int(cases["a"].sum()),
            cases_b=int(cases["b"].sum()),
        )


def told_apart(transactions: pl.DataFrame, truth: pl.DataFrame, crime_cases: pl.Series) -> pl.DataFrame:
    """The transactions with `what` each is: a crime, what undoes one, honest, or unknown to the truth.

    transactions: transaction_id, transaction_type, status, amount_base, a and b (whether the sets alert).
    truth: transaction_id, is_crime, typology, case_id. crime_cases: ids of cases that are no benign twins.
    """
    undone = pl.col("transaction_type").is_in(_UNDOES) & pl.col("case_id").is_in(crime_cases.implode())
    what = (
        pl.when(pl.col("is_crime").is_null())
        .then(pl.lit(UNTOLD))
        .when("is_crime")
        .then(pl.lit(CRIME))
        .when(undone.fill_null(False))
        .then(pl.lit(AFTER))
        .otherwise(pl.lit(HONEST))
    )
    return transactions.join(truth, on="transaction_id", how="left").with_columns(what.alias("what"))


def judged(days: Iterable[pl.DataFrame]) -> Judged:
    """The sums of days that were told apart; one day is held at a time."""
    tallies, cases = [_NO_TALLY], [_NO_CASES]
    for day in days:
        went = pl.when(pl.col("status") == POSTED).then("amount_base").otherwise(pl.lit(0, _MONEY))
        tallies.append(
            day.group_by(*_GROUP).agg(
                pl.len().cast(pl.Int64).alias("count"), went.sum().cast(_MONEY).alias("value")
            )
        )
        crimes = day.filter(what=CRIME)
        cases.append(crimes.group_by("typology", "case_id").agg(pl.col("a", "b").any()))
    tally = pl.concat(tallies).group_by(*_GROUP).agg(pl.col("count", "value").sum())
    of_cases = pl.concat(cases).group_by("typology", "case_id").agg(pl.col("a", "b").any())
    return Judged(tally=tally, cases=of_cases)


_MONEY = pl.Decimal(18, 2)
_GROUP = ("what", "typology", "a", "b")
_WHO: dict[str, Any] = {"a": pl.Boolean, "b": pl.Boolean}
_NO_TALLY = pl.DataFrame(
    schema={"what": pl.String, "typology": pl.String, **_WHO, "count": pl.Int64, "value": _MONEY}
)
_NO_CASES = pl.DataFrame(schema={"typology": pl.String, "case_id": pl.String, **_WHO})


def _money(rows: pl.DataFrame) -> Decimal:
    return Decimal(rows["value"].sum() or _ZERO).quantize(_ZERO)
