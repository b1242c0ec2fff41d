"""Card testing: stolen card numbers are tried out with tiny sums, many within minutes."""

from __future__ import annotations

import numpy as np

from casper_ray.sim.bank.crimes.cast import Cast, some
from casper_ray.sim.bank.crimes.deeds import purchases
from casper_ray.sim.bank.crimes.moments import burst, later, on_days
from casper_ray.sim.bank.crimes.pattern import Pattern
from casper_ray.sim.bank.rows import Rows, together

CARDS = (6, 14)
TIMES = (1, 2)
CENTS = (50, 450)
MINUTES = (3.0, 15.0)
USED = (1, 3)
TESTED_AT = ("digital", "streaming", "charity")
USED_AT = ("electronics", "clothing", "jewellery", "department", "digital")


def crime(cast: Cast) -> Rows:
    """From one device six to fourteen customers' cards are tried at one shop on the web, with tiny sums and
    within minutes; a few that work are used for more in the following hours.
    """
    minutes = cast.uniform(MINUTES, 1)[0]
    return _trials(cast, minutes / 60, CENTS, cast.device(), night=0.35, waits_h=(0.5, 24), factor=(0.8, 2.5))


def twin(cast: Cast) -> Rows:
    """After an advertisement as many customers, each with their own device, take a trial for a euro or two at
    one shop on the web within an hour or two; a few buy elsewhere in the following days.
    """
    hours = cast.uniform((0.2, 2.0), 1)[0]
    return _trials(cast, hours, (50, 500), None, night=0.2, waits_h=(2, 72), factor=(0.6, 2.0))


def _trials(
    cast: Cast,
    lasts_h: float,
    cents: tuple[int, int],
    device: int | None,
    night: float,
    waits_h: tuple[float, float],
    factor: tuple[float, float],
) -> Rows:
    who = cast.people(cast.number(CARDS))
    times = cast.chance.integers(TIMES[0], TIMES[1] + 1, len(who))
    tried = some(who, cast.chance.permutation(np.repeat(np.arange(len(who)), times)))
    at = burst(cast.chance, int(on_days(cast.chance, cast.begin_day, 1, night)[0]), len(tried), lasts_h)
    shop = np.repeat(cast.web_shops(TESTED_AT, 1), len(tried))
    sums = cast.chance.integers(cents[0], cents[1], len(tried), endpoint=True)
    far = None if device is None else cast.whereabouts()
    trials = purchases(cast.estate, tried, shop, at, sums, device=device, far=far)
    used = some(who, slice(0, cast.number(USED)))
    shops = cast.web_shops(USED_AT, len(used))
    after = later(cast.chance, np.full(len(used), at[-1]), *waits_h)
    spent = cast.spent(used, factor, len(used))
    return together([trials, purchases(cast.estate, used, shops, after, spent, device=device, far=far)])


PATTERN = Pattern(
    name="card_testing",
    title="Card testing",
    figures="6-14 cards, 1-2 tries of 0.50-4.50 EUR within 3-15 minutes, 1-3 cards used within 24 h",
    source="ours, after card processors' descriptions (tiny sums, high velocity, one shop)",
    weight=1.5,
    rows_expected=17.0,
    span_days=6,
    right_decision="block",
    agent="fraud",
    crime=crime,
    twin=twin,
    twin_name="trial subscriptions after an advertisement",
    disputed=0.7,
)
