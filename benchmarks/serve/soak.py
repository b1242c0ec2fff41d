"""Whether the served application stays as it is: hours of decisions at half of what it can do.

    python benchmarks/serve/soak.py LAKE [--for 1h] [--json benchmarks/results/serve-soak.json]

Serves a copy of a kitchen's lake on a free port, finds its top rate with 32 connections, and asks at half of that,
first for decisions on every order, then for the same ones again: each answer is committed with its audit event.
Every process of the service is looked at from outside: memory (what is its alone) under load; open files before and
after it, when nobody asks: a connection that is open for now is no leak.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import psutil
from served import Served, cases_of, serving
from steady_load import Asked, steadily

from casper_ray.domain.time import duration_s
from casper_ray.lakehouse.names import existing_catalog

TOP_S, CONNECTIONS = 10.0, 32
SAMPLES = 60
WARM_SHARE, SHARE = 0.25, 0.15
"""Of the time: what goes by before looks count, and what is taken together as the first and as the last look."""
IDLE_S = 120.0
"""HAProxy closes half of the idle connections to doors every five seconds. After 600 connections at once, doors had
216 files after 20 s, 72 after 50 s, and as many as before after two minutes.
"""
_MIB = 1 << 20
_OURS = re.compile(r"ray::(ServeReplica:\S+|ServeController|\S*Proxy\S*)|haproxy")


class Look(NamedTuple):
    """One process at one time. at: seconds of the load's clock. own_bytes: memory that it shares with nobody."""

    at: float
    name: str
    pid: int
    own_bytes: int
    files: int


def soaked(lake: Path, seconds: float) -> dict[str, Any]:
    """The figures of one soak. lake: is copied."""
    with tempfile.TemporaryDirectory(prefix="casper-soak-") as folder:
        copied = Path(folder) / "lake"
        shutil.copytree(lake, copied)
        subjects = cases_of(existing_catalog(str(copied), "caspers"))
        with serving(copied, Path(folder)) as served:
            top = _top_rate(served, subjects, Path(folder))
            files = [_idle_files(served)]
            asked, looks = asyncio.run(_watched(served, subjects, top / 2, seconds))
            files.append(_idle_files(served))
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": seconds,
        "top_per_s": top,
        "asked_per_s": round(top / 2, 1),
        "statuses": dict(Counter(str(one.status) for one in asked)),
        "late_ms": _late_ms(asked),
        "processes": _grown(looks, seconds, *files),
    }


def _top_rate(served: Served, subjects: Sequence[str], folder: Path) -> float:
    """Decisions a second that are answered to as many connections as the benchmark of the door has."""
    file = folder / "subjects"
    needed = islice(cycle(subjects), 200_000)
    file.write_text("\n".join(needed))
    port = str(urlsplit(served.url).port)
    load = [sys.executable, str(Path(__file__).with_name("load.py")), port, "decide"]
    load += [str(CONNECTIONS), str(TOP_S), "--key", served.key, "--subjects", str(file)]
    done = subprocess.run(load, capture_output=True, text=True, check=True, timeout=120)
    return float(json.loads(done.stdout.splitlines()[-1])["per_s"])


async def _watched(
    served: Served, subjects: Sequence[str], rate: float, seconds: float
) -> tuple[list[Asked], list[Look]]:
    wanted = list(islice(cycle(subjects), int(rate * seconds) + 1))
    began, looks = time.monotonic(), []
    load = asyncio.create_task(steadily(served.url, served.key, wanted, rate, seconds))
    while not load.done():
        looks += await asyncio.to_thread(_look, served, time.monotonic() - began)
        await asyncio.wait([load], timeout=seconds / SAMPLES)
    return await load, looks


def _idle_files(served: Served) -> dict[int, int]:
    """By process: open files when nothing is asked; the fewest that are seen."""
    found: dict[int, int] = {}
    until = time.monotonic() + IDLE_S
    while time.monotonic() < until:
        time.sleep(1)
        for look in _look(served, 0.0):
            found[look.pid] = min(look.files, found.get(look.pid, look.files))
    return found


def _look(served: Served, at: float) -> list[Look]:
    """Every process of the service, as it is now."""
    tree = psutil.Process(served.process.pid)
    looks = []
    for process in [tree, *tree.children(recursive=True)]:
        try:
            name = "casper serve" if process.pid == tree.pid else _name(process)
            if name:
                own = process.memory_full_info().uss
                looks.append(Look(at, name, process.pid, own, process.num_fds()))
        except psutil.NoSuchProcess:
            continue  # it ended while it was looked at
    return looks


def _name(process: psutil.Process) -> str:
    """What a process of the service is; empty: Ray's own, or not looked at."""
    found = _OURS.search(" ".join(process.cmdline()).strip())
    return re.sub(r"#.*", "", found[1] or found[0]) if found else ""


def _grown(
    looks: Sequence[Look], seconds: float, before: Mapping[int, int], after: Mapping[int, int]
) -> list[dict[str, Any]]:
    """Each process that was there all the time, at first and at last. before, after: of `_idle_files`."""
    by_process: dict[tuple[str, int], list[Look]] = {}
    for look in looks:
        by_process.setdefault((look.name, look.pid), []).append(look)
    found = []
    for (name, pid), seen in sorted(by_process.items()):
        first = [one for one in seen if 0 <= one.at - WARM_SHARE * seconds <= SHARE * seconds]
        last = [one for one in seen if one.at >= (1 - SHARE) * seconds]
        if first and last and pid in before and pid in after:
            found.append(
                {
                    "process": name,
                    "own_mib_first": _own_mib(first),
                    "own_mib_last": _own_mib(last),
                    "files_first": before[pid],
                    "files_last": after[pid],
                }
            )
    return found


def _own_mib(looks: Sequence[Look]) -> float:
    return round(median(one.own_bytes for one in looks) / _MIB, 1)


def _late_ms(asked: Sequence[Asked]) -> dict[str, float]:
    took = sorted(1000 * (one.ended - one.sent) for one in asked if one.status == 200)
    return {
        name: round(took[int(share * (len(took) - 1))], 1) for name, share in (("p50", 0.5), ("p99", 0.99))
    }


def table(found: Mapping[str, Any]) -> str:
    """The figures for people."""
    columns = ("own_mib_first", "own_mib_last", "files_first", "files_last")
    lines = [f"| process | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    lines += [
        f"| {one['process']} | {' | '.join(str(one[name]) for name in columns)} |"
        for one in found["processes"]
    ]
    said = (
        f"{found['seconds']:g} s at {found['asked_per_s']} of {found['top_per_s']} requests/s, "
        f"statuses {found['statuses']}, {found['late_ms']} ms"
    )
    return "\n".join([*lines, said])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("lake", type=Path)
    parser.add_argument("--for", dest="lasts", default="1h", help="how long, as 90s, 5m, 1h")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    seconds = duration_s(options.lasts)
    if seconds is None:
        parser.error("--for: a duration above 0, such as 5m")
    found = soaked(options.lake, seconds)
    print(table(found))
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
