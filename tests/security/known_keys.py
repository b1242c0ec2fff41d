"""Keys that are the same in every run, so that a test can look for their bytes."""

from __future__ import annotations

import hashlib
from typing import Any

from casper_ray.security.keys import Key, KeyRing, Purpose


def secret(purpose: Purpose, version: int) -> bytes:
    """Bytes of the right length that are the same in every run."""
    return hashlib.shake_256(f"{purpose} {version}".encode()).digest(purpose.key_bytes)


def ring_of(*versions: int) -> KeyRing:
    """These versions of both purposes."""
    return KeyRing(Key(p, v, secret(p, v)) for p in Purpose for v in versions)


def key_json(*versions: int, **more: Any) -> dict[str, Any]:
    """What a key file says of `ring_of(*versions)`, and more."""
    return {str(p): {str(v): secret(p, v).hex() for v in versions} for p in Purpose} | more
