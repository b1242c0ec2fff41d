"""A kitchen's tables as one batch left them, by hand: a day of ordinary deliveries, then a late and a usual one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from casper_ray.agents.agent import agent_version, load_rules
from casper_ray.agents.decision import Decider
from casper_ray.agents.engines.build import build_engine
from casper_ray.agents.engines.settings import EngineSettings, Retries
from casper_ray.agents.kitchen.refund import REFUND
from casper_ray.agents.kitchen.store import KitchenStore
from casper_ray.agents.testing.scripted_endpoint import Script, ScriptedEndpoint, scripted_endpoint
from casper_ray.lakehouse.names import Catalog, open_catalog

DAY = datetime(2024, 1, 1, 8, tzinfo=UTC)
KEY = "sk-not-to-be-seen-anywhere"


def _events(order_id: str, created: datetime, minutes: int) -> list[dict[str, Any]]:
    delivered = created + timedelta(minutes=minutes)
    steps = (("order_created", created, 0), ("delivered", delivered, 5))
    return [
        {
            "order_id": order_id,
            "event_type": kind,
            "location_id": 1,
            "ts": f"{at:%Y-%m-%d %H:%M:%S}.000",
            "sequence": place,
            "body": json.dumps({"customer_addr": f"{order_id} Street"}),
            "_known_ts": at,
            "_batch_id": 0,
            "_admission": "admitted",
        }
        for kind, at, place in steps
    ]


def _write(catalog: Catalog) -> None:
    """Twenty-four orders of 20 to 32 minutes, then LATE1 with 60 minutes, then USUAL1 with 20."""
    orders = [(f"O{n:02d}", DAY + timedelta(minutes=n), 20 + n // 2) for n in range(24)]
    orders += [("LATE1", DAY + timedelta(hours=2), 60), ("USUAL1", DAY + timedelta(hours=3), 20)]
    ids = [order_id for order_id, *_ in orders]
    tables = {
        "all_events": pl.DataFrame(
            [row for order in orders for row in _events(*order)], schema_overrides={"location_id": pl.Int32}
        ),
        "silver_order_items": pl.DataFrame(
            {
                "order_id": ids,
                "item_id": 1,
                "item_name": "Soup",
                "price": Decimal("20.00"),
                "qty": 2,
                "brand_id": 1,
            }
        ),
        "gold_order_header": pl.DataFrame({"order_id": ids, "order_revenue": Decimal("40.00")}).with_columns(
            pl.col("order_revenue").cast(pl.Decimal(18, 2))
        ),
    }
    versions = [f"{name}=0" for name in tables]
    tables["batches"] = pl.DataFrame({"batch": [0], "sim_instant": [DAY], "versions": [versions]})
    for name, rows in tables.items():
        rows.write_delta(catalog.table("lakeflow", name))


@pytest.fixture(scope="session")
def kitchen_store(tmp_path_factory: pytest.TempPathFactory) -> KitchenStore:
    catalog = open_catalog(str(tmp_path_factory.mktemp("engines") / "lake"), "caspers")
    _write(catalog)
    return KitchenStore(catalog)


@dataclass(frozen=True, slots=True)
class Kitchen:
    """Decides the kitchen's orders with an engine."""

    store: KitchenStore
    settings: EngineSettings
    agent: Any = REFUND

    def cases(self, *orders: str) -> pl.DataFrame:
        every = REFUND.cases(self.store, -1, 0)
        return every.filter(pl.col("subject").is_in(orders)) if orders else every

    def decide(self, engine: str, *orders: str, text: str | None = None) -> list[dict[str, Any]]:
        built = build_engine(engine, self.settings)
        rules = load_rules(REFUND)
        version = agent_version(REFUND, rules, built.settings)
        decider = Decider(agent=self.agent, rules=rules, version=version, engine=built)
        cases = self.cases(*orders).with_columns(pl.lit(text, pl.String).alias("text"))
        return decider.decide(self.store, cases, sim_now=DAY + timedelta(days=1)).to_dicts()

    def with_settings(self, **changed: Any) -> Kitchen:
        return replace(self, settings=self.settings.model_copy(update=changed))


@pytest.fixture
def kitchen(kitchen_store: KitchenStore) -> Kitchen:
    quick = Retries(attempts=3, wait_s=0.01, retry_after_at_most_s=1)
    return Kitchen(kitchen_store, EngineSettings(request_s=5, retries=quick, at_once=4))


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Script], ScriptedEndpoint]]:
    """Starts an endpoint whose model is a script, as the one that the environment names."""
    running = []

    def start(script: Script) -> ScriptedEndpoint:
        context = scripted_endpoint(script)
        endpoint = context.__enter__()
        running.append(context)
        monkeypatch.setenv("CASPER_LLM_BASE_URL", endpoint.base_url)
        monkeypatch.setenv("CASPER_LLM_MODEL", "scripted-1")
        monkeypatch.setenv("CASPER_LLM_API_KEY", KEY)
        return endpoint

    yield start
    for context in running:
        context.__exit__(None, None, None)


@pytest.fixture
def key() -> str:
    return KEY
