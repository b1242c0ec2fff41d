"""Waiting for a command that comes up."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from children import Running

_UP_S = 240.0


def until(running: Running, found: Callable[[], Any]) -> Any:
    """What `found` finds, once it finds something; fails with what the command told if it ends before."""
    until_s = time.monotonic() + _UP_S
    while time.monotonic() < until_s:
        if answer := found():
            return answer
        assert running.process.poll() is None, running.out.read_text() + running.err.read_text()
        time.sleep(0.1)
    raise AssertionError(running.out.read_text() + running.err.read_text())
