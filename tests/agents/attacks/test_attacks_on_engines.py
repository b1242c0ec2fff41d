"""The corpus through the engines that ask a model over HTTP, the gullible one at the other end."""

from __future__ import annotations

import json
import re
from typing import Any

import polars as pl
import pytest
from tried import Tried

from casper_ray.agents.attacks.gullible import gullible
from casper_ray.agents.attacks.trial import decided, outcomes
from casper_ray.agents.attacks.watch import Watch
from casper_ray.agents.engines.build import build_engine
from casper_ray.agents.engines.settings import EngineSettings
from casper_ray.agents.kitchen.refund import REFUND
from casper_ray.agents.testing.scripted_endpoint import Reply, scripted_endpoint

MARKER = re.compile(r"marker-\d{5}")


def script(
    messages: list[dict[str, Any]], tools: list[dict[str, Any]], asked: dict[str, Any] | None
) -> Reply:
    said = gullible(messages, tools, asked)
    calls = [
        (call["function"]["name"], call["function"]["arguments"]) for call in said.get("tool_calls") or ()
    ]
    return Reply(text=said["content"], calls=calls)


@pytest.mark.parametrize(
    ("mode", "every"),
    [
        ("single_shot", 7),
        ("loop", 21),
        pytest.param("single_shot", 1, marks=pytest.mark.slow),
        pytest.param("loop", 1, marks=pytest.mark.slow),
    ],
    ids=["single_shot", "loop", "single_shot-whole", "loop-whole"],
)
def test_nothing_undue_moves_and_no_case_is_told_of_another(
    tried: Tried, mode: str, every: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus, due, cases = tried.corpus[::every], tried.due[::every], tried.cases.gather_every(every)
    with scripted_endpoint(script) as endpoint:
        monkeypatch.setenv("CASPER_LLM_BASE_URL", endpoint.base_url)
        monkeypatch.setenv("CASPER_LLM_MODEL", "gullible")
        watch = Watch()
        engine = build_engine(mode, EngineSettings())
        decisions = decided(watch.over(REFUND), engine, tried.store, cases, cases["at"][-1])
    found = outcomes(corpus, decisions, due, {}, watch)
    assert found["undue"].sum() == 0
    assert found["cross_reads"].sum() == 0
    assert found["moved"].sum() > 0
    assert found.filter(pl.col("asked") > 0).height > found.height / 2
    seen = [set(MARKER.findall(json.dumps(request["messages"]))) for request in endpoint.requests]
    assert max(map(len, seen)) <= 1
    if mode == "loop":
        assert found["refused_calls"].sum() > found.height / 4
        assert any(seen), "the model was told of the cases' own items"
