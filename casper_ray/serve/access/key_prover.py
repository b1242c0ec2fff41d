"""Who has an API key: hashed once, remembered from then on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Final, NamedTuple

from casper_ray.serve.access.api_keys import KeyRecord, decoy_hash, prefix_of, proves
from casper_ray.serve.access.live_keys import LiveKeys
from casper_ray.serve.access.principal import Principal
from casper_ray.serve.access.rates import Rates
from casper_ray.serve.access.refusals import not_proved, too_often
from casper_ray.serve.access.remembered import Remembered
from casper_ray.serve.operations.instruments import DOOR

STRANGERS: Final = ""
"""The bucket of those who are nobody: they share one, so that they cannot use up anybody else's."""
_MOST_WAITING: Final = 64
_HINT: Final = "send `Authorization: Bearer crk_…` with a key of this door"


class _Proved(NamedTuple):
    """A text that was held against a hash, once, and fitted. Whether that hash is good is asked every time."""

    key_id: str
    kept: str


class KeyProver:
    """Proves keys. A key that is known costs microseconds; one that is not, tens of milliseconds of one thread.

    tries: how often a key may be tried that is not known yet: by key, and for strangers together. So a wrong secret
    under somebody's prefix, and a flood of made-up keys, keep nobody out who was let in before, and cost little.
    """

    def __init__(
        self, live: LiveKeys, tries: Rates, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._live, self._tries, self._now = live, tries, now
        self._remembered: Remembered[_Proved] = Remembered()
        self._running: dict[bytes, asyncio.Task[_Proved | None]] = {}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="keys")

    async def prove(self, text: str) -> Principal:
        """Raises: DoorError: 401; 429 where too many are tried; 503 where the keys cannot be read."""
        digest = self._remembered.digest(text)
        known = self._remembered.get(digest)
        proved = known or await self._tried(text, digest)
        if proved is None:
            raise not_proved("this key is not known", _HINT)
        record = self._live.by_id(proved.key_id)
        if record is None or not record.good(proved.kept, self._now()):
            raise not_proved("this key was revoked or replaced, or has expired", "ask an admin for another")
        DOOR.authenticated("cached" if known else "proved")
        return record.principal

    async def _tried(self, text: str, digest: bytes) -> _Proved | None:
        """Many requests with the same new key wait for one try."""
        trying = self._running.get(digest)
        if trying is None:
            prefix = prefix_of(text)
            record = self._live.by_prefix(prefix) if prefix else None
            self._admit(record)
            if prefix is None:
                return None
            trying = asyncio.create_task(self._try(text, digest, record))
            self._running[digest] = trying
            trying.add_done_callback(lambda _: self._running.pop(digest, None))
        return await asyncio.shield(trying)

    def _admit(self, record: KeyRecord | None) -> None:
        wait_s = self._tries.take(record.id if record else STRANGERS)
        if wait_s or len(self._running) >= _MOST_WAITING:
            raise too_often(wait_s, "too many keys were tried that are not known")

    async def _try(self, text: str, digest: bytes, record: KeyRecord | None) -> _Proved | None:
        kept = record.hashes if record else (decoy_hash(),)
        loop = asyncio.get_running_loop()
        for one in kept:
            if await loop.run_in_executor(self._thread, proves, text, one) and record:
                proved = _Proved(record.id, one)
                self._remembered.put(digest, proved)
                return proved
        return None
