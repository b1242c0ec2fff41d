"""The right answer to a complaint, by the rules and what can be known when it is written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from casper_ray.sim.kitchen.complaints.claims import Claim, Order
from casper_ray.sim.kitchen.complaints.grammar import BILLING, DELAY, FOOD, MISSING, OTHER, SERVICE

CREDIT, ESCALATE = "suggest_credit", "escalate"
STANDARD, URGENT = "standard", "urgent"
FIRST: Final = (SERVICE, BILLING, DELAY, MISSING, FOOD, OTHER)
"""Of several claims that are worth the same, the one that names the complaint."""
_HALF_DOLLAR, _WHOLE = 50, 10_000


class RightAnswer(NamedTuple):
    """credit_cents, priority: null where the decision is the other one."""

    category: str
    decision: str
    credit_cents: int | None
    priority: str | None


class Usual(NamedTuple):
    """Minutes that deliveries of a location took in a day, and how many there were."""

    p75: float
    p99: float
    deliveries: int


def usual_minutes(
    delivered_us: NDArray[np.int64], minutes: NDArray[np.float64], from_us: int, to_us: int
) -> Usual:
    """Of deliveries in [from_us, to_us), which are sorted by `delivered_us`. A percentile is one of the minutes."""
    first, last = np.searchsorted(delivered_us, [from_us, to_us]).tolist()
    inside = np.sort(minutes[first:last])
    if not len(inside):
        return Usual(np.inf, np.inf, 0)
    p75, p99 = (float(inside[int(np.ceil(share * len(inside))) - 1]) for share in (0.75, 0.99))
    return Usual(p75, p99, len(inside))


def right_answer(
    claims: Sequence[Claim], order: Order, usual: Usual, *, urgent: bool, clear: bool
) -> RightAnswer:
    """The answer to claims about an order.

    urgent: law, health, fraud or abuse is in the words. clear: it can be told which order they are about.
    Rules:  credits are of single claims, and the largest is given: who has two reasons is not paid twice.
    """
    named = min((claim.category for claim in claims), key=FIRST.index)
    if urgent:
        return RightAnswer(named, ESCALATE, None, URGENT)
    worths = [_credit(claim, order, usual) for claim in claims]
    if not clear or None in worths:
        return RightAnswer(named, ESCALATE, None, STANDARD)
    most = max(credit for credit in worths if credit is not None)
    names = [claim.category for claim, credit in zip(claims, worths, strict=True) if credit == most]
    return RightAnswer(min(names, key=FIRST.index), CREDIT, most, None)


def _credit(claim: Claim, order: Order, usual: Usual) -> int | None:
    """Cents, to the half dollar and no more than the order came to. None: for a person."""
    if claim.category == DELAY:
        if order.late is None:
            return None
        share = 2_500 if order.minutes > usual.p99 else 1_500 if order.minutes > usual.p75 else 0
        worth = order.total_cents * share
    elif claim.category == MISSING:
        worth = sum(line.cents for line in claim.lines) * _WHOLE
    elif claim.category == FOOD:
        worth = order.total_cents * (4_000 if claim.major else 2_000)
    else:
        return None
    step = _HALF_DOLLAR * _WHOLE
    return min((worth + step // 2) // step, order.total_cents // _HALF_DOLLAR) * _HALF_DOLLAR
