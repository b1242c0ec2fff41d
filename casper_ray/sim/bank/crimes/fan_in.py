"""Fan-in: many pay into one account, which passes it on."""

from __future__ import annotations

from casper_ray.sim.bank.crimes.cast import Cast
from casper_ray.sim.bank.crimes.deeds import purchases, transfers
from casper_ray.sim.bank.crimes.flows import gather, last
from casper_ray.sim.bank.crimes.moments import later, over_days
from casper_ray.sim.bank.crimes.pattern import Pattern
from casper_ray.sim.bank.rows import Rows, together

PAYERS = (5, 10)
SUMS_EUR = (100.0, 200.0)
DAYS = (5, 12)
MARGIN = 0.1
PART_EUR = (70.0, 180.0)
PART_DAYS = (8, 22)


def crime(cast: Cast) -> Rows:
    """Five to ten unrelated accounts, here and at other banks, pay into one account within days. Hours after
    the last payment nearly all of it goes on to a stranger; the holder keeps a margin.
    """
    hub = cast.people(1)
    at = over_days(cast.chance, cast.begin_day, cast.number(DAYS), cast.number(PAYERS))
    paid = gather(cast, hub, at, SUMS_EUR)
    on = later(cast.chance, last(paid), 0.5, 30)
    return together([paid, transfers(hub, cast.strangers(1), on, share=1 - MARGIN)])


def twin(cast: Cast) -> Rows:
    """Guests of a wedding, or members of a club, pay their part to the one who organises it. Some days later
    that person pays the venue, by card or by transfer.
    """
    hub = cast.people(1)
    at = over_days(cast.chance, cast.begin_day, cast.number(PART_DAYS), cast.number(PAYERS))
    paid = gather(cast, hub, at, PART_EUR)
    on = later(cast.chance, last(paid), 6, 96)
    if cast.odds(0.5):
        venue = cast.shops(("restaurant", "hotel", "travel"), hub.city, 1)
        return together([paid, purchases(cast.estate, hub, venue, on, cast.sums(hub, (150, 600), 1))])
    return together([paid, transfers(hub, cast.strangers(1), on, share=cast.uniform((0.3, 0.9), 1))])


PATTERN = Pattern(
    name="fan_in",
    title="Fan-in",
    figures="5-10 payers, 100-200 EUR each (scaled to the payer's habits), over 5-12 days (AMLSim: 5-20), margin 0.1",
    source="AMLSim",
    weight=1.0,
    rows_expected=8.5,
    span_days=28,
    right_decision="escalate",
    agent="alert",
    crime=crime,
    twin=twin,
    twin_name="wedding or club collection",
)
