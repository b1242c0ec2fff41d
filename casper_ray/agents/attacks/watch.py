"""A watch on an agent's tools: what was read, seen where it is read, whoever asked and however."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import polars as pl

from casper_ray.agents.agent import Agent
from casper_ray.agents.case import CASES
from casper_ray.agents.tools import Tool


class Watch:
    """Counts reads of what is not the case's own. foreign: by case.

    own: by case, what it may ask of beside its own arguments.
    """

    def __init__(self, own: Mapping[str, frozenset[str | int]] | None = None) -> None:
        self.foreign: Counter[str] = Counter()
        self._own = own or {}

    def over(self, agent: Agent) -> Agent:
        """The agent with its tools watched: the same names, schemas and answers, so the same version."""
        tools = tuple(replace(tool, answer=partial(self._answer, tool)) for tool in agent.tools)
        return replace(agent, tools=tools)

    def _answer(self, tool: Tool, store: Any, asked: pl.DataFrame) -> pl.DataFrame:
        own = tool.own(store, asked.select(CASES.names()))
        for case_id, given, right in zip(
            asked["case_id"], asked.select(own.columns).rows(), own.rows(), strict=True
        ):
            if given != right and not self._own.get(case_id, frozenset()).issuperset(given):
                self.foreign[case_id] += 1
        return tool.answer(store, asked)
