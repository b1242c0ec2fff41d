"""Sealed texts: the few fields that authorised people may read again."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final, NamedTuple

import polars as pl
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from casper_ray.errors import UserError
from casper_ray.security.columns import replaced
from casper_ray.security.domains import Domain
from casper_ray.security.guarded import Guarded
from casper_ray.security.keys import KeyRing, Purpose

_SEALED: Final = re.compile(
    rf"sealed_({'|'.join(Domain)})_v([1-9][0-9]{{0,5}})_([A-Za-z0-9_-]{{22,}})", re.ASCII
)
_NOT_OPENED: Final = "the vault cannot open a text"


class SealedParts(NamedTuple):
    """What a sealed text says of itself, and its bytes."""

    domain: Domain
    version: int
    data: bytes


class Vault(Guarded):
    """Seals under the newest key and opens under any.

    A sealed text is `sealed_nam_v1_` and base64url without padding of AES-256-SIV's 16 bytes of tag and the
    ciphertext; domain and key version are its associated data. It is made of the text as it is, not of a normal form.
    Rules: no nonce, so equal texts of a domain seal alike and a batch that runs again writes the same bytes. Who
    reads sealed texts learns which are equal, and how long each is.
    Source: RFC 5297.
    """

    __slots__ = ("_ciphers", "_ring", "version")

    def __init__(self, ring: KeyRing) -> None:
        """Raises: ConfigError where the ring has no key for the vault."""
        self._ring, self.version = ring, ring.current(Purpose.VAULT).version
        self._ciphers: dict[int, AESSIV] = {}

    def seal(self, domain: Domain, text: str) -> str:
        data = self._cipher(self.version).encrypt(
            text.encode("utf-8", "surrogatepass"), _associated(domain, self.version)
        )
        return f"sealed_{domain}_v{self.version}_{_base64(data)}"

    def sealed(self, domain: Domain, column: pl.Series) -> pl.Series:
        """`seal` of each row; null stays null. Raises: TypeError for a column that is no text."""
        return replaced(column, lambda texts: [self.seal(domain, text) for text in texts])

    def open(self, domain: Domain, sealed: str) -> str:
        """The text that was sealed.

        Raises: UserError, which tells neither text, where `sealed` is no sealed text, of another domain, altered, or
        sealed with another key; ConfigError where the key of its version is not there.
        """
        parts = _sealed_parts(sealed)
        if parts is None:
            raise UserError(f"{_NOT_OPENED}: it has not the form of a sealed one")
        if parts.domain != domain:
            raise UserError(f"{_NOT_OPENED}: it is of domain {parts.domain}, expected {domain}")
        opened = self._opened(parts)
        if opened is None:
            raise UserError(
                f"{_NOT_OPENED} of {domain} v{parts.version}: it was altered, or sealed with another key"
            )
        return opened.decode("utf-8", "surrogatepass")

    def resealed(self, domain: Domain, sealed: str) -> str:
        """The same text under the newest key. Raises: as `open`."""
        return self.seal(domain, self.open(domain, sealed))

    def _opened(self, parts: SealedParts) -> bytes | None:
        cipher = self._cipher(parts.version)
        try:
            return cipher.decrypt(parts.data, _associated(parts.domain, parts.version))
        except InvalidTag:
            return None

    def _cipher(self, version: int) -> AESSIV:
        if version not in self._ciphers:
            self._ciphers[version] = AESSIV(self._ring.key(Purpose.VAULT, version).reveal())
        return self._ciphers[version]


def _associated(domain: Domain, version: int) -> list[bytes]:
    return [b"casper vault", domain.encode(), str(version).encode()]


def _base64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _sealed_parts(sealed: str) -> SealedParts | None:
    found = _SEALED.fullmatch(sealed)
    if found is None or len(found[3]) % 4 == 1:
        return None
    data = urlsafe_b64decode(found[3] + "=" * (-len(found[3]) % 4))
    if _base64(data) != found[3]:  # bits after the last byte that nothing protects
        return None
    return SealedParts(Domain(found[1]), int(found[2]), data)
