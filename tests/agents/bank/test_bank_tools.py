"""What the bank's tools tell: the same one by one and at once, nothing of the future, nothing of other cases."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from small_bank import DAY, IBAN, SmallBank, card, change, customer, wire
from told_bank import personal_texts

from casper_ray.agents.bank.alert import ALERT, cases
from casper_ray.agents.bank.store import BankStore
from casper_ray.agents.case import Case, no_cases
from casper_ray.agents.tools import OTHER_CASE, Toolbox, gathered

OTHER_BANK = "QM55HAVU00000000000"
TOOLS = ALERT.tools


def case_of(transaction: str, at: datetime) -> Case:
    return Case(case_id=f"transaction:{transaction}", kind="transaction", at=at, subject=transaction)


def told(bank: SmallBank, transaction: str, hours: float, tool: str) -> dict[str, Any]:
    """What a tool tells of a transaction, as of hours from the tenth of January."""
    box = Toolbox(BankStore(bank.catalog), case_of(transaction, DAY + timedelta(hours=hours)), TOOLS)
    result = box.call(tool).result
    assert result is not None
    return result


def test_one_case_is_told_what_many_are(bank_store: BankStore, transaction_cases: pl.DataFrame) -> None:
    at_once = gathered(bank_store, TOOLS, transaction_cases)
    some_found = dict.fromkeys((tool.name for tool in TOOLS), 0)
    for row in at_once.iter_rows(named=True):
        box = Toolbox(bank_store, Case.of(row), TOOLS)
        for tool in TOOLS:
            wanted = tool.result(**row[tool.name]).model_dump(mode="json")
            assert box.call(tool.name).result == wanted, (tool.name, row["case_id"])
            some_found[tool.name] += wanted["found"]
    assert all(some_found.values()), some_found


def test_no_cases_are_told_nothing(bank_store: BankStore) -> None:
    assert gathered(bank_store, TOOLS, no_cases()).height == 0


def test_an_argument_that_is_not_the_cases_own_is_refused(
    bank_store: BankStore, transaction_cases: pl.DataFrame
) -> None:
    stores = [Case.of(row) for row in transaction_cases.iter_rows(named=True)]
    boxes = [Toolbox(bank_store, case, TOOLS) for case in stores]
    for tool in TOOLS:
        own = [box.own_arguments(tool.name) for box in boxes]
        for mine, box in zip(own, boxes, strict=True):
            other = next(arguments for arguments in own if arguments != mine)
            call = box.call(tool.name, other)
            assert (call.refused, call.result) == (OTHER_CASE, None), tool.name
            assert box.call(tool.name, mine).refused is None


@pytest.mark.parametrize("transaction", ["T-nobody", "", "acc@2024-01-01"])
def test_of_an_unknown_transaction_nothing_is_told(bank_store: BankStore, transaction: str) -> None:
    box = Toolbox(bank_store, case_of(transaction, DAY), TOOLS)
    for tool in TOOLS:
        result = box.call(tool.name).result
        assert result is not None
        assert not result["found"]


def test_a_transaction_is_unknown_before_it_was_known(
    bank_store: BankStore, transaction_cases: pl.DataFrame
) -> None:
    early = transaction_cases.with_columns(pl.col("at") - timedelta(microseconds=1))
    rows = gathered(bank_store, TOOLS, early)
    for tool in TOOLS:
        assert not rows[tool.name].struct.field("found").any(), tool.name


def test_nothing_told_is_personal(
    bank_lake: SmallBank, bank_store: BankStore, transaction_cases: pl.DataFrame
) -> None:
    text = gathered(bank_store, TOOLS, transaction_cases).write_json()
    values = set()

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            for part in value.values():
                walk(part)
        elif isinstance(value, list):
            for part in value:
                walk(part)
        else:
            values.add(str(value))

    walk(json.loads(text))
    assert not values & personal_texts(bank_lake)


def test_a_store_that_follows_is_one_that_was_opened_later(bank_lake: SmallBank) -> None:
    newest = BankStore(bank_lake.catalog)
    following = BankStore(bank_lake.catalog, 3)
    brought = [cases(following, -1, 3)]
    for batch in range(4, newest.batch + 1):
        following.follow(batch)
        brought.append(cases(following, batch - 1, batch))
    assert following.flagged.equals(newest.flagged)
    assert following.customers.equals(newest.customers)
    assert following.versions == newest.versions
    assert pl.concat(brought).sort("at", "case_id").equals(cases(newest, -1, newest.batch))
    assert newest.flagged.height == cases(newest, -1, newest.batch).height > 10
    late = newest.flagged["transaction_id"], newest.flagged["_known_ts"]
    assert following.features_of_transactions(*late).equals(newest.features_of_transactions(*late))


def test_a_profile_is_of_the_version_known_by_then(hand_made: SmallBank) -> None:
    before = customer()
    after = customer(segment="premium", limit_card="9000.00")
    hand_made.drop("customer_cdc", "a.json", change(1, -48, before), change(2, 20, after, before))
    hand_made.drop("card", "a.json", card(1, 12))
    hand_made.run()
    early, late = (told(hand_made, "T1", hours, "get_customer_profile") for hours in (19, 21))
    assert (early["segment"], early["limit_card"]) == ("standard", "2500.00")
    assert (late["segment"], late["limit_card"]) == ("premium", "9000.00")


def test_a_device_tells_whose_it_is_and_since_when(hand_made: SmallBank) -> None:
    before, after = customer(), customer(device_id="D2", devices=2)
    lent = customer(2, account_number="QZ12CSPR000000000099", device_id="D2")
    hand_made.drop(
        "customer_cdc",
        "a.json",
        change(1, -48, before),
        change(2, 10, after, before),
        change(1, -9, lent, number=2),
    )
    far = card(1, 8, account_number="QZ12CSPR000000000099", channel="online", device_id="D2")
    hand_made.drop("card", "a.json", far, card(2, 12, channel="online", device_id="D2"), card(3, 13))
    hand_made.run()
    found = told(hand_made, "T2", 12, "get_device_history")
    assert (found["new_device"], found["uses_30d"], found["accounts"]) == (True, 0, 1)
    assert (found["owners"], found["enrolled_min"]) == (2, 120)
    assert told(hand_made, "T1", 12, "get_device_history")["enrolled_min"] is None, (
        "the customer came with it"
    )
    assert not told(hand_made, "T3", 13, "get_device_history")["found"], "at the till there is no device"


def test_a_graph_counts_who_pays_and_is_paid(hand_made: SmallBank) -> None:
    incoming = {"transaction_type": "transfer_in", "direction": "incoming", "payee_account": IBAN}
    lines = [wire(n, 18, f"{n}00.00", payer_account=f"{OTHER_BANK}{n}1", **incoming) for n in (1, 2)] + [
        wire(n, 18, "90.00", payee_account=f"{OTHER_BANK}{n}1") for n in (2, 3, 4)
    ]
    for number, line in enumerate(lines):
        fields = json.loads(line) | {"transaction_id": f"T{number}", "event_id": f"E{number}"}
        lines[number] = json.dumps(fields).encode() + b"\n"
    hand_made.drop("wire", "a.json", *lines)
    hand_made.run()
    graph = told(hand_made, "T4", 18, "get_counterparty_graph")
    assert (graph["payers_7d"], graph["payees_7d"], graph["both_ways"]) == (2, 3, 1)
    assert (Decimal(graph["in_amount_7d"]), Decimal(graph["out_amount_7d"])) == (300, 270)
    assert graph["passed_on"] == 90
    assert graph["new_payee"]
    week_later = told(hand_made, "T4", 18 + 7 * 24, "get_counterparty_graph")
    assert (week_later["payees"], week_later["payees_7d"]) == (3, 0)


def test_prior_alerts_and_merchants_count_what_was_flagged_before(hand_made: SmallBank) -> None:
    foreign = {"country": "QM", "merchant_id": "M0000002"}
    hand_made.drop(
        "card", "a.json", *(card(n, hours, "80.00", **foreign) for n, hours in ((1, 1), (2, 2), (3, 3)))
    )
    hand_made.run()
    alerts = told(hand_made, "T3", 3, "get_prior_alerts")
    assert (alerts["alerts_24h"], alerts["transactions"]) == (2, ["T2", "T1"])
    assert alerts["codes"] == ["FOREIGN_RISKY_AT_NIGHT"]
    merchant = told(hand_made, "T3", 3, "get_merchant_risk_score")
    assert (merchant["risk"], merchant["flagged_30d"], merchant["flagged_accounts_30d"]) == (0.8, 2, 1)
    assert not told(hand_made, "T1", 1, "get_prior_alerts")["found"]
