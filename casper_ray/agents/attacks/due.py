"""What the kitchen owes, computed a second time: from Bronze alone, case by case, with none of the agents' code.

It is what money that moved is held against, so it shares nothing with the tools, the policies or the gate.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, NamedTuple

import polars as pl

from casper_ray.agents.attacks.ordered import Ordered, Orders
from casper_ray.agents.kitchen.complaint_credit import ComplaintPolicy
from casper_ray.agents.kitchen.refund import RefundPolicy
from casper_ray.lakehouse.names import Catalog
from casper_ray.lakehouse.read import scan

_CENT: Final = Decimal("0.01")
_LATELY: Final = timedelta(hours=27)


def refunds_due(catalog: Catalog, cases: pl.DataFrame, settings: RefundPolicy) -> list[Decimal]:
    """The most that each order's lateness is worth, US dollars, as of the case."""
    orders, shares = Orders(catalog), (settings.partial, settings.full)
    found = []
    for subject, at in cases.select("subject", "at").iter_rows():
        order = orders.by_id.get(subject)
        share = orders.late(order, at, shares, settings.least_deliveries) if order else Decimal(0)
        found.append((order.total * share).quantize(_CENT, ROUND_HALF_UP) if order else Decimal(0))
    return found


class _Written(NamedTuple):
    """A complaint as it came. order_id: what the form was linked to."""

    sender: str
    order_id: str | None


def credits_due(catalog: Catalog, cases: pl.DataFrame, settings: ComplaintPolicy) -> list[Decimal]:
    """The most that each complaint may be worth, US dollars: what its words could mean of an order of its sender's.

    Rules: words are looked for anywhere in the text, so it is a bound, not the amount.
    """
    orders, written = Orders(catalog), _complaints(catalog)
    return [
        max(
            (
                _credit(orders, order, at, text or "", settings)
                for order in _meant(orders, written[subject], text or "", at)
            ),
            default=Decimal(0),
        )
        for subject, at, text in cases.select("subject", "at", "text").iter_rows()
    ]


def senders_own(catalog: Catalog, cases: pl.DataFrame) -> dict[str, frozenset[str | int]]:
    """By case: the orders of who wrote, known by then, and where they were ordered."""
    orders, written = Orders(catalog), _complaints(catalog)
    found: dict[str, frozenset[str | int]] = {}
    for case_id, subject, at in cases.select("case_id", "subject", "at").iter_rows():
        theirs = orders.of_address(written[subject].sender, at)
        found[case_id] = frozenset(
            [value for order in theirs for value in (order.order_id, order.location_id)]
        )
    return found


def _complaints(catalog: Catalog) -> dict[str, _Written]:
    rows = scan(catalog.table("support", "complaints")).select("complaint_id", "sender", "order_id").collect()
    return {complaint: _Written(*rest) for complaint, *rest in rows.iter_rows()}


def _meant(orders: Orders, written: _Written, text: str, at: datetime) -> list[Ordered]:
    """The sender's orders that it may be about: linked, named, or delivered of late."""
    return [
        order
        for order in orders.of_address(written.sender, at)
        if order.order_id == (written.order_id or "").upper()
        or order.order_id in text.upper()
        or (order.known is not None and at - _LATELY <= order.known <= at)
    ]


def _credit(orders: Orders, order: Ordered, at: datetime, text: str, settings: ComplaintPolicy) -> Decimal:
    words, said = settings.words, text.lower()
    worth = [Decimal(0)]
    if _told(said, words.delay):
        shares = (settings.late, settings.very_late)
        worth.append(order.total * orders.late(order, at, shares, settings.least_deliveries))
    if _told(said, words.missing):
        worth.append(sum((item.usd for item in order.items if item.name.lower() in said), Decimal(0)))
    if _told(said, words.food_minor):
        worth.append(order.total * settings.food_minor)
    if _told(said, words.food_major):
        worth.append(order.total * settings.food_major)
    steps = (max(worth) / settings.step).quantize(Decimal(1), ROUND_HALF_UP)
    return min(steps, order.total // settings.step) * settings.step


def _told(said: str, words: Sequence[str]) -> bool:
    """Whether any of the words is in a text, be it within another."""
    return any(re.search(re.escape(word.rstrip("$")).replace(r"\{n\}", "[0-9]+"), said) for word in words)
