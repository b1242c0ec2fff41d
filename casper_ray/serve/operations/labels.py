"""Labels that cannot run away, and the bounds of histograms."""

from __future__ import annotations

from typing import Final

OTHER: Final = "other"
SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_METHODS: Final = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})


class Bounded:
    """The first `limit` values stay themselves; what comes later counts as `other`.

    Values come from declarations (agents, routes, rules), so the limit is not met unless something is amiss; a
    series per case, or per invention of a client, would fill the memory of whoever scrapes.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._known: set[str] = set()

    def __call__(self, value: str) -> str:
        if value in self._known:
            return value
        if len(self._known) >= self._limit:
            return OTHER
        self._known.add(value)
        return value


def method(name: str) -> str:
    """An HTTP method as a label: a client can invent others."""
    return name if name in _METHODS else OTHER
