"""Freed memory goes back to the system."""

from __future__ import annotations

import subprocess
import sys

_HOLES = """
import psutil
from casper_ray.freed import give_back
def mib():
    return psutil.Process().memory_info().rss >> 20
blocks = [bytearray(3_000) for _ in range(60_000)]
full = mib()
blocks = blocks[::100]
before = mib()
give_back()
print(full, before, mib())
"""


def test_what_lies_between_blocks_that_are_in_use_is_given_back() -> None:
    told = subprocess.run([sys.executable, "-c", _HOLES], capture_output=True, text=True, check=True).stdout
    full, before, after = map(int, told.split())
    assert before > full - 20, "the C library keeps it by itself"
    assert after < full - 80
