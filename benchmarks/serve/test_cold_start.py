"""From nothing to the first answer: `casper serve` against what Ray alone takes to start."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from conftest import ENVIRONMENT, run_sim
from pytest_benchmark.fixture import BenchmarkFixture

ROUNDS = 3
_RAY_INIT = """
import time, json, ray
begun_s = time.monotonic()
ray.init(log_to_driver=False)
print(json.dumps({"ready_s": time.monotonic() - begun_s}))
ray.shutdown()
"""
_OUR_RAY = """
import time, json
from casper_ray.cluster import start_ray, stop_ray
from casper_ray.config import load_environment
begun_s = time.monotonic()
start_ray(load_environment())
print(json.dumps({"ready_s": time.monotonic() - begun_s}))
stop_ray()
"""


def seconds(*command: str) -> float:
    """`ready_s` of the JSON that a command prints last."""
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=True, timeout=600)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return float(found["ready_s"])


def test_cold_start(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    """Seconds to the first 200 of the policy application over a lake of ten days; in turns, `ray.init()` as it is by
    itself, and as we start it, without a dashboard.
    """
    run_sim(tmp_path, "--start-day", "10", "--trigger", "available-now")
    target = _refund_target(tmp_path)
    casper = str(Path(sys.executable).with_name("casper"))
    serve = (casper, "serve", "-t", target, "--lake", str(tmp_path), "--for", "1s", "--json", "--quiet")
    took: dict[str, list[float]] = {"serve_s": [], "ray_init_s": [], "our_ray_s": []}

    def each() -> None:
        took["ray_init_s"].append(seconds(sys.executable, "-c", _RAY_INIT))
        took["our_ray_s"].append(seconds(sys.executable, "-c", _OUR_RAY))
        took["serve_s"].append(seconds(*serve))

    def served_over(other: str) -> float:
        return statistics.median(a / b for a, b in zip(took["serve_s"], took[other], strict=True))

    benchmark.pedantic(each, rounds=ROUNDS)
    benchmark.extra_info |= {
        "what": "casper serve, policy engine: from nothing to the first 200, against ray.init()",
        "goal": "<= 2",
        "ratio": served_over("ray_init_s"),
        "over_our_ray": served_over("our_ray_s"),
        **took,
    }


def _refund_target(folder: Path) -> str:
    """The refund agent alone: the lake has no complaints."""
    import yaml

    from casper_ray.config_files import configs_dir
    from casper_ray.serve.front import free_ports

    raw = yaml.safe_load((configs_dir() / "serve" / "local.yml").read_text())
    raw["http_options"]["port"] = free_ports(1)[0]
    raw["applications"][0]["args"]["agents"] = {"refund": {}}
    target = folder / "refund.yml"
    target.write_text(yaml.safe_dump(raw))
    return str(target)
