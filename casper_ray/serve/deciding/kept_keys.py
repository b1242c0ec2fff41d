"""Idempotency keys of the last day: what each was used for, and what came of it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

KEPT: Final = timedelta(hours=24)


class KeptKey(NamedTuple):
    """at: when it was first answered. body_digest: of what was asked with it. decision_id: of the answer."""

    at: datetime
    body_digest: str
    decision_id: str


class KeptKeys:
    """By digest. Older than a day they are forgotten: the case's own decision still is there only once."""

    def __init__(self, kept: Iterable[tuple[str, KeptKey]] = ()) -> None:
        self._keys: OrderedDict[str, KeptKey] = OrderedDict()
        for digest, key in sorted(kept, key=lambda pair: pair[1].at):
            self._keys.setdefault(digest, key)

    def get(self, digest: str) -> KeptKey | None:
        return self._keys.get(digest)

    def add(self, digest: str, key: KeptKey) -> None:
        """The first use of a key counts."""
        self._keys.setdefault(digest, key)
        while self._keys:
            oldest = next(iter(self._keys))
            if self._keys[oldest].at >= key.at - KEPT:
                break
            del self._keys[oldest]
