"""Changes of customers: every image follows from the one before."""

from __future__ import annotations

import polars as pl

from casper_ray.domain import bank
from casper_ray.domain.time import US_PER_DAY
from casper_ray.sim.bank.changes import INSERTS_LAST_MS
from casper_ray.sim.bank.rows import Kind, Rows
from casper_ray.sim.bank.scenario import BankScenario
from casper_ray.sim.bank.world import BankWorld


def test_images_chain(feeds: dict[str, pl.DataFrame], world: BankWorld) -> None:
    changes = feeds["customer_cdc"].sort("customer_id", "lsn")
    last: dict[str, dict[str, object] | None] = {}
    count: dict[str, int] = {}
    for row in changes.iter_rows(named=True):
        customer = row["customer_id"]
        count[customer] = count.get(customer, 0) + 1
        assert row["lsn"] == count[customer]
        assert row["before"] == last.get(customer)
        assert (row["op"] == "insert") is (row["before"] is None)
        assert (row["op"] == "delete") is (row["after"] is None)
        assert row["before"] != row["after"]
        assert (row["after"] or row["before"])["customer_id"] == customer
        last[customer] = row["after"]
    assert len(last) == world.scenario.customers
    assert max(count.values()) > 1


def test_changes_come_in_order_of_their_numbers(feeds: dict[str, pl.DataFrame]) -> None:
    changes = feeds["customer_cdc"].sort("customer_id", "lsn")
    same = changes["customer_id"] == changes["customer_id"].shift(1)
    assert (changes["ts_us"].diff().filter(same) >= 0).all()


def test_every_customer_is_told_on_day_0(feeds: dict[str, pl.DataFrame], start_us: int) -> None:
    inserts = feeds["customer_cdc"].filter(op="insert")
    assert inserts["ts_us"].is_between(start_us, start_us + INSERTS_LAST_MS * 1000).all()


def test_enrolled_devices_are_told_when_they_happen(
    feeds: dict[str, pl.DataFrame], rows: Rows, start_us: int
) -> None:
    enrolled = rows[rows["kind"] == Kind.ENROLMENT]
    at = set(((enrolled["day"].astype("i8") * 86_400_000 + enrolled["ms"]) * 1000 + start_us).tolist())
    updates = feeds["customer_cdc"].filter(op="update")
    before, after = (updates[image].struct.field("device_id") for image in ("before", "after"))
    told = updates.filter(before != after)
    assert set(told["ts_us"]) == at
    gained = told["after"].struct.field("devices") - told["before"].struct.field("devices")
    assert set(gained) == {1}


def test_who_leaves_is_deleted_and_does_nothing_more() -> None:
    scenario = BankScenario(name="leaving", customers=3_000, days=60, prevalence=0.002)
    world = BankWorld.build(scenario, seed=2)
    start = int(world.epoch.timestamp()) * 1_000_000
    changes = world.events("customer_cdc", start + 600_000_000, world.end_us())
    gone = changes.filter(op="delete")
    assert gone.height > 2
    assert set(changes["op"]) == {"update", "delete"}
    number = int(gone["customer_id"][0][1:])
    day = int(gone["ts_us"][0] - start) // US_PER_DAY
    for later in range(day, world.days):
        assert not (world.engine.rows(later)["customer"] == number).any()
    assert changes.columns[:-1] == list(bank.CDC_COLUMNS)
