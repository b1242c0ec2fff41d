"""A kitchen's lake with deliveries of an afternoon, some of them late, and the refund agent's decisions on them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from small_lake import NOON, SmallLake, item, order, window_name

from casper_ray.agents.agent import load_rules
from casper_ray.agents.decision import DECISIONS, SCHEMA, TABLE, Decider
from casper_ray.agents.engines.policy import PolicyEngine
from casper_ray.agents.kitchen.refund import REFUND
from casper_ray.evals.tracking import Tracking, open_tracking
from casper_ray.evals.versions import AgentVersion
from casper_ray.lakehouse.commit import commit_once
from casper_ray.lakehouse.data_file import write_data_file
from casper_ray.lakehouse.names import Catalog
from casper_ray.lakehouse.open_table import Change, OpenTable

ORDERS = 40
REASONED = AgentVersion(agent=REFUND, rules=load_rules(REFUND), engine=PolicyEngine().settings)


def _minutes(number: int) -> int:
    """How long an order took: every seventh much longer than those before it; one of a lot of money too."""
    return 60 + number if number % 7 == 0 else 20 + number % 5


def _fill(lake: SmallLake) -> None:
    lines = []
    for number in range(ORDERS):
        home = f'{{"customer_addr": "{number} Quay St", "items": []}}'
        basket = [item(price=250.0 if number == 35 else 2.5, qty=2)]
        lines.append(order(number, number, basket).replace(b"1 Quay St", f"{number} Quay St".encode()))
        delivered = {
            "event_id": f"d{number}",
            "event_type": "delivered",
            "order_id": f"O{number}",
            "body": home,
        }
        lines.append(order(number, number + _minutes(number), **delivered))
    lake.drop(window_name(0, 0, 240), *lines)
    lake.run()


def _decide(catalog: Catalog) -> None:
    store = REFUND.open_store(catalog, None)
    decider = Decider(agent=REFUND, rules=REASONED.rules, version=REASONED.version, engine=PolicyEngine())
    rows = decider.decide(store, REFUND.cases(store, -1, store.batch), sim_now=NOON)
    table = OpenTable(catalog.table(SCHEMA, TABLE), DECISIONS)
    file = write_data_file(rows, table.path, "part.parquet", {}, DECISIONS.stats)
    commit_once(table, app="test", batch=0, change=lambda _: Change(add=(file,)))


@pytest.fixture(scope="session")
def decided(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """The decided lake, which tests are not to change."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ray.is_initialized", lambda: False)
        lake = SmallLake.at(tmp_path_factory.mktemp("evals") / "lake")
        _fill(lake)
        _decide(lake.catalog)
    return lake.catalog


@pytest.fixture
def decisions(decided: Catalog) -> pl.DataFrame:
    return pl.read_delta(str(decided.table(SCHEMA, TABLE)))


@pytest.fixture(scope="session")
def empty_tracking(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake's folder with a new MLflow database in it, which takes seconds to make."""
    folder = tmp_path_factory.mktemp("tracking")
    with open_tracking(folder, None) as tracking:
        tracking.client.search_experiments()
    return folder


@pytest.fixture
def lake(empty_tracking: Path, tmp_path: Path) -> Path:
    """A folder of the test's own with an empty MLflow in it."""
    return Path(shutil.copytree(empty_tracking, tmp_path / "tracking"))


@pytest.fixture
def tracking(lake: Path) -> Iterator[Tracking]:
    with open_tracking(lake, None) as opened:
        yield opened


@pytest.fixture(scope="session")
def version() -> AgentVersion:
    return REASONED
