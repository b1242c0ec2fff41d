"""What the driver remembers of the rows before, of each source by itself: made from the log table when a run begins,
carried on from there.

Nothing is stored for it: the table that keeps every row is the memory, so it survives whatever that survives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import polars as pl

from casper_ray.domain.time import SimMicros, as_datetime
from casper_ray.lakehouse.names import Catalog
from casper_ray.lakehouse.read import scan
from casper_ray.medallion.admission import Recall, Seen, Verdict, judge, keys_of, same
from casper_ray.medallion.batch import Batch
from casper_ray.medallion.columns import ADMISSION, ADMITTED, BATCH_ID, KNOWN
from casper_ray.medallion.declare import Pipeline, Watermark
from casper_ray.medallion.one_pass import BlockResult

Remembered = Mapping[str, Seen]
"""What is remembered, by the name of the source."""

Recalling = Callable[[str, int], Seen]
"""Of a source, by name: see `admission.Recall`."""


def watermarks_of(pipeline: Pipeline) -> dict[str, Watermark]:
    """The watermarks by the name of the source; a source has one at most."""
    marked = {source.name: pipeline.marked(source) for source in pipeline.sources}
    return {name: table.watermark for name, table in marked.items() if table and table.watermark}


@dataclass(frozen=True, slots=True)
class Memory:
    """What the log tables have of the batches before `before_batch`; the sources' watermarks stand at `marks_us`."""

    catalog: Catalog
    pipeline: Pipeline
    marks_us: Mapping[str, int]
    before_batch: int

    def all(self) -> dict[str, Seen]:
        """Per source, the admitted rows whose own time is not before its watermark."""
        return {
            source: self.since(source, self.marks_us[source]) if source in self.marks_us else Seen()
            for source in watermarks_of(self.pipeline)
        }

    def since(self, source: str, oldest_us: int) -> Seen:
        """The source's admitted rows whose own time is not before an instant."""
        watermark, mark_us = watermarks_of(self.pipeline)[source], self.marks_us.get(source)
        path = self.catalog.table(self.pipeline.schema, watermark.log)
        if not (path / "_delta_log").is_dir():
            return Seen(mark_us)
        oldest = as_datetime(SimMicros(oldest_us))
        counted = scan(path).filter(
            pl.col(KNOWN) >= oldest, pl.col(BATCH_ID) < self.before_batch, pl.col(ADMISSION) == ADMITTED
        )
        rows = watermark.recalled(counted).filter(pl.col(watermark.time) >= oldest).collect()
        key, check = keys_of(rows[watermark.key])
        return Seen(mark_us, key, check, rows[watermark.time].to_physical().to_numpy())


def accepts_late(batch: Batch) -> bool:
    """Whether late rows of any of its files count: then everything is remembered while it runs."""
    return any(read.late_accepted for read in batch.reads)


@dataclass(slots=True)
class SourceJudge:
    """What is remembered of one source while its blocks are judged. recall: None where late rows do not count."""

    seen: Seen
    lateness_us: int
    recall: Recall | None
    recalled_us: int | None = field(default=None)

    def earlier(self, since_us: int) -> Seen:
        """What an earlier block did not recall yet: everything is kept, so no row is asked for twice."""
        until_us = self.recalled_us
        if self.recall is None or (until_us is not None and since_us >= until_us):
            return Seen()
        self.recalled_us = since_us
        found = self.recall(since_us)
        if until_us is None:
            return found
        new = found.time_us < until_us
        return found._replace(key=found.key[new], check=found.check[new], time_us=found.time_us[new])

    def after(self) -> Seen:
        """What to remember once the batch is over."""
        nothing = self.seen.key[:0]
        kept = self.seen._replace(keep=False)
        return kept.with_rows(nothing, nothing, self.seen.time_us[:0], kept.watermark_us)


class BlockJudge:
    """Judges a batch's blocks in their order, whatever the order in which they come back.

    seen: what was remembered before the batch, by source. `differing`: blocks that their workers judged otherwise,
    and the verdict that holds.
    """

    def __init__(self, pipeline: Pipeline, batch: Batch, seen: Remembered, recall: Recalling | None) -> None:
        keep = accepts_late(batch)
        self.differing: dict[int, Verdict] = {}
        self.sources = {
            source.name: SourceJudge(
                seen.get(source.name, Seen())._replace(keep=keep),
                batch.quality.lateness_us[marked.name],
                partial(recall, source.name) if recall and keep else None,
            )
            for source in pipeline.sources
            if (marked := pipeline.marked(source)) and marked.name in batch.quality.lateness_us
        }
        self._waiting: dict[int, BlockResult] = {}
        self._next = 0

    def add(self, result: BlockResult) -> None:
        """A block's result; judged once all blocks before it are."""
        self._waiting[result.block] = result
        while (ready := self._waiting.pop(self._next, None)) is not None:
            self._next += 1
            self._judge(ready)

    def after(self) -> dict[str, Seen]:
        """What to remember once the batch is over."""
        return {name: source.after() for name, source in self.sources.items()}

    def _judge(self, result: BlockResult) -> None:
        source = self.sources.get(result.source)
        if result.digest is None or source is None:
            return
        found = judge(
            result.digest,
            source.seen,
            source.lateness_us,
            recall=source.earlier if source.recall else None,
            unique=result.verdict is None,
        )
        source.seen = found.seen
        if not same(found.verdict, result.verdict):
            nothing_amiss = np.zeros(len(result.digest.key), np.uint8)
            self.differing[result.block] = nothing_amiss if found.verdict is None else found.verdict
