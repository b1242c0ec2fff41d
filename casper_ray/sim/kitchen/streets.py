"""A city's streets: an irregular grid around the kitchen, avenues across it, a river with few bridges."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

EARTH_RADIUS_MILES = 3958.7613
SPACING_MILES = 0.1
REACH_CELLS = 42
_JITTER = 0.27  # of the spacing
_MISSING = 0.10  # share of the blocks without a street
_BRIDGE_EVERY = 9  # crossings


@dataclass(frozen=True, slots=True, kw_only=True)
class Streets:
    """The crossings that can be reached from the kitchen (node 0), and the shortest way to each.

    lat_u, lon_u   millionths of a degree
    before         the crossing before this one on the shortest way from the kitchen; -1 for the kitchen
    column, row    place in the grid, from which addresses are named
    """

    lat_u: Ints
    lon_u: Ints
    before: Ints
    column: Ints
    row: Ints


def haversine_miles(lat1_u: Ints, lon1_u: Ints, lat2_u: Ints, lon2_u: Ints) -> Floats:
    """Great-circle distance in miles between points in millionths of a degree."""
    lat1, lon1, lat2, lon2 = (np.radians(x / 1e6) for x in (lat1_u, lon1_u, lat2_u, lon2_u))
    half = np.sin((lat2 - lat1) / 2) ** 2 + np.cos(lat1) * np.cos(lat2) * np.sin((lon2 - lon1) / 2) ** 2
    miles: Floats = 2 * EARTH_RADIUS_MILES * np.arcsin(np.sqrt(half))
    return miles


def build_streets(lat: float, lon: float, rng: np.random.Generator) -> Streets:
    """The streets around a kitchen at (lat, lon), drawn from `rng`."""
    side = np.arange(-REACH_CELLS, REACH_CELLS + 1)
    row, column = (grid.ravel() for grid in np.meshgrid(side, side, indexing="ij"))
    nudge = rng.uniform(-_JITTER, _JITTER, (2, len(row)))
    nudge[:, (row == 0) & (column == 0)] = 0.0
    y, x = (row + nudge[0]) * SPACING_MILES, (column + nudge[1]) * SPACING_MILES
    mile = np.degrees(1 / EARTH_RADIUS_MILES)
    lat_u = np.rint((lat + y * mile) * 1e6).astype(np.int64)
    lon_u = np.rint((lon + x * mile / np.cos(np.radians(lat))) * 1e6).astype(np.int64)
    start, end = _blocks(row, column, x, y, rng)
    miles = haversine_miles(lat_u[start], lon_u[start], lat_u[end], lon_u[end])
    graph = csr_array((miles, (start, end)), shape=(len(row), len(row)))
    kitchen = len(row) // 2
    reached, before = dijkstra(graph, directed=False, indices=[kitchen], return_predecessors=True)
    return _reachable(lat_u, lon_u, row, column, np.isfinite(reached[0]), before[0].astype(np.int64), kitchen)


def _blocks(row: Ints, column: Ints, x: Floats, y: Floats, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Pairs of crossings joined by a street."""
    width = 2 * REACH_CELLS + 1
    node = np.arange(len(row))
    east, north = node[column < REACH_CELLS], node[row < REACH_CELLS]
    start, end = np.concatenate([east, north]), np.concatenate([east + 1, north + width])
    kept = rng.random(len(start)) >= _MISSING
    kept &= _dry(start, end, row, column, x, y, rng)
    rising, falling = rng.integers(-12, 13, 2)
    up = node[(row - column == rising) & (row < REACH_CELLS) & (column < REACH_CELLS)]
    down = node[(row + column == falling) & (row < REACH_CELLS) & (column > -REACH_CELLS)]
    start = np.concatenate([start[kept], up, down])
    return start, np.concatenate([end[kept], up + width + 1, down + width - 1])


def _dry(
    start: Ints, end: Ints, row: Ints, column: Ints, x: Floats, y: Floats, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """False for the blocks that would cross the river away from a bridge."""
    side = rng.choice([-1.0, 1.0])
    distance, bend, phase = rng.uniform(0.9, 1.6), rng.uniform(0.1, 0.35), rng.uniform(0, 6.28)
    lengthwise = bool(rng.integers(2))
    along, across, lane = (x, y, column) if lengthwise else (y, x, row)
    beyond = across > side * distance + bend * np.sin(along * 1.3 + phase)
    crosses = beyond[start] != beyond[end]
    bridge = (lane[start] % _BRIDGE_EVERY == rng.integers(_BRIDGE_EVERY)) & (lane[start] == lane[end])
    dry: NDArray[np.bool_] = ~crosses | bridge
    return dry


def _reachable(
    lat_u: Ints, lon_u: Ints, row: Ints, column: Ints, reached: NDArray[np.bool_], before: Ints, kitchen: int
) -> Streets:
    """The reached crossings only, renumbered, the kitchen first."""
    old = np.flatnonzero(reached)
    old = np.concatenate([[kitchen], old[old != kitchen]])
    new = np.full(len(row), -1, dtype=np.int64)
    new[old] = np.arange(len(old))
    previous = before[old]
    previous = np.where(previous >= 0, new[np.maximum(previous, 0)], -1)
    return Streets(lat_u=lat_u[old], lon_u=lon_u[old], before=previous, column=column[old], row=row[old])
