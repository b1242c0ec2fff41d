"""Slices read every line of a file exactly once, and blocks are a matter of sizes alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casper_ray.medallion.files import (
    FileSlice,
    Read,
    WholeLines,
    blocks,
    line_start,
    lines_before,
    read_slice,
    slices,
)

MIB = 1 << 20
texts = st.lists(st.sampled_from([b"\n", b"a", b"bc\n", b"longer than a slice\n", b"\n\n"])).map(b"".join)


def cut(size_bytes: int, slice_bytes: int) -> list[FileSlice]:
    """The file cut like `slices` does, with a slice size of the test's own."""
    read = Read("f.json", 0, size_bytes)
    return [
        FileSlice(read, start, min(start + slice_bytes, size_bytes))
        for start in range(0, max(size_bytes, 1), slice_bytes)
    ]


@given(data=texts, slice_bytes=st.integers(1, 40), grown=st.binary(max_size=20))
def test_slices_of_any_size_read_every_line_once(
    data: bytes, slice_bytes: int, grown: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    volume = tmp_path_factory.getbasetemp()
    (volume / "f.json").write_bytes(data + grown)
    read = [read_slice(volume, piece) for piece in cut(len(data), slice_bytes)]
    assert b"".join(lines.data for lines in read) == data, "what came after the size that counts is not read"
    for lines in read:
        assert data[lines.offset : lines.offset + len(lines.data)] == lines.data
        if lines.data:
            assert lines.offset == 0 or data[lines.offset - 1 : lines.offset] == b"\n"
            assert lines.data.endswith(b"\n") or lines.offset + len(lines.data) == len(data)


def test_a_line_belongs_to_the_slice_in_which_it_begins(tmp_path: Path) -> None:
    (tmp_path / "f.json").write_bytes(b"aaaa\nbb\ncccccc\nd\n")
    read = [read_slice(tmp_path, piece) for piece in cut(17, 5)]
    assert read == [(0, b"aaaa\n"), (5, b"bb\ncccccc\n"), (15, b""), (15, b"d\n")]


def test_an_empty_file_is_one_slice_of_no_lines(tmp_path: Path) -> None:
    (tmp_path / "f.json").touch()
    (piece,) = slices([Read("f.json", 0, 0, 7)])
    assert piece == FileSlice(Read("f.json", 0, 0, 7), 0, 0)
    assert read_slice(tmp_path, piece) == WholeLines(0, b"")


def test_a_large_file_is_cut_into_slices_that_tile_it() -> None:
    size = 100 * MIB + 3
    made = list(slices([Read("f.json", 0, size)]))
    assert [piece.start for piece in made] == [0, 32 * MIB, 64 * MIB, 96 * MIB]
    assert [piece.stop for piece in made] == [32 * MIB, 64 * MIB, 96 * MIB, size]
    assert {piece.read.stop for piece in made} == {size}


@given(st.lists(st.integers(0, 50)), st.integers(1, 40))
def test_blocks_hold_every_slice_in_order_and_no_more_than_they_must(
    sizes: list[int], block_bytes: int
) -> None:
    cut_ = [FileSlice(Read(f"{i}.json", 0, size), 0, size) for i, size in enumerate(sizes)]
    made = blocks(iter(cut_), block_bytes)
    assert [piece for block in made for piece in block] == cut_
    assert all(made)
    filled = [sum(piece.stop for piece in block) for block in made]
    assert all(size >= block_bytes for size in filled[:-1])
    assert all(size - block[-1].stop < block_bytes for size, block in zip(filled, made, strict=True))
    assert blocks(cut_, block_bytes) == made


def test_no_files_are_no_blocks() -> None:
    assert blocks(slices([]), 100) == []


@given(data=texts, grown=texts, slice_bytes=st.integers(1, 40))
def test_what_a_file_grew_by_is_read_from_the_beginning_of_its_last_line(
    data: bytes, grown: bytes, slice_bytes: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "f.json"
    path.write_bytes(data + grown)
    start = line_start(path, len(data))
    assert start == data.rfind(b"\n") + 1
    assert lines_before(path, start) == data.count(b"\n")
    (piece, *more) = slices([Read("f.json", start, len(data + grown))])
    assert not more
    assert read_slice(path.parent, piece) == WholeLines(start, (data + grown)[start:])
