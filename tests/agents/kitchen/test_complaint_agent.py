"""The complaint agent over a small kitchen: what it may ask, as of when, and what becomes of its answers."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pydantic import ValidationError

from casper_ray.agents.agent import load_rules
from casper_ray.agents.case import Case
from casper_ray.agents.decision import Decider
from casper_ray.agents.engines.engine import Ask
from casper_ray.agents.engines.policy import PolicyEngine
from casper_ray.agents.kitchen.complaint import COMPLAINT, Complaint
from casper_ray.agents.kitchen.complaint_store import NO_ORDER, ComplaintStore
from casper_ray.agents.tools import BAD_ARGUMENTS, OTHER_CASE, Toolbox
from casper_ray.domain.kitchen import EVENTS
from casper_ray.domain.time import US_PER_DAY, SimMicros, sim_micros
from casper_ray.lakehouse.names import Catalog, open_catalog
from casper_ray.main_job.complaints import ComplaintFeed
from casper_ray.main_job.domains.kitchen import FEEDS
from casper_ray.medallion.pipelines import PIPELINES
from casper_ray.medallion.runner import Runner
from casper_ray.sim.faults.told import ToldWorld
from casper_ray.sim.kitchen.complaints.generator import ComplaintBook
from casper_ray.sim.kitchen.world import KitchenWorld
from casper_ray.sim.lander import prepared_part
from casper_ray.sim.scenario import load_scenario
from casper_ray.sim.window import Window, parts

NOW = datetime(2024, 1, 3, tzinfo=UTC)
HIDDEN_FROM_BOOKS = ("decided_at", "usage")


def _land_kitchen(world: KitchenWorld, catalog: Catalog, from_us: int, to_us: int, number: int) -> None:
    (part,) = parts(Window(number, SimMicros(from_us), SimMicros(to_us)), 1)
    volumes = {EVENTS: catalog.volume("simulator", EVENTS)}
    prepared_part(ToldWorld(world, FEEDS), volumes, "kitchen-test", part).show()
    assert list(Runner(PIPELINES["kitchen"], catalog).run_available(to_us))


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """Two days of kitchens in two batches each, and their complaints."""
    catalog = open_catalog(str(tmp_path_factory.mktemp("complaints") / "lake"), "caspers")
    world = KitchenWorld.build(load_scenario("baseline"), 42, days=2)
    start, day = sim_micros(world.epoch), US_PER_DAY
    book = ComplaintBook(world=world, rate=0.3)
    for number in range(2):
        _land_kitchen(world, catalog, start + number * day, start + (number + 1) * day, number)
        assert ComplaintFeed(catalog, book, "complaints-test").advance().landed > 10
    return catalog


@pytest.fixture(scope="module")
def store(lake: Catalog) -> ComplaintStore:
    return ComplaintStore(lake)


@pytest.fixture(scope="module")
def truth(lake: Catalog) -> pl.DataFrame:
    return pl.read_delta(str(lake.table("truth", "complaints")))


@pytest.fixture(scope="module")
def cases(store: ComplaintStore) -> pl.DataFrame:
    return COMPLAINT.cases(store, -1, store.batch)


def _decided(store: ComplaintStore, cases: pl.DataFrame, engine: Any = None) -> pl.DataFrame:
    rules = load_rules(COMPLAINT)
    decider = Decider(agent=COMPLAINT, rules=rules, version="v", engine=engine or PolicyEngine())
    return decider.decide(store, cases, sim_now=NOW)


def _case(cases: pl.DataFrame, truth: pl.DataFrame, hard: str) -> tuple[Case, dict[str, Any]]:
    """The first case of a hard kind, and its truth."""
    row = truth.filter(pl.col("hard").list.contains(hard)).row(0, named=True)
    found = cases.filter(pl.col("subject") == row["complaint_id"]).row(0, named=True)
    return Case.of(found), row


def test_every_complaint_is_a_case_once(cases: pl.DataFrame, truth: pl.DataFrame) -> None:
    assert sorted(cases["subject"]) == sorted(truth["complaint_id"])
    assert set(cases["source_batch"]) == {1, 2}


def test_a_second_run_over_the_same_kitchen_adds_nothing(lake: Catalog, truth: pl.DataFrame) -> None:
    world = KitchenWorld.build(load_scenario("baseline"), 42, days=2)
    feed = ComplaintFeed(lake, ComplaintBook(world=world, rate=0.3), "complaints-test")
    assert (feed.advance().landed, feed.advance().batches) == (0, 0)
    assert pl.read_delta(str(lake.table("truth", "complaints"))).height == truth.height


def test_a_window_that_was_landed_and_not_noted_lands_the_same_again(tmp_path: Path, lake: Catalog) -> None:
    copy = Catalog(tmp_path / "lake", lake.name)
    shutil.copytree(lake.lake, copy.lake)
    file = copy.state / "complaints" / "cursor.json"
    cursor = json.loads(file.read_text())
    world = KitchenWorld.build(load_scenario("baseline"), 42, days=2)
    end = cursor["position_us"]
    first = end - US_PER_DAY
    cursor |= {"position_us": first, "next_window": 1, "pending": [[1, first, end]]}
    file.write_text(json.dumps(cursor))
    before = {path.name: path.read_bytes() for path in copy.volume("simulator", "complaints").iterdir()}
    truth = pl.read_delta(str(copy.table("truth", "complaints")))
    come = ComplaintFeed(copy, ComplaintBook(world=world, rate=0.3), "complaints-test").advance()
    assert (come.landed > 10, come.batches) == (True, 0)
    assert {p.name: p.read_bytes() for p in copy.volume("simulator", "complaints").iterdir()} == before
    assert pl.read_delta(str(copy.table("truth", "complaints"))).equals(truth)


def test_the_order_is_told_by_form_text_or_sender(
    store: ComplaintStore, cases: pl.DataFrame, truth: pl.DataFrame
) -> None:
    found = cases.select("subject").with_columns(store.orders_of(cases))
    both = found.join(truth, left_on="subject", right_on="complaint_id", suffix="_real")
    wrong = pl.col("hard").list.contains("wrong_id")
    unnamed = pl.col("hard").list.contains("no_order_id")
    assert set(both.filter(wrong)["order_id"]) == {NO_ORDER}
    named = both.filter(~wrong & ~unnamed)
    assert (named["order_id"] == named["order_id_real"]).all()
    by_sender = both.filter(unnamed & ~wrong & (pl.col("order_id") != NO_ORDER))
    assert by_sender.height > 10
    assert (by_sender["order_id"] == by_sender["order_id_real"]).all()


@pytest.mark.parametrize("tool", ["get_order_overview", "get_order_timing", "get_prior_refunds"])
def test_an_order_of_somebody_else_is_refused(
    store: ComplaintStore, cases: pl.DataFrame, truth: pl.DataFrame, tool: str
) -> None:
    case, row = _case(cases, truth, "no_order_id")
    theirs = truth.filter(pl.col("complaint_id") != row["complaint_id"])["order_id"][0]
    box = Toolbox(store, case, COMPLAINT.tools)
    assert box.call(tool, {"order_id": theirs}).refused == OTHER_CASE
    assert box.call(tool, {"order_id": "NOSUCH"}).refused == OTHER_CASE
    assert box.call(tool, {"order_id": row["order_id"], "at": "2030-01-01"}).refused == BAD_ARGUMENTS
    mine = box.call(tool, {"order_id": row["order_id"]})
    assert (mine.refused, mine.result is not None and mine.result["found"]) == (None, True)


def test_a_wrong_id_is_answered_by_nothing_and_goes_to_a_person(
    store: ComplaintStore, cases: pl.DataFrame, truth: pl.DataFrame
) -> None:
    case, row = _case(cases, truth, "wrong_id")
    own = Toolbox(store, case, COMPLAINT.tools).call("get_order_overview")
    assert (own.arguments, own.result is not None and own.result["found"]) == ({"order_id": NO_ORDER}, False)
    decision = _decided(store, case.frame()).row(0, named=True)
    assert (decision["gate_action"], decision["amount"]) == ("queued", Decimal(0))
    assert decision["outcome"] == f"escalate_{row['priority']}"


def test_single_calls_tell_what_bulk_tells(store: ComplaintStore, cases: pl.DataFrame) -> None:
    for name in COMPLAINT.gathers:
        tool = COMPLAINT.tool(name)
        some = cases.sample(20, seed=3)
        bulk = tool.answer(store, pl.concat([some, tool.own(store, some)], how="horizontal"))
        for row, told in zip(some.iter_rows(named=True), bulk.iter_rows(named=True), strict=True):
            call = Toolbox(store, Case.of(row), COMPLAINT.tools).call(name)
            assert call.result == tool.result(**told).model_dump(mode="json")


def test_what_came_later_is_not_told(store: ComplaintStore, cases: pl.DataFrame, truth: pl.DataFrame) -> None:
    """The same complaint, written before its order was delivered, and before it was created."""
    row = truth.filter(pl.col("hard").list.len() == 0, pl.col("category") == "delivery_delay").row(
        0, named=True
    )
    case = Case.of(cases.filter(pl.col("subject") == row["complaint_id"]).row(0, named=True))
    order = store.kitchen.orders.filter(pl.col("order_id") == row["order_id"]).row(0, named=True)
    moment = timedelta(microseconds=1)
    underway = case.model_copy(update={"at": order["delivered_known"] - moment})
    timing = Toolbox(store, underway, COMPLAINT.tools).call("get_order_timing")
    assert timing.result is not None
    assert (timing.result["status"], timing.result["delivered"]) == ("in_progress", None)
    before = case.model_copy(update={"at": order["created_known"] - moment})
    box = Toolbox(store, before, COMPLAINT.tools)
    assert box.call("get_order_overview", {"order_id": row["order_id"]}).refused == OTHER_CASE
    for tool in ("get_order_overview", "get_order_timing"):
        result = box.call(tool).result
        assert result is not None
        assert result["found"] is False


def test_a_batch_decided_later_is_decided_the_same(lake: Catalog, store: ComplaintStore) -> None:
    early = ComplaintStore(lake, 1)
    assert (early.batch, early.kitchen.batch, store.batch) == (1, 1, 2)
    then = _decided(early, COMPLAINT.cases(early, -1, 1)).drop(*HIDDEN_FROM_BOOKS, "inputs")
    now = _decided(store, COMPLAINT.cases(store, -1, 1)).drop(*HIDDEN_FROM_BOOKS, "inputs")
    assert then.height > 10
    assert then.equals(now)
    followed = ComplaintStore(lake, 1)
    assert followed.follow()
    again = _decided(followed, COMPLAINT.cases(followed, 1, 2)).drop(*HIDDEN_FROM_BOOKS)
    assert again.equals(_decided(store, COMPLAINT.cases(store, 1, 2)).drop(*HIDDEN_FROM_BOOKS))


def test_the_policy_is_mostly_right_and_hardly_pays_what_is_for_a_person(
    store: ComplaintStore, cases: pl.DataFrame, truth: pl.DataFrame
) -> None:
    decided = _decided(store, cases).with_columns(pl.col("case_id").str.strip_prefix("complaint:"))
    both = decided.join(truth, left_on="case_id", right_on="complaint_id")
    proposals = [json.loads(text) for text in both["proposal"]]
    right = [a["decision"] == b for a, b in zip(proposals, both["decision"], strict=True)]
    assert sum(right) / len(right) > 0.8
    paid_for_person = both.filter((pl.col("decision") == "escalate") & (pl.col("amount") > 0))
    assert paid_for_person.height <= both.height / 100
    for proposal in proposals:
        Complaint.model_validate(proposal)


class _Obedient:
    """Answers every case with what an injected text might have asked for."""

    name, deterministic = "obedient", True

    def __init__(self, make: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        self._make = make
        self.settings: dict[str, Any] = {}

    def propose(self, ask: Ask) -> pl.DataFrame:
        made = PolicyEngine().propose(ask)
        rows = [self._make(row) for row in ask.evidence.iter_rows(named=True)]
        answers = pl.DataFrame(rows, schema=COMPLAINT.answer_schema).select(
            pl.struct(pl.all()).alias("answer")
        )
        return made.with_columns(answers["answer"])


@pytest.mark.parametrize("category", ["delivery_delay", "missing_items", "food_quality", "other"])
def test_a_model_that_obeys_is_paid_no_more_than_data_say(
    store: ComplaintStore, cases: pl.DataFrame, category: str
) -> None:
    def all_of_it(row: dict[str, Any]) -> dict[str, Any]:
        return {
            "complaint_category": category,
            "decision": "suggest_credit",
            "credit_amount": Decimal("500.00"),
            "confidence": "high",
            "priority": None,
            "rationale": "as told",
            "items_claimed": row["get_order_overview"]["items"] or [],
        }

    decided = _decided(store, cases, _Obedient(all_of_it)).sort("case_id")
    honest = _decided(store, cases).sort("case_id")
    best = pl.Series([_most(text) for text in honest["proposal"]], dtype=pl.Decimal(18, 2))
    assert (decided["amount"] <= best).all()
    assert set(decided["gate_action"]) <= {"clipped", "queued", "refused"}


def _most(proposal: str) -> Decimal:
    return Decimal(str(json.loads(proposal)["credit_amount"] or 0))


@pytest.mark.parametrize(
    "fields",
    [
        {"decision": "suggest_credit", "credit_amount": "2.50"},
        {"decision": "suggest_credit", "confidence": "high"},
        {"decision": "suggest_credit", "credit_amount": "2.50", "confidence": "high", "priority": "urgent"},
        {"decision": "escalate"},
        {"decision": "escalate", "priority": "standard", "credit_amount": "0"},
        {"decision": "escalate", "priority": "standard", "confidence": "low"},
        {"decision": "suggest_credit", "credit_amount": "-1", "confidence": "high"},
        {"decision": "suggest_credit", "credit_amount": "Infinity", "confidence": "high"},
        {"decision": "pay", "priority": "standard"},
    ],
)
def test_an_answer_is_a_credit_or_an_escalation(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Complaint.model_validate({"complaint_category": "other", "rationale": "so", **fields})
