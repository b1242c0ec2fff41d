"""What a process has built already, the longest unused forgotten first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import RLock
from typing import Generic, TypeVar

Value = TypeVar("Value")


class BoundedCache(Generic[Value]):
    """A cache bounded by bytes. Not shared between processes; safe between threads."""

    def __init__(self, most_bytes: int, size: Callable[[Value], int]) -> None:
        self._most_bytes, self._size = most_bytes, size
        self._held: OrderedDict[Hashable, Value] = OrderedDict()
        self._bytes = 0
        self._lock = RLock()

    def get(self, key: Hashable, build: Callable[[], Value]) -> Value:
        """The value of `key`, built if it is not held. The newest value is held whatever its size."""
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                return self._held[key]
            value = build()
            self._held[key] = value
            self._bytes += self._size(value)
            while self._bytes > self._most_bytes and len(self._held) > 1:
                _, oldest = self._held.popitem(last=False)
                self._bytes -= self._size(oldest)
            return value

    def find(self, key: Hashable) -> Value | None:
        """The value of `key` if it is held."""
        with self._lock:
            if key not in self._held:
                return None
            self._held.move_to_end(key)
            return self._held[key]

    @property
    def held_bytes(self) -> int:
        return self._bytes
