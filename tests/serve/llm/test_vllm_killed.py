"""The engine is killed: the door says so at once, decisions go on without it, and both come back to it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import polars as pl
import pytest
from served_llm import START_S, Door

from casper_ray.agents.agent import load_rules
from casper_ray.agents.engines.engine import Ask
from casper_ray.agents.engines.policy import PolicyEngine
from casper_ray.agents.kitchen.complaint import COMPLAINT
from casper_ray.agents.tools import gathered
from casper_ray.lakehouse.names import open_catalog

pytestmark = pytest.mark.vllm

ASKED = {"model": "tiny", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 5}
AT_ONCE_S = 30.0
"""Within this the door answers, whatever became of the engine: patience for a beat, and a slow machine."""


@pytest.fixture(scope="module")
def client(llm_door: Door) -> Iterator[httpx2.Client]:
    with llm_door.client() as client:
        yield client


@pytest.fixture(scope="module")
def complaints(both_worlds: Path) -> dict[bool, list[str]]:
    """Complaints by whether the policy is sure of them."""
    store: Any = COMPLAINT.open_store(open_catalog(str(both_worlds), "caspers"), None)
    evidence = gathered(store, COMPLAINT.gathered_tools, COMPLAINT.cases(store, -1, store.batch))
    rules = load_rules(COMPLAINT)
    proposed = PolicyEngine().propose(Ask(agent=COMPLAINT, rules=rules, store=store, evidence=evidence))
    rows = pl.DataFrame({"subject": evidence["subject"], "sure": proposed["sure"]})
    found = {sure: rows.filter(pl.col("sure") == sure)["subject"].to_list() for sure in (True, False)}
    assert len(found[True]) > 4
    assert len(found[False]) > 4
    return found


def test_a_killed_engine_is_503_decisions_go_on_and_all_of_it_comes_back(
    llm_door: Door, client: httpx2.Client, complaints: dict[bool, list[str]]
) -> None:
    sure, unsure = iter(complaints[True]), iter(complaints[False])
    before = _decided(client, next(unsure))
    assert before["engine"] == "single_shot"
    assert before["outcome"] not in ("busy", "endpoint_error", "unreachable")

    engines = {process.pid for process in llm_door.engines()}
    assert engines
    llm_door.kill_engine()
    killed_s = time.monotonic()
    refused = client.post("/v1/chat/completions", json=ASKED)
    assert time.monotonic() - killed_s < AT_ONCE_S
    assert refused.status_code == 503
    assert refused.json()["error"]["type"] == "unavailable"
    assert refused.json()["error"]["hint"]
    assert int(refused.headers["retry-after"]) > 0

    by_policy = _decided(client, next(sure))
    assert by_policy["engine"] == "policy"
    assert by_policy["proposal"]
    by_nobody = _decided(client, next(unsure))
    assert by_nobody["gate_action"] == "queued"
    assert by_nobody["outcome"] in ("busy", "endpoint_error", "timeout", "cut")
    assert by_nobody["proposal"] is None

    while client.post("/v1/chat/completions", json=ASKED).status_code != 200:
        assert time.monotonic() - killed_s < START_S, "the engine did not come back"
        time.sleep(1)
    print(f"\nback after {time.monotonic() - killed_s:.1f} s")
    assert engines.isdisjoint(process.pid for process in llm_door.engines())
    after = _decided(client, next(unsure))
    assert after["outcome"] not in ("busy", "endpoint_error", "unreachable", "timeout", "cut")
    assert after["usage"]["completion_tokens"] > 0


def _decided(client: httpx2.Client, subject: str) -> dict[str, Any]:
    said = client.post("/v1/agents/complaint/decisions", json={"subject": subject})
    assert said.status_code == 200, said.text
    decision: dict[str, Any] = said.json()
    return decision
