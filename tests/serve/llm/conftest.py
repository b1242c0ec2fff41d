"""What tests of a real vLLM share: one small model, lakes, one door that is up for most of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import ray
from llm_lakes import write_both_worlds, write_one_order
from served_llm import ENGINE, Door, serving

from casper_ray.serve.llm.tiny_llama import write_tiny_adapter, write_tiny_llama


@pytest.fixture(scope="session")
def tiny_llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the model."""
    folder = tmp_path_factory.mktemp("model") / "tiny"
    write_tiny_llama(folder)
    return folder


@pytest.fixture(scope="session")
def both_worlds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake with cases for every agent."""
    return _written(tmp_path_factory.mktemp("worlds"), write_both_worlds)


@pytest.fixture(scope="session")
def one_order(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake with next to nothing in it: `llm_door` holds the other until it ends."""
    return _written(tmp_path_factory.mktemp("order"), write_one_order)


def _written(folder: Path, write: Callable[[Path], None]) -> Path:
    """A lake's folder. It is written in this process, with a token key of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ray, "is_initialized", lambda: False)
        for name in ("CASPER_TOKEN_KEYS", "CASPER_TOKEN_KEYS_FILE"):
            patch.delenv(name, raising=False)
        write(folder)
    return folder


@pytest.fixture(scope="session")
def llm_door(tiny_llama: Path, both_worlds: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """Serves `complaint` by the cascade, the model `tiny` and its adapter `kind`."""
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
        "agents": {"complaint": {"engine": "cascade", "replicas": [1, 1]}},
        "door": {"replicas": [1, 1]},
        "limits": {"decide_s": 280, "request_s": 300},
        "llm": llm,
    }
    with serving(folder, args, model="tiny") as door:
        yield door
