"""The corpus on trial, as tests are given it."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

import polars as pl

from casper_ray.agents.attacks.corpus import Attack
from casper_ray.agents.attacks.engine import ScriptEngine
from casper_ray.agents.kitchen.store import KitchenStore
from casper_ray.lakehouse.names import Catalog


class Tried(NamedTuple):
    """The corpus on the lake with the gullible model."""

    catalog: Catalog
    store: KitchenStore
    corpus: list[Attack]
    cases: pl.DataFrame
    engine: ScriptEngine
    decisions: pl.DataFrame
    due: list[Decimal]
    outcomes: pl.DataFrame
