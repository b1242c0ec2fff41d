"""Memory that was freed, given back to the system."""

from __future__ import annotations

import ctypes
from contextlib import suppress
from functools import cache
from typing import Any


def give_back() -> None:
    """What the C library keeps of freed memory goes back; nothing, where it is none that can.

    It keeps what lies between blocks that are in use: of batches of millions of rows some 200 MiB a minute, and they
    are seldom the same places that the next batch needs.
    """
    if (trim := _trim()) is not None:
        trim(0)


@cache
def _trim() -> Any:
    with suppress(OSError, AttributeError):
        return ctypes.CDLL(None).malloc_trim
    return None
