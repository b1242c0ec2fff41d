"""A decision's spans and lines, from the door to the commit."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Iterator

import pytest
from growing_lake import GrowingLake
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from casper_ray.serve.operations.settings import LogSettings, SpanSettings
from casper_ray.serve.operations.spans import SPANS
from casper_ray.serve.settings import ServeSettings
from casper_ray.serve.testing import LocalServices, door_client

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SENT = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}


@pytest.fixture
def serve_settings(serve_settings: ServeSettings) -> ServeSettings:
    """Every request leaves a line."""
    return serve_settings.model_copy(update={"logs": LogSettings(access=1.0)})


@pytest.fixture
def exporter() -> Iterator[InMemorySpanExporter]:
    kept = InMemorySpanExporter()
    SPANS.start(SpanSettings(sampled=0.0), "door", kept)
    yield kept
    SPANS.stop()


def decide(services: LocalServices, subject: str, headers: dict[str, str]) -> str:
    """The request's id."""

    async def ask() -> str:
        async with door_client(services) as client:
            url = "/v1/agents/refund/decisions"
            answer = await client.post(url, json={"subject": subject}, headers=headers)
            assert answer.status_code == 200
            return answer.headers["x-request-id"]

    return asyncio.run(ask())


def test_a_decision_is_one_trace_from_the_door_to_the_commit(
    services: LocalServices, lake: GrowingLake, exporter: InMemorySpanExporter
) -> None:
    decide(services, lake.delivered()[0], SENT)
    SPANS.stop()
    spans = {span.name: span for span in exporter.get_finished_spans()}
    door = spans["POST /v1/agents/{agent}/decisions"]
    assert spans.keys() == {door.name, "propose", "commit"}
    assert {f"{span.context.trace_id:032x}" for span in spans.values()} == {TRACE}
    for stage in ("propose", "commit"):
        parent = spans[stage].parent
        assert parent is not None
        assert parent.span_id == door.context.span_id
    assert lake.delivered()[0] not in "".join(span.to_json() for span in spans.values())


def test_a_decision_that_nobody_traces_leaves_no_spans(
    services: LocalServices, lake: GrowingLake, exporter: InMemorySpanExporter
) -> None:
    decide(services, lake.delivered()[0], {})
    SPANS.stop()
    assert not exporter.get_finished_spans()


def test_its_line_has_the_requests_id_and_neither_key_nor_case(
    services: LocalServices, lake: GrowingLake, lines: io.StringIO
) -> None:
    subject = lake.delivered()[0]
    request_id = decide(services, subject, {})
    (line,) = [json.loads(text) for text in lines.getvalue().splitlines()]
    assert line["request_id"] == request_id
    assert (line["event"], line["route"], line["status"]) == ("request", "/v1/agents/{agent}/decisions", 200)
    assert line["principal"] == "test-admin"
    assert "key-of-admin" not in lines.getvalue()
    assert subject not in lines.getvalue()
