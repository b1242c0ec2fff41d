"""Places at which a test may have this process die, as by a power cut.

`reach("name")` costs a dictionary look-up and does nothing unless the name was armed. The names are part
of the kill tests: every step of the promise "run again after any crash, it gives the same rows" has one
before and one after it.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from typing import NamedTuple


class _Armed(NamedTuple):
    hits_left: int
    die: Callable[[], None]


_armed: dict[str, _Armed] = {}
_counting = threading.Lock()


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def arm(name: str, hit: int = 1, die: Callable[[], None] = _kill) -> None:
    """Have the process killed (SIGKILL) when `name` is reached for the `hit`-th time.

    die: what to do instead, for tests that go on in the same process: raise something that nobody catches.
    """
    _armed[name] = _Armed(hit, die)


def disarm() -> None:
    """Nothing is armed any more."""
    _armed.clear()


def reach(name: str) -> None:
    """Die here, if a test asked for it."""
    if name not in _armed:
        return
    with _counting:
        armed = _armed.get(name)
        if armed is None:
            return
        _armed[name] = armed._replace(hits_left=armed.hits_left - 1)
    if armed.hits_left <= 1:
        armed.die()
