"""A credit line of a small bank: what is owed as of an instant, when it is looked at, and nothing of later."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from small_bank import DAY, NAME, PAN, SmallBank, card, change, customer, ts, wire

from casper_ray.agents.bank.balances import GET_ACCOUNT_BALANCE_HISTORY
from casper_ray.agents.bank.credit_cases import cases, months_ended
from casper_ray.agents.bank.credit_lines import CreditStore
from casper_ray.agents.case import CASES, Case
from casper_ray.agents.tools import OTHER_CASE, Toolbox, gathered
from casper_ray.domain.time import sim_micros
from casper_ray.security.domains import Domain
from casper_ray.sim.window import Part, Window, file_name

LINE = "QZ12CSPR000000000009"
_HOUR = timedelta(hours=1)


def _dropped(bank: SmallBank, number: int, feed: str, *lines: bytes) -> None:
    """A file of the replay's window of day `number` from the tenth on."""
    since, until = (sim_micros(DAY + timedelta(days=number + more)) for more in (0, 1))
    bank.drop(feed, file_name("r-1", Part(Window(number, since, until), 0, since, until)), *lines)


def _bought(number: int, hours: float, amount: str, **fields: Any) -> bytes:
    usual = {"account_number": LINE, "card_type": "credit", "initiated_ts": ts(hours), "pan": PAN}
    return card(number, hours, amount, **(usual | fields))


@pytest.fixture
def bank(tmp_path: Path) -> SmallBank:
    """A line of 1,000: 100 bought at noon of the tenth, 200 an hour after, of which 50 come back at four."""
    made = SmallBank.at(tmp_path)
    _dropped(made, 0, "customer_cdc", change(1, 1, customer(credit_account=LINE, credit_limit="1000.00")))
    _dropped(
        made,
        0,
        "card",
        _bought(1, 12, "100.00"),
        _bought(2, 13, "200.00"),
        _bought(3, 16, "50.00", transaction_type="refund"),
        _bought(4, 17, "900.00", event_type="compliance_check_failed", auth_result="declined_funds"),
    )
    made.run()
    return made


def _paid_and_spent(bank: SmallBank) -> None:
    """A day later: 200 of the bill are paid, and 700 are bought."""
    bill = {"payee_name": NAME, "payee_account": LINE, "payee_bank": "CSPR", "direction": "internal"}
    _dropped(bank, 1, "wire", wire(5, 42, "200.00", value_date="2024-01-11", **bill))
    _dropped(bank, 1, "card", _bought(6, 43, "700.00"), _bought(7, 44, "5.00", transaction_type="chargeback"))
    bank.run()


def _asked(bank: SmallBank, *hours: float) -> pl.DataFrame:
    token = bank.tokeniser().token(Domain.ACCOUNT, LINE)
    rows = [
        {
            "case_id": f"c{h}",
            "kind": "credit_review",
            "at": DAY + h * _HOUR,
            "subject": token,
            "source_batch": 0,
        }
        for h in hours
    ]
    return pl.DataFrame(rows, schema=CASES)


def _told(bank: SmallBank, *hours: float) -> list[dict[str, Any]]:
    store = CreditStore(bank.catalog)
    return gathered(store, [GET_ACCOUNT_BALANCE_HISTORY], _asked(bank, *hours))[
        "get_account_balance_history"
    ].to_list()


def test_what_is_owed_is_what_was_bought_and_neither_paid_nor_given_back(bank: SmallBank) -> None:
    _paid_and_spent(bank)
    first, last = _told(bank, 14, 44)
    assert (first["owed"], first["utilisation"], first["purchases_3d"]) == (Decimal("300.00"), 0.3, 2)
    assert (last["owed"], last["spent_3d"], last["largest_3d"]) == (
        Decimal("745.00"),
        Decimal(1000),
        Decimal(700),
    )
    assert (last["paid_60d"], last["charged_back_90d"], last["declined_7d"]) == (Decimal(200), 1, 1)
    assert last["owed_at_end"] == [Decimal("250.00"), Decimal("745.00")]


def test_before_the_line_is_known_nothing_is_told(bank: SmallBank) -> None:
    told = _told(bank, 0.5)[0]
    assert not told["found"]
    assert told["owed"] is None
    assert _told(bank, 2)[0] | {"credit_limit": None} == {
        **dict.fromkeys(told),
        "found": True,
        **dict.fromkeys(
            ("owed", "spent_3d", "largest_3d", "usual_3d", "spent_60d", "paid_60d"), Decimal("0.00")
        ),
        **dict.fromkeys(("utilisation", "peak_60d"), 0.0),
        **dict.fromkeys(("purchases_3d", "charged_back_90d", "declined_7d", "days_known"), 0),
    }


def test_what_comes_later_changes_no_answer(bank: SmallBank) -> None:
    hours = (11.999, 12, 13, 16, 17, 23.9)
    before = _told(bank, *hours)
    _paid_and_spent(bank)
    update = customer(credit_account=LINE, credit_limit="9000.00")
    _dropped(bank, 2, "customer_cdc", change(2, 50, update, customer(credit_account=LINE)))
    bank.run()
    assert _told(bank, *hours) == before
    assert _told(bank, 49, 51)[0]["credit_limit"] == Decimal(1000)
    assert _told(bank, 49, 51)[1]["credit_limit"] == Decimal(9000)


def test_one_call_tells_what_the_bulk_tells_and_of_no_other_account(bank: SmallBank) -> None:
    store, rows = CreditStore(bank.catalog), _asked(bank, 12, 13, 20)
    bulk = gathered(store, [GET_ACCOUNT_BALANCE_HISTORY], rows)["get_account_balance_history"]
    kind = GET_ACCOUNT_BALANCE_HISTORY.result
    boxes = [
        Toolbox(store, Case.of(row), [GET_ACCOUNT_BALANCE_HISTORY]) for row in rows.iter_rows(named=True)
    ]
    single = [box.call("get_account_balance_history").result for box in boxes]
    assert single == [kind(**told).model_dump(mode="json") for told in bulk]
    other = boxes[0].call("get_account_balance_history", {"account_token": "acc_v1_other"})
    assert other.refused == OTHER_CASE


def test_a_line_is_looked_at_when_a_step_is_crossed_and_only_then(bank: SmallBank) -> None:
    _paid_and_spent(bank)
    store = CreditStore(bank.catalog)
    found = cases(store, -1, store.batch)
    crossed = found.filter(pl.col("case_id").str.contains("@T"))
    assert crossed["case_id"].str.split("@").list.last().to_list() == ["T2", "T6"]
    assert crossed["at"].to_list() == [DAY + 13 * _HOUR, DAY + 43 * _HOUR]


def test_followed_batch_by_batch_the_cases_are_the_same(bank: SmallBank) -> None:
    live = CreditStore(bank.catalog)
    first, before = cases(live, -1, live.batch), live.batch
    _paid_and_spent(bank)
    assert live.follow()
    both = pl.concat([first, cases(live, before, live.batch)]).sort("at", "case_id")
    fresh = CreditStore(bank.catalog)
    assert both.equals(cases(fresh, -1, fresh.batch))
    assert live.flows.drop("source_batch").equals(fresh.flows.drop("source_batch"))


def test_a_line_that_is_told_of_late_has_its_whole_past(tmp_path: Path) -> None:
    made = SmallBank.at(tmp_path)
    _dropped(made, 0, "card", _bought(1, 12, "100.00"))
    _dropped(made, 0, "customer_cdc", change(1, 1, customer(2), number=2))
    made.run()
    live = CreditStore(made.catalog)
    assert live.flows.is_empty()
    _dropped(made, 1, "customer_cdc", change(1, 30, customer(credit_account=LINE, credit_limit="1000.00")))
    made.run()
    live.follow()
    assert live.flows["owed"].to_list() == CreditStore(made.catalog).flows["owed"].to_list() == [10_000]


def test_months_end_over_a_years_end_too() -> None:
    found = months_ended(datetime(2023, 11, 30, 12, tzinfo=UTC), datetime(2024, 2, 1, tzinfo=UTC))
    assert [f"{end:%Y-%m-%d}" for _, end in found] == ["2023-12-01", "2024-01-01", "2024-02-01"]
