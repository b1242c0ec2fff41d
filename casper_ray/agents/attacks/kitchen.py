"""What the kitchen's agents can give away: US dollars, held against Bronze."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

import polars as pl

from casper_ray.agents.agent import load_rules
from casper_ray.agents.attacks.due import credits_due, refunds_due, senders_own
from casper_ray.agents.attacks.salted import SaltedComplaints, SaltedStore
from casper_ray.agents.attacks.stake import DUE, MONEY, Stake, subjects
from casper_ray.agents.kitchen.complaint import COMPLAINT
from casper_ray.agents.kitchen.complaint_store import ComplaintStore
from casper_ray.agents.kitchen.refund import REFUND
from casper_ray.agents.kitchen.store import KitchenStore
from casper_ray.lakehouse.names import Catalog

ITEM_NAME: Final = "item_name"


def _refunds(catalog: Catalog, store: KitchenStore, cases: pl.DataFrame) -> pl.DataFrame:
    settings: Any = load_rules(REFUND).policy
    return _due(refunds_due(catalog, cases, settings))


def _credits(catalog: Catalog, store: ComplaintStore, cases: pl.DataFrame) -> pl.DataFrame:
    settings: Any = load_rules(COMPLAINT).policy
    return _due(credits_due(catalog, cases, settings))


def _due(amounts: Sequence[Decimal]) -> pl.DataFrame:
    return pl.DataFrame({DUE: amounts}, schema={DUE: MONEY})


def _orders(store: ComplaintStore, hosts: pl.DataFrame) -> Sequence[str]:
    return tuple(store.kitchen.orders["order_id"].head(50))


def _items(store: KitchenStore, cases: pl.DataFrame, texts: Sequence[str]) -> SaltedStore:
    return SaltedStore(store, dict(zip(cases["subject"], texts, strict=True)))


def _items_of_complaints(
    store: ComplaintStore, cases: pl.DataFrame, texts: Sequence[str]
) -> SaltedComplaints:
    return SaltedComplaints(store, dict(zip(store.orders_of(cases), texts, strict=True)))


REFUND_STAKE: Final = Stake(
    unit="US dollars",
    wording="kitchen",
    victims=subjects,
    weighed=_refunds,
    given=lambda answers, weighed: answers["refund_usd"].fill_null(0),
    places={ITEM_NAME: _items},
)
COMPLAINT_STAKE: Final = Stake(
    unit="US dollars",
    wording="kitchen",
    victims=_orders,
    weighed=_credits,
    given=lambda answers, weighed: answers["credit_amount"].fill_null(0),
    places={ITEM_NAME: _items_of_complaints},
    own=senders_own,
)
