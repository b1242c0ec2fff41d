"""Transfers of a small bank held against a small list: only what was known by then, and no names."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from small_bank import BRANCHES, DAY, MERCHANTS, RATES, SmallBank, wire

from casper_ray.agents.agent import load_rules
from casper_ray.agents.bank.sanctions_store import ScreeningStore
from casper_ray.agents.bank.sanctions_tool import MATCH_SANCTIONS
from casper_ray.agents.bank.screening import SCREENING, cases
from casper_ray.agents.case import Case
from casper_ray.agents.decision import Decider
from casper_ray.agents.engines.policy import PolicyEngine
from casper_ray.agents.tools import OTHER_CASE, Toolbox, gathered

LIST = pl.DataFrame(
    {
        "entry_id": ["S1", "S2"],
        "name": ["Molivan Volkuvitch", "Zevenna Tchoramadze"],
        "aliases": [["Volkuvitch, Molivan"], ["Z. Tchoramadze"]],
        "country": ["QV", "QP"],
        "listed_on": [date(2020, 1, 1), date(2024, 1, 12)],
    }
)


@pytest.fixture
def bank(tmp_path: Path) -> SmallBank:
    """Transfers to two listed people in other spellings, one listed only two days later; and to a namesake."""
    dimensions = {"exchange_rates": RATES, "merchants": MERCHANTS, "branches": BRANCHES}
    made = SmallBank.at(tmp_path, **dimensions, sanctions_list=LIST)
    made.drop(
        "wire",
        "day-10.json",
        wire(1, payee_name="VOLKUVICH Molivan"),
        wire(2, payee_name="Zevena Tchoramadze"),
        wire(3, payee_name="Tarnulf Volkuvitch"),
        wire(4, payee_name="Molivan Volkuvitch", direction="internal"),
        wire(5, payer_name="Molivan Volkuvitch", direction="incoming", transaction_type="transfer_in"),
    )
    made.run()
    return made


def _decided(store: ScreeningStore) -> dict[str, dict[str, Any]]:
    rules, rows = load_rules(SCREENING), cases(store, -1, store.batch)
    decider = Decider(agent=SCREENING, rules=rules, version="v", engine=PolicyEngine())
    made = decider.decide(store, rows, sim_now=DAY + timedelta(days=9))
    return {row["case_id"]: json.loads(row["final"]) for row in made.iter_rows(named=True)}


def test_the_listed_is_blocked_and_the_namesake_released(bank: SmallBank) -> None:
    found = _decided(ScreeningStore(bank.catalog))
    actions = {case: answer["recommended_action"] for case, answer in found.items()}
    assert actions == {"wire:T1": "block", "wire:T2": "release", "wire:T3": "release", "wire:T5": "block"}
    assert found["wire:T1"]["list_entry"] == "S1"


def test_an_entry_counts_from_the_day_on_which_it_is_listed(bank: SmallBank) -> None:
    bank.drop(
        "wire", "day-12.json", wire(6, hours=66, payee_name="Zevena Tchoramadze", value_date="2024-01-12")
    )
    bank.run()
    store = ScreeningStore(bank.catalog)
    known = store.screened.filter(pl.col("transaction_id") == "T6")["_known_ts"].item()
    assert known.date() >= date(2024, 1, 12)
    answers = _decided(store)
    assert answers["wire:T6"]["list_entry"] == "S2"
    assert answers["wire:T2"]["recommended_action"] == "release"


def test_a_transfer_is_unknown_before_it_came(bank: SmallBank) -> None:
    store = ScreeningStore(bank.catalog)
    case = cases(store, -1, store.batch).head(1)
    early = case.with_columns(pl.col("at") - timedelta(microseconds=1))
    told = [gathered(store, [MATCH_SANCTIONS], rows)["match_sanctions"][0] for rows in (early, case)]
    assert [answer["found"] for answer in told] == [False, True]
    assert told[0]["score"] is None


def test_one_call_tells_what_the_bulk_tells_and_of_no_other_transfer(bank: SmallBank) -> None:
    store = ScreeningStore(bank.catalog)
    rows = cases(store, -1, store.batch)
    bulk = gathered(store, [MATCH_SANCTIONS], rows)["match_sanctions"].to_list()
    boxes = [Toolbox(store, Case.of(row), [MATCH_SANCTIONS]) for row in rows.iter_rows(named=True)]
    assert [box.call("match_sanctions").result for box in boxes] == bulk
    assert boxes[0].call("match_sanctions", {"transaction_id": "T5"}).refused == OTHER_CASE


def test_no_name_is_kept_or_told(bank: SmallBank) -> None:
    store = ScreeningStore(bank.catalog)
    told = gathered(store, SCREENING.gathered_tools, cases(store, -1, store.batch))
    text = told.select(pl.struct(pl.all()).struct.json_encode()).to_series().str.join().item().lower()
    text += store.screened.write_csv().lower()
    for part in ("volku", "moliv", "tchor", "zeven", "dormira", "quarinov"):
        assert part not in text


def test_followed_batch_by_batch_the_cases_are_the_same(bank: SmallBank) -> None:
    live = ScreeningStore(bank.catalog)
    first = cases(live, -1, live.batch)
    bank.drop("wire", "more.json", wire(7, hours=20, payee_name="Molivan Volkuvitch"))
    bank.run()
    before = live.batch
    assert live.follow()
    both = pl.concat([first, cases(live, before, live.batch)]).sort("at", "case_id")
    fresh = ScreeningStore(bank.catalog)
    assert both.equals(cases(fresh, -1, fresh.batch))
    assert live.screened.equals(fresh.screened)


def test_decisions_name_the_versions_of_bronze_and_of_the_list(bank: SmallBank) -> None:
    versions = ScreeningStore(bank.catalog).versions
    assert {"retail_banking.wire_events", "simulator.sanctions_list"} <= versions.keys()
