"""Places at which a test may have this process die, as by a power cut.

`reach("name")` costs a dictionary look-up and does nothing unless the name was armed. The names are part
of the kill tests: every step of the promise "run again after any crash, it gives the same rows" has one
before and one after it.
"""

from __future__ import annotations

import os
import signal
import threading

_armed: dict[str, int] = {}
_counting = threading.Lock()


def arm(name: str, hit: int = 1) -> None:
    """Have the process killed (SIGKILL) when `name` is reached for the `hit`-th time."""
    _armed[name] = hit


def reach(name: str) -> None:
    """Die here, if a test asked for it."""
    if name not in _armed:
        return
    with _counting:
        _armed[name] -= 1
        if _armed[name] <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
