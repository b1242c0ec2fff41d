"""Stack: layers of accounts, each layer paying the next one."""

from __future__ import annotations

from casper_ray.sim.bank.crimes.cast import Cast
from casper_ray.sim.bank.crimes.deeds import transfers
from casper_ray.sim.bank.crimes.flows import between, last
from casper_ray.sim.bank.crimes.moments import DAY_MS, over_days
from casper_ray.sim.bank.crimes.pattern import Pattern
from casper_ray.sim.bank.rows import Rows, together

LAYERS = 3
WIDTH = (2, 4)
EACH = (1, 2)
SUMS_EUR = (100.0, 200.0)
DAYS = (2, 7)
MARGIN = 0.1
BILLS_EUR = (90.0, 210.0)


def crime(cast: Cast) -> Rows:
    """Three layers of two to four customers. As soon as a layer has been paid it pays the next one, less a
    margin, so that the first and the last never meet.
    """
    layers = [cast.people(cast.number(WIDTH)) for _ in range(LAYERS + 1)]
    paid: list[Rows] = []
    day = cast.begin_day
    for depth in range(LAYERS):
        payers, takers = between(cast, layers[depth], layers[depth + 1], EACH)
        at = over_days(cast.chance, day, cast.number(DAYS), len(payers), night=0.1)
        cents = cast.sums(payers, SUMS_EUR, len(payers)) * (1 - MARGIN) ** depth
        paid.append(transfers(payers, takers, cast.chance.permutation(at), cents.astype("i8")))
        day = last(paid[-1]) // DAY_MS + 1
    return together(paid)


def twin(cast: Cast) -> Rows:
    """A market's small trade: customers of stalls pay the stallholders, those their suppliers, and those their
    helpers, all in the same weeks and each when a bill comes.
    """
    layers = [cast.people(cast.number(WIDTH)) for _ in range(LAYERS + 1)]
    paid: list[Rows] = []
    for depth in range(LAYERS):
        payers, takers = between(cast, layers[depth], layers[depth + 1], EACH)
        at = over_days(cast.chance, cast.begin_day, 3 * cast.number(DAYS), len(payers))
        paid.append(
            transfers(payers, takers, cast.chance.permutation(at), cast.sums(payers, BILLS_EUR, len(payers)))
        )
    return together(paid)


PATTERN = Pattern(
    name="stack",
    title="Stack",
    figures="3 layers of 2-4 accounts, 100-200 EUR each (scaled), 2-7 days a layer, margin 0.1 a layer",
    source="AMLSim and SAML-D (stacked bipartite) name it; layer sizes ours",
    weight=0.5,
    rows_expected=14.75,
    span_days=25,
    right_decision="escalate",
    agent="alert",
    crime=crime,
    twin=twin,
    twin_name="stalls, suppliers and helpers",
)
