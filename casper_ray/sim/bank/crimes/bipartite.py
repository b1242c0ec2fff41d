"""Bipartite: a group of accounts pays another group, everybody several of them."""

from __future__ import annotations

from casper_ray.sim.bank.crimes.cast import Cast
from casper_ray.sim.bank.crimes.deeds import transfers
from casper_ray.sim.bank.crimes.flows import between
from casper_ray.sim.bank.crimes.moments import on_days, over_days
from casper_ray.sim.bank.crimes.pattern import Pattern
from casper_ray.sim.bank.rows import Rows

PAYERS = (3, 5)
TAKERS = (3, 4)
EACH = (2, 3)
SUMS_EUR = (100.0, 200.0)
DAYS = (5, 20)
SETTLED_EUR = (60.0, 190.0)


def crime(cast: Cast) -> Rows:
    """Three to five customers pay three or four others, each several of them, so that no pair shows the whole
    sum.
    """
    payers, takers = between(cast, cast.people(cast.number(PAYERS)), cast.people(cast.number(TAKERS)), EACH)
    at = over_days(cast.chance, cast.begin_day, cast.number(DAYS), len(payers), night=0.1)
    return transfers(payers, takers, cast.chance.permutation(at), cast.sums(payers, SUMS_EUR, len(payers)))


def twin(cast: Cast) -> Rows:
    """After a holiday together three to five friends settle what three or four others had laid out for them:
    most of it in one week, whoever thinks of it.
    """
    payers, takers = between(cast, cast.people(cast.number(PAYERS)), cast.people(cast.number(TAKERS)), EACH)
    days = cast.begin_day + (cast.chance.beta(1, 3, len(payers)) * DAYS[1]).astype("i8")
    days[0] = cast.begin_day
    return transfers(
        payers, takers, on_days(cast.chance, days, len(payers)), cast.sums(payers, SETTLED_EUR, len(payers))
    )


PATTERN = Pattern(
    name="bipartite",
    title="Bipartite",
    figures="3-5 payers, 3-4 payees, 2-3 of them each, 100-200 EUR (scaled), over 5-20 days",
    source="AMLSim and SAML-D name it; group sizes ours",
    weight=0.8,
    rows_expected=10.0,
    span_days=21,
    right_decision="escalate",
    agent="alert",
    crime=crime,
    twin=twin,
    twin_name="friends settle up after a holiday",
)
