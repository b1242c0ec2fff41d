"""A small world's lake, filled day by day, and what its Silver should be, worked out from the lines one by one."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import polars as pl
from small_bank import SmallBank

from casper_ray.domain.bank import CUSTOMER_CDC, FEEDS, WIRE
from casper_ray.domain.time import sim_micros
from casper_ray.security.domains import Domain
from casper_ray.security.tokens import Tokeniser
from casper_ray.sim.bank.actions import BlockCard
from casper_ray.sim.bank.scenario import load_bank_scenario
from casper_ray.sim.bank.world import BankWorld
from casper_ray.sim.window import Part, Window, file_name

DAYS = 6
_KEYS = ("keys.json", "key-checks.json")
_CENT = Decimal("0.01")
_IN = ("deposit", "transfer_in", "reversal", "refund", "chargeback")


def small_world() -> BankWorld:
    """120 customers, some with their cards blocked from the third day, so that cards are declined.

    Of this seed some purchases abroad are settled after midnight, when the rate is another one.
    """
    scenario = load_bank_scenario("bank_baseline").model_copy(update={"customers": 120, "prevalence": 0.03})
    world = BankWorld.build(scenario, 14, DAYS)
    since = sim_micros(world.epoch + timedelta(days=2))
    return world.with_actions(BlockCard(at_us=since, customer=customer) for customer in range(12))


def fill(
    folder: Path, world: BankWorld, *, at_once: bool = False, keys_of: SmallBank | None = None
) -> SmallBank:
    """A lake with all of the world, taken in two batches a day or all at once.

    keys_of: the lake whose keys are to be used.
    """
    dimensions = world.dimensions()
    rates = dimensions["exchange_rates"]
    if "valid_from" not in rates.columns:
        rates = rates.with_columns(pl.col("day").cast(pl.Datetime("us", "UTC")).alias("valid_from"))
    others = {name: dimensions[name] for name in ("merchants", "branches", "sanctions_list")}
    bank = SmallBank.at(folder, exchange_rates=rates, **others)
    if keys_of:
        bank.catalog.state.mkdir(parents=True, exist_ok=True)
        for name in _KEYS:
            shutil.copy2(keys_of.catalog.state / name, bank.catalog.state / name)
    for number, (since, until) in enumerate(_windows(world)):
        for feed in FEEDS:
            events = world.events(feed, since, until).drop("ts_us")
            if events.height:
                name = file_name("r-14", Part(Window(number, since, until), 0, since, until))
                bank.drop(feed, name, events.write_ndjson().encode())
        if not at_once:
            bank.run()
    bank.run()
    return bank


def _windows(world: BankWorld) -> Iterator[tuple[Any, Any]]:
    step = timedelta(hours=12)
    for number in range((DAYS + 1) * 2):
        yield sim_micros(world.epoch + number * step), sim_micros(world.epoch + (number + 1) * step)


def told_lines(bank: SmallBank, feed: str) -> Iterator[tuple[dict[str, Any], datetime]]:
    """Each event of a feed once, and from when it could be known."""
    seen = set()
    for path in sorted(bank.catalog.volume("simulator", feed).glob("*.json")):
        start = datetime.fromtimestamp(int(path.name.split(".")[3].split("-")[0]) / 1e6).astimezone()
        for line in path.read_text().splitlines():
            event = json.loads(line)
            if event["event_id"] not in seen:
                seen.add(event["event_id"])
                yield event, max(_instant(event["ts"]), start)


def expected_silver(bank: SmallBank) -> dict[str, dict[str, Any]]:
    """Silver by transaction, line by line in plain Python; columns that take no thought are left out."""
    tokens, rates, merchants = bank.tokeniser(), _history(bank, "exchange_rates"), _history(bank, "merchants")
    cities = dict(_dimension(bank, "branches").select("branch_id", "city").iter_rows())
    rows = {}
    for feed in FEEDS:
        if feed == CUSTOMER_CDC:
            continue
        for event, known in told_lines(bank, feed):
            if event["event_type"] not in ("transaction_settled", "compliance_check_failed"):
                continue
            at = _instant(event["entered_ts" if feed == WIRE else "initiated_ts"])
            rate = Decimal(1) if event["currency"] == "EUR" else _as_of(rates[event["currency"]], at)["rate"]
            shop = _as_of(merchants[event["merchant_id"]], at) if event.get("merchant_id") else {}
            rows[event["transaction_id"]] = {
                **_sides(feed, event, tokens),
                "feed": feed,
                "transaction_type": event["transaction_type"],
                "original_transaction_id": event["original_transaction_id"],
                "direction": "in" if event["transaction_type"] in _IN else "out",
                "txn_ts": at,
                "amount": Decimal(event["amount"]),
                "fx_rate": rate,
                "amount_base": (Decimal(event["amount"]) * rate).quantize(_CENT, ROUND_HALF_UP),
                "merchant_category": shop.get("category"),
                "merchant_risk": shop.get("risk"),
                "branch_city": cities[event["branch_id"]],
                "status": "posted" if event["event_type"] == "transaction_settled" else "declined",
                "_known_ts": known,
            }
    return rows


def personal_texts(bank: SmallBank) -> set[str]:
    """Everything in the lines that no table above Bronze may hold."""
    found: set[str] = set()
    for feed in FEEDS:
        for event, _ in told_lines(bank, feed):
            if feed == CUSTOMER_CDC:
                for row in filter(None, (event["before"], event["after"])):
                    names = {f"{row['given_name']} {row['family_name']}"}
                    keys = ("account_number", "credit_account", "street", "phone", "birth_date", "device_id")
                    found |= names | {row[key] for key in keys if row[key]}
            else:
                keys = ("account_number", "pan", "payer_account", "payee_account", "payer_name", "payee_name")
                found |= {event[key] for key in (*keys, "device_id") if event.get(key)}
    return found


def _sides(feed: str, event: dict[str, Any], tokens: Tokeniser) -> dict[str, Any]:
    if feed != WIRE:
        return {
            "account_token": tokens.token(Domain.ACCOUNT, event["account_number"]),
            "card_token": tokens.token(Domain.CARD, event["pan"]),
            "counterparty_token": None,
            "counterparty_name_token": None,
            "country": event["country"],
            "internal": False,
        }
    ours, other = ("payee", "payer") if event["direction"] == "incoming" else ("payer", "payee")
    return {
        "account_token": tokens.token(Domain.ACCOUNT, event[f"{ours}_account"]),
        "card_token": None,
        "counterparty_token": tokens.token(Domain.ACCOUNT, event[f"{other}_account"]),
        "counterparty_name_token": tokens.token(Domain.NAME, event[f"{other}_name"]),
        "country": event[f"{other}_account"][:2],
        "internal": event["direction"] == "internal",
    }


def _dimension(bank: SmallBank, name: str) -> pl.DataFrame:
    return pl.read_delta(str(bank.catalog.table("simulator", name)))


def _history(bank: SmallBank, name: str) -> dict[str, list[dict[str, Any]]]:
    frame = _dimension(bank, name).sort("valid_from")
    parts = frame.partition_by(frame.columns[0], as_dict=True)
    return {str(key): part.to_dicts() for (key,), part in parts.items()}


def _as_of(history: list[dict[str, Any]], at: datetime) -> dict[str, Any]:
    return [row for row in history if row["valid_from"] <= at][-1]


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text + "+00:00")
