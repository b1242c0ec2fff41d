"""Spans: where the time of a request went, across processes. Off unless configured, and then it costs nothing.

A request has one parent, but a group of requests is proposed and committed together: the group's span belongs to the
trace of the first request in it that is sampled, and is linked to the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib import import_module
from random import random
from typing import TYPE_CHECKING, Any, Final

from casper_ray.errors import ConfigError
from casper_ray.serve.operations.logs import process_stderr
from casper_ray.serve.operations.settings import SpanSettings

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span

_OFF: Final = nullcontext()
_SAID: Final = re.compile(rb"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-(?P<flags>[0-9a-f]{2})")
_OTLP: Final = "opentelemetry.exporter.otlp.proto.http.trace_exporter"


class Spans:
    """The spans of this process."""

    def __init__(self) -> None:
        self._provider: TracerProvider | None = None
        self._share = 0.0

    def start(self, settings: SpanSettings, part: str, exporter: SpanExporter | None = None) -> None:
        """Begin to keep spans. exporter: in the place of the configured one.

        Raises: ConfigError where the exporter is not installed.
        """
        found = exporter or _exporter(settings)
        if found is None:
            return
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.sampling import ALWAYS_ON

        self._share = settings.sampled
        self._provider = TracerProvider(
            sampler=ALWAYS_ON, resource=Resource({"service.name": "casper", "casper.part": part})
        )
        self._provider.add_span_processor(BatchSpanProcessor(found))

    def stop(self) -> None:
        """Send what is left, and keep none any more."""
        if self._provider is not None:
            self._provider.shutdown()
            self._provider = None

    def request(self, headers: Sequence[tuple[bytes, bytes]]) -> AbstractContextManager[Any]:
        """The span of a request, as its `traceparent` says or begun here."""
        if self._provider is None:
            return _OFF
        said = next((_SAID.fullmatch(value) for name, value in headers if name == b"traceparent"), None)
        # What is not sampled is told apart here: to have the library do so takes a hundred times as long.
        sampled = int(said["flags"], 16) & 1 if said else random() < self._share
        return self._request(said[0].decode() if said else "") if sampled else _OFF

    def named(self, span: Span | None, method: str, route: str, status: int) -> None:
        """What the request turned out to be. span: of `request`; None: spans are off."""
        if span is not None:
            span.update_name(f"{method} {route}")
            span.set_attributes({"http.route": route, "http.response.status_code": status})

    def here(self) -> str:
        """The `traceparent` to send along with what is asked of another process; empty: nothing is sampled."""
        if self._provider is None:
            return ""
        from opentelemetry.trace import get_current_span

        return _traceparent(get_current_span())

    def group(self, name: str, agent: str, traces: Sequence[str]) -> AbstractContextManager[Any]:
        """The span of a stage of a group. traces: what `here` said of each request; the empty ones do not count."""
        known = [] if self._provider is None else [trace for trace in traces if trace]
        return self._group(name, agent, known) if known else _OFF

    def _request(self, said: str) -> AbstractContextManager[Span]:
        from opentelemetry.trace import SpanKind

        return self._begun("request", context=_context(said), kind=SpanKind.SERVER)

    def _group(self, name: str, agent: str, traces: Sequence[str]) -> AbstractContextManager[Span]:
        from opentelemetry.trace import Link, get_current_span

        first, *rest = (_context(trace) for trace in traces)
        links = [Link(get_current_span(other).get_span_context()) for other in rest]
        attributes = {"casper.agent": agent, "casper.group": len(traces)}
        return self._begun(name, context=first, links=links, attributes=attributes)

    @contextmanager
    def _begun(self, name: str, **options: Any) -> Iterator[Span]:
        """A span that says which error ended it, but not the error's words: they can quote data."""
        from opentelemetry.trace import Status, StatusCode

        assert self._provider is not None
        tracer = self._provider.get_tracer("casper_ray.serve")
        with tracer.start_as_current_span(
            name, **options, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield span
            except BaseException as error:
                span.set_status(Status(StatusCode.ERROR, type(error).__name__))
                raise


def _context(traceparent: str) -> Any:
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    return TraceContextTextMapPropagator().extract({"traceparent": traceparent})


def _traceparent(span: Span) -> str:
    at = span.get_span_context()
    if not at.trace_flags.sampled:
        return ""
    return f"00-{at.trace_id:032x}-{at.span_id:016x}-{int(at.trace_flags):02x}"


def _exporter(settings: SpanSettings) -> SpanExporter | None:
    if settings.exporter == "none":
        return None
    if settings.exporter == "console":
        from opentelemetry.sdk.trace.export import ConsoleSpanExporter

        return ConsoleSpanExporter(
            out=process_stderr(), formatter=lambda span: span.to_json(indent=None) + "\n"
        )
    try:
        found: SpanExporter = import_module(_OTLP).OTLPSpanExporter(endpoint=settings.endpoint)
    except ImportError as error:
        raise ConfigError(
            "spans: exporter otlp is not installed",
            "pip install opentelemetry-exporter-otlp-proto-http, or choose console or none",
        ) from error
    return found


SPANS: Final = Spans()
"""This process's."""
