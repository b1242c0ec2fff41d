"""Account takeover: a strange device is enrolled, a new payee is paid, the account is drained."""

from __future__ import annotations

from casper_ray.sim.bank.crimes.cast import Cast
from casper_ray.sim.bank.crimes.deeds import enrolment, transfers
from casper_ray.sim.bank.crimes.moments import later, on_days
from casper_ray.sim.bank.crimes.pattern import Pattern
from casper_ray.sim.bank.rows import Rows, together

PAYMENTS = (2, 5)
WAITS_H = (0.15, 8.0)
SHARE = (0.2, 0.7)
TWIN_PAYMENTS = (1, 4)


def crime(cast: Cast) -> Rows:
    """Somebody enrols a device of their own and, soon after, sends a good part of what is there, several times,
    to accounts that the customer never paid.
    """
    return _from_new_device(cast, PAYMENTS, WAITS_H, SHARE, night=0.3)


def twin(cast: Cast) -> Rows:
    """A customer's new telephone: enrolled, and in the next days used to pay somebody new, a landlord's deposit
    or a second-hand bicycle.
    """
    return _from_new_device(cast, TWIN_PAYMENTS, (0.5, 70.0), (0.05, 0.45), night=0.15)


def _from_new_device(
    cast: Cast,
    payments: tuple[int, int],
    waits_h: tuple[float, float],
    share: tuple[float, float],
    night: float,
) -> Rows:
    who, device, count = cast.people(1), cast.device(), cast.number(payments)
    enrolled = on_days(cast.chance, cast.begin_day, 1, night)
    at = later(cast.chance, [int(enrolled[0])] * count, *waits_h)
    payees = cast.chance.choice(cast.strangers(2), count)
    drained = cast.chance.random(count) < 0.4
    cents = cast.sums(who, (60, 400), count)
    cents[drained] = 0
    shares = cast.uniform(share, count) * drained
    return together(
        [enrolment(who, device, enrolled), transfers(who, payees, at, cents, share=shares, device=device)]
    )


PATTERN = Pattern(
    name="account_takeover",
    title="Account takeover",
    figures="new device, 2-5 payments within 8 h: 60-400 EUR (scaled), or 20-70 % of what is there",
    source="draining: PaySim; device and payee: ours",
    weight=3.0,
    rows_expected=3.5,
    span_days=6,
    right_decision="block",
    agent="fraud",
    crime=crime,
    twin=twin,
    twin_name="a new telephone",
)
