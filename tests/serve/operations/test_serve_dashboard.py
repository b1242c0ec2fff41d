"""The dashboard and the alerts name metrics that there are, and have what Grafana and Prometheus ask for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric

from casper_ray.serve.operations.case_figures import CaseFigures
from casper_ray.serve.operations.door_figures import DoorFigures
from casper_ray.serve.operations.instruments import REGISTRY

FOLDER = Path(__file__).parents[3] / "configs" / "grafana"
DASHBOARD: dict[str, Any] = json.loads((FOLDER / "casper-serve.json").read_text())
PANELS: list[dict[str, Any]] = DASHBOARD["panels"]
RULES: list[dict[str, Any]] = yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"][0]["rules"]
_WORDS = {"sum", "rate", "by", "le", "histogram_quantile", "increase", "absent", "min", "max"}


def families() -> Iterator[Metric]:
    """Every metric that there is."""
    yield from REGISTRY.collect()


def labels_by_sample() -> dict[str, set[str]]:
    """Names that a scrape can have, each with its labels."""
    found: dict[str, set[str]] = {"casper_processes": {"part"}}
    for family in families():
        # `collect` has no samples of a metric that nobody touched: its labels are those of the declaration.
        declared = REGISTRY._names_to_collectors.get(family.name) or REGISTRY._names_to_collectors.get(
            f"{family.name}_total"
        )
        labels = set(getattr(declared, "_labelnames", ())) | {"process"}
        suffixes = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"], "info": ["_info"]}
        for suffix in suffixes.get(family.type, [""]):
            found[family.name + suffix] = labels | ({"le"} if suffix == "_bucket" else set())
    return found


def expressions() -> list[str]:
    return [
        *(target["expr"] for panel in PANELS for target in panel["targets"]),
        *(rule["expr"] for rule in RULES),
    ]


def named(expression: str) -> list[tuple[str, str]]:
    """The metrics of an expression, each with its selector."""
    without_by = re.sub(r"by \([^)]*\)", "", expression)
    return [
        (name, selector)
        for name, selector in re.findall(r"([a-z_]{4,})(\{(?:[^}\"]|\"[^\"]*\")*\})?", without_by)
        if name not in _WORDS and name.startswith(("casper_", "process_"))
    ]


@pytest.mark.parametrize("expression", expressions())
def test_expressions_name_metrics_and_labels_that_there_are(expression: str) -> None:
    known = labels_by_sample()
    metrics = named(expression)
    assert metrics
    grouped = {
        label.strip() for found in re.findall(r"by \(([^)]*)\)", expression) for label in found.split(",")
    }
    for name, selector in metrics:
        assert name in known
        assert set(re.findall(r"([a-z_]+)=", re.sub(r"\"[^\"]*\"", "", selector))) <= known[name]
        assert grouped <= known[name]
    assert expression.count("(") == expression.count(")")


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_legends_name_labels_that_are_left(panel: dict[str, Any]) -> None:
    for target in panel["targets"]:
        found = re.search(r"by \(([^)]*)\)", target["expr"])
        left = {label.strip() for label in found[1].split(",")} if found else {"process"}
        assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= left - {"le"}


def test_counters_are_only_asked_for_their_rate() -> None:
    """The value of a counter falls when its process dies."""
    for expression in expressions():
        for name, selector in named(expression):
            if name.endswith(("_total", "_bucket", "_count", "_sum")):
                at = re.escape(name + selector) + r"\["
                assert re.search(rf"(rate|increase)\({at}", expression)


def test_grafana_finds_what_it_needs() -> None:
    assert DASHBOARD["uid"] == "casper-serve"
    assert DASHBOARD["schemaVersion"] >= 36
    (variable,) = DASHBOARD["templating"]["list"]
    assert (variable["type"], variable["query"]) == ("datasource", "prometheus")
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    for panel in PANELS:
        assert panel["type"] in {"stat", "timeseries"}
        assert panel["datasource"]["uid"] == f"${{{variable['name']}}}"
        assert all(target["datasource"] == panel["datasource"] for target in panel["targets"])
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])


def test_panels_do_not_overlap() -> None:
    places = {panel["id"]: panel["gridPos"] for panel in PANELS}
    assert all(place["x"] >= 0 and place["x"] + place["w"] <= 24 for place in places.values())
    for one, other in combinations(places.values(), 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        above = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or above


def test_every_metric_of_ours_is_on_the_dashboard_or_in_an_alert_or_explained() -> None:
    """A number that nobody looks at is not worth its counting."""
    shown = {
        re.sub(r"_(total|bucket|sum|count)$", "", name) for each in expressions() for name, _ in named(each)
    }
    only_asked_for = {
        "casper_build", "casper_decisions_replayed", "casper_lake_batch",
        "casper_lake_batch_seen_timestamp_seconds",
    }  # fmt: skip
    ours = {family.name for family in families() if family.name.startswith("casper_")}
    assert ours - shown == only_asked_for


def test_alerts_have_a_severity_and_say_what_is_amiss() -> None:
    assert len({rule["alert"] for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"]["summary"]


def test_names_and_units_are_as_prometheus_wants_them() -> None:
    registry = CollectorRegistry()
    DoorFigures(registry)
    CaseFigures(registry)
    for family in registry.collect():
        assert family.name.startswith("casper_")
        assert family.documentation.endswith(".")
        if family.type == "histogram":
            assert family.name.endswith(("_seconds", "_cases"))


def test_the_page_lists_the_metrics_that_there_are() -> None:
    """Name, kind, labels and words of each."""
    page = (FOLDER.parents[1] / "docs" / "reference" / "serve-operations.md").read_text()
    rows = re.findall(r"^\| (casper_\w+) \| (\w+) \| ([^|]*) \| ([^|]*) \|$", page, re.MULTILINE)
    told = {name: (kind, set(re.findall(r"\w+", labels)), text) for name, kind, labels, text in rows}
    known = labels_by_sample()
    expected = {"casper_processes": ("gauge", {"part"}, "Processes of a part that answered this scrape.")}
    for family in families():
        name = family.name + {"counter": "_total", "info": "_info"}.get(family.type, "")
        labels = known.get(name, known.get(f"{family.name}_count", set())) - {"process"}
        if family.name.startswith("casper_"):
            expected[name] = (family.type, labels, family.documentation)
    assert told == expected
    for rule in RULES:
        assert f"| {rule['alert']} |" in page
