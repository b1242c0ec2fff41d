"""Blocks over Ray Data: one row a block, one task a row, results as they come. Without a Ray, one after the other."""

from __future__ import annotations

import io
import logging
import pickle
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import ray

from casper_ray.errors import CasperError
from casper_ray.lakehouse.data_file import DataFile, Part, write_parts
from casper_ray.medallion.one_pass import BlockResult, BlockTask, run_block

_MANY_PARTS, _SHARE_PARTS = 48, 24


def run_blocks(tasks: Sequence[BlockTask]) -> Iterator[BlockResult]:
    """The results of `run_block`, in no particular order; done here where this process has no Ray.

    Raises: what `run_block` raised (CasperError, OSError), as if it had run here.
    """
    if not tasks:
        return
    if not ray.is_initialized():
        yield from map(run_block, tasks)
        return
    _configure()
    # The largest first: what runs last is then small, and no worker waits long for another.
    ordered = sorted(tasks, key=lambda task: -sum(piece.stop - piece.start for piece in task.slices))
    rows = ray.data.from_items([_dumps(task) for task in ordered], override_num_blocks=len(tasks))
    done = rows.map_batches(_run_batch, batch_size=1, zero_copy_batch=True)
    for batch in done.iter_batches(batch_size=1, prefetch_batches=0):
        for result in batch["result"]:
            found = pickle.loads(result)  # noqa: S301 - made by our own worker, a moment ago
            if isinstance(found, BaseException):
                raise found
            yield found


def write_anywhere(parts: Sequence[Part], root: Path, stats: tuple[str, ...]) -> list[DataFile]:
    """`write_parts`; many of them by the workers, who have nothing to do while a batch is committed.

    A small file is the interpreter's work, and threads of one process would do them one after the other.
    """
    if len(parts) < _MANY_PARTS or not ray.is_initialized():
        return write_parts(parts, root, stats)
    shares = [parts[start : start + _SHARE_PARTS] for start in range(0, len(parts), _SHARE_PARTS)]
    files: list[DataFile] = []
    for written in ray.get([_write_share.remote(share, root, stats) for share in shares]):
        if isinstance(written, BaseException):
            raise written
        files += written
    return files


@ray.remote
def _write_share(parts: Sequence[Part], root: Path, stats: tuple[str, ...]) -> list[DataFile] | OSError:
    try:
        return write_parts(parts, root, stats)
    except OSError as error:  # Ray would wrap it
        return error


def warm_up(workers: int) -> None:
    """Have workers and Ray Data import what a batch needs, before there is one: that is most of a cold batch."""
    _configure()
    rows = ray.data.from_items([b""] * workers, override_num_blocks=workers)
    for _ in rows.map_batches(_run_batch, batch_size=1, zero_copy_batch=True).iter_batches(batch_size=1):
        pass
    ray.get([_write_share.remote([], Path(), ()) for _ in range(workers)])


def _run_batch(batch: dict[str, Any]) -> dict[str, Any]:
    tasks = [pickle.loads(task) for task in batch["item"] if task]  # noqa: S301 - made by our own driver
    results = [_dumps(_attempt(task)) for task in tasks]
    return {"result": np.array(results, dtype=object)}


class _Pickler(pickle.Pickler):
    """Frames as uncompressed Arrow: polars' own pickling took six times as long for partial aggregates."""

    def reducer_override(self, value: Any) -> Any:
        if not isinstance(value, pl.DataFrame):
            return NotImplemented
        buffer = io.BytesIO()
        value.write_ipc(buffer, compression="uncompressed")
        return pl.read_ipc, (buffer.getvalue(),)


def _dumps(value: object) -> bytes:
    buffer = io.BytesIO()
    _Pickler(buffer, pickle.HIGHEST_PROTOCOL).dump(value)
    return buffer.getvalue()


def _attempt(task: BlockTask) -> BlockResult | CasperError | OSError:
    """The block's result, or the error that stopped it: of one that is raised, Ray Data keeps only the text."""
    try:
        return run_block(task)
    except (CasperError, OSError) as error:
        return error


def _configure() -> None:
    """Ray Data for this job: silent, for its progress would be in the way of ours; and without the reservation of
    resources per operator, which with one operator only keeps processors idle (16 naps of 0.2 s on two
    processors took 3.6 s with it, 1.9 s without).
    """
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.enable_operator_progress_bars = False
    context.op_resource_reservation_enabled = False
    context.memory_usage_poll_interval_s = None
    logging.getLogger("ray.data").setLevel(logging.ERROR)
