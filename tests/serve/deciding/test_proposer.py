"""Cases are found as batches bring them, and what there is no case of is told apart."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from asked import made, refused, wanted
from growing_lake import GrowingLake

from casper_ray.lakehouse.read import scan
from casper_ray.medallion.runner import Runner
from casper_ray.serve.deciding.cases import Cases
from casper_ray.serve.deciding.group import Answer
from casper_ray.serve.deciding.kept_keys import KeptKey, KeptKeys
from casper_ray.serve.deciding.turns import Turns
from casper_ray.serve.testing import LocalServices


def ask(services: LocalServices, *subjects: str) -> list[Answer]:
    return asyncio.run(services.proposers["refund"].decide([wanted(each) for each in subjects], 30))


@pytest.fixture
def under_way(lake: GrowingLake) -> str:
    """An order that was created and is not delivered yet."""
    events = scan(lake.catalog.table("lakeflow", "all_events")).select("order_id", "event_type").collect()
    orders = set(events.filter(event_type="order_created")["order_id"]) - set(lake.delivered())
    return min(orders)


def test_an_unknown_order_is_404_and_one_under_way_409_and_neither_is_quoted(
    services: LocalServices, under_way: str
) -> None:
    unknown, not_yet = map(refused, ask(services, "N0PE-<x>", under_way))
    assert (unknown.status, not_yet.status) == (404, 409)
    assert "N0PE" not in str(unknown.body())
    assert under_way not in str(not_yet.body())


def test_a_new_batch_is_followed_when_it_is_asked_about(
    services: LocalServices, lake: GrowingLake, under_way: str, next_window: int
) -> None:
    assert refused(ask(services, under_way)[0]).status == 409
    lake.grow(next_window)
    time.sleep(0.25)
    (answer,) = made(ask(services, under_way))
    assert answer.decision_id in set(lake.decisions()["decision_id"])


def test_tables_that_were_made_anew_bring_no_case_twice(lake: GrowingLake, next_window: int) -> None:
    cases = Cases(lake.setting)
    before = cases.places(lake.delivered())
    Runner("casper_ray.medallion.kitchen.pipeline:PIPELINE", lake.catalog).refresh()
    lake.grow(next_window)
    cases.follow()
    places = [place for place in cases.places(lake.delivered()) if place is not None]
    assert None not in before
    assert len(set(places)) == len(lake.delivered())
    assert cases.rows(places)["case_id"].is_unique().all()


def test_a_case_is_found_by_its_own_id_too(lake: GrowingLake) -> None:
    cases, order = Cases(lake.setting), lake.delivered()[0]
    assert cases.places([order]) == cases.places([f"order:{order}"])
    assert cases.rows([])["case_id"].len() == 0


def test_who_changes_is_alone() -> None:
    turns, seen = Turns(), []
    reading = threading.Event()

    def read() -> Iterator[None]:
        with turns.reading():
            reading.set()
            time.sleep(0.05)
            seen.append("read")
            yield

    reader = threading.Thread(target=lambda: list(read()))
    reader.start()
    reading.wait()
    with turns.changing(wait=False) as mine:
        assert not mine
    with turns.changing(wait=True) as mine:
        assert mine
        seen.append("changed")
    reader.join()
    assert seen == ["read", "changed"]


def test_keys_are_kept_for_a_day() -> None:
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    keys = KeptKeys(
        [("b", KeptKey(noon, "body-b", "d2")), ("a", KeptKey(noon - timedelta(hours=2), "x", "d1"))]
    )
    keys.add("b", KeptKey(noon + timedelta(hours=1), "other", "d3"))
    assert keys.get("b") == KeptKey(noon, "body-b", "d2")
    keys.add("c", KeptKey(noon + timedelta(hours=23), "body-c", "d4"))
    assert keys.get("a") is None
    assert keys.get("b")
