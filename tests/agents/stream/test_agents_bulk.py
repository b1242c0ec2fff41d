"""Proposals by Ray's workers give the same decisions as in this process."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from growing_lake import GrowingLake
from polars.testing import assert_frame_equal

from casper_ray.agents.decision import in_order
from casper_ray.agents.registry import load_agent
from casper_ray.agents.stream.bulk import propose_in_bulk
from casper_ray.agents.stream.runner import AgentRunner
from casper_ray.errors import LakeError

pytestmark = pytest.mark.ray


def test_workers_propose_the_same(local_ray: None, lake: GrowingLake, decided: GrowingLake) -> None:
    runner = AgentRunner(replace(lake.setting, many=100))
    step = runner.step()
    assert step
    assert step.decisions.height > 500
    assert_frame_equal(lake.content(), decided.content())


def test_chunks_come_back_in_order(local_ray: None, grown: GrowingLake) -> None:
    setting = grown.setting
    decider, store = setting.decider(), setting.agent.open_store(grown.catalog, None)
    cases = in_order(load_agent("refund").cases(store, -1, store.batch))
    made = propose_in_bulk(decider, grown.catalog, store.batch, cases, chunk=100)
    assert_frame_equal(made, decider.propose(store, cases))


def test_a_worker_says_what_went_wrong(local_ray: None, grown: GrowingLake, tmp_path: Path) -> None:
    decider = grown.setting.decider()
    store = grown.setting.agent.open_store(grown.catalog, None)
    cases = load_agent("refund").cases(store, -1, store.batch).head(10)
    elsewhere = GrowingLake.at(tmp_path / "empty").catalog
    with pytest.raises(LakeError, match="no table at"):
        propose_in_bulk(decider, elsewhere, store.batch, cases)
