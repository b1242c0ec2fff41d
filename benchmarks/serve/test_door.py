"""What the door costs beside bare uvicorn: an authenticated echo, and decisions that are durable before their 200."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import psutil
import pytest
from conftest import ENVIRONMENT
from pytest_benchmark.fixture import BenchmarkFixture

from casper_ray.lakehouse.names import Catalog

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
from served import Served, cases_of, free_port, serving  # noqa: E402  # beside this file

CONNECTIONS, SECONDS, ROUNDS = 32, 6.0, 3
ONE = {"replicas": [1, 1]}
PARTS = {
    "door": "ray::ServeReplica:casper:Door",
    "proposer": "ray::ServeReplica:casper:Proposer",
    "keeper": "ray::ServeReplica:casper:Keeper",
    "haproxy": "haproxy",
    "controller": "ray::ServeController",
}


@pytest.fixture(scope="module")
def bare_port() -> Iterator[int]:
    """The echo's handler on bare uvicorn."""
    port = free_port()
    process = subprocess.Popen([sys.executable, str(HERE / "bare.py"), str(port)], env=ENVIRONMENT)
    time.sleep(3)
    yield port
    process.terminate()
    process.wait()


@pytest.fixture(scope="module")
def served(
    built: tuple[Catalog, dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Served, Path]]:
    """The application over the 90 days, one of everything, as it is fastest on two processors; a file of cases."""
    catalog, folder = built[0], tmp_path_factory.mktemp("served")
    shutil.rmtree(catalog.table("agents", "decisions"), ignore_errors=True)
    cases = folder / "cases"
    cases.write_text("\n".join(cases_of(catalog)))
    with serving(catalog.lake, folder, agents={"refund": ONE}, door=ONE) as started:
        yield started, cases


def load(port: int, kind: str, seconds: float, *more: object) -> dict[str, Any]:
    """The figures of load.py."""
    command = [sys.executable, HERE / "load.py", port, kind, CONNECTIONS, seconds, *more]
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, env=ENVIRONMENT, check=True
    )
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def processor_s(served: Served) -> dict[str, float]:
    """What each part has used so far."""
    found = dict.fromkeys(PARTS, 0.0)
    for child in psutil.Process(served.process.pid).children(recursive=True):
        title = " ".join(child.cmdline())
        for part, sign in PARTS.items():
            if title.startswith(sign) or (part == "haproxy" and child.name() == sign):
                found[part] += sum(child.cpu_times()[:2])
    return found


def held_against_bare(
    benchmark: BenchmarkFixture, bare_port: int, started: Served, *asked: object, rounds: int
) -> dict[str, Any]:
    """Both, in turns: medians of requests/s and p99, and microseconds of processor a request by part."""
    bare, ours = [], []
    port = int(started.url.rsplit(":", 1)[1])
    before = processor_s(started)

    def both() -> None:
        bare.append(load(bare_port, "echo", SECONDS))
        ours.append(load(port, *asked, "--key", started.key))  # type: ignore[arg-type]  # kind, seconds, more

    benchmark.pedantic(both, rounds=rounds)
    after = processor_s(started)
    answered = sum(sum(each["statuses"].values()) for each in ours) / 0.8  # load.py leaves its warm-up out
    assert {status for each in ours for status in each["statuses"]} == {"200"}
    return {
        "ratio": median_of(ours, "per_s") / median_of(bare, "per_s"),
        "p99_ratio": median_of(ours, "p99_ms") / median_of(bare, "p99_ms"),
        "per_s": [each["per_s"] for each in ours],
        "bare_per_s": [each["per_s"] for each in bare],
        "p99_ms": [each["p99_ms"] for each in ours],
        "bare_p99_ms": [each["p99_ms"] for each in bare],
        "processor_us_a_request": {
            part: round((after[part] - before[part]) / answered * 1e6) for part in PARTS
        },
    }


def median_of(figures: Sequence[dict[str, Any]], name: str) -> float:
    return median(each[name] for each in figures)


def test_echo(benchmark: BenchmarkFixture, bare_port: int, served: tuple[Served, Path]) -> None:
    """Proved, limited, answered: nothing else."""
    found = held_against_bare(benchmark, bare_port, served[0], "echo", SECONDS, rounds=ROUNDS)
    benchmark.extra_info |= {
        "what": f"an authenticated echo at {CONNECTIONS} connections, against bare uvicorn: requests/s",
        "goal": ">= 0.3, p99_ratio <= 6",
        **found,
    }


def test_decisions(benchmark: BenchmarkFixture, bare_port: int, served: tuple[Served, Path]) -> None:
    """A new case with every request, by the policy engine, from 90 days; kept and audited before its 200."""
    started, cases = served
    found = held_against_bare(
        benchmark, bare_port, started, "decide", 2 * SECONDS, "--subjects", cases, rounds=1
    )
    benchmark.extra_info |= {
        "what": f"a durable decision at {CONNECTIONS} connections, against bare uvicorn: requests/s",
        "goal": ">= 0.05 (aim 0.15), p99_ratio <= 20",
        **found,
    }
