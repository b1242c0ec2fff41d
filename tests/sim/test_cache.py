"""The cache stays within its bytes and forgets the longest unused."""

from __future__ import annotations

from casper_ray.sim.cache import BoundedCache


def test_longest_unused_is_forgotten_first() -> None:
    cache: BoundedCache[str] = BoundedCache(10, len)
    built: list[str] = []

    def get(key: str) -> str:
        # append returns None, so that `or` goes on
        return cache.get(key, lambda: built.append(key) or key * 4)  # type: ignore[func-returns-value]

    for key in ("a", "b", "a", "c", "a", "b"):
        assert get(key) == key * 4
        assert cache.held_bytes <= 10
    assert built == ["a", "b", "c", "b"]


def test_a_value_larger_than_the_cache_is_still_given() -> None:
    cache: BoundedCache[str] = BoundedCache(3, len)
    assert cache.get("a", lambda: "12345") == "12345"
    assert cache.get("b", lambda: "1") == "1"
    assert cache.held_bytes == 1
