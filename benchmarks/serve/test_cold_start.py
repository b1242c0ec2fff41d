"""From nothing to the first answer: `casper serve` against what Ray alone takes to start."""

from __future__ import annotations

import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

import yaml
from conftest import ENVIRONMENT, run_sim
from pytest_benchmark.fixture import BenchmarkFixture

from casper_ray.config_files import configs_dir
from casper_ray.serve.deploy import answers
from casper_ray.serve.front import free_ports

ROUNDS = 5
LOOK_S = 0.02
_RAY = "import ray; ray.init(log_to_driver=False, include_dashboard={}); print('up', flush=True); input()"


def ray_s(*, dashboard: bool) -> float:
    """Seconds from starting a process to when its `ray.init` has returned."""
    begun = time.monotonic()
    with subprocess.Popen(
        [sys.executable, "-c", _RAY.format(dashboard)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=ENVIRONMENT,
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stdout.readline() == b"up\n"
        took = time.monotonic() - begun
        process.stdin.close()
    return took


def serve_s(target: Path, lake: Path) -> float:
    """Seconds from starting `casper serve` to the first 200."""
    url = f"http://127.0.0.1:{yaml.safe_load(target.read_text())['http_options']['port']}"
    command = (str(Path(sys.executable).with_name("casper")), "serve", "-t", str(target), "--lake", str(lake))
    begun = time.monotonic()
    process = subprocess.Popen([*command, "--quiet"], env=ENVIRONMENT)
    try:
        while not answers(url):
            assert process.poll() is None
            time.sleep(LOOK_S)
        return time.monotonic() - begun
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def test_cold_start(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    """The policy application over a lake of ten days, and in turns Ray alone: from the start of a process on."""
    run_sim(tmp_path, "--start-day", "10", "--trigger", "available-now")
    target = _refund_target(tmp_path)
    took: dict[str, list[float]] = {"serve_s": [], "ray_init_s": [], "without_dashboard_s": []}

    def each() -> None:
        took["ray_init_s"].append(ray_s(dashboard=True))
        took["without_dashboard_s"].append(ray_s(dashboard=False))
        took["serve_s"].append(serve_s(target, tmp_path))

    def served_over(other: str) -> float:
        return statistics.median(a / b for a, b in zip(took["serve_s"], took[other], strict=True))

    benchmark.pedantic(each, rounds=ROUNDS)
    assert served_over("without_dashboard_s") > 1, "it starts a Ray too: somebody else answered on its port"
    benchmark.extra_info |= {
        "what": "casper serve, policy engine: from nothing to the first 200, against ray.init",
        "goal": "<= 2",
        "ratio": served_over("ray_init_s"),
        "over_ray_without_dashboard": served_over("without_dashboard_s"),
        **took,
    }


def _refund_target(folder: Path) -> Path:
    """The refund agent alone: the lake has no complaints."""
    raw = yaml.safe_load((configs_dir() / "serve" / "local.yml").read_text())
    raw["http_options"]["port"] = free_ports(1)[0]
    raw["applications"][0]["args"]["agents"] = {"refund": {}}
    target = folder / "refund.yml"
    target.write_text(yaml.safe_dump(raw))
    return target
