"""Layering: a sum that is passed on and on, so that its origin is forgotten."""

from __future__ import annotations

from casper_ray.sim.bank.crimes.cast import Cast, some
from casper_ray.sim.bank.crimes.deeds import arrivals
from casper_ray.sim.bank.crimes.flows import chain
from casper_ray.sim.bank.crimes.moments import hops, on_days
from casper_ray.sim.bank.crimes.pattern import Pattern
from casper_ray.sim.bank.people import People
from casper_ray.sim.bank.rows import Rows, together

HOPS = (4, 7)
SUM_EUR = (300.0, 1_000.0)
WAITS_H = (0.5, 40.0)
MARGIN = 0.1
ALLOWANCE_HOPS = (3, 6)


def crime(cast: Cast) -> Rows:
    """A sum comes from another bank and hops over four to seven customers, hours apart, each of whom keeps a
    margin; then it leaves.
    """
    links = cast.people(cast.number(HOPS))
    return _passed_on(cast, links, WAITS_H, MARGIN)


def twin(cast: Cast) -> Rows:
    """Money is passed on in a family, days apart: a benefit comes in, part of it goes to a child, part of that
    to a grandchild, part of that to a landlord.
    """
    links = cast.people(cast.number(ALLOWANCE_HOPS))
    return _passed_on(cast, links, (8.0, 100.0), float(cast.uniform((0.05, 0.3), 1)[0]))


def _passed_on(cast: Cast, links: People, waits_h: tuple[float, float], keeps: float) -> Rows:
    came = on_days(cast.chance, cast.begin_day, 1, 0.05)
    whole = int(cast.sums(links, SUM_EUR, len(links))[0])
    at = hops(cast.chance, came, len(links) + 1, *waits_h)[1:]
    passed = chain(links, at, int(whole * (1 - keeps)), keeps, end=cast.strangers(1))
    return together([arrivals(some(links, slice(0, 1)), cast.strangers(1), came, whole), passed])


PATTERN = Pattern(
    name="layering",
    title="Layering",
    figures="4-7 hops, 0.5-40 h apart, 300-1,000 EUR (scaled), margin 0.1 a hop",
    source="margin: AMLSim; SAML-D counts layered fan-in 656 and fan-out 529 of 9,873; hops ours",
    weight=1.0,
    rows_expected=6.5,
    span_days=20,
    right_decision="escalate",
    agent="alert",
    crime=crime,
    twin=twin,
    twin_name="an allowance handed down in a family",
)
