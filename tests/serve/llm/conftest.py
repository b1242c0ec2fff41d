"""What tests of a real vLLM share: one small model, one lake of both worlds, one door that is up for all of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import ray
from kitchen_lake import lake_of_days
from served_llm import ENGINE, Door, serving
from told_bank import fill, small_world

from casper_ray.main_job.complaints import ComplaintFeed
from casper_ray.serve.llm.tiny_llama import write_tiny_adapter, write_tiny_llama
from casper_ray.sim.kitchen.complaints.generator import ComplaintBook
from casper_ray.sim.kitchen.world import KitchenWorld
from casper_ray.sim.scenario import load_scenario


@pytest.fixture(scope="session")
def tiny_llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the model."""
    folder = tmp_path_factory.mktemp("model") / "tiny"
    write_tiny_llama(folder)
    return folder


@pytest.fixture(scope="session")
def both_worlds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake with two days of the kitchen, their complaints, and six days of a small bank."""
    folder = tmp_path_factory.mktemp("worlds")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ray, "is_initialized", lambda: False)
        kitchen = lake_of_days(folder).catalog
        world = KitchenWorld.build(load_scenario("baseline"), 42, days=2)
        ComplaintFeed(kitchen, ComplaintBook(world=world, rate=0.3), "complaints-test").advance()
        fill(folder, small_world(), at_once=True)
    return folder


@pytest.fixture(scope="session")
def llm_door(tiny_llama: Path, both_worlds: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """Serves `refund` by the cascade and `complaint` by the policy, the model `tiny` and its adapter `kind`."""
    folder = tmp_path_factory.mktemp("door")
    write_tiny_adapter(folder / "kind")
    llm = {
        "name": "tiny",
        "source": str(tiny_llama),
        "device": "cpu",
        "engine": ENGINE,
        "adapters": {"kind": str(folder / "kind")},
    }
    args = {
        "lake": str(both_worlds),
        "catalogs": {"kitchen": "caspers"},
        "agents": {"refund": {"engine": "cascade", "replicas": [1, 1]}},
        "door": {"replicas": [1, 1]},
        "limits": {"decide_s": 280, "request_s": 300},
        "llm": llm,
    }
    with serving(folder, args, model="tiny") as door:
        yield door
