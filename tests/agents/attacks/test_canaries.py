"""No tool reads the future: rows that were known after a case leave its evidence as it was, byte for byte."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import cache
from typing import Any

import polars as pl
import pytest
from bitter_lake import NOON
from canary_lakes import END, PLANTED, Lakes
from small_bank import SmallBank

from casper_ray.agents.agent import Agent, agent_version, load_rules
from casper_ray.agents.case import CASES, Case
from casper_ray.agents.decision import NOT_CONTENT, Decider
from casper_ray.agents.engines.policy import PolicyEngine
from casper_ray.agents.registry import AGENTS, load_agent
from casper_ray.agents.tools import Toolbox, gathered

WATCHED = [name for name in sorted(AGENTS) if load_agent(name).domain in PLANTED]
TOOLS = [(name, tool.name) for name in WATCHED for tool in load_agent(name).tools]
PLACES = ("later", "together")
ONCE = ("get_transaction_details", "get_alert_group", "match_sanctions")
"""Tools of what happens once: a transaction, a day that is over, a transfer held against the list of its day."""


@pytest.fixture(scope="session")
def lakes_of(tmp_path_factory: pytest.TempPathFactory, bank_lake: SmallBank) -> dict[str, Lakes]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ray.is_initialized", lambda: False)
        return {
            domain: build(tmp_path_factory.mktemp(domain), bank_lake) for domain, build in PLANTED.items()
        }


@pytest.fixture(scope="session")
def stores(lakes_of: dict[str, Lakes]) -> Callable[[str, str], Any]:
    """An agent's store over one of its domain's lakes, opened once."""

    @cache
    def opened(name: str, place: str) -> Any:
        agent = load_agent(name)
        return agent.open_store(getattr(lakes_of[agent.domain], place), None)

    return opened


def cases_of(agent: Agent, lakes: Lakes) -> pl.DataFrame:
    """The plain lake's cases, and each once more twelve minutes earlier, when less was known."""
    cases = lakes.cases(agent, lakes.plain)
    earlier = cases.with_columns(
        pl.col("at") - timedelta(minutes=12), pl.format("{}:early", "case_id").alias("case_id")
    )
    return pl.concat([cases, earlier]).cast(CASES).sort("at", "case_id")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("name", "tool"), TOOLS)
def test_what_came_later_is_in_no_answer(
    lakes_of: dict[str, Lakes], stores: Callable[[str, str], Any], name: str, tool: str, place: str
) -> None:
    agent = load_agent(name)
    cases = cases_of(agent, lakes_of[agent.domain])
    both = [stores(name, "plain"), stores(name, place)]
    plain, planted = (gathered(store, [agent.tool(tool)], cases) for store in both)
    assert plain[tool].struct.field("found").any()
    assert (
        planted.select(pl.col(tool).struct.json_encode()).rows()
        == plain.select(pl.col(tool).struct.json_encode()).rows()
    )
    for row in cases.gather_every(41).iter_rows(named=True):
        one, other = (Toolbox(store, Case.of(row), agent.tools).call(tool) for store in both)
        assert other.model_dump_json() == one.model_dump_json()


@pytest.mark.parametrize("tool", [tool for name, tool in TOOLS if name == "refund"])
def test_a_canary_can_be_seen_once_it_is_known(lakes_of: dict[str, Lakes], tool: str) -> None:
    """Or the tests above would show nothing: asked later, something of the day differs."""
    agent = load_agent("refund")
    lakes = lakes_of["kitchen"]
    cases = cases_of(agent, lakes).with_columns(pl.col("at") + timedelta(hours=9))
    plain, planted = (
        gathered(agent.open_store(catalog, None), [agent.tool(tool)], cases)
        for catalog in (lakes.plain, lakes.later)
    )
    if tool in ("get_order_timing", "get_order_overview"):  # an order is created and delivered once
        assert planted.equals(plain)
    else:
        assert not planted.equals(plain)


@pytest.mark.parametrize(("name", "tool"), [pair for pair in TOOLS if load_agent(pair[0]).domain == "bank"])
def test_a_canary_of_the_bank_is_seen_once_it_is_known(
    lakes_of: dict[str, Lakes], stores: Callable[[str, str], Any], name: str, tool: str
) -> None:
    agent = load_agent(name)
    cases = cases_of(agent, lakes_of["bank"]).with_columns(pl.col("at") + timedelta(days=9))
    plain, planted = (
        gathered(stores(name, which), [agent.tool(tool)], cases) for which in ("plain", "later")
    )
    if tool in ONCE:
        assert planted.equals(plain)
    else:
        assert not planted.equals(plain)


def test_before_its_order_is_known_a_case_is_told_nothing_of_it(lakes_of: dict[str, Lakes]) -> None:
    """Even where the house had ordered before."""
    agent = load_agent("refund")
    store = agent.open_store(lakes_of["kitchen"].later, None)
    cases = agent.cases(store, -1, 9).filter(pl.col("subject").str.starts_with("C"))
    early = cases.with_columns(pl.lit(NOON + timedelta(minutes=END - 1)).dt.cast_time_unit("us").alias("at"))
    assert early.height > 50
    told = gathered(store, agent.tools, early)
    for tool in agent.tools:
        assert not told[tool.name].struct.field("found").any(), tool.name


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", WATCHED)
def test_decisions_do_not_know_what_came_later(
    lakes_of: dict[str, Lakes], stores: Callable[[str, str], Any], name: str, place: str
) -> None:
    agent = load_agent(name)
    lakes = lakes_of[agent.domain]
    cases = lakes.cases(agent, lakes.plain)
    rules, engine = load_rules(agent), PolicyEngine()
    version = agent_version(agent, rules, engine.settings)
    plain, planted = (
        Decider(agent=agent, rules=rules, version=version, engine=engine)
        .decide(stores(name, which), cases, sim_now=cases["at"][-1])
        .drop(*NOT_CONTENT, "inputs")
        for which in ("plain", place)
    )
    assert planted.equals(plain)
