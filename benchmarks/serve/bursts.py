"""A process that works for a moment, rests for a while, and so on, until it is killed: company for another one.

python bursts.py WORK_S REST_S
"""

from __future__ import annotations

import sys
import time


def main() -> None:
    work_s, rest_s = float(sys.argv[1]), float(sys.argv[2])
    while True:
        until_s = time.perf_counter() + work_s
        while time.perf_counter() < until_s:
            pass
        time.sleep(rest_s)


if __name__ == "__main__":
    main()
