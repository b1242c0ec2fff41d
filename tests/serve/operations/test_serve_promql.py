"""What stands in for Prometheus in the picture of the dashboard gives what Prometheus would."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def promql() -> ModuleType:
    spec = importlib.util.spec_from_file_location("promql", ROOT / "docs" / "images" / "promql.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["promql"] = module
    spec.loader.exec_module(module)
    return module


def told(at: float, count: float) -> tuple[float, str]:
    return at, (
        "# TYPE c counter\n"
        f'c_total{{route="a",process="x"}} {count}\n'
        f'c_total{{route="b",process="x"}} {count * 3}\n'
        f'c_total{{route="b",process="y"}} {count * 6}\n'
        "# TYPE h histogram\n"
        f'h_bucket{{le="0.1"}} {count}\nh_bucket{{le="0.5"}} {count * 2}\nh_bucket{{le="+Inf"}} {count * 2}\n'
    )


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("sum (rate(c_total[$__rate_interval]))", {(): 20.0}),
        ("sum by (route) (rate(c_total[1m]))", {(("route", "a"),): 2.0, (("route", "b"),): 18.0}),
        ('sum (rate(c_total{route="a"}[1m])) / sum (rate(c_total[1m]))', {(): 0.1}),
        ('sum (c_total{route=~"a|z"}) * 3600', {(): 72_000.0}),
        ("histogram_quantile(0.75, sum by (le) (rate(h_bucket[1m])))", {(): 0.3}),
    ],
)
def test_expressions_have_their_value(
    promql: ModuleType, expression: str, expected: dict[object, float]
) -> None:
    scrapes = [promql.scrape_of(*told(at, 2 * at)) for at in (0.0, 5.0, 10.0)]
    found = promql.Query(expression, 60.0).at(scrapes)
    assert found.keys() == expected.keys()
    for labels, value in expected.items():
        assert found[labels] == pytest.approx(value)


def test_a_counter_that_fell_began_anew(promql: ModuleType) -> None:
    scrapes = [
        promql.scrape_of(at, f"# TYPE c counter\nc_total {count}\n") for at, count in ((0, 90), (10, 20))
    ]
    assert promql.Query("rate(c_total[1m])", 60.0).at(scrapes) == {(): 2.0}


def test_every_panel_can_be_evaluated(promql: ModuleType) -> None:
    dashboard = json.loads((ROOT / "configs" / "grafana" / "casper-serve.json").read_text())
    scrapes = [promql.scrape_of(*told(at, at)) for at in (0.0, 5.0)]
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            assert isinstance(promql.Query(target["expr"], 60.0).at(scrapes), dict)
