"""Blocks over Ray Data: one row a block, one task a row, results as they come."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import ray
from ray.exceptions import RayTaskError

from casper_ray.errors import CasperError
from casper_ray.medallion.one_pass import BlockResult, BlockTask, run_block


def run_blocks(tasks: Sequence[BlockTask]) -> Iterator[BlockResult]:
    """The results of `run_block`, in no particular order.

    Raises: what `run_block` raised (CasperError, OSError), as if it had run here.
    """
    _quieten()
    rows = ray.data.from_items([pickle.dumps(task) for task in tasks], override_num_blocks=len(tasks))
    done = rows.map_batches(_run_batch, batch_size=1, zero_copy_batch=True)
    try:
        for batch in done.iter_batches(batch_size=1, prefetch_batches=0):
            for result in batch["result"]:
                yield pickle.loads(result)  # noqa: S301 - made by our own worker, a moment ago
    except RayTaskError as error:
        raise _cause(error) from error


def warm_up(workers: int) -> None:
    """Have workers and Ray Data import what a batch needs, before there is one: that is most of a cold batch."""
    _quieten()
    rows = ray.data.from_items([b""] * workers, override_num_blocks=workers)
    for _ in rows.map_batches(_run_batch, batch_size=1, zero_copy_batch=True).iter_batches(batch_size=1):
        pass


def _run_batch(batch: dict[str, Any]) -> dict[str, Any]:
    tasks = [pickle.loads(task) for task in batch["item"] if task]  # noqa: S301 - made by our own driver
    results = [pickle.dumps(run_block(task)) for task in tasks]
    return {"result": np.array(results, dtype=object)}


def _cause(error: BaseException) -> BaseException:
    """The first error of ours, or of the operating system, behind what Ray wrapped it in."""
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, (CasperError, OSError)) and not isinstance(found, RayTaskError):
            return found
        found = getattr(found, "cause", None) or found.__cause__
    return error


def _quieten() -> None:
    """Ray Data's own progress would be in the way of ours."""
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.enable_operator_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
