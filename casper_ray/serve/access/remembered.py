"""What was proved by a secret text, found again by the text without keeping it."""

from __future__ import annotations

import hmac
import secrets
from collections import OrderedDict
from typing import Final, Generic, TypeVar

from casper_ray.security.guarded import Guarded

Proof = TypeVar("Proof")
_MOST: Final = 10_000


class Remembered(Guarded, Generic[Proof]):
    """Proofs by HMAC-SHA256 of their text, under a secret that only this process has and never writes.

    most: proofs that are kept; the one that was unused for longest goes first.
    """

    __slots__ = ("_most", "_proofs", "_secret")

    def __init__(self, most: int = _MOST) -> None:
        self._secret, self._most = secrets.token_bytes(32), most
        self._proofs: OrderedDict[bytes, Proof] = OrderedDict()

    def digest(self, text: str) -> bytes:
        """By which `text` is known."""
        return hmac.digest(self._secret, text.encode("utf-8", "surrogatepass"), "sha256")

    def get(self, digest: bytes) -> Proof | None:
        found = self._proofs.get(digest)
        if found is not None:
            self._proofs.move_to_end(digest)
        return found

    def put(self, digest: bytes, proof: Proof) -> None:
        self._proofs[digest] = proof
        self._proofs.move_to_end(digest)
        if len(self._proofs) > self._most:
            self._proofs.popitem(last=False)

    def forget(self) -> None:
        """Everything."""
        self._proofs.clear()
