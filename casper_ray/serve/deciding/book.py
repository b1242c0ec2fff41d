"""What the keeper knows of one agent: its lease, and which cases each of its versions decided."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import polars as pl

from casper_ray.agents.decision import Decider
from casper_ray.agents.stream.log import DecisionLog, DecisionsTable
from casper_ray.agents.stream.runner import Setting, lease_name
from casper_ray.agents.stream.switch import Switch
from casper_ray.lakehouse.lease import catalog_lease
from casper_ray.serve.operations.instruments import CASES

COMMAND: Final = "casper serve"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One version's part: how it judges, its commits, and the cases that are in the table."""

    decider: Decider
    log: DecisionLog
    decided: set[str]


class Book:
    """One agent's, as long as its lease is held: nobody else decides for it meanwhile. For one thread at a time."""

    def __init__(self, setting: Setting, table: DecisionsTable) -> None:
        """Raises: LeaseHeldError where a runner of the agent lives."""
        self._setting, self._table = setting, table
        self.switch = Switch(setting.catalog, setting.agent.name)
        self._pages: dict[str, Page] = {}
        self._lease = ExitStack()
        self._lease.enter_context(catalog_lease(setting.catalog, lease_name(setting.agent.name), COMMAND))

    def page(self, version: str) -> Page | None:
        """A version's part; None: it is not the one that this process would judge for."""
        if version not in self._pages:
            decider = self._setting.decider()
            if decider.version != version:
                return None
            log = DecisionLog(self._setting.catalog, self._setting.agent.name, version, self._table)
            self._pages[version] = Page(decider=decider, log=log, decided=set(log.all_decided()))
        return self._pages[version]

    def forget(self) -> None:
        """Whether a commit is in the table is not known: which cases are decided is read anew."""
        self._pages.clear()

    def close(self) -> None:
        self._lease.close()


class Left:
    """A store for the gate, which asks only which table versions batches left: the proposer's store said it."""

    def __init__(self, left: Mapping[int, Mapping[str, int]]) -> None:
        self._left = left

    def versions_by_batch(self, batches: list[int]) -> Mapping[int, Mapping[str, int]]:
        return {batch: self._left[batch] for batch in batches}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judging:
    """Proposals of one agent and version that are to be judged together, and what the gate needs beside them."""

    page: Page
    proposed: pl.DataFrame
    sim_now: datetime | None
    left: Left

    def judged(self, ledger: Any, *, off: bool) -> pl.DataFrame:
        """Rows of `DECISIONS`; their payments are in the ledger then."""
        began_s = time.perf_counter()
        decider = replace(self.page.decider, ledger=ledger)
        rows = decider.judge(self.left, self.proposed, sim_now=self.sim_now, off=off)
        agent = self.page.log.agent
        CASES.switched(agent, off=off)
        CASES.staged(agent, "judge", cases=rows.height, seconds=time.perf_counter() - began_s)
        return rows
