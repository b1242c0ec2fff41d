"""A lake whose orders carry the corpus, and the corpus on trial on it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import pytest
from attacked_lakes import attacked_bank, attacked_complaints, bank_hosts
from bitter_lake import drop, lake, lines, orders, run
from small_bank import SmallBank
from tried import SOME, Trial, Tried

from casper_ray.agents.attacks.corpus import attacks
from casper_ray.agents.attacks.engine import ScriptEngine
from casper_ray.agents.attacks.gullible import gullible
from casper_ray.agents.attacks.kitchen import ITEM_NAME
from casper_ray.agents.attacks.stake import load_stake
from casper_ray.agents.attacks.trial import Round, attacked
from casper_ray.agents.kitchen.refund import REFUND
from casper_ray.agents.kitchen.store import KitchenStore
from casper_ray.lakehouse.names import Catalog

FIRST = 40
"""Orders before the attacked ones, for the location's day."""


@pytest.fixture(scope="session")
def refund_trial(tmp_path_factory: pytest.TempPathFactory) -> Trial:
    """Attacks in items' names come by the pipeline itself: nothing is put into the store by hand."""
    catalog, stake = lake(tmp_path_factory.mktemp("bitter")), load_stake("refund")
    corpus = attacks(tuple(f"K{n:05d}" for n in range(FIRST)), stake.wording)
    made = orders(FIRST + len(corpus))
    hosts: list[Any] = made[FIRST:]
    pairs = zip(hosts, corpus, strict=True)
    names = {order.order_id: attack.text for order, attack in pairs if attack.channel == ITEM_NAME}
    drop(catalog, "r-42", 0, (0, 1440), lines(made, names))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ray.is_initialized", lambda: False)
        run(catalog)
    store = KitchenStore(catalog)
    cases = attacked(REFUND.cases(store, -1, 9).tail(len(corpus)), corpus, stake)
    assert cases["subject"].to_list() == [order.order_id for order in hosts]
    weighed = stake.weighed(catalog, store, cases)
    return Trial(REFUND, stake, corpus, [Round(store, cases)], weighed, catalog)


@pytest.fixture(scope="session")
def tried(refund_trial: Trial) -> Tried:
    return refund_trial.on(ScriptEngine("gullible", gullible))


@pytest.fixture(scope="session")
def trial_of(tmp_path_factory: pytest.TempPathFactory, bank_lake: SmallBank) -> Callable[[str, int], Trial]:
    """A trial of any other agent, of each so many-th attack."""

    @cache
    def opened(domain: str) -> Catalog:
        folder = tmp_path_factory.mktemp(f"attacked-{domain}") / "lake"
        build = partial(attacked_bank, bank_lake) if domain == "bank" else attacked_complaints
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("ray.is_initialized", lambda: False)
            return build(folder)

    @cache
    def made(name: str, every: int) -> Trial:
        if name == "complaint":
            return Trial.of(name, opened("kitchen"), every=every)
        return Trial.of(name, opened("bank"), bank_hosts(name, opened("bank")), every=every)

    return made


@pytest.fixture(scope="session")
def obeyed(trial_of: Callable[[str, int], Trial]) -> Callable[[str], Tried]:
    """Some of the corpus on an agent, answered by the model that obeys; tried once."""

    @cache
    def tried_on(name: str) -> Tried:
        return trial_of(name, SOME).on(ScriptEngine("gullible", gullible))

    return tried_on
