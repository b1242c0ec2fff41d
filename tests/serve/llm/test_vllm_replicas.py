"""Two replicas of a model: both answer, and where one engine is killed the other goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from pathlib import Path
from typing import Final

import httpx2
import psutil
import pytest
from served_llm import ENGINE, START_S, Door, serving

from casper_ray.lakehouse.names import existing_catalog
from casper_ray.serve.running import read_running
from casper_ray.serve.status import status_of

pytestmark = pytest.mark.vllm

SEEN_S: Final = 60.0
"""Within this nobody is sent to the dead engine any more; a replica is asked for its health every two seconds."""
IN_A_ROW: Final = 12
WORKED_S: Final = 0.1
"""Of a processor: much less than one request makes an engine's processes take, much more than they take idle."""


@pytest.fixture(scope="module")
def door(tiny_llama: Path, one_order: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    llm = {"name": "tiny", "source": str(tiny_llama), "device": "cpu", "engine": ENGINE, "replicas": [2, 2]}
    args = {
        "lake": str(one_order),
        "catalogs": {"kitchen": "caspers"},
        "agents": {},
        "door": {"replicas": [1, 1]},
        "llm": llm,
    }
    with serving(tmp_path_factory.mktemp("two"), args, model="tiny") as served:
        _until(lambda: _running(one_order) == 2, "a second replica")
        yield served


def test_both_answer_and_one_goes_on_without_the_other(door: Door) -> None:
    engines = door.engines()
    with door.client() as client:
        worked_s = [_worked_s(engine) for engine in engines]
        _until(
            lambda: _asked_together(client, 16) == {200} and _all_worked(engines, worked_s), "answers of both"
        )

        engines[0].kill()
        killed_s, told = time.monotonic(), list[int]()
        while not _in_a_row(told):
            assert time.monotonic() - killed_s < SEEN_S, told
            told.append(_asked(client, len(told)))
        print(
            f"\n{len(told) - IN_A_ROW} asked until all was well, {time.monotonic() - killed_s:.1f} s: {_runs(told)}"
        )
        assert set(told) <= {200, 503}
        _until(lambda: len(door.engines()) == 2, "the one that was killed")
        assert engines[1].is_running()
        assert engines[0].pid not in {engine.pid for engine in door.engines()}


def _running(lake: Path) -> int:
    """Replicas of the model that get requests. An engine's process is there long before."""
    status = status_of(read_running(existing_catalog(str(lake), "caspers").state / "serve.json"))
    return int(status["deployments"]["llm:tiny"]["running"])


def _asked(client: httpx2.Client, number: int) -> int:
    asked = {"model": "tiny", "messages": [{"role": "user", "content": f"Order {number}"}], "max_tokens": 8}
    return client.post("/v1/chat/completions", json=asked).status_code


def _asked_together(client: httpx2.Client, count: int) -> set[int]:
    with ThreadPoolExecutor(count) as threads:
        return set(threads.map(lambda number: _asked(client, number), range(count)))


def _in_a_row(told: list[int]) -> bool:
    return len(told) >= IN_A_ROW and set(told[-IN_A_ROW:]) == {200}


def _runs(told: list[int]) -> list[tuple[int, int]]:
    """Statuses, and how often one after the other."""
    return [(status, len(list(same))) for status, same in groupby(told)]


def _all_worked(engines: list[psutil.Process], before_s: list[float]) -> bool:
    return all(
        _worked_s(engine) > before + WORKED_S for engine, before in zip(engines, before_s, strict=True)
    )


def _worked_s(engine: psutil.Process) -> float:
    """Processor seconds, its workers' too."""
    every = [engine, *engine.children(recursive=True)]
    return float(sum(sum(one.cpu_times()[:2]) for one in every))


def _until(holds: Callable[[], bool], what: str) -> None:
    until_s = time.monotonic() + START_S
    while not holds():
        assert time.monotonic() < until_s, f"{what}: did not come"
        time.sleep(0.5)
