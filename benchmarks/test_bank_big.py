"""A million customers for a week, fifty million events: memory stays flat and the pace stays what it was."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from casper_ray.domain.time import CANONICAL_EPOCH, US_PER_DAY, sim_micros
from casper_ray.sim.window import window_of

EVENTS = 45_000_000
HALF_DAY_US = US_PER_DAY // 2


@dataclass(slots=True, kw_only=True)
class Watch:
    """What is seen of a run from outside: a line in `told` for each simulated half day.

    Files that were read more than a simulated day ago are taken out of the volumes, as an operator would: else a week
    of lines is thirty gigabytes.
    """

    pid: int
    catalog: Path
    told: Path
    begun_s: float = field(default_factory=time.monotonic)
    half_days: list[dict[str, Any]] = field(default_factory=list)
    peaks: dict[str, int] = field(default_factory=dict)

    def follow(self) -> None:
        """Until the process ends."""
        try:
            root = psutil.Process(self.pid)
            while root.is_running() and root.status() != psutil.STATUS_ZOMBIE:
                self._look(root)
                time.sleep(1)
        except psutil.NoSuchProcess:
            return

    def _look(self, root: psutil.Process) -> None:
        now = _resident(root)
        for name, mib in now.items():
            self.peaks[name] = max(self.peaks.get(name, 0), mib)
        status = self.catalog / "_casper" / "replay" / "status.json"
        if not status.exists():
            return
        said = json.loads(status.read_text())
        reached_us = sim_micros(datetime.fromisoformat(f"{said['simulated']}+00:00"))
        passed = int(reached_us - sim_micros(CANONICAL_EPOCH)) // HALF_DAY_US
        if passed > len(self.half_days):
            self._tell(passed, said["events"], now)
            self._clear(reached_us - US_PER_DAY)

    def _tell(self, passed: int, events: int, now: dict[str, int]) -> None:
        wall_s = time.monotonic() - self.begun_s
        before = self.half_days[-1] if self.half_days else {"wall_s": 0.0, "events": 0}
        row = {
            "half_days": passed,
            "wall_s": round(wall_s, 1),
            "events": events,
            "events_per_s": round((events - before["events"]) / (wall_s - before["wall_s"])),
            "mib": now,
            "all_mib": sum(now.values()),
        }
        self.half_days += [row] * (passed - len(self.half_days))
        with self.told.open("a") as lines:
            lines.write(json.dumps(row) + "\n")

    def _clear(self, before_us: int) -> None:
        for file in (self.catalog / "simulator").glob("*/*.json"):
            window = window_of(file.name)
            if window and window.to_us < before_us:
                file.unlink(missing_ok=True)


@pytest.mark.slow
def test_a_week_of_a_million_customers(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    """`--domain bank --scenario bank_large --speed max`: events a second by simulated half day, resident memory."""
    command = [sys.executable, "-m", "casper_ray.sim", "--domain", "bank", "--scenario", "bank_large"]
    command += ["--speed", "max", "--lake", str(tmp_path / "lake"), "--json", "--quiet"]
    output: list[str] = []
    watches: list[Watch] = []

    def run() -> None:
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        catalog = tmp_path / "lake" / "bank_dev"
        watches.append(Watch(pid=child.pid, catalog=catalog, told=tmp_path / "half-days.jsonl"))
        watching = threading.Thread(target=watches[0].follow)
        watching.start()
        output.append(child.communicate()[0])
        watching.join()
        assert child.returncode == 0

    benchmark.pedantic(run, rounds=1)
    summary = json.loads(output[0].splitlines()[-1])
    assert summary["events"] >= EVENTS
    days = [_pace(watches[0].half_days, day) for day in range(7)]
    benchmark.extra_info |= {
        "what": "a week of a million customers: pace of the last day / of the second",
        "goal": ">= 0.8, <= 3 GiB a process",
        "events": summary["events"],
        "events_per_s": summary["events_per_s"],
        "days_events_per_s": [round(pace) for pace in days],
        "half_days": watches[0].half_days,
        "peak_mib": watches[0].peaks,
        "ratio": days[-1] / days[1],
    }


def _resident(root: psutil.Process) -> dict[str, int]:
    """MiB of the driver and of each of Ray's processes that does work of ours."""
    found = {}
    for process in [root, *root.children(recursive=True)]:
        try:
            name = "driver" if process.pid == root.pid else process.cmdline()[0]
            if name == "driver" or name.startswith("ray::"):
                key = name if name == "driver" else f"worker {process.pid}"
                found[key] = process.memory_info().rss >> 20
        except (psutil.NoSuchProcess, psutil.ZombieProcess, IndexError):
            continue
    return found


def _pace(half_days: list[dict[str, Any]], day: int) -> float:
    """Events a second over a day; the last ends with the run's last mark."""
    begun = half_days[2 * day - 1] if day else {"wall_s": 0.0, "events": 0}
    ended = half_days[min(2 * day + 1, len(half_days) - 1)]
    return float((ended["events"] - begun["events"]) / (ended["wall_s"] - begun["wall_s"]))
