"""Versions, runs and traces in an MLflow of the test's own."""

from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest

from casper_ray.agents.prompts import load_prompt
from casper_ray.errors import ConfigError
from casper_ray.evals.comparison import metrics_of
from casper_ray.evals.register import Registered, register_version
from casper_ray.evals.tracking import Tracking
from casper_ray.evals.versions import CHALLENGER, CHAMPION, AgentVersion, set_alias
from casper_ray.lakehouse.names import Catalog


def _register(tracking: Tracking, version: AgentVersion, catalog: Catalog, most: int = 0) -> Registered:
    return register_version(tracking, version, catalog, rate=1.0, most=most)


def test_a_version_is_registered_once(tracking: Tracking, version: AgentVersion, decided: Catalog) -> None:
    first, again = (_register(tracking, version, decided, most=3) for _ in range(2))
    assert (first.number, first.prompt, first.traces) == (1, 1, 3)
    assert again == first._replace(traces=0)
    assert len(tracking.client.search_model_versions("name = 'refund'")) == 1
    assert len(tracking.client.search_runs([tracking.experiment("refund")])) == 1


def test_an_entry_says_what_decides(tracking: Tracking, version: AgentVersion, decided: Catalog) -> None:
    done = _register(tracking, version, decided)
    entry = tracking.client.get_model_version("refund", str(done.number))
    assert entry.tags == version.tags
    assert entry.run_id == done.run_id
    prompt = tracking.client.load_prompt("refund.prompt", version=done.prompt)
    assert prompt.template == load_prompt("refund.v1").text
    files = {file.path for file in tracking.client.list_artifacts(done.run_id)}
    assert files == {"rules.yml", "refund.v1.txt"}


def test_other_settings_are_another_version_of_the_same_prompt(
    tracking: Tracking, version: AgentVersion, decided: Catalog
) -> None:
    other = AgentVersion(agent=version.agent, rules=version.rules, engine={"name": "llm", "model": "small"})
    first, second = (_register(tracking, each, decided) for each in (version, other))
    assert (second.number, second.prompt) == (first.number + 1, first.prompt)
    assert second.run_id != first.run_id
    assert (first.decisions, second.decisions) == (40, 0)


def test_the_champion_is_one_version_at_a_time(
    tracking: Tracking, version: AgentVersion, decided: Catalog
) -> None:
    other = AgentVersion(agent=version.agent, rules=version.rules, engine={"name": "llm"})
    for each in (version, other):
        _register(tracking, each, decided)
    set_alias(tracking.client, "refund", version.version, CHAMPION)
    set_alias(tracking.client, "refund", other.version, CHALLENGER)
    assert _called(tracking, CHAMPION) == version.version
    set_alias(tracking.client, "refund", other.version, CHAMPION)
    assert (_called(tracking, CHAMPION), _called(tracking, CHALLENGER)) == (other.version, other.version)


def _called(tracking: Tracking, alias: str) -> str:
    return str(tracking.client.get_model_version_by_alias("refund", alias).tags["agent_version"])


@pytest.mark.parametrize("version", ["0123456789ab", "' or name = 'refund", ""])
def test_a_version_that_is_not_registered_is_refused(tracking: Tracking, version: str) -> None:
    with pytest.raises(ConfigError, match="is not registered"):
        set_alias(tracking.client, "refund", version, CHAMPION)


def test_a_run_has_what_the_decisions_add_up_to(
    tracking: Tracking, version: AgentVersion, decided: Catalog, decisions: pl.DataFrame
) -> None:
    done = _register(tracking, version, decided)
    metrics = metrics_of(tracking, "refund", version.version, "caspers")
    by_outcome, by_action = (
        {f"{prefix}.{name}": float(number) for name, number in decisions[column].value_counts().iter_rows()}
        for column, prefix in (("outcome", "outcome"), ("gate_action", "gate"))
    )
    assert {**by_outcome, **by_action}.items() <= metrics.items()
    assert {"outcome.full", "gate.queued", "gate.approved"} <= metrics.keys()
    assert metrics["cases"] == decisions.height == done.decisions
    run = tracking.client.get_run(done.run_id)
    assert Decimal(run.data.tags["money_approved"]) == decisions["amount"].sum() > 0
    proposals = decisions.filter(gate_action="queued")["proposal"].str.json_decode(
        pl.Struct({"refund_usd": pl.String})
    )
    queued = sum(map(Decimal, proposals.struct.field("refund_usd")))
    assert Decimal(run.data.tags["money_queued"]) == queued > 0
    assert metrics["money_queued"] == float(queued)
    assert run.data.params["agent_version"] == version.version
