"""Ids: unique by construction."""

from __future__ import annotations

import numpy as np
import pytest

from casper_ray.errors import ConfigError
from casper_ray.sim.kitchen.ids import event_ids, order_ids, plan_slots, shuffled


def test_shuffling_is_a_bijection() -> None:
    everywhere = np.arange(0, 36**6, 36**6 // 200_000)
    mixed = shuffled(42, everywhere)
    assert len(np.unique(mixed)) == len(everywhere)
    assert mixed.min() >= 0
    assert mixed.max() < 36**6


def test_neighbours_look_unrelated() -> None:
    ids = order_ids(shuffled(42, np.arange(1000)), loop=0)
    assert ids.n_unique() == 1000
    assert ids.str.head(2).n_unique() > 400


def test_ids_sort_like_their_numbers() -> None:
    mixed = np.sort(shuffled(1, np.arange(5000)))
    ids = order_ids(mixed, loop=0)
    assert ids.to_list() == ids.sort().to_list()


def test_loops_have_a_suffix_and_other_event_ids() -> None:
    numbers = np.arange(20)
    assert order_ids(shuffled(1, numbers), loop=12).str.ends_with("-L12").all()
    first, again = (event_ids(1, numbers, numbers, loop) for loop in (0, 1))
    assert set(first).isdisjoint(again)


@pytest.mark.parametrize(
    ("locations", "days", "split"), [(4, 90, 729), (729, 729, 729), (20, 2000, 2187), (900, 90, 243)]
)
def test_slots_are_split_by_what_is_asked_for(locations: int, days: int, split: int) -> None:
    plan = plan_slots(locations, days)
    assert plan.days == split
    assert plan.first_number(locations - 1, days - 1) + 4095 < 36**6


def test_more_slots_than_there_are_cannot_be_planned() -> None:
    with pytest.raises(ConfigError, match="36\\^6"):
        plan_slots(730, 730)
