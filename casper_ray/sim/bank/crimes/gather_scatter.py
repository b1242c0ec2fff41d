"""Gather-scatter: many pay in, and many others are paid."""

from __future__ import annotations

from casper_ray.sim.bank.crimes.cast import Cast
from casper_ray.sim.bank.crimes.flows import gather, last, parts, scatter
from casper_ray.sim.bank.crimes.moments import burst, later, over_days
from casper_ray.sim.bank.crimes.pattern import Pattern
from casper_ray.sim.bank.rows import Rows, together

MEMBERS = (7, 11)
SUM_EUR = (2_700.0, 3_000.0)
DAYS = (10, 30)
MARGIN = 0.1


def crime(cast: Cast) -> Rows:
    """Seven to eleven accounts pay into one, and when the last has paid, it is paid out within a day to seven
    to eleven others, less a margin.
    """
    return _through(cast, keeps=(MARGIN, MARGIN), waits_h=(0.5, 20), lasts_h=24)


def twin(cast: Cast) -> Rows:
    """The treasurer of a club collects the members' dues and in the following days pays trainers and helpers;
    part of it stays with the club.
    """
    return _through(cast, keeps=(0.0, 0.5), waits_h=(12, 90), lasts_h=100)


def _through(cast: Cast, keeps: tuple[float, float], waits_h: tuple[float, float], lasts_h: float) -> Rows:
    hub, payers = cast.people(1), cast.number(MEMBERS)
    at = over_days(cast.chance, cast.begin_day, cast.number(DAYS) - 8, payers)
    paid = gather(cast, hub, at, (SUM_EUR[0] / payers, SUM_EUR[1] / payers))
    cents = parts(cast, int(paid["cents"].sum()), cast.number(MEMBERS), float(cast.uniform(keeps, 1)[0]))
    start = int(later(cast.chance, last(paid), *waits_h)[0])
    return together([paid, scatter(cast, hub, burst(cast.chance, start, len(cents), lasts_h), cents)])


PATTERN = Pattern(
    name="gather_scatter",
    title="Gather-scatter",
    figures="7-11 payers and 7-11 payees, 2,700-3,000 EUR in all, over 10-30 days, margin 0.1",
    source="AMLSim",
    weight=0.5,
    rows_expected=18.0,
    span_days=32,
    right_decision="escalate",
    agent="alert",
    crime=crime,
    twin=twin,
    twin_name="a club's dues and what it pays",
)
