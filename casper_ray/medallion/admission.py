"""Which rows of the source count: each key once, and none behind the watermark. Pure.

Rows are judged in the order in which they came: files in the order of their batches, lines in the order of their
file. The watermark moves between files (slices of them, where a file is large), never within one, and nothing else
is looked at: so however files are put together into batches and blocks, and whether they come one by one or all
anew in a refresh, each row is judged alike.

A block is judged twice. Its worker judges it as far as it can see, and works with that; the driver, who sees the
blocks in order, judges it again. Where they differ, the worker does the block anew with the driver's word.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

Longs = NDArray[np.int64]
Keys = NDArray[np.uint64]
Verdict = NDArray[np.uint8]

ADMITTED, DUPLICATE, LATE = 0, 1, 2
"""What a verdict says of a row."""

ENDLESS_US = np.iinfo(np.int64).max
_NEVER_US = np.iinfo(np.int64).min
_SEEDS = (0x5EED_0001, 0x5EED_0002)
_NO_KEYS = np.empty(0, np.uint64)
_NO_TIMES = np.empty(0, np.int64)


class Digest(NamedTuple):
    """What it takes to judge a block's rows.

    key, check: together 128 bits that stand for a row's key. time_us: the row's own time. heights: rows of each piece
    of a file, in order. landed_us: per piece, the instant up to which its times can move the watermark. accepted:
    per piece, whether its late rows count all the same.
    """

    key: Keys
    check: Keys
    time_us: Longs
    heights: Longs
    landed_us: Longs
    accepted: NDArray[np.bool_]


class Seen(NamedTuple):
    """What is remembered of the rows before. watermark_us: None before the first row.

    Holds the rows at or after the watermark; with `keep`, all of them: late rows that are to count are compared
    with everything.
    """

    watermark_us: int | None = None
    key: Keys = _NO_KEYS
    check: Keys = _NO_KEYS
    time_us: Longs = _NO_TIMES
    keep: bool = False

    def with_rows(self, key: Keys, check: Keys, time_us: Longs, watermark_us: int | None) -> Self:
        """This, and rows that were admitted; what the watermark has passed is forgotten."""
        parts = zip((self.key, self.check, self.time_us), (key, check, time_us), strict=True)
        keys, checks, times = (np.concatenate(pair) for pair in parts)
        if not self.keep and watermark_us is not None:
            young = times >= watermark_us
            keys, checks, times = keys[young], checks[young], times[young]
        return self._replace(watermark_us=watermark_us, key=keys, check=checks, time_us=times)


class Judgement(NamedTuple):
    """A block's rows judged, and what is remembered after it. verdict: per row; None where all are admitted."""

    verdict: Verdict | None
    seen: Seen


Recall = Callable[[int], Seen]
"""The admitted rows of earlier batches whose time is not before an instant. Asked for where late rows count."""


def keys_of(texts: pl.Series) -> tuple[Keys, Keys]:
    """128 bits a key, in two halves; the same in every process of one version of polars. They are never stored."""
    return texts.hash(_SEEDS[0]).to_numpy(), texts.hash(_SEEDS[1]).to_numpy()


def judge(
    digest: Digest,
    seen: Seen,
    lateness_us: int,
    *,
    recall: Recall | None = None,
    unique: bool = False,
) -> Judgement:
    """The verdict on a block that comes after all that was `seen`.

    recall: see there; without it, late rows that are to count are compared with what is at hand.
    unique: the block's keys are known to differ from each other, which saves looking.
    """
    marks = watermarks(digest, seen.watermark_us, lateness_us)
    late = _late(digest, marks)
    unique = unique and late is None  # who knew that had not known that some are late
    if late is not None and digest.accepted.any():
        taken = late & np.repeat(digest.accepted, digest.heights)
        if recall and taken.any():
            seen = _extended(seen, recall(int(digest.time_us[taken].min()) - lateness_us))
        late = late & ~taken if (late & ~taken).any() else None
    duplicate = _duplicate(digest, seen, late, unique, lambda: _horizons(digest, marks, lateness_us))
    verdict = _verdict(len(digest.key), duplicate, late)
    last = int(marks[-1])
    counted = slice(None) if verdict is None else verdict == ADMITTED
    return Judgement(
        verdict,
        seen.with_rows(
            digest.key[counted],
            digest.check[counted],
            digest.time_us[counted],
            None if last == _NEVER_US else last,
        ),
    )


def watermarks(digest: Digest, before_us: int | None, lateness_us: int) -> Longs:
    """The watermark before each piece, and after the last; it never goes back."""
    newest = np.full(len(digest.heights), _NEVER_US)
    filled = np.flatnonzero(digest.heights)
    if filled.size:
        starts = (np.cumsum(digest.heights) - digest.heights)[filled]
        highest = np.maximum.reduceat(digest.time_us, starts)
        newest[filled] = np.minimum(highest, digest.landed_us[filled]) - lateness_us
    first = _NEVER_US if before_us is None else before_us
    return np.maximum.accumulate(np.concatenate([[first], newest]).astype(np.int64))


def same(one: Verdict | None, other: Verdict | None) -> bool:
    """Whether two verdicts say the same of every row."""
    if one is None or other is None:
        return one is other
    return bool(np.array_equal(one, other))


def _late(digest: Digest, marks: Longs) -> NDArray[np.bool_] | None:
    late = digest.time_us < np.repeat(marks[:-1], digest.heights)
    return late if late.any() else None


def _horizons(digest: Digest, marks: Longs, lateness_us: int) -> Longs:
    """Per row, how far back admitted rows are compared with it: to the watermark; for a row behind that, which is to
    count all the same, to where the watermark would have stood at the row's own time.
    """
    mark = np.repeat(marks[:-1], digest.heights)
    return np.where(digest.time_us < mark, digest.time_us - lateness_us, mark)


def _duplicate(
    digest: Digest,
    seen: Seen,
    late: NDArray[np.bool_] | None,
    unique: bool,
    horizons: Callable[[], Longs],
) -> NDArray[np.bool_] | None:
    """Rows whose key an admitted row before has that is not behind their horizon. The exact look, row by row, is at
    keys that a quick one finds more than once.
    """
    keys = pl.Series(digest.key)
    known = _of_keys(seen, keys)
    if not len(known.key) and (unique or keys.n_unique() == len(keys)):
        return None
    again = keys.is_duplicated() | keys.is_in(pl.Series(known.key).implode())
    rows = np.flatnonzero(again.to_numpy() & (True if late is None else ~late))
    duplicate = np.zeros(len(keys), np.bool_)
    admitted = _times_by_key(known)
    for row, key, check, time_us, horizon_us in zip(
        rows.tolist(),
        digest.key[rows].tolist(),
        digest.check[rows].tolist(),
        digest.time_us[rows].tolist(),
        horizons()[rows].tolist(),
        strict=True,
    ):
        before_us = admitted.get((key, check))
        if before_us is not None and before_us >= horizon_us:
            duplicate[row] = True
        else:
            admitted[key, check] = time_us
    return duplicate if duplicate.any() else None


def _of_keys(seen: Seen, keys: pl.Series) -> Seen:
    """Of what is remembered, the rows of these keys. Millions are remembered and a block has thousands: so the
    millions are looked up among the thousands, which stay in the processor's cache.
    """
    if not len(seen.key):
        return seen
    ours = pl.Series(seen.key).is_in(keys.implode()).to_numpy()
    return seen._replace(key=seen.key[ours], check=seen.check[ours], time_us=seen.time_us[ours])


def _times_by_key(known: Seen) -> dict[tuple[int, int], int]:
    """The newest row of each key."""
    by_time = np.argsort(known.time_us, kind="stable")
    parts = (known.key[by_time].tolist(), known.check[by_time].tolist(), known.time_us[by_time].tolist())
    return {(key, check): time_us for key, check, time_us in zip(*parts, strict=True)}


def _verdict(
    height: int, duplicate: NDArray[np.bool_] | None, late: NDArray[np.bool_] | None
) -> Verdict | None:
    if duplicate is None and late is None:
        return None
    verdict = np.zeros(height, np.uint8)
    if duplicate is not None:
        verdict[duplicate] = DUPLICATE
    if late is not None:
        verdict[late] = LATE
    return verdict


def _extended(seen: Seen, earlier: Seen) -> Seen:
    """What is remembered, and what was recalled; rows that are in both do no harm."""
    kept: dict[str, Any] = {
        name: np.concatenate([getattr(earlier, name), getattr(seen, name)])
        for name in ("key", "check", "time_us")
    }
    return seen._replace(keep=True, **kept)
