"""Lakes with and without canaries: rows that were known only after the cases, of all that tools could trip over.

`PLANTED` has a builder for each domain of which agents are shown to be blind to the future.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final, NamedTuple

import polars as pl
from bank_canaries import bank_cases, planted, with_decided_alerts
from bitter_lake import NOON, Made, basket, drop, event, lake, lines, orders, run
from small_bank import SmallBank

from casper_ray.agents.agent import Agent
from casper_ray.lakehouse.names import Catalog

END = 240.0
"""Minutes from noon: cases are before, canaries are known after."""
_ORDERS = 150


class Lakes(NamedTuple):
    """plain: no canaries. later: they came in a batch of their own. together: in the same batch, read first.

    cases: of an agent, in the plain one.
    """

    plain: Catalog
    later: Catalog
    together: Catalog
    cases: Callable[[Agent, Catalog], pl.DataFrame]


def bank_lakes(folder: Path, bank: SmallBank) -> Lakes:
    plain = with_decided_alerts(bank, folder / "plain")
    later, together = (
        planted(plain, folder / name, together=name == "together") for name in ("later", "together")
    )
    return Lakes(plain, later, together, bank_cases)


def kitchen_cases(agent: Agent, plain: Catalog) -> pl.DataFrame:
    return agent.cases(agent.open_store(plain, None), -1, 9)


def kitchen_lakes(folder: Path, bank: SmallBank) -> Lakes:
    plain, later, together = (lake(folder / name) for name in ("plain", "later", "together"))
    made = [order for order in orders(_ORDERS) if order.delivered < END]
    for catalog in (plain, later, together):
        drop(catalog, "r-42", 0, (0, END), lines(made, {}))
    drop(together, "a-1", 1, (END, 2 * END), kitchen_canaries())
    for catalog in (plain, later, together):
        run(catalog)
    drop(later, "a-1", 1, (END, 2 * END), kitchen_canaries())
    run(later)
    for catalog in (plain, later, together):
        drop(catalog, "c-1", 0, (0, END), complaints(made), feed="complaints")
        run(catalog, "casper_ray.medallion.support.pipeline:PIPELINE")
    return Lakes(plain, later, together, kitchen_cases)


def complaints(made: Sequence[Made]) -> bytes:
    """Of every other order, a quarter of an hour after its delivery: it was late, or something was missing."""
    told = []
    for order in made[::2]:
        at = NOON + timedelta(minutes=min(order.delivered + 15, END - 1))
        text = "My order was far too late." if len(told) % 2 else "The pie was missing from the bag."
        complaint = {
            "complaint_id": f"c-{order.order_id}",
            "ts": f"{at:%Y-%m-%d %H:%M:%S}.000",
            "order_id": order.order_id,
            "sender": f"{int(order.order_id[1:])} Quay St",
            "language": "en",
            "text": text,
        }
        told.append(json.dumps(complaint).encode() + b"\n")
    return b"".join(told)


def kitchen_canaries() -> bytes:
    """Each is dated within the cases' day, as if it had always been there; none was known before `END`."""
    told = []
    for number in range(70, _ORDERS):
        order_id, address = f"K{number:05d}", f"{number} Quay St"
        richer = {**basket(number, "Canary pie", f"{number} Canary Row")}
        richer["items"][0]["price"] = 900.0
        # Created again: dearer, elsewhere, of another address.
        told.append(event("order_created", order_id, number - 0.5, name="-again", body=richer, location=2))
        told.append(event("delivered", order_id, number + 1, name="-again"))
        told.append(event("gk_ready", order_id, number + 2, name="-canary"))
        # Other orders of the same house, and of the same location, very late.
        body = basket(number, "Canary soup", address)
        told.append(event("order_created", f"C{number:05d}", number - 60, body=body))
        told.append(event("delivered", f"C{number:05d}", number + 100))
    return b"".join(told)


PLANTED: Final[Mapping[str, Callable[[Path, SmallBank], Lakes]]] = {
    "bank": bank_lakes,
    "kitchen": kitchen_lakes,
}
