"""Tests of the pipeline that are not about Ray do their blocks in this process, where they can bend what it does."""

from __future__ import annotations

import pytest
import ray


@pytest.fixture(autouse=True)
def _blocks_here(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another test may have started the session's Ray before; it is for those that are marked."""
    if request.node.get_closest_marker("ray") is None:
        monkeypatch.setattr(ray, "is_initialized", lambda: False)
