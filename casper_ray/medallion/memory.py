"""What the driver remembers of the rows before: made from the log table when a run begins, carried on from there.

Nothing is stored for it: the table that keeps every row is the memory, so it survives whatever that survives.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from casper_ray.domain.time import SimMicros, as_datetime
from casper_ray.lakehouse.names import Catalog
from casper_ray.lakehouse.read import scan
from casper_ray.medallion.admission import Recall, Seen, Verdict, judge, keys_of, same
from casper_ray.medallion.batch import Batch
from casper_ray.medallion.declare import ADMISSION, ADMITTED, BATCH_ID, KNOWN, Pipeline, Watermark
from casper_ray.medallion.one_pass import BlockResult


def watermark_of(pipeline: Pipeline) -> Watermark | None:
    """The pipeline's watermark, which one table at most declares."""
    return next((table.watermark for table in pipeline.tables if table.watermark), None)


@dataclass(frozen=True, slots=True)
class Memory:
    """What the log table has of the batches before `before_batch`, whose watermark stands at `watermark_us`."""

    catalog: Catalog
    pipeline: Pipeline
    watermark_us: int | None
    before_batch: int

    def since(self, since_us: int | None = None) -> Seen:
        """The admitted rows whose own time is not before `since_us`, or the watermark."""
        watermark = watermark_of(self.pipeline)
        oldest_us = self.watermark_us if since_us is None else since_us
        path = self.catalog.table(self.pipeline.schema, watermark.log) if watermark else None
        if watermark is None or path is None or oldest_us is None or not (path / "_delta_log").is_dir():
            return Seen(self.watermark_us)
        oldest = as_datetime(SimMicros(oldest_us))
        counted = scan(path).filter(
            pl.col(KNOWN) >= oldest, pl.col(BATCH_ID) < self.before_batch, pl.col(ADMISSION) == ADMITTED
        )
        rows = watermark.recalled(counted).filter(pl.col(watermark.time) >= oldest).collect()
        key, check = keys_of(rows[watermark.key])
        return Seen(self.watermark_us, key, check, rows[watermark.time].to_physical().to_numpy())


def accepts_late(batch: Batch) -> bool:
    """Whether late rows of any of its files count: then everything is remembered while it runs."""
    return any(read.late_accepted for read in batch.reads)


class BlockJudge:
    """Judges a batch's blocks in their order, whatever the order in which they come back.

    seen: what was remembered before the batch; afterwards, what is after it. `differing`: blocks that their workers
    judged otherwise, and the verdict that holds.
    """

    def __init__(self, batch: Batch, seen: Seen, recall: Recall | None) -> None:
        self.seen = seen._replace(keep=accepts_late(batch))
        self.differing: dict[int, Verdict] = {}
        self._lateness_us = batch.quality.lateness_us
        self._recall = recall if self.seen.keep else None
        self._recalled_us: int | None = None
        self._waiting: dict[int, BlockResult] = {}
        self._next = 0

    def add(self, result: BlockResult) -> None:
        """A block's result; judged once all blocks before it are."""
        self._waiting[result.block] = result
        while (ready := self._waiting.pop(self._next, None)) is not None:
            self._next += 1
            self._judge(ready)

    def after(self) -> Seen:
        """What to remember once the batch is over."""
        nothing = self.seen.key[:0]
        kept = self.seen._replace(keep=False)
        return kept.with_rows(nothing, nothing, self.seen.time_us[:0], kept.watermark_us)

    def _judge(self, result: BlockResult) -> None:
        if result.digest is None or self._lateness_us is None:
            return
        found = judge(
            result.digest,
            self.seen,
            self._lateness_us,
            recall=self._earlier if self._recall else None,
            unique=result.verdict is None,
        )
        self.seen = found.seen
        if not same(found.verdict, result.verdict):
            nothing_amiss = np.zeros(len(result.digest.key), np.uint8)
            self.differing[result.block] = nothing_amiss if found.verdict is None else found.verdict

    def _earlier(self, since_us: int) -> Seen:
        """What an earlier block did not recall yet: everything is kept, so no row is asked for twice."""
        until_us, recall = self._recalled_us, self._recall
        if recall is None or (until_us is not None and since_us >= until_us):
            return Seen()
        self._recalled_us = since_us
        found = recall(since_us)
        if until_us is None:
            return found
        new = found.time_us < until_us
        return found._replace(key=found.key[new], check=found.check[new], time_us=found.time_us[new])
