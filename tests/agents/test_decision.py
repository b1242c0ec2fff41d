"""Rows of decisions: their columns, their keys, and that one case is decided as many are."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from casper_ray.agents.agent import agent_version, load_rules
from casper_ray.agents.case import Case, no_cases
from casper_ray.agents.decision import DECISIONS, NOT_CONTENT, Decider, idempotency_key
from casper_ray.agents.engines.engine import Ask
from casper_ray.agents.engines.policy import PolicyEngine
from casper_ray.agents.kitchen.refund import REFUND, cases
from casper_ray.agents.kitchen.store import KitchenStore
from casper_ray.agents.ledger import Ledger, Payment

IN_CONTRACT = [
    "decision_id",
    "agent",
    "agent_version",
    "case_id",
    "case_ts",
    "decided_sim_ts",
    "decided_at",
    "proposal",
    "gate_action",
    "gate_reasons",
    "final",
    "engine",
    "usage",
    "inputs",
    "idempotency_key",
]
ADDED = ["outcome", "amount", "pays_for", "customer", "source_batch", "_known_ts"]
NOW = datetime(2024, 1, 3, tzinfo=UTC)
RULES = load_rules(REFUND)
ENGINE = PolicyEngine()


class Scripted:
    """An engine that says what it is told to: `failure` of every case, or the policy's answers changed."""

    name = "scripted"
    deterministic = True

    def __init__(self, **answer: Any) -> None:
        self.failure = answer.pop("failure", None)
        self.answer = answer

    @property
    def settings(self) -> dict[str, Any]:
        return {"name": self.name, "answer": str(self.answer)}

    def propose(self, ask: Ask) -> pl.DataFrame:
        made = PolicyEngine().propose(ask)
        fields = [pl.lit(v, REFUND.answer_schema[k]).alias(k) for k, v in self.answer.items()]
        changed = made.with_columns(pl.col("answer").struct.with_fields(fields)) if fields else made
        if self.failure is None:
            return changed
        return changed.with_columns(
            pl.lit(None, pl.Struct(REFUND.answer_schema)).alias("answer"),
            pl.lit(self.failure).alias("failure"),
        )


def decider(engine: Any = ENGINE, *, ledger: Ledger | None = None, **gate: Any) -> Decider:
    rules = replace(RULES, gate=RULES.gate.model_copy(update=gate), raw={**RULES.raw, "changed": str(gate)})
    version = agent_version(REFUND, rules, engine.settings)
    return Decider(agent=REFUND, rules=rules, version=version, engine=engine, ledger=ledger or Ledger())


@pytest.fixture(scope="module")
def late_cases(kitchen_store: KitchenStore) -> pl.DataFrame:
    """200 cases of the second day, when there is a day to compare with."""
    return cases(kitchen_store, 4, 8).sample(200, seed=5)


@pytest.fixture(scope="module")
def rows(kitchen_store: KitchenStore, late_cases: pl.DataFrame) -> pl.DataFrame:
    return decider().decide(kitchen_store, late_cases, sim_now=NOW)


def content(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.drop(NOT_CONTENT)


def test_columns_are_the_contracts_and_then_more(rows: pl.DataFrame) -> None:
    assert rows.columns == DECISIONS.schema.names == IN_CONTRACT + ADDED
    assert rows.to_arrow().cast(DECISIONS.schema).schema == DECISIONS.schema


def test_one_row_per_case_in_the_order_of_instants(rows: pl.DataFrame, late_cases: pl.DataFrame) -> None:
    ordered = late_cases.sort("at", "case_id")
    assert rows["case_id"].to_list() == ordered["case_id"].to_list()
    assert rows["case_ts"].equals(ordered["at"].alias("case_ts"))
    assert rows["_known_ts"].equals(rows["case_ts"].alias("_known_ts"))
    assert rows["decision_id"].is_unique().all()
    assert set(rows["decided_sim_ts"]) == {NOW}


def test_the_order_of_the_frame_is_nothing(
    kitchen_store: KitchenStore, late_cases: pl.DataFrame, rows: pl.DataFrame
) -> None:
    again = decider().decide(kitchen_store, late_cases.reverse(), sim_now=NOW + timedelta(days=9))
    assert_frame_equal(content(again), content(rows))


def test_one_case_is_decided_as_many_are(
    kitchen_store: KitchenStore, late_cases: pl.DataFrame, rows: pl.DataFrame
) -> None:
    one_by_one = decider()
    told = [
        one_by_one.decide(kitchen_store, Case.of(row).frame(), sim_now=NOW)
        for row in late_cases.sort("at", "case_id").head(30).rows(named=True)
    ]
    assert_frame_equal(content(pl.concat(told)), content(rows.head(30)))


def test_equal_instants_are_decided_by_case_id(kitchen_store: KitchenStore, late_cases: pl.DataFrame) -> None:
    """Two that share a limit: the one whose id comes first has it."""
    paid = decider().decide(kitchen_store, late_cases, sim_now=NOW).filter(pl.col("amount") > 0)
    pair = late_cases.filter(pl.col("case_id") == paid["case_id"][0])
    twins = pl.concat([pair.with_columns(pl.lit(name).alias("case_id")) for name in ("b", "a", "c")])
    once = decider(cap_customer_day=paid["amount"][0], velocity=None)
    told = once.decide(kitchen_store, twins, sim_now=NOW)
    assert told["case_id"].to_list() == ["a", "b", "c"]
    assert [amount > 0 for amount in told["amount"]] == [True, False, False]


def test_every_proposal_and_final_is_an_answer(rows: pl.DataFrame) -> None:
    for text in (*rows["proposal"], *rows["final"].drop_nulls()):
        REFUND.answer.model_validate_json(text)
    assert rows["proposal"].null_count() == 0


def test_final_is_null_where_nothing_is_decided_and_has_the_amount_where_it_is(
    kitchen_store: KitchenStore, late_cases: pl.DataFrame
) -> None:
    """Limits so low that all of the gate's actions occur."""
    told = decider(cap=Decimal(9), two_people_above=Decimal(7), cap_customer_day=Decimal("9"))
    rows = told.decide(kitchen_store, late_cases, sim_now=NOW)
    assert set(rows["gate_action"]) >= {"approved", "queued"}
    for row in rows.iter_rows(named=True):
        if row["gate_action"] in ("queued", "refused"):
            assert (row["final"], row["amount"]) == (None, Decimal("0.00"))
        else:
            assert Decimal(json.loads(row["final"])["refund_usd"]) == row["amount"]


def test_keys_are_of_agent_and_case_and_ids_of_the_version_too(
    kitchen_store: KitchenStore, late_cases: pl.DataFrame, rows: pl.DataFrame
) -> None:
    other = decider(cap=Decimal(50)).decide(kitchen_store, late_cases, sim_now=NOW)
    assert other["idempotency_key"].equals(rows["idempotency_key"])
    assert rows["idempotency_key"].is_unique().all()
    assert not set(other["decision_id"]) & set(rows["decision_id"])
    assert idempotency_key("a", "bc") != idempotency_key("ab", "c")


def test_inputs_say_what_it_was_decided_on(kitchen_store: KitchenStore, rows: pl.DataFrame) -> None:
    digests = set()
    for row in rows.iter_rows(named=True):
        told = json.loads(row["inputs"])
        assert datetime.fromisoformat(told["as_of"]) == row["case_ts"]
        assert told["source_batch"] == row["source_batch"]
        assert told["tables"] == dict(KitchenStore(kitchen_store.catalog, row["source_batch"]).versions)
        assert (told["prompt"], told["rules"]) == ("refund.v1", "refund-gate.v1")
        digests.add(told["evidence"])
    assert len(digests) == rows.height


def test_what_the_customer_wrote_is_of_the_inputs(
    kitchen_store: KitchenStore, late_cases: pl.DataFrame
) -> None:
    cases = [late_cases.head(1).with_columns(pl.lit(text).alias("text")) for text in ("one 🥟", "other")]
    told = [decider().decide(kitchen_store, case, sim_now=NOW)["inputs"].item() for case in cases]
    assert json.loads(told[0])["evidence"] != json.loads(told[1])["evidence"]


@pytest.mark.parametrize("off", [False, True])
def test_no_cases_are_no_decisions(kitchen_store: KitchenStore, rows: pl.DataFrame, off: bool) -> None:
    none = decider().decide(kitchen_store, no_cases(), sim_now=NOW, off=off)
    assert none.is_empty()
    assert none.schema == rows.schema


def test_an_agent_that_is_off_asks_nothing_and_queues_everything(
    kitchen_store: KitchenStore, late_cases: pl.DataFrame, rows: pl.DataFrame
) -> None:
    off = decider().decide(kitchen_store, late_cases, sim_now=NOW, off=True)
    assert off.schema == rows.schema
    assert set(off["gate_action"]) == {"queued"}
    assert off["gate_reasons"].to_list() == [["kill_switch"]] * off.height
    assert off["proposal"].null_count() == off["final"].null_count() == off.height
    assert off["inputs"].null_count() == 0
    assert set(off["outcome"]) == {"kill_switch"}
    assert off["amount"].sum() == 0


def test_a_failure_is_named_and_goes_to_a_person(
    kitchen_store: KitchenStore, late_cases: pl.DataFrame
) -> None:
    told = decider(Scripted(failure="invalid_output")).decide(kitchen_store, late_cases, sim_now=NOW)
    assert told["gate_reasons"].to_list() == [["invalid_output"]] * told.height
    assert set(told["outcome"]) == {"invalid_output"}
    assert told["proposal"].null_count() == told.height


def test_an_engine_that_wants_everything_pays_no_more_than_the_policy(
    kitchen_store: KitchenStore, late_cases: pl.DataFrame, rows: pl.DataFrame
) -> None:
    greedy = Scripted(refund_class="full", refund_usd=Decimal("9999.99"), reason="Pay! ' \" \\ 🥟 \u202e")
    told = decider(greedy).decide(kitchen_store, late_cases, sim_now=NOW)
    assert rows["amount"].sum() > 0
    assert told["amount"].equals(rows["amount"])
    assert "approved" not in set(told["gate_action"])
    for text in told["proposal"]:
        assert REFUND.answer.model_validate_json(text).model_dump()["refund_usd"] == Decimal("9999.99")


def test_what_was_paid_before_is_not_paid_again(
    kitchen_store: KitchenStore, late_cases: pl.DataFrame, rows: pl.DataFrame
) -> None:
    moved = rows.filter(pl.col("amount") > 0)
    ledger = Ledger(
        Payment(row["case_id"], row["pays_for"], row["customer"], row["case_ts"].date(), row["amount"])
        for row in moved.iter_rows(named=True)
    )
    again = decider(ledger=ledger).decide(kitchen_store, late_cases, sim_now=NOW)
    assert moved.height > 10
    assert again["amount"].sum() == 0
