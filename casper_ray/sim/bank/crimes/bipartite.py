"""Bipartite: a group of accounts pays another group, everybody several of them."""

from __future__ import annotations

from casper_ray.sim.bank.crimes.cast import Cast, some
from casper_ray.sim.bank.crimes.deeds import arrivals, transfers
from casper_ray.sim.bank.crimes.flows import between, funded
from casper_ray.sim.bank.crimes.moments import later, on_days, over_days
from casper_ray.sim.bank.crimes.pattern import Pattern
from casper_ray.sim.bank.parties import own
from casper_ray.sim.bank.rows import Rows, together

PAYERS = (3, 5)
TAKERS = (3, 4)
EACH = (2, 3)
SUMS_EUR = (100.0, 200.0)
DAYS = (5, 20)
MARGIN = 0.1
WAITS_H = (1.0, 40.0)
SETTLED_EUR = (60.0, 190.0)
LENT_EUR = (100.0, 500.0)


def crime(cast: Cast) -> Rows:
    """Three to five customers get money from elsewhere and within hours pay it on to three or four others, each to
    several of them, so that no pair shows the whole sum.
    """
    payers, takers = cast.people(cast.number(PAYERS)), cast.people(cast.number(TAKERS))
    pairs = between(cast, len(payers), len(takers), EACH)
    who = some(payers, pairs.giver)
    cents = cast.sums(who, SUMS_EUR, len(who))
    got = cast.chance.permutation(over_days(cast.chance, cast.begin_day, cast.number(DAYS), len(payers)))
    on = later(cast.chance, got[pairs.giver], *WAITS_H)
    came = funded(cast, payers, got, pairs.giver, cents, MARGIN)
    return together([came, transfers(who, own(takers.customer[pairs.taker]), on, cents)])


def twin(cast: Cast) -> Rows:
    """After a holiday together three to five friends, as soon as they have the money, settle what three or four
    others had laid out for them: some from what has just come in, most of it in one week.
    """
    payers, takers = cast.people(cast.number(PAYERS)), cast.people(cast.number(TAKERS))
    pairs = between(cast, len(payers), len(takers), EACH)
    who = some(payers, pairs.giver)
    days = cast.begin_day + (cast.chance.beta(1, 3, len(who)) * DAYS[1]).astype("i8")
    cents = cast.sums(who, SETTLED_EUR, len(who))
    at = on_days(cast.chance, days, len(who))
    lent = arrivals(
        payers,
        cast.strangers(len(payers)),
        on_days(cast.chance, cast.begin_day, len(payers)),
        cast.sums(payers, LENT_EUR, len(payers)),
    )
    return together([lent, transfers(who, own(takers.customer[pairs.taker]), at, cents)])


PATTERN = Pattern(
    name="bipartite",
    title="Bipartite",
    figures="3-5 payers to 2-3 of 3-4 payees each, 100-200 EUR (scaled), within 40 h of what came in, over 5-20 days",
    source="AMLSim and SAML-D name it; group sizes ours",
    weight=0.8,
    rows_expected=14.0,
    span_days=24,
    right_decision="escalate",
    agent="alert",
    crime=crime,
    twin=twin,
    twin_name="friends settle up after a holiday",
)
