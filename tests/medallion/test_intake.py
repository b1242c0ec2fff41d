"""What is new in a volume: new files, and what files grew by; each line once, whenever one looks."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_lake import minute_us, window_name

from casper_ray.errors import LakeError
from casper_ray.medallion.batches import Progress
from casper_ray.medallion.files import FileSlice, Read, read_slice
from casper_ray.medallion.intake import Intake, first_bytes, instant_of
from casper_ray.medallion.kitchen.pipeline import PIPELINE

LINES = b"one\ntwo\nthree\n"
Look = Callable[..., list[Read]]


@pytest.fixture
def progress() -> Progress:
    return Progress()


@pytest.fixture
def intake(tmp_path: Path) -> Intake:
    return Intake(tmp_path, PIPELINE, late_accepted=False)


def taken(progress: Progress, intake: Intake) -> list[Read]:
    """What is new, noted as a batch's."""
    reads = intake.new_reads(progress)
    progress.note(tuple(reads))
    return reads


def test_new_files_are_read_from_their_beginning_empty_ones_too(
    tmp_path: Path, intake: Intake, progress: Progress
) -> None:
    (tmp_path / "b.json").write_bytes(LINES)
    (tmp_path / "a.json").touch()
    assert taken(progress, intake) == [Read("a.json", 0, 0), Read("b.json", 0, len(LINES))]
    assert taken(progress, intake) == []


@pytest.mark.parametrize(
    ("first", "start"),
    [(b"", 0), (LINES[:2], 0), (LINES[:3], 0), (LINES[:4], 4), (LINES[:6], 4), (LINES[:8], 8)],
    ids=["empty", "in a line", "an end short", "a line end", "in the second", "its end"],
)
def test_a_file_that_grew_is_read_from_where_its_last_whole_line_ended(
    tmp_path: Path, intake: Intake, progress: Progress, first: bytes, start: int
) -> None:
    (tmp_path / "a.json").write_bytes(first)
    taken(progress, intake)
    (tmp_path / "a.json").write_bytes(LINES)
    assert taken(progress, intake) == [Read("a.json", start, len(LINES))]
    (tmp_path / "a.json").write_bytes(LINES + b"four")
    assert taken(progress, intake) == [Read("a.json", len(LINES), len(LINES) + 4)]
    assert taken(progress, intake) == []


@pytest.mark.parametrize("later", [LINES, b"ONE\n", b"", None], ids=["same", "shrunk", "emptied", "vanished"])
def test_a_file_that_did_not_grow_is_not_read_again(
    tmp_path: Path, intake: Intake, progress: Progress, later: bytes | None
) -> None:
    (tmp_path / "a.json").write_bytes(LINES)
    taken(progress, intake)
    if later is None:
        (tmp_path / "a.json").unlink()
    else:
        (tmp_path / "a.json").write_bytes(later)
    assert taken(progress, intake) == []
    assert progress.taken == {"a.json": len(LINES)}


@given(
    lines=st.lists(st.binary(max_size=5).map(lambda line: line.replace(b"\n", b"")), max_size=8),
    cuts=st.sets(st.integers(0, 60)),
    ended=st.booleans(),
)
def test_a_file_that_grows_anyhow_has_every_line_read_whole_at_last(
    lines: list[bytes], cuts: set[int], ended: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("volume")
    whole = b"\n".join(lines) + (b"\n" if ended else b"")
    progress, intake = Progress(), Intake(folder, PIPELINE, late_accepted=False)
    sizes = [*sorted(cut for cut in cuts if cut < len(whole)), len(whole)]
    for size in sizes:
        (folder / "a.json").write_bytes(whole[:size])
        taken(progress, intake)
    reads = list(progress.reads.values())
    assert reads[-1].stop == len(whole)
    assert all(read.start == 0 or whole[read.start - 1 : read.start] == b"\n" for read in reads)
    for before, after in pairwise(reads):
        again = whole[after.start : before.stop]
        assert after.start <= before.stop, "nothing is left out"
        assert b"\n" not in again, "only a line that was not whole is read again"
    for read in reads:
        got = read_slice(folder, FileSlice(read, read.start, read.stop))
        assert (got.offset, got.data) == (read.start, whole[read.start : read.stop])


def test_a_run_begins_with_a_look_at_all_files_and_remembers_which_grew(
    tmp_path: Path, intake: Intake, progress: Progress
) -> None:
    for number in range(300):
        (tmp_path / f"{number:03d}.json").write_bytes(b"line\n")
    taken(progress, intake)
    (tmp_path / "000.json").write_bytes(b"line\nmore\n")
    another = Intake(tmp_path, PIPELINE, late_accepted=False)
    grown = [Read("000.json", 5, 10)]
    assert another.new_reads(progress) == grown
    assert another.new_reads(progress) == grown, "a look alone does not take what it sees"
    progress.note(tuple(grown))
    (tmp_path / "000.json").write_bytes(b"line\nmore\nmost\n")
    assert taken(progress, another) == [Read("000.json", 10, 15)]
    assert taken(progress, another) == []


def test_a_window_says_when_its_file_was_known_and_there(intake: Intake, progress: Progress) -> None:
    name = window_name(1, 5, 10)
    reads = [Read(name, 0, 9), Read(name, 9, 20), Read("mine.json", 0, 9)]
    found = {read[:3]: read[3:] for read in intake.dated(reads, progress, None)}
    assert found == {
        (name, 0, 9): (minute_us(5), minute_us(10), False),
        (name, 9, 20): (minute_us(10), minute_us(10), False),
        ("mine.json", 0, 9): (minute_us(10), minute_us(10), False),
    }


def test_without_a_window_or_an_instant_nothing_is_known(intake: Intake, progress: Progress) -> None:
    assert intake.dated([Read("a.json", 0, 9)], progress, None) == [Read("a.json", 0, 9, None, None, False)]


def test_the_instant_of_a_batch_is_the_latest_that_is_told(progress: Progress) -> None:
    reads = [Read(window_name(1, 5, 10), 0, 9), Read("mine.json", 0, 9)]
    assert instant_of(reads, PIPELINE, progress, minute_us(7)) == minute_us(10)
    assert instant_of(reads, PIPELINE, progress, minute_us(12)) == minute_us(12)
    assert instant_of(reads[1:], PIPELINE, progress, None) is None
    progress.sim_instant_us = minute_us(3)
    assert instant_of(reads[1:], PIPELINE, progress, None) == minute_us(3)


def test_a_refresh_has_every_read_in_the_order_in_which_they_came(tmp_path: Path, progress: Progress) -> None:
    came = [Read("b.json", 0, 4), Read("a.json", 0, 9), Read("b.json", 4, 8, None, None, True)]
    (tmp_path / "a.json").write_bytes(b"nine byte")
    (tmp_path / "b.json").write_bytes(b"one\ntwo\n")
    (tmp_path / "c.json").write_bytes(b"new\n")
    progress.note(tuple(came))
    intake = Intake(tmp_path, PIPELINE, late_accepted=False)
    assert intake.all_reads(progress, new=False) == came
    assert intake.all_reads(progress, new=True) == [*came, Read("c.json", 0, 4)]
    accepting = Intake(tmp_path, PIPELINE, late_accepted=True).all_reads(progress, new=True)
    assert [read.late_accepted for read in accepting] == [True] * 4


@pytest.mark.parametrize("how", ["gone", "cut short"])
def test_a_refresh_without_a_file_that_was_read_is_refused(
    tmp_path: Path, intake: Intake, progress: Progress, how: str
) -> None:
    (tmp_path / "a.json").write_bytes(LINES)
    (tmp_path / "b.json").write_bytes(LINES)
    taken(progress, intake)
    (tmp_path / "b.json").unlink()
    if how == "cut short":
        (tmp_path / "b.json").write_bytes(LINES[:-1])
    with pytest.raises(LakeError, match=r"1 files .* gone or cut short, such as b.json;.* put them back"):
        intake.all_reads(progress, new=True)


def test_a_batch_takes_what_fits_and_one_read_at_least() -> None:
    reads = [Read("a", 0, 50), Read("b", 10, 60), Read("c", 0, 1)]
    assert [len(first_bytes(reads, limit)) for limit in (1, 50, 99, 100, 101, 1000)] == [1, 1, 1, 2, 3, 3]
    assert first_bytes([], 10) == []
