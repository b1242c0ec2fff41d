"""A feed: a stream of events with a volume of its own, and what has to be known of it to land it, or to spoil it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

EventKeys = Callable[[pl.Series], NDArray[np.uint64]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """One feed of a domain. Its events say their time in `ts`, as text.

    name     of the feed, and of its volume in schema `simulator`
    key      column that names an event; a copy of it has the same one
    keys     bits of each key by which chance picks events: the same key is the same bits
    place    column that says by whose clock `ts` is; None: by none that can be wrong
    numbers  fields that are JSON numbers in a line
    counted  type of the events that the domain counts; None: it counts none of this feed
    """

    name: str
    key: str
    keys: EventKeys
    place: str | None
    numbers: tuple[str, ...]
    counted: str | None
