"""What is counted, and what becomes of it when several processes count."""

from __future__ import annotations

import json
import pickle
from typing import Any

import polars as pl
import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from casper_ray.serve.operations.case_figures import CaseFigures
from casper_ray.serve.operations.door_figures import DoorFigures
from casper_ray.serve.operations.labels import OTHER, Bounded
from casper_ray.serve.operations.metrics import exposition, snapshot

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def samples(text: bytes) -> Samples:
    """Name and labels -> value."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def value(text: bytes, name: str, **labels: str) -> float:
    return samples(text)[name, tuple(sorted(labels.items()))]


def decisions(**columns: list[Any]) -> pl.DataFrame:
    """Rows of `agents.decisions`, those columns of them that are counted."""
    height = len(next(iter(columns.values())))
    rows = {
        "gate_action": ["approved"] * height,
        "gate_reasons": [[]] * height,
        "outcome": ["none"] * height,
        "engine": ["policy"] * height,
        "usage": ["{}"] * height,
        **columns,
    }
    return pl.DataFrame(rows, schema_overrides={"gate_reasons": pl.List(pl.String)})


def door(requests: int, **options: Any) -> CollectorRegistry:
    """The registry of a door that answered so many requests."""
    registry = CollectorRegistry()
    figures = DoorFigures(registry)
    for _ in range(requests):
        figures.began()
        figures.answered(
            **{"route": "/v1/agents", "http_method": "GET", "status": 200, "seconds": 0.01, **options}
        )
    return registry


def test_a_scrape_has_every_process_and_keeps_them_apart() -> None:
    text = exposition([snapshot("door", "a", door(3)), snapshot("door", "b", door(4))])
    labels = {"route": "/v1/agents", "method": "GET", "status": "200"}
    assert value(text, "casper_http_requests_total", **labels, process="door-a") == 3
    assert value(text, "casper_http_requests_total", **labels, process="door-b") == 4
    assert value(text, "casper_processes", part="door") == 2


def test_a_series_of_a_living_process_does_not_fall_when_another_dies() -> None:
    first, second = door(3), door(4)
    before = samples(exposition([snapshot("door", "a", first), snapshot("door", "b", second)]))
    after = samples(exposition([snapshot("door", "b", second)]))
    counters = [key for key in after if key[0].endswith(("_total", "_bucket", "_count"))]
    assert counters
    assert all(after[key] >= before[key] for key in counters)


def test_a_part_without_a_process_is_told_as_none() -> None:
    text = exposition([snapshot("door", "a", door(1))], parts=("door", "keeper:caspers"))
    assert value(text, "casper_processes", part="keeper:caspers") == 0


def test_a_family_is_told_once_whatever_the_number_of_processes() -> None:
    text = exposition([snapshot("door", "a", door(1)), snapshot("door", "b", door(1))]).decode()
    assert text.count("# TYPE casper_http_requests_total counter") == 1
    assert "_created" not in text


def test_a_snapshot_crosses_processes() -> None:
    taken = snapshot("door", "a", door(2))
    assert exposition([pickle.loads(pickle.dumps(taken))]) == exposition([taken])


def test_a_refusal_is_counted_by_its_type_and_route() -> None:
    text = exposition([snapshot("door", "a", door(2, status=429))])
    assert (
        value(text, "casper_refusals_total", type="rate_limited", route="/v1/agents", process="door-a") == 2
    )


def test_a_client_that_went_away_was_not_refused() -> None:
    text = exposition([snapshot("door", "a", door(2, status=499))])
    assert not [key for key in samples(text) if key[0] == "casper_refusals_total"]


def test_a_request_that_is_over_is_not_open() -> None:
    text = exposition([snapshot("door", "a", door(2))])
    assert value(text, "casper_http_open_requests", process="door-a") == 0


def test_invented_methods_and_unknown_paths_make_no_series_of_their_own() -> None:
    registry = CollectorRegistry()
    figures = DoorFigures(registry)
    for number in range(1000):
        figures.began()
        figures.answered(route="", http_method=f"M{number}", status=405, seconds=0.1)
    text = exposition([snapshot("door", "a", registry)])
    labels = {"route": "none", "method": OTHER, "status": "405", "process": "door-a"}
    assert value(text, "casper_http_requests_total", **labels) == 1000


def test_labels_stop_at_their_limit() -> None:
    bounded = Bounded(3)
    assert [bounded(name) for name in ("a", "b", "c", "d", "a")] == ["a", "b", "c", OTHER, "a"]


def test_what_waits_is_asked_at_the_scrape() -> None:
    registry, queue = CollectorRegistry(), ["one"]
    DoorFigures(registry).watch_waiting("refund", lambda: len(queue))
    queue.append("two")
    text = exposition([snapshot("door", "a", registry)])
    assert value(text, "casper_waiting_requests", agent="refund", process="door-a") == 2


def counted(rows: pl.DataFrame) -> bytes:
    registry = CollectorRegistry()
    CaseFigures(registry).decided("refund", rows)
    return exposition([snapshot("keeper", "k", registry)])


def test_decisions_are_counted_by_what_the_gate_did_and_what_was_proposed() -> None:
    text = counted(
        decisions(
            gate_action=["approved", "approved", "clipped"],
            outcome=["full", "full", None],
            gate_reasons=[[], [], ["cap", "amount_from_data"]],
        )
    )
    common = {"agent": "refund", "engine": "policy", "process": "keeper-k"}
    assert value(text, "casper_decisions_total", gate_action="approved", outcome="full", **common) == 2
    assert value(text, "casper_decisions_total", gate_action="clipped", outcome="none", **common) == 1
    assert value(text, "casper_gate_reasons_total", agent="refund", reason="cap", process="keeper-k") == 1


def test_a_models_failures_are_counted_by_word() -> None:
    text = counted(decisions(outcome=["timeout", "full"], gate_action=["queued", "approved"]))
    labels = {"agent": "refund", "process": "keeper-k"}
    assert value(text, "casper_model_failures_total", failure="timeout", **labels) == 1
    assert "full" not in [
        dict(key[1]).get("failure") for key in samples(text) if key[0] == "casper_model_failures_total"
    ]


def test_tokens_and_cost_are_added_up_from_the_usage() -> None:
    usage = json.dumps({"prompt_tokens": 100, "completion_tokens": 7, "usd": "0.25"})
    text = counted(decisions(usage=[usage, "{}", usage]))
    labels = {"agent": "refund", "process": "keeper-k"}
    assert value(text, "casper_model_tokens_total", kind="prompt", **labels) == 200
    assert value(text, "casper_model_tokens_total", kind="completion", **labels) == 14
    assert value(text, "casper_model_cost_usd_total", **labels) == 0.5


def test_a_clients_own_requests_to_a_model_count_as_direct() -> None:
    registry = CollectorRegistry()
    figures = CaseFigures(registry)
    figures.model_used({"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7})
    figures.model_failed("a word that nobody declared")
    text = exposition([snapshot("door", "a", registry)])
    labels = {"agent": "direct", "process": "door-a"}
    assert value(text, "casper_model_tokens_total", kind="prompt", **labels) == 5
    assert value(text, "casper_model_failures_total", failure="endpoint_error", **labels) == 1


def test_stages_have_their_times_and_sizes() -> None:
    registry = CollectorRegistry()
    CaseFigures(registry).staged("refund", "commit", cases=40, seconds=0.02)
    text = exposition([snapshot("keeper", "k", registry)])
    labels = {"agent": "refund", "stage": "commit", "process": "keeper-k"}
    assert value(text, "casper_group_cases_sum", **labels) == 40
    assert value(text, "casper_stage_seconds_bucket", le="0.025", **labels) == 1
    assert value(text, "casper_stage_seconds_bucket", le="0.01", **labels) == 0


def test_a_batch_is_first_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = CollectorRegistry()
    figures = CaseFigures(registry)
    for batch, now in ((7, 100.0), (7, 200.0), (8, 300.0), (8, 400.0)):
        monkeypatch.setattr("time.time", lambda now=now: now)
        figures.read_batch("refund", batch)
    text = exposition([snapshot("proposer:refund", "p", registry)])
    labels = {"agent": "refund", "process": "proposer:refund-p"}
    assert value(text, "casper_lake_batch", **labels) == 8
    assert value(text, "casper_lake_batch_seen_timestamp_seconds", **labels) == 300
