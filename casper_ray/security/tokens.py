"""Tokens: texts that stand for personal data, alike where it is alike, and that only the key can make."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np
import polars as pl

from casper_ray.security.columns import replaced
from casper_ray.security.domains import Domain, normal_form
from casper_ray.security.guarded import Guarded
from casper_ray.security.keys import KeyRing, Purpose

_TOKEN_BYTES: Final = 16
"""128 bits: among 10^9 texts of a domain two share a token with a chance below 10^-20."""
_REMEMBERED_TEXTS: Final = 200_000
"""Of a domain, by one process: some 40 MB."""
_LETTERS: Final = (_TOKEN_BYTES * 8 + 4) // 5
_ALPHABET: Final = np.frombuffer(b"abcdefghijklmnopqrstuvwxyz234567", dtype=np.uint8)
_TOKEN: Final = re.compile(rf"({'|'.join(Domain)})_v([1-9][0-9]{{0,5}})_([a-z2-7]{{{_LETTERS}}})", re.ASCII)


class TokenParts(NamedTuple):
    """What a token says of itself."""

    domain: Domain
    version: int


def token_parts(text: str) -> TokenParts | None:
    """Domain and key version of a token; None for a text that has not the form of one."""
    found = _TOKEN.fullmatch(text)
    return TokenParts(Domain(found[1]), int(found[2])) if found else None


class Tokeniser(Guarded):
    """Makes tokens under the newest key, and knows those of older ones.

    A token is `acc_v1_` and 26 letters of base32: domain, key version, and the first 16 bytes of HMAC-SHA256 over the
    domain and the text's normal form. Equal texts have equal tokens for as long as the version is the same.
    Source: FIPS 198-1, RFC 4648 section 6 in lower case.
    """

    __slots__ = ("_made", "_ring", "version")

    def __init__(self, ring: KeyRing) -> None:
        """Raises: ConfigError where the ring has no key for tokens."""
        self._ring, self.version = ring, ring.current(Purpose.TOKEN).version
        self._made: dict[Domain, dict[str, str | None]] = {}

    def token(self, domain: Domain, text: str | None) -> str | None:
        """The token of one text; None for None and for a text whose normal form is empty."""
        return None if text is None else self._tokens(domain, [text], self.version)[0]

    def tokens(self, domain: Domain, column: pl.Series) -> pl.Series:
        """The token of each row, as `token` makes them; a string column of the same name and order.

        Raises: TypeError for a column that is no text.
        """
        return replaced(column, lambda texts: self._remembered(domain, texts))

    def matches(self, domain: Domain, text: str, token: str) -> bool:
        """Whether `token`, of whichever version, is the one of `text`.

        Raises: ConfigError for a version without a key.
        """
        parts = token_parts(token)
        if parts is None or parts.domain != domain:
            return False
        (made,) = self._tokens(domain, [text], parts.version)
        return made is not None and hmac.compare_digest(made, token)

    def renamed(self, domain: Domain, texts: pl.Series, version: int) -> pl.DataFrame:
        """What the tokens of an older `version` are called now.

        Returns: one row per distinct token: old, new, strings, sorted by old.
        Rules: only for texts that are at hand; a token alone cannot be rotated.
        Raises: ConfigError for a version without a key.
        """
        at_hand = texts.drop_nulls().unique().to_list()
        pairs = {
            "old": self._tokens(domain, at_hand, version),
            "new": self._tokens(domain, at_hand, self.version),
        }
        frame = pl.DataFrame(pairs, schema={"old": pl.String, "new": pl.String})
        return frame.drop_nulls().unique().sort("old")

    def _remembered(self, domain: Domain, texts: list[str]) -> list[str | None]:
        """Tokens under the newest key. The same accounts and cards come block after block, and looking one up takes a
        tenth of making it.
        """
        made = self._made.setdefault(domain, {})
        new = [text for text in texts if text not in made]
        if len(made) + len(new) > _REMEMBERED_TEXTS:
            made.clear()
            new = texts
        made.update(zip(new, self._tokens(domain, new, self.version), strict=True))
        return [made[text] for text in texts]

    def _tokens(self, domain: Domain, texts: Sequence[str], version: int) -> list[str | None]:
        secret = self._ring.key(Purpose.TOKEN, version).reveal()
        begun = hmac.new(secret, f"casper token {domain}\0".encode(), "sha256")
        forms = [normal_form(domain, text) for text in texts]
        made = iter(_written(f"{domain}_v{version}_", _digests(begun, filter(None, forms))))
        return [next(made) if form else None for form in forms]


def _digests(begun: hmac.HMAC, forms: Iterable[str]) -> bytes:
    """16 bytes for each form, one after the other. The key's and the domain's share is done once, and copied."""
    digests = []
    for form in forms:
        mac = begun.copy()
        # A lone surrogate, which JSON can carry, has bytes too: an error would hold the text.
        mac.update(form.encode("utf-8", "surrogatepass"))
        digests.append(mac.digest()[:_TOKEN_BYTES])
    return b"".join(digests)


def _written(beginning: str, digests: bytes) -> list[str]:
    """`beginning` and the base32 of each 16 bytes."""
    rows = np.frombuffer(digests, dtype=np.uint8).reshape(-1, _TOKEN_BYTES)
    bits = np.zeros((len(rows), _LETTERS * 5), dtype=np.uint8)
    bits[:, : _TOKEN_BYTES * 8] = np.unpackbits(rows, axis=1)
    places = bits.reshape(len(rows), _LETTERS, 5) @ np.array([16, 8, 4, 2, 1], dtype=np.uint8)
    letters = _ALPHABET[places].tobytes().decode("ascii")
    return [beginning + letters[at : at + _LETTERS] for at in range(0, len(letters), _LETTERS)]
