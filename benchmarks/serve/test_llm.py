"""The model behind our door beside vLLM's own server: the same model, arguments and requests, in turn.

Runs where a vLLM is (`make bench-vllm`). Each server is started by itself: two engines would share the processors.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvloop
from conftest import ENVIRONMENT, run_sim
from load import closed_loop, figures, request_bytes
from pytest_benchmark.fixture import BenchmarkFixture
from served import free_port, serving

from casper_ray.serve.llm.tiny_llama import write_tiny_llama

pytestmark = pytest.mark.vllm

START_S = 300.0
NAME = "model"
GOALS = {1: 0.7, 16: 0.85, 64: 0.85}
SHAPES: dict[str, dict[str, int]] = {
    "small": {
        "hidden_size": 576,
        "intermediate_size": 1_536,
        "num_hidden_layers": 30,
        "num_attention_heads": 9,
        "num_key_value_heads": 3,
    },
    "tiny": {},
}
"""small: layers as those of SmolLM-135M, one of the smallest models of any use. tiny: a model that costs nothing; all
there is to see then is what is around it.
"""
SECONDS = {"small": {1: 40.0, 16: 40.0, 64: 60.0}, "tiny": {1: 20.0, 16: 20.0, 64: 30.0}}
ORDER = ("vllm", "door", "door", "vllm")
COMPANY = (0, 1, 2) * 3
BURST_S, REST_S = 0.0008, 0.0047
"""About what a door takes of a processor at 60 requests a second, and as it takes it: 15 %, in pieces."""
PROMPTS = 256
ENGINE: dict[str, Any] = {
    "max_model_len": 2_048,
    "enforce_eager": True,
    "dtype": "float32",
    "structured_outputs_config": {"backend": "xgrammar", "disable_any_whitespace": True},
}
ANSWER = {
    "type": "object",
    "properties": {
        "outcome": {"type": "string", "enum": ["refund", "partial", "none", "escalate"]},
        "usd": {"type": "number", "minimum": 0, "maximum": 50},
        "reason": {"type": "string", "maxLength": 60},
    },
    "required": ["outcome", "usd", "reason"],
    "additionalProperties": False,
}
Measured = dict[str, dict[int, list[float]]]


@pytest.fixture(scope="module", params=SHAPES)
def measured(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Measured]:
    """A model's name, and requests a second by server and connections: a figure for each start of a server."""
    folder, model = tmp_path_factory.mktemp("llm"), str(request.param)
    write_tiny_llama(folder / "model", **SHAPES[model])
    found: Measured = {name: {connections: [] for connections in GOALS} for name in ("door", "vllm")}
    for number, name in enumerate(ORDER):
        place = folder / str(number)
        place.mkdir()
        server = _our_door if name == "door" else _vllms_own
        with server(folder / "model", place) as (port, key):
            for connections in GOALS:
                per_s = _per_s(port, key, connections, SECONDS[model][connections])
                found[name][connections].append(per_s)
    return model, found


@pytest.mark.parametrize("connections", GOALS)
def test_llm_path(benchmark: BenchmarkFixture, measured: tuple[str, Measured], connections: int) -> None:
    model, of = measured
    door, vllm = (of[name][connections] for name in ("door", "vllm"))
    ratio = statistics.mean(door) / statistics.mean(vllm)
    benchmark.pedantic(lambda: None, rounds=1)
    benchmark.extra_info.update(
        what=f"requests/s of a {model} model behind the door / vLLM's own server, {connections} at once",
        goal=f"≥ {GOALS[connections]} (aim 0.95)",
        ratio=ratio,
        door_per_s=door,
        vllm_per_s=vllm,
    )
    assert model == "tiny" or ratio >= GOALS[connections], (
        "tiny is for insight: benchmarks/README.md says why"
    )


def test_company(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    """What any process beside it takes from vLLM's own server, where a model costs nothing and processors are few.

    Its two processes wait for each other by spinning, so there is no idle time that a door could use.
    """
    write_tiny_llama(tmp_path / "model")
    found: dict[int, list[float]] = {count: [] for count in set(COMPANY)}
    with _vllms_own(tmp_path / "model", tmp_path) as (port, key):
        _per_s(port, key, 16, SECONDS["tiny"][16])
        for count in COMPANY:
            with _company(count):
                found[count].append(_per_s(port, key, 16, SECONDS["tiny"][16]))
    alone, beside_one, beside_two = (statistics.median(found[count]) for count in sorted(found))
    benchmark.pedantic(lambda: None, rounds=1)
    benchmark.extra_info.update(
        what="requests/s of vLLM's own server beside a bursty process / alone, 16 at once",
        ratio=beside_one / alone,
        ratio_beside_two=beside_two / alone,
        per_s=found,
    )
    assert beside_two < alone, "company takes nothing here: then it is no reason for what the door shows"


@contextmanager
def _company(count: int) -> Iterator[None]:
    program = Path(__file__).with_name("bursts.py")
    command = [sys.executable, str(program), str(BURST_S), str(REST_S)]
    processes = [subprocess.Popen(command) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _per_s(port: int, key: str, connections: int, seconds: float) -> float:
    """Requests answered a second, once warm. All answers are whole."""
    seen = uvloop.run(closed_loop(port, _requests(key), connections, seconds))
    found = figures(seen, seconds)
    assert set(found["statuses"]) == {"200"}, found
    return float(found["per_s"])


def _requests(key: str) -> Iterator[bytes]:
    headers = {"Authorization": f"Bearer {key}"}
    schema = {"name": "Answer", "schema": ANSWER, "strict": True}
    return cycle(
        request_bytes(
            "POST",
            "/v1/chat/completions",
            json.dumps(
                {
                    "model": NAME,
                    "messages": [
                        {"role": "user", "content": f"Order {number} came {number % 90} minutes late"}
                    ],
                    "response_format": {"type": "json_schema", "json_schema": schema},
                    "max_tokens": 120,
                    "temperature": 0.0,
                }
            ).encode(),
            headers,
        )
        for number in range(PROMPTS)
    )


@contextmanager
def _our_door(model: Path, folder: Path) -> Iterator[tuple[int, str]]:
    lake = folder / "lake"
    run_sim(lake, "--days", "2", "--start-day", "1", "--trigger", "available-now")  # a door has a lake
    llm = {"name": NAME, "source": str(model), "device": "cpu", "engine": ENGINE}
    with serving(lake, folder, agents={}, door={"replicas": [1, 1]}, llm=llm) as served:
        port = int(served.url.rpartition(":")[2])
        _wait_for_answer(port, served.key)  # the door is ready before the engine is
        yield port, served.key


@contextmanager
def _vllms_own(model: Path, folder: Path) -> Iterator[tuple[int, str]]:
    port, key = free_port(), "sk-of-this-benchmark"
    arguments = {**ENGINE, "structured_outputs_config": json.dumps(ENGINE["structured_outputs_config"])}
    command = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", str(model)]
    command += ["--served-model-name", NAME, "--host", "127.0.0.1", "--port", str(port), "--api-key", key]
    command += ["--disable-uvicorn-access-log"]
    for name, value in arguments.items():
        command += [f"--{name.replace('_', '-')}", *([] if value is True else [str(value)])]
    environment = {**ENVIRONMENT, "VLLM_CPU_KVCACHE_SPACE": "1", "HF_HUB_OFFLINE": "1"}
    with (folder / "vllm.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        try:
            _wait_for(port, process, folder / "vllm.log")
            yield port, key
        finally:
            process.terminate()
            process.wait(60)


def _wait_for_answer(port: int, key: str) -> None:
    until_s, headers = time.monotonic() + START_S, {"Authorization": f"Bearer {key}"}
    asked = {"model": NAME, "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 1}
    with httpx2.Client(trust_env=False, timeout=60.0, headers=headers) as client:
        while client.post(f"http://127.0.0.1:{port}/v1/chat/completions", json=asked).status_code != 200:
            assert time.monotonic() < until_s, "the model does not answer"
            time.sleep(0.5)


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until_s = time.monotonic() + START_S
    with httpx2.Client(trust_env=False) as client:
        while time.monotonic() < until_s:
            assert process.poll() is None, log.read_text()[-3000:]
            try:
                if client.get(f"http://127.0.0.1:{port}/health").status_code == 200:
                    return
            except httpx2.HTTPError:
                pass
            time.sleep(0.5)
    raise AssertionError(log.read_text()[-3000:])
