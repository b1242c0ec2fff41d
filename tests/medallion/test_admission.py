"""Which rows count: as a row-by-row model says, however the rows are cut into batches and blocks."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import polars as pl
from hypothesis import given
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
files = st.lists(st.builds(File, rows, st.sampled_from([ENDLESS_US, 30, 45]), st.just(False)), max_size=8)
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


@given(files, rows)
def test_late_rows_that_are_accepted_count_once(told: list[File], late: list[tuple[int, int]]) -> None:
    """They are compared with all that was admitted, which is recalled for it."""
    before = judge(digest_of(told), Seen(), LATENESS)
    everything = digest_of(told)
    admitted = np.array(spelled(before.verdict, len(everything.key))) == ADMITTED

    def recall(since: int) -> Seen:
        wanted = admitted & (everything.time_us >= since)
        return Seen(None, everything.key[wanted], everything.check[wanted], everything.time_us[wanted])

    extra = digest_of([File(late, accepted=True)])
    found = spelled(judge(extra, before.seen._replace(keep=True), LATENESS, recall=recall).verdict, len(late))
    known = {
        key for (key, _), counts in zip((r for f in told for r in f.rows), admitted, strict=True) if counts
    }
    times = {key: [t for f in told for k, t in f.rows if k == key] for key in known}
    oldest = min((time for _, time in late), default=0)
    for (key, _), word in zip(late, found, strict=True):
        assert word != LATE
        if key not in known:
            assert word == (ADMITTED if [k for k, _ in late].index(key) == found.index(word) else word)
        elif all(time >= oldest for time in times[key]):
            assert word == DUPLICATE
    firsts = [key for (key, _), word in zip(late, found, strict=True) if word == ADMITTED]
    assert len(firsts) == len(set(firsts))


def test_keys_are_the_same_whenever_they_are_made_and_differ_for_different_texts() -> None:
    texts = pl.Series([f"{n:x}" for n in range(100_000)])
    one, other = keys_of(texts), keys_of(texts)
    assert (one[0] == other[0]).all()
    assert (one[1] == other[1]).all()
    assert len(set(zip(one[0].tolist(), one[1].tolist(), strict=True))) == 100_000
