"""At which hours of a day things are done."""

from __future__ import annotations

from functools import cache
from typing import Final, get_args

import numpy as np

from casper_ray.sim.bank.books import Hours, load_categories
from casper_ray.sim.bank.streams import Floats, Ints

MS_PER_HOUR: Final = 3_600_000
MS_PER_DAY: Final = 24 * MS_PER_HOUR

_SHAPES: Final[dict[str, tuple[int, ...]]] = {
    "day": (1, 1, 1, 1, 1, 2, 6, 18, 35, 55, 70, 78, 76, 68, 66, 70, 82, 92, 84, 58, 30, 14, 6, 3),
    "evening": (9, 5, 3, 2, 1, 1, 4, 10, 12, 14, 20, 48, 70, 50, 25, 22, 30, 55, 82, 90, 75, 52, 32, 17),
    "night": (38, 28, 20, 14, 8, 5, 5, 7, 9, 12, 14, 17, 20, 21, 22, 24, 28, 34, 42, 52, 60, 64, 62, 52),
    "commute": (3, 2, 1, 1, 3, 14, 45, 92, 80, 36, 24, 24, 28, 28, 28, 38, 70, 90, 62, 34, 22, 16, 12, 8),
    "level": (20, 14, 10, 9, 9, 12, 22, 32, 40, 46, 48, 50, 52, 50, 48, 48, 50, 54, 58, 60, 60, 56, 46, 32),
}
SHAPES: Final = get_args(Hours)
DAY, EVENING, NIGHT, COMMUTE, LEVEL = range(len(SHAPES))


@cache
def _edges() -> Floats:
    """Up to each hour's end, the share of a day: one row a shape, in the order of SHAPES."""
    weights = np.array([_SHAPES[name] for name in SHAPES], dtype=np.float64)
    edges: Floats = np.cumsum(weights, axis=1) / weights.sum(axis=1, keepdims=True)
    return edges


@cache
def category_shapes() -> Ints:
    """The shape of each category's hours."""
    return np.array([SHAPES.index(kind.hours) for kind in load_categories()], dtype=np.int64)


def instants(shape: Ints, chance: Floats, later_hours: float = 0.0) -> Ints:
    """Milliseconds since the day's start. What moves past midnight comes in the same day's first hours."""
    edges = _edges()[shape]
    hour = np.minimum((chance[:, None] >= edges).sum(axis=1), 23)
    rows = np.arange(len(hour))
    before = np.where(hour > 0, edges[rows, hour - 1], 0.0)
    within = (chance - before) / (edges[rows, hour] - before)
    ms = ((hour + within + later_hours) * MS_PER_HOUR).astype(np.int64)
    within_day: Ints = ms % MS_PER_DAY
    return within_day


@cache
def _card_day() -> Floats:
    """Up to each hour's end, the share of a day's purchases."""
    weight = np.array([kind.weight for kind in load_categories()])
    share: Floats = np.concatenate(
        [[0.0], (weight[:, None] * _edges()[category_shapes()]).sum(0) / weight.sum()]
    )
    return share


def share_until(ms: int) -> float:
    """The share of a usual day's purchases before an instant of the day."""
    return float(np.interp(ms / MS_PER_HOUR, np.arange(25), _card_day()))
