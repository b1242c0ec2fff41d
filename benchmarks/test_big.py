"""Forty million events: memory stays flat and the pace stays what it was."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

EVENTS = 40_000_000


@pytest.mark.slow
def test_forty_million_events(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    """`--scenario big --speed max`: peak resident memory of the driver and of each worker; events a second in the
    first and the last tenth, from the replay's own status.
    """
    marks: list[tuple[float, int]] = []
    peaks: dict[str, int] = {}
    command = [sys.executable, "-m", "casper_ray.sim", "--scenario", "big", "--speed", "max"]
    command += ["--lake", str(tmp_path), "--json", "--quiet"]
    output: list[str] = []

    def run() -> None:
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        watching = threading.Thread(target=_watch, args=(child.pid, tmp_path, marks, peaks))
        watching.start()
        output.append(child.communicate()[0])
        watching.join()
        assert child.returncode == 0

    benchmark.pedantic(run, rounds=1)
    summary = json.loads(output[0].splitlines()[-1])
    assert summary["events"] >= EVENTS
    tenth = summary["events"] / 10
    first = _pace(marks, tenth, 2 * tenth)
    last = _pace(marks, 9 * tenth, 10 * tenth)
    benchmark.extra_info |= {
        "what": "40 million events: pace of the last tenth / of the second (the first holds the start)",
        "goal": "within 15 %, and <= 2 GiB a process",
        "events": summary["events"],
        "events_per_s": summary["events_per_s"],
        "first_tenth_events_per_s": round(_pace(marks, 0, tenth)),
        "tenths_events_per_s": [round(_pace(marks, i * tenth, (i + 1) * tenth)) for i in range(10)],
        "peak_mib": {name: peak >> 20 for name, peak in sorted(peaks.items())},
        "ratio": last / first,
    }


def _watch(pid: int, lake: Path, marks: list[tuple[float, int]], peaks: dict[str, int]) -> None:
    """Until the process ends: its progress, and the resident memory of it and of Ray's workers under it."""
    status = lake / "caspers" / "_casper" / "replay" / "status.json"
    try:
        root = psutil.Process(pid)
        while root.is_running() and root.status() != psutil.STATUS_ZOMBIE:
            if status.exists():
                marks.append((time.monotonic(), json.loads(status.read_text())["events"]))
            for process in [root, *root.children(recursive=True)]:
                _note_peak(process, root.pid, peaks)
            time.sleep(0.5)
    except psutil.NoSuchProcess:
        return


def _note_peak(process: psutil.Process, driver: int, peaks: dict[str, int]) -> None:
    try:
        name = "driver" if process.pid == driver else process.cmdline()[0].split()[0][:40]
        if name == "driver" or name.startswith("ray::"):
            key = name if name == "driver" else f"worker {process.pid}"
            peaks[key] = max(peaks.get(key, 0), process.memory_info().rss)
    except (psutil.NoSuchProcess, psutil.ZombieProcess, IndexError):
        return


def _pace(marks: list[tuple[float, int]], low: float, high: float) -> float:
    """Events a second between two counts, by the marks nearest to them."""
    inside = [mark for mark in marks if low <= mark[1] <= high]
    if len(inside) < 2:
        return float("nan")
    return (inside[-1][1] - inside[0][1]) / (inside[-1][0] - inside[0][0])
