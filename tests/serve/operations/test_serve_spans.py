"""Spans: over processes and groups, and none where they are off."""

from __future__ import annotations

import timeit
from collections.abc import Iterator
from importlib.util import find_spec

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from casper_ray.errors import ConfigError
from casper_ray.serve.operations.settings import SpanSettings
from casper_ray.serve.operations.spans import Spans

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SAMPLED = [(b"traceparent", f"00-{TRACE}-{PARENT}-01".encode())]


class Kept(Spans):
    """Spans that end in a list. They are there once `stop` was called."""

    def __init__(self, sampled: float) -> None:
        super().__init__()
        self.exporter = InMemorySpanExporter()
        self.start(SpanSettings(sampled=sampled), "door", self.exporter)


@pytest.fixture
def spans() -> Iterator[Kept]:
    kept = Kept(1.0)
    yield kept
    kept.stop()


def test_a_request_goes_on_with_the_trace_that_it_was_sent_with(spans: Kept) -> None:
    with spans.request(SAMPLED) as span:
        assert spans.here().split("-")[1] == TRACE
        spans.named(span, "GET", "/v1/agents", 200)
    spans.stop()
    (span,) = spans.exporter.get_finished_spans()
    assert span.name == "GET /v1/agents"
    assert span.parent is not None
    assert f"{span.parent.span_id:016x}" == PARENT


def test_a_group_belongs_to_its_first_trace_and_is_linked_to_the_others(spans: Kept) -> None:
    traces = []
    for _ in range(3):
        with spans.request([]):
            traces.append(spans.here())
    with spans.group("propose", "refund", ["", *traces]):
        pass
    spans.stop()
    group = spans.exporter.get_finished_spans()[-1]
    assert f"{group.context.trace_id:032x}" == traces[0].split("-")[1]
    assert [f"{link.context.trace_id:032x}" for link in group.links] == [
        trace.split("-")[1] for trace in traces[1:]
    ]
    assert group.attributes is not None
    assert group.attributes["casper.group"] == 3


def test_who_sends_an_unsampled_trace_gets_no_spans(spans: Kept) -> None:
    with spans.request([(b"traceparent", f"00-{TRACE}-{PARENT}-00".encode())]):
        assert spans.here() == ""
    spans.stop()
    assert not spans.exporter.get_finished_spans()


@pytest.mark.parametrize("header", [b"", b"00-zz-11-01", b"x" * 5000, b"\xff\x00"])
def test_a_broken_traceparent_begins_a_trace_of_its_own(spans: Kept, header: bytes) -> None:
    with spans.request([(b"traceparent", header)]):
        assert spans.here()


def test_an_error_ends_the_span_without_its_words(spans: Kept) -> None:
    with pytest.raises(ValueError, match="Ana"), spans.request([]):
        raise ValueError("Ana Example")
    spans.stop()
    (span,) = spans.exporter.get_finished_spans()
    assert not span.status.is_ok
    assert "Ana" not in span.to_json()


def test_a_sender_decides_for_its_own_trace_what_is_sampled_of_the_others() -> None:
    kept = Kept(0.0)
    with kept.request([]):
        assert kept.here() == ""
    with kept.request(SAMPLED):
        assert kept.here() != ""
    kept.stop()


def test_spans_that_are_off_cost_next_to_nothing() -> None:
    off = Spans()
    off.start(SpanSettings(), "door")

    def request() -> None:
        with off.request(SAMPLED), off.group("propose", "refund", [off.here()]):
            pass

    assert min(timeit.repeat(request, number=1000, repeat=20)) / 1000 < 20e-6


@pytest.mark.skipif(find_spec("opentelemetry.exporter.otlp") is not None, reason="OTLP is installed")
def test_an_exporter_that_is_not_installed_is_said_to_be() -> None:
    with pytest.raises(ConfigError, match="pip install opentelemetry-exporter-otlp-proto-http"):
        Spans().start(SpanSettings(exporter="otlp"), "door")
