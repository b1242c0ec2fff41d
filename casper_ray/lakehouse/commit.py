"""The commit that happens once."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping

from casper_ray.errors import CommitConflictError
from casper_ray.failpoints import reach
from casper_ray.lakehouse.open_table import Change, OpenTable

_ATTEMPTS = 20


def commit_once(
    table: OpenTable,
    *,
    app: str,
    batch: int,
    change: Callable[[OpenTable], Change],
    note: dict[str, str] | None = None,
    beside: Mapping[str, int] | None = None,
) -> bool:
    """Commit `batch` of `app` to `table`; False if the table already has it.

    `change(table)` says which files come and go; it is asked again when another writer came in between
    (compaction, say), so it must look at `table.files` anew each time. beside: batches of other apps whose rows
    are in the same commit, each app's in order and by this one writer.

    Retry: safe, also after a crash at any point: the batch's number is in the same log entry as its
    files. Batches of one `app` must come in order.
    Raises: CommitConflictError where others kept committing for all the attempts.
    Source: Delta protocol, "Transaction Identifiers". The log records them and enforces nothing, so the
    look-up and the commit go through one handle: a version taken in between makes the commit fail.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        if table_has(table, app, batch):
            table.flush_newest()  # whoever committed it may have died before it was durable
            return False
        reach(f"commit.before:{table.path.name}")
        if table.try_commit(change(table), app=app, batch=batch, beside=beside or {}, note=note or {}):
            reach(f"commit.after:{table.path.name}")
            return True
        time.sleep(random.uniform(0, 0.01 * attempt))
        table.refresh()
    raise CommitConflictError(str(table.path), _ATTEMPTS)


def table_has(table: OpenTable, app: str, batch: int) -> bool:
    """Whether `batch` of `app`, or a later one, is in the table's log."""
    done = table.committed_batch(app)
    return done is not None and done >= batch
