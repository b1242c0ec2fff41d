"""Each part killed under 200 requests a second, in a service of its own: at most 1 % of them fail."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

KILLS = Path(__file__).parents[3] / "benchmarks" / "serve" / "kills.py"
RATE, GAP_S = 200, 20


def test_killed_under_load_at_most_one_in_a_hundred_requests_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lake, report = tmp_path / "lake", tmp_path / "report.json"
    sim = (
        "-m",
        "casper_ray.sim",
        "--lake",
        str(lake),
        "--start-day",
        "18",
        "--trigger",
        "available-now",
        "--quiet",
    )
    subprocess.run([sys.executable, *sim], check=True, capture_output=True, timeout=600)
    kill = (
        str(KILLS),
        str(lake),
        "--rate",
        str(RATE),
        "--kills",
        "1",
        "--gap",
        str(GAP_S),
        "--json",
        str(report),
    )
    ended = subprocess.run([sys.executable, *kill], capture_output=True, text=True, timeout=900)
    found = json.loads(report.read_text())
    with capsys.disabled():
        print(f"\n{ended.stdout}")
    assert ended.returncode == 0, ended.stderr[-2000:]
    assert (found["twice"], found["lost"], found["errors_before_the_first_kill"]) == (0, 0, 0)
    for kind, fate in found["kinds"].items():
        assert fate["error_share"] <= 0.01, (kind, fate)
