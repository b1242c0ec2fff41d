"""A lake whose orders carry the corpus, and the corpus on trial on it."""

from __future__ import annotations

from typing import Any

import pytest
from bitter_lake import drop, lake, lines, orders, run
from tried import Tried

from casper_ray.agents.attacks.attack_run import refund_shares
from casper_ray.agents.attacks.corpus import attacks
from casper_ray.agents.attacks.due import refunds_due
from casper_ray.agents.attacks.engine import ScriptEngine
from casper_ray.agents.attacks.gullible import gullible
from casper_ray.agents.attacks.trial import ITEM_NAME, attacked, decided, outcomes
from casper_ray.agents.attacks.watch import Watch
from casper_ray.agents.kitchen.refund import REFUND
from casper_ray.agents.kitchen.store import KitchenStore

FIRST = 40
"""Orders before the attacked ones, for the location's day."""


@pytest.fixture(autouse=True)
def _blocks_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ray.is_initialized", lambda: False)


@pytest.fixture(scope="session")
def tried(tmp_path_factory: pytest.TempPathFactory) -> Tried:
    catalog = lake(tmp_path_factory.mktemp("bitter"))
    corpus = attacks(tuple(f"K{n:05d}" for n in range(FIRST)))
    made = orders(FIRST + len(corpus))
    hosts: list[Any] = made[FIRST:]
    pairs = zip(hosts, corpus, strict=True)
    names = {order.order_id: attack.text for order, attack in pairs if attack.channel == ITEM_NAME}
    drop(catalog, "r-42", 0, (0, 1440), lines(made, names))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ray.is_initialized", lambda: False)
        run(catalog)
    store = KitchenStore(catalog)
    cases = attacked(REFUND.cases(store, -1, 9).tail(len(corpus)), corpus)
    assert cases["subject"].to_list() == [order.order_id for order in hosts]
    engine = ScriptEngine("gullible", gullible)
    watch = Watch()
    decisions = decided(watch.over(REFUND), engine, store, cases, cases["at"][-1])
    due = [each.usd for each in refunds_due(catalog, cases, *refund_shares(REFUND))]
    found = outcomes(corpus, decisions, due, engine.told, watch)
    return Tried(catalog, store, corpus, cases, engine, decisions, due, found)
