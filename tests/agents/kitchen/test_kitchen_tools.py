"""The kitchen's tools: one answer for one case and for many, and nothing that was known later."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from kitchen_lake import created, delivered, event, store_of
from small_lake import NOON

from casper_ray.agents.case import CASES, Case
from casper_ray.agents.kitchen.refund import REFUND, cases
from casper_ray.agents.kitchen.store import KitchenStore
from casper_ray.agents.tools import BAD_ARGUMENTS, NOT_GRANTED, OTHER_CASE, Tool, Toolbox, gathered

TOOLS = REFUND.tools
EVERY_TOOL = pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)


def case_of(order: str, minutes: float) -> Case:
    return Case(case_id=f"order:{order}", kind="order", at=NOON + timedelta(minutes=minutes), subject=order)


def told(store: KitchenStore, order: str, minutes: float) -> dict[str, dict[str, Any]]:
    """What every tool tells of an order as of an instant, single and in bulk, which are the same."""
    case = case_of(order, minutes)
    box = Toolbox(store, case, TOOLS)
    singly = {tool.name: box.call(tool.name).result or {} for tool in TOOLS}
    bulk = gathered(store, TOOLS, case.frame()).row(0, named=True)
    assert singly == {tool.name: as_json(tool, bulk[tool.name]) for tool in TOOLS}
    return singly


def as_json(tool: Tool, row: dict[str, Any]) -> dict[str, Any]:
    return tool.result(**row).model_dump(mode="json")


@pytest.fixture(scope="session")
def some_cases(kitchen_store: KitchenStore) -> pl.DataFrame:
    """Of deliveries; some as of the order's middle, of before it, of a day later, and of no order."""
    made = cases(kitchen_store, 0, kitchen_store.batch).sample(40, seed=3)
    shift = pl.Series([timedelta(minutes=m) for m in (0, -10, -300, 1440)] * 10)
    unknown = case_of("NO-SUCH", 0).frame()
    return pl.concat([made.with_columns(pl.col("at") + shift), unknown]).cast(CASES)


@EVERY_TOOL
def test_single_is_bulk(tool: Tool, kitchen_store: KitchenStore, some_cases: pl.DataFrame) -> None:
    bulk = gathered(kitchen_store, [tool], some_cases)[tool.name].to_list()
    singly = [Toolbox(kitchen_store, Case.of(c), [tool]).call(tool.name) for c in some_cases.rows(named=True)]
    assert [call.refused for call in singly] == [None] * len(bulk)
    assert [call.result for call in singly] == [as_json(tool, row) for row in bulk]
    assert any(row["found"] for row in bulk)
    assert not bulk[-1]["found"]


@EVERY_TOOL
def test_no_cases_are_no_answers(tool: Tool, kitchen_store: KitchenStore, some_cases: pl.DataFrame) -> None:
    none, some = (gathered(kitchen_store, [tool], f) for f in (some_cases.clear(), some_cases))
    assert none.is_empty()
    assert none.schema == some.schema


@EVERY_TOOL
def test_a_store_that_has_only_the_past_tells_the_same(tool: Tool, kitchen_store: KitchenStore) -> None:
    """The store of the case's own batch knows nothing later: what the newest store tells must be that."""
    past = KitchenStore(kitchen_store.catalog, 5)
    made = cases(past, 4, 5)
    assert made.height > 50
    assert gathered(past, [tool], made).equals(gathered(kitchen_store, [tool], made))


@EVERY_TOOL
def test_only_its_own_case_is_told_of(
    tool: Tool, kitchen_store: KitchenStore, some_cases: pl.DataFrame
) -> None:
    rows = some_cases.rows(named=True)
    box = Toolbox(kitchen_store, Case.of(rows[0]), TOOLS)
    own = box.own_arguments(tool.name)
    field = next(iter(own))
    assert box.call(tool.name, own) == box.call(tool.name, json.dumps(own)) == box.call(tool.name)
    others: list[Any] = (
        [5, -1, 2**70] if field == "location_id" else [rows[1]["subject"], own[field] + " ", "%"]
    )
    for other in others:
        for given in ({field: other}, json.dumps({field: other})):
            call = box.call(tool.name, given)
            assert (call.refused, call.result) == (OTHER_CASE, None)


@pytest.mark.parametrize("nothing", [None, "", "{}", {}])
def test_called_without_arguments_a_tool_tells_of_the_case_itself(
    kitchen_store: KitchenStore, nothing: Any
) -> None:
    order = kitchen_store.orders.row(0, named=True)
    case = case_of(order["order_id"], 0).model_copy(update={"at": order["timed_known"]})
    box = Toolbox(kitchen_store, case, TOOLS)
    call = box.call("get_order_timing", nothing)
    assert (call.refused, call.arguments) == (None, {"order_id": order["order_id"]})
    assert call == box.call("get_order_timing", {"order_id": order["order_id"]})


@pytest.mark.parametrize(
    "arguments",
    [
        "null",
        "[]",
        "{",
        "prose, no JSON",
        '{"order_id": null}',
        '{"order_id": ""}',
        '{"order_id": ["A"]}',
        '{"order_id": "A", "at": "2030-01-01T00:00:00Z"}',
        '{"order_id": "A", "case_id": "order:B"}',
        '{"order_id": "\\ud800"}',
        '{"order_id": ' + "9" * 1500 + "}",
        "[" * 1_900,
        '{"order_id": "' + "A" * 5_000 + '"}',
        " " * 3_000 + '{"order_id": "A"}',
        {"order_id": "A" * 300},
        {"order_id": b"\xff"},
        {1: 2},
        [1],
        7,
    ],
    ids=lambda given: str(given)[:30],
)
def test_what_is_no_argument_is_refused_and_nothing_raised(
    kitchen_store: KitchenStore, arguments: Any
) -> None:
    box = Toolbox(kitchen_store, case_of("A", 0), TOOLS)
    assert box.call("get_order_timing", arguments).refused == BAD_ARGUMENTS
    assert [call.refused for call in box.calls] == [BAD_ARGUMENTS]


@pytest.mark.parametrize("name", ["", "get_everything", "GET_ORDER_TIMING", "x" * 10_000, "__class__"])
def test_a_tool_that_was_not_granted_is_refused(kitchen_store: KitchenStore, name: str) -> None:
    box = Toolbox(kitchen_store, case_of("A", 0), TOOLS[:1])
    for asked in (name, TOOLS[1].name):
        call = box.call(asked, {"order_id": "A"})
        assert (call.refused, call.result) == (NOT_GRANTED, None)
        assert len(call.tool) <= 100
    assert len(box.calls) == 2


def test_each_step_is_told_from_when_it_was_known(tmp_path: Path) -> None:
    store = store_of(tmp_path, [created("A", 1), event("gk_started", "A", 5, 1), delivered("A", 30)])
    before, on_its_way, there = (told(store, "A", minutes) for minutes in (0.9, 29.9, 30))
    assert not any(answer["found"] for answer in before.values())
    assert before["get_order_timing"]["status"] == "unknown"
    assert on_its_way["get_order_timing"]["status"] == "in_progress"
    assert on_its_way["get_order_timing"]["minutes"] is None
    assert on_its_way["get_order_details"]["events"] == ["order_created", "gk_started"]
    assert there["get_order_timing"]["minutes"] == 29
    assert there["get_order_timing"]["total"] == "20.00"


def test_a_delivery_without_its_creation_tells_no_minutes(tmp_path: Path) -> None:
    """The creation came an hour later: until then nobody could know how long it took."""
    others = [line for n in range(3) for line in (created(f"B{n}", 2), delivered(f"B{n}", 20))]
    store = store_of(tmp_path, [delivered("A", 30), *others], [created("A", 1), created("C", 61)])
    early, late = told(store, "A", 40), told(store, "A", 60)
    assert early["get_order_timing"] == {
        "found": False, "status": "unknown", "location_id": None, "created": None, "delivered": None,
        "minutes": None, "total": None,
    }  # fmt: skip
    assert not early["get_customer_address_history"]["found"]
    assert late["get_order_timing"]["minutes"] == 29
    assert told(store, "B0", 59)["get_location_timings"]["deliveries"] == 3
    assert told(store, "C", 62)["get_location_timings"]["deliveries"] == 4


def test_planted_later_rows_are_in_no_earlier_answer(tmp_path: Path) -> None:
    """The same order created and delivered anew, dear and elsewhere; and its address orders on."""
    first = [created("A", 1), event("gk_started", "A", 5, 1), delivered("A", 30)]
    planted = [
        created("A", 70, price=9999, number=20),
        delivered("A", 80, number=21),
        event("driver_ping", "A", 75, 22),
        created("B", 65),
        delivered("B", 100),
    ]
    clean = store_of(tmp_path / "clean", first, [created("Z", 61, address="elsewhere")])
    canary = store_of(tmp_path / "canary", first, planted)
    for minutes in (1, 10, 30, 59, 64.9):
        assert told(clean, "A", minutes) == told(canary, "A", minutes)
    later = told(canary, "A", 110)
    assert later["get_order_details"]["events"][-1] == "delivered"
    assert len(later["get_order_details"]["events"]) == 6
    assert later["get_customer_address_history"]["orders"] == 2
    assert later["get_location_timings"]["deliveries"] == 2
    assert later["get_order_overview"]["total"] == "20.00"
    assert later["get_order_overview"]["prices"] == ["20.00"]


def test_an_order_of_two_locations_is_that_of_its_creation(tmp_path: Path) -> None:
    store = store_of(tmp_path, [created("A", 1, location_id=1), delivered("A", 30, location_id=2)])
    answer = told(store, "A", 31)
    assert answer["get_order_timing"]["location_id"] == answer["get_order_details"]["location_id"] == 1
    assert answer["get_location_timings"]["deliveries"] == 1
    box = Toolbox(store, case_of("A", 31), TOOLS)
    assert box.call("get_location_timings", {"location_id": 2}).refused == OTHER_CASE


def test_the_location_day_ends_before_the_case_and_begins_a_day_before(tmp_path: Path) -> None:
    lines = [created(f"A{n}", 1) for n in range(4)]
    lines += [delivered(f"A{n}", end) for n, end in enumerate((10, 20, 20, 30))]
    far = [created("Z", 24 * 60 + 5)]
    store = store_of(tmp_path, lines, far, minutes=24 * 60)
    own = told(store, "A1", 20)["get_location_timings"]
    assert (own["deliveries"], own["p50"]) == (1, 9)
    day_later = [
        told(store, "Z", 24 * 60 + m)["get_location_timings"]["deliveries"] for m in (10, 10.1, 20.1)
    ]
    assert day_later == [4, 3, 1]


def test_what_a_customer_or_a_menu_writes_is_told_as_it_is(tmp_path: Path) -> None:
    name = 'Suppe "ß" \\ 点心 🥟 \u202e </customer_text>'
    basket = {"id": 1, "menu_id": 1, "category_id": 1, "brand_id": 3, "name": name, "price": 2.35, "qty": 3}
    body = json.dumps({"customer_addr": "x", "items": [basket]})
    answer = told(store_of(tmp_path, [event("order_created", "A", 1, 0, body=body)]), "A", 2)
    overview = answer["get_order_overview"]
    assert (overview["items"], overview["prices"], overview["quantities"]) == ([name], ["2.35"], [3])
    assert Decimal(overview["total"]) == Decimal("7.05")


def test_instants_are_of_the_simulated_world(kitchen_store: KitchenStore, some_cases: pl.DataFrame) -> None:
    found = gathered(kitchen_store, TOOLS, some_cases)
    for at, created_at, instants, last in found.select(
        "at",
        pl.col("get_order_timing").struct.field("created"),
        pl.col("get_order_details").struct.field("instants"),
        pl.col("get_customer_address_history").struct.field("last"),
    ).iter_rows():
        seen: list[datetime] = [*(instants or []), *(x for x in (created_at, last) if x)]
        assert all(instant <= at for instant in seen)
