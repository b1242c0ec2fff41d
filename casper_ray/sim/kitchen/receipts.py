"""What orders were and where they went, as the customer knows it."""

from __future__ import annotations

import json
import re

import numpy as np
import polars as pl

from casper_ray.sim.kitchen.addresses import AddressBook
from casper_ray.sim.kitchen.basket import MOST_QTY, Shelf, basket_cents
from casper_ray.sim.kitchen.ids import order_ids, shuffled
from casper_ray.sim.kitchen.orders import Orders

_ADDRESS = re.compile(r'"customer_addr":("(?:[^"\\]|\\.)*")')
_INSTANT = pl.Datetime("us", "UTC")


def day_receipts(
    orders: Orders, book: AddressBook, shelf: Shelf, seed: int, first_number: int, start_ms: int, loop: int
) -> pl.DataFrame:
    """One row per order, in the order of creation: order_id, address, created, delivered (UTC), total_cents, and per
    item (lists): item (its place in the menu, from 0), qty.
    """
    numbers = first_number + np.arange(len(orders.house))
    lines = [[line - 1 for line in row if line] for row in orders.lines.tolist()]
    return pl.DataFrame(
        {
            "order_id": order_ids(shuffled(seed, numbers), loop),
            "address": pl.Series([_address(book, house) for house in orders.house.tolist()], dtype=pl.String),
            "created": pl.Series((start_ms + orders.times.created) * 1000).cast(_INSTANT),
            "delivered": pl.Series((start_ms + orders.times.delivered) * 1000).cast(_INSTANT),
            "total_cents": basket_cents(shelf, orders.lines),
            "item": pl.Series([[line // MOST_QTY for line in row] for row in lines], dtype=pl.List(pl.Int64)),
            "qty": pl.Series(
                [[line % MOST_QTY + 1 for line in row] for row in lines], dtype=pl.List(pl.Int64)
            ),
        }
    )


def _address(book: AddressBook, house: int) -> str:
    found = _ADDRESS.search(book.created[house])
    if found is None:
        raise ValueError("a house without an address")
    return str(json.loads(found[1]))
