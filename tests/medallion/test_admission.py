"""Which rows count: as a row-by-row model says, however the rows are cut into batches and blocks."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import polars as pl
from hypothesis import example, given, settings
from hypothesis import strategies as st

from casper_ray.medallion.admission import (
    ADMITTED,
    DUPLICATE,
    ENDLESS_US,
    LATE,
    Digest,
    Seen,
    Verdict,
    judge,
    keys_of,
    same,
    watermarks,
)

LATENESS = 10


class File(NamedTuple):
    """Rows of (key, time), and up to when their times move the watermark."""

    rows: list[tuple[int, int]]
    landed: int = ENDLESS_US
    accepted: bool = False


rows = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 60)), max_size=6)
landings = st.sampled_from([ENDLESS_US, 30, 45])
files = st.lists(st.builds(File, rows, landings, st.just(False)), max_size=8)
mixed_files = st.lists(st.builds(File, rows, landings, st.booleans()), max_size=8)
cuts = st.sets(st.integers(0, 7))


def digest_of(part: list[File]) -> Digest:
    flat = [row for file in part for row in file.rows]
    key, check = keys_of(pl.Series([f"id-{key}" for key, _ in flat], dtype=pl.String))
    return Digest(
        key,
        check,
        np.array([time for _, time in flat], np.int64),
        np.array([len(file.rows) for file in part], np.int64),
        np.array([file.landed for file in part], np.int64),
        np.array([file.accepted for file in part], np.bool_),
    )


def spelled(verdict: Verdict | None, height: int) -> list[int]:
    return [ADMITTED] * height if verdict is None else verdict.tolist()


def row_by_row(told: list[File]) -> list[int]:
    """What each row should be, slowly."""
    watermark, seen, found = -ENDLESS_US, {}, []
    for file in told:
        for key, time in file.rows:
            if time < watermark:
                found.append(LATE)
            elif key in seen:
                found.append(DUPLICATE)
            else:
                seen[key] = time
                found.append(ADMITTED)
        newest = max((time for _, time in file.rows), default=-ENDLESS_US)
        watermark = max(watermark, min(newest, file.landed) - LATENESS)
        seen = {key: time for key, time in seen.items() if time >= watermark}
    return found


def cut(told: list[File], at: set[int]) -> list[list[File]]:
    edges = [0, *sorted(edge for edge in at if 0 < edge < len(told)), len(told)]
    return [told[start:stop] for start, stop in pairwise(edges)]


@given(files, cuts)
def test_rows_are_judged_as_one_by_one_however_they_are_cut(told: list[File], at: set[int]) -> None:
    seen, found = Seen(), []
    for part in cut(told, at):
        digest = digest_of(part)
        judgement = judge(digest, seen, LATENESS)
        found += spelled(judgement.verdict, len(digest.key))
        seen = judgement.seen
        assert seen.watermark_us is None or (seen.time_us >= seen.watermark_us).all(), (
            "only what is needed is kept"
        )
    assert found == row_by_row(told)


@given(files, cuts)
def test_a_block_whose_keys_are_known_to_differ_is_judged_alike(told: list[File], at: set[int]) -> None:
    seen = Seen()
    for part in cut(told, at):
        digest = digest_of(part)
        alone = judge(digest, Seen(seen.watermark_us), LATENESS)
        whole = judge(digest, seen, LATENESS)
        quick = judge(digest, seen, LATENESS, unique=alone.verdict is None)
        assert same(quick.verdict, whole.verdict)
        seen = whole.seen


@given(files)
def test_the_watermark_never_goes_back_and_no_file_moves_it_beyond_its_landing(told: list[File]) -> None:
    marks = watermarks(digest_of(told), None, LATENESS)
    assert marks.tolist() == sorted(marks.tolist())
    limit = max((file.landed for file in told if file.rows), default=0)
    assert marks[-1] <= limit - LATENESS or not any(file.rows for file in told)


def test_a_clock_that_is_wrong_by_years_makes_nothing_late() -> None:
    told = [File([(1, 5_000)], landed=20), File([(2, 15)], landed=30)]
    assert spelled(judge(digest_of(told), Seen(), LATENESS).verdict, 2) == [ADMITTED, ADMITTED]


def row_by_row_with_late_ones(told: list[File]) -> list[int]:
    """What each row should be where some files' late rows count, slowly and with everything remembered."""
    watermark, admitted, found = -ENDLESS_US, [], []
    for file in told:
        for key, time in file.rows:
            if time < watermark and not file.accepted:
                found.append(LATE)
                continue
            horizon = time - LATENESS if time < watermark else watermark
            again = any(one == key and at >= horizon for one, at in admitted)
            found.append(DUPLICATE if again else ADMITTED)
            if not again:
                admitted.append((key, time))
        newest = max((time for _, time in file.rows), default=-ENDLESS_US)
        watermark = max(watermark, min(newest, file.landed) - LATENESS)
    return found


class Log:
    """What a table that keeps every row could tell of those that were admitted."""

    def __init__(self) -> None:
        self.parts: list[Digest] = []

    def add(self, digest: Digest, verdict: Verdict | None) -> None:
        counted = np.array(spelled(verdict, len(digest.key)), np.uint8) == ADMITTED
        kept = (digest.key[counted], digest.check[counted], digest.time_us[counted])
        self.parts.append(digest._replace(key=kept[0], check=kept[1], time_us=kept[2]))

    def since(self, since_us: int) -> Seen:
        key, check, time_us = (
            np.concatenate([getattr(Seen(), name), *(getattr(part, name) for part in self.parts)])
            for name in ("key", "check", "time_us")
        )
        wanted = time_us >= since_us
        return Seen(None, key[wanted], check[wanted], time_us[wanted])


def judged_in_batches(told: list[File], at: set[int], blocks_at: set[int]) -> list[int]:
    """The verdicts of batches of blocks; a batch that lets late rows count keeps all, and may recall."""
    log, found, seen = Log(), [], Seen()
    for batch in cut(told, at):
        done = []
        seen = seen._replace(keep=any(file.accepted for file in batch))
        for block in cut(batch, blocks_at):
            digest = digest_of(block)
            judgement = judge(digest, seen, LATENESS, recall=log.since)
            found += spelled(judgement.verdict, len(digest.key))
            done.append((digest, judgement.verdict))
            seen = judgement.seen
        for digest, verdict in done:
            log.add(digest, verdict)
        nothing = seen.key[:0]
        seen = seen._replace(keep=False).with_rows(nothing, nothing, seen.time_us[:0], seen.watermark_us)
    return found


@settings(max_examples=400)
@given(mixed_files, cuts, cuts)
def test_late_rows_that_count_are_judged_as_one_by_one_however_they_are_cut(
    told: list[File], at: set[int], blocks_at: set[int]
) -> None:
    assert judged_in_batches(told, at, blocks_at) == row_by_row_with_late_ones(told)


@given(mixed_files, cuts)
def test_a_refresh_that_has_it_all_judges_as_the_batches_did(told: list[File], at: set[int]) -> None:
    assert judged_in_batches(told, set(), set()) == judged_in_batches(told, at, set())


@given(files, cuts)
def test_where_no_late_rows_count_both_models_are_one(told: list[File], at: set[int]) -> None:
    assert row_by_row(told) == row_by_row_with_late_ones(told)


WORKER_TAKES_FOR_IN_TIME = [
    File([(9, 60)], accepted=True),
    File([(1, 20)], accepted=True),
    File([(8, 35)], accepted=True),
    File([(1, 29)], accepted=True),
]


@settings(max_examples=400)
@given(mixed_files, cuts, cuts)
@example(WORKER_TAKES_FOR_IN_TIME, set(), {1})
def test_a_block_whose_worker_found_nothing_amiss_may_be_looked_at_quickly(
    told: list[File], at: set[int], blocks_at: set[int]
) -> None:
    """A worker knows the watermark from before the batch, and nothing of the blocks between."""
    log, seen = Log(), Seen()
    for batch in cut(told, at):
        start = seen._replace(keep=any(file.accepted for file in batch))
        seen = start
        for block in cut(batch, blocks_at):
            digest = digest_of(block)
            alone = judge(digest, Seen(start.watermark_us, keep=start.keep), LATENESS)
            whole = judge(digest, seen, LATENESS, recall=log.since)
            quick = judge(digest, seen, LATENESS, recall=log.since, unique=alone.verdict is None)
            assert same(quick.verdict, whole.verdict)
            log.add(digest, whole.verdict)
            seen = whole.seen


def test_a_late_row_that_counts_is_compared_as_if_it_had_come_in_time() -> None:
    told = [File([(1, 100), (2, 91)]), File([(3, 200)]), File([(1, 110), (2, 102)], accepted=True)]
    assert judged_in_batches(told, {2}, set())[3:] == [DUPLICATE, ADMITTED]


def test_keys_are_the_same_whenever_they_are_made_and_differ_for_different_texts() -> None:
    texts = pl.Series([f"{n:x}" for n in range(100_000)])
    one, other = keys_of(texts), keys_of(texts)
    assert (one[0] == other[0]).all()
    assert (one[1] == other[1]).all()
    assert len(set(zip(one[0].tolist(), one[1].tolist(), strict=True))) == 100_000
