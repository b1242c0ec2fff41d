"""What becomes an alert group, what the fraud agent makes of it, and what its gate lets through."""

from __future__ import annotations

import re
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import polars as pl
import pytest
from pydantic import ValidationError
from small_bank import SmallBank

from casper_ray.agents.agent import agent_version, load_rules
from casper_ray.agents.bank.alert import ALERT
from casper_ray.agents.bank.fraud import FRAUD, Fraud
from casper_ray.agents.bank.groups import UNDECIDED_SCORE
from casper_ray.agents.bank.store import BankStore
from casper_ray.agents.bank.typology import RIGHT_ACTION, typologies
from casper_ray.agents.case import Case, no_cases
from casper_ray.agents.decision import SCHEMA, TABLE, Decider
from casper_ray.agents.engines.policy import PolicyEngine
from casper_ray.agents.gate import judged
from casper_ray.agents.ledger import Ledger
from casper_ray.agents.tools import OTHER_CASE, Toolbox, gathered
from casper_ray.lakehouse.names import open_catalog

RULES = load_rules(FRAUD)
SETTINGS: Any = RULES.policy
PAGE = Path(__file__).parents[3] / "docs" / "reference" / "bank-typologies.md"


@pytest.fixture(scope="module")
def decided(bank_lake: SmallBank, tmp_path_factory: pytest.TempPathFactory) -> BankStore:
    """The lake with the alert agent's decisions in it; the first flagged transaction's was changed to `hold`."""
    folder = tmp_path_factory.mktemp("decided") / "lake"
    shutil.copytree(bank_lake.catalog.lake, folder)
    catalog = open_catalog(str(folder), "bank_dev")
    rows = decide(ALERT, BankStore(catalog))
    held = pl.when(pl.int_range(pl.len()) == 0).then(pl.lit("hold")).otherwise("outcome")
    rows.with_columns(held.alias("outcome")).write_delta(str(catalog.table(SCHEMA, TABLE)))
    return BankStore(catalog)


def decide(agent: Any, store: BankStore) -> pl.DataFrame:
    engine, rules = PolicyEngine(), load_rules(agent)
    version = agent_version(agent, rules, engine.settings)
    found = agent.cases(store, -1, store.batch)
    now = store.flagged["flagged_ts"][-1]
    return Decider(agent=agent, rules=rules, version=version, engine=engine).decide(store, found, sim_now=now)


def test_without_decisions_an_alert_is_what_the_rules_find_grave(bank_store: BankStore) -> None:
    grave = bank_store.flagged.filter(pl.col("risk_score") >= UNDECIDED_SCORE)
    days = grave.select("account_token", pl.col("flagged_ts").dt.date()).unique()
    found = FRAUD.cases(bank_store, -1, bank_store.batch)
    assert found.height == days.height > 0


def test_with_decisions_an_alert_is_what_was_not_approved(decided: BankStore) -> None:
    rows = pl.read_delta(str(decided.catalog.table(SCHEMA, TABLE))).filter(pl.col("outcome") != "approve")
    days = rows.select("customer", pl.col("case_ts").dt.date()).unique()
    assert FRAUD.cases(decided, -1, decided.batch).height == days.height > 0


def test_a_group_is_a_case_once_when_its_day_is_over(decided: BankStore) -> None:
    found = FRAUD.cases(decided, -1, decided.batch)
    batches = dict(
        pl.read_delta(str(decided.catalog.table("retail_banking", "batches")))
        .select("batch", "sim_instant")
        .rows()
    )
    for row in found.iter_rows(named=True):
        assert row["at"].isoformat()[:10] > row["subject"].split("@")[1]
        assert batches[row["source_batch"] - 1] < row["at"] <= batches[row["source_batch"]]
    apart = [FRAUD.cases(decided, batch - 1, batch) for batch in range(decided.batch + 1)]
    assert pl.concat(apart).sort("at", "case_id").equals(found)


def test_a_group_holds_its_own_accounts_alerts_and_links_them(decided: BankStore) -> None:
    found = FRAUD.cases(decided, -1, decided.batch)
    groups = gathered(decided, FRAUD.gathered_tools, found)
    known = decided.flagged.select("transaction_id", "account_token").rows_by_key(
        "transaction_id", unique=True
    )
    for row in groups.iter_rows(named=True):
        assert row["get_alert_group"]["transactions"]
        for transaction in row["get_alert_group"]["transactions"]:
            assert known[transaction] == (row["subject"].split("@")[0],)
        assert row["get_transaction_details"]["account_token"] == row["subject"].split("@")[0]
    rows = decide(FRAUD, decided)
    for text, group in zip(rows["proposal"], groups["get_alert_group"], strict=True):
        assert Fraud.model_validate_json(text).linked_transactions == group["transactions"][:20]


def test_one_group_is_told_what_many_are_and_no_other(
    decided: BankStore, transaction_cases: pl.DataFrame
) -> None:
    found = FRAUD.cases(decided, -1, decided.batch)
    at_once = gathered(decided, FRAUD.tools, found)
    boxes = [Toolbox(decided, Case.of(row), FRAUD.tools) for row in found.iter_rows(named=True)]
    for place, box in enumerate(boxes):
        for tool in FRAUD.tools:
            wanted = tool.result(**at_once[tool.name][place]).model_dump(mode="json")
            assert box.call(tool.name).result == wanted, tool.name
        group = box.calls[0].result
        assert group is not None
        for transaction in group["transactions"]:
            assert box.call("get_transaction_details", {"transaction_id": transaction}).refused is None
        other = boxes[place - 1].own_arguments("get_alert_group")
        if other != box.own_arguments("get_alert_group"):
            assert box.call("get_alert_group", other).refused == OTHER_CASE
            stranger = boxes[place - 1].own_arguments("get_transaction_details")
            assert box.call("get_transaction_details", stranger).refused == OTHER_CASE
    assert gathered(decided, FRAUD.tools, no_cases()).height == 0


@pytest.mark.parametrize("subject", ["", "nobody", "nobody@2024-01-02", "nobody@yesterday", "@"])
def test_a_group_that_is_none_goes_to_people(decided: BankStore, subject: str) -> None:
    one = FRAUD.cases(decided, -1, decided.batch).head(1).with_columns(pl.lit(subject).alias("subject"))
    engine = PolicyEngine()
    decider = Decider(agent=FRAUD, rules=RULES, version="v", engine=engine)
    row = decider.decide(decided, one, sim_now=one["at"][0]).row(0, named=True)
    assert (row["gate_action"], row["final"]) == ("queued", None)


def test_links_to_anothers_transactions_go_to_people(decided: BankStore) -> None:
    evidence = gathered(decided, FRAUD.gathered_tools, FRAUD.cases(decided, -1, decided.batch))
    own = evidence["get_alert_group"].struct.field("transactions")
    assert _verdicts(decided, evidence, own) == {()}
    strange = own.list.concat(pl.Series([["T-other"]] * own.len()))
    assert _verdicts(decided, evidence, strange) == {("for_people:other_links",)}


def _verdicts(store: BankStore, evidence: pl.DataFrame, links: pl.Series) -> set[tuple[str, ...]]:
    answers = evidence.select(
        pl.lit(3, pl.Int64).alias("priority"),
        pl.lit("none").alias("typology"),
        links.alias("linked_transactions"),
        pl.lit("hold").alias("recommended_action"),
        pl.lit(0.9).alias("confidence"),
        pl.lit("so").alias("explanation"),
    )
    facts = FRAUD.facts(store, evidence, answers, RULES.policy).with_columns(
        evidence["case_id"],
        evidence["at"],
        pl.lit(list(FRAUD.gathers), pl.List(pl.String)).alias("evidence"),
        pl.lit(None, pl.String).alias("failure"),
    )
    return {tuple(reasons) for reasons in judged(facts, RULES.gate, Ledger())["gate_reasons"]}


def test_typologies_are_those_of_the_page_with_what_is_right() -> None:
    rows = re.findall(r"^\| \d+ \| `(\w+)` \|[^|]*\|[^|]*\| (\w+) \|", PAGE.read_text("utf-8"), re.MULTILINE)
    assert {**dict(rows), "none": "approve"} == RIGHT_ACTION
    assert set(get_args(Fraud.model_fields["typology"].annotation)) == set(RIGHT_ACTION)


@pytest.mark.parametrize(
    ("told", "typology"),
    [
        ({"transaction_type": "deposit", "codes": ["CASH_BELOW_REPORTING"]}, "structuring"),
        (
            {"transaction_type": "purchase", "channel": "online", "amount_base": "2.00", "accounts": 6},
            "card_testing",
        ),
        ({"transaction_type": "transfer_out", "enrolled_min": 300, "payees_7d": 2}, "account_takeover"),
        ({"transaction_type": "transfer_out", "accounts": 3, "new_payee": True}, "mule_network"),
        ({"transaction_type": "purchase", "channel": "pos", "out_count_1h": 4}, "stolen_card"),
        ({"transaction_type": "purchase", "card_type": "credit", "out_count_24h": 9}, "bust_out"),
        ({"transaction_type": "purchase", "channel": "online", "new_device": True}, "compromised_merchant"),
        ({"transaction_type": "transfer_in", "payers_7d": 6}, "fan_in"),
        ({"transaction_type": "transfer_out", "payees_7d": 6, "payers_7d": 7}, "gather_scatter"),
        ({"transaction_type": "transfer_out", "payers_7d": 1, "passed_on": 90}, "layering"),
        ({"transaction_type": "transfer_out", "new_payee": True, "own_p99": 1.0}, "app_scam"),
        ({"transaction_type": "transfer_out", "payers_7d": 1, "passed_on": 20}, "none"),
        ({}, "none"),
    ],
)
def test_a_typology_is_known_by_its_signs(told: dict[str, Any], typology: str) -> None:
    assert typologies(_signs(told), SETTINGS).to_list() == [typology]


def _signs(told: dict[str, Any]) -> pl.DataFrame:
    texts = ("transaction_type", "channel", "card_type")
    flags = ("new_device", "new_payee")
    numbers = (
        "out_count_1h",
        "out_count_24h",
        "accounts",
        "enrolled_min",
        "payees_7d",
        "payers_7d",
        "both_ways",
        "passed_on",
    )
    schema: dict[str, Any] = {
        **dict.fromkeys(texts, pl.String),
        **dict.fromkeys(flags, pl.Boolean),
        **dict.fromkeys(numbers, pl.Int64),
        "codes": pl.List(pl.String),
        "own_p99": pl.Float64,
    }
    row = pl.DataFrame([{name: told.get(name) for name in schema}], schema=schema)
    amount = pl.lit(told.get("amount_base", "80.00")).cast(pl.Decimal(18, 2))
    return row.with_columns(amount.alias("amount_base"), pl.col("codes").fill_null([]))


def test_a_graver_group_ranks_higher(decided: BankStore) -> None:
    proposals = [Fraud.model_validate_json(text) for text in decide(FRAUD, decided)["proposal"]]
    points = [int(re.findall(r"(\d+) points", answer.explanation)[0]) for answer in proposals]
    by_points = [
        answer.priority for _, answer in sorted(zip(points, proposals, strict=True), key=lambda p: -p[0])
    ]
    assert by_points == sorted(by_points)


@pytest.mark.parametrize(
    "wrong",
    [
        {"priority": 0},
        {"priority": 6},
        {"typology": "theft"},
        {"linked_transactions": ["T"] * 21},
        {"confidence": 2},
    ],
)
def test_an_answer_out_of_bounds_is_no_answer(wrong: dict[str, Any]) -> None:
    usual: dict[str, Any] = {
        "priority": 1,
        "typology": "none",
        "linked_transactions": ["T1"],
        "recommended_action": "hold",
        "confidence": 0.5,
        "explanation": "so",
    }
    Fraud.model_validate(usual)
    with pytest.raises(ValidationError):
        Fraud.model_validate(usual | wrong)


def test_a_day_before_it_is_over_tells_what_was_known_by_then(decided: BankStore) -> None:
    one = FRAUD.cases(decided, -1, decided.batch).head(1)
    early = one.with_columns(pl.col("at") - timedelta(days=1))
    told = gathered(decided, FRAUD.tools, early)
    assert not told["get_alert_group"].struct.field("found").any()
    assert not told["get_transaction_details"].struct.field("found").any()
