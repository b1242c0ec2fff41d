"""The few shapes of PromQL that the dashboard has, over scrapes in memory: enough to draw it without a Prometheus.

sum [by (…)] (…) · rate(metric{…}[…]) · histogram_quantile(q, …) · metric{…} · a / b · a * number
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from prometheus_client.parser import text_string_to_metric_families

Labels = tuple[tuple[str, str], ...]
Vector = dict[Labels, float]
_WORD = re.compile(r'\s*(\[[^\]]*\]|\{(?:[^}"]|"[^"]*")*\}|[a-z_A-Z][\w:]*|\d+(?:\.\d+)?|[(),/*])')
_MATCHER = re.compile(r'(\w+)(=~|=)"([^"]*)"')


class Scrape(NamedTuple):
    """at: seconds. values: by sample's name and labels."""

    at: float
    values: Mapping[str, Vector]


def scrape_of(at: float, text: str) -> Scrape:
    """A scrape, from the text of /metrics."""
    values: dict[str, Vector] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            values.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return Scrape(at, values)


class Query:
    """An expression. window_s: what stands for Grafana's `$__rate_interval`."""

    def __init__(self, expression: str, window_s: float) -> None:
        self._said = _WORD.findall(expression)
        self._window_s = window_s

    def at(self, scrapes: Sequence[Scrape]) -> Vector:
        """Its value at the last of the scrapes."""
        self._scrapes = [each for each in scrapes if scrapes[-1].at - each.at <= self._window_s]
        self._left = iter([*self._said, ""])
        self._next = next(self._left)
        return self._product()

    def _take(self, expected: str | None = None) -> str:
        word = self._next
        if expected not in (None, word):
            raise ValueError(f"saw {word!r}, expected {expected!r}")
        self._next = next(self._left, "")
        return word

    def _product(self) -> Vector:
        value = self._term()
        while self._next in ("/", "*"):
            divides = self._take() == "/"
            value = dict(_combined(value, self._term(), divides=divides))
        return value

    def _term(self) -> Vector:
        word = self._take()
        if word[0].isdigit():
            return {(): float(word)}
        if word == "sum":
            return self._sum()
        if word == "rate":
            self._take("(")
            rates = self._rates(self._take(), self._matchers())
            self._take()
            self._take(")")
            return rates
        if word == "histogram_quantile":
            self._take("(")
            share = float(self._take())
            self._take(",")
            buckets = self._product()
            self._take(")")
            return dict(_quantiles(share, buckets))
        return _matching(self._scrapes[-1], word, self._matchers())

    def _sum(self) -> Vector:
        by: set[str] = set()
        if self._next == "by":
            self._take()
            self._take("(")
            while (word := self._take()) != ")":
                by.add(word)
        self._take("(")
        inner = self._product()
        self._take(")")
        total: Vector = {}
        for labels, value in inner.items():
            kept = tuple(pair for pair in labels if pair[0] in by)
            total[kept] = total.get(kept, 0.0) + value
        return total

    def _matchers(self) -> list[tuple[str, re.Pattern[str]]]:
        if not self._next.startswith("{"):
            return []
        found = _MATCHER.findall(self._take())
        return [(name, re.compile(text if kind == "=~" else re.escape(text))) for name, kind, text in found]

    def _rates(self, name: str, matchers: list[tuple[str, re.Pattern[str]]]) -> Vector:
        """Per second, over the window; what fell began anew."""
        seen: dict[Labels, list[tuple[float, float]]] = {}
        for scrape in self._scrapes:
            for labels, value in _matching(scrape, name, matchers).items():
                seen.setdefault(labels, []).append((scrape.at, value))
        return {labels: _rate(points) for labels, points in seen.items() if len(points) > 1}


def _matching(scrape: Scrape, name: str, matchers: list[tuple[str, re.Pattern[str]]]) -> Vector:
    return {
        labels: value
        for labels, value in scrape.values.get(name, {}).items()
        if all(pattern.fullmatch(dict(labels).get(label, "")) for label, pattern in matchers)
    }


def _rate(points: Sequence[tuple[float, float]]) -> float:
    grown = sum(after - before if after >= before else after for (_, before), (_, after) in pairwise(points))
    return grown / (points[-1][0] - points[0][0])


def _combined(left: Vector, right: Vector, *, divides: bool) -> Iterator[tuple[Labels, float]]:
    for labels, value in left.items():
        other = right.get(labels, right.get((), math.nan))
        if not divides:
            yield labels, value * other
        elif other:
            yield labels, value / other


def _quantiles(share: float, buckets: Vector) -> Iterator[tuple[Labels, float]]:
    """Within a bucket as if its values were spread evenly, as Prometheus has it."""
    groups: dict[Labels, list[tuple[float, float]]] = {}
    for labels, count in buckets.items():
        rest = tuple(pair for pair in labels if pair[0] != "le")
        groups.setdefault(rest, []).append((float(dict(labels)["le"]), count))
    for rest, bounds in groups.items():
        bounds.sort()
        wanted, low, below = share * bounds[-1][1], 0.0, 0.0
        for bound, count in bounds:
            if count >= wanted and count > 0:
                inside = (wanted - below) / (count - below) if count > below else 0.0
                yield rest, low if math.isinf(bound) else low + (bound - low) * inside
                break
            low, below = bound, count
