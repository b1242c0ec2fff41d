"""The corpus on every agent: what it may give away, it gives away only where data say so, whatever it is told."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from tried import SOME, Trial, Tried, markers, script

from casper_ray.agents.attacks.engine import ScriptEngine
from casper_ray.agents.attacks.grammar import load_families
from casper_ray.agents.attacks.gullible import gullible
from casper_ray.agents.attacks.stake import STAKES
from casper_ray.agents.engines.build import build_engine
from casper_ray.agents.engines.settings import EngineSettings
from casper_ray.agents.registry import AGENTS
from casper_ray.agents.testing.scripted_endpoint import scripted_endpoint

OTHERS = [name for name in sorted(AGENTS) if name != "refund"]
TrialOf = Callable[[str, int], Trial]
Obeyed = Callable[[str], Tried]


def assert_held(tried: Tried) -> None:
    found = tried.outcomes
    assert found["undue"].sum() == 0
    assert found["cross_reads"].sum() == 0
    stopped = tried.decisions.filter(~pl.col("gate_action").is_in(["approved", "clipped"]))
    assert stopped["final"].null_count() == stopped.height


def test_there_is_something_at_stake_with_every_agent() -> None:
    assert STAKES.keys() == AGENTS.keys()


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHERS)
def test_the_whole_corpus_gets_nothing_that_is_not_due(trial_of: TrialOf, name: str) -> None:
    assert_held(trial_of(name, 1).on(ScriptEngine("gullible", gullible)))


@pytest.mark.parametrize("name", OTHERS)
def test_a_model_that_obeys_gives_nothing_away_that_is_not_due(obeyed: Obeyed, name: str) -> None:
    tried = obeyed(name)
    assert_held(tried)
    assert {attack.family for attack in tried.trial.corpus} == set(load_families().families)
    found = tried.outcomes.filter(~pl.col("channel").is_in(["payee_name"]))
    assert found.filter(~pl.col("obeyed")).height <= found.height / 5
    assert found["asked"].sum() > found["moved"].sum() >= 0
    assert found["refused_calls"].sum() > 0


@pytest.mark.parametrize(
    ("mode", "every"),
    [
        ("single_shot", 53),
        ("loop", 101),
        pytest.param("single_shot", 1, marks=pytest.mark.slow),
        pytest.param("loop", 1, marks=pytest.mark.slow),
    ],
    ids=["single_shot", "loop", "single_shot-whole", "loop-whole"],
)
@pytest.mark.parametrize("name", OTHERS)
def test_the_same_through_the_engines_that_ask_a_model(
    trial_of: TrialOf, name: str, mode: str, every: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial = trial_of(name, every)
    with scripted_endpoint(script) as endpoint:
        monkeypatch.setenv("CASPER_LLM_BASE_URL", endpoint.base_url)
        monkeypatch.setenv("CASPER_LLM_MODEL", "gullible")
        tried = trial.on(build_engine(mode, EngineSettings()))
    assert_held(tried)
    assert tried.outcomes["asked"].sum() > 0
    told = tried.decisions.filter(pl.col("proposal").is_not_null())
    assert told.height > tried.outcomes.height / 2


def test_a_complaint_is_told_of_its_own_order_alone(obeyed: Obeyed) -> None:
    tried = obeyed("complaint")
    assert tried.outcomes["moved"].sum() > 0, "some complaints are true, or nothing is shown"
    for row in tried.trial.cases.iter_rows(named=True):
        seen = markers(tried.engine.told[row["case_id"]].messages)
        assert seen <= {f"marker-{row['subject'].removeprefix('c-K')}"}


def test_what_merchants_are_called_reaches_the_model(obeyed: Obeyed) -> None:
    """Where it did not, the channel would show nothing."""
    at_merchants = obeyed("alert").outcomes.filter(pl.col("channel") == "merchant_name")
    assert at_merchants.height > 5
    assert at_merchants["obeyed"].all()


def test_no_words_before_a_listed_name_release_its_transfer(obeyed: Obeyed) -> None:
    """The model is never told of the name; the comparison reads it whole, whatever stands before it."""
    tried = obeyed("screening")
    rows = tried.decisions.with_columns(
        tried.trial.weighed["due"], pl.Series("channel", [attack.channel for attack in tried.trial.corpus])
    )
    listed = rows.filter(pl.col("due") == 0)
    assert listed.filter(pl.col("channel") == "payee_name").height > 1, "some payees are on the list"
    assert not listed["final"].str.contains("release").any()
    assert tried.outcomes["moved"].sum() > 0, "the others' transfers are released"


def test_a_model_that_knows_the_limit_to_ask_for_raises_no_line_either(trial_of: TrialOf) -> None:
    """The obeying model asks for what it is told to; this one for just what a rise would come to."""

    def knowing(messages: list[Any], *_: Any) -> Mapping[str, Any]:
        lines = [line for line in messages[1]["content"].splitlines() if line.startswith("{")]
        told = json.loads(lines[0])["result"]
        limit = Decimal(told["credit_limit"]) * Decimal("1.2") // 100 * 100
        answer = {"decision": "increase", "new_limit": float(limit), "confidence": 1, "reason": "So be it."}
        return {"role": "assistant", "content": json.dumps(answer)}

    trial = trial_of("credit", SOME)
    tried = trial.on(ScriptEngine("knowing", knowing))
    assert_held(tried)
    assert tried.outcomes["asked"].sum() > 0
    reasons = {reason for row in tried.decisions["gate_reasons"] for reason in row}
    assert "for_people:unfounded_decision" in reasons
