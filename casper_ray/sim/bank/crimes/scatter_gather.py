"""Scatter-gather: a sum is spread over helpers, who all pay it to the same account."""

from __future__ import annotations

from casper_ray.sim.bank.crimes.cast import Cast
from casper_ray.sim.bank.crimes.deeds import arrivals, transfers
from casper_ray.sim.bank.crimes.flows import parts
from casper_ray.sim.bank.crimes.moments import later, on_days, over_days
from casper_ray.sim.bank.crimes.pattern import Pattern
from casper_ray.sim.bank.parties import own
from casper_ray.sim.bank.rows import Rows, together

HELPERS = (5, 10)
SUM_EUR = (2_700.0, 3_000.0)
DAYS = (10, 30)
MARGIN = 0.1


def crime(cast: Cast) -> Rows:
    """A sum comes from another bank; its holder spreads it over five to ten customers, who within a day or two
    each pay it to one and the same account elsewhere, less a margin.
    """
    return _through(cast, keeps=(MARGIN, MARGIN), waits_h=(1, 40))


def twin(cast: Cast) -> Rows:
    """The organiser of a group trip pays deposits back to five to ten members, who at their leisure each pay
    the agency that runs the trip instead, more or less the same.
    """
    return _through(cast, keeps=(-0.1, 0.45), waits_h=(10, 160))


def _through(cast: Cast, keeps: tuple[float, float], waits_h: tuple[float, float]) -> Rows:
    source, helpers, sink = cast.people(1), cast.people(cast.number(HELPERS)), cast.strangers(1)
    whole = int(cast.uniform(SUM_EUR, 1)[0] * 100)
    came = on_days(cast.chance, cast.begin_day, 1)
    cents = parts(cast, whole, len(helpers), MARGIN)
    spread = over_days(cast.chance, cast.begin_day + 1, cast.number(DAYS) - 8, len(helpers), night=0.05)
    on = later(cast.chance, spread, *waits_h)
    kept = cast.uniform(keeps, len(helpers))
    return together(
        [
            arrivals(source, cast.strangers(1), came, whole),
            transfers(source, own(helpers.customer), spread, cents),
            transfers(helpers, sink, on, (cents * (1 - kept)).astype("i8")),
        ]
    )


PATTERN = Pattern(
    name="scatter_gather",
    title="Scatter-gather",
    figures="5-10 helpers, 2,700-3,000 EUR in all, over 10-30 days, margin 0.1 a hop",
    source="AMLSim",
    weight=0.6,
    rows_expected=16.5,
    span_days=32,
    right_decision="escalate",
    agent="alert",
    crime=crime,
    twin=twin,
    twin_name="deposits of a group trip",
)
