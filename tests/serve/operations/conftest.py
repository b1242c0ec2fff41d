"""What tests of operations share: the log, read back."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest
import structlog

from casper_ray.serve.operations.logs import set_up_logs
from casper_ray.serve.operations.settings import LogSettings


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Where log lines go meanwhile."""
    root = logging.getLogger()
    kept = root.handlers, root.level
    out = io.StringIO()
    set_up_logs(LogSettings(), "door", out)
    yield out
    root.handlers, root.level = kept
    structlog.reset_defaults()
