"""Proposals on very many cases, by Ray's workers: a row a chunk of cases, which come back in order.

Workers only propose: each opens the store at the same batch. The driver judges, with one ledger, in one order.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from casper_ray.agents.agent import Agent
from casper_ray.agents.decision import Decider
from casper_ray.agents.ledger import Ledger
from casper_ray.agents.registry import load_agent
from casper_ray.cluster import start_ray, stop_ray
from casper_ray.config import Environment, load_environment
from casper_ray.errors import CasperError
from casper_ray.lakehouse.names import Catalog

MANY_CASES: Final = 100_000
"""Below this the start of Ray costs more than its workers save."""
CHUNK: Final = 25_000


@contextmanager
def cluster(environment: Environment | None) -> Iterator[None]:
    """A Ray for the block's time: this process's, where it has one; else one by `environment`, ended after."""
    import ray

    if ray.is_initialized():
        yield
        return
    start_ray(environment or load_environment())
    try:
        yield
    finally:
        stop_ray()


def propose_in_bulk(
    decider: Decider, catalog: Catalog, batch: int, cases: pl.DataFrame, *, chunk: int = CHUNK
) -> pl.DataFrame:
    """What `Decider.propose` returns for `cases`, made by Ray Data's workers.

    batch: the store's. Raises: what a worker raised. Needs a Ray that this process is connected to.
    """
    import ray

    _quiet()
    work = (decider.agent.name, decider.rules, decider.engine, str(catalog.lake), catalog.name, batch)
    tasks = [
        {"number": number, "task": pickle.dumps((*work, _ipc(part)))}
        for number, part in enumerate(cases.iter_slices(chunk))
    ]
    rows = ray.data.from_items(tasks, override_num_blocks=len(tasks))
    done = rows.map_batches(_run_batch, batch_size=1, zero_copy_batch=True)
    found: dict[int, pl.DataFrame] = {}
    for made in done.iter_batches(batch_size=1, prefetch_batches=0):
        for number, result in zip(made["number"], made["result"], strict=True):
            frame = pickle.loads(result)  # noqa: S301 - made by our own worker, a moment ago
            if isinstance(frame, BaseException):
                raise frame
            found[int(number)] = pl.read_ipc(frame)
    return pl.concat(found[number] for number in range(len(tasks)))


def _run_batch(batch: dict[str, Any]) -> dict[str, Any]:
    results = [pickle.dumps(_attempt(task)) for task in batch["task"]]
    return {"number": batch["number"], "result": np.array(results, dtype=object)}


def _attempt(task: bytes) -> bytes | CasperError | OSError:
    """The proposals, or the error that stopped them: of one that is raised, Ray Data keeps only the text."""
    try:
        return _ipc(_proposed(task))
    except (CasperError, OSError) as error:
        return error


def _proposed(task: bytes) -> pl.DataFrame:
    name, rules, engine, lake, catalog, batch, cases = pickle.loads(task)  # noqa: S301 - made by our own driver
    agent = load_agent(name)
    decider = Decider(agent=agent, rules=rules, version="", engine=engine, ledger=Ledger())
    return decider.propose(_store(agent, lake, catalog, batch), pl.read_ipc(cases))


@lru_cache(maxsize=1)
def _store(agent: Agent, lake: str, catalog: str, batch: int) -> Any:
    """Kept by the worker from chunk to chunk."""
    return agent.open_store(Catalog(Path(lake), catalog), batch)


def _ipc(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_ipc(buffer, compression="uncompressed")
    return buffer.getvalue()


def _quiet() -> None:
    """Ray Data without progress of its own, which would be in the way of ours."""
    import logging

    import ray

    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.enable_operator_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
