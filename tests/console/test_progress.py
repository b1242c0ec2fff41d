from __future__ import annotations

import json

from casper_ray.console.progress import Lag, Summary
from casper_ray.console.testing import summary


def test_json_summary_has_the_keys_of_the_contract() -> None:
    assert summary().as_json() == {
        "replay_id": "r-42",
        "domain": "kitchen",
        "events": 228_000,
        "orders": 17_040,
        "sim_from": "2024-03-11T00:00:00Z",
        "sim_to": "2024-03-31T00:00:00Z",
        "wall_s": 480.0,
        "events_per_s": 475.0,
        "lag_ms": {"p50": 212.3, "p95": 483.0, "p99": None},
        "batches": 480,
        "duplicates": 2,
        "late": 12,
        "quarantined": 0,
        "tables": {
            "lakeflow.all_events": {"version": 5, "rows": 5000},
            "lakeflow.silver_order_items": {"version": 5, "rows": 5000},
        },
        "lake": "/data/lake",
        "catalog": "caspers",
        "ended": "the end of the data",
    }


def test_what_is_counted_is_told_under_its_own_name() -> None:
    answer = summary(domain="bank", counted_as="transactions").as_json()
    assert answer["transactions"] == 17_040
    assert "orders" not in answer


def test_json_summary_is_valid_json_even_without_a_rate() -> None:
    names = Summary.__dataclass_fields__
    values = {name: getattr(summary(), name) for name in names}
    values |= {"events_per_s": float("inf"), "lag": Lag(p50_ms=float("nan"), p95_ms=None, p99_ms=None)}
    answer = Summary(**values).as_json()
    assert json.loads(json.dumps(answer, allow_nan=False))["events_per_s"] is None
