"""Every order's refund, against a plain recomputation from the event files; and what plants do to it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kitchen_lake import created, delivered, drop_window, event
from small_lake import NOON, SmallLake

from casper_ray.agents.agent import agent_version, load_rules
from casper_ray.agents.case import CASES
from casper_ray.agents.decision import Decider
from casper_ray.agents.engines.policy import PolicyEngine
from casper_ray.agents.gate import MONEY
from casper_ray.agents.kitchen.refund import REFUND, RefundPolicy, cases, facts, final, from_cents
from casper_ray.agents.kitchen.store import KitchenStore
from casper_ray.agents.tools import gathered
from casper_ray.lakehouse.names import Catalog

RULES = load_rules(REFUND)
SETTINGS: Any = RULES.policy
LATER = datetime(2024, 2, 1, tzinfo=UTC)


class Order(NamedTuple):
    location: int
    address: str
    total: Decimal
    created: datetime
    delivered: datetime

    @property
    def minutes(self) -> float:
        return (self.delivered - self.created) / timedelta(microseconds=1) / 60_000_000


class Due(NamedTuple):
    kind: str
    action: str
    reasons: list[str]
    amount: Decimal


def decided(store: KitchenStore, of: pl.DataFrame | None = None) -> pl.DataFrame:
    """The decisions on all cases of a store, from an empty ledger."""
    engine = PolicyEngine()
    decider = Decider(
        agent=REFUND, rules=RULES, version=agent_version(REFUND, RULES, engine.settings), engine=engine
    )
    return decider.decide(store, cases(store, 0, store.batch) if of is None else of, sim_now=LATER)


def orders_in(catalog: Catalog) -> dict[str, Order]:
    """Orders that were created and delivered, from the files alone."""
    events = [
        json.loads(line)
        for file in catalog.volume("simulator", "events").glob("*.json")
        for line in file.read_bytes().splitlines()
    ]
    by_kind: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for told in events:
        by_kind[told["event_type"]][told["order_id"]] = told
    return {
        order: Order(
            location=begun["location_id"],
            address=(body := json.loads(begun["body"]))["customer_addr"],
            total=sum((Decimal(str(i["price"])) * i["qty"] for i in body["items"]), Decimal()),
            created=instant(begun["ts"]),
            delivered=instant(by_kind["delivered"][order]["ts"]),
        )
        for order, begun in by_kind["order_created"].items()
        if order in by_kind["delivered"]
    }


def instant(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=UTC)


def expected(orders: dict[str, Order]) -> Iterator[tuple[str, Due]]:
    """What each order is due, one after the other, as the policy and the gate's rules say in words."""
    paid_on: dict[tuple[str, date], Decimal] = defaultdict(Decimal)
    paid: dict[str, list[date]] = defaultdict(list)
    for name, order in sorted(orders.items(), key=lambda pair: (pair[1].delivered, f"order:{pair[0]}")):
        before = sorted(
            other.minutes
            for other in orders.values()
            if other.location == order.location
            and order.delivered - timedelta(days=1) <= other.delivered < order.delivered
        )
        kind, worth = "none", Decimal(0)
        if len(before) >= 20:
            p75, p99 = (before[-(-len(before) * percent // 100) - 1] for percent in (75, 99))
            if order.minutes > p99:
                kind, worth = "full", order.total
            elif order.minutes > p75:
                kind, worth = "partial", (order.total / 4).quantize(Decimal("0.01"), ROUND_HALF_UP)
        yield name, _gated(order, kind, worth, paid_on, paid)


def _gated(
    order: Order,
    kind: str,
    worth: Decimal,
    paid_on: dict[tuple[str, date], Decimal],
    paid: dict[str, list[date]],
) -> Due:
    if not worth:
        return Due(kind, "approved", [], Decimal("0.00"))
    day = order.delivered.date()
    left = 150 - paid_on[order.address, day]
    reasons = ["cap"] * (worth > 100) + ["cap_customer_day"] * (worth > left)
    amount = min(worth, Decimal(100), left)
    if not amount:
        return Due(kind, "refused", reasons, Decimal("0.00"))
    if sum(timedelta(0) <= day - on < timedelta(7) for on in paid[order.address]) >= 3:
        return Due(kind, "queued", [*reasons, "velocity"], Decimal("0.00"))
    if amount > 80:
        return Due(kind, "queued", [*reasons, "two_people"], Decimal("0.00"))
    paid_on[order.address, day] += amount
    paid[order.address].append(day)
    return Due(kind, "clipped" if reasons else "approved", reasons, amount)


def test_every_order_is_paid_what_a_plain_recomputation_says(kitchen_lake: Catalog) -> None:
    wanted = dict(expected(orders_in(kitchen_lake)))
    rows = decided(KitchenStore(kitchen_lake))
    found = {
        row["pays_for"]: Due(row["outcome"], row["gate_action"], row["gate_reasons"], row["amount"])
        for row in rows.iter_rows(named=True)
    }
    assert len(found) == rows.height > 1_000
    assert found == wanted
    assert {due.kind for due in wanted.values()} == {"none", "partial", "full"}
    assert sum(due.amount > 0 for due in wanted.values()) > 100


def test_as_each_batch_left_it_is_as_the_whole_says(kitchen_lake: Catalog) -> None:
    """Decided live, batch by batch with one ledger, or all at the end: the same."""
    engine, store = PolicyEngine(), KitchenStore(kitchen_lake, 1)
    version = agent_version(REFUND, RULES, engine.settings)
    decider = Decider(agent=REFUND, rules=RULES, version=version, engine=engine)
    live = [decider.decide(store, cases(store, 0, 1), sim_now=LATER)]
    batch = 1
    while store.follow(batch + 1):
        live.append(decider.decide(store, cases(store, batch, batch + 1), sim_now=LATER))
        batch += 1
    same = [
        "case_id",
        "gate_action",
        "gate_reasons",
        "amount",
        "proposal",
        "final",
        "outcome",
        "source_batch",
    ]
    together, singly = decided(KitchenStore(kitchen_lake)), pl.concat(live)
    assert singly.select(same).equals(together.select(same))


def evening(lake: SmallLake, *, planted: bool) -> KitchenStore:
    """30 usual orders and a slow one; then, if planted, later rows about them that would change every answer."""
    lines = [line for n in range(30) for line in (created(f"A{n}", n), delivered(f"A{n}", n + 10 + n % 3))]
    drop_window(lake, 0, [*lines, created("SLOW", 5), delivered("SLOW", 55)])
    later = [created("NEXT", 61), delivered("NEXT", 85)]
    if planted:
        later += [created(f"P{n}", 60.5) for n in range(70)]
        later += [delivered(f"P{n}", 61) for n in range(35)] + [delivered(f"P{n}", 81) for n in range(35, 70)]
        later += [created("SLOW", 62, price=9_000, number=30), delivered("SLOW", 63, number=31)]
        later += [event("driver_ping", "SLOW", 64, 32)]
    drop_window(lake, 1, later)
    return KitchenStore(lake.catalog)


def test_planted_later_rows_change_later_decisions_alone(tmp_path: Path) -> None:
    clean, canary = (
        decided(evening(SmallLake.at(tmp_path / str(planted)), planted=planted)) for planted in (False, True)
    )
    same = ["case_id", "case_ts", "proposal", "gate_action", "gate_reasons", "final", "amount", "customer"]
    until = pl.col("case_ts") < NOON + timedelta(minutes=60)
    earlier, of_canary = clean.filter(until).select(same), canary.filter(until).select(same)
    assert earlier.equals(of_canary)
    assert earlier.filter(case_id="order:SLOW")["amount"].item() == Decimal("20.00")
    following = [rows.filter(case_id="order:NEXT")["outcome"].item() for rows in (clean, canary)]
    assert following[0] != following[1]
    assert canary.filter(pl.col("pays_for") == "SLOW").height == 1


@pytest.mark.parametrize("agent_class", ["none", "partial", "full"])
@pytest.mark.parametrize("asked", ["0.00", "5.00", "10000.00"])
def test_whatever_is_asked_the_amount_is_from_data(tmp_path: Path, agent_class: str, asked: str) -> None:
    """Of an order that was not late, no class pays; of one that was, no more than its own."""
    store = evening(SmallLake.at(tmp_path), planted=False)
    made = cases(store, 0, 1).filter(pl.col("subject").is_in(["SLOW", "A29"]))
    evidence = gathered(store, REFUND.gathered_tools, made)
    answer = {"refund_usd": Decimal(asked), "refund_class": agent_class, "reason": "so it is"}
    answers = pl.DataFrame([answer] * 2, schema=REFUND.answer_schema)
    told = facts(store, evidence, answers, SETTINGS)
    worth = {"none": "0.00", "partial": "5.00", "full": "20.00"}[agent_class]
    assert dict(told.select("pays_for", "amount").rows()) == {"A29": Decimal("0.00"), "SLOW": Decimal(worth)}


def test_no_answer_is_no_amount(tmp_path: Path) -> None:
    store = evening(SmallLake.at(tmp_path), planted=False)
    made = cases(store, 0, 1).head(3)
    evidence = gathered(store, REFUND.gathered_tools, made)
    answers = pl.DataFrame([dict.fromkeys(REFUND.answer_schema)] * 3, schema=REFUND.answer_schema)
    told = facts(store, evidence, answers, SETTINGS)
    assert told["amount"].to_list() == told["outcome"].to_list() == [None] * 3


def lateness(minutes: float | None, total: Decimal | None, deliveries: int = 50) -> pl.DataFrame:
    timing = pl.Struct({"minutes": pl.Float64, "total": MONEY})
    usual = pl.Struct({"deliveries": pl.Int64, "p75": pl.Float64, "p99": pl.Float64})
    told = {"minutes": minutes, "total": total}, {"deliveries": deliveries, "p75": 30.0, "p99": 40.0}
    return (
        CASES.to_frame(eager=True)
        .clear(1)
        .with_columns(
            pl.Series("get_order_timing", [told[0]], dtype=timing),
            pl.Series("get_location_timings", [told[1]], dtype=usual),
        )
    )


@pytest.mark.parametrize(
    ("minutes", "deliveries", "kind"),
    [(30.0, 50, "none"), (30.01, 50, "partial"), (40.0, 50, "partial"), (40.01, 50, "full"),
     (99.0, 19, "none"), (99.0, 20, "full"), (None, 50, "none"), (-3.0, 50, "none")],
)  # fmt: skip
def test_classes_begin_above_their_percentile(minutes: float | None, deliveries: int, kind: str) -> None:
    told = REFUND.policy(lateness(minutes, Decimal("10.00"), deliveries), RULES.policy)
    assert told["refund_class"].to_list() == [kind]
    REFUND.answer.model_validate(told.drop("sure").row(0, named=True))


@given(st.integers(0, 10**18 - 1), st.sampled_from(["0.25", "0.0001", "0.3333", "0.9999", "0.5"]))
def test_a_share_of_any_total_is_exact_and_half_a_cent_goes_up(cents: int, share: str) -> None:
    settings = RefundPolicy.model_validate({"partial": share, "full": 1, "least_deliveries": 1})
    total = Decimal(cents) / 100
    for minutes, part in ((35.0, Decimal(share)), (45.0, Decimal(1))):
        told = REFUND.policy(lateness(minutes, total), settings)["refund_usd"].item()
        assert told == (total * part).quantize(Decimal("0.01"), ROUND_HALF_UP)


@given(st.integers(-(10**17), 10**17))
def test_cents_are_money_exactly(cents: int) -> None:
    assert pl.select(from_cents(pl.lit(cents))).item() == Decimal(cents) / 100


def test_a_share_finer_than_can_be_paid_is_not_read() -> None:
    with pytest.raises(ValueError, match="decimal"):
        RefundPolicy.model_validate({"partial": "0.33333", "full": 1, "least_deliveries": 1})


def test_nothing_paid_is_no_refund() -> None:
    answers = pl.DataFrame(
        [{"refund_usd": Decimal("9.00"), "refund_class": "full", "reason": "x"}] * 2,
        schema=REFUND.answer_schema,
    )
    told = final(answers, pl.Series([Decimal("0.00"), Decimal("7.00")], dtype=MONEY))
    assert told.select("refund_class", "refund_usd").rows() == [
        ("none", Decimal("0.00")),
        ("full", Decimal("7.00")),
    ]
