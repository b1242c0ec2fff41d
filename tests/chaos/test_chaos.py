"""A short form of every story of the chaos suite. `make chaos` plays them at length."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from story import Stage
from suite import STORIES

HERE = Path(__file__).resolve().parent
SEED = 7


@pytest.mark.cli
@pytest.mark.parametrize("name", [name for name in STORIES if (HERE / f"{name}.py").exists()])
def test_what_is_left_is_what_was_promised(name: str, tmp_path: Path) -> None:
    stage = Stage(folder=tmp_path, seed=SEED, scale="short", told=print)
    outcomes = importlib.import_module(name).play(stage)
    assert outcomes
    for outcome in outcomes:
        if outcome.found.startswith("not run"):
            pytest.skip(outcome.found)
        assert outcome.passed, f"{outcome.found}: {outcome.trouble}"
