"""A store whose order items bear other names: what a tool reads where somebody wrote attacks on a menu."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl


class SaltedStore:
    """A store as it is, but for the names of some orders' items. Nothing is written."""

    def __init__(self, store: Any, names: Mapping[str, str]) -> None:
        """names: by order."""
        self._store = store
        self._names = pl.DataFrame(
            {"order_id": list(names), "_salt": list(names.values())},
            schema={"order_id": pl.String, "_salt": pl.String},
        )

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def items_of(self, order_ids: pl.Series) -> pl.DataFrame:
        """As the store's, with other names."""
        items = self._store.items_of(order_ids)
        found: pl.DataFrame = items.join(self._names, on="order_id", how="left", maintain_order="left")
        return found.with_columns(pl.coalesce("_salt", "item_name").alias("item_name")).drop("_salt")


class SaltedComplaints:
    """The same of the store of complaints: its kitchen is salted."""

    def __init__(self, store: Any, names: Mapping[str, str]) -> None:
        self._store = store
        self.kitchen = SaltedStore(store.kitchen, names)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)
