"""Blocks over Ray Data: one row a turn of blocks, one task a row, results as they come. Without a Ray, one after the
other.
"""

from __future__ import annotations

import hashlib
import io
import logging
import pickle
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import ray

from casper_ray.errors import CasperError
from casper_ray.lakehouse.data_file import DataFile, Part, write_parts
from casper_ray.medallion.one_pass import BlockResult, BlockTask, run_in_turn
from casper_ray.medallion.references import Known

_MANY_PARTS, _SHARE_PARTS = 48, 24
_TURNS_A_WORKER = 2


def run_blocks(following: Sequence[Sequence[BlockTask]]) -> Iterator[BlockResult]:
    """The results of all blocks, in no particular order; done here where this process has no Ray.

    following: blocks that follow each other, of one source; all of them know the same of elsewhere.
    Raises: what a block raised (CasperError, OSError), as if it had run here.
    """
    following = [tasks for tasks in following if tasks]
    if not following:
        return
    if not ray.is_initialized():
        for tasks in following:
            yield from run_in_turn(tasks)
        return
    _configure()
    # The largest first: what runs last is then small, and no worker waits long for another.
    turns = sorted(_turns(following), key=lambda turn: -sum(map(_size_bytes, turn)))
    known = _dumps(following[0][0].known)
    rows = ray.data.from_items([_dumps(_bare(turn)) for turn in turns], override_num_blocks=len(turns))
    told = {"known": ray.put(known), "digest": hashlib.sha256(known).hexdigest()}
    done = rows.map_batches(_run_batch, batch_size=1, zero_copy_batch=True, fn_kwargs=told)
    for batch in done.iter_batches(batch_size=1, prefetch_batches=0):
        for results in batch["result"]:
            found = pickle.loads(results)  # noqa: S301 - made by our own worker, a moment ago
            if isinstance(found, BaseException):
                raise found
            yield from found


def _turns(following: Sequence[Sequence[BlockTask]]) -> Iterator[Sequence[BlockTask]]:
    """Blocks that follow each other cut into turns, a few for each processor: a worker that does one block after the
    other has seen what came before, and only the first of a turn may have to be done anew.
    """
    # Ray's own function has no types.
    workers = max(1, int(ray.cluster_resources().get("CPU", 1)))  # type: ignore[no-untyped-call]
    for tasks in following:
        size = max(1, len(tasks) // (_TURNS_A_WORKER * workers))
        yield from (tasks[start : start + size] for start in range(0, len(tasks), size))


def _size_bytes(task: BlockTask) -> int:
    return sum(piece.stop - piece.start for piece in task.slices)


def _bare(turn: Sequence[BlockTask]) -> list[BlockTask]:
    """The tasks without what all of a batch share, which goes to each worker once."""
    return [replace(task, known={}) for task in turn]


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


def _run_batch(batch: dict[str, Any], known: Any = None, digest: str = "") -> dict[str, Any]:
    turns = [pickle.loads(turn) for turn in batch["item"] if turn]  # noqa: S301 - made by our own driver
    results = [_dumps(_attempt(turn, _known(known, digest))) for turn in turns]
    return {"result": np.array(results, dtype=object)}


_KNOWN: dict[str, Known] = {}
"""What this worker was told last, by its digest: taking it in takes longer than a small block."""


def _known(known: Any, digest: str) -> Known:
    if digest not in _KNOWN:
        _KNOWN.clear()
        _KNOWN[digest] = pickle.loads(ray.get(known))  # noqa: S301 - made by our own driver
    return _KNOWN[digest]


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


def _attempt(turn: Sequence[BlockTask], known: Known) -> list[BlockResult] | CasperError | OSError:
    """The blocks' results, or the error that stopped one: of one that is raised, Ray Data keeps only the text."""
    try:
        return list(run_in_turn(replace(task, known=known) for task in turn))
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
