"""Complaints are a function of world and rate; every hard case occurs; answers are by the rules."""

from __future__ import annotations

import json
from decimal import Decimal
from itertools import pairwise

import polars as pl
import pytest

from casper_ray.domain.complaints import COMPLAINT_COLUMNS, COMPLAINTS
from casper_ray.domain.time import US_PER_DAY, US_PER_HOUR
from casper_ray.sim.kitchen.complaints.answers import Usual, right_answer
from casper_ray.sim.kitchen.complaints.claims import Claim, Line, Order
from casper_ray.sim.kitchen.complaints.generator import ComplaintBook
from casper_ray.sim.kitchen.complaints.grammar import load_grammar
from casper_ray.sim.kitchen.menu import load_menu
from casper_ray.sim.kitchen.world import KitchenWorld

DAYS = 6
HARD = {
    "no_order_id",
    "wrong_id",
    "several_issues",
    "praise",
    "question",
    "on_time_delay",
    "item_not_ordered",
    "threat",
    "injection",
}


@pytest.fixture(scope="module")
def book(world: KitchenWorld) -> ComplaintBook:
    return ComplaintBook(world=world, rate=0.15)


@pytest.fixture(scope="module")
def told(book: ComplaintBook, start_us: int) -> pl.DataFrame:
    return book.events(COMPLAINTS, start_us, start_us + DAYS * US_PER_DAY)


@pytest.fixture(scope="module")
def answers(book: ComplaintBook, start_us: int) -> pl.DataFrame:
    return book.answers(start_us, start_us + DAYS * US_PER_DAY)


def test_windows_do_not_change_a_byte(book: ComplaintBook, told: pl.DataFrame, start_us: int) -> None:
    edges = [
        start_us,
        *(start_us + h * US_PER_HOUR for h in (5, 26, 31, 77, 100)),
        start_us + DAYS * US_PER_DAY,
    ]
    cut = [book.events(COMPLAINTS, a, b) for a, b in pairwise(edges)]
    whole = book.lines(COMPLAINTS, told)
    assert b"".join(book.lines(COMPLAINTS, one) for one in cut) == whole
    assert list(json.loads(whole.splitlines()[0])) == list(COMPLAINT_COLUMNS)


def test_another_seed_writes_other_complaints(told: pl.DataFrame, world: KitchenWorld, start_us: int) -> None:
    other = KitchenWorld.build(world.scenario, seed=43)
    found = ComplaintBook(world=other, rate=0.15).events(COMPLAINTS, start_us, start_us + US_PER_DAY)
    assert found.height > 20
    assert not set(found["complaint_id"]) & set(told["complaint_id"])


def test_a_higher_rate_adds_complaints_about_other_orders(
    book: ComplaintBook, answers: pl.DataFrame, start_us: int
) -> None:
    more = ComplaintBook(world=book.world, rate=0.3).answers(start_us, start_us + DAYS * US_PER_DAY)
    assert set(answers["order_id"]) < set(more["order_id"])


def test_rate_and_categories_are_those_asked_for(
    book: ComplaintBook, told: pl.DataFrame, answers: pl.DataFrame, start_us: int
) -> None:
    orders = sum(
        book.world.receipts(location, day).height
        for location in book.world.location_ids
        for day in range(DAYS)
    )
    assert 0.12 < told.height / orders < 0.16  # the last day's come a day later
    shares = dict(answers["category"].value_counts(normalize=True).iter_rows())
    wanted = {**load_grammar().categories}
    shares["other"] += shares.pop("billing")
    assert shares == pytest.approx(wanted, abs=0.06)


def test_every_hard_case_occurs_and_every_kind(answers: pl.DataFrame) -> None:
    assert set(answers["hard"].explode().drop_nulls()) == HARD
    assert set(answers["kind"]) == {"true", "exaggerated", "false"}
    assert set(answers["language"]) == {"en", "es", "de"}


def test_hundreds_of_phrasings(told: pl.DataFrame) -> None:
    bare = told["text"].str.replace_all(r"#?\b[A-Za-z]*[0-9][A-Za-z0-9]*\b", "#")
    assert bare.n_unique() > 500


def test_a_complaint_comes_after_its_delivery_within_26_hours(
    book: ComplaintBook, told: pl.DataFrame, answers: pl.DataFrame
) -> None:
    receipts = pl.concat(
        [book.world.receipts(location, day) for location in book.world.location_ids for day in range(DAYS)]
    )
    joined = answers.join(receipts, on="order_id").with_columns(waited=pl.col("ts") - pl.col("delivered"))
    assert joined.height == answers.height
    minutes = joined["waited"].dt.total_minutes()
    assert minutes.min() >= 5
    assert minutes.max() <= 26 * 60
    senders = told.join(joined.select("complaint_id", "address"), on="complaint_id")
    assert (senders["sender"] == senders["address"]).all()


def test_the_form_is_linked_to_the_real_order_or_to_none(told: pl.DataFrame, answers: pl.DataFrame) -> None:
    both = told.select("complaint_id", linked="order_id").join(answers, on="complaint_id")
    linked = both.drop_nulls("linked")
    assert (linked["linked"] == linked["order_id"]).all()
    assert 0.3 < linked.height / both.height < 0.8
    assert both.filter(pl.col("hard").list.contains("wrong_id"))["linked"].null_count() > 0


def test_orders_before_the_lake_began_are_not_complained_of(book: ComplaintBook, start_us: int) -> None:
    since = start_us + 2 * US_PER_DAY
    later = ComplaintBook(world=book.world, rate=0.15, since_us=since)
    assert later.events(COMPLAINTS, start_us, since).is_empty()
    assert later.events(COMPLAINTS, since, since + US_PER_DAY).height > 20


ITEMS = load_menu().items
ORDER = Order(
    order_id="AB12CD",
    minutes=35.0,
    late=True,
    total_cents=2_030,
    lines=(Line(ITEMS[0], 460), Line(ITEMS[1], 1_570)),
)
DAY = Usual(p75=33.0, p99=39.0, deliveries=200)


@pytest.mark.parametrize(
    ("claims", "usual", "credit"),
    [
        ([Claim(category="delivery_delay", kind="true", text="")], DAY, 300),
        ([Claim(category="delivery_delay", kind="true", text="")], DAY._replace(p99=34.0), 500),
        ([Claim(category="delivery_delay", kind="false", text="")], DAY._replace(p75=35.0), 0),
        ([Claim(category="missing_items", kind="true", text="", lines=ORDER.lines[:1])], DAY, 450),
        ([Claim(category="missing_items", kind="false", text="")], DAY, 0),
        ([Claim(category="missing_items", kind="true", text="", lines=ORDER.lines)], DAY, 2_000),
        ([Claim(category="food_quality", kind="true", text="")], DAY, 400),
        ([Claim(category="food_quality", kind="true", text="", major=True)], DAY, 800),
        (
            [
                Claim(category="delivery_delay", kind="true", text=""),
                Claim(category="food_quality", kind="true", text="", major=True),
            ],
            DAY,
            800,
        ),
    ],
)
def test_credits_are_by_the_rules(claims: list[Claim], usual: Usual, credit: int) -> None:
    answer = right_answer(claims, ORDER, usual, urgent=False, clear=True)
    assert (answer.decision, answer.credit_cents, answer.priority) == ("suggest_credit", credit, None)


@pytest.mark.parametrize(
    ("category", "urgent", "clear", "priority"),
    [
        ("service_issue", False, True, "standard"),
        ("billing", False, True, "standard"),
        ("other", False, True, "standard"),
        ("delivery_delay", False, False, "standard"),
        ("delivery_delay", True, True, "urgent"),
        ("missing_items", True, False, "urgent"),
    ],
)
def test_what_a_person_answers(category: str, urgent: bool, clear: bool, priority: str) -> None:
    claims = [Claim(category=category, kind="true", text="")]
    answer = right_answer(claims, ORDER, DAY, urgent=urgent, clear=clear)
    assert (answer.category, answer.decision, answer.credit_cents, answer.priority) == (
        category,
        "escalate",
        None,
        priority,
    )


def test_credits_of_the_truth_are_whole_half_dollars(answers: pl.DataFrame) -> None:
    credits_usd = answers["credit"].drop_nulls()
    assert credits_usd.len() > 100
    assert all(credit % Decimal("0.50") == 0 for credit in credits_usd)
