"""No tool reads the future: rows that were known after a case leave its evidence as it was, byte for byte."""

from __future__ import annotations

from datetime import timedelta

import polars as pl
import pytest
from bitter_lake import NOON
from canary_lakes import END, PLANTED, Lakes

from casper_ray.agents.agent import Agent, agent_version, load_rules
from casper_ray.agents.case import CASES, Case
from casper_ray.agents.decision import NOT_CONTENT, Decider
from casper_ray.agents.engines.policy import PolicyEngine
from casper_ray.agents.registry import AGENTS, load_agent
from casper_ray.agents.tools import Toolbox, gathered

WATCHED = [name for name in sorted(AGENTS) if load_agent(name).domain in PLANTED]
TOOLS = [(name, tool.name) for name in WATCHED for tool in load_agent(name).tools]
PLACES = ("later", "together")


@pytest.fixture(scope="session")
def lakes_of(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Lakes]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ray.is_initialized", lambda: False)
        return {domain: build(tmp_path_factory.mktemp(domain)) for domain, build in PLANTED.items()}


def cases_of(agent: Agent, lakes: Lakes) -> pl.DataFrame:
    """The plain lake's cases, and each once more twelve minutes earlier, when less was known."""
    cases = agent.cases(agent.open_store(lakes.plain, None), -1, 9)
    earlier = cases.with_columns(
        pl.col("at") - timedelta(minutes=12), pl.format("{}:early", "case_id").alias("case_id")
    )
    return pl.concat([cases, earlier]).cast(CASES).sort("at", "case_id")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("name", "tool"), TOOLS)
def test_what_came_later_is_in_no_answer(
    lakes_of: dict[str, Lakes], name: str, tool: str, place: str
) -> None:
    agent = load_agent(name)
    lakes = lakes_of[agent.domain]
    cases = cases_of(agent, lakes)
    stores = [agent.open_store(catalog, None) for catalog in (lakes.plain, getattr(lakes, place))]
    plain, planted = (gathered(store, [agent.tool(tool)], cases) for store in stores)
    assert (
        planted.select(pl.col(tool).struct.json_encode()).rows()
        == plain.select(pl.col(tool).struct.json_encode()).rows()
    )
    for row in cases.gather_every(41).iter_rows(named=True):
        one, other = (Toolbox(store, Case.of(row), agent.tools).call(tool) for store in stores)
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
def test_decisions_do_not_know_what_came_later(lakes_of: dict[str, Lakes], name: str, place: str) -> None:
    agent = load_agent(name)
    lakes = lakes_of[agent.domain]
    cases = agent.cases(agent.open_store(lakes.plain, None), -1, 9)
    rules, engine = load_rules(agent), PolicyEngine()
    version = agent_version(agent, rules, engine.settings)
    plain, planted = (
        Decider(agent=agent, rules=rules, version=version, engine=engine)
        .decide(agent.open_store(catalog, None), cases, sim_now=cases["at"][-1])
        .drop(*NOT_CONTENT, "inputs")
        for catalog in (lakes.plain, getattr(lakes, place))
    )
    assert planted.equals(plain)
