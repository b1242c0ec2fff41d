"""`casper complaints run` beside a kitchen that another command keeps."""

from __future__ import annotations

import json
from collections.abc import Callable

import polars as pl
import pytest
from children import CASPER, Children
from lakes import Lake

pytestmark = [pytest.mark.cli, pytest.mark.ray]
RUN = (*CASPER, "complaints", "run")


def test_complaints_come_as_far_as_the_kitchen_and_once(
    children: Children, three_days: Lake, copied: Callable[[Lake], Lake]
) -> None:
    lake = copied(three_days)
    first = children.run(*RUN, *lake.options, "--json")
    assert first.code == 0, first.err
    told = json.loads(first.out)
    assert told["complaints"] > 100
    assert told["sim_to"].startswith("2024-01-04T00:00:00")
    again = json.loads(children.run(*RUN, *lake.options, "--json").out)
    assert (again["complaints"], again["batches"]) == (0, 0)
    bronze = pl.read_delta(str(lake.folder / lake.catalog / "support" / "complaints"))
    assert (bronze["_admission"] == "admitted").all()
    assert bronze["complaint_id"].n_unique() == bronze.height == told["complaints"]
    other = children.run(*RUN, *lake.options, "--rate", "0.5")
    assert (other.code, "rate 0.15" in other.err) == (2, True)


def test_without_a_kitchen_it_says_what_to_do(children: Children, lake: Lake) -> None:
    ended = children.run(*RUN, *lake.options)
    assert (ended.code, "casper_ray.sim" in ended.err) == (2, True)
