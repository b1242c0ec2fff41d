"""What an operator may choose: which lines are logged, where spans go."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from casper_ray.spec import Spec


class LogSettings(Spec):
    """access: the share of requests that leave a line. slow_s: a slower one always does, and so does every answer of
    500 and above. Refusals are in the audit events, all of them.
    """

    level: Literal["debug", "info", "warning", "error"] = "info"
    access: float = Field(default=0.01, ge=0, le=1)
    slow_s: float = Field(default=1.0, gt=0)


class SpanSettings(Spec):
    """exporter: console writes JSON to stderr; otlp needs `opentelemetry-exporter-otlp-proto-http`, and sends to
    `endpoint`. sampled: the share of requests; who sends a `traceparent` decides for theirs.
    """

    exporter: Literal["none", "console", "otlp"] = "none"
    endpoint: str = "http://127.0.0.1:4318/v1/traces"
    sampled: float = Field(default=0.01, ge=0, le=1)
