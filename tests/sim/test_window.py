"""Windows, their parts, and the names of their files."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casper_ray.domain.time import SimMicros
from casper_ray.sim.window import Part, Window, file_name, parts, window_of

DAY = 86_400_000_000
starts = st.integers(0, 4_000_000_000_000).map(lambda ms: SimMicros(1000 * ms))
lengths_ms = st.integers(1, 5) | st.integers(1, 86_400_000)


def window(number: int, start: int, length_ms: int) -> Window:
    return Window(number, SimMicros(start), SimMicros(start + 1000 * length_ms))


@given(starts, lengths_ms, st.integers(-1, 60))
def test_parts_tile_their_window_exactly(start: SimMicros, length_ms: int, count: int) -> None:
    whole = window(3, start, length_ms)
    cut = parts(whole, count)
    assert len(cut) == max(1, min(count, length_ms))
    assert (cut[0].from_us, cut[-1].to_us) == (whole.from_us, whole.to_us)
    assert all(a.to_us == b.from_us for a, b in pairwise(cut))
    assert [part.number for part in cut] == list(range(len(cut)))
    lengths = [part.to_us - part.from_us for part in cut]
    assert all(length > 0 and length % 1000 == 0 for length in lengths)
    assert max(lengths) - min(lengths) <= 1000
    assert {part.window for part in cut} == {whole}


def test_an_empty_window_is_one_empty_part() -> None:
    assert parts(window(0, DAY, 0), 8) == [Part(window(0, DAY, 0), 0, SimMicros(DAY), SimMicros(DAY))]


@given(st.integers(0, 99_999_999), starts, lengths_ms, st.integers(0, 9999))
def test_a_file_name_parses_back_to_its_window(
    number: int, start: SimMicros, length_ms: int, part: int
) -> None:
    whole = window(number, start, length_ms)
    name = file_name("r-42-7f3a", Part(whole, part, whole.from_us, whole.to_us))
    assert window_of(name) == whole
    assert name.endswith(".json")
    assert not name.startswith((".", "_"))


@given(
    st.lists(st.tuples(lengths_ms, st.integers(1, 12)), min_size=1, max_size=12), st.integers(0, 99_999_000)
)
def test_names_sort_by_time(sizes: list[tuple[int, int]], first: int) -> None:
    start, cut = 1_704_067_200_000_000, []
    for number, (length_ms, count) in enumerate(sizes, first):
        cut += parts(window(number, start, length_ms), count)
        start += 1000 * length_ms
    names = [file_name("r-42", part) for part in cut]
    assert sorted(names) == names
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "orders.json",
        "r.w00000001.p0000.1-2.json.gz",
        "x/r.w00000001.p0000.1-2.json",
        "r.w1.p0000.1-2.json",
        "r.w00000001.p0000.-1-2.json",
        "R.w00000001.p0000.1-2.json",
        ".r.w00000001.p0000.1-2.json.12.part",
        "r.w00000001.p0000.1-2.json\n",
    ],
)
def test_a_name_from_elsewhere_has_no_window(name: str) -> None:
    assert window_of(name) is None
