"""What is counted of cases: how long each stage takes, what the gate says, what models take."""

from __future__ import annotations

import json
from collections import Counter as Tally
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

import polars as pl
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from casper_ray.serve.operations.labels import SECONDS, Bounded

_SIZES: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
_ON_THE_WAY = ("unreachable", "timeout", "cut", "rate_limited", "busy", "rejected", "endpoint_error")
_OF_THE_REPLY = ("refused", "prose", "half_json", "wrong_enum", "invalid_output")
_OF_THE_BUDGET = ("budget_steps", "budget_tokens", "budget_money", "budget_tool_calls")
MODEL_FAILURES: Final = frozenset((*_ON_THE_WAY, *_OF_THE_REPLY, *_OF_THE_BUDGET))
"""Words with which an engine says that a model gave a case no answer."""
DIRECT: Final = "direct"
"""Stands for an agent's name where a client asks the model itself."""


class CaseFigures:
    """One call a group of cases and stage."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._agent, self._reason, self._outcome, self._engine = (Bounded(n) for n in (64, 256, 256, 32))
        self._batches: dict[str, int] = {}

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(name, text, labels, registry=registry)

        def histogram(name: str, text: str, buckets: Iterable[float], *labels: str) -> Histogram:
            return Histogram(name, text, labels, buckets=tuple(buckets), registry=registry)

        def gauge(name: str, text: str) -> Gauge:
            return Gauge(name, text, ("agent",), registry=registry)

        self._decisions = counter(
            "casper_decisions", "Decisions kept.", "agent", "gate_action", "outcome", "engine"
        )
        self._replays = counter("casper_decisions_replayed", "Cases that had their decision.", "agent")
        self._reasons = counter("casper_gate_reasons", "Reasons that the gate gave.", "agent", "reason")
        self._failures = counter(
            "casper_model_failures", "Cases that a model gave no answer for.", "agent", "failure"
        )
        self._tokens = counter("casper_model_tokens", "Tokens of models.", "agent", "kind")
        self._cost = counter("casper_model_cost_usd", "US dollars that models took.", "agent")
        self._stage_s = histogram(
            "casper_stage_seconds", "Seconds of a group of cases in a stage.", SECONDS, "agent", "stage"
        )
        self._group = histogram("casper_group_cases", "Cases in a group, by stage.", _SIZES, "agent", "stage")
        self._off = gauge("casper_agent_off", "1: the agent's kill switch is on.")
        self._batch = gauge("casper_lake_batch", "The lake's batch that cases are decided on.")
        self._batch_at = gauge(
            "casper_lake_batch_seen_timestamp_seconds", "Unix time at which that batch was first read."
        )

    def staged(
        self, agent: str, stage: Literal["propose", "judge", "commit"], *, cases: int, seconds: float
    ) -> None:
        """A group of cases is through a stage."""
        named = self._agent(agent)
        self._stage_s.labels(named, stage).observe(seconds)
        self._group.labels(named, stage).observe(cases)

    def decided(self, agent: str, rows: pl.DataFrame) -> None:
        """Rows of `agents.decisions` are durable. Looks at each row, once."""
        named = self._agent(agent)
        columns = (rows[name].to_list() for name in ("gate_action", "outcome", "engine"))
        for (action, outcome, engine), count in Tally(zip(*columns, strict=True)).items():
            labels = (named, action, self._outcome(outcome or "none"), self._engine(engine))
            self._decisions.labels(*labels).inc(count)
            if outcome in MODEL_FAILURES:
                self._failures.labels(named, outcome).inc(count)
        for reason, count in Tally(rows["gate_reasons"].explode().drop_nulls().to_list()).items():
            self._reasons.labels(named, self._reason(reason)).inc(count)
        self._used(named, [json.loads(text) for text in rows["usage"].to_list() if text != "{}"])

    def replayed(self, agent: str, cases: int) -> None:
        """So many cases had their decision already."""
        self._replays.labels(self._agent(agent)).inc(cases)

    def switched(self, agent: str, *, off: bool) -> None:
        """The agent's kill switch."""
        self._off.labels(self._agent(agent)).set(off)

    def read_batch(self, agent: str, batch: int) -> None:
        """What the agent decides on is of this batch; nothing where it was before."""
        if self._batches.get(agent) == batch:
            return
        self._batches[agent] = batch
        named = self._agent(agent)
        self._batch.labels(named).set(batch)
        self._batch_at.labels(named).set_to_current_time()

    def model_used(self, usage: Mapping[str, Any]) -> None:
        """A client's own request to the model took this, as OpenAI's protocol says it."""
        self._used(DIRECT, [usage])

    def model_failed(self, failure: str) -> None:
        """A client's own request to the model came to nothing. failure: of `MODEL_FAILURES`."""
        self._failures.labels(DIRECT, failure if failure in MODEL_FAILURES else "endpoint_error").inc()

    def _used(self, named: str, usages: Iterable[Mapping[str, Any]]) -> None:
        prompt = completion = usd = 0.0
        for one in usages:
            prompt += one.get("prompt_tokens") or 0
            completion += one.get("completion_tokens") or 0
            usd += float(one.get("usd") or 0)
        if prompt or completion:
            self._tokens.labels(named, "prompt").inc(prompt)
            self._tokens.labels(named, "completion").inc(completion)
            self._cost.labels(named).inc(usd)
